// Package login makes, changes and removes profiles in config.toml: it asks for a client's
// credentials, tries them, and stores them in the file or in the system's keyring.
//
// Questions are asked at a terminal only. Elsewhere the secret is the first line of standard input,
// and flags have to answer the other questions.
package login

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/internal/cache"
	"github.com/shsession/shsession/internal/display"
	"github.com/shsession/shsession/internal/endpointprofile"
	"github.com/shsession/shsession/internal/logs"
	"github.com/shsession/shsession/internal/prompt"
	"github.com/shsession/shsession/internal/usererror"
	"github.com/shsession/shsession/shconfig"
)

// A Dialogue makes or changes one profile, once.
type Dialogue struct {
	In      io.Reader        // what the user answers
	Output  *logs.Output     // gets the questions, the result and warnings
	Command string           // the command that runs, such as "shsession login", for hints
	Options shconfig.Options // config.toml and the preset
	Name    string           // the profile's
	Change  Change           // what the flags say; the answers are added to it
}

// usage returns a mistake in the use of the command.
func (d *Dialogue) usage(format string, args ...any) error {
	return usererror.OfUse(d.Command, fmt.Errorf(format, args...))
}

// LogIn asks for what the change lacks, logs in with it, writes it, and says who has logged in. If the
// login fails, nothing is written. attempt returns the context of one attempt to log in. The new token
// is returned even if standard output can't be written.
func (d *Dialogue) LogIn(ctx context.Context, attempt func(context.Context) (context.Context, context.CancelFunc)) (shsession.Token, error) {
	var none shsession.Token
	if endpointprofile.IsOne(d.Name) {
		return none, usererror.WithHint(errors.New("this is the command of a share, which logs in at the share's endpoint"),
			"log in outside of it, or name another --profile")
	}
	file, err := shconfig.Open(d.Options.File)
	if err != nil {
		return none, err
	}
	before, err := profileIn(file, d.Name)
	if err != nil {
		return none, err
	}
	if err := d.askAccount(ctx, before); err != nil {
		return none, err
	}
	d.Change.stay(before)
	_, after, err := tryProfile(file, d.Name, d.Change.Settings)
	if err != nil {
		return none, err
	}
	if before.ClientID != after.ClientID || before.TokenURL != after.TokenURL {
		before = shconfig.Profile{} // its secret is another client's
	}
	t, err := d.tryCredentials(ctx, before, after, attempt)
	if err != nil {
		return none, err
	}
	if err := d.write(ctx, before, after); err != nil {
		return none, err
	}
	return t, d.loggedIn(file.Path(), after, t)
}

// tries is how often a secret is asked for at a terminal.
const tries = 3

// tryCredentials asks for the secret, adds it to the change, and logs in with it. At a terminal a
// refused secret is asked for again.
func (d *Dialogue) tryCredentials(ctx context.Context, before, after shconfig.Profile, attempt func(context.Context) (context.Context, context.CancelFunc)) (shsession.Token, error) {
	for try := 1; ; try++ {
		secret, err := d.askSecret(ctx, before)
		if err != nil {
			return shsession.Token{}, err
		}
		d.Change.ClientSecret = secret
		cfg := after.Config()
		cfg.Logger = d.Output.Logger()
		cfg.ClientSecret, cfg.ReadSecret = secret, nil
		if secret.IsZero() {
			if cfg.ClientSecret, err = before.Secret(ctx); err != nil {
				return shsession.Token{}, err
			}
		}
		session, err := cache.Session(cfg, func(err error) { d.Output.Warn(err.Error()) })
		if err != nil {
			return shsession.Token{}, err
		}
		attempting, cancel := attempt(ctx)
		t, err := cache.LogInAnew(attempting, session)
		cancel()
		if err == nil {
			return t, nil
		}
		var refused *shsession.AuthError
		if !errors.As(err, &refused) || try == tries || !prompt.IsTerminal(d.In) {
			return t, fmt.Errorf("nothing is written: %w", err)
		}
		text := err.Error()
		if hint := usererror.HintFor(err); hint != "" {
			text += "; " + hint
		}
		d.Output.Warn(text)
	}
}

// loggedIn says who has logged in, for how long, and where that is written.
func (d *Dialogue) loggedIn(path string, p shconfig.Profile, t shsession.Token) error {
	out := d.Output.Out
	fmt.Fprintf(out, "logged in at %s\n", display.URL(p.BaseURL))
	if claims, err := t.Claims(); err == nil {
		fmt.Fprint(out, display.Claims(claims, ""))
	} else {
		fmt.Fprintf(out, "client     %s\nexpires    %s, in %s\n", display.Line(p.ClientID), display.Time(t.ExpiresAt()), display.Life(t.Remaining()))
	}
	_, err := fmt.Fprintf(out, "profile %s is written to %s\n", display.Line(p.Name), path)
	for _, warning := range p.Warnings {
		d.Output.Warn(warning)
	}
	if usual := cmp.Or(os.Getenv("SH_PROFILE"), shconfig.DefaultProfile); p.Name != usual {
		fmt.Fprintf(out, "Use it with --profile %s, or set SH_PROFILE.\n", display.ShellWord(p.Name))
	}
	for _, variable := range []string{"SH_CLIENT_ID", "SH_CLIENT_SECRET", "SH_CLIENT_SECRET_FILE", shconfig.SourceCommand, "SH_BASE_URL", "SH_TOKEN_URL"} {
		if os.Getenv(variable) != "" {
			d.Output.Warn(variable + " is set, and used instead of what the profile says: unset it")
		}
	}
	return err
}
