package login

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/internal/display"
	"github.com/shsession/shsession/internal/prompt"
	"github.com/shsession/shsession/internal/secrettext"
	"github.com/shsession/shsession/internal/usererror"
	"github.com/shsession/shsession/shconfig"
)

// errNothingWritten: the user has answered a question with ^D.
var errNothingWritten = fmt.Errorf("%w: nothing is written", prompt.ErrCancelled)

// ask asks a question at the terminal. An empty answer is the usual one, which the question shows if
// there is one.
func (d *Dialogue) ask(ctx context.Context, question, usual string) (string, error) {
	if usual != "" {
		question += " [" + display.Line(usual) + "]"
	}
	d.Output.Flush()
	answer, err := prompt.Line(ctx, d.In, d.Output.Err, question+": ")
	if errors.Is(err, prompt.ErrCancelled) {
		err = errNothingWritten
	}
	return cmp.Or(answer, usual), err
}

// confirm asks a question that is answered by yes or no, and is true for yes.
func (d *Dialogue) confirm(ctx context.Context, question string) (bool, error) {
	for {
		answer, err := d.ask(ctx, question+" y or n", "y")
		switch first := strings.ToLower(answer); {
		case err != nil:
			return false, err
		case strings.HasPrefix("yes", first):
			return true, nil
		case strings.HasPrefix("no", first):
			return false, nil
		}
	}
}

// askSecret asks for the secret of the profile. It may be empty if the profile has one already. What
// was probably copied with the secret by mistake is asked about at a terminal, and is a warning elsewhere.
func (d *Dialogue) askSecret(ctx context.Context, before shconfig.Profile) (shsession.Secret, error) {
	question := "Client secret (not shown): "
	if before.HasSecret() {
		question = "Client secret (not shown; empty keeps the old one): "
	}
	d.Output.Flush()
	secret, err := prompt.Secret(ctx, d.In, d.Output.Err, question)
	switch {
	case errors.Is(err, prompt.ErrCancelled):
		return secret, errNothingWritten
	case err != nil:
		return secret, err
	case secret.IsZero() && !before.HasSecret():
		return secret, usererror.WithHint(usererror.Mistake(fmt.Errorf("no secret was given for profile %q, and nothing is written", d.Name)),
			"type it at the prompt, in a terminal, or let it be the first line of standard input: `pass show sentinel-hub | "+
				d.Command+" …`")
	}
	if found, bare := secrettext.Around(secret); found != "" {
		if secret, err = d.bare(ctx, secret, bare, found); err != nil {
			return secret, err
		}
	}
	if err := secrettext.Check(secret); err != nil {
		return secret, usererror.Mistake(fmt.Errorf("%w; nothing is written", err))
	}
	return secret, nil
}

// bare returns which of two secrets is meant: the one as it was given, or the one without what was
// found around it.
func (d *Dialogue) bare(ctx context.Context, given, bare shsession.Secret, found string) (shsession.Secret, error) {
	if !prompt.IsTerminal(d.In) {
		d.Output.Warn("the secret has " + found + ", which is kept: if that is a mistake, give it anew")
		return given, nil
	}
	leaveOut, err := d.confirm(ctx, "The secret has "+found+". Leave that out?")
	if leaveOut {
		given = bare
	}
	return given, err
}
