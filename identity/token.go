package identity

import (
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"strings"
)

const (
	grantType = "client_credentials"

	// maxBody is the most that is read of a token request.
	maxBody = 1 << 20

	badClient = "Invalid client or Invalid client credentials"
)

// tokenAnswer is Keycloak's token response (RFC 6749 section 5.1 and Keycloak's additions).
type tokenAnswer struct {
	AccessToken      string          `json:"access_token"`
	ExpiresIn        json.RawMessage `json:"expires_in,omitempty"`
	RefreshExpiresIn int             `json:"refresh_expires_in"`
	TokenType        string          `json:"token_type"`
	IDToken          string          `json:"id_token,omitempty"`
	NotBeforePolicy  int             `json:"not-before-policy"`
	Scope            string          `json:"scope"`
}

// oauthError is an error answer (RFC 6749 section 5.2).
type oauthError struct {
	Status      int    `json:"-"`
	Code        string `json:"error"`
	Description string `json:"error_description,omitempty"`
}

func (e *oauthError) Error() string { return e.Code + ": " + e.Description }

// httpError is Keycloak's answer to a request that reaches no endpoint.
func httpError(status int) *oauthError {
	return &oauthError{Status: status, Code: fmt.Sprintf("HTTP %d %s", status, http.StatusText(status))}
}

// serveToken is the token endpoint. f alters the answer if it is a fault that does so, and is zero otherwise.
func (s *Server) serveToken(w http.ResponseWriter, r *http.Request, f Fault) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Pragma", "no-cache")
	answer, err := s.tokenFor(w, r, f)
	if err != nil {
		s.tally.add(func(c *Counters) { c.TokensRefused++ })
		writeOAuthError(w, err)
		return
	}
	s.tally.add(func(c *Counters) { c.TokensIssued++ })
	writeJSON(w, http.StatusOK, answer)
}

// tokenFor checks in the order in which Keycloak 26 does: the grant before the client, duplicates last.
func (s *Server) tokenFor(w http.ResponseWriter, r *http.Request, f Fault) (tokenAnswer, error) {
	form, err := postForm(w, r)
	if err != nil {
		return tokenAnswer{}, err
	}
	switch {
	case !form.Has("grant_type"):
		return tokenAnswer{}, &oauthError{http.StatusBadRequest, "invalid_request", "Missing form parameter: grant_type"}
	case form.Get("grant_type") != grantType:
		return tokenAnswer{}, &oauthError{http.StatusBadRequest, "unsupported_grant_type", "Unsupported grant_type"}
	}
	client, err := s.authenticate(r, form)
	if err != nil {
		return tokenAnswer{}, err
	}
	for _, values := range form {
		if len(values) > 1 {
			return tokenAnswer{}, &oauthError{http.StatusBadRequest, "invalid_request", "duplicated parameter"}
		}
	}
	if form.Has("scope") && form.Get("scope") == "" {
		return tokenAnswer{}, &oauthError{http.StatusBadRequest, "invalid_scope", "Invalid scopes: "}
	}
	s.setDate(w, f.skew())
	return s.issue(r, client, form.Get("scope"), f)
}

// postForm reads the form from the body alone: what stands in the URL ends up in logs and histories, so neither Keycloak
// nor this service looks for credentials there. As in Keycloak, a body of another type is an empty form.
func postForm(w http.ResponseWriter, r *http.Request) (url.Values, error) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", "POST, OPTIONS")
		return nil, httpError(http.StatusMethodNotAllowed)
	}
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || media != "application/x-www-form-urlencoded" {
		return url.Values{}, nil
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	if err := r.ParseForm(); err != nil {
		if tooBig := (*http.MaxBytesError)(nil); errors.As(err, &tooBig) {
			return nil, httpError(http.StatusRequestEntityTooLarge)
		}
		// Keycloak's doing: a percent sign that escapes nothing is an error of the server.
		return nil, &oauthError{http.StatusInternalServerError, "unknown_error", "For more on this error consult the server log."}
	}
	return r.PostForm, nil
}

// authenticate returns the client that sent r. As in Keycloak, credentials in the form win over those in the header.
// A client that is unknown, unknown to this realm or expired gets invalid_client; a missing or wrong secret gets
// unauthorized_client. Both have the same description.
func (s *Server) authenticate(r *http.Request, form url.Values) (Client, error) {
	id, secret, err := basicAuth(r)
	if err != nil {
		return Client{}, &oauthError{http.StatusBadRequest, "unauthorized_client", "Unexpected error when authenticating client"}
	}
	if form.Has("client_id") {
		id = form.Get("client_id")
	}
	if form.Has("client_secret") {
		secret = form.Get("client_secret")
	}
	client, ok := s.clients[id]
	realm := r.PathValue("realm")
	switch {
	case !ok,
		client.Realm != "" && realm != "" && client.Realm != realm,
		!client.ExpiresAt.IsZero() && !s.now().Before(client.ExpiresAt):
		return Client{}, &oauthError{http.StatusUnauthorized, "invalid_client", badClient}
	case subtle.ConstantTimeCompare([]byte(secret), []byte(client.Secret.Reveal())) != 1:
		return Client{}, &oauthError{http.StatusUnauthorized, "unauthorized_client", badClient}
	}
	return client, nil
}

// basicAuth returns the credentials of the Authorization header, both parts percent-decoded (RFC 6749 section 2.3.1),
// or empty strings. A part that was not encoded, and so has a percent sign that escapes nothing, is an error.
func basicAuth(r *http.Request) (id, secret string, err error) {
	scheme, encoded, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Basic") {
		return "", "", nil
	}
	raw, err := base64.StdEncoding.DecodeString(strings.TrimSpace(encoded))
	if err != nil {
		return "", "", nil
	}
	id, secret, _ = strings.Cut(string(raw), ":")
	if id, err = url.QueryUnescape(id); err != nil {
		return "", "", err
	}
	secret, err = url.QueryUnescape(secret)
	return id, secret, err
}

// serveRevoke ends a token (RFC 7009). An unknown token is no error.
func (s *Server) serveRevoke(w http.ResponseWriter, r *http.Request) {
	form, err := postForm(w, r)
	if err == nil {
		_, err = s.authenticate(r, form)
	}
	if err == nil && form.Get("token") == "" {
		err = &oauthError{http.StatusBadRequest, "invalid_request", "Token not provided"}
	}
	if err != nil {
		writeOAuthError(w, err)
		return
	}
	s.Revoke(form.Get("token"))
	w.WriteHeader(http.StatusOK)
}

func writeOAuthError(w http.ResponseWriter, err error) {
	e := &oauthError{Status: http.StatusInternalServerError, Code: "unknown_error"}
	errors.As(err, &e)
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Pragma", "no-cache")
	writeJSON(w, e.Status, e)
}
