package shsession

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// The services, each a base URL and the token URL that goes with it. Credentials of one
// are refused by the other.
const (
	SentinelHubBaseURL  = "https://services.sentinel-hub.com"
	SentinelHubTokenURL = "https://services.sentinel-hub.com/auth/realms/main/protocol/openid-connect/token"
	CDSEBaseURL         = "https://sh.dataspace.copernicus.eu"
	CDSETokenURL        = "https://identity.dataspace.copernicus.eu/auth/realms/CDSE/protocol/openid-connect/token"
)

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

// Config says where to log in, as whom, and how. ClientID and ClientSecret are required;
// every other field has a useful zero value. A Config shows no secret when it is printed,
// logged or marshalled.
type Config struct {
	// ClientID and ClientSecret are OAuth 2.0 client credentials (RFC 6749 section 4.4).
	// They are sent in the request body.
	ClientID     string
	ClientSecret Secret

	// BaseURL is the service's, and TokenURL its token endpoint. One known URL implies
	// the other; with neither it is Sentinel Hub. TokenURL is https, or http on the
	// loopback interface, unless AllowHTTP.
	BaseURL  string
	TokenURL string

	// RefreshBeforeExpiry is how long before its expiry a token is renewed. It is capped
	// at half of a token's life. 0 means DefaultRefreshBeforeExpiry; Never, or anything
	// below zero, means not at all.
	RefreshBeforeExpiry time.Duration

	// MaxAttempts bounds the requests made for one token when no valid one is left; the
	// wait between them is RetryWait, three times that, nine times, with jitter, and at
	// most a minute. Timeout bounds one request. 0 means the defaults above.
	MaxAttempts int
	RetryWait   time.Duration
	Timeout     time.Duration

	// AllowHTTP permits a plain http TokenURL that is not on the loopback interface, and
	// a token in such requests of a Client or Transport. The secret and the token can
	// then be read on the way.
	AllowHTTP bool

	// HTTPClient sends the token requests; its Timeout and CheckRedirect are not used.
	// nil means a client with proxy and CA files from the environment (HTTPS_PROXY,
	// NO_PROXY; SSL_CERT_FILE, REQUESTS_CA_BUNDLE, CURL_CA_BUNDLE), and without idle
	// connections.
	HTTPClient *http.Client `json:"-"`

	// Logger gets a record of each login (debug), each failure (warning) and nothing
	// secret. nil means slog.Default().
	Logger *slog.Logger `json:"-"`

	// OnToken, if not nil, is called with each new token, outside every lock and after
	// the callers have it, on a goroutine of its own: it may block, and may use the
	// session and close its Sharing.
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
	if c.ClientID == "" || c.ClientSecret.IsZero() {
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
	if err := checkTokenURL(c.TokenURL, c.AllowHTTP); err != nil {
		return c, err
	}
	if c.HTTPClient == nil {
		c.HTTPClient = defaultHTTPClient()
	}
	return c, nil
}

// longestLogin is how long a login takes at most, with all its attempts and the waits
// between them.
func (c Config) longestLogin() time.Duration {
	total, wait := c.Timeout, c.RetryWait
	for range c.MaxAttempts - 1 {
		total += c.Timeout + time.Duration(float64(wait)*(1+jitter))
		wait = min(3*wait, maxWait)
	}
	return total
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
	case c.BaseURL == "" && isCDSE(c.TokenURL):
		c.BaseURL = CDSEBaseURL
	case c.BaseURL == "" && isSentinelHub(c.TokenURL):
		c.BaseURL = SentinelHubBaseURL
	}
	return nil
}

// TokenURLFor returns the token URL that goes with the base URL of a known service, ""
// for any other.
func TokenURLFor(baseURL string) string {
	switch {
	case isCDSE(baseURL):
		return CDSETokenURL
	case isSentinelHub(baseURL):
		return SentinelHubTokenURL
	}
	return ""
}

// MixedPair reports whether one URL belongs to Sentinel Hub and the other to the
// Copernicus Data Space, where each refuses the other's credentials.
func MixedPair(baseURL, tokenURL string) bool {
	return isCDSE(baseURL) && isSentinelHub(tokenURL) || isSentinelHub(baseURL) && isCDSE(tokenURL)
}

func isCDSE(rawURL string) bool { return inDomain(rawURL, "dataspace.copernicus.eu") }

func isSentinelHub(rawURL string) bool { return inDomain(rawURL, "sentinel-hub.com") }

func inDomain(rawURL, domain string) bool {
	u, err := url.Parse(rawURL)
	if err != nil {
		return false
	}
	host := strings.ToLower(u.Hostname())
	return host == domain || strings.HasSuffix(host, "."+domain)
}

// checkTokenURL refuses URLs that would send the secret where it shouldn't go. Its errors
// don't repeat the URL where that could hold a password.
func checkTokenURL(rawURL string, allowHTTP bool) error {
	u, err := url.Parse(rawURL)
	switch {
	case err != nil:
		return errors.New("the token URL is not a URL")
	case u.User != nil:
		return errors.New("the token URL holds a user name or password: give them as client id and secret")
	case u.Host == "":
		return fmt.Errorf("the token URL %q has no host", rawURL)
	case u.Scheme != "https" && u.Scheme != "http":
		return fmt.Errorf("the token URL %q is neither https nor http", rawURL)
	case u.Scheme == "http" && !allowHTTP && !isLoopback(u.Hostname()):
		return fmt.Errorf("the token URL %q would send the secret unencrypted: use https, or AllowHTTP if that is meant", rawURL)
	case strings.EqualFold(u.Hostname(), "sh.dataspace.copernicus.eu"):
		return fmt.Errorf("%q is not a token URL (it answers 503): the Copernicus Data Space's is %s", rawURL, CDSETokenURL)
	}
	return nil
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}
