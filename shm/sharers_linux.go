package shm

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/shsession/shsession"
)

// The files beside the segment NAME are called .NAME.shsession.KIND, or
// .NAME.shsession.KIND.ID where there can be several, with the stem of a long name:
//
//	lock        exists while somebody has the lock of TryLock
//	turn        exists while somebody changes these files
//	temp.ID     a file that is being written, to be renamed
//	sharer.ID   a sharer's card: a JSON object, locked by flock(2) while the sharer lives
//	spare.ID.a  a hard link to what that sharer protects; or spare.ID.b
const mark = ".shsession."

// maxStem is the length in bytes of the longest name that the names of the files beside a
// segment contain as it is, which leaves room for the rest.
const maxStem = 200

// stem returns what the names of the files beside the segment NAME have in its place.
func stem(name string) string {
	if len(name) <= maxStem {
		return name
	}
	sum := sha256.Sum256([]byte(name))
	return name[:maxStem/2] + "~" + hex.EncodeToString(sum[:])
}

// maxCard is the size in bytes of the largest card.
const maxCard = 4096

// newID returns an ID that no other has.
func newID() string {
	return fmt.Sprintf("%d-%s", os.Getpid(), strings.ToLower(rand.Text()[:10]))
}

// beside returns the path of a file beside the segment.
func (s *Store) beside(kind ...string) string {
	return dir + "/." + stem(s.name) + mark + strings.Join(kind, ".")
}

// A besideFile is a file beside a segment, of kind temp, sharer or spare.
type besideFile struct {
	besideName
	path   string
	sharer shsession.Sharer // if it is a sharer's card
	live   bool             // whether that sharer lives, or the one whose spare it is
}

// A besideName is what the name of a file beside a segment says.
type besideName struct{ stem, kind, id string }

// parseBeside splits the name of a file beside a segment.
func parseBeside(file string) (b besideName, ok bool) {
	i := strings.LastIndex(file, mark)
	if i < 2 || file[0] != '.' {
		return besideName{}, false
	}
	parts := strings.Split(file[i+len(mark):], ".")
	b = besideName{stem: file[1:i], kind: parts[0]}
	if len(parts) > 1 {
		b.id = parts[1]
	}
	return b, true
}

// listBeside returns the files beside the segment of that name, or beside all segments if
// name is "", and the names of all files that can be segments.
func listBeside(name string) (beside []besideFile, segments []string, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, nil, fmt.Errorf("this system has no shared memory: %w", err)
	}
	live := map[string]bool{} // by ID
	for _, e := range entries {
		b, ok := parseBeside(e.Name())
		if !ok {
			if !strings.HasPrefix(e.Name(), ".") {
				segments = append(segments, e.Name())
			}
			continue
		}
		if name != "" && b.stem != stem(name) {
			continue
		}
		f := besideFile{besideName: b, path: dir + "/" + e.Name()}
		switch b.kind {
		case "sharer":
			if f.sharer, f.live, err = readCard(f.path); err != nil {
				continue // it is gone, or somebody else's
			}
			live[b.id] = f.live
		case "spare": // which ReadDir sorts behind the sharers
			f.live = live[b.id]
		case "temp":
		default:
			continue
		}
		beside = append(beside, f)
	}
	return beside, segments, nil
}

// readCard reads a sharer's card and reports whether that sharer lives.
func readCard(path string) (sharer shsession.Sharer, live bool, err error) {
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return shsession.Sharer{}, false, openError(path, err)
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return shsession.Sharer{}, false, &fs.PathError{Op: "fstat", Path: path, Err: err}
	}
	if err := trust(path, &st); err != nil {
		return shsession.Sharer{}, false, err
	}
	live = unix.Flock(fd, unix.LOCK_SH|unix.LOCK_NB) == unix.EWOULDBLOCK // else unlocked by Close
	var buf [maxCard]byte
	n, err := unix.Pread(fd, buf[:], 0)
	if err != nil {
		return shsession.Sharer{}, false, &fs.PathError{Op: "read", Path: path, Err: err}
	}
	var c card
	_ = json.Unmarshal(buf[:n], &c) // a card that can't be read is still a sharer's
	return shsession.Sharer{PID: c.PID, ClientID: c.ClientID}, live, nil
}

// A card is what a sharer says of itself.
type card struct {
	PID      int    `json:"pid"`
	ClientID string `json:"client_id"`
}

// fellows returns the files beside the segment but for w's own, which may be nil.
func (s *Store) fellows(w *watch) ([]besideFile, error) {
	files, _, err := listBeside(s.name)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(files, func(f besideFile) bool { return w != nil && f.id == w.id }), nil
}

// sharersIn returns those sharers whose cards are among files: the live or the dead.
func sharersIn(files []besideFile, live bool) []shsession.Sharer {
	var sharers []shsession.Sharer
	for _, f := range files {
		if f.kind == "sharer" && f.live == live {
			sharers = append(sharers, f.sharer)
		}
	}
	return sharers
}

// removeDead removes what dead processes left. It is called in turn.
func removeDead(files []besideFile) {
	for _, f := range files {
		if f.live || f.kind == "temp" && !isDeadTemp(f.path) {
			continue
		}
		unix.Unlink(f.path)
	}
}

// Sharers returns the live processes that share the segment, this one among them, and
// those that died without withdrawing the token. What the dead left is removed when
// somebody else begins to watch the segment, or withdraws it. Python's sharers and
// processes that only Join aren't known.
func (s *Store) Sharers(ctx context.Context) (live, dead []shsession.Sharer, err error) {
	if err := ctx.Err(); err != nil {
		return nil, nil, err
	}
	files, _, err := listBeside(s.name)
	return sharersIn(files, true), sharersIn(files, false), err
}

// loadSpare returns the token that a live sharer protects, which is the one that it is
// about to put back if the segment is missing.
func (s *Store) loadSpare() (t shsession.Token, ok bool) {
	files, _, _ := listBeside(s.name)
	for _, f := range files {
		if f.kind != "spare" || !f.live {
			continue
		}
		seg, err := readSegment(f.path, nil)
		if err == nil && (!ok || seg.token.ExpiresAt().After(t.ExpiresAt())) {
			t, ok = seg.token, true
		}
	}
	return t, ok
}
