// Package tokenendpoint is a token endpoint on this machine, for programs that log in by
// themselves: it answers their logins with a session's token. The Python package sentinelhub,
// R's httr2, Node's and Go's OAuth clients all take a token URL. With the token URL of this
// endpoint, any number of their processes make one login at the service, and each renews by
// itself.
//
// [New] makes an [Endpoint], [Listen] a listener for it on the loopback interface or on a Unix
// socket, and [Endpoint.Serve] serves there. [NewWorthless] makes a handler for a proxy that adds
// the token itself: the handler's answers hold a token that no service accepts.
//
// # What it answers
//
// POST /token is the client credentials grant (RFC 6749 section 4.4) with the credentials in the
// body or by Basic. The answers and refusals are those of Keycloak, which Sentinel Hub and the
// Copernicus Data Space run. expires_in is the life that the token has left. GET
// /.well-known/openid-configuration (OpenID Connect Discovery 1.0) and
// /.well-known/oauth-authorization-server (RFC 8414) describe the endpoint, and GET /certs has
// the service's keys. The paths differ from those of a Keycloak realm, because shsession itself
// takes the address of such a token URL for the token's issuer.
//
// # Who can use it
//
// The client id is the real one, and the secret is a placeholder of 256 random bits, which only
// this endpoint accepts. A request without the placeholder is refused after a second, so that
// guesses are slow. Requests for a Host that isn't this machine (DNS rebinding) and requests from
// a web page of another origin are refused, and no answer has a CORS header.
package tokenendpoint

import (
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/internal/netenv"
)

// The endpoint's paths.
const (
	tokenPath  = "/token"
	keysPath   = "/certs"
	openIDPath = "/.well-known/openid-configuration"
	oauthPath  = "/.well-known/oauth-authorization-server"
)

// Options say who may have the token. ClientID and Secret are required.
type Options struct {
	// ClientID is the id that clients send: that of the client whose token is handed out.
	ClientID string

	// Secret is the placeholder that clients send with the id, from [NewSecret] or [SecretFile].
	Secret shsession.Secret

	// HTTPClient fetches the service's keys. It follows no redirect. nil means
	// http.DefaultClient.
	HTTPClient *http.Client

	// Logger gets a warning when requests without the placeholder are refused, once a minute at
	// most, without secrets. nil means slog.Default().
	Logger *slog.Logger
}

// An Endpoint is an http.Handler that answers with a session's token. Any number of goroutines can
// use it. [Endpoint.Serve] limits the time and size of headers; another server has to set its own
// limits.
type Endpoint struct {
	tokens   *tokens
	clientID string
	digest   [sha256.Size]byte // of the placeholder
	doorman  doorman
	keys     keys
	pages    *http.CrossOriginProtection
	logger   *slog.Logger
}

// New returns an endpoint that answers with s's token, or an error that says which option is
// missing. It starts nothing.
func New(s *shsession.Session, o Options) (*Endpoint, error) {
	switch {
	case s == nil:
		return nil, errors.New("there is no session")
	case o.ClientID == "":
		return nil, errors.New("the endpoint has no client id that its clients could send")
	case o.Secret.IsZero():
		return nil, errors.New("the endpoint has no secret that its clients could send")
	}
	logger := o.Logger
	if logger == nil {
		logger = slog.Default()
	}
	return &Endpoint{
		tokens:   newTokens(s, shsession.Token.AccessToken),
		clientID: o.ClientID,
		digest:   sha256.Sum256([]byte(o.Secret.Reveal())),
		doorman:  newDoorman(),
		keys:     newKeys(o.HTTPClient),
		pages:    http.NewCrossOriginProtection(),
		logger:   logger,
	}, nil
}

// ServeHTTP implements http.Handler. A request for a token blocks until there is a valid one,
// until the login under way has failed, or until the request's context ends.
func (e *Endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if err := e.serve(w, r); err != nil {
		err.write(w)
	}
}

func (e *Endpoint) serve(w http.ResponseWriter, r *http.Request) *refusal {
	switch {
	case !isOwnHost(r.Host):
		return httpError(http.StatusMisdirectedRequest)
	case e.pages.Check(r) != nil:
		return httpError(http.StatusForbidden)
	}
	switch r.URL.Path {
	case tokenPath:
		return e.serveToken(w, r)
	case openIDPath, oauthPath:
		return e.serveDiscovery(w, r)
	case keysPath:
		return e.serveKeys(w, r)
	}
	return httpError(http.StatusNotFound)
}

// isOwnHost reports whether a request's Host is a name or an address of the loopback interface.
// It ignores the port: another site makes a browser connect here by a host name.
func isOwnHost(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	return netenv.IsLoopback(strings.TrimSuffix(strings.TrimPrefix(host, "["), "]"))
}

func (e *Endpoint) serveToken(w http.ResponseWriter, r *http.Request) *refusal {
	form, err := readForm(w, r)
	if err != nil {
		return err
	}
	if !e.admits(r, form) {
		e.turnAway(r)
		return errBadClient
	}
	return e.tokens.answer(w, r, form)
}

// admits reports whether a token request has the right credentials.
func (e *Endpoint) admits(r *http.Request, form url.Values) bool {
	id, secret := credentials(r, form)
	digest := sha256.Sum256([]byte(secret))
	return subtle.ConstantTimeCompare(digest[:], e.digest[:]) == 1 && id == e.clientID
}

// turnAway delays the refusal of a request that lacks the credentials.
func (e *Endpoint) turnAway(r *http.Request) {
	if n := e.doorman.count(); n > 0 {
		e.logger.Warn("token requests without this share's client id and secret were refused", "refused", n)
	}
	e.doorman.delay(r.Context())
}

// String describes the endpoint without its secrets.
func (e *Endpoint) String() string { return fmt.Sprintf("token endpoint of client %q", e.clientID) }

// Format writes what String returns, for every verb: reflection would read the token.
func (e *Endpoint) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, e.String()) }
