package shconfig

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"maps"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/shsession/shsession"
)

// A File is a config.toml being edited. Changes are made in memory; [File.Save]
// writes them. It shows its path and none of the secrets in it when it is printed,
// logged or marshalled. It is not safe for concurrent use.
type File struct {
	path    string
	doc     func() document // a func, because it holds secrets: reflection in fmt stops at a func, under every verb
	changed bool            // since the file was opened or saved
}

// document is the text of a config.toml and what it says.
type document struct {
	raw  []byte
	data map[string]any
}

// hidden hides a document from fmt.
func hidden(raw []byte, data map[string]any) func() document {
	return func() document { return document{raw, data} }
}

// Open reads the config.toml at path, or at [Path] if path is "". A file that
// does not exist is empty, and [File.Save] makes it. The error of a file that is no
// TOML is a *[SyntaxError].
func Open(path string) (*File, error) {
	if path == "" {
		var err error
		if path, err = Path(); err != nil {
			return nil, err
		}
	}
	raw, _, err := readLimited(path, maxConfigFile)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read the configuration: %w", err)
	}
	data, err := parse(path, raw)
	if err != nil {
		return nil, err
	}
	return &File{path: path, doc: hidden(raw, data)}, nil
}

// Path is where the file is, or will be.
func (f *File) Path() string { return f.path }

// Dir is the directory that the file is in, or will be: where symbolic links at Path lead.
func (f *File) Dir() (string, error) {
	path, err := followLinks(f.path)
	if err != nil {
		return "", err
	}
	return filepath.EvalSymlinks(filepath.Dir(path))
}

// Format writes the path, for every verb.
func (f File) Format(state fmt.State, _ rune) { io.WriteString(state, f.path) }

// LogValue returns the path.
func (f File) LogValue() slog.Value { return slog.StringValue(f.path) }

// MarshalText writes the path.
func (f File) MarshalText() ([]byte, error) { return []byte(f.path), nil }

// Profiles lists the profiles in the file, sorted.
func (f *File) Profiles() []string { return profiles(f.doc().data) }

// Profile returns a profile in the file over the defaults, as [Load] would after a Save, with
// no argument and no variable set. It fails as Load does.
func (f *File) Profile(name string) (Profile, error) {
	p := Profile{Name: name, File: f.path, Sources: map[Key]string{}}
	p.overlay(defaults(), from(SourceDefault))
	if err := p.read(f.path, f.doc().data); err != nil {
		return Profile{}, err
	}
	p.warnOfMixedPair()
	if p.Sources[ClientSecret] == SourceKeyring {
		p.readSecret = p.keyringReader()
	}
	return p, nil
}

