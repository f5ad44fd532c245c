package shsession

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/shsession/shsession/internal/netenv"
	"github.com/shsession/shsession/internal/services"
)

// The services, each a base URL and the token URL that goes with it. Each service refuses
// the other's credentials.
const (
	SentinelHubBaseURL  = "https://services.sentinel-hub.com"
	SentinelHubTokenURL = "https://services.sentinel-hub.com/auth/realms/main/protocol/openid-connect/token"
	CDSEBaseURL         = "https://sh.dataspace.copernicus.eu"
	CDSETokenURL        = "https://identity.dataspace.copernicus.eu/auth/realms/CDSE/protocol/openid-connect/token"
)

// knownServices is what is known of the services.
var knownServices = services.Known{
	SentinelHub: services.Service{BaseURL: SentinelHubBaseURL, TokenURL: SentinelHubTokenURL},
	CDSE:        services.Service{BaseURL: CDSEBaseURL, TokenURL: CDSETokenURL},
}

const (
	// DefaultRefreshBeforeExpiry is how long before its expiry a token is renewed when
	// [Config] doesn't say: 120 s, Python's DEFAULT_SECONDS_BEFORE_EXPIRY.
	DefaultRefreshBeforeExpiry = 120 * time.Second

	// Never, as [Config].RefreshBeforeExpiry, fetches one token and doesn't renew it:
	// Python's refresh_before_expiry=None.
	Never time.Duration = -1

	// DefaultMaxAttempts, DefaultRetryWait and DefaultTimeout stand for zero fields of
	// [Config]. The first two are the Python package's.
	DefaultMaxAttempts = 4
	DefaultRetryWait   = 5 * time.Second
	DefaultTimeout     = 30 * time.Second
)

// Config says where to log in, as whom, and how. ClientID and a secret are required;
// every other field has a useful zero value. A Config shows no secret when it is printed,
// logged or marshalled.
type Config struct {
	// ClientID and ClientSecret are OAuth 2.0 client credentials (RFC 6749 section 4.4).
	// They are sent in the request body.
	ClientID     string
	ClientSecret Secret

	// ReadSecret, if not nil, returns the client secret in place of ClientSecret. It is
	// called before each login, and once more when the credentials were refused, so that a
	// secret can be rotated while the program runs. During the wait after a refusal, calls of
	// Token call it too, once a second at most, and a changed secret is tried at once. ctx
	// ends after Timeout.
	ReadSecret func(ctx context.Context) (Secret, error) `json:"-"`

	// Token, if not zero, is the token that the session starts with, such as one from another
	// program. The session renews it before it expires.
	Token Token `json:"-"`

	// BaseURL is the service, and TokenURL its token endpoint. One known URL implies the
	// other; the default is Sentinel Hub. TokenURL is https, or http on the loopback
	// interface; AllowHTTP permits other http.
	BaseURL  string
	TokenURL string

	// RefreshBeforeExpiry is how long before its expiry a token is renewed. It is capped
	// at half of a token's life. 0 means DefaultRefreshBeforeExpiry; Never, or any value
	// below zero, means that tokens aren't renewed.
	RefreshBeforeExpiry time.Duration

	// MaxAttempts bounds the requests for one token when there is no valid token. The waits
	// between them are RetryWait, three times RetryWait, nine times, with jitter, and at
	// most a minute. Timeout bounds one request. 0 means the defaults above.
	MaxAttempts int
	RetryWait   time.Duration
	Timeout     time.Duration

	// AllowHTTP permits a plain http TokenURL that is not on the loopback interface, and
	// a token in such requests of a Client or Transport. Others can then read the secret
	// and the token on the network.
	AllowHTTP bool

	// HTTPClient sends the token requests; its Timeout and CheckRedirect are not used.
	// nil means a client with proxy and CA files from the environment (HTTPS_PROXY,
	// NO_PROXY; SSL_CERT_FILE, REQUESTS_CA_BUNDLE, CURL_CA_BUNDLE), and without idle
	// connections.
	HTTPClient *http.Client `json:"-"`

	// Logger gets a record of each login (debug) and each failure (warning), without
	// secrets. nil means slog.Default(). The session doesn't wait for the Logger: records
	// are queued. While the Logger blocks, records beyond the queue are dropped and counted.
	Logger *slog.Logger `json:"-"`

	// OnToken, if not nil, is called with each new token, after the callers have the token,
	// on a goroutine of its own and without a lock held. It may block, use the session and
	// close its Sharing.
	OnToken func(Token) `json:"-"`
}

