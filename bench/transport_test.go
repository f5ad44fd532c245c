package bench

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"golang.org/x/oauth2"
)

// BenchmarkTransport sends a GET request with the token, to a server on the loopback
// interface and to none, where a RoundTripper answers at once. The floor is an
// http.Client and a header that was made before.
func BenchmarkTransport(b *testing.B) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "ok")
	}))
	b.Cleanup(server.Close)
	each(b,
		work{"server=none", func(b *testing.B) { sendRequests(b, nowhere{}, "https://services.example/") }},
		work{"server=loopback", func(b *testing.B) { sendRequests(b, http.DefaultTransport, server.URL) }})
}

// nowhere answers every request that is authorised.
type nowhere struct{}

func (nowhere) RoundTrip(r *http.Request) (*http.Response, error) {
	status := http.StatusOK
	if r.Header.Get("Authorization") == "" {
		status = http.StatusUnauthorized
	}
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: http.NoBody, Request: r}, nil
}

func sendRequests(b *testing.B, base http.RoundTripper, url string) {
	e := newEndpoint(b, 0)
	session := newSession(b, e, fresh)
	header := http.Header{"Authorization": {"Bearer " + accessToken(e.size, 0, hour)}}
	bare := &http.Client{Transport: base}
	authorised := &http.Client{Transport: session.Transport(base, url)}
	byOAuth2 := &http.Client{Transport: &oauth2.Transport{Source: newOAuth2(e, fresh), Base: base}}
	send := func(client *http.Client, header http.Header) loop {
		return repeat(b, func() error { return get(b.Context(), client, url, header) })
	}
	beside(b,
		serial(floor, send(bare, header)),
		serial(ours, send(authorised, http.Header{})),
		serial(xoauth2, send(byOAuth2, http.Header{})))
}

func get(ctx context.Context, client *http.Client, url string, header http.Header) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	r.Header = header
	resp, err := client.Do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return err
}
