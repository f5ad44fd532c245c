package child

import (
	"runtime"
	"slices"
	"strings"

	"github.com/shsession/shsession"
)

// A Login is what a child needs to log in at a token endpoint on this machine instead of the
// service's. The zero Login is no login.
type Login struct {
	Profile  string // its name in the Python package's config.toml
	ClientID string
	Secret   shsession.Secret // the endpoint's placeholder
	TokenURL string
}

// variables returns the variables by which the Python package and shsession log in there.
// OAUTHLIB_INSECURE_TRANSPORT lets the package's oauthlib use http, which the endpoint speaks, and
// NO_PROXY keeps the placeholder from a proxy. base is the environment that they are added to.
func (l Login) variables(base []string) []string {
	if l.TokenURL == "" {
		return nil
	}
	upper, lower := noProxy(base)
	set := []string{
		"SH_PROFILE=" + l.Profile,
		"SH_CLIENT_ID=" + l.ClientID,
		"SH_CLIENT_SECRET=" + l.Secret.Reveal(),
		"SH_TOKEN_URL=" + l.TokenURL,
		"OAUTHLIB_INSECURE_TRANSPORT=1",
		"NO_PROXY=" + upper,
	}
	if runtime.GOOS != "windows" { // where it is the same variable
		set = append(set, "no_proxy="+lower)
	}
	return set
}

// ownHosts are the names of this machine that no proxy is to be asked for.
var ownHosts = []string{"127.0.0.1", "localhost", "::1"}

// noProxy returns the values of NO_PROXY and no_proxy with this machine added. Some programs read
// one, some the other, and some the first that is set: an entry of either is in both.
func noProxy(base []string) (upper, lower string) {
	upper, lower = valueOf(base, "NO_PROXY"), valueOf(base, "no_proxy")
	if upper == "" {
		upper = lower
	}
	if lower == "" {
		lower = upper
	}
	return withOwnHosts(upper), withOwnHosts(lower)
}

// withOwnHosts adds this machine to a list. "*" stands for all hosts, and in Python only if it is
// alone.
func withOwnHosts(list string) string {
	if strings.TrimSpace(list) == "*" {
		return list
	}
	hosts := strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == ' ' })
	for _, host := range ownHosts {
		if !slices.Contains(hosts, host) {
			list += "," + host
		}
	}
	return strings.TrimPrefix(list, ",")
}
