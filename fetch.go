package shsession

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
)

// errRedirected stands for a redirect by the token endpoint, which net/http would follow
// with the secret in hand.
var errRedirected = errors.New("the token endpoint redirects, and the secret isn't sent after a redirect")

// fetch logs in: one token request (RFC 6749 section 4.4.2), bounded by ctx and
// cfg.Timeout. Its errors are an *AuthError or an *EndpointError.
func (cfg Config) fetch(ctx context.Context) (Token, error) {
	ctx, cancel := context.WithTimeout(ctx, cfg.Timeout)
	defer cancel()
	exchange := clientcredentials.Config{
		ClientID:     cfg.ClientID,
		ClientSecret: cfg.ClientSecret.Reveal(),
		TokenURL:     cfg.TokenURL,
		AuthStyle:    oauth2.AuthStyleInParams, // any other would cost a refused login to find out
	}
	capture := &captureTransport{base: cfg.HTTPClient.Transport}
	client := &http.Client{
		Transport:     capture,
		Jar:           cfg.HTTPClient.Jar,
		CheckRedirect: func(*http.Request, []*http.Request) error { return errRedirected },
	}
	sent := time.Now().Round(0)
	_, err := exchange.Token(context.WithValue(ctx, oauth2.HTTPClient, client))
	if capture.status/100 == 2 && capture.err == nil {
		return cfg.parseResponse(capture, sent, err)
	}
	return Token{}, cfg.endpointError(ctx, capture, err)
}

// parseResponse makes a token of a successful answer, whole, which x/oauth2 doesn't hand
// out: unknown fields must survive. err is what x/oauth2 made of it.
func (cfg Config) parseResponse(answer *captureTransport, sent time.Time, err error) (Token, error) {
	var refused *oauth2.RetrieveError
	if errors.As(err, &refused) && refused.ErrorCode != "" { // an error with status 200
		return Token{}, cfg.endpointError(context.Background(), answer, err)
	}
	failed := func(permanent bool, why error) (Token, error) {
		return Token{}, &EndpointError{TokenURL: cfg.TokenURL, Status: answer.status, Permanent: permanent, Err: why}
	}
	fields, err := parseFields(string(answer.body))
	if err != nil {
		return failed(false, errors.New("the answer is not a JSON object"))
	}
	t, err := fields.token(string(answer.body), sent)
	if err != nil {
		return failed(false, err)
	}
	if kind := unquote(fields.tokenType); kind != "" && !strings.EqualFold(kind, "Bearer") { // RFC 6749 section 7.1
		return failed(true, fmt.Errorf("the token is of type %q, and only Bearer is understood here", cfg.presentable(kind)))
	}
	// Every further try would make a session at the service that can't be cancelled, so a
	// token without a usable life isn't asked for again at once.
	if t.p.life <= 0 {
		return failed(true, fmt.Errorf("expires_in is %s and the token has no iat and exp claims, so its life can't be known", lifeText(fields.expiresIn)))
	}
	t = t.WithExpiry(sent.Add(t.p.life))
	if t.Remaining() <= margin(t.p.life) {
		return failed(false, fmt.Errorf("the token lives %v and had expired when it arrived", t.p.life))
	}
	return t, nil
}

// lifeText describes an unusable expires_in.
func lifeText(raw string) string {
	if raw == "" {
		return "absent"
	}
	seconds, ok := parseSeconds(raw)
	if !ok {
		return "not a number"
	}
	return fmt.Sprintf("%g", seconds)
}

