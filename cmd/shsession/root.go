package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/internal/display"
	"github.com/shsession/shsession/internal/logs"
	"github.com/shsession/shsession/internal/place"
	"github.com/shsession/shsession/internal/settings"
	"github.com/shsession/shsession/shconfig"
)

// stdio is what the command reads and writes.
type stdio struct {
	in  io.Reader
	out io.Writer
	err io.Writer
}

// An app is one run of the command: what it reads and writes, and the settings in force.
type app struct {
	in io.Reader
	logs.Output
	settings settings.Settings
	places   place.Opener

	helpErr  error // of writing help, which cobra doesn't return
	compared bool  // compareClocks has been called
}

func newApp(std stdio) *app {
	a := &app{in: std.in, Output: logs.Output{Out: std.out, Err: std.err}}
	a.settings.Warn = a.Warn
	a.places = place.Opener{Settings: &a.settings, Logger: a.Logger}
	return a
}

// run runs the command with its arguments and returns its exit code. It writes
// an error once, to std.err.
func run(ctx context.Context, args []string, std stdio) int {
	a := newApp(std)
	root := a.rootCommand()
	root.SetArgs(args)
	if len(args) > 0 && (args[0] == cobra.ShellCompRequestCmd || args[0] == cobra.ShellCompNoDescRequestCmd) {
		plainFlags(root)
	}
	err := root.ExecuteContext(ctx)
	if err == nil {
		err = a.helpErr
	}
	return a.exit(ctx, err)
}

// plainFlags removes the backquotes from the flags' usages. In help they mark the name of a
// flag's value; completions would show them.
func plainFlags(cmd *cobra.Command) {
	for _, flags := range []*pflag.FlagSet{cmd.Flags(), cmd.PersistentFlags()} {
		flags.VisitAll(func(f *pflag.Flag) { f.Usage = strings.ReplaceAll(f.Usage, "`", "") })
	}
	for _, sub := range cmd.Commands() {
		plainFlags(sub)
	}
}

const (
	groupLogin = "login"
	groupShare = "share"
	groupSetup = "setup"
)

func (a *app) rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "shsession",
		Short: "One login to Sentinel Hub, for every process",
		Long: `shsession logs in to Sentinel Hub or the Copernicus Data Space once, keeps the
token fresh, and gives every process the same token.

Credentials come from SH_CLIENT_ID and SH_CLIENT_SECRET (or SH_CLIENT_SECRET_FILE, a file that
holds the secret, or SH_CLIENT_SECRET_COMMAND, a command that prints it), or from a profile in the Python package's config.toml ("shsession login" makes
a profile). The service is Sentinel Hub, unless the profile, --preset, or SH_BASE_URL and
SH_TOKEN_URL name another.`,
		Example: `  shsession demo             # try shsession, without credentials
  shsession token            # a token, from this machine's cache or a login
  curl -H @<(shsession headers) https://services.sentinel-hub.com/…
  shsession share            # keep a token fresh for other programs`,
		Version:       shsession.Version,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          subcommandOnly,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetIn(a.in)
	root.SetOut(a.Out)
	root.SetErr(a.Err)
	root.SetFlagErrorFunc(flagError)
	root.SetHelpFunc(a.help)
	wrapFlags(root, a.helpColumns())
	root.CompletionOptions.SetDefaultShellCompDirective(cobra.ShellCompDirectiveNoFileComp)

	flags := root.PersistentFlags()
	flags.StringVar(&a.settings.Options.Profile, "profile", "", "`name` of the profile in config.toml (default: SH_PROFILE, else default-profile)")
	flags.StringVar(&a.settings.Options.File, "config", "", "use the config.toml at this `path`")
	flags.StringVar(&a.settings.Options.Preset, "preset", "", "use this `service`: sentinelhub or cdse")
	flags.BoolVarP(&a.Verbose, "verbose", "v", false, "log more, to standard error")
	must(root.RegisterFlagCompletionFunc("profile", a.completeProfileFlag))
	must(root.RegisterFlagCompletionFunc("preset", cobra.FixedCompletions(shconfig.Presets(), cobra.ShellCompDirectiveNoFileComp)))
	must(root.MarkPersistentFlagFilename("config", "toml"))

	root.AddGroup(
		&cobra.Group{ID: groupLogin, Title: "Log in:"},
		&cobra.Group{ID: groupShare, Title: "Share:"},
		&cobra.Group{ID: groupSetup, Title: "Set up and try out:"},
	)
	addTo(root, groupLogin, a.loginCommand(), a.givesUp(a.tokenCommand()), a.givesUp(a.headersCommand()), a.givesUp(a.infoCommand()), a.logoutCommand())
	addTo(root, groupShare, a.shareCommand(), a.givesUp(a.collectCommand()), a.proxyCommand(), a.statusCommand())
	addTo(root, groupSetup, a.profileCommand(), a.demoCommand(), a.identityCommand(), a.versionCommand())
	root.AddCommand(a.demoProcessCommand(), environmentTopic())
	root.SetHelpCommandGroupID(groupSetup)
	root.SetCompletionCommandGroupID(groupSetup)
	refuseUnknown(root)
	return root
}

