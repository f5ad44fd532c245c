package child_test

import (
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/internal/child"
)

// What the user has set for the service is replaced, secrets above all, even if they are to be
// kept.
func TestEnvironWithLogin(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("NO_PROXY and no_proxy are one variable here")
	}
	login := child.Login{Profile: "p", ClientID: "id", Secret: shsession.NewSecret("placeholder"), TokenURL: "http://127.0.0.1:1/token"}
	set := []string{"SH_PROFILE=p", "SH_CLIENT_ID=id", "SH_CLIENT_SECRET=placeholder", "SH_TOKEN_URL=http://127.0.0.1:1/token",
		"OAUTHLIB_INSECURE_TRANSPORT=1", "NO_PROXY=127.0.0.1,localhost,::1", "no_proxy=127.0.0.1,localhost,::1"}
	base := []string{"PATH=/bin", "SH_PROFILE=mine", "SH_CLIENT_ID=mine", "SH_CLIENT_SECRET=real", "SH_CLIENT_SECRET_FILE=/real",
		"SH_TOKEN_URL=https://service.example/token", "SH_BASE_URL=https://service.example", "OAUTHLIB_INSECURE_TRANSPORT="}
	for _, keep := range []bool{false, true} {
		want := append([]string{"PATH=/bin", "SH_BASE_URL=https://service.example"}, set...)
		if diff := cmp.Diff(want, child.Environ(base, child.Shared{Login: login, KeepSecret: keep})); diff != "" {
			t.Errorf("secrets kept %t (-want +got):\n%s", keep, diff)
		}
	}
}

func TestNoProxy(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("NO_PROXY and no_proxy are one variable here")
	}
	const own = "127.0.0.1,localhost,::1"
	for _, test := range []struct {
		base         []string
		upper, lower string
	}{
		{nil, own, own},
		{[]string{"NO_PROXY=corp.example"}, "corp.example," + own, "corp.example," + own},
		{[]string{"no_proxy=corp.example"}, "corp.example," + own, "corp.example," + own},
		{[]string{"NO_PROXY=a", "no_proxy=b"}, "a," + own, "b," + own},
		{[]string{"NO_PROXY=a", "NO_PROXY=b"}, "b," + own, "b," + own},
		{[]string{"NO_PROXY=localhost, 10.0.0.0/8", "no_proxy="}, "localhost, 10.0.0.0/8,127.0.0.1,::1", "localhost, 10.0.0.0/8,127.0.0.1,::1"},
		{[]string{"NO_PROXY=*"}, "*", "*"},
		{[]string{"NO_PROXY=" + own}, own, own},
	} {
		env := child.Environ(test.base, child.Shared{Login: child.Login{TokenURL: "http://127.0.0.1:1/token"}})
		var upper, lower []string
		for _, variable := range env {
			if value, ok := strings.CutPrefix(variable, "NO_PROXY="); ok {
				upper = append(upper, value)
			}
			if value, ok := strings.CutPrefix(variable, "no_proxy="); ok {
				lower = append(lower, value)
			}
		}
		if diff := cmp.Diff([][]string{{test.upper}, {test.lower}}, [][]string{upper, lower}); diff != "" {
			t.Errorf("%v (-want +got):\n%s", test.base, diff)
		}
	}
}
