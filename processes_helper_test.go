package shsession_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"net/http"
	"os"
	"runtime"
	"strconv"
	"time"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/internal/dirstore"
	"github.com/shsession/shsession/shm"
)

const (
	memberEnv     = "SHSESSION_TEST_MEMBER"      // the segment to join
	memberBaseEnv = "SHSESSION_TEST_MEMBER_BASE" // see openMember
	memberURLEnv  = "SHSESSION_TEST_MEMBER_URL"  // the token URL
)

// member is the main function of one of many equal processes: it joins a segment and asks
// for a token all the time. It prints a line for each new token, the start of its hash,
// and for each failure.
func member(segment, url string) int {
	store, err := openMember(segment, os.Getenv(memberBaseEnv))
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
	interval := 20 * time.Millisecond
	if runtime.GOOS == "windows" { // under Wine everything takes longer
		interval = 200 * time.Millisecond
	}
	var last shsession.Token
	for range time.Tick(interval) {
		token, err := s.Token(context.Background())
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

// openMember opens this system's store, or that of the private directory base.
func openMember(segment, base string) (shsession.Store, error) {
	if base != "" {
		return dirstore.Open(base, segment), nil
	}
	return shm.Open(segment)
}

// signed tells the service which process asks, and when: a token's life is counted from there.
type signed struct{}

func (signed) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("X-Process", strconv.Itoa(os.Getpid()))
	r.Header.Set("X-Sent", time.Now().Format(time.RFC3339Nano))
	transport := &http.Transport{DisableKeepAlives: true}
	return transport.RoundTrip(r)
}

// collectEnv makes a process of this test print the token in a segment.
const collectEnv = "SHSESSION_TEST_COLLECT"

// collect is the main function of such a process.
func collect(segment string) int {
	store, err := shm.Open(segment)
	if err == nil {
		var s *shsession.Session
		if s, err = shsession.Collect(context.Background(), store); err == nil {
			var token shsession.Token
			if token, err = s.Token(context.Background()); err == nil {
				fmt.Print(string(token.Encode()))
				return 0
			}
		}
	}
	fmt.Print(err)
	return 1
}
