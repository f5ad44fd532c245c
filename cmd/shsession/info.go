package main

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/internal/oidcverify"
)

func (a *app) infoCommand() *cobra.Command {
	var (
		asJSON, verify bool
		origin         origin
	)
	cmd := &cobra.Command{
		Use:   "info",
		Short: "Show what the token says of itself",
		Long: `info prints the token's claims: the client and user that it was issued to, by whom,
and until when. They are decoded, not checked; --verify checks the signature
with the keys that the service publishes.`,
		Example: `  shsession info
  shsession info --verify
  shsession info --json                # all claims, as issued`,
		Args: arguments(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			t, err := origin.token(cmd, a, 0)
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
				p, err := a.settings()
				if err != nil {
					return err
				}
				if issuer, err = verifyToken(cmd.Context(), p.TokenURL, t); err != nil {
					return err
				}
			}
			if asJSON {
				_, err = fmt.Fprintf(a.out, "%s\n", claims.Raw)
				return err
			}
			return a.printClaims(claims, issuer)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print all claims as JSON")
	cmd.Flags().BoolVar(&verify, "verify", false, "check the signature with the service's keys (needs the network)")
	origin.flags(cmd)
	return cmd
}

// printClaims prints the claims for people. issuer is whose keys have verified the token, or "".
func (a *app) printClaims(c shsession.Claims, issuer string) error {
	var text strings.Builder
	row := func(name, value string) {
		if value != "" {
			fmt.Fprintf(&text, "%-9s  %s\n", name, printable(value))
		}
	}
	row("client", c.ClientID())
	row("user", c.Subject)
	row("issuer", c.Issuer)
	row("scope", c.Scope)
	row("issued", timeText(c.IssuedAt))
	if !c.ExpiresAt.IsZero() {
		row("expires", timeText(c.ExpiresAt)+", in "+lifeText(time.Until(c.ExpiresAt)))
	}
	if issuer != "" {
		row("signature", "verified with the keys of "+issuer)
	}
	_, err := fmt.Fprint(a.out, text.String())
	return err
}

// verifyToken checks the token's signature and returns whose it is.
func verifyToken(ctx context.Context, tokenURL string, t shsession.Token) (issuer string, err error) {
	// Keycloak's URLs; an issuer read from the token itself would prove nothing.
	issuer, ok := strings.CutSuffix(tokenURL, "/protocol/openid-connect/token")
	if !ok {
		return "", withHint(fmt.Errorf("the issuer can't be told from the token URL %s", tokenURL),
			"--verify needs a token URL that ends with /protocol/openid-connect/token")
	}
	transport, err := shsession.NewHTTPTransport()
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

// clockTolerance is how far two clocks may differ before anybody is told.
const clockTolerance = time.Minute

// compareClocks warns if this machine's clock, which expires_at is by, and the
// service's, which the claims are by, are far apart. It warns once. Of a token without claims it can't tell.
func (a *app) compareClocks(t shsession.Token) {
	c, err := t.Claims()
	if err != nil || c.ExpiresAt.IsZero() || a.compared {
		return
	}
	a.compared = true
	switch ahead := t.ExpiresAt().Sub(c.ExpiresAt); {
	case ahead > clockTolerance:
		a.warn(fmt.Sprintf("this machine's clock is %s ahead of the service's: set it", lifeText(ahead)))
	case ahead < -clockTolerance:
		a.warn(fmt.Sprintf("this machine's clock is %s behind the service's: set it", lifeText(-ahead)))
	}
}

// timeText writes a time for people, "" for the zero time.
func timeText(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Local().Format("2006-01-02 15:04:05 MST")
}

// lifeText writes a duration for people, to the second, or to the hour if it is of days.
func lifeText(d time.Duration) string {
	d = max(d, 0).Round(time.Second)
	if d >= 48*time.Hour {
		hours := d.Round(time.Hour) / time.Hour
		return fmt.Sprintf("%dd%dh", hours/24, hours%24)
	}
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	return text
}
