package main

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/shconfig"
)

// checkTokenURL says what the command's users can do about a token URL that a session refuses. What a
// session says well by itself is left to it.
func checkTokenURL(p shconfig.Profile) error {
	if p.TokenURL == "" {
		return withHint(noTokenURL(p), "it is the address where clients log in; `shsession profile set "+shellWord(p.Name)+" --token-url URL` stores it")
	}
	u, err := url.Parse(p.TokenURL)
	if err == nil && u.Scheme == "http" && u.User == nil && u.Host != "" && !isLoopback(u.Hostname()) {
		return withHint(fmt.Errorf("the token URL %q would send the secret unencrypted", p.TokenURL),
			"use https: plain http is for this machine alone (127.0.0.1, ::1, localhost)")
	}
	return nil
}

func noTokenURL(p shconfig.Profile) error {
	return fmt.Errorf("no token URL is known for the base URL %s (from %s): set SH_TOKEN_URL, or sh_token_url in the profile",
		withoutPassword(p.BaseURL), p.Sources[shconfig.BaseURL])
}

// checkLogin refuses what a session would refuse of a profile, apart from missing credentials.
func checkLogin(p shconfig.Profile) error {
	if err := checkTokenURL(p); err != nil {
		return err
	}
	cfg := p.Config()
	cfg.ClientID, cfg.ClientSecret = "id", shsession.NewSecret("secret")
	cfg.HTTPClient = &http.Client{}
	_, err := shsession.New(cfg)
	return err
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}

func checkBaseURL(text string) error {
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return errors.New("the base URL is not a URL")
	case u.User != nil:
		return errors.New("the base URL holds a user name or password")
	case u.Scheme != "https" && u.Scheme != "http" || u.Host == "":
		return fmt.Errorf("the base URL %q is not https://HOST or http://HOST", text)
	}
	return nil
}

// withoutPassword writes a URL for people.
func withoutPassword(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return "[not a URL]"
	}
	return u.Redacted()
}
