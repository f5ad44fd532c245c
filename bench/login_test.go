package bench

import (
	"testing"

	"github.com/shsession/shsession"
)

// BenchmarkLogin gets a first token from an endpoint that answers at once. The floor is one
// request, on a connection that is kept; a session makes a new one for each login.
func BenchmarkLogin(b *testing.B) {
	ctx, e := b.Context(), newEndpoint(b, 0)
	exchange := e.exchange()
	beside(b,
		serial(floor, repeat(b, func() error { return postLogin(e) })),
		serial(ours, repeat(b, func() error {
			s, err := shsession.New(e.config(false))
			if err != nil {
				return err
			}
			_, err = s.Token(ctx)
			return err
		})),
		serial(xoauth2, repeat(b, func() error { _, err := exchange.Token(ctx); return err })),
		peer{pythonSH, func(b *testing.B) { pythonWork(b, needPython(b), "login", e.url) }})
}
