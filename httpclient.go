package shsession

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"os"
	"sync"
)

// NewHTTPTransport returns http.DefaultTransport's settings with proxy and CA files from
// the environment, as token requests use them: HTTPS_PROXY, NO_PROXY, and the file that
// SSL_CERT_FILE, REQUESTS_CA_BUNDLE or CURL_CA_BUNDLE names. The error names a file that
// can't be read. The caller owns it.
func NewHTTPTransport() (*http.Transport, error) {
	roots, err := rootsFromEnvironment()
	if err != nil {
		return nil, err
	}
	return newTransport(roots), nil
}

// newTransport returns http.DefaultTransport's settings with certificate authorities, or
// the system's if they are nil.
func newTransport(roots *x509.CertPool) *http.Transport {
	transport := &http.Transport{Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true}
	if own, ok := http.DefaultTransport.(*http.Transport); ok { // a program may have wrapped it
		transport = own.Clone()
	}
	if roots != nil {
		transport.TLSClientConfig = &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
	}
	return transport
}

// defaultHTTPClient returns the client for token requests. It keeps no connection between
// two logins, which are most of an hour apart, and reads the CA files when it is first
// used: most processes find a token without a login.
func defaultHTTPClient() *http.Client {
	return &http.Client{Transport: lazyTransport(sync.OnceValues(func() (http.RoundTripper, error) {
		transport, err := NewHTTPTransport()
		if err == nil {
			transport.DisableKeepAlives = true
		}
		return transport, err
	}))}
}

// apiTransport sends the session's own requests to the API: http.DefaultTransport, or one
// with the CA file that the environment names.
func (s *Session) apiTransport() http.RoundTripper {
	s.apiOnce.Do(func() {
		var transport http.RoundTripper = http.DefaultTransport
		roots, err := rootsFromEnvironment()
		if roots != nil {
			transport = newTransport(roots)
		}
		s.api = func() (http.RoundTripper, error) { return transport, err }
	})
	return s.api
}

// A lazyTransport is a RoundTripper that is made when it is first used.
type lazyTransport func() (http.RoundTripper, error)

func (lazy lazyTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	transport, err := lazy()
	if err != nil {
		closeBody(r)
		return nil, err
	}
	return transport.RoundTrip(r)
}

// CloseIdleConnections is for http.Client's method of that name.
func (lazy lazyTransport) CloseIdleConnections() {
	if transport, err := lazy(); err == nil {
		closeIdleConnections(transport)
	}
}

func closeIdleConnections(transport http.RoundTripper) {
	if closer, ok := transport.(interface{ CloseIdleConnections() }); ok {
		closer.CloseIdleConnections()
	}
}

// rootsFromEnvironment returns the system's certificate authorities and those of the file
// that the environment names, or nil if it names none. Go reads SSL_CERT_FILE by itself
// on some systems only; the other two are what Python's requests and curl read.
func rootsFromEnvironment() (*x509.CertPool, error) {
	for _, name := range []string{"SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"} {
		path := os.Getenv(name)
		if path == "" {
			continue
		}
		pem, err := os.ReadFile(path)
		if err != nil {
			return nil, &caFileError{name, err}
		}
		roots, err := x509.SystemCertPool()
		if err != nil {
			roots = x509.NewCertPool()
		}
		if !roots.AppendCertsFromPEM(pem) {
			return nil, &caFileError{name, fmt.Errorf("there is no PEM certificate in %s", path)}
		}
		return roots, nil
	}
	return nil, nil
}

// A caFileError says that the file with certificate authorities can't be used.
type caFileError struct {
	variable string
	err      error
}

func (e *caFileError) Error() string { return e.variable + ": " + e.err.Error() }
func (e *caFileError) Unwrap() error { return e.err }
