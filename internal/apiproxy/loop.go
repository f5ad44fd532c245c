package apiproxy

import (
	"crypto/rand"
	"net/http"
	"strings"
)

// loopHeader is the request header that each proxy on the way adds its mark to (RFC 8586
// section 2). Via (RFC 9110 section 7.6.3) has the same purpose, but changes how servers answer:
// nginx doesn't compress its answers to such requests (gzip_proxied).
const loopHeader = "Cdn-Loop"

// newMark returns the name of one proxy in loopHeader. It is random, so that one proxy may
// be the upstream of another.
func newMark() string { return "shsession-" + rand.Text() }

// checkLoop refuses a request that this proxy has sent itself. Each such request would be
// sent again and again, and each time would take two more descriptors.
func (p *Proxy) checkLoop(r *http.Request) *answer {
	if !strings.Contains(strings.Join(r.Header[loopHeader], ","), p.mark) {
		return nil
	}
	p.warnLoop.Do(func() {
		p.logger.Warn("the upstream sends requests back to this proxy: name another upstream", "upstream", p.upstream.Redacted())
	})
	return &answer{http.StatusLoopDetected, "PROXY_LOOP",
		"This request has been here before: the upstream of this proxy, " + p.upstream.Redacted() + ", leads back to it."}
}
