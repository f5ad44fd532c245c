// Package netenv says how to reach the network: the proxies and certificate authorities that
// the environment names, and which hosts are this machine.
package netenv

import (
	"errors"
	"net/http"
	"net/url"
	"os"
	"strings"

	"golang.org/x/net/http/httpproxy"
)

// An Error says that the value of a variable can't be used.
type Error struct {
	Variable string
	Err      error // it doesn't repeat a URL, which may hold a password
}

func (e *Error) Error() string { return e.Variable + ": " + e.Err.Error() }
func (e *Error) Unwrap() error { return e.Err }

// errNoProxy says that a variable doesn't hold a proxy.
var errNoProxy = errors.New("the value is not the URL of a proxy; a % in its user name or password is written %25")

// Proxy returns a function for http.Transport.Proxy that reads HTTPS_PROXY, HTTP_PROXY,
// ALL_PROXY and NO_PROXY, or the same in small letters, when Proxy is called. As for curl
// and Python's requests, ALL_PROXY is for schemes without a proxy of their own. The error is
// an *Error: net/http would ignore a proxy that it can't parse, and send the request directly.
func Proxy() (func(*http.Request) (*url.URL, error), error) {
	cfg := httpproxy.FromEnvironment()
	all, name := lookUp("ALL_PROXY")
	if err := check(name, all); err != nil {
		return nil, err
	}
	for variable, proxy := range map[string]*string{"HTTPS_PROXY": &cfg.HTTPSProxy, "HTTP_PROXY": &cfg.HTTPProxy} {
		_, name := lookUp(variable)
		if err := check(name, *proxy); err != nil {
			return nil, err
		}
		if *proxy == "" {
			*proxy = all
		}
	}
	find := cfg.ProxyFunc()
	return func(r *http.Request) (*url.URL, error) { return find(r.URL) }, nil
}

// lookUp returns a variable's value, and the name that it stands under.
func lookUp(variable string) (value, name string) {
	for _, name := range []string{variable, strings.ToLower(variable)} {
		if value := os.Getenv(name); value != "" {
			return value, name
		}
	}
	return "", variable
}

// check refuses what package httpproxy can't parse.
func check(name, proxy string) error {
	if proxy == "" {
		return nil
	}
	if !strings.Contains(proxy, "://") {
		proxy = "http://" + proxy
	}
	u, err := url.Parse(proxy)
	if err != nil || u.Host == "" {
		return &Error{name, errNoProxy}
	}
	switch u.Scheme {
	case "http", "https", "socks5", "socks5h":
		return nil
	}
	return &Error{name, errNoProxy}
}