// SentinelHub returns a Config for services.sentinel-hub.com.
func SentinelHub(clientID string, secret Secret) Config {
	return Config{ClientID: clientID, ClientSecret: secret, BaseURL: SentinelHubBaseURL, TokenURL: SentinelHubTokenURL}
}

// CDSE returns a Config for the Copernicus Data Space Ecosystem.
func CDSE(clientID string, secret Secret) Config {
	return Config{ClientID: clientID, ClientSecret: secret, BaseURL: CDSEBaseURL, TokenURL: CDSETokenURL}
}

// withDefaults returns the config with its zero fields filled in, or an error that says
// what is missing or wrong.
func (c Config) withDefaults() (Config, error) {
	if c.ClientID == "" || c.ClientSecret.IsZero() && c.ReadSecret == nil {
		return c, ErrNoCredentials
	}
	c.RefreshBeforeExpiry = orDefault(c.RefreshBeforeExpiry, DefaultRefreshBeforeExpiry)
	c.MaxAttempts = orDefault(c.MaxAttempts, DefaultMaxAttempts)
	c.RetryWait = orDefault(c.RetryWait, DefaultRetryWait)
	c.Timeout = orDefault(c.Timeout, DefaultTimeout)
	c.Logger = orDefault(c.Logger, slog.Default())
	if c.MaxAttempts < 0 || c.RetryWait < 0 || c.Timeout < 0 {
		return c, errors.New("MaxAttempts, RetryWait and Timeout can't be negative")
	}
	if err := c.pairURLs(); err != nil {
		return c, err
	}
	if err := knownServices.CheckTokenURL(c.TokenURL, c.AllowHTTP); err != nil {
		return c, err
	}
	if own := (Account{Issuer: knownServices.IssuerOf(c.TokenURL), ClientID: c.ClientID}); !c.Token.Account().Matches(own) {
		return c, fmt.Errorf("Config.Token is of %v, and the credentials are of %v", c.Token.Account(), own)
	}
	if c.HTTPClient == nil {
		c.HTTPClient = &http.Client{Transport: netenv.ForLogins()}
	}
	return c, nil
}

func orDefault[T comparable](v, def T) T {
	var zero T
	if v == zero {
		return def
	}
	return v
}

// pairURLs fills in the URL that the other one implies.
func (c *Config) pairURLs() error {
	switch {
	case c.BaseURL == "" && c.TokenURL == "":
		c.BaseURL, c.TokenURL = SentinelHubBaseURL, SentinelHubTokenURL
	case c.TokenURL == "":
		c.TokenURL = TokenURLFor(c.BaseURL)
		if c.TokenURL == "" {
			return fmt.Errorf("no token URL is known for base URL %q: set TokenURL", c.BaseURL)
		}
	case c.BaseURL == "":
		c.BaseURL = knownServices.Of(c.TokenURL).BaseURL
	}
	return nil
}

// TokenURLFor returns the token URL that goes with the base URL of a known service, ""
// for any other.
func TokenURLFor(baseURL string) string {
	return knownServices.Of(baseURL).TokenURL
}

// MixedPair reports whether one URL belongs to Sentinel Hub and the other to the
// Copernicus Data Space, where each refuses the other's credentials.
func MixedPair(baseURL, tokenURL string) bool {
	return knownServices.AreMixed(baseURL, tokenURL)
}
