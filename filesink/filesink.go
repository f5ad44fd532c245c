// Package filesink publishes a token in a file, for programs that can read
// one from there: GDAL, curl, htslib and whatever else takes a file.
//
// [Open] makes the sink of one file, and [OpenURL] does the same from text such as
// "header:/run/user/1000/token?mode=0640&group=gis". A [Sink] is what
// shsession.Share takes, and it puts the file back when something deletes it.
//
// # Formats
//
//   - [Header] is one line, "Authorization: Bearer …" and a newline. curl reads it with -H @PATH.
//     GDAL reads it anew before every request when GDAL_HTTP_HEADER_FILE names it. GDAL sends
//     the line to every host that it contacts, so a dataset elsewhere gets the token too.
//   - [Raw] is the access token and nothing else, no newline either, as programs want it that
//     take a file's whole content. htslib (HTS_AUTH_LOCATION) reads this once in a process's life.
//   - [JSON] is the token endpoint's answer with expires_at, and a newline: what the Python package's
//     from_token takes. htslib reads this too, and again a minute before the token would expire had
//     it been issued when it was read. That is later than it does, by the age that the token had then.
//
// # How a file is written
//
// A new file beside it gets its content, its owner and its mode, and is then renamed
// into place. A reader finds the old token or the new one, whole, and nobody
// finds it readable who shouldn't. It isn't synced to the disk: after a loss of
// power the token there may be gone or old, and the next sharer writes another, while every
// write would have to wait for the disk.
//
// While it's being shared, the file is never missing for longer than it takes to put it back: when a token
// has expired and can't be renewed, it stays there until there is another. With an expired token a program is told
// so (401); without the file GDAL goes on as if it had never had one, and curl doesn't go on at all.
//
// What is replaced must be a regular file that is empty or holds a token in the same
// format: a file that was named by mistake is an error wrapping [ErrNotToken], and stays
// as it is. A symbolic link is refused too, since the rename would replace the link rather than
// what it leads to. Once a Sink has published, the place is its own, whatever turns up there.
package filesink

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/shsession/shsession"
)

// ErrNotToken comes with a path where something is that holds no token, so that
// it isn't replaced.
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

// Options say how a file is written and what becomes of it. The zero value is a
// JSON file of mode 0600 that is removed in the end.
type Options struct {
	Format Format

	// Mode is the file's permissions, 0 for 0600. Beyond what its owner may do, it can
	// permit reading and nothing else: to the group, and to everybody with WorldReadable.
	Mode fs.FileMode

	// WorldReadable permits a Mode that lets every user of the machine read the token.
	WorldReadable bool

	// Owner and Group are a name or a number each, "" for whatever a new file
	// gets. Giving a file away takes root's privileges, and so does a group that one isn't in.
	Owner, Group string

	// Keep leaves the file in place when it is withdrawn, unless the token has expired by then. What
	// it holds is good until that expires, and nothing removes it then, for nobody is left to do so; a Sink
	// that is made for it again replaces it.
	Keep bool
}

// A Sink is a file that holds a token. Open makes one.
//
// Its methods may be called by several goroutines at once.
type Sink struct {
	path   string // absolute
	opts   Options
	access access

	turn      chan struct{}   // holds one value while somebody works on the file; guards the fields below
	published shsession.Token // zero if there is nothing to keep or to withdraw
	owned     bool            // whether the place has become this Sink's
	watch     *watch          // nil if not watching
}

// An access is who may do what with the file.
type access struct {
	mode     fs.FileMode
	uid, gid int // -1 to leave as it is
}

// Open returns the Sink of the file at path, which it doesn't touch. The directory that it is in
// needn't exist until a token is published.
//
// It fails if the options can't be met. Mode, Owner and Group are
// [errors.ErrUnsupported] on Windows, where a new file has the permissions that its directory hands down.
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

// access works out what the options ask for.
func (o Options) access() (access, error) {
	a := access{mode: o.Mode, uid: -1, gid: -1}
	if a.mode == 0 {
		a.mode = 0o600
	}
	switch {
	case a.mode&^0o777 != 0 || a.mode&0o133 != 0:
		return a, fmt.Errorf("mode %#o lets others write the token, or makes it a program", uint32(a.mode))
	case a.mode&0o400 == 0:
		return a, fmt.Errorf("mode %#o doesn't let the file's owner read it", uint32(a.mode))
	case a.mode&0o004 != 0 && !o.WorldReadable:
		return a, fmt.Errorf("mode %#o lets every user of this machine read the token: say world-readable if that is meant", uint32(a.mode))
	}
	if err := checkSupported(o); err != nil {
		return a, err
	}
	var err error
	if o.Owner != "" {
		if a.uid, err = lookupUser(o.Owner); err != nil {
			return a, err
		}
	}
	if o.Group != "" {
		if a.gid, err = lookupGroup(o.Group); err != nil {
			return a, err
		}
	}
	return a, nil
}

// Path returns the file's absolute path.
func (s *Sink) Path() string { return s.path }

// Format returns how the file holds the token.
func (s *Sink) Format() Format { return s.opts.Format }

// String returns the format's scheme and the path, as in "header:/run/token".
func (s *Sink) String() string { return s.opts.Format.String() + ":" + s.path }

// GoString returns what String returns.
func (s *Sink) GoString() string { return s.String() }
