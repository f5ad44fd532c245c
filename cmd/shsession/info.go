package main

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/internal/display"
	"github.com/shsession/shsession/internal/endpointprofile"
	"github.com/shsession/shsession/internal/netenv"
	"github.com/shsession/shsession/internal/oidcverify"
	"github.com/shsession/shsession/internal/usererror"
	"github.com/shsession/shsession/shconfig"
)

func (a *app) infoCommand() *cobra.Command {
	var (
		asJSON, verify bool
		from           tokenFrom
	)
	cmd := &cobra.Command{
		Use:   "info",
		Short: "Show the token's claims: client, user, issuer and end",
		Long: `info prints the token's claims: its client, its user, its issuer and when it expires.
info decodes the claims and doesn't check them. --verify checks the signature with
the keys that the service publishes.`,
		Example: `  shsession info
  shsession info --verify
  shsession info --json                # all claims, as issued`,
		Args: arguments(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			t, err := from.token(cmd, a, 0)
			if err != nil {
				return err
			}
			claims, err := t.Claims()
			if err != nil {
				return err
			}
			a.compareClocks(t)
			var issuer string
			if verify {
				p, err := a.settings.Profile()
				if err != nil {
					return err
				}
				if issuer, err = verifyToken(cmd.Context(), p, t); err != nil {
					return err
				}
			}
			if asJSON {
				_, err = fmt.Fprintf(a.Out, "%s\n", claims.Raw)
				return err
			}
			_, err = fmt.Fprint(a.Out, display.Claims(claims, issuer))
			return err
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print all claims as JSON")
	cmd.Flags().BoolVar(&verify, "verify", false, "check the signature with the service's keys (needs the network)")
	from.flags(cmd)
	return cmd
}

// verifyToken checks the token's signature and returns the issuer.
func verifyToken(ctx context.Context, p shconfig.Profile, t shsession.Token) (issuer string, err error) {
	issuer = issuerOf(p, t)
	if issuer == "" {
		return "", usererror.WithHint(fmt.Errorf("the issuer can't be told from the token URL %s", display.URL(p.TokenURL)),
			"--verify needs a token URL that ends with "+keycloakPath)
	}
	transport, err := netenv.Transport()
	if err != nil {
		return "", err
	}
	defer transport.CloseIdleConnections()
	ctx, cancel := context.WithTimeout(ctx, shsession.DefaultTimeout)
	defer cancel()
	if _, err := oidcverify.Verify(ctx, &http.Client{Transport: transport}, issuer, t.AccessToken()); err != nil {
		return "", err
	}
	return issuer, nil
}

// keycloakPath is what follows the issuer in the token URL of a Keycloak realm.
const keycloakPath = "/protocol/openid-connect/token"

// issuerOf returns the issuer that a token should have, "" if the issuer isn't known. The issuer
// follows from the token URL or, at the endpoint of a share, from the service's base URL. The
// issuer in the token itself proves nothing. It is used only at the endpoint of a share of an
// unknown service: there the user trusts the endpoint.
func issuerOf(p shconfig.Profile, t shsession.Token) string {
	tokenURL := p.TokenURL
	if endpointprofile.IsOne(p.Name) {
		tokenURL = shsession.TokenURLFor(p.BaseURL)
		if tokenURL == "" {
			return t.Account().Issuer
		}
	}
	issuer, isKeycloak := strings.CutSuffix(tokenURL, keycloakPath)
	if !isKeycloak {
		return ""
	}
	return issuer
}

// clockTolerance is how far two clocks may differ without a warning.
const clockTolerance = time.Minute

// compareClocks warns, once, if this machine's clock, which set expires_at, and the service's
// clock, which set the claims, are far apart. It ignores a token without claims.
func (a *app) compareClocks(t shsession.Token) {
	c, err := t.Claims()
	if err != nil || c.ExpiresAt.IsZero() || a.compared {
		return
	}
	a.compared = true
	switch ahead := t.ExpiresAt().Sub(c.ExpiresAt); {
	case ahead > clockTolerance:
		a.Warn(fmt.Sprintf("this machine's clock is %s ahead of the service's: set it", display.Life(ahead)))
	case ahead < -clockTolerance:
		a.Warn(fmt.Sprintf("this machine's clock is %s behind the service's: set it", display.Life(-ahead)))
	}
}
