package netenv

import (
	"crypto/x509"
	"fmt"
	"os"
	"path/filepath"
)

// rootsVariables returns the names of the variables that name files or directories with
// certificate authorities. Go reads SSL_CERT_FILE by itself on some systems only; the other
// two are what Python's requests and curl read.
func rootsVariables() []string {
	return []string{"SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"}
}

// trustedRoots returns the system's certificate authorities and those that the
// environment names, or nil if it names none. It reads them when it is called. The error is
// an *Error.
func trustedRoots() (*x509.CertPool, error) {
	for _, name := range rootsVariables() {
		path := os.Getenv(name)
		if path == "" {
			continue
		}
		pem, err := readBundle(path)
		if err != nil {
			return nil, &Error{name, err}
		}
		roots, err := x509.SystemCertPool()
		if err != nil {
			roots = x509.NewCertPool()
		}
		if !roots.AppendCertsFromPEM(pem) {
			return nil, &Error{name, fmt.Errorf("there is no PEM certificate in %s", path)}
		}
		return roots, nil
	}
	return nil, nil
}

// readBundle reads a file, or all files of a directory, as requests takes either.
func readBundle(path string) ([]byte, error) {
	if info, err := os.Stat(path); err != nil || !info.IsDir() {
		return os.ReadFile(path)
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, err
	}
	var all []byte
	for _, e := range entries {
		file := filepath.Join(path, e.Name())
		if info, err := os.Stat(file); err != nil || !info.Mode().IsRegular() {
			continue // such as a link to a certificate that was removed
		}
		pem, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		all = append(append(all, pem...), '\n')
	}
	return all, nil
}
