// Package tokenrequest sends one token request of the client credentials grant (RFC 6749 section
// 4.4.2), and says what the endpoint's answer means, or why there is none.
package tokenrequest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/shsession/shsession/internal/retryafter"
)

// errRedirected stands for a redirect by the token endpoint, which net/http would follow
// with the secret in hand.
var errRedirected = errors.New("the token endpoint redirects, and the secret isn't sent after a redirect")

// New makes a request with the credentials in its body. The request has no GetBody, so that
// no transport can send it a second time: a retry is for the session's backoff to decide.
func New(ctx context.Context, tokenURL, clientID, clientSecret string) (*http.Request, error) {
	form := url.Values{
		"grant_type": {"client_credentials"}, "client_id": {clientID}, "client_secret": {clientSecret},
	}.Encode()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, tokenURL, io.NopCloser(strings.NewReader(form)))
	if err != nil {
		return nil, withoutURL(err)
	}
	r.ContentLength = int64(len(form))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Accept", "application/json")
	return r, nil
}

// Send sends a request of New once, with the client's Transport and Jar, and reads the
// answer. A redirect is an error, and so is a body of more than limit bytes. With an error only
// the answer's Status is of use; it is 0 if there was no answer.
func Send(client *http.Client, r *http.Request, limit int64) (Answer, error) {
	once := &http.Client{
		Transport:     client.Transport,
		Jar:           client.Jar,
		CheckRedirect: func(*http.Request, []*http.Request) error { return errRedirected },
	}
	resp, err := once.Do(r)
	if resp == nil {
		return Answer{}, withoutURL(err)
	}
	defer resp.Body.Close()
	got := Answer{Status: resp.StatusCode}
	if err != nil || got.Status/100 == 3 {
		return got, errRedirected
	}
	got.RetryAfter = retryafter.Parse(resp.Header, time.Now())
	got.Body, err = io.ReadAll(io.LimitReader(resp.Body, limit+1))
	if err == nil && int64(len(got.Body)) > limit {
		err = fmt.Errorf("the answer is longer than %d bytes", limit)
	}
	return got, err
}

// withoutURL returns the cause of an error of net/http, which repeats the method and URL.
func withoutURL(err error) error {
	var urlError *url.Error
	if errors.As(err, &urlError) {
		return urlError.Err
	}
	return err
}
