package apiproxy

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// parseUpstream reads the base URL. Its errors don't repeat a URL that could hold a password.
func parseUpstream(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	switch {
	case text == "":
		return nil, errors.New("there is no upstream to forward to")
	case err != nil:
		return nil, errors.New("the upstream is not a URL")
	case u.User != nil:
		return nil, errors.New("the upstream's URL holds a user name or password, and it's the token that goes there")
	case u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "":
		return nil, fmt.Errorf("the upstream %q is no https or http URL with a host", text)
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return nil, fmt.Errorf("the upstream %q has a query or a fragment, and should be a base URL", text)
	case leadsOut(u.Path):
		return nil, fmt.Errorf("the upstream %q has dot segments or a double slash in its path", text)
	}
	u.Path = strings.TrimSuffix(u.Path, "/")
	u.RawPath = strings.TrimSuffix(u.RawPath, "/")
	return u, nil
}

// checkTarget refuses requests that aren't for the upstream, and requests under a name that isn't
// the proxy's, which a web page can make a browser send.
func (p *Proxy) checkTarget(r *http.Request) *answer {
	switch {
	case r.Method == http.MethodConnect || r.Method == http.MethodTrace: // TRACE would show the token
		return &answer{http.StatusMethodNotAllowed, "PROXY_METHOD", r.Method + " isn't passed on."}
	case !strings.HasPrefix(r.RequestURI, "/"):
		return &answer{http.StatusBadRequest, "PROXY_TARGET",
			"This is no forward proxy: it takes requests for a path, and passes them on to " + p.upstream.Redacted() + "."}
	case !p.isOwnHost(r):
		return &answer{http.StatusMisdirectedRequest, "PROXY_HOST",
			"This proxy isn't known by that Host name. If it should be, allow the name when starting it."}
	case leadsOut(r.URL.Path):
		return &answer{http.StatusBadRequest, "PROXY_PATH", "The path has dot segments or starts with a double slash."}
	}
	return nil
}

// leadsOut reports whether a server might read path as a path outside of the directory that it is
// joined to, or at another host. Some servers decode twice, take backslashes for slashes, or drop
// parameters (RFC 3986 section 3.3) from a segment.
func leadsOut(path string) bool {
	for range 3 {
		slashed := strings.ReplaceAll(path, `\`, "/")
		if strings.HasPrefix(slashed, "//") {
			return true
		}
		for segment := range strings.SplitSeq(slashed, "/") {
			name, _, _ := strings.Cut(segment, ";")
			if name == "." || name == ".." {
				return true
			}
		}
		decoded, err := url.PathUnescape(path)
		if err != nil || decoded == path {
			return false
		}
		path = decoded
	}
	return true // a path that is encoded so often is an attack
}
