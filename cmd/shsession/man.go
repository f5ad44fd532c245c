package main

import (
	"cmp"
	"fmt"
	"io"
	"regexp"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

func (a *app) manCommand() *cobra.Command {
	return &cobra.Command{
		Use:    "man",
		Short:  "Print the manual page",
		Long:   "man prints the manual page, made from the help of every command, in the macros of man(7).",
		Hidden: true,
		Example: `  shsession man | man -l -
  shsession man | gzip -n9 > shsession.1.gz`,
		Args: arguments(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := io.WriteString(a.out, manual(cmd.Root(), buildInfo()))
			return err
		},
	}
}

// manual returns root's manual page.
func manual(root *cobra.Command, b build) string {
	var p page
	var date string
	if revised, err := time.Parse(time.RFC3339, b.Time); err == nil {
		date = revised.Format(time.DateOnly)
	}
	p.macro("TH", strings.ToUpper(root.Name()), "1", date, root.Name()+" "+b.Version, "User Commands")
	p.macro("SH", "NAME")
	fmt.Fprintf(&p.text, "%s \\- %s\n", root.Name(), roff(root.Short))
	p.macro("SH", "SYNOPSIS")
	fmt.Fprintf(&p.text, "\\fB%s\\fR \\fICOMMAND\\fR [\\fIFLAGS\\fR]\n", root.Name())
	p.macro("SH", "DESCRIPTION")
	p.prose(root.Long)
	p.macro("SH", "COMMANDS")
	for _, c := range root.Commands() {
		p.command(c)
	}
	p.macro("SH", "GLOBAL FLAGS")
	p.flags(root.PersistentFlags())
	p.macro("SH", "EXIT STATUS")
	for code := range strings.SplitSeq(exitCodes, ", ") {
		number, meaning, _ := strings.Cut(code, " ")
		p.term("\\fB"+number+"\\fR", meaning)
	}
	p.macro("SH", "ENVIRONMENT")
	for _, v := range environment() {
		p.term("\\fB"+roff(v.name)+"\\fR", v.meaning)
	}
	p.macro("SH", "FILES")
	p.term("\\fI~/.config/sentinelhub/config.toml\\fR",
		"The profiles, in common with the Python package. $XDG_CONFIG_HOME takes the place of ~/.config.")
	p.term("\\fI/dev/shm/NAME\\fR", "A segment of shared memory, of mode 0600.")
	p.macro("SH", "EXAMPLES")
	p.example(root.Example)
	p.macro("SH", "SEE ALSO")
	p.prose("curl(1), gdalinfo(1), systemctl(1)")
	return p.text.String()
}

type variable struct{ name, meaning string }

// environment returns the variables that a user may set.
func environment() []variable {
	return []variable{
		{"SH_PROFILE", "The profile in config.toml that is used when --profile names none."},
		{"SH_CLIENT_ID, SH_CLIENT_SECRET", "The credentials. They are stronger than config.toml."},
		{"SH_CLIENT_SECRET_FILE", "A file whose first line is the secret, such as a container's or a service's credential."},
		{"SH_BASE_URL, SH_TOKEN_URL", "The service and its token endpoint."},
		{"SHSESSION_NAME", "The segment that token, headers, info and collect read if no flag says otherwise. share sets it for its command."},
		{"SHSESSION_REDIS_PASSWORD, SHSESSION_REDIS_PASSWORD_FILE", "The password for Redis, or a file that holds it."},
		{"SHSESSION_REDIS_SENTINEL_PASSWORD, SHSESSION_REDIS_SENTINEL_PASSWORD_FILE", "The same for its Sentinels."},
		{"SHSESSION_STORE_KEY, SHSESSION_STORE_KEY_FILE", "The key that encrypts tokens in Redis, or a file that holds it."},
		{"HTTPS_PROXY, NO_PROXY", "The proxy on the way to the service, and the hosts that are reached without it."},
		{"SSL_CERT_FILE, REQUESTS_CA_BUNDLE, CURL_CA_BUNDLE", "A file of further certificate authorities."},
	}
}

// A page is a manual page in the making.
type page struct{ text strings.Builder }

// macro writes a line such as .SH "NAME". Its arguments are roff already.
func (p *page) macro(name string, args ...string) {
	p.text.WriteString("." + name)
	for _, arg := range args {
		fmt.Fprintf(&p.text, ` "%s"`, strings.ReplaceAll(arg, `"`, `\(dq`))
	}
	p.text.WriteString("\n")
}

// command writes what there is to say of a command, and of those below it.
func (p *page) command(c *cobra.Command) {
	if !c.IsAvailableCommand() || c.Name() == "help" {
		return
	}
	if c.HasAvailableSubCommands() && c.Name() != "completion" { // each shell's text there is the same
		for _, sub := range c.Commands() {
			p.command(sub)
		}
		return
	}
	p.macro("SS", roff(c.UseLine()))
	p.prose(cmp.Or(c.Long, c.Short+"."))
	p.flags(c.LocalNonPersistentFlags())
	if c.Example != "" {
		p.macro("PP")
		p.example(c.Example)
	}
}

// flags writes a definition for each flag but --help.
func (p *page) flags(flags *pflag.FlagSet) {
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Hidden || f.Name == "help" {
			return
		}
		name := "\\fB" + roff("--"+f.Name) + "\\fR"
		if f.Shorthand != "" {
			name = "\\fB" + roff("-"+f.Shorthand) + "\\fR, " + name
		}
		value, usage := pflag.UnquoteUsage(f)
		if value != "" {
			name += " \\fI" + roff(value) + "\\fR"
		}
		switch f.DefValue {
		case "", "false", "0", "0s", "[]":
		default:
			usage += " (default " + f.DefValue + ")"
		}
		p.term(name, usage)
	})
}

