package tokenendpoint

import (
	"encoding/base64"
	"errors"
	"mime"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"
)

const (
	// maxBody bounds the body of a token request, in bytes. Real ones have some hundreds.
	maxBody = 16 << 10

	// bodyTimeout bounds the time that a client takes to send the body.
	bodyTimeout = 10 * time.Second
)

// readForm reads the parts of a token request that Keycloak checks before the credentials: the
// method, the form and its grant type. As in Keycloak, a body of another type is an empty form,
// and the URL's query is ignored.
func readForm(w http.ResponseWriter, r *http.Request) (url.Values, *refusal) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		return nil, httpError(http.StatusMethodNotAllowed)
	}
	form, err := readBody(w, r)
	switch {
	case errors.As(err, new(*http.MaxBytesError)):
		return nil, httpError(http.StatusRequestEntityTooLarge)
	case errors.Is(err, os.ErrDeadlineExceeded):
		w.Header().Set("Connection", "close")
		return nil, httpError(http.StatusRequestTimeout)
	case err != nil:
		return nil, httpError(http.StatusBadRequest)
	case !form.Has("grant_type"):
		return nil, errNoGrant
	}
	switch form.Get("grant_type") {
	case "client_credentials", "password", "refresh_token":
		return form, nil
	}
	return nil, errUnknownGrant
}

// readBody reads the form. The time limit is only for the body: http.Server's ReadTimeout would
// also end the context of a request that waits for a login.
func readBody(w http.ResponseWriter, r *http.Request) (url.Values, error) {
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || media != "application/x-www-form-urlencoded" {
		return url.Values{}, nil
	}
	conn := http.NewResponseController(w)
	if conn.SetReadDeadline(time.Now().Add(bodyTimeout)) == nil { // a recorder has no deadlines
		defer conn.SetReadDeadline(time.Time{})
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	if err := r.ParseForm(); err != nil {
		return nil, err
	}
	return r.PostForm, nil
}

// checkGrant refuses what Keycloak refuses after it has accepted the credentials.
func checkGrant(form url.Values) *refusal {
	for _, values := range form {
		if len(values) > 1 {
			return errDuplicate
		}
	}
	switch {
	case form.Get("grant_type") == "password":
		return errNoPasswords
	case form.Get("grant_type") != "refresh_token":
		return nil
	case form.Has("refresh_token"):
		return errBadRefreshToken
	}
	return errNoRefreshToken
}

// credentials returns the client id and secret of a token request, "" for a missing one. As in
// Keycloak, the form's credentials are used instead of the header's.
func credentials(r *http.Request, form url.Values) (id, secret string) {
	id, secret = basicAuth(r.Header.Get("Authorization"))
	if form.Has("client_id") {
		id = form.Get("client_id")
	}
	if form.Has("client_secret") {
		secret = form.Get("client_secret")
	}
	return id, secret
}

// basicAuth returns the credentials in an Authorization header, both parts percent-decoded (RFC
// 6749 section 2.3.1), or empty strings.
func basicAuth(header string) (id, secret string) {
	scheme, encoded, _ := strings.Cut(header, " ")
	if !strings.EqualFold(scheme, "Basic") {
		return "", ""
	}
	raw, err := base64.StdEncoding.DecodeString(strings.TrimSpace(encoded))
	if err != nil {
		return "", ""
	}
	id, secret, _ = strings.Cut(string(raw), ":")
	id, errID := url.QueryUnescape(id)
	secret, errSecret := url.QueryUnescape(secret)
	if errID != nil || errSecret != nil {
		return "", ""
	}
	return id, secret
}
