package ratelimit

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A Unit is what a Limit counts.
type Unit int

const (
	Requests Unit = iota
	// ProcessingUnits are the services' charge for a request, as in the answer's header
	// x-processingunits-spent.
	ProcessingUnits
)

// A Limit is an amount in a period. The service is taken to fill up a used amount
// continuously, as the Python package models it, so that all of it may be used at once.
type Limit struct {
	Amount float64
	Unit   Unit
	Per    time.Duration
}

// A Policy is the limits of one account at a service. The zero Policy is unknown limits: a
// Limiter with it learns from the service's answers.
type Policy struct {
	Limits     []Limit
	Concurrent int // how many requests at a time, 0 for any number
}

// Month is the period of a monthly limit: 30 days.
const Month = 30 * 24 * time.Hour

// Preset returns the policy of that name; see [Presets].
func Preset(name string) (Policy, bool) {
	text, ok := presets[name]
	if !ok {
		return Policy{}, false
	}
	p, err := ParsePolicy(text)
	return p, err == nil
}

// Presets returns the names of the known policies, sorted.
func Presets() []string { return slices.Sorted(maps.Keys(presets)) }

// presets are the limits in the services' documentation.
var presets = map[string]string{
	"cdse-free":     "300/min,300pu/min,10000/month,10000pu/month",
	"cdse-download": "4",
	"cdse-openeo":   "12/min",
	"cdse-stac":     "10/s",
}

// periods are the names of periods, the first of each length the one that String writes.
var periods = []struct {
	name string
	per  time.Duration
}{
	{"s", time.Second}, {"sec", time.Second}, {"second", time.Second},
	{"min", time.Minute}, {"minute", time.Minute},
	{"h", time.Hour}, {"hour", time.Hour},
	{"d", 24 * time.Hour}, {"day", 24 * time.Hour},
	{"month", Month},
}

// maxLimits is how many limits a policy may have.
const maxLimits = 16

// ParsePolicy reads a policy: limits and a number of requests at a time, separated by
// commas, such as 300/min,300pu/min,4. A period is s, min, h, d, month, or a duration as
// [time.ParseDuration] reads it. "auto" is the zero Policy, and the name of a preset is
// that preset.
func ParsePolicy(text string) (Policy, error) {
	if text == "auto" {
		return Policy{}, nil
	}
	if p, ok := presets[text]; ok {
		text = p
	}
	var p Policy
	for part := range strings.SplitSeq(text, ",") {
		part = strings.TrimSpace(part)
		amount, period, isLimit := strings.Cut(part, "/")
		if !isLimit {
			n, err := strconv.Atoi(part)
			if err != nil || p.Concurrent != 0 {
				return Policy{}, fmt.Errorf("%q is no limit: write 300/min, 300pu/min, one number of requests at a time, or alone auto, %s",
					part, strings.Join(Presets(), ", "))
			}
			if n <= 0 {
				return Policy{}, fmt.Errorf("%d requests at a time would let nothing through", n)
			}
			p.Concurrent = n
			continue
		}
		limit, err := parseLimit(amount, period)
		if err != nil {
			return Policy{}, fmt.Errorf("limit %q: %w", part, err)
		}
		p.Limits = append(p.Limits, limit)
	}
	return p, p.Validate()
}

func parseLimit(amount, period string) (l Limit, err error) {
	if number, ok := strings.CutSuffix(amount, "pu"); ok {
		l.Unit, amount = ProcessingUnits, number
	}
	if l.Amount, err = strconv.ParseFloat(strings.TrimSpace(amount), 64); err != nil {
		return l, fmt.Errorf("%q is no number", amount)
	}
	period = strings.TrimSpace(period)
	for _, known := range periods {
		if period == known.name {
			l.Per = known.per
			return l, nil
		}
	}
	if l.Per, err = time.ParseDuration(period); err != nil {
		return l, fmt.Errorf("%q is no period: there are s, min, h, d, month, and durations such as 90s", period)
	}
	return l, nil
}

// Validate refuses a policy that no request can meet, or whose numbers are out of range.
func (p Policy) Validate() error {
	if p.Concurrent < 0 {
		return errors.New("the number of requests at a time is negative")
	}
	if len(p.Limits) > maxLimits {
		return fmt.Errorf("there are more than %d limits", maxLimits)
	}
	for _, l := range p.Limits {
		switch {
		case !(l.Amount > 0): // NaN too
			return fmt.Errorf("a limit of %v would let nothing through", l.Amount)
		case l.Unit == Requests && l.Amount < 1:
			return fmt.Errorf("a limit of %v requests lets none through: choose a longer period", l.Amount)
		case l.Amount > 1e12:
			return fmt.Errorf("a limit of %v is too large", l.Amount)
		case l.Per < time.Millisecond || l.Per > 366*24*time.Hour:
			return fmt.Errorf("a period of %v is not between a millisecond and a year", l.Per)
		case l.Unit != Requests && l.Unit != ProcessingUnits:
			return fmt.Errorf("unit %d is unknown", l.Unit)
		}
	}
	return nil
}

// IsZero reports whether p knows no limit.
func (p Policy) IsZero() bool { return len(p.Limits) == 0 && p.Concurrent == 0 }

// String returns the text that ParsePolicy reads.
func (p Policy) String() string {
	if p.IsZero() {
		return "auto"
	}
	var parts []string
	for _, l := range p.Limits {
		parts = append(parts, l.String())
	}
	if p.Concurrent > 0 {
		parts = append(parts, strconv.Itoa(p.Concurrent))
	}
	return strings.Join(parts, ",")
}

// text is String, "" for the zero Policy.
func (p Policy) text() string {
	if p.IsZero() {
		return ""
	}
	return p.String()
}

// String returns the limit as ParsePolicy reads it.
func (l Limit) String() string {
	unit := ""
	if l.Unit == ProcessingUnits {
		unit = "pu"
	}
	period := l.Per.String()
	for _, known := range periods {
		if known.per == l.Per {
			period = known.name
			break
		}
	}
	return strconv.FormatFloat(l.Amount, 'f', -1, 64) + unit + "/" + period
}

// share returns the part of p that a member uses while it can't reach the shared state.
func (p Policy) share(part float64) Policy {
	q := Policy{Limits: slices.Clone(p.Limits)}
	for i := range q.Limits {
		l := &q.Limits[i]
		l.Amount *= part
		if l.Unit == Requests && l.Amount < 1 { // the same rate, one at a time
			l.Per, l.Amount = time.Duration(min(float64(l.Per)/l.Amount, math.MaxInt64/2)), 1
		}
	}
	if p.Concurrent > 0 {
		q.Concurrent = max(1, int(float64(p.Concurrent)*part))
	}
	return q
}

// maxUnits is the most units that one request can reserve, 0 if no limit counts units: a
// request for more than a whole period's units would wait for ever.
func (p Policy) maxUnits() float64 {
	least := math.Inf(1)
	for _, l := range p.Limits {
		if l.Unit == ProcessingUnits {
			least = min(least, l.Amount)
		}
	}
	return least
}
