package netenv

import (
	"crypto/tls"
	"net/http"
	"os"
	"sync"
)

// Transport returns http.DefaultTransport's settings with the proxy and the certificate
// authorities of the environment. The error is an *Error. The caller owns the transport.
func Transport() (*http.Transport, error) {
	transport := &http.Transport{ForceAttemptHTTP2: true}
	if own, ok := http.DefaultTransport.(*http.Transport); ok { // a program may have wrapped it
		transport = own.Clone()
	}
	var err error
	if transport.Proxy, err = Proxy(); err != nil {
		return nil, err
	}
	roots, err := trustedRoots()
	if err != nil {
		return nil, err
	}
	if roots != nil {
		transport.TLSClientConfig = &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
	}
	return transport, nil
}

// ForLogins returns a RoundTripper that reads the environment's files for each request,
// since a person may replace them, and keeps no connection between two requests, which
// are most of an hour apart.
func ForLogins() http.RoundTripper {
	return lazy(func() (http.RoundTripper, error) {
		transport, err := Transport()
		if err != nil {
			return nil, err
		}
		transport.DisableKeepAlives = true
		return transport, nil
	})
}

// ForAPIs returns a RoundTripper that is http.DefaultTransport, or one of its own if the
// environment names certificate authorities or ALL_PROXY. It reads that at its first use.
func ForAPIs() http.RoundTripper {
	return lazy(sync.OnceValues(func() (http.RoundTripper, error) {
		for _, name := range append(rootsVariables(), "ALL_PROXY", "all_proxy") {
			if os.Getenv(name) != "" {
				return Transport()
			}
		}
		_, err := Proxy() // which http.DefaultTransport doesn't check
		return http.DefaultTransport, err
	}))
}

// lazy is a RoundTripper that is made when it is used.
type lazy func() (http.RoundTripper, error)

func (l lazy) RoundTrip(r *http.Request) (*http.Response, error) {
	transport, err := l()
	if err != nil {
		if r.Body != nil {
			r.Body.Close()
		}
		return nil, err
	}
	return transport.RoundTrip(r)
}

// CloseIdleConnections is for http.Client's method of that name.
func (l lazy) CloseIdleConnections() {
	if transport, err := l(); err == nil {
		(&http.Client{Transport: transport}).CloseIdleConnections()
	}
}
