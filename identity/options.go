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
	"github.com/shsession/shsession/ratelimit"
)

// The client of a Server whose Options name none.
const (
	DevelopmentID     = "shsession-development"
	DevelopmentSecret = "not-a-secret"
)

// DefaultLifetime is the life of a token if Options.Lifetime is zero.
const DefaultLifetime = time.Hour

// minKeyBits is the least that RS256 allows (RFC 7518 section 3.3).
const minKeyBits = 2048

// Options configure a Server. The zero value works: one client, [DevelopmentID] with [DevelopmentSecret], and tokens
// that live an hour.
type Options struct {
	// Clients are the clients that may log in; the default is the development client.
	Clients []Client

	// Lifetime of the tokens issued, [DefaultLifetime] if zero. It can be changed later with [Server.SetLifetime].
	Lifetime time.Duration

	// Skew is how far the service's clock is ahead of the machine's (behind, if negative). It moves the Date header
	// and the claims iat and exp. It doesn't change how long tokens live, since the API uses the same clock.
	// With the fault "skew" the token endpoint's clock differs from the API's.
	Skew time.Duration

	// Claims are added to every token. They replace claims of the same name.
	Claims map[string]any

	// BaseURL is the scheme and host in the issuer and in the addresses from discovery, for a Server behind a
	// proxy. If empty, they are those of the request.
	BaseURL string

	// Key signs the tokens. If nil, a key of 2048 bits is made when it is first needed, which takes a tenth of a
	// second or so; give many short-lived Servers the same Key.
	Key *rsa.PrivateKey `json:"-"`

	// KeyFile names a file that holds the key, as PKCS #8 in PEM. A later Server with the
	// same file accepts this Server's tokens until they expire or are revoked there. New
	// makes a missing file, with mode 0600, and refuses a file that other users can read or
	// write. Key has to be nil.
	KeyFile string

	// Faults are in force from the start.
	Faults []Rule

	// Limit is the rate limit of each client at the API and the files. A request beyond it is
	// answered 429, with Retry-After in milliseconds. Beyond Limit.Concurrent the answer has
	// "Max session number 4 exceeded" and no Retry-After.
	Limit ratelimit.Policy

	// Units is the cost of each API request in processing units. If it is not 0, it is in the
	// answer's header x-processingunits-spent.
	Units float64

	// Takes is how long each request to the API takes, if it is not refused.
	Takes time.Duration

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

	// Realm is the realm where this client can log in: "main" at Sentinel Hub, "CDSE" at the Copernicus Data Space.
	// If empty, the client can log in at all realms.
	Realm string

	// ExpiresAt, if not zero, is the client's end: from then on it gets invalid_client.
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
	if err := o.Limit.Validate(); err != nil {
		return o, fmt.Errorf("limit: %w", err)
	}
	if !(o.Units >= 0) || o.Takes < 0 {
		return o, fmt.Errorf("%v units or a time of %v for each request make no sense", o.Units, o.Takes)
	}
	if o.KeyFile != "" {
		if o.Key != nil {
			return o, errors.New("there are both a Key and a KeyFile")
		}
		key, err := keyFromFile(o.KeyFile)
		if err != nil {
			return o, err
		}
		o.Key = key
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
