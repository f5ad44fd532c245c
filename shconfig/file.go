package shconfig

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// A File is a config.toml being edited. Changes are made in memory; [File.Save]
// writes them. It is not safe for concurrent use.
type File struct {
	path string
	raw  []byte
	data map[string]any // what raw says

	changed bool // since it was opened or saved
}

// Open reads the config.toml at path, or at [Path] if path is "". A file that
// does not exist is empty, and made by [File.Save]. A file that is no TOML is a
// *[SyntaxError].
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
	return &File{path: path, raw: raw, data: data}, nil
}

// Path is where the file is, or will be.
func (f *File) Path() string { return f.path }

// Profiles lists the profiles in the file, sorted.
func (f *File) Profiles() []string { return profiles(f.data) }

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
// it is not there. Its other keys stay, and so do the other profiles, comments
// and order. As in the Python package only values that differ from the defaults
// are stored: a key set to its default goes away. A new TokenURL does away with
// the old key sh_auth_base_url too, which would win over it.
//
// A value that cannot be stored is a *[ValueError], and changes nothing.
func (f *File) Set(profile string, s Settings) error {
	if err := f.check(profile, s); err != nil {
		return err
	}
	values, err := table(f.path, f.data, profile)
	if unknown := (*UnknownProfileError)(nil); errors.As(err, &unknown) {
		values, err = map[string]any{}, nil
	}
	if err != nil {
		return err
	}
	changes := changesFor(s)
	values = maps.Clone(values)
	for _, c := range changes {
		if c.value == nil {
			delete(values, string(c.key))
		} else {
			values[string(c.key)] = c.value
		}
	}
	want := maps.Clone(f.data)
	want[profile] = values
	return f.replace(setText(f.raw, profile, changes), want)
}

// Remove takes a profile out of the file, with the comments inside it and those
// directly above it. A profile that is not there is an *[UnknownProfileError].
func (f *File) Remove(profile string) error {
	if _, err := table(f.path, f.data, profile); err != nil {
		return err
	}
	want := maps.Clone(f.data)
	delete(want, profile)
	return f.replace(removeText(f.raw, profile), want)
}

// replace takes edited text if it means what it should. If the profile was
// written in a way that the edit is not made for, such as an inline table, it
// writes the file anew, which keeps all data and loses comments and order.
func (f *File) replace(edited []byte, want map[string]any) error {
	if got, err := parse(f.path, edited); err != nil || !sameValue(got, want) {
		if edited, err = marshal(f.path, want); err != nil {
			return err
		}
	}
	if len(edited) > maxConfigFile {
		return fmt.Errorf("%s would have more than %d bytes", f.path, maxConfigFile)
	}
	f.changed = f.changed || string(edited) != string(f.raw)
	f.raw, f.data = edited, want
	return nil
}

// check refuses what TOML, or the reading side, has no place for.
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

// changesFor lists what [File.Set] has to do, in the order of Keys.
func changesFor(s Settings) []change {
	d := defaults()
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
	add(TokenURL, s.TokenURL != "", s.TokenURL == d.TokenURL, s.TokenURL)
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
