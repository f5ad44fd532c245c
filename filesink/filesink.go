// Package filesink publishes a token in a file, for programs that read a token
// from a file, such as GDAL, curl and htslib.
//
// [Open] makes the sink of one file, and [OpenURL] does the same from text such as
// "header:/run/user/1000/token?mode=0640&group=gis". A [Sink] is what
// shsession.Share takes. It puts the file back when another program deletes it.
//
// # Formats
//
//   - [Header] is one line, "Authorization: Bearer …" and a newline. curl reads it with -H @PATH.
//     GDAL reads it anew before every request when GDAL_HTTP_HEADER_FILE names it. GDAL sends
//     the line to every host that it contacts, so the host of another dataset gets the token too.
//   - [Raw] is the access token alone, without a newline, for programs that take a file's whole
//     content. htslib (HTS_AUTH_LOCATION) reads this once in a process's life.
//   - [JSON] is the token endpoint's answer with expires_at, and a newline: what the Python package's
//     from_token takes. htslib reads this too. It reads the file again a minute before the end of
//     the token's whole life, counted from when it read the token. The token expires earlier than
//     that, by its age when it was read.
//
// # How a file is written
//
// A new file beside it gets its content, its owner and its mode, and is then renamed
// into place. A reader finds the old token or the new one, complete. Other users can't
// read the file at any moment, unless its mode permits that. The file isn't synced to the
// disk, so a write doesn't wait for the disk. After a loss of power the token may be missing
// or old, and the next sharer writes a new one.
//
// While the token is shared, a missing file is put back at once. A token that has expired and
// can't be renewed stays in the file until there is a new one. With an expired token a program
// gets a 401. Without the file GDAL sends its requests without a token, and curl fails.
//
// A Sink replaces only a regular file that is empty or holds a token in the same format. For
// any other file the error wraps [ErrNotToken], and the file stays as it is. A symbolic link
// is refused too, since the rename would replace the link and not its target. After its first
// Publish, a Sink replaces any file at the path.
package filesink

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/shsession/shsession"
)

// ErrNotToken: the path names a file without a token, which isn't replaced.
var ErrNotToken = errors.New("what is there is not a token file")

// A Format is how a file holds a token.
type Format int

const (
	JSON   Format = iota // the token's JSON object: "file:PATH"
	Raw                  // the access token alone: "token-file:PATH"
	Header               // an HTTP header line: "header:PATH"
)

// String returns the URL scheme of the format.
func (f Format) String() string {
	switch f {
	case JSON:
		return "file"
	case Raw:
		return "token-file"
	case Header:
		return "header"
	}
	return fmt.Sprintf("Format(%d)", int(f))
}

// Options say how a file is written, and whether it stays in the end. The zero value is
// a JSON file of mode 0600 that is removed in the end.
type Options struct {
	Format Format

	// Mode is the file's permissions, 0 for 0600. It can let the group read the file and,
	// with WorldReadable, every user; it can't let them do anything else.
	Mode fs.FileMode

	// WorldReadable permits a Mode that lets every user of the machine read the token.
	WorldReadable bool

	// Owner and Group are a name or a number each, "" for the owner and group of a new
	// file. Another owner, or a group that the process doesn't belong to, needs root.
	Owner, Group string

	// Keep leaves the file in place when the token is withdrawn, unless the token has expired by
	// then. The token stays valid until it expires. Nothing removes the file after that; another
	// Sink for the same path replaces it.
	Keep bool
}

// A Sink is a file that holds a token. Open makes one.
//
// Several goroutines may call its methods at once.
type Sink struct {
	path   string // absolute
	opts   Options
	access access

	turn      chan struct{}   // holds one value while a goroutine works on the file; guards the fields below
	published shsession.Token // zero if there is no token to keep or to withdraw
	owned     bool            // whether this Sink has published at the path
	watch     *watch          // nil if not watching
}

// Open returns the Sink of the file at path. It doesn't touch the file. The file's directory
// must exist when a token is published.
//
// It fails if the options can't be met. Mode, Owner and Group are [errors.ErrUnsupported] on
// Windows, where a new file inherits the permissions of its directory.
func Open(path string, o Options) (*Sink, error) {
	if path == "" {
		return nil, errors.New("the path of the token's file is empty")
	}
	if o.Format < JSON || o.Format > Header {
		return nil, fmt.Errorf("%v is no format of a token's file", o.Format)
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	access, err := o.access()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", abs, err)
	}
	return &Sink{path: abs, opts: o, access: access, turn: make(chan struct{}, 1)}, nil
}

// Path returns the file's absolute path.
func (s *Sink) Path() string { return s.path }

// Format returns how the file holds the token.
func (s *Sink) Format() Format { return s.opts.Format }

// String returns the format's scheme and the path, as in "header:/run/token".
func (s *Sink) String() string { return s.opts.Format.String() + ":" + s.path }

// GoString returns what String returns.
func (s *Sink) GoString() string { return s.String() }
