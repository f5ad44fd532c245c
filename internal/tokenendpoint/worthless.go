package tokenendpoint

import (
	"errors"
	"net/http"
	"strings"

	"github.com/shsession/shsession"
)

// A Worthless is an http.Handler that answers token requests with any path and credentials with a
// token that no service accepts. It is for a proxy that puts the real token into the requests:
// programs that have to log in can log in there, and a program that uses the proxy doesn't get the
// real token.
type Worthless struct{ tokens *tokens }

// NewWorthless returns a handler whose tokens have the header and the claims of s's token, for
// programs that read those, and no signature.
func NewWorthless(s *shsession.Session) (*Worthless, error) {
	if s == nil {
		return nil, errors.New("there is no session")
	}
	return &Worthless{newTokens(s, worthless)}, nil
}

// ServeHTTP implements http.Handler. It blocks as [Endpoint.ServeHTTP] does.
func (h *Worthless) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	form, err := readForm(w, r)
	if err == nil {
		err = h.tokens.answer(w, r, form)
	}
	if err != nil {
		err.write(w)
	}
}

// worthless returns a token's header and claims with an empty signature (RFC 7515 section 3.1).
// An opaque token has neither.
func worthless(t shsession.Token) string {
	parts := strings.Split(t.AccessToken(), ".")
	if len(parts) != 3 {
		return "worthless"
	}
	return parts[0] + "." + parts[1] + "."
}
