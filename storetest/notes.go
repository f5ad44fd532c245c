package storetest

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/shsession/shsession"
)

// newNote returns a note about a refused secret that is in force for half a minute.
func newNote() shsession.Note {
	return shsession.Note{
		Until: time.Now().Add(30 * time.Second), Status: 401, Code: "invalid_client", Secret: "0123456789abcdef", Failures: 3,
	}
}

// leave takes the lock, whatever note there is, and gives it back with a note.
func leave(t *testing.T, s shsession.Store, note shsession.Note) {
	t.Helper()
	_, unlock, err := s.TryLock(t.Context(), letIn)
	if err != nil {
		t.Fatalf("TryLock of a free lock: %v", err)
	}
	unlock(note)
}

// letIn passes any note.
func letIn(shsession.Note) bool { return true }

// noteIn returns the note that is in the store, the zero Note if there is none.
func noteIn(t *testing.T, s shsession.Store) (there shsession.Note) {
	t.Helper()
	_, unlock, err := s.TryLock(t.Context(), func(note shsession.Note) bool {
		if note.IsZero() {
			t.Error("pass is called without a note")
		}
		there = note
		return true
	})
	if err != nil {
		t.Fatalf("TryLock of a free lock with a pass that lets in: %v", err)
	}
	unlock(shsession.Note{})
	return there
}

// wantNote fails unless the store has that note, which ends about when want does.
func wantNote(t *testing.T, s shsession.Store, want shsession.Note) {
	t.Helper()
	sameNote(t, noteIn(t, s), want)
}

func sameNote(t *testing.T, got, want shsession.Note) {
	t.Helper()
	if d := got.Until.Sub(want.Until).Abs(); !want.IsZero() && d > tolerance {
		t.Errorf("the note's end changed by %v", d)
	}
	got.Until, want.Until = time.Time{}, time.Time{}
	if got != want {
		t.Errorf("the note is %+v, not %+v", got, want)
	}
}

func testNoteKeepsOut(t *testing.T, s Setup) {
	ours, theirs := s.Open(), s.Open()
	wantNote(t, ours, shsession.Note{})
	note := newNote()
	leave(t, ours, note)
	for _, store := range []shsession.Store{theirs, ours} {
		_, unlock, err := store.TryLock(t.Context(), nil)
		if err == nil {
			unlock(shsession.Note{})
		}
		var locked *shsession.LockedError
		if !errors.As(err, &locked) {
			t.Fatalf("TryLock beside a note: %v, want a LockedError", err)
		}
		if locked.Holder != "" {
			t.Errorf("a note's holder is %q", locked.Holder)
		}
		sameNote(t, locked.Note, note)
	}
	wantNote(t, theirs, note) // who was kept out left the lock free
}

func testNotePass(t *testing.T, s Setup) {
	ours, theirs := s.Open(), s.Open()
	pass := func(answer bool) (asked int, err error) {
		_, unlock, err := theirs.TryLock(t.Context(), func(shsession.Note) bool { asked++; return answer })
		if err == nil {
			unlock(shsession.Note{})
		}
		return asked, err
	}
	if asked, err := pass(false); asked != 0 || err != nil {
		t.Errorf("without a note pass is called %d times, and TryLock returns %v", asked, err)
	}
	leave(t, ours, newNote())
	if asked, err := pass(true); asked != 1 || err != nil {
		t.Errorf("pass is called %d times and lets in, and TryLock returns %v", asked, err)
	}
	if asked, err := pass(false); asked != 1 || !errors.Is(err, shsession.ErrLocked) {
		t.Errorf("pass is called %d times and keeps out, and TryLock returns %v", asked, err)
	}
	held, unlock, err := ours.TryLock(t.Context(), letIn)
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = theirs.TryLock(t.Context(), letIn)
	var locked *shsession.LockedError
	if !errors.As(err, &locked) || locked.Holder == "" || !locked.Note.IsZero() {
		t.Errorf("TryLock of a taken lock with a note: %v, want a LockedError of the holder", err)
	}
	if held.Err() != nil {
		t.Error("held is done")
	}
	unlock(shsession.Note{})
}

