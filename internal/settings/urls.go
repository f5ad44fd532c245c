package settings

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/internal/display"
	"github.com/shsession/shsession/internal/netenv"
	"github.com/shsession/shsession/internal/usererror"
	"github.com/shsession/shsession/shconfig"
)

// checkTokenURL refuses some token URLs that a session refuses too, with a hint for users of the
// command.
func checkTokenURL(p shconfig.Profile) error {
	if p.TokenURL == "" {
		return usererror.WithHint(NoTokenURL(p), "it is the address where clients log in; `shsession profile set "+
			display.ShellWord(p.Name)+" --token-url URL` stores it")
	}
	u, err := url.Parse(p.TokenURL)
	if err == nil && u.Scheme == "http" && u.User == nil && u.Host != "" && !netenv.IsLoopback(u.Hostname()) {
		return usererror.WithHint(fmt.Errorf("the token URL %q would send the secret unencrypted", p.TokenURL),
			"use https: plain http is for this machine alone (127.0.0.1, ::1, localhost)")
	}
	return nil
}

// NoTokenURL returns the error of a profile whose base URL is of no known service.
func NoTokenURL(p shconfig.Profile) error {
	return fmt.Errorf("no token URL is known for the base URL %s (from %s): set SH_TOKEN_URL, or sh_token_url in the profile",
		display.URL(p.BaseURL), p.Sources[shconfig.BaseURL])
}

// CheckLogin refuses a profile that a session would refuse. Credentials may be missing.
func CheckLogin(p shconfig.Profile) error {
	if err := checkTokenURL(p); err != nil {
		return err
	}
	cfg := p.Config()
	cfg.ClientID, cfg.ClientSecret = "id", shsession.NewSecret("secret")
	cfg.HTTPClient = &http.Client{}
	_, err := shsession.New(cfg)
	return err
}

// CheckBaseURL refuses a base URL that is not of http or https, or that holds a password.
func CheckBaseURL(text string) error {
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return errors.New("the base URL is not a URL: write https://HOST or http://HOST")
	case u.User != nil:
		return errors.New("the base URL holds a user name or password")
	case u.Scheme != "https" && u.Scheme != "http" || u.Host == "":
		return fmt.Errorf("the base URL %q is not https://HOST or http://HOST", text)
	}
	return nil
}
