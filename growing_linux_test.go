package shsession_test

import (
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/shsession/shsession/shm"
)

// A token that is longer than the last, by however much, is shared like any other, and put
// back when a reader deletes it. (Python's sharer ends in silence when one is more than a
// hundred bytes longer.)
func TestTokensThatGrow(t *testing.T) {
	sizes := []int{1, 101, 102, 1500, 70_000, 900_000, 300}
	var logins atomic.Int64
	cfg := configFor(roundTripFunc(func(r *http.Request) (*http.Response, error) {
		n := logins.Add(1)
		token := strings.Repeat("x", sizes[min(int(n), len(sizes))-1]) + fmt.Sprint(n)
		return answer(200, "application/json", fmt.Sprintf(`{"access_token":%q,"expires_in":1}`, token)).RoundTrip(r)
	}))
	store, err := shm.Open(fmt.Sprintf("shsession-test-growing-%d", os.Getpid()))
	if err != nil {
		t.Fatal(err)
	}
	s := newSession(t, cfg)
	sh := share(t, s, store)
	for n := range sizes {
		eventually(t, fmt.Sprintf("token %d is shared", n+1), func() bool {
			got, err := store.Load(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			number, err := strconv.Atoi(strings.TrimLeft(got.AccessToken(), "x"))
			return err == nil && number > n
		})
		path := "/dev/shm/" + strings.TrimPrefix(store.String(), "shm:")
		if err := os.Remove(path); err != nil {
			t.Error(err)
		}
		eventually(t, "it is there again", func() bool { // put back, or at this very moment replaced by the next
			_, err := os.Stat(path)
			return err == nil
		})
	}
	if n := sh.Status().Sinks[0].Restored; n == 0 {
		t.Error("none of the tokens was put back")
	}
	if err := sh.Close(); err != nil {
		t.Error(err)
	}
	wantNothingShared(t, store)
	if n := s.Status().Failures.Endpoint(); n > 0 {
		t.Errorf("%d logins failed", n)
	}
}
