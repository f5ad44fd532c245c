package identity

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// Rule says when a fault is served. [ParseRule] reads it from text, in which all parts but the fault are optional:
//
//	[api/]FAULT[*TIMES][~PROBABILITY]
//
// "503*3" is three times 503 at the token endpoint, "429~0.1" a tenth of all requests until cleared, and
// "api/429:retry-after=7000*1" one refusal at the API, where Sentinel Hub counts Retry-After in milliseconds.
type Rule struct {
	Fault Fault

	// API is set for a fault at the API and the files. It is not set for one at the token endpoint.
	API bool

	// Times is how often the fault is served; 0 or less means until [Server.Clear].
	Times int

	// Probability that a request is served the fault; 0 means always. The rules after this one get the other requests.
	Probability float64
}

// ParseRule reads a rule; [Rule.String] gives the same rule back.
func ParseRule(text string) (Rule, error) {
	rest, api := strings.CutPrefix(text, "api/")
	rule := Rule{API: api}
	if i := strings.LastIndexByte(rest, '~'); i >= 0 {
		if p, err := strconv.ParseFloat(rest[i+1:], 64); err == nil && p > 0 && p <= 1 {
			rest, rule.Probability = rest[:i], p
		}
	}
	if i := strings.LastIndexByte(rest, '*'); i >= 0 {
		if n, err := strconv.Atoi(rest[i+1:]); err == nil && n > 0 {
			rest, rule.Times = rest[:i], n
		}
	}
	// A suffix that is not well formed is still there, and no fault ends like that.
	var err error
	if rule.Fault, err = ParseFault(rest); err != nil {
		return Rule{}, err
	}
	if rule.API && rule.Fault.tokenOnly() {
		return Rule{}, fmt.Errorf("fault %q: it is for the token endpoint, not for the API", rest)
	}
	return rule, nil
}

// String returns the text that ParseRule reads.
func (r Rule) String() string {
	var b strings.Builder
	if r.API {
		b.WriteString("api/")
	}
	b.WriteString(r.Fault.String())
	if r.Times > 0 {
		fmt.Fprintf(&b, "*%d", r.Times)
	}
	if r.Probability > 0 {
		b.WriteString("~" + strconv.FormatFloat(r.Probability, 'g', -1, 64))
	}
	return b.String()
}

// MarshalText implements [encoding.TextMarshaler].
func (r Rule) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText implements [encoding.TextUnmarshaler].
func (r *Rule) UnmarshalText(text []byte) (err error) {
	*r, err = ParseRule(string(text))
	return err
}

// faultList holds the rules in force, oldest first.
type faultList struct {
	mu    sync.Mutex // guards rules
	rules []Rule
}

// Inject serves f to the next n requests to the token endpoint, after the faults that are already in force.
// If n is 0 or less it is served until [Server.Clear].
func (s *Server) Inject(f Fault, n int) { s.AddRule(Rule{Fault: f, Times: n}) }

// AddRule puts r in force, after the rules that are already in force. The first rule that applies to a request
// decides its fault.
func (s *Server) AddRule(r Rule) {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	s.faults.rules = append(s.faults.rules, r)
}

// Clear removes all rules. Requests that hang go on hanging.
func (s *Server) Clear() {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	s.faults.rules = nil
}

// Rules returns the rules in force, each with its remaining Times.
func (s *Server) Rules() []Rule {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	return slices.Clone(s.faults.rules)
}

// take returns the fault for one request to the API or to the token endpoint, and uses it up.
func (l *faultList) take(api bool) (Fault, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range l.rules {
		r := &l.rules[i]
		if r.API != api || r.Probability > 0 && rand.Float64() >= r.Probability {
			continue
		}
		f := r.Fault
		if r.Times == 1 {
			l.rules = slices.Delete(l.rules, i, i+1)
		} else if r.Times > 1 {
			r.Times--
		}
		return f, f != Fault{}
	}
	return Fault{}, false
}

// serveFaults lets programs in other languages do what Inject, Clear and Rules do: POST adds rules, one a line; GET lists
// them in the same form; DELETE clears them.
func (s *Server) serveFaults(w http.ResponseWriter, r *http.Request) {
	switch r.Method {
	case http.MethodGet:
	case http.MethodDelete:
		s.Clear()
	case http.MethodPost:
		rules, err := readRules(http.MaxBytesReader(w, r.Body, maxBody))
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		for _, rule := range rules {
			s.AddRule(rule)
		}
	default:
		w.Header().Set("Allow", "GET, POST, DELETE")
		http.Error(w, "use GET, POST or DELETE", http.StatusMethodNotAllowed)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	for _, rule := range s.Rules() {
		fmt.Fprintln(w, rule)
	}
}

// readRules reads all of r before it believes any of it, so that a bad line adds nothing.
func readRules(r io.Reader) ([]Rule, error) {
	text, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	var rules []Rule
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		rule, err := ParseRule(line)
		if err != nil {
			return nil, err
		}
		rules = append(rules, rule)
	}
	if len(rules) == 0 {
		return nil, errors.New("no rule in the body: write one a line, as in 503*3")
	}
	return rules, nil
}
