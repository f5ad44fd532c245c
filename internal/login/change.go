package login

import (
	"context"
	"fmt"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/internal/display"
	"github.com/shsession/shsession/internal/keyring"
	"github.com/shsession/shsession/internal/usererror"
	"github.com/shsession/shsession/shconfig"
)

// A Change is what is stored in a profile, and where.
type Change struct {
	shconfig.Settings
	Keyring bool // the secret goes to the keyring
	Leave   bool // the secret leaves the keyring, if it is there, for config.toml
}

// stay keeps the secret in the keyring if it is there already, unless the change says otherwise.
func (c *Change) stay(before shconfig.Profile) {
	switch isThere := before.Sources[shconfig.ClientSecret] == shconfig.SourceKeyring; {
	case !isThere:
		c.Leave = false
	case !c.Leave && *c != (Change{}):
		c.Keyring = true
	}
}

// summary says what was set, without the secret.
func (c *Change) summary() string {
	text := ""
	add := func(name, value string) {
		if value == "" {
			return
		}
		if text != "" {
			text += ", "
		}
		text += name + " " + display.Line(value)
	}
	add("client id", c.ClientID)
	add("secret", shconfig.Mask(c.ClientSecret.Reveal()))
	switch {
	case c.Keyring:
		text += " in the keyring"
	case c.Leave && c.ClientSecret.IsZero():
		add("secret", "from the keyring")
	}
	add("base URL", c.BaseURL)
	add("token URL", c.TokenURL)
	return text
}

// write writes the change to the profile, which becomes after. Without a new secret, the one that the
// profile has stays, or is moved to the keyring or from there.
func (d *Dialogue) write(ctx context.Context, before, after shconfig.Profile) error {
	c := d.Change
	secret := c.ClientSecret
	if secret.IsZero() && (c.Keyring || c.Leave) {
		var err error
		if secret, err = before.Secret(ctx); err != nil {
			return err
		}
	}
	c.ClientSecret = secret
	if c.Keyring {
		if err := keyring.Set(ctx, after.ClientID, after.TokenURL, secret); err != nil {
			return usererror.WithHint(fmt.Errorf("nothing is written: %w", err), "without --keyring the secret goes to config.toml")
		}
		c.ClientSecret = shsession.NewSecret(shconfig.KeyringSecret)
	}
	err := shconfig.Update(ctx, d.Options.File, func(f *shconfig.File) error { return f.Set(d.Name, c.Settings) })
	if err == nil && c.Leave {
		forgetSecret(ctx, before, d.Output.Warn)
	}
	return err
}

// forgetSecret removes a profile's secret from the keyring, if it is there.
func forgetSecret(ctx context.Context, p shconfig.Profile, warn func(text string)) {
	if p.Sources[shconfig.ClientSecret] != shconfig.SourceKeyring {
		return
	}
	if err := keyring.Delete(ctx, p.ClientID, p.TokenURL); err != nil {
		warn("the secret is still in the keyring: " + err.Error())
	}
}