// refuseUnknown makes help and completion refuse unknown arguments, which cobra answers with help.
func refuseUnknown(root *cobra.Command) {
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	for _, c := range root.Commands() {
		switch c.Name() {
		case "help":
			c.Args = func(cmd *cobra.Command, args []string) error {
				found, rest, err := cmd.Root().Find(args)
				if err != nil {
					return err
				}
				return subcommandOnly(found, rest)
			}
		case "completion":
			c.Args = subcommandOnly
			c.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
			for _, shell := range c.Commands() {
				shell.Args = arguments(0, 0)
			}
		}
	}
}

// must panics on an error that only a mistake in this program can cause.
func must(err error) {
	if err != nil {
		panic(err)
	}
}

func addTo(root *cobra.Command, group string, commands ...*cobra.Command) {
	for _, c := range commands {
		c.GroupID = group
	}
	root.AddCommand(commands...)
}

// exitCodes describes the exit codes, for help.
const exitCodes = "0 ok, 1 failure, 2 usage, 3 credentials refused or missing, 4 nothing shared"

// helpWidth is how many columns help has at most.
const helpWidth = 80

// helpColumns returns how many columns help has: fewer than helpWidth at a terminal that is narrower.
func (a *app) helpColumns() int {
	if width := display.Width(a.Out); width > 0 && width < helpWidth {
		return max(width, helpWidth/2)
	}
	return helpWidth
}

// detailsMark is where a command's usage has its details: behind the examples.
const detailsMark = "\x00"

// wrapFlags makes root, and all commands below it, wrap the lines of flags in help, and mark the
// place of the details.
func wrapFlags(root *cobra.Command, columns int) {
	wrapped := fmt.Sprintf("Flags.FlagUsagesWrapped %d", columns)
	root.SetUsageTemplate(strings.NewReplacer("Flags.FlagUsages", wrapped, " about a command.", ".",
		"{{.Example}}{{end}}", "{{.Example}}{{end}}"+detailsMark).Replace(root.UsageTemplate()))
}

// help writes a command's help, or the text of a help topic. First come what the command does, its
// usage and examples; the rest of its description is behind them, and the exit codes are in the end.
func (a *app) help(cmd *cobra.Command, _ []string) {
	text := cmd.Long
	if text == "" {
		text = cmd.Short
	}
	text = display.Wrap(strings.TrimSpace(text), a.helpColumns())
	if cmd.IsAdditionalHelpTopicCommand() {
		_, a.helpErr = fmt.Fprintln(a.Out, text)
		return
	}
	summary, details, _ := strings.Cut(text, "\n\n")
	if details != "" {
		details = "\n\n" + details
	}
	codes := display.Wrap("Exit codes: "+exitCodes+".", a.helpColumns())
	usage := strings.Replace(cmd.UsageString(), detailsMark, details, 1)
	_, a.helpErr = fmt.Fprintf(a.Out, "%s\n\n%s\n%s\n", summary, usage, codes)
}