// endpointError classifies a failed exchange.
func (cfg Config) endpointError(ctx context.Context, answer *captureTransport, err error) error {
	var refused *oauth2.RetrieveError
	if errors.As(err, &refused) {
		code, description := refused.ErrorCode, refused.ErrorDescription
		if code == "" {
			code, description = oldServiceError(answer.body)
		}
		if permanentCode(code) && answer.status/100 != 5 && answer.status != http.StatusTooManyRequests {
			return &AuthError{
				TokenURL: cfg.TokenURL, ClientID: cfg.ClientID, Status: answer.status,
				Code: code, Description: cfg.presentable(description), Hint: authHint(cfg, code),
			}
		}
		why := "no token in the answer"
		if code != "" {
			why = cfg.presentable(words(code, description))
		}
		return &EndpointError{
			TokenURL: cfg.TokenURL, Status: answer.status, RetryAfter: answer.retryAfter,
			Hint: statusHint(answer.status), Err: errors.New(why),
		}
	}
	var urlError *url.Error // repeats the method and URL
	if errors.As(err, &urlError) {
		err = urlError.Err
	}
	if answer.err != nil {
		err = answer.err
	}
	failure := &EndpointError{TokenURL: cfg.TokenURL, Status: answer.status, Err: cfg.presentableError(err)}
	var certificate x509.CertificateInvalidError
	var authority x509.UnknownAuthorityError
	var caFile *caFileError
	switch {
	case errors.As(err, &caFile):
		failure.Permanent = true
		failure.Hint = "correct or unset " + caFile.variable
	case errors.Is(err, errRedirected):
		failure.Permanent = true
		failure.Hint = "check the token URL"
	case errors.As(err, &certificate) && certificate.Reason == x509.Expired:
		failure.Permanent = true
		failure.Hint = "check this machine's clock, or the service's certificate has expired"
	case errors.As(err, &authority):
		failure.Permanent = true
		failure.Hint = "behind a proxy that opens TLS, set SSL_CERT_FILE to its CA certificate"
	case ctx.Err() != nil:
		failure.Err = fmt.Errorf("no answer within %v: %w", cfg.Timeout, ctx.Err())
	case answer.status == 0:
		failure.Hint = "check the network, and HTTPS_PROXY if a proxy is needed"
	}
	return failure
}

// permanentCode reports whether an error code means that the same request will be refused
// again: those of RFC 6749 section 5.2, and the older endpoint's. Anything else, such as
// temporarily_unavailable, may pass.
func permanentCode(code string) bool {
	switch code {
	case "invalid_request", "invalid_client", "invalid_grant", "unauthorized_client",
		"unsupported_grant_type", "invalid_scope", "OAUTH_ERROR":
		return true
	}
	return false
}

// presentable returns text that the endpoint may have sent, or sent a part of, without
// the client secret, control characters and an end that nobody would read.
func (cfg Config) presentable(text string) string {
	const longest = 500
	secret := cfg.ClientSecret.Reveal()
	text = strings.NewReplacer(secret, redacted, url.QueryEscape(secret), redacted).Replace(text)
	text = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, text)
	if len(text) > longest {
		text = strings.ToValidUTF8(text[:longest], "") + "…"
	}
	return text
}

// presentableError returns err, or its text alone if something has to be removed from
// that: net/http quotes what it doesn't understand of an answer.
func (cfg Config) presentableError(err error) error {
	if text := err.Error(); cfg.presentable(text) != text {
		return errors.New(cfg.presentable(text))
	}
	return err
}

// oldServiceError reads an error of Sentinel Hub's older token endpoint, which has its
// own form: {"status":400,"message":"Illegal secret!","code":"OAUTH_ERROR"}.
func oldServiceError(body []byte) (code, description string) {
	var answer struct {
		Code    string `json:"code"`
		Message string `json:"message"`
	}
	if json.Unmarshal(body, &answer) != nil || answer.Code != "OAUTH_ERROR" {
		return "", ""
	}
	return answer.Code, answer.Message
}

func statusHint(status int) string {
	switch {
	case status == http.StatusTooManyRequests:
		return "too many logins: share one token between processes instead"
	case status == http.StatusNotFound:
		return "check the token URL"
	case status == http.StatusProxyAuthRequired:
		return "check the user name and password in HTTPS_PROXY"
	}
	return ""
}

// captureTransport keeps the answer to one request, and limits its size.
type captureTransport struct {
	base       http.RoundTripper
	status     int
	body       []byte
	retryAfter time.Duration
	err        error // why the body is not whole
}

func (c *captureTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	base := c.base
	if base == nil {
		base = http.DefaultTransport
	}
	r = r.Clone(r.Context())
	r.Header.Set("User-Agent", "shsession/"+Version)
	r.Header.Set("Accept", "application/json")
	resp, err := base.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	c.status = resp.StatusCode
	c.retryAfter = min(parseRetryAfter(resp.Header.Get("Retry-After"), time.Now()), maxWait)
	c.body, c.err = io.ReadAll(io.LimitReader(resp.Body, MaxTokenSize+1))
	if c.err == nil && len(c.body) > MaxTokenSize {
		c.err = fmt.Errorf("the answer is longer than %d bytes", MaxTokenSize)
	}
	if c.err != nil {
		return nil, c.err
	}
	resp.Header.Set("Content-Type", "application/json") // some answers come as text/plain
	resp.Body = io.NopCloser(bytes.NewReader(c.body))
	return resp, nil
}
