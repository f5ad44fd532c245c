package identity

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Fault is one kind of failure. It is written as text, and [ParseFault] reads:
//
//	503                  any status from 400 to 599, with a body in JSON
//	429:retry-after=7    the same with a Retry-After header of that value, unchanged
//	html  html:429       an HTML page, as a gateway sends it; with status 502, or the one given (200 too)
//	307:URL              a redirect (301, 302, 303, 307 or 308)
//	malformed            status 200 and half of the JSON
//	oversized            status 200 and 4 MiB of otherwise good JSON
//	slow:2s              the right answer after that time
//	cut                  the right answer, and the connection is cut in the middle of it
//	drop                 the connection is closed without an answer
//	hang                 no answer for as long as the client waits
//	skew:-10m            a token from an endpoint whose clock is ahead (behind, if negative) of the API's
//	no-expiry            a token answer without expires_in
//	expires-in:JSON      a token answer with that in expires_in: 0, -1, 1e12, "soon", null
//
// The last three are for the token endpoint only. Faults can be compared with ==. The zero Fault is no fault.
type Fault struct {
	kind   faultKind
	status int           // of kinds status, html and redirect
	arg    string        // what stands after the colon, in its canonical form
	wait   time.Duration // of kinds slow and skew
}

// faultKind is the word that a fault begins with, except for the first two, which begin with their status.
type faultKind string

const (
	faultStatus   faultKind = "status"
	faultRedirect faultKind = "redirect"

	faultHTML      faultKind = "html"
	faultMalformed faultKind = "malformed"
	faultOversized faultKind = "oversized"
	faultSlow      faultKind = "slow"
	faultCut       faultKind = "cut"
	faultDrop      faultKind = "drop"
	faultHang      faultKind = "hang"
	faultSkew      faultKind = "skew"
	faultNoExpiry  faultKind = "no-expiry"
	faultExpiresIn faultKind = "expires-in"
)

// ParseFault reads a fault; [Fault.String] gives the same fault back.
func ParseFault(text string) (Fault, error) {
	head, arg, hasArg := strings.Cut(text, ":")
	if hasArg && arg == "" {
		return Fault{}, fmt.Errorf("fault %q: nothing after the colon", text)
	}
	f, err := parseFault(head, arg)
	if err != nil {
		return Fault{}, fmt.Errorf("fault %q: %w", text, err)
	}
	return f, nil
}

// MustParseFault is ParseFault for constant texts: it panics if ParseFault returns an error.
func MustParseFault(text string) Fault {
	f, err := ParseFault(text)
	if err != nil {
		panic(err)
	}
	return f
}

func parseFault(head, arg string) (Fault, error) {
	kind := faultKind(head)
	switch kind {
	case faultMalformed, faultOversized, faultCut, faultDrop, faultHang, faultNoExpiry:
		if arg != "" {
			return Fault{}, errors.New("it takes nothing after a colon")
		}
		return Fault{kind: kind}, nil
	case faultHTML:
		return parseHTML(arg)
	case faultSlow, faultSkew:
		d, err := time.ParseDuration(arg)
		if err != nil || d == 0 || kind == faultSlow && d < 0 {
			return Fault{}, errors.New("write a duration after the colon, as in 2s")
		}
		return Fault{kind: kind, arg: d.String(), wait: d}, nil
	case faultExpiresIn:
		var compact bytes.Buffer
		if err := json.Compact(&compact, []byte(arg)); err != nil {
			return Fault{}, errors.New(`write JSON after the colon, as in expires-in:0 or expires-in:"soon"`)
		}
		return Fault{kind: kind, arg: compact.String()}, nil
	}
	status, err := strconv.Atoi(head)
	switch {
	case err != nil || strconv.Itoa(status) != head:
		return Fault{}, errors.New("unknown; it is a status or one of html, malformed, oversized, slow, cut, drop, hang, " +
			"skew, no-expiry, expires-in")
	case isRedirect(status):
		return parseRedirect(status, arg)
	case isFailure(status):
		return parseStatus(status, arg)
	}
	return Fault{}, errors.New("the status is neither a redirect nor from 400 to 599")
}

func parseStatus(status int, arg string) (Fault, error) {
	if arg != "" {
		value, ok := strings.CutPrefix(arg, retryAfter)
		if !ok || value == "" || strings.TrimSpace(value) != value || strings.ContainsFunc(value, notRetryAfter) {
			return Fault{}, errors.New("write retry-after=VALUE after the colon")
		}
	}
	return Fault{kind: faultStatus, status: status, arg: arg}, nil
}

// retryAfter begins what may stand after a status and a colon.
const retryAfter = "retry-after="

// notRetryAfter allows numbers, dates and words: nothing that ends a header or could be taken for the end of a Rule.
func notRetryAfter(c rune) bool {
	switch {
	case '0' <= c && c <= '9', 'A' <= c && c <= 'Z', 'a' <= c && c <= 'z':
		return false
	}
	return !strings.ContainsRune("+-.,: ", c)
}

func parseHTML(arg string) (Fault, error) {
	if arg == "" {
		return Fault{kind: faultHTML, status: http.StatusBadGateway}, nil
	}
	status, err := strconv.Atoi(arg)
	if err != nil || status != http.StatusOK && !isFailure(status) {
		return Fault{}, errors.New("the status is neither 200 nor from 400 to 599")
	}
	return Fault{kind: faultHTML, status: status, arg: strconv.Itoa(status)}, nil
}

func parseRedirect(status int, target string) (Fault, error) {
	u, err := url.Parse(target)
	if err != nil || u.Host == "" && u.Path == "" {
		return Fault{}, errors.New("write the target after the colon, as in 307:https://example.org/")
	}
	// A Rule may follow with * and ~, so none is left in the target.
	target = strings.NewReplacer("*", "%2A", "~", "%7E").Replace(u.String())
	if again, err := url.Parse(target); err != nil || again.String() != target {
		return Fault{}, errors.New("the target is no plain URL")
	}
	return Fault{kind: faultRedirect, status: status, arg: target}, nil
}

func isFailure(status int) bool { return status >= 400 && status <= 599 }

func isRedirect(status int) bool {
	switch status {
	case 301, 302, 303, 307, 308:
		return true
	}
	return false
}

// String returns the text that ParseFault reads, or "none" for the zero Fault.
func (f Fault) String() string {
	head := string(f.kind)
	switch f.kind {
	case "":
		return "none"
	case faultStatus, faultRedirect:
		head = strconv.Itoa(f.status)
	}
	if f.arg == "" {
		return head
	}
	return head + ":" + f.arg
}

// tokenOnly reports whether f makes sense at the token endpoint alone.
func (f Fault) tokenOnly() bool {
	return f.kind == faultSkew || f.kind == faultNoExpiry || f.kind == faultExpiresIn
}

// skew is how far f moves the token endpoint's clock.
func (f Fault) skew() time.Duration {
	if f.kind == faultSkew {
		return f.wait
	}
	return 0
}

// expiresIn is what f leaves of an expires_in of that many seconds: nil means absent.
func (f Fault) expiresIn(seconds int64) json.RawMessage {
	switch f.kind {
	case faultNoExpiry:
		return nil
	case faultExpiresIn:
		return json.RawMessage(f.arg)
	}
	return strconv.AppendInt(nil, seconds, 10)
}
