package tokenrequest

import (
	"crypto/x509"
	"errors"

	"github.com/shsession/shsession/internal/netenv"
)

// Explain reports whether the same request would have the same error of Send again, and says
// what the user can do about that.
func Explain(err error) (permanent bool, hint string) {
	var certificate x509.CertificateInvalidError
	var authority x509.UnknownAuthorityError
	var environment *netenv.Error
	switch {
	case errors.As(err, &environment):
		return true, "correct or unset " + environment.Variable
	case errors.Is(err, errRedirected):
		return true, "check the token URL"
	case errors.As(err, &certificate) && certificate.Reason == x509.Expired:
		return true, "check this machine's clock, or the service's certificate has expired"
	case errors.As(err, &authority):
		return true, "behind a proxy that opens TLS, set SSL_CERT_FILE to its CA certificate"
	}
	return false, ""
}