// profiles lists the tables at the top of a config.toml, sorted.
func profiles(data map[string]any) []string {
	var names []string
	for name, value := range data {
		if _, ok := value.(map[string]any); ok {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// Set gives a profile the settings that are not zero, and makes the profile if
// it is missing. Its other keys stay, and so do the other profiles, comments and
// order. As in the Python package only values that differ from the defaults are
// stored: a key set to its default is removed. (A default TokenURL stays if the base
// URL is an unknown service's, which needs it.) A new TokenURL also removes the old
// key sh_auth_base_url, which would win over it.
//
// A value that cannot be stored is a *[ValueError], and changes nothing.
func (f *File) Set(profile string, s Settings) error {
	if err := f.check(profile, s); err != nil {
		return err
	}
	values, err := table(f.path, f.doc().data, profile)
	if unknown := (*UnknownProfileError)(nil); errors.As(err, &unknown) {
		values, err = map[string]any{}, nil
	}
	if err != nil {
		return err
	}
	changes := changesFor(s, values)
	want := maps.Clone(f.doc().data)
	want[profile] = applied(values, changes)
	return f.replace(setText(f.doc().raw, profile, changes), want)
}

// Copy makes the profile to from the profile from: with all of its keys, also those that this
// package doesn't know, except those in without, and with the settings that are not zero.
// If from is not in the file, to has only these settings. The new profile is put at the end,
// and the rest of the file doesn't change. It is an error if the file has to already.
func (f *File) Copy(from, to string, s Settings, without ...Key) error {
	if err := f.check(to, s); err != nil {
		return err
	}
	if _, isThere := f.doc().data[to]; isThere {
		return fmt.Errorf("%s: profile %q is there already", f.path, to)
	}
	values, err := table(f.path, f.doc().data, from)
	if err != nil && !errors.As(err, new(*UnknownProfileError)) {
		return err
	}
	values = maps.Clone(values)
	if values == nil {
		values = map[string]any{}
	}
	for _, key := range without {
		delete(values, string(key))
	}
	values = applied(values, changesFor(s, values))
	want := maps.Clone(f.doc().data)
	want[to] = values
	edited, err := appendText(f.path, f.doc().raw, to, values)
	if err != nil {
		return err
	}
	return f.take(edited, want)
}

// Remove removes a profile from the file, with the comments inside it and those directly
// above it. If the file doesn't have the profile, the error is an *[UnknownProfileError].
func (f *File) Remove(profile string) error {
	if _, err := table(f.path, f.doc().data, profile); err != nil {
		return err
	}
	want := maps.Clone(f.doc().data)
	delete(want, profile)
	return f.replace(removeText(f.doc().raw, profile), want)
}

// replace takes the edited text if it has the wanted values. If the edit can't handle the
// way in which the profile is written, such as an inline table, replace writes the file
// anew, which keeps all data and loses comments and order.
func (f *File) replace(edited []byte, want map[string]any) error {
	if got, err := parse(f.path, edited); err != nil || !sameValue(got, want) {
		if edited, err = marshal(f.path, want); err != nil {
			return err
		}
	}
	return f.take(edited, want)
}

// take makes edited, which means want, the file's text.
func (f *File) take(edited []byte, want map[string]any) error {
	if len(edited) > maxConfigFile {
		return fmt.Errorf("%s would have more than %d bytes", f.path, maxConfigFile)
	}
	f.changed = f.changed || string(edited) != string(f.doc().raw)
	f.doc = hidden(edited, want)
	return nil
}

// check refuses values that TOML, or the reading side, doesn't allow.
func (f *File) check(profile string, s Settings) error {
	bad := func(key Key, want, got string) error {
		return &ValueError{File: f.path, Profile: profile, Key: key, Want: want, Got: got}
	}
	if profile == "" || !utf8.ValidString(profile) {
		return bad("", "a name of Unicode text", "an empty or garbled one")
	}
	for key, text := range map[Key]string{
		ClientID: s.ClientID, ClientSecret: s.ClientSecret.Reveal(), BaseURL: s.BaseURL, TokenURL: s.TokenURL,
	} {
		if !utf8.ValidString(text) {
			return bad(key, "Unicode text", "bytes that are not UTF-8")
		}
	}
	if s.MaxDownloadAttempts < 0 || s.MaxDownloadAttempts > math.MaxInt32 {
		return bad(MaxDownloadAttempts, "an integer from 1", fmt.Sprint(s.MaxDownloadAttempts))
	}
	for key, d := range map[Key]time.Duration{DownloadSleepTime: s.DownloadSleepTime, DownloadTimeout: s.DownloadTimeout} {
		if d < 0 || d > maxSeconds*time.Second {
			return bad(key, "a duration from 0 to 1e9 seconds", d.String())
		}
	}
	return nil
}

// change is what is to become of one key: a value of its TOML type (string,
// int64 or float64), or nil if the key is to go.
type change struct {
	key   Key
	value any
}

// applied returns the values of a profile after changes.
func applied(values map[string]any, changes []change) map[string]any {
	values = maps.Clone(values)
	for _, c := range changes {
		if c.value == nil {
			delete(values, string(c.key))
		} else {
			values[string(c.key)] = c.value
		}
	}
	return values
}

// changesFor lists what [File.Set] has to do to a profile with these values, in the order of Keys.
func changesFor(s Settings, values map[string]any) []change {
	d := defaults()
	stored, _ := values[string(BaseURL)].(string)
	ownService := shsession.TokenURLFor(cmp.Or(s.BaseURL, stored, d.BaseURL)) == ""
	var changes []change
	add := func(key Key, given, isDefault bool, value any) {
		switch {
		case given && isDefault:
			changes = append(changes, change{key, nil})
		case given:
			changes = append(changes, change{key, value})
		}
	}
	add(ClientID, s.ClientID != "", false, s.ClientID)
	add(ClientSecret, !s.ClientSecret.IsZero(), false, s.ClientSecret.Reveal())
	add(BaseURL, s.BaseURL != "", s.BaseURL == d.BaseURL, s.BaseURL)
	add(TokenURL, s.TokenURL != "", s.TokenURL == d.TokenURL && !ownService, s.TokenURL)
	add(oldAuthURL, s.TokenURL != "", true, nil)
	add(MaxDownloadAttempts, s.MaxDownloadAttempts != 0, s.MaxDownloadAttempts == d.MaxDownloadAttempts, int64(s.MaxDownloadAttempts))
	add(DownloadSleepTime, s.DownloadSleepTime != 0, s.DownloadSleepTime == d.DownloadSleepTime, s.DownloadSleepTime.Seconds())
	add(DownloadTimeout, s.DownloadTimeout != 0, s.DownloadTimeout == d.DownloadTimeout, s.DownloadTimeout.Seconds())
	return changes
}

// quoteTOML is a basic string of TOML 1.0, which the Python package reads too.
func quoteTOML(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r < ' ' || r == 0x7f:
			fmt.Fprintf(&b, `\u%04X`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}
