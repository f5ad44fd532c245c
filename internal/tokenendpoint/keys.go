package tokenendpoint

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/shsession/shsession/internal/netenv"
)

const (
	keysLife    = 5 * time.Minute  // how long fetched keys are used
	keysPause   = 10 * time.Second // how long after a failure they are fetched again
	keysTimeout = 10 * time.Second // for both requests
	maxKeys     = 1 << 20          // bytes of a document of the service's
)

// keys has the keys of the service.
type keys struct {
	client *http.Client

	mu   sync.Mutex // guards last
	last *keysFetch // nil before the first
}

// A keysFetch gets the keys of one issuer once, for all requests that wait for them.
type keysFetch struct {
	issuer string
	done   chan struct{} // closed when the fields below are set
	body   []byte
	err    error
	until  time.Time // when the result is out of date
}

func newKeys(client *http.Client) keys {
	if client == nil {
		client = http.DefaultClient
	}
	own := *client
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return errors.New("the service redirects") }
	return keys{client: &own}
}

// of returns an issuer's keys. It blocks until they are fetched, or until ctx ends.
func (k *keys) of(ctx context.Context, issuer string) ([]byte, error) {
	fetch := k.startOrJoin(issuer)
	select {
	case <-fetch.done:
		return fetch.body, fetch.err
	case <-ctx.Done():
		return nil, fmt.Errorf("waiting for the keys of the service: %w", context.Cause(ctx))
	}
}

func (k *keys) startOrJoin(issuer string) *keysFetch {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.last != nil && k.last.issuer == issuer && !k.last.isOver() {
		return k.last
	}
	k.last = &keysFetch{issuer: issuer, done: make(chan struct{})}
	go k.run(k.last)
	return k.last
}

// isOver reports whether the result is out of date.
func (f *keysFetch) isOver() bool {
	select {
	case <-f.done:
		return !time.Now().Before(f.until)
	default:
		return false
	}
}

// run fetches the keys on a context of its own.
func (k *keys) run(f *keysFetch) {
	ctx, cancel := context.WithTimeout(context.Background(), keysTimeout)
	defer cancel()
	defer close(f.done)
	f.body, f.err = k.fetch(ctx, f.issuer)
	f.until = time.Now().Add(keysLife)
	if f.err != nil {
		f.err = fmt.Errorf("the keys of the service couldn't be fetched: %w", f.err)
		f.until = time.Now().Add(keysPause)
	}
}

// fetch follows the issuer's discovery document to its keys.
func (k *keys) fetch(ctx context.Context, issuer string) ([]byte, error) {
	if issuer == "" {
		return nil, errors.New("the token doesn't tell its issuer")
	}
	var discovery struct {
		KeysURL string `json:"jwks_uri"`
	}
	if _, err := k.get(ctx, strings.TrimSuffix(issuer, "/")+openIDPath, &discovery); err != nil {
		return nil, err
	}
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	body, err := k.get(ctx, discovery.KeysURL, &set)
	if err == nil && set.Keys == nil {
		err = errors.New("the service's key set has no keys")
	}
	return body, err
}

// get fetches a JSON document and decodes it into v.
func (k *keys) get(ctx context.Context, rawURL string, v any) ([]byte, error) {
	u, err := url.Parse(rawURL)
	if err != nil || u.Scheme != "https" && !(u.Scheme == "http" && netenv.IsLoopback(u.Hostname())) {
		return nil, fmt.Errorf("%q is no https URL", rawURL)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, rawURL, nil)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Accept", "application/json")
	resp, err := k.client.Do(r)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxKeys+1))
	switch {
	case err != nil:
		return nil, err
	case resp.StatusCode != http.StatusOK:
		return nil, fmt.Errorf("%s answered %s", rawURL, resp.Status)
	case len(body) > maxKeys:
		return nil, fmt.Errorf("%s answered with more than %d bytes", rawURL, maxKeys)
	case json.Unmarshal(body, v) != nil:
		return nil, fmt.Errorf("%s didn't answer with the JSON object that was expected", rawURL)
	}
	return body, nil
}
