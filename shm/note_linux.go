package shm

import (
	"os"

	"golang.org/x/sys/unix"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/internal/record"
)

// readNote returns the note that a failed login left, the zero Note if there is none that
// can be read and trusted.
func (s *segmentStore) readNote() shsession.Note {
	data, _, err := readSmall(s.beside("note"), record.MaxNote)
	if err != nil {
		return shsession.Note{}
	}
	return record.ParseNote(data)
}

// leaveNote writes a note. It is called with the lock held. A note that can't be written is
// missed by the next login alone.
func (s *segmentStore) leaveNote(n shsession.Note) error {
	data, err := record.Note(n)
	if err != nil {
		return err
	}
	temp, err := createTemp(s.beside("temp", newID()), data)
	if err != nil {
		return err
	}
	defer temp.remove()
	return os.Rename(temp.path, s.beside("note"))
}

// removeNote removes the note, if there is one: a login has succeeded.
func (s *segmentStore) removeNote() { unix.Unlink(s.beside("note")) }
