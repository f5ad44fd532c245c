package netenv_test

import (
	"errors"
	"net/http"
	"runtime"
	"strings"
	"testing"

	"github.com/shsession/shsession/internal/netenv"
)

var variables = []string{"HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy", "NO_PROXY", "no_proxy", "REQUEST_METHOD"}

func TestProxy(t *testing.T) {
	for _, test := range []struct {
		name string
		env  map[string]string
		url  string
		want string // "" for no proxy
	}{
		{"nothing set", nil, "https://example.com", ""},
		{"of the scheme", map[string]string{"HTTPS_PROXY": "http://a:1"}, "https://example.com", "http://a:1"},
		{"of another scheme", map[string]string{"HTTP_PROXY": "http://a:1"}, "https://example.com", ""},
		{"for all", map[string]string{"ALL_PROXY": "http://a:1"}, "https://example.com", "http://a:1"},
		{"for all, in small letters", map[string]string{"all_proxy": "socks5h://a:1"}, "https://example.com", "socks5h://a:1"},
		{"the scheme's own comes first", map[string]string{"ALL_PROXY": "http://a:1", "HTTPS_PROXY": "b:2"}, "https://example.com", "http://b:2"},
		{"not for this host", map[string]string{"ALL_PROXY": "http://a:1", "NO_PROXY": "example.com"}, "https://example.com", ""},
		{"not for this machine", map[string]string{"ALL_PROXY": "http://a:1"}, "http://127.0.0.1:8080", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			set(t, test.env)
			proxy, err := netenv.Proxy()
			if err != nil {
				t.Fatal(err)
			}
			r, err := http.NewRequest(http.MethodGet, test.url, nil)
			if err != nil {
				t.Fatal(err)
			}
			got, err := proxy(r)
			if err != nil {
				t.Fatal(err)
			}
			if text := ""; got != nil && got.String() != test.want || got == nil && text != test.want {
				t.Errorf("the proxy is %v, want %q", got, test.want)
			}
		})
	}
}

func TestProxyThatIsNone(t *testing.T) {
	for _, variable := range []string{"HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "ALL_PROXY"} {
		for _, value := range []string{"http://user:p%ss@proxy:3128", "ftp://proxy", "http://", "://x"} {
			set(t, map[string]string{variable: value})
			_, err := netenv.Proxy()
			var named *netenv.Error
			if !errors.As(err, &named) || !same(named.Variable, variable) || strings.Contains(err.Error(), "p%ss") {
				t.Errorf("%s=%s: %v, want an error that names the variable and not its value", variable, value, err)
			}
		}
	}
}

func set(t *testing.T, env map[string]string) {
	t.Helper()
	for _, name := range variables {
		t.Setenv(name, "")
	}
	for name, value := range env { // after all others: on Windows, small letters name the same variable
		t.Setenv(name, value)
	}
}

// same reports whether two names are of one variable.
func same(a, b string) bool { return a == b || runtime.GOOS == "windows" && strings.EqualFold(a, b) }
