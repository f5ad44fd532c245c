package identity

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"time"
)

// unauthorized is what both services say to a request without a valid token.
const unauthorized = "You are not authorized! Please provide a valid access token within the header " +
	"[Authorization: Bearer <accessToken>] of your request."

// apiError is the shape of most API errors.
type apiError struct {
	Status  int    `json:"status"`
	Reason  string `json:"reason"`
	Message string `json:"message"`
	Code    string `json:"code"`
}

// catalogError is the shape of the catalogue's errors.
type catalogError struct {
	Code        int    `json:"code"`
	Description string `json:"description"`
}

// apiAnswer is the answer to an API request, with the caller's name. It stands for the real API's answer.
type apiAnswer struct {
	Status    int     `json:"status"`
	Method    string  `json:"method"`
	Path      string  `json:"path"`
	ClientID  string  `json:"client_id"`
	Remaining float64 `json:"remaining"` // of the token's life, in seconds
}

// serveAPI answers any request that has a valid token.
func (s *Server) serveAPI(w http.ResponseWriter, r *http.Request, _ Fault) {
	g, ok := s.admit(w, r)
	if !ok {
		return
	}
	s.limited(w, g.client, func() {
		s.spent(w)
		if s.opts.Takes > 0 {
			delay(w, r, s.opts.Takes)
		}
		writeJSON(w, http.StatusOK, apiAnswer{
			Status: http.StatusOK, Method: r.Method, Path: r.URL.Path, ClientID: g.client,
			Remaining: g.expires.Sub(s.now()).Round(time.Millisecond).Seconds(),
		})
	})
}

// serveFiles serves Options.Files to requests that have a valid token.
func (s *Server) serveFiles(w http.ResponseWriter, r *http.Request, _ Fault) {
	if g, ok := s.admit(w, r); ok {
		s.limited(w, g.client, func() {
			http.StripPrefix("/files", http.FileServerFS(s.opts.Files)).ServeHTTP(w, r)
		})
	}
}

// admit looks up the token of r; if there is no valid one it answers 401 and returns false.
func (s *Server) admit(w http.ResponseWriter, r *http.Request) (grant, bool) {
	g, ok := s.find(bearer(r))
	s.tally.add(func(c *Counters) {
		if ok {
			c.APIAuthorized++
		} else {
			c.APIUnauthorized++
		}
	})
	if !ok {
		writeUnauthorized(w, r)
	}
	return g, ok
}

func writeUnauthorized(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.URL.Path, "/api/v1/catalog") || strings.HasPrefix(r.URL.Path, "/catalog/") {
		writeJSON(w, http.StatusUnauthorized, catalogError{http.StatusUnauthorized, unauthorized})
		return
	}
	writeJSON(w, http.StatusUnauthorized, apiError{http.StatusUnauthorized, "Unauthorized", unauthorized, "COMMON_UNAUTHORIZED"})
}

// bearer returns the token in the Authorization header (RFC 6750 section 2.1), or "".
func bearer(r *http.Request) string {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}

// serveTokenInfo answers with the claims of a valid token, taken from the Authorization header or the POST form field
// access_token. The old service took it from the query, /oauth/tokeninfo?access_token=…: that way it is written into the
// logs of every proxy and into shell histories, so here it is not looked for.
func (s *Server) serveTokenInfo(w http.ResponseWriter, r *http.Request) {
	token := bearer(r)
	if token == "" && r.Method == http.MethodPost {
		form, err := postForm(w, r)
		if err != nil {
			writeOAuthError(w, err)
			return
		}
		token = form.Get("access_token")
	}
	if _, ok := s.find(token); !ok {
		writeUnauthorized(w, r)
		return
	}
	payload, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[1]) // ours, so it has three parts
	if err != nil {
		writeOAuthError(w, err)
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	writeJSON(w, http.StatusOK, json.RawMessage(payload))
}
