package shsession

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/shsession/shsession/internal/redact"
	"github.com/shsession/shsession/internal/tokenjson"
	"github.com/shsession/shsession/internal/tokenrequest"
)

// fetch logs in: one token request (RFC 6749 section 4.4.2), bounded by ctx and
// cfg.Timeout. Its errors are an *AuthError or an *EndpointError.
func (cfg Config) fetch(ctx context.Context) (Token, error) {
	ctx, cancel := context.WithTimeout(ctx, cfg.Timeout)
	defer cancel()
	sent := time.Now().Round(0)
	answer, err := cfg.post(ctx)
	if err != nil {
		return Token{}, cfg.noAnswer(ctx, answer.Status, err)
	}
	if answer.Status/100 == 2 && answer.Refusal().Code == "" { // some services say 200 with an error
		return cfg.parseAnswer(answer, sent)
	}
	return Token{}, cfg.refusal(answer)
}

// post sends the credentials in one request.
func (cfg Config) post(ctx context.Context) (tokenrequest.Answer, error) {
	r, err := tokenrequest.New(ctx, cfg.TokenURL, cfg.ClientID, cfg.ClientSecret.Reveal())
	if err != nil {
		return tokenrequest.Answer{}, err
	}
	r.Header.Set("User-Agent", "shsession/"+Version)
	return tokenrequest.Send(cfg.HTTPClient, r, MaxTokenSize)
}

// parseAnswer makes a token of a successful answer, whole: unknown fields survive.
func (cfg Config) parseAnswer(answer tokenrequest.Answer, sent time.Time) (Token, error) {
	failed := func(permanent bool, why error) (Token, error) {
		return Token{}, &EndpointError{TokenURL: cfg.TokenURL, Status: answer.Status, Permanent: permanent, Err: why}
	}
	object, err := tokenjson.Parse(answer.Body)
	if err != nil {
		return failed(false, errors.New("the answer is not a JSON object"))
	}
	t, err := newToken(object, string(answer.Body), sent)
	if err != nil {
		return failed(false, err)
	}
	if kind := object.Text("token_type"); kind != "" && !strings.EqualFold(kind, "Bearer") { // RFC 6749 section 7.1
		return failed(true, fmt.Errorf("the token is of type %q, and only Bearer is understood here", cfg.presentable(kind)))
	}
	// Every further try would make a session at the service that can't be cancelled, so a
	// token without a usable life isn't asked for again at once.
	if t.p.life <= 0 {
		return failed(true, fmt.Errorf("expires_in is %s and the token has no iat and exp claims, so its life can't be known", object.DescribeLife()))
	}
	account := Account{Issuer: knownServices.IssuerOf(cfg.TokenURL), ClientID: cfg.ClientID}
	t = t.with(sent.Add(t.p.life), account)
	if t.Remaining() <= margin(t.p.life) {
		return failed(false, fmt.Errorf("the token lives %v and had expired when it arrived", t.p.life))
	}
	return t, nil
}

// refusal makes an error of an answer without a token.
func (cfg Config) refusal(answer tokenrequest.Answer) error {
	refused := answer.Refusal()
	if tokenrequest.IsFinalCode(refused.Code) && answer.Status/100 != 5 && answer.Status != http.StatusTooManyRequests {
		return &AuthError{
			TokenURL: cfg.TokenURL, ClientID: cfg.ClientID, Status: answer.Status,
			Code: refused.Code, Description: cfg.presentable(refused.Description),
			Hint: knownServices.RefusalHint(refused.Code, cfg.BaseURL, cfg.TokenURL),
		}
	}
	why := "no token in the answer"
	if refused.Code != "" {
		why = cfg.presentable(words(refused.Code, refused.Description))
	}
	return &EndpointError{
		TokenURL: cfg.TokenURL, Status: answer.Status, RetryAfter: min(answer.RetryAfter, maxWait),
		Permanent: tokenrequest.IsFinalStatus(answer.Status), Hint: tokenrequest.StatusHint(answer.Status), Err: errors.New(why),
	}
}

// noAnswer makes an error of a failure on the way, or in the middle of the answer.
func (cfg Config) noAnswer(ctx context.Context, status int, err error) error {
	permanent, hint := tokenrequest.Explain(err)
	failure := &EndpointError{
		TokenURL: cfg.TokenURL, Status: status, Permanent: permanent, Hint: hint,
		Err: redact.Error(err, cfg.ClientID, cfg.ClientSecret.Reveal(), redacted),
	}
	switch {
	case permanent:
	case ctx.Err() != nil:
		failure.Err = fmt.Errorf("no answer within %v: %w", cfg.Timeout, ctx.Err())
	case status == 0:
		failure.Hint = "check the network, and HTTPS_PROXY if a proxy is needed"
	}
	return failure
}

// presentable returns text that the endpoint may have sent, or sent a part of, so that it
// can be shown.
func (cfg Config) presentable(text string) string {
	return redact.Text(text, cfg.ClientID, cfg.ClientSecret.Reveal(), redacted)
}

// secretHash returns 16 bits of a hash of the account and secret: enough to tell a secret
// that was changed from the last one, and too few to confirm a guess.
func (cfg Config) secretHash() string {
	h := sha256.New()
	for _, field := range []string{cfg.TokenURL, cfg.ClientID, cfg.ClientSecret.Reveal()} {
		h.Write([]byte(field))
		h.Write([]byte{0})
	}
	return hex.EncodeToString(h.Sum(nil)[:2])
}
