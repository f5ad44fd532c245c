package bench

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"golang.org/x/oauth2"
)

// BenchmarkHeaders makes the header of a request. The floor is to make one of a
// value at hand, which no part is copied of.
func BenchmarkHeaders(b *testing.B) {
	ctx, e := b.Context(), newEndpoint(b, 0)
	session, reuse := newSession(b, e, fresh), newOAuth2(e, fresh)
	value := "Bearer " + accessToken(e.size, 0, hour)
	beside(b,
		serial(floor, func(n int) bool {
			for range n {
				if len(headerOf(value)) != 1 {
					return false
				}
			}
			return true
		}),
		serial(ours, func(n int) bool {
			for range n {
				if h, err := session.Headers(ctx); err != nil || len(h) != 1 {
					return false
				}
			}
			return true
		}),
		serial(xoauth2, func(n int) bool {
			for range n {
				if len(headerByOAuth2(reuse)) != 1 {
					return false
				}
			}
			return true
		}),
		pythonPeer("headers"))
}

// headerOf isn't inlined, so that its caller gets a header that is on the heap.
//
//go:noinline
func headerOf(value string) http.Header {
	return http.Header{"Authorization": {value}}
}

//go:noinline
func headerByOAuth2(source oauth2.TokenSource) http.Header {
	t, err := source.Token()
	if err != nil {
		return nil
	}
	r := http.Request{Header: http.Header{}}
	t.SetAuthHeader(&r)
	return r.Header
}

// BenchmarkInfo decodes the token's claims. The floor is base64 and encoding/json on
// one struct.
func BenchmarkInfo(b *testing.B) {
	ctx, e := b.Context(), newEndpoint(b, 0)
	session := newSession(b, e, fresh)
	token := accessToken(e.size, 0, hour)
	beside(b,
		serial(floor, repeat(b, func() error {
			payload, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[1])
			if err != nil {
				return err
			}
			var claims struct {
				Issuer   string `json:"iss"`
				Subject  string `json:"sub"`
				Client   string `json:"azp"`
				IssuedAt int64  `json:"iat"`
				Expiry   int64  `json:"exp"`
			}
			return json.Unmarshal(payload, &claims)
		})),
		serial(ours, repeat(b, func() error { _, err := session.Info(ctx); return err })),
		pythonPeer("info"))
}