// testNoteEnded: an ended note keeps nobody out, but the next failure counts on from
// there.
func testNoteEnded(t *testing.T, s Setup) {
	ours, theirs := s.Open(), s.Open()
	ended, brief := newNote(), newNote()
	ended.Until, brief.Until = time.Now().Add(-time.Millisecond), time.Now().Add(100*time.Millisecond)
	for _, note := range []shsession.Note{ended, brief} {
		leave(t, ours, note)
		eventuallyFree(t, theirs)
		there := noteIn(t, theirs)
		if there.Failures != note.Failures || there.Secret != note.Secret || there.Remaining() != 0 {
			t.Errorf("the ended note is %+v, not %+v", there, note)
		}
		if _, unlock, err := theirs.TryLock(t.Context(), func(shsession.Note) bool { return false }); err == nil {
			unlock(shsession.Note{})
			t.Error("an ended note lets in whom pass keeps out")
		}
	}
}

// testNoteStays: nobody who takes the lock and has nothing to say removes a note.
func testNoteStays(t *testing.T, s Setup) {
	ours, theirs := s.Open(), s.Open()
	note := newNote()
	leave(t, ours, note)
	leave(t, theirs, shsession.Note{})
	ctx, cancel := context.WithCancel(t.Context())
	_, unlock, err := theirs.TryLock(ctx, letIn)
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	unlock(shsession.Note{})
	wantNote(t, ours, note)
}

func testNoteReplaced(t *testing.T, s Setup) {
	ours, theirs := s.Open(), s.Open()
	leave(t, ours, newNote())
	busy := shsession.Note{Until: time.Now().Add(10 * time.Second), Status: 429, Failures: 1}
	_, unlock, err := theirs.TryLock(t.Context(), letIn)
	if err != nil {
		t.Fatal(err)
	}
	unlock(busy)
	unlock(newNote()) // the first call counts
	wantNote(t, ours, busy)
}

func testNotePublish(t *testing.T, s Setup) {
	ours, theirs := s.Open(), s.Open()
	note := newNote()
	leave(t, ours, note)
	stale, unlock, err := ours.TryLock(t.Context(), letIn)
	if err != nil {
		t.Fatal(err)
	}
	unlock(shsession.Note{})
	leave(t, theirs, shsession.Note{})
	if err := ours.Publish(stale, newToken(t, "late")); err == nil {
		t.Error("Publish with a lock that was lost is no error")
	}
	wantNote(t, theirs, note) // which a failed Publish leaves
	publish(t, ours, newToken(t, "token"))
	wantNote(t, theirs, shsession.Note{})
}

func testNoteWithdraw(t *testing.T, s Setup) {
	ours, theirs := s.Open(), s.Open()
	note := newNote()
	leave(t, ours, note)
	withdraw(t, theirs)
	wantNote(t, ours, note) // which stays where there was nothing to withdraw
	publish(t, ours, newToken(t, "token"))
	leave(t, theirs, note)
	withdraw(t, ours)
	wantNote(t, theirs, shsession.Note{})
}

// testNoteTooLate: held was done before unlock was called.
func testNoteTooLate(t *testing.T, s Setup) {
	ours, theirs := s.Open(), s.Open()
	ctx, cancel := context.WithCancel(t.Context())
	_, unlock, err := ours.TryLock(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	eventuallyFree(t, theirs)
	unlock(newNote())
	wantNote(t, theirs, shsession.Note{})
}

func testNoteLost(t *testing.T, s Setup) {
	if s.LoseLock == nil {
		t.Skip("this store's lock can't be lost")
	}
	ours, theirs := s.Open(), s.Open()
	_, unlockLost, err := ours.TryLock(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	s.LoseLock()
	_, unlockTheirs := lock(t, theirs)
	unlockLost(newNote())
	unlockTheirs()
	wantNote(t, theirs, shsession.Note{})
}

func testNoteLocal(t *testing.T, s Setup) {
	ours, theirs := s.Open(), s.Open()
	local := shsession.Note{Until: time.Now().Add(10 * time.Second), Status: 404, Failures: 1}
	if !local.Local() {
		t.Fatal("storetest's own note isn't local")
	}
	leave(t, ours, local)
	if s.ManyMachines {
		wantNote(t, theirs, shsession.Note{})
	} else {
		wantNote(t, theirs, local)
	}
}

// testNoteCapped: nobody is kept out for a year, whatever the note's writer asked for.
func testNoteCapped(t *testing.T, s Setup) {
	ours, theirs := s.Open(), s.Open()
	for _, note := range []shsession.Note{{Status: 503, Failures: 9}, {Status: 401, Code: "invalid_client", Secret: "x", Failures: 1}} {
		note.Until = time.Now().AddDate(1, 0, 0)
		leave(t, ours, note)
		if left := noteIn(t, theirs).Remaining(); left <= 50*time.Second || left > time.Minute {
			t.Errorf("a note of status %d for a year is in force for %v, not a minute", note.Status, left)
		}
	}
}
