package status

import (
	"cmp"
	"fmt"
	"net/url"
	"time"

	"github.com/shsession/shsession/internal/cache"
	"github.com/shsession/shsession/internal/display"
)

// Title names the share for people: a cache by its client, whose name is a hash of it.
func (s *Share) Title() string {
	switch {
	case s.title != "":
		return s.title
	case cache.IsName(s.Name) && s.ClientID != "":
		return "cache of " + display.Line(s.ClientID)
	}
	return display.Line(s.Name)
}

// tellApart adds to the titles that several shares have: the service that issued the token or, for
// tokens of one service, such as those of an old and a new secret, the segment's name.
func tellApart(shares []Share) {
	for _, add := range []func(*Share) string{
		func(s *Share) string { return " at " + display.Line(cmp.Or(hostOf(s.Issuer), "an unknown service")) },
		func(s *Share) string { return " (" + s.Name + ")" },
	} {
		count := map[string]int{}
		for i := range shares {
			count[shares[i].Title()]++
		}
		for i := range shares {
			if s := &shares[i]; count[s.Title()] > 1 {
				s.title = s.Title() + add(s)
			}
		}
	}
}

// hostOf returns the host, and the port if there is one, of an issuer's URL, and else the issuer.
func hostOf(issuer string) string {
	if u, err := url.Parse(issuer); err == nil && u.Host != "" {
		return u.Host
	}
	return issuer
}

// Holders says who keeps the token fresh.
func (s *Share) Holders() string {
	switch {
	case len(s.Sharers) > 0:
		return "shared by " + s.pids()
	case s.orphan:
		return "its sharers died"
	case cache.IsName(s.Name):
		return "cached"
	}
	return "unknown sharer" // Python's sharers and programs that Join register nowhere
}

// isFailing reports whether a sharer's last attempt to renew the token failed, and no other sharer
// has reported a success.
func (s *Share) isFailing() bool {
	failing := false
	for _, sharer := range s.Sharers {
		switch {
		case sharer.Report == nil:
		case sharer.LastError == "":
			return false
		default:
			failing = true
		}
	}
	return failing
}

// problem says why the token isn't kept fresh, "" if it is, or if nobody is supposed to: it is in the
// cache, or its sharers don't say whether they run.
func (s *Share) problem() string {
	switch {
	case cache.IsName(s.Name):
		return ""
	case s.State == Failing:
		text := "the token isn't renewed: " + s.Trouble()
		if next := s.nextTry(); !next.IsZero() {
			text += "; the next attempt is in " + display.Life(time.Until(next))
		}
		return text
	case s.State == Expired && s.Trouble() != "":
		return "the token has expired: " + s.Trouble()
	case s.State == Expired && s.orphan:
		return "the token has expired: its sharers died"
	case s.State == Expired:
		return "the token has expired"
	case s.State == Orphaned:
		return "the token isn't renewed: its sharers died"
	}
	return ""
}

// nextTry returns when the next attempt to renew the token is, zero if no sharer tells.
func (s *Share) nextTry() (next time.Time) {
	for _, sharer := range s.Sharers {
		if sharer.Report == nil || !sharer.NextTry.After(time.Now()) {
			continue
		}
		if next.IsZero() || sharer.NextTry.Before(next) {
			next = sharer.NextTry
		}
	}
	return next
}

// Trouble returns why the last attempt of a sharer to renew the token failed, "" if none did.
func (s *Share) Trouble() string {
	for _, sharer := range s.Sharers {
		if sharer.Report != nil && sharer.LastError != "" {
			return sharer.LastError
		}
	}
	return ""
}

// HandedOut says what the sharers' token endpoints have handed out, and to how many clients: "" if
// no sharer has one.
func (s *Share) HandedOut() string {
	var times, clients uint64
	hasEndpoint := false
	for _, sharer := range s.Sharers {
		if sharer.Report != nil && sharer.Endpoint != nil {
			hasEndpoint = true
			times += sharer.Endpoint.HandedOut
			clients += sharer.Endpoint.Clients
		}
	}
	if !hasEndpoint {
		return ""
	}
	return fmt.Sprintf("%d to %d", times, clients)
}
