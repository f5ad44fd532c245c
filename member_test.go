package shsession_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"time"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/shm"
)

const (
	memberEnv    = "SHSESSION_TEST_MEMBER"     // the segment to join
	memberURLEnv = "SHSESSION_TEST_MEMBER_URL" // the token URL
)

// member is the main function of one of many equal processes: it joins a segment and asks
// for a token all the time. It prints a line for each new token, the start of its hash,
// and for each failure.
func member(segment, url string) int {
	store, err := shm.Open(segment)
	if err != nil {
		fmt.Println("failed:", err)
		return 1
	}
	cfg := configFor(signed{})
	cfg.TokenURL = url
	s, err := shsession.Join(cfg, store)
	if err != nil {
		fmt.Println("failed:", err)
		return 1
	}
	var last shsession.Token
	for range time.Tick(5 * time.Millisecond) {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		token, err := s.Token(ctx)
		cancel()
		switch {
		case err != nil:
			fmt.Println("failed:", err)
		case token.Remaining() <= 0:
			fmt.Println("failed: an expired token")
		case !token.Equal(last):
			fmt.Printf("token %x\n", sha256.Sum256([]byte(token.AccessToken())))
			last = token
		}
	}
	return 0
}

// signed tells the service which process asks.
type signed struct{}

func (signed) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("X-Process", strconv.Itoa(os.Getpid()))
	transport := &http.Transport{DisableKeepAlives: true}
	return transport.RoundTrip(r)
}
