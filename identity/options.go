package identity

import (
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"net/url"
	"strings"
	"time"

	"github.com/shsession/shsession"
)

// The client of a Server whose Options name none.
const (
	DevelopmentID     = "shsession-development"
	DevelopmentSecret = "not-a-secret"
)

// DefaultLifetime is the life of a token when nothing else is said.
const DefaultLifetime = time.Hour

// minKeyBits is the least that RS256 allows (RFC 7518 section 3.3).
const minKeyBits = 2048

// Options configure a Server. The zero value works: one client, [DevelopmentID] with [DevelopmentSecret], and tokens
// that live an hour.
type Options struct {
	// Clients may log in. If there are none, the development client may.
	Clients []Client

	// Lifetime of the tokens issued, [DefaultLifetime] if zero. It can be changed later with [Server.SetLifetime].
	Lifetime time.Duration

	// Skew is how far the service's clock is ahead of the machine's (behind, if negative). It moves the Date header
	// and the claims iat and exp. Tokens live as long as they would without it, since the API looks at the same clock;
	// the fault "skew" is a token endpoint whose clock differs from the API's.
	Skew time.Duration

	// Claims are added to those of every token and replace the ones of the same name.
	Claims map[string]any

	// BaseURL is the scheme and host in the issuer and in the addresses that discovery gives, for a Server behind
	// a proxy. If empty, they are those of the request.
	BaseURL string

	// Key signs the tokens. If nil, a key of 2048 bits is made when it is first needed, which takes a tenth of a
	// second or so; give many short-lived Servers the same Key.
	Key *rsa.PrivateKey `json:"-"`

	// Faults are in force from the start.
	Faults []Rule

	// Files, if not nil, are served under /files/ to requests with a valid token.
	// Range requests work where the FS's files are io.Seekers, as those of os.DirFS and embed.FS are.
	Files fs.FS `json:"-"`

	// AllowRemote lets ListenAndServe listen on an address that other machines can reach.
	AllowRemote bool

	// Logger gets one line a request, without secrets. If nil, nothing is logged.
	Logger *slog.Logger `json:"-"`
}

// Client is a program that may log in.
type Client struct {
	ID     string
	Secret shsession.Secret

	// Realm is the only realm that knows this client: "main" at Sentinel Hub, "CDSE" at the Copernicus Data Space.
	// If empty, all do.
	Realm string

	// ExpiresAt, if not zero, is when the client stops existing: from then on it gets invalid_client.
	ExpiresAt time.Time
}

// withDefaults returns a copy of o that shares nothing the caller could change, with its defaults filled in.
func (o Options) withDefaults() (Options, error) {
	if len(o.Clients) == 0 {
		o.Clients = []Client{{ID: DevelopmentID, Secret: shsession.NewSecret(DevelopmentSecret)}}
	}
	for _, c := range o.Clients {
		if c.ID == "" || c.Secret.IsZero() {
			return o, fmt.Errorf("client %q needs both an id and a secret", c.ID)
		}
	}
	if o.Lifetime < 0 {
		return o, fmt.Errorf("lifetime %v is negative", o.Lifetime)
	}
	if o.Key != nil && o.Key.N.BitLen() < minKeyBits {
		return o, fmt.Errorf("key has %d bits, RS256 needs %d", o.Key.N.BitLen(), minKeyBits)
	}
	if o.BaseURL != "" {
		u, err := url.Parse(o.BaseURL)
		if err != nil {
			return o, fmt.Errorf("base URL: %w", err)
		}
		if u.Scheme == "" || u.Host == "" {
			return o, errors.New("base URL needs a scheme and a host, as in https://example.org")
		}
		o.BaseURL = strings.TrimRight(o.BaseURL, "/")
	}
	if _, err := json.Marshal(o.Claims); err != nil {
		return o, fmt.Errorf("claims: %w", err)
	}
	o.Claims = maps.Clone(o.Claims)
	return o, nil
}
