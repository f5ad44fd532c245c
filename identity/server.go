package identity

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"time"
)

// Server is the identity service. Make one with [New]. Any number of goroutines may call its methods at once.
type Server struct {
	opts     Options
	clients  map[string]Client
	lifetime atomic.Int64 // a time.Duration
	keys     keyring
	ledger   ledger
	faults   faultList
	limits   limits
	tally    tally
	mux      *http.ServeMux
}

// New returns a Server, or an error that says which option is wrong. It starts nothing: there is nothing to close. It
// blocks while it reads Options.KeyFile, or makes it.
func New(o Options) (*Server, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	s := &Server{opts: o, clients: make(map[string]Client), keys: newKeyring(o.Key)}
	s.limits = limits{policy: o.Limit, units: o.Units, byClient: make(map[string]*usage)}
	for _, c := range o.Clients {
		if _, dup := s.clients[c.ID]; dup {
			return nil, fmt.Errorf("client %q is given twice", c.ID)
		}
		s.clients[c.ID] = c
	}
	for _, r := range o.Faults {
		s.AddRule(r)
	}
	s.SetLifetime(o.Lifetime)
	s.routes()
	return s, nil
}

// SetLifetime sets the life of tokens issued from now on; 0 or less means [DefaultLifetime].
//
// The API accepts a token for exactly its life. In expires_in and exp the life is rounded down to whole seconds, as in
// Keycloak, and is at least 1.
func (s *Server) SetLifetime(d time.Duration) {
	if d <= 0 {
		d = DefaultLifetime
	}
	s.lifetime.Store(int64(d))
}

// Format implements [fmt.Formatter] so that no verb prints clients' secrets or the key.
func (s *Server) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "identity.Server") }

func (s *Server) routes() {
	s.mux = http.NewServeMux()
	token := s.counted(s.faulty(atToken, s.serveToken))
	// Keycloak dropped the prefix /auth in version 17; Sentinel Hub and CDSE kept it.
	for _, prefix := range []string{"/auth", ""} {
		realm := prefix + "/realms/{realm}"
		s.mux.Handle(realm+"/protocol/openid-connect/token", token)
		s.mux.HandleFunc(realm+"/protocol/openid-connect/revoke", s.serveRevoke)
		s.mux.HandleFunc("GET "+realm+"/protocol/openid-connect/certs", s.serveKeys)
		s.mux.HandleFunc("GET "+realm+"/.well-known/openid-configuration", s.serveDiscovery)
	}
	s.mux.Handle("/oauth/token", token)
	s.mux.HandleFunc("/oauth/tokeninfo", s.serveTokenInfo)

	api := s.faulty(atAPI, s.serveAPI)
	for _, root := range []string{"/api/", "/catalog/", "/process/", "/statistics/", "/configuration/", "/ogc/"} {
		s.mux.Handle(root, api)
	}
	if s.opts.Files != nil {
		s.mux.Handle("/files/", s.faulty(atAPI, s.serveFiles))
	}

	// A web page in a browser must not be able to break a service that tests are using.
	own := http.NewCrossOriginProtection()
	s.mux.HandleFunc("GET /counters", s.serveCounters)
	s.mux.Handle("/faults", own.Handler(http.HandlerFunc(s.serveFaults)))
	s.mux.HandleFunc("GET /{$}", serveIndex)
	s.mux.HandleFunc("/", serveNotFound)
}

// ServeHTTP implements [http.Handler].
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.setDate(w, 0)
	if s.opts.Logger == nil {
		s.mux.ServeHTTP(w, r)
		return
	}
	start := time.Now()
	sw := &statusWriter{ResponseWriter: w}
	defer func() {
		// The path only: a query may hold a secret by mistake.
		s.opts.Logger.LogAttrs(r.Context(), slog.LevelInfo, "request",
			slog.String("method", r.Method), slog.String("path", r.URL.Path),
			slog.Int("status", sw.status), slog.Duration("took", time.Since(start)))
	}()
	s.mux.ServeHTTP(sw, r)
}

// statusWriter remembers the status for the log: 0 if the request ended without an answer.
type statusWriter struct {
	http.ResponseWriter
	status int
}

func (w *statusWriter) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *statusWriter) Write(p []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	return w.ResponseWriter.Write(p)
}

// Unwrap lets [http.ResponseController] reach the writer below.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// now is the service's wall clock. The monotonic reading is dropped: a laptop's sleep ends tokens too.
func (s *Server) now() time.Time { return time.Now().Round(0).Add(s.opts.Skew) }

func (s *Server) setDate(w http.ResponseWriter, skew time.Duration) {
	w.Header().Set("Date", s.now().Add(skew).UTC().Format(http.TimeFormat))
}

// baseURL is the scheme and host under which the client sees this service.
func (s *Server) baseURL(r *http.Request) string {
	switch {
	case s.opts.BaseURL != "":
		return s.opts.BaseURL
	case r.TLS != nil:
		return "https://" + r.Host
	default:
		return "http://" + r.Host
	}
}

// realmURL is the issuer: the base URL and the path up to the realm, with or without /auth as the client wrote it.
func (s *Server) realmURL(r *http.Request) string {
	base := s.baseURL(r)
	if realm := r.PathValue("realm"); realm != "" {
		if strings.HasPrefix(r.URL.Path, "/auth/") {
			base += "/auth"
		}
		return base + "/realms/" + realm
	}
	return base + "/auth/realms/main"
}

func serveIndex(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = io.WriteString(w, `Identity service for development and testing only, never for production.

token      POST /auth/realms/main/protocol/openid-connect/token
           POST /auth/realms/CDSE/protocol/openid-connect/token
discovery  GET  /auth/realms/main/.well-known/openid-configuration
API        any  /api/v1/...   (wants a token)
counters   GET  /counters
faults     GET, POST, DELETE /faults
`)
}

func serveNotFound(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusNotFound, httpError(http.StatusNotFound))
}

// writeJSON writes v, which must be marshalable, and nothing after it.
func writeJSON(w http.ResponseWriter, status int, v any) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false) // messages say <accessToken>
	if err := enc.Encode(v); err != nil {
		http.Error(w, "cannot encode the answer", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(bytes.TrimSuffix(b.Bytes(), []byte("\n")))
}
