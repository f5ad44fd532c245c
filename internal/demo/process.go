package demo

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"time"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/shm"
)

// A task tells a child of the demo what to be. It comes on standard input, since it
// may hold a secret; when standard input ends, so does the child.
type task struct {
	Role     string
	Segment  string
	API      string
	TokenURL string // this and what follows isn't set for a worker, who needs no credentials
	ClientID string
	Secret   string
}

const (
	roleSharer = "sharer" // shares a token in the segment
	roleWorker = "worker" // collects it for each request
	roleJoin   = "join"   // takes over
)

// A report is what a child of the demo says of one request, or of one new token. Each is a
// line of JSON on standard output.
type report struct {
	Status    int     `json:"status,omitempty"` // the API's answer, 0 for a new token or an error
	Error     string  `json:"error,omitempty"`
	Token     string  `json:"token,omitempty"`      // a digest of the token
	ExpiresAt float64 `json:"expires_at,omitempty"` // of the token
}

func (r report) ok() bool { return r.Status == http.StatusOK }

func (r report) isRequest() bool { return r.Status != 0 || r.Error != "" }

func (r report) String() string {
	if r.Error != "" {
		return r.Error
	}
	return fmt.Sprintf("%d %s", r.Status, http.StatusText(r.Status))
}

func tokenReport(t shsession.Token) report {
	digest := sha256.Sum256([]byte(t.AccessToken()))
	return report{Token: hex.EncodeToString(digest[:4]), ExpiresAt: float64(t.ExpiresAt().UnixMilli()) / 1000}
}

// A caller makes requests to an API.
type caller struct {
	client *http.Client
	url    string
}

func newCaller(url string) caller {
	return caller{&http.Client{Timeout: 5 * time.Second}, url}
}

// call makes one request with the session's token. There is no second try: what
// the demo counts is whether the first was answered.
func (c caller) call(ctx context.Context, session *shsession.Session) report {
	t, err := session.Token(ctx)
	if err != nil {
		return report{Error: err.Error()}
	}
	r := tokenReport(t)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.url, nil)
	if err != nil {
		return report{Error: err.Error()}
	}
	t.SetAuthHeader(req)
	resp, err := c.client.Do(req)
	if err != nil {
		r.Error = err.Error()
		return r
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	r.Status = resp.StatusCode
	if err != nil {
		r.Status, r.Error = 0, err.Error()
	}
	return r
}

// ProcessCommand is the argument with which Run starts this program again: it should then call
// RunProcess.
const ProcessCommand = "demo-process"

// RunProcess is one of the demo's processes. It reads its task from in, and writes its reports to
// out, until in or ctx ends.
func RunProcess(ctx context.Context, in io.Reader, out io.Writer) error {
	var t task
	if err := json.NewDecoder(in).Decode(&t); err != nil {
		return errors.New("this is for `shsession demo` to start")
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		io.Copy(io.Discard, in)
		cancel()
	}()
	encoder := json.NewEncoder(out)
	return t.run(ctx, func(r report) error { return encoder.Encode(r) })
}

// run does the task until ctx is done.
func (t task) run(ctx context.Context, tell func(report) error) error {
	store, err := shm.Open(t.Segment)
	if err != nil {
		return err
	}
	if t.Role == roleWorker {
		return t.work(ctx, tell, func() (*shsession.Session, error) { return shsession.Collect(ctx, store) })
	}
	cfg := shsession.Config{
		ClientID: t.ClientID, ClientSecret: shsession.NewSecret(t.Secret), TokenURL: t.TokenURL,
		Logger: slog.New(slog.DiscardHandler),
	}
	if t.Role == roleSharer {
		cfg.OnToken = func(token shsession.Token) { tell(tokenReport(token)) } // an error will meet the next
	}
	session, err := shsession.Join(cfg, store)
	if err != nil {
		return err
	}
	if t.Role == roleJoin {
		return t.work(ctx, tell, func() (*shsession.Session, error) { return session, nil })
	}
	sharing, err := shsession.Share(ctx, session, store)
	if err != nil {
		return err
	}
	<-ctx.Done()
	return sharing.Close()
}

// work calls the API, each time with the session that the function returns.
func (t task) work(ctx context.Context, tell func(report) error, session func() (*shsession.Session, error)) error {
	caller := newCaller(t.API)
	for paced(ctx) {
		s, err := session()
		var r report
		if err != nil {
			r = report{Error: err.Error()}
		} else {
			r = caller.call(ctx, s)
		}
		if ctx.Err() != nil {
			return nil
		}
		if err := tell(r); err != nil {
			return err
		}
	}
	return nil
}

// pythonWorker is a worker that has nothing but Python's standard library. Its
// arguments are the segment's file and the API's URL.
const pythonWorker = `
import hashlib, json, sys, time, urllib.error, urllib.request
segment, api = sys.argv[1:]
while True:
    with open(segment, "rb") as file:
        token = json.loads(file.read().rstrip(b"\0"))
    bearer = token["access_token"]
    request = urllib.request.Request(api, headers={"Authorization": "Bearer " + bearer})
    try:
        status = urllib.request.urlopen(request, timeout=5).status
    except urllib.error.HTTPError as error:
        status = error.code
    digest = hashlib.sha256(bearer.encode()).hexdigest()[:8]
    print(json.dumps({"status": status, "token": digest, "expires_at": token["expires_at"]}), flush=True)
    time.sleep(0.1)
`
