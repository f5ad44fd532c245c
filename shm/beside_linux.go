package shm

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/ratelimit"
)

// The files beside the segment NAME are called .NAME.shsession.KIND, or
// .NAME.shsession.KIND.ID where there can be several, with the stem of a long name:
//
//	note             a JSON object: the last login that failed
//	limit            a JSON object: the state of a rate limit
//	temp.ID          a file that is being written, to be renamed
//	registration.ID  a JSON object: a sharer, who keeps the file locked while it lives
//	backup.ID.a      a hard link to what that sharer protects; or backup.ID.b
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

// isShortened reports whether a stem isn't the name.
func isShortened(stem string) bool {
	return len(stem) == maxStem/2+1+2*sha256.Size && stem[maxStem/2] == '~'
}

// newID returns an ID that no other has.
func newID() string {
	return fmt.Sprintf("%d-%s", os.Getpid(), strings.ToLower(rand.Text()[:10]))
}

// beside returns the path of a file beside the segment.
func (s *segmentStore) beside(kind ...string) string {
	return dir + "/." + stem(s.name) + mark + strings.Join(kind, ".")
}

// Limits is [Store.Limits].
func (s *segmentStore) Limits() ratelimit.State { return ratelimit.OpenFile(s.beside("limit")) }

// A besideFile is a file beside a segment, of kind temp, registration or backup.
type besideFile struct {
	besideName
	path   string
	sharer shsession.Sharer // if it is a registration
	live   bool             // whether the sharer lives whose registration or backup it is
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
	entries, err := readDir()
	if err != nil {
		return nil, nil, err
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
		case "registration":
			if f.sharer, f.live, err = readRegistration(f.path); err != nil {
				continue // it is gone, or another user's
			}
			live[b.id] = f.live
		case "temp", "backup":
		default:
			continue
		}
		beside = append(beside, f)
	}
	for i := range beside {
		beside[i].live = live[beside[i].id]
	}
	return beside, segments, nil
}

// readDir returns the files in dir, sorted by name.
func readDir() ([]fs.DirEntry, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		err = fmt.Errorf("this system has no shared memory: %w", err)
	}
	return entries, err
}

// peers returns the files beside the segment but for w's own, which may be nil.
func (s *segmentStore) peers(w *watch) ([]besideFile, error) {
	files, _, err := listBeside(s.name)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(files, func(f besideFile) bool { return w != nil && f.id == w.id }), nil
}

// removeDead removes what dead processes left. It is called with the change lock held.
func removeDead(files []besideFile) {
	for _, f := range files {
		if f.live || f.kind == "temp" && !isDeadTemp(f.path) {
			continue
		}
		unix.Unlink(f.path)
	}
}

// loadBackup returns the token that a live sharer protects, which is the one that it is
// about to put back if the segment is missing.
func (s *segmentStore) loadBackup() (t shsession.Token, ok bool) {
	files, _, _ := listBeside(s.name)
	for _, f := range files {
		if f.kind != "backup" || !f.live {
			continue
		}
		seg, err := readSegment(f.path, nil)
		if err == nil && (!ok || seg.token.ExpiresAt().After(t.ExpiresAt())) {
			t, ok = seg.token, true
		}
	}
	return t, ok
}

// readSmall reads a trusted file, up to a limit of bytes, and reports whether a process
// has locked it by flock(2).
func readSmall(path string, limit int) (data []byte, locked bool, err error) {
	fd, _, err := openTrusted(path)
	if err != nil {
		return nil, false, err
	}
	defer unix.Close(fd)
	locked = unix.Flock(fd, unix.LOCK_SH|unix.LOCK_NB) == unix.EWOULDBLOCK // else Close unlocks it
	data = make([]byte, limit)
	n, err := unix.Pread(fd, data, 0)
	if err != nil {
		return nil, false, &fs.PathError{Op: "read", Path: path, Err: err}
	}
	return data[:n], locked, nil
}
