package metrics_test

import (
	"os"
	"os/exec"
	"regexp"
	"testing"

	"github.com/shsession/shsession/internal/testkit"
)

const alertRules = "../deploy/prometheus/alerts.yaml"

// Each alert asks for series and labels that exist.
func TestAlertsUseWhatExists(t *testing.T) {
	text, err := os.ReadFile(alertRules)
	if err != nil {
		t.Fatal(err)
	}
	exist := labels(t)
	found := regexp.MustCompile(`shsession_\w+`).FindAllString(string(text), -1)
	if len(found) < 6 {
		t.Errorf("the alerts use %d series only", len(found))
	}
	for _, series := range found {
		if exist[series] == nil {
			t.Errorf("%s doesn't exist", series)
		}
	}
}

// Prometheus itself fires each alert when it should, and none when all is well.
func TestAlertsFire(t *testing.T) {
	promtool := testkit.Need(t, "promtool")
	for _, args := range [][]string{{"check", "rules", alertRules}, {"test", "rules", "testdata/alerts.yaml"}} {
		if out, err := exec.CommandContext(t.Context(), promtool, args...).CombinedOutput(); err != nil {
			t.Errorf("promtool %v: %v\n%s", args, err, out)
		}
	}
}
