// Package services has what is known of Sentinel Hub and the Copernicus Data Space: which
// addresses are theirs, who issues their tokens, and what usually causes their refusals.
package services

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/shsession/shsession/internal/netenv"
)

// A Service is a base URL and the token URL that goes with it. The zero Service is unknown.
type Service struct{ BaseURL, TokenURL string }

// Known are the services that are known. Each refuses the other's credentials.
type Known struct{ SentinelHub, CDSE Service }

// Of returns the service that a URL belongs to.
func (k *Known) Of(rawURL string) Service {
	u, err := url.Parse(rawURL)
	if err != nil {
		return Service{}
	}
	host := strings.ToLower(u.Hostname())
	switch {
	case inDomain(host, "sentinel-hub.com"):
		return k.SentinelHub
	case inDomain(host, "dataspace.copernicus.eu"):
		return k.CDSE
	}
	return Service{}
}

func inDomain(host, domain string) bool {
	rest, within := strings.CutSuffix(host, domain)
	return within && (rest == "" || strings.HasSuffix(rest, "."))
}

// AreMixed reports whether the URLs belong to different services.
func (k *Known) AreMixed(baseURL, tokenURL string) bool {
	base, token := k.Of(baseURL), k.Of(tokenURL)
	return base != Service{} && token != Service{} && base != token
}

// keycloakPath is the end of a token URL of Keycloak. The issuer is before it.
const keycloakPath = "/protocol/openid-connect/token"

// IssuerOf returns the issuer that a Keycloak token URL belongs to, "" for any other URL.
func (k *Known) IssuerOf(tokenURL string) string {
	u, err := url.Parse(tokenURL)
	if err != nil || u.Host == "" {
		return ""
	}
	if issuer := k.OneIssuer(tokenURL); issuer != tokenURL {
		return issuer
	}
	path, isKeycloak := strings.CutSuffix(u.Path, keycloakPath)
	if !isKeycloak {
		return ""
	}
	return u.Scheme + "://" + strings.ToLower(u.Host) + path
}

// OneIssuer returns one issuer for all of Sentinel Hub's addresses, old, new and in the
// western United States, and for another service the issuer itself.
func (k *Known) OneIssuer(issuer string) string {
	if k.Of(issuer) == k.SentinelHub {
		return strings.TrimSuffix(k.SentinelHub.TokenURL, keycloakPath)
	}
	return issuer
}

// CheckTokenURL refuses URLs that would send the secret to the wrong place. Its errors don't
// repeat a URL that could hold a password.
func (k *Known) CheckTokenURL(rawURL string, allowHTTP bool) error {
	u, err := url.Parse(rawURL)
	switch {
	case err != nil:
		return errors.New("the token URL is not a URL")
	case u.User != nil:
		return errors.New("the token URL holds a user name or password: give them as client id and secret")
	case u.Host == "":
		return fmt.Errorf("the token URL %q has no host", rawURL)
	case u.Scheme != "https" && u.Scheme != "http":
		return fmt.Errorf("the token URL %q is neither https nor http", rawURL)
	case u.Scheme == "http" && !allowHTTP && !netenv.IsLoopback(u.Hostname()):
		return fmt.Errorf("the token URL %q would send the secret unencrypted: use https, or AllowHTTP if that is meant", rawURL)
	case strings.EqualFold(u.Hostname(), "sh.dataspace.copernicus.eu"):
		return fmt.Errorf("%q is not a token URL (it answers 503): the Copernicus Data Space's is %s", rawURL, k.CDSE.TokenURL)
	}
	return nil
}

// RefusalHint says what usually causes an error code of a token endpoint, "" if nothing is
// known of the code.
func (k *Known) RefusalHint(code, baseURL, tokenURL string) string {
	switch code {
	case "invalid_client", "unauthorized_client", "OAUTH_ERROR":
	default:
		return ""
	}
	var hints []string
	if k.AreMixed(baseURL, tokenURL) {
		hints = append(hints, fmt.Sprintf("the base URL %s and the token URL %s belong to different services, and each refuses the other's credentials", baseURL, tokenURL))
	}
	service := k.Of(tokenURL)
	switch {
	case code == "unauthorized_client":
		hints = append(hints, "the client is known, so check the secret")
	case service == k.CDSE:
		hints = append(hints, "check the client id; Sentinel Hub's clients are unknown to the Copernicus Data Space, and a client past its expiry date is refused like an unknown one")
	case service == k.SentinelHub:
		hints = append(hints, "check the client id; the Copernicus Data Space's clients are unknown to Sentinel Hub (use the cdse preset), and a client past its expiry date is refused like an unknown one")
	default:
		hints = append(hints, "check the client id and secret; a client past its expiry date is refused like an unknown one")
	}
	return strings.Join(hints, "; ")
}
