package apiproxy

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"html/template"
	"net/http"
	"strings"
	"time"
)

//go:embed page.html
var pageText string

//go:embed page.css
var pageStyle string

// A page says what the proxy is and does, without a script and without the token.
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
	}
	return &page{
		template: template.Must(template.New("page").Funcs(funcs).Parse(pageText)),
		policy: "default-src 'none'; img-src data:; style-src 'sha256-" + base64.StdEncoding.EncodeToString(digest[:]) +
			"'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
	}
}

// statusText names a status, nginx's for a client that is gone too.
func statusText(code int) string {
	if code == statusGone {
		return "Client Gone"
	}
	return http.StatusText(code)
}

// roundDuration leaves a duration two or three digits that matter.
func roundDuration(d time.Duration) time.Duration {
	switch {
	case d >= 10*time.Second:
		return d.Round(time.Second)
	case d >= 10*time.Millisecond:
		return d.Round(time.Millisecond)
	}
	return d.Round(10 * time.Microsecond)
}

// wantsPage reports whether the request is a browser's for the page about the proxy.
func wantsPage(r *http.Request) bool {
	return (r.Method == http.MethodGet || r.Method == http.MethodHead) && r.RequestURI == "/" &&
		strings.Contains(r.Header.Get("Accept"), "text/html")
}

// servePage writes the page.
func (p *Proxy) servePage(w http.ResponseWriter) {
	status := p.session.Status()
	byCode, counted := p.history.byCode()
	var body bytes.Buffer
	err := p.page.template.Execute(&body, map[string]any{
		"Upstream":  p.upstream.String(),
		"State":     status.State.String(),
		"Expires":   status.ExpiresAt.UTC(),
		"Remaining": max(0, time.Until(status.ExpiresAt)),
		"LastError": status.LastError,
		"ByCode":    byCode,
		"Counted":   counted,
		"Kept":      uint64(kept),
		"Now":       time.Now().UTC(),
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
