package apiproxy

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"html/template"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/shsession/shsession/internal/tokenendpoint"
	"github.com/shsession/shsession/ratelimit"
)

//go:embed page.html
var pageText string

//go:embed page.css
var pageStyle string

// A page is the page about the proxy, without a script and without the token.
type page struct {
	template *template.Template
	policy   string // Content-Security-Policy
}

func newPage() *page {
	digest := sha256.Sum256([]byte(pageStyle))
	funcs := template.FuncMap{
		"style": func() template.CSS { return template.CSS(pageStyle) },
		"round": roundDuration,
		"text":  statusText,
		"units": func(n float64) string { return strconv.FormatFloat(n, 'f', 2, 64) },
		"time":  func(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") },
	}
	return &page{
		template: template.Must(template.New("page").Funcs(funcs).Parse(pageText)),
		policy: "default-src 'none'; img-src data:; style-src 'sha256-" + base64.StdEncoding.EncodeToString(digest[:]) +
			"'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
	}
}

// statusText names a status, also nginx's 499 for a client that has disconnected.
func statusText(code int) string {
	if code == statusGone {
		return "Client Gone"
	}
	return http.StatusText(code)
}

// roundDuration rounds a duration to two or three digits.
func roundDuration(d time.Duration) time.Duration {
	switch {
	case d >= 10*time.Second:
		return d.Round(time.Second)
	case d >= 10*time.Millisecond:
		return d.Round(time.Millisecond)
	}
	return d.Round(10 * time.Microsecond)
}

// wantsPage reports whether a browser requests the page about the proxy.
func wantsPage(r *http.Request) bool {
	return (r.Method == http.MethodGet || r.Method == http.MethodHead) && r.RequestURI == "/" &&
		strings.Contains(r.Header.Get("Accept"), "text/html")
}

// ownURL returns the URL of the proxy for the page's reader. It leaves out a port that is no
// number: the page shows the URL in lines for a shell.
func ownURL(r *http.Request) string {
	scheme, host := "http", canonicalHost(r.Host)
	if r.TLS != nil || r.Header.Get("X-Forwarded-Proto") == "https" { // a server with TLS stands before it
		scheme = "https"
	}
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	if _, port, err := net.SplitHostPort(r.Host); err == nil {
		if _, err := strconv.ParseUint(port, 10, 16); err == nil {
			host += ":" + port
		}
	}
	return scheme + "://" + host
}

// servePage writes the page.
func (p *Proxy) servePage(w http.ResponseWriter, r *http.Request) {
	byCode, counted := p.history.byCode()
	status := p.session.Status()
	var logins tokenendpoint.Status
	if p.opts.Logins != nil {
		logins = p.opts.Logins()
	}
	var limit *ratelimit.Status // nil without one
	if p.opts.Limiter != nil {
		now := p.opts.Limiter.Status()
		limit = &now
	}
	var body bytes.Buffer
	err := p.page.template.Execute(&body, map[string]any{
		"Upstream": p.upstream.String(),
		"Self":     ownURL(r),
		"Token":    newTokenView(status),
		"Session":  status,
		"Renewals": max(status.Renewals, 1) - 1, // of the first token
		"Failures": status.Failures.Refused + status.Failures.Endpoint() + status.Failures.Store,
		"Logins":   logins,
		"Limit":    limit,
		"Hour":     newHourView(p.history.lastHour()),
		"ByCode":   byCode,
		"Counted":  counted,
		"Kept":     uint64(kept),
		"Now":      time.Now(),
	})
	if err != nil {
		p.logger.Error("the page about the proxy can't be made", "error", err)
		(&answer{http.StatusInternalServerError, "PROXY_PAGE", "The page about this proxy can't be made."}).write(w)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", p.page.policy)
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Add("Vary", "Accept")
	_, _ = body.WriteTo(w) // a client that is gone needs no page
}
