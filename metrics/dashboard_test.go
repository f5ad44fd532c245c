package metrics_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/shsession/shsession/internal/testkit"
)

const dashboard = "../deploy/grafana/shsession.json"

// expressions returns the PromQL of every panel of the dashboard, and that of its variables.
func expressions(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile(dashboard)
	if err != nil {
		t.Fatal(err)
	}
	var parsed struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
		Templating struct {
			List []struct{ Definition string }
		}
	}
	if err := json.Unmarshal(text, &parsed); err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, panel := range parsed.Panels {
		if len(panel.Targets) == 0 {
			t.Errorf("the panel %q shows nothing", panel.Title)
		}
		for _, target := range panel.Targets {
			found = append(found, target.Expr)
		}
	}
	for _, variable := range parsed.Templating.List {
		// label_values(metric, label) is Grafana's own
		if args, ok := strings.CutPrefix(variable.Definition, "label_values("); ok {
			metric, label, _ := strings.Cut(strings.TrimSuffix(args, ")"), ", ")
			found = append(found, metric+"{"+label+`=~".+"}`)
		}
	}
	if len(found) < 10 {
		t.Fatalf("found %d expressions only", len(found))
	}
	return found
}

// labels returns the labels of each series that we show, and those that Prometheus adds.
func labels(t *testing.T) map[string][]string {
	t.Helper()
	_, text := get(t, busy().Handler(), "/metrics")
	series := regexp.MustCompile(`(?m)^([a-z_]+)(?:\{(.*)\})? `)
	label := regexp.MustCompile(`([a-z_]+)="`)
	found := make(map[string][]string)
	for _, match := range series.FindAllStringSubmatch(text, -1) {
		found[match[1]] = []string{"instance", "job"}
		for _, l := range label.FindAllStringSubmatch(match[2], -1) {
			found[match[1]] = append(found[match[1]], l[1])
		}
	}
	return found
}

// A usage is a series in an expression, with the labels that it's chosen by.
type usage struct {
	series string
	labels []string
}

// usages returns the series in an expression. What is no series is a function or an operator,
// before a parenthesis, or a label, within one after by or on.
func usages(expr string) []usage {
	quoted := regexp.MustCompile(`"[^"]*"`)
	grouping := regexp.MustCompile(`\b(by|without|on|ignoring)\s*\([^)]*\)`)
	span := regexp.MustCompile(`\[[^\]]*\]`)
	name := regexp.MustCompile(`[a-zA-Z_:][a-zA-Z0-9_:]*\b(\s*[({])?`)
	matcher := regexp.MustCompile(`([a-zA-Z_]\w*)\s*[=!]`)
	expr = quoted.ReplaceAllString(expr, `""`)
	expr = grouping.ReplaceAllString(expr, "")
	expr = span.ReplaceAllString(expr, "")
	var found []usage
	for expr != "" {
		at := name.FindStringIndex(expr)
		if at == nil {
			break
		}
		word := expr[at[0]:at[1]]
		expr = expr[at[1]:]
		switch {
		case strings.HasSuffix(word, "("), slices.Contains([]string{"and", "or", "unless", "bool"}, word):
		case strings.HasSuffix(word, "{"):
			selector, rest, _ := strings.Cut(expr, "}")
			use := usage{series: strings.TrimRight(word, " {")}
			for _, label := range matcher.FindAllStringSubmatch(selector, -1) {
				use.labels = append(use.labels, label[1])
			}
			found = append(found, use)
			expr = rest
		default:
			found = append(found, usage{series: word})
		}
	}
	return found
}

func TestDashboardUsesWhatExists(t *testing.T) {
	exist := labels(t)
	used := make(map[string]bool)
	for _, expr := range expressions(t) {
		found := usages(expr)
		if len(found) == 0 {
			t.Errorf("no metric in %s", expr)
		}
		for _, use := range found {
			used[use.series] = true
			if exist[use.series] == nil {
				t.Errorf("%s doesn't exist, in %s", use.series, expr)
			}
			for _, label := range use.labels {
				if !slices.Contains(exist[use.series], label) {
					t.Errorf("%s has no label %s, in %s", use.series, label, expr)
				}
			}
		}
	}
	for series := range exist {
		if strings.HasPrefix(series, "shsession_") && !used[series] {
			t.Errorf("%s isn't on the dashboard", series)
		}
	}
}

// Prometheus itself understands every expression.
func TestDashboardExpressionsParse(t *testing.T) {
	promtool := testkit.Need(t, "promtool")
	type rule struct {
		Record string `json:"record"`
		Expr   string `json:"expr"`
	}
	type group struct {
		Name  string `json:"name"`
		Rules []rule `json:"rules"`
	}
	rules := group{Name: "dashboard"}
	for i, expr := range expressions(t) {
		expr = strings.ReplaceAll(expr, "$__rate_interval", "5m")
		rules.Rules = append(rules.Rules, rule{Record: "dashboard:" + strings.Repeat("x", i+1), Expr: expr})
	}
	text, err := json.Marshal(map[string][]group{"groups": {rules}}) // JSON is YAML
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "rules.yml")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), promtool, "check", "rules", file).CombinedOutput(); err != nil {
		t.Errorf("promtool: %v\n%s", err, out)
	}
}
