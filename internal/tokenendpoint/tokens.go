package tokenendpoint

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/internal/nextattempt"
)

const (
	// minLife is the least life left of a token in an answer, or half of its whole life if that
	// is less. The Python package asks again when its token has 120 s left: with a shorter life
	// it would ask before each of its requests.
	minLife = 150 * time.Second

	// renewalPatience is how long a client waits at most for a token with minLife left, while
	// there is a valid token with less.
	renewalPatience = 5 * time.Second
)

// tokens hands out the tokens of a session.
type tokens struct {
	session *shsession.Session
	access  func(shsession.Token) string // the access token that clients get
	last    atomic.Pointer[answer]       // nil before the first

	handed      atomic.Uint64
	unavailable atomic.Uint64
	lastAt      atomic.Int64 // Unix nanoseconds, 0 before the first
}

func newTokens(s *shsession.Session, access func(shsession.Token) string) *tokens {
	return &tokens{session: s, access: access}
}

// answer answers a token request with the right credentials.
func (ts *tokens) answer(w http.ResponseWriter, r *http.Request, form url.Values) *refusal {
	if err := checkGrant(form); err != nil {
		return err
	}
	t, err := ts.token(r.Context())
	var a *answer
	if err == nil {
		a, err = ts.answerFor(t)
	}
	if err != nil {
		ts.unavailable.Add(1)
		w.Header().Set("Retry-After", strconv.Itoa(nextattempt.Seconds(ts.session, err)))
		return unavailable(err)
	}
	ts.handed.Add(1)
	a.handed.Add(1)
	ts.lastAt.Store(time.Now().UnixNano())
	writeJSON(w, http.StatusOK, a.body())
	return nil
}

// ended is a context that a session's Token doesn't wait on.
var ended = func() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}()

// token returns a valid token. Without one it waits for the login, until ctx ends. A token that
// has less than minLife left is renewed first. If the renewal takes longer than renewalPatience,
// or than half of the life left, the current token is returned.
func (ts *tokens) token(ctx context.Context) (shsession.Token, error) {
	t, err := ts.session.Token(ended) // the valid token that there is
	if err != nil {
		if t, err = ts.session.Token(ctx); err != nil {
			return shsession.Token{}, err
		}
	}
	wanted, left := min(minLife, t.Life()/2), t.Remaining()
	if left >= wanted {
		return t, nil
	}
	patient, cancel := context.WithTimeout(ctx, min(renewalPatience, left/2))
	defer cancel()
	if renewed, err := ts.session.TokenFor(patient, wanted); err == nil {
		return renewed, nil
	}
	return t, nil
}

// An answer is Keycloak's answer with one token, without the life that is left, which changes
// from one request to the next.
type answer struct {
	token  shsession.Token
	prefix string // the JSON object up to the value of expires_in
	before uint64 // how many answers had the token before this one
	handed atomic.Uint64
}

// answerFor returns the answer with a token, which is made once for all requests.
func (ts *tokens) answerFor(t shsession.Token) (*answer, error) {
	last := ts.last.Load()
	if last != nil && last.token.Equal(t) {
		return last, nil
	}
	made, err := newAnswer(t, ts.access(t))
	if err != nil {
		return nil, err
	}
	if last != nil {
		made.before = last.handed.Load()
	}
	if ts.last.CompareAndSwap(last, made) {
		return made, nil
	}
	return ts.answerFor(t) // another request has made it
}

// newAnswer makes the answer with a token. It keeps the fields of the service's answer, without the
// fields that only a shared token has.
func newAnswer(t shsession.Token, access string) (*answer, error) {
	var object map[string]json.RawMessage
	if err := json.Unmarshal(t.Encode(), &object); err != nil {
		return nil, fmt.Errorf("the token can't be handed out: %w", err)
	}
	for _, name := range []string{"expires_at", "expires_in", "issuer", "client_id"} {
		delete(object, name)
	}
	object["access_token"] = quote(access)
	object["token_type"] = quote("Bearer")
	if object["scope"] == nil {
		claims, _ := t.Claims() // without claims the scope is not known
		object["scope"] = quote(claims.Scope)
	}
	body, err := json.Marshal(object)
	if err != nil {
		return nil, fmt.Errorf("the token can't be handed out: %w", err)
	}
	return &answer{token: t, prefix: string(body[:len(body)-len("}")]) + `,"expires_in":`}, nil
}

// quote returns text as JSON.
func quote(text string) json.RawMessage {
	quoted, err := json.Marshal(text)
	if err != nil {
		panic("a string can be marshalled")
	}
	return quoted
}

// body returns the answer as it is now. expires_in is in whole seconds, as Keycloak's, and never
// 0, which clients take for unknown.
func (a *answer) body() []byte {
	left := max(1, int64(a.token.Remaining()/time.Second))
	body := make([]byte, 0, len(a.prefix)+len(`9223372036}`))
	body = append(body, a.prefix...)
	body = strconv.AppendInt(body, left, 10)
	return append(body, '}')
}
