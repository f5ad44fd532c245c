package bench

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/shsession/shsession/internal/tokenendpoint"
)

// BenchmarkHandOut logs in at the token endpoint of "shsession share --endpoint", over a connection
// of the loopback interface that is open. The floor is a handler that writes the same bytes.
func BenchmarkHandOut(b *testing.B) {
	secret := tokenendpoint.NewSecret()
	endpoint, err := tokenendpoint.New(newSession(b, newEndpoint(b, 0), fresh), tokenendpoint.Options{
		ClientID: clientID, Secret: secret, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		b.Fatal(err)
	}
	form := url.Values{
		"grant_type": {"client_credentials"}, "client_id": {clientID}, "client_secret": {secret.Reveal()},
	}.Encode()
	r := httptest.NewRequest(http.MethodPost, "http://localhost/token", strings.NewReader(form))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	answer := httptest.NewRecorder()
	endpoint.ServeHTTP(answer, r)
	body := answer.Body.Bytes()
	bare := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(body) })

	logIn := func(h http.Handler) loop {
		server := httptest.NewServer(h)
		b.Cleanup(server.Close)
		return repeat(b, func() error {
			resp, err := server.Client().Post(server.URL+"/token", "application/x-www-form-urlencoded", strings.NewReader(form))
			if err != nil {
				return err
			}
			defer resp.Body.Close()
			n, err := io.Copy(io.Discard, resp.Body)
			if err == nil && (resp.StatusCode != http.StatusOK || n < int64(len(body))-2) { // expires_in gets shorter
				err = fmt.Errorf("status %d with %d bytes", resp.StatusCode, n)
			}
			return err
		})
	}
	beside(b, serial(floor, logIn(bare)), serial(ours, logIn(endpoint)))
}
