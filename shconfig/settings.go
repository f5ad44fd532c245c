package shconfig

import (
	"time"

	"github.com/shsession/shsession"
)

// DefaultProfile is the profile in force when none is named.
const DefaultProfile = "default-profile"

// A Key is the name of a setting in config.toml.
type Key string

// The settings that this package uses. Profiles may hold others, which this package
// doesn't change.
const (
	ClientID            Key = "sh_client_id"
	ClientSecret        Key = "sh_client_secret"
	BaseURL             Key = "sh_base_url"
	TokenURL            Key = "sh_token_url"
	MaxDownloadAttempts Key = "max_download_attempts"
	DownloadSleepTime   Key = "download_sleep_time"
	DownloadTimeout     Key = "download_timeout_seconds"
)

// oldAuthURL is the predecessor of TokenURL, without its path /oauth/token. It
// wins over sh_token_url in the Python package, so it does here.
const oldAuthURL Key = "sh_auth_base_url"

// Keys lists the settings in the order of the Python package.
func Keys() []Key {
	return []Key{ClientID, ClientSecret, BaseURL, TokenURL, MaxDownloadAttempts, DownloadSleepTime, DownloadTimeout}
}

// Settings are some or all of a profile's settings. A zero field is not set: the value of
// a lower layer, or of the file, stays.
type Settings struct {
	ClientID     string
	ClientSecret shsession.Secret
	BaseURL      string
	TokenURL     string

	MaxDownloadAttempts int           // at least 1
	DownloadSleepTime   time.Duration // the first wait between attempts; a 0 in the file is read as 1 ns
	DownloadTimeout     time.Duration // of one attempt
}

// defaults are those of the Python package's SHConfig.
func defaults() Settings {
	return Settings{
		BaseURL:             shsession.SentinelHubBaseURL,
		TokenURL:            shsession.SentinelHubTokenURL,
		MaxDownloadAttempts: 4,
		DownloadSleepTime:   5 * time.Second,
		DownloadTimeout:     120 * time.Second,
	}
}
