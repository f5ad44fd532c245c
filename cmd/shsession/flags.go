package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/shsession/shsession/internal/daemon"
	"github.com/shsession/shsession/internal/login"
	"github.com/shsession/shsession/internal/logs"
)

// An enumFlag is a flag that takes one of a list of words.
type enumFlag struct {
	value *string
	words []string
}

// addEnum adds a flag to cmd, and its completion. The first word is the default.
func addEnum(cmd *cobra.Command, value *string, name, usage string, words ...string) {
	*value = words[0]
	cmd.Flags().Var(&enumFlag{value, words}, name, usage)
	must(cmd.RegisterFlagCompletionFunc(name, cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp)))
}

func (f *enumFlag) String() string {
	if f.value == nil { // pflag compares with an empty enumFlag
		return ""
	}
	return *f.value
}

func (f *enumFlag) Type() string { return strings.Join(f.words, "|") }

func (f *enumFlag) Set(value string) error {
	if !slices.Contains(f.words, value) {
		return fmt.Errorf("it is one of %s", strings.Join(f.words, ", "))
	}
	*f.value = value
	return nil
}

// serviceFlags adds the flags of a command that runs until it is stopped.
func (a *app) serviceFlags(cmd *cobra.Command) *daemon.Options {
	var o daemon.Options
	flags := cmd.Flags()
	flags.StringVar(&o.Metrics, "metrics", "", "serve /metrics for Prometheus, /healthz and /readyz on this `address`, such as 127.0.0.1:9464")
	flags.BoolVar(&o.MetricsRemote, "metrics-allow-remote", false, "let other machines connect to --metrics; it shows no token")
	addEnum(cmd, &a.Format, "log-format", "how to log to standard error", logs.Text, logs.JSON)
	return &o
}

// keyringHelp is about --keyring.
const keyringHelp = `With --keyring the secret goes to the keyring of your system instead of config.toml: to the Secret
Service (GNOME, KDE), the Keychain or the Credential Manager. The Python package can't read it there;
programs that log in by themselves can use "shsession share --endpoint".`

// credentialFlags are the flags of login and profile set.
type credentialFlags struct{ login.Change }

// add adds the flags, of which none is for the secret.
func (f *credentialFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.ClientID, "client-id", "", "the OAuth client's `id`")
	cmd.Flags().StringVar(&f.BaseURL, "base-url", "", "the service's `URL`")
	cmd.Flags().StringVar(&f.TokenURL, "token-url", "", "its token endpoint's `URL`")
	cmd.Flags().BoolVar(&f.Keyring, "keyring", false, "keep the secret in the system's keyring, and not in config.toml; --keyring=false moves it back")
}

// dialogue returns the dialogue that makes or changes a profile as the flags say.
func (f *credentialFlags) dialogue(cmd *cobra.Command, a *app, name string) *login.Dialogue {
	f.Leave = cmd.Flags().Changed("keyring") && !f.Keyring
	return &login.Dialogue{
		In: a.in, Output: &a.Output, Command: cmd.CommandPath(), Options: a.settings.Options, Name: name, Change: f.Change,
	}
}
