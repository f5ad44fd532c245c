package tokenrequest_test

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/shsession/shsession/internal/tokenrequest"
)

type roundTripFunc func(*http.Request) (*http.Response, error)

func (f roundTripFunc) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// send sends one request, to be answered so, and returns how many requests there were.
func send(t *testing.T, status int, header http.Header, body string) (got tokenrequest.Answer, requests int, err error) {
	t.Helper()
	r, err := tokenrequest.New(t.Context(), "https://identity.example/token", "id", "se cret")
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Transport: roundTripFunc(func(r *http.Request) (*http.Response, error) {
		requests++
		return &http.Response{StatusCode: status, Header: header, Request: r, Body: io.NopCloser(strings.NewReader(body))}, nil
	})}
	got, err = tokenrequest.Send(client, r, 5)
	return got, requests, err
}

// The credentials are in the body alone, and nothing can read the body a second time.
func TestNew(t *testing.T) {
	r, err := tokenrequest.New(t.Context(), "https://identity.example/token", "id", "se cret&")
	if err != nil {
		t.Fatal(err)
	}
	if r.GetBody != nil {
		t.Error("a transport can send the request again")
	}
	body, err := io.ReadAll(r.Body)
	if err != nil || int64(len(body)) != r.ContentLength {
		t.Errorf("%d bytes, %v, and a ContentLength of %d", len(body), err, r.ContentLength)
	}
	form, err := url.ParseQuery(string(body))
	want := url.Values{"grant_type": {"client_credentials"}, "client_id": {"id"}, "client_secret": {"se cret&"}}
	if err != nil || form.Encode() != want.Encode() {
		t.Errorf("the form %v, %v", form, err)
	}
	if len(r.Header["Authorization"]) > 0 || strings.Contains(r.URL.String(), "id=") {
		t.Error("the credentials are outside of the body too")
	}
}

func TestLimit(t *testing.T) {
	if got, _, err := send(t, 200, nil, "12345"); err != nil || string(got.Body) != "12345" || got.Status != 200 {
		t.Errorf("%+v, %v", got, err)
	}
	if got, _, err := send(t, 200, nil, "123456"); err == nil || got.Status != 200 {
		t.Errorf("an answer above the limit: %+v, %v", got, err)
	}
}

// A redirect isn't followed, whether net/http could follow it or not.
func TestRedirect(t *testing.T) {
	for _, header := range []http.Header{{"Location": {"https://elsewhere.example"}}, nil} {
		for _, status := range []int{300, 301, 302, 303, 307, 308} {
			got, requests, err := send(t, status, header, "")
			if permanent, hint := tokenrequest.Explain(err); !permanent || hint == "" || got.Status != status || requests != 1 {
				t.Errorf("%d with %v: %d requests, %+v, %v", status, header, requests, got, err)
			}
		}
	}
}

// An error says what happened. Whoever shows it names the URL.
func TestErrorsDoNotRepeatTheURL(t *testing.T) {
	if _, err := tokenrequest.New(t.Context(), "https://identity.example/%zz", "id", "secret"); err == nil || strings.Contains(err.Error(), "identity.example") {
		t.Errorf("New: %v", err)
	}
	r, err := tokenrequest.New(t.Context(), "https://identity.example/token", "id", "secret")
	if err != nil {
		t.Fatal(err)
	}
	broken := errors.New("the connection broke")
	client := &http.Client{Transport: roundTripFunc(func(*http.Request) (*http.Response, error) { return nil, broken })}
	if got, err := tokenrequest.Send(client, r, 5); err != broken || got.Status != 0 {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestAnswerHasRetryAfter(t *testing.T) {
	got, _, err := send(t, 429, http.Header{"Retry-After": {"90"}}, "")
	if err != nil || got.RetryAfter != 90*time.Second {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestRefusal(t *testing.T) {
	for body, want := range map[string]tokenrequest.Refusal{
		`{"error":"invalid_client","error_description":"no"}`:                     {Code: "invalid_client", Description: "no"},
		`{"status":400,"message":"Illegal secret!","code":"OAUTH_ERROR"}`:         {Code: "OAUTH_ERROR", Description: "Illegal secret!"},
		`{"status":400,"message":"Illegal secret!","code":"ANOTHER","error":"e"}`: {Code: "e"},
		`{"error":{"code":1}}`: {},
		`{"access_token":"a"}`: {},
		`<html>invalid_client`: {},
		`["error","error"]`:    {},
		``:                     {},
	} {
		if got := (tokenrequest.Answer{Status: 400, Body: []byte(body)}).Refusal(); got != want {
			t.Errorf("%s: %+v, want %+v", body, got, want)
		}
	}
}

func TestIsFinalStatus(t *testing.T) {
	for status, want := range map[int]bool{200: false, 302: false, 400: true, 401: true, 404: true, 408: false, 425: false, 429: false, 499: true, 500: false, 503: false} {
		if got := tokenrequest.IsFinalStatus(status); got != want {
			t.Errorf("%d: %t", status, got)
		}
	}
}
