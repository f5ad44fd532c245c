package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/shconfig"
)

// stdio is what the command reads and writes.
type stdio struct {
	in  io.Reader
	out io.Writer
	err io.Writer
}

// An app is one run of the command: its streams and its global flags.
type app struct {
	stdio

	profile string
	config  string
	preset  string
	verbose bool

	unhelpful error             // of writing help, which cobra has no place for
	compared  bool              // this machine's clock and the service's
	loaded    *shconfig.Profile // nil until it's asked for
	logFormat choice            // of a service
	redisLog  sync.Once         // before the first client of Redis
}

// run runs the command with its arguments and returns its exit code. It writes
// an error once, to std.err.
func run(ctx context.Context, args []string, std stdio) int {
	a := &app{stdio: std}
	root := a.rootCommand()
	root.SetArgs(args)
	if len(args) > 0 && (args[0] == cobra.ShellCompRequestCmd || args[0] == cobra.ShellCompNoDescRequestCmd) {
		plainFlags(root)
	}
	err := root.ExecuteContext(ctx)
	if err == nil {
		err = a.unhelpful
	}
	return a.exit(ctx, err)
}

// plainFlags takes the backquotes, which mark the name of a flag's value for help, out of what flags do, for
// completions, which show it as it is.
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
token fresh, and gives every process the same one.

Credentials come from SH_CLIENT_ID and SH_CLIENT_SECRET (or SH_CLIENT_SECRET_FILE, a file that
holds it), or from a profile in the Python package's config.toml (see "shsession profile").
The service is Sentinel Hub, or what the profile, --preset, or SH_BASE_URL and SH_TOKEN_URL say.`,
		Example: `  shsession demo                                   # see it work, without credentials
  shsession token                                  # a token, from this machine's cache or a login
  curl -H @<(shsession headers --format curl) https://services.sentinel-hub.com/…
  shsession share                                  # keep one fresh for other programs`,
		Version:       shsession.Version,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          subcommandOnly,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetIn(a.in)
	root.SetOut(a.out)
	root.SetErr(a.err)
	root.SetFlagErrorFunc(flagError)
	root.SetHelpFunc(a.help)
	root.CompletionOptions.SetDefaultShellCompDirective(cobra.ShellCompDirectiveNoFileComp)

	flags := root.PersistentFlags()
	flags.StringVar(&a.profile, "profile", "", "`name` of the profile in config.toml (default: SH_PROFILE, else default-profile)")
	flags.StringVar(&a.config, "config", "", "use the config.toml at this `path`")
	flags.StringVar(&a.preset, "preset", "", "use this `service`: sentinelhub or cdse")
	flags.BoolVarP(&a.verbose, "verbose", "v", false, "log to standard error what happens")
	must(root.RegisterFlagCompletionFunc("profile", a.completeProfileFlag))
	must(root.RegisterFlagCompletionFunc("preset", cobra.FixedCompletions(shconfig.Presets(), cobra.ShellCompDirectiveNoFileComp)))
	must(root.MarkPersistentFlagFilename("config", "toml"))

	root.AddGroup(
		&cobra.Group{ID: groupLogin, Title: "Log in:"},
		&cobra.Group{ID: groupShare, Title: "Share:"},
		&cobra.Group{ID: groupSetup, Title: "Set up and try out:"},
	)
	addTo(root, groupLogin, a.tokenCommand(), a.headersCommand(), a.infoCommand(), a.logoutCommand())
	addTo(root, groupShare, a.shareCommand(), a.collectCommand(), a.proxyCommand(), a.statusCommand())
	addTo(root, groupSetup, a.profileCommand(), a.demoCommand(), a.identityCommand(), a.versionCommand())
	root.AddCommand(a.demoProcessCommand(), a.manCommand())
	root.SetHelpCommandGroupID(groupSetup)
	root.SetCompletionCommandGroupID(groupSetup)
	refuseUnknown(root)
	return root
}

// refuseUnknown makes mistakes of what cobra's own commands answer with help.
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

// exitCodes is what help says of them.
const exitCodes = "0 ok, 1 failure, 2 usage, 3 credentials refused or missing, 4 nothing shared"

// help writes a command's help, with the exit codes below it.
func (a *app) help(cmd *cobra.Command, _ []string) {
	text := cmd.Long
	if text == "" {
		text = cmd.Short
	}
	_, a.unhelpful = fmt.Fprintf(a.out, "%s\n\n%s\nExit codes: %s.\n", strings.TrimSpace(text), cmd.UsageString(), exitCodes)
}