// term writes a term, which is roff already, and what it means.
func (p *page) term(term, meaning string) {
	p.macro("TP")
	fmt.Fprintf(&p.text, "%s\n%s\n", term, guarded(roff(meaning)))
}

// prose writes paragraphs. Those that are indented stay as they are, line by line.
func (p *page) prose(text string) {
	for i, paragraph := range strings.Split(strings.TrimSpace(text), "\n\n") {
		if i > 0 {
			p.macro("PP")
		}
		if strings.HasPrefix(paragraph, " ") || strings.HasPrefix(paragraph, "\t") {
			p.example(paragraph)
			continue
		}
		for line := range strings.Lines(paragraph) {
			fmt.Fprintln(&p.text, guarded(roff(strings.TrimSpace(line))))
		}
	}
}

// example writes lines as they are.
func (p *page) example(text string) {
	p.macro("RS", "4")
	p.macro("EX")
	for line := range strings.Lines(strings.TrimRight(text, "\n")) {
		line = strings.TrimPrefix(strings.TrimRight(line, "\n"), "\t")
		fmt.Fprintln(&p.text, guarded(roff(strings.TrimPrefix(line, "  "))))
	}
	p.macro("EE")
	p.macro("RE")
}

// guarded keeps a line from being read as a request.
func guarded(line string) string {
	if strings.HasPrefix(line, ".") || strings.HasPrefix(line, "'") {
		return `\&` + line
	}
	return line
}

// roff writes text so that it is shown as it is, and can be copied into a shell: bare,
// roff sets a hyphen and quotes where ASCII has a minus and straight ones.
func roff(text string) string {
	text = strings.NewReplacer(`\`, `\e`, "-", `\-`, "'", `\(aq`, "`", `\(ga`, "^", `\(ha`, "~", `\(ti`).Replace(text)
	return regexp.MustCompile(`[^\x00-\x7f]`).ReplaceAllStringFunc(text, func(char string) string {
		return fmt.Sprintf(`\[u%04X]`, []rune(char)[0])
	})
}
