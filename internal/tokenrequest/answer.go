package tokenrequest

import (
	"net/http"
	"time"

	"github.com/shsession/shsession/internal/tokenjson"
)

// An Answer is a token endpoint's.
type Answer struct {
	Status     int
	Body       []byte
	RetryAfter time.Duration
}

// A Refusal is an error in an answer (RFC 6749 section 5.2).
type Refusal struct{ Code, Description string }

// Refusal reads the error in an answer. Sentinel Hub's older token endpoint has a form of
// its own: {"status":400,"message":"Illegal secret!","code":"OAUTH_ERROR"}.
func (a Answer) Refusal() Refusal {
	o, err := tokenjson.Parse(a.Body)
	switch {
	case err != nil:
		return Refusal{}
	case o.Text("code") == "OAUTH_ERROR":
		return Refusal{"OAUTH_ERROR", o.Text("message")}
	}
	return Refusal{o.Text("error"), o.Text("error_description")}
}

// IsFinalCode reports whether an error code means that the same request will be refused
// again: those of RFC 6749 section 5.2, and the older endpoint's. Anything else, such as
// temporarily_unavailable, may pass.
func IsFinalCode(code string) bool {
	switch code {
	case "invalid_request", "invalid_client", "invalid_grant", "unauthorized_client",
		"unsupported_grant_type", "invalid_scope", "OAUTH_ERROR":
		return true
	}
	return false
}

// IsFinalStatus reports whether the same request would have the same answer: any 4xx, as
// in the Python package, but for those that say to come back later.
func IsFinalStatus(status int) bool {
	switch status {
	case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests:
		return false
	}
	return status/100 == 4
}

// StatusHint says what the user can do about a status, "" if the status doesn't tell.
func StatusHint(status int) string {
	switch status {
	case http.StatusTooManyRequests:
		return "too many logins: share one token between processes instead"
	case http.StatusNotFound:
		return "check the token URL"
	case http.StatusProxyAuthRequired:
		return "check the user name and password in HTTPS_PROXY"
	}
	return ""
}
