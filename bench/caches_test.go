package bench

import (
	"context"
	"errors"
	"testing"
	"time"

	"cloud.google.com/go/auth"
	"github.com/aws/aws-sdk-go-v2/aws"
	"golang.org/x/oauth2"

	"github.com/shsession/shsession"
)

// window is how long before its expiry each cache is told to renew a token: the
// Python package's default.
const window = 120 * time.Second

// A condition is how the token is that a cache holds at first.
type condition int

const (
	fresh   condition = iota
	dueSoon           // due for renewal in lead
	expired
)

const lead = 200 * time.Millisecond

// expiry returns when a token of that condition expires for a cache that counts the
// window from there.
func (c condition) expiry() time.Time {
	switch c {
	case dueSoon:
		return time.Now().Add(window + lead)
	case expired:
		return time.Now().Add(-time.Second)
	}
	return time.Now().Add(hour)
}

// An ask asks a cache for its token.
type ask func(context.Context) error

var errNoToken = errors.New("no token")

// A cacheMaker makes a cache with a token in some condition, which logs in at e.
type cacheMaker struct {
	name string
	make func(b *testing.B, e *endpoint, c condition) ask
}

func cacheMakers() []cacheMaker {
	return []cacheMaker{
		{ours, func(b *testing.B, e *endpoint, c condition) ask {
			s := newSession(b, e, c)
			return func(ctx context.Context) error {
				t, err := s.Token(ctx)
				if err == nil && t.IsZero() {
					return errNoToken
				}
				return err
			}
		}},
		{xoauth2, func(_ *testing.B, e *endpoint, c condition) ask {
			s := newOAuth2(e, c)
			return func(context.Context) error { _, err := s.Token(); return err }
		}},
		{cloud, func(b *testing.B, e *endpoint, c condition) ask {
			s := newCloud(b, e, c)
			return func(ctx context.Context) error { _, err := s.Token(ctx); return err }
		}},
		{awsSDK, func(b *testing.B, e *endpoint, c condition) ask {
			s := newAWS(b, e, c)
			return func(ctx context.Context) error { _, err := s.Retrieve(ctx); return err }
		}},
	}
}

// newSession returns a session with a token. That is one that really lives as long, since
// a session counts from the login: one of 400 ms is due after 200.
func newSession(b testing.TB, e *endpoint, c condition) *shsession.Session {
	switch c {
	case dueSoon:
		e.first(2 * lead)
	case expired:
		e.first(e.delay + 200*time.Millisecond) // which has to arrive before, on a busy machine too
	}
	s, err := shsession.New(e.config(false))
	if err != nil {
		b.Fatal(err)
	}
	t, err := s.Token(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	if c == expired {
		time.Sleep(t.Remaining())
	}
	return s
}

// A tokenSource is a function as an oauth2.TokenSource.
type tokenSource func() (*oauth2.Token, error)

func (f tokenSource) Token() (*oauth2.Token, error) { return f() }

// newOAuth2 returns a ReuseTokenSource over clientcredentials, which has no cache
// of its own when it is called as Token.
func newOAuth2(e *endpoint, c condition) oauth2.TokenSource {
	first := &oauth2.Token{AccessToken: accessToken(e.size, 0, hour), TokenType: "Bearer", Expiry: c.expiry()}
	login := func() (*oauth2.Token, error) { return e.exchange().Token(context.Background()) }
	return oauth2.ReuseTokenSourceWithExpiry(first, tokenSource(login), window)
}

// A cloudLogin is a client credentials login as an auth.TokenProvider.
type cloudLogin struct {
	e      *endpoint
	expiry time.Time // of the first token, which costs no login
}

func (l *cloudLogin) Token(ctx context.Context) (*auth.Token, error) {
	if !l.expiry.IsZero() {
		first := &auth.Token{Value: accessToken(l.e.size, 0, hour), Type: "Bearer", Expiry: l.expiry}
		l.expiry = time.Time{}
		return first, nil
	}
	t, err := l.e.exchange().Token(ctx)
	if err != nil {
		return nil, err
	}
	return &auth.Token{Value: t.AccessToken, Type: t.TokenType, Expiry: t.Expiry}, nil
}

func newCloud(b testing.TB, e *endpoint, c condition) auth.TokenProvider {
	s := auth.NewCachedTokenProvider(&cloudLogin{e, c.expiry()}, &auth.CachedTokenProviderOptions{ExpireEarly: window})
	if _, err := s.Token(b.Context()); err != nil {
		b.Fatal(err)
	}
	return s
}

func newAWS(b testing.TB, e *endpoint, c condition) *aws.CredentialsCache {
	first := c.expiry() // of the first token, which costs no login
	provider := func(ctx context.Context) (aws.Credentials, error) {
		credentials := aws.Credentials{AccessKeyID: clientID, SecretAccessKey: "-", CanExpire: true}
		if !first.IsZero() {
			credentials.SessionToken, credentials.Expires = accessToken(e.size, 0, hour), first
			first = time.Time{}
			return credentials, nil
		}
		t, err := e.exchange().Token(ctx)
		if err != nil {
			return credentials, err
		}
		credentials.SessionToken, credentials.Expires = t.AccessToken, t.Expiry
		return credentials, nil
	}
	s := aws.NewCredentialsCache(aws.CredentialsProviderFunc(provider), func(o *aws.CredentialsCacheOptions) { o.ExpiryWindow = window })
	if _, err := s.Retrieve(b.Context()); err != nil {
		b.Fatal(err)
	}
	return s
}
