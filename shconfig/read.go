package shconfig

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"strings"
	"time"

	"github.com/pelletier/go-toml/v2"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/internal/atomicfile"
	"github.com/shsession/shsession/internal/nearest"
)

// maxConfigFile bounds config.toml, in bytes. A profile has some hundreds.
const maxConfigFile = 1 << 20

// readLimited reads a file of at most limit bytes, and the state of that file.
func readLimited(path string, limit int64) ([]byte, fs.FileInfo, error) {
	f, err := atomicfile.Open(path)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, nil, err
	}
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, nil, err
	}
	if int64(len(data)) > limit {
		return nil, nil, fmt.Errorf("%s has more than %d bytes: is it the right file?", path, limit)
	}
	return data, info, nil
}

// parse decodes a config.toml; path is for errors.
func parse(path string, raw []byte) (map[string]any, error) {
	data := map[string]any{}
	err := toml.Unmarshal(raw, &data)
	if err == nil {
		return data, nil
	}
	// A number that overflows is quoted after this prefix, and may be a
	// secret without its quotes.
	reason, _, _ := strings.Cut(strings.TrimPrefix(err.Error(), "toml: "), ": strconv")
	syntax := &SyntaxError{File: path, Reason: reason}
	var decode *toml.DecodeError
	if errors.As(err, &decode) {
		syntax.Line, syntax.Column = decode.Position()
	}
	return nil, syntax
}

// table finds the settings of one profile as they stand in the file.
func table(path string, data map[string]any, profile string) (map[string]any, error) {
	value, ok := data[profile]
	if !ok {
		have := profiles(data)
		return nil, &UnknownProfileError{File: path, Profile: profile, Have: have, Nearest: nearest.To(profile, have)}
	}
	t, ok := value.(map[string]any)
	if !ok {
		return nil, &ValueError{File: path, Profile: profile, Want: "a table", Got: kindOf(value)}
	}
	return t, nil
}

// decoder reads the values of one profile and keeps the first error.
type decoder struct {
	path, profile string
	values        map[string]any
	err           error
}

func (d *decoder) settings() (Settings, []string, error) {
	s := Settings{
		ClientID:            d.text(ClientID),
		ClientSecret:        shsession.NewSecret(d.text(ClientSecret)),
		BaseURL:             d.text(BaseURL),
		TokenURL:            d.text(TokenURL),
		MaxDownloadAttempts: d.attempts(MaxDownloadAttempts),
		DownloadSleepTime:   d.seconds(DownloadSleepTime, true),
		DownloadTimeout:     d.seconds(DownloadTimeout, false),
	}
	var warnings []string
	if old := d.text(oldAuthURL); old != "" {
		s.TokenURL = strings.TrimRight(old, "/") + "/oauth/token"
		warnings = append(warnings, fmt.Sprintf("%s: profile %q: %s is an old key: replace it by %s, with /oauth/token appended",
			d.path, d.profile, oldAuthURL, TokenURL))
	}
	return s, warnings, d.err
}

func (d *decoder) text(key Key) string {
	switch v := d.values[string(key)].(type) {
	case nil:
	case string:
		return v
	default:
		d.fail(key, "a string", kindOf(v))
	}
	return ""
}

func (d *decoder) attempts(key Key) int {
	switch v := d.values[string(key)].(type) {
	case nil:
	case int64:
		if v >= 1 && v <= math.MaxInt32 {
			return int(v)
		}
		d.fail(key, "an integer from 1", fmt.Sprint(v))
	default:
		d.fail(key, "an integer", kindOf(v))
	}
	return 0
}

// maxSeconds keeps a time.Duration from overflowing: some thirty years.
const maxSeconds = 1e9

// seconds reads a float or an integer. A zero, where it is allowed, becomes one
// nanosecond, because the zero Duration says nothing.
func (d *decoder) seconds(key Key, zeroAllowed bool) time.Duration {
	var sec float64
	switch v := d.values[string(key)].(type) {
	case nil:
		return 0
	case int64:
		sec = float64(v)
	case float64:
		sec = v
	default:
		d.fail(key, "a number of seconds", kindOf(v))
		return 0
	}
	switch {
	case sec > 0 && sec <= maxSeconds, sec == 0 && zeroAllowed:
		return max(time.Duration(math.Round(sec*float64(time.Second))), time.Nanosecond)
	case zeroAllowed:
		d.fail(key, "a number of seconds from 0 to 1e9", fmt.Sprint(sec))
	default:
		d.fail(key, "a number of seconds above 0 and up to 1e9", fmt.Sprint(sec))
	}
	return 0
}

func (d *decoder) fail(key Key, want, got string) {
	if d.err == nil {
		d.err = &ValueError{File: d.path, Profile: d.profile, Key: key, Want: want, Got: got}
	}
}

// kindOf names the TOML type of a decoded value.
func kindOf(v any) string {
	switch v.(type) {
	case string:
		return "a string"
	case int64:
		return "an integer"
	case float64:
		return "a float"
	case bool:
		return "a boolean"
	case map[string]any:
		return "a table"
	case []any:
		return "an array"
	default:
		return "a date or time"
	}
}
