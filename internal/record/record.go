// Package record holds the form of what the stores of one machine keep beside a token: the
// note that a failed login leaves, and the registration of a sharer. It also holds the rules
// about these files that are the same in all the stores.
package record

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/ratelimit"
)

const (
	// MaxNote is the size in bytes of the largest note.
	MaxNote = 1024

	// MaxSharer is the size in bytes of the largest registration.
	MaxSharer = 4096

	// notesKept is how long an unread note is kept, from when it was written.
	notesKept = time.Hour
)

type note struct {
	Until    int64  `json:"until"` // Unix milliseconds: one machine has one clock
	Status   int    `json:"status"`
	Code     string `json:"code,omitempty"`
	Secret   string `json:"secret,omitempty"`
	Failures int    `json:"failures"`
}

// Note returns a note as JSON, or an error if it is too long.
func Note(n shsession.Note) ([]byte, error) {
	data, err := json.Marshal(note{n.Until.UnixMilli(), n.Status, n.Code, n.Secret, n.Failures})
	if err == nil && len(data) > MaxNote {
		err = errors.New("the note is too long")
	}
	return data, err
}

// ParseNote returns the note in data, the zero Note if that can't be parsed.
func ParseNote(data []byte) shsession.Note {
	var n note
	if json.Unmarshal(data, &n) != nil {
		return shsession.Note{}
	}
	return shsession.Note{Until: time.UnixMilli(n.Until), Status: n.Status, Code: n.Code, Secret: n.Secret, Failures: n.Failures}
}

type sharer struct {
	PID      int    `json:"pid"`
	ClientID string `json:"client_id"`
	Issuer   string `json:"issuer,omitempty"`
}

// Sharer returns this process's registration as JSON, or an error if it is too long.
func Sharer(account shsession.Account) ([]byte, error) {
	data, err := json.Marshal(sharer{PID: os.Getpid(), ClientID: account.ClientID, Issuer: account.Issuer})
	if err == nil && len(data) > MaxSharer {
		err = fmt.Errorf("the client id and the issuer are %d bytes long, too long to share under", len(data))
	}
	return data, err
}

// ParseSharer returns the sharer in data. A registration that can't be parsed is still a
// sharer's: that of an unknown account.
func ParseSharer(data []byte) shsession.Sharer {
	var s sharer
	_ = json.Unmarshal(data, &s)
	return shsession.Sharer{PID: s.PID, Account: shsession.Account{Issuer: s.Issuer, ClientID: s.ClientID}}
}

// CheckConflict returns a ConflictError if a live sharer of a store has another account than
// our own.
func CheckConflict(store fmt.Stringer, own shsession.Account, live []shsession.Sharer) error {
	for _, sharer := range live {
		if !sharer.Matches(own) {
			return &shsession.ConflictError{
				Store: store.String(), Account: sharer.Account, Own: own, Sharers: []shsession.Sharer{sharer},
			}
		}
	}
	return nil
}

// CheckUnshared returns an error if a store has live sharers: they would put back the token
// that a removal removes.
func CheckUnshared(store fmt.Stringer, live []shsession.Sharer) error {
	if len(live) > 0 {
		return fmt.Errorf("%s is shared by process %d: stop that first", store, live[0].PID)
	}
	return nil
}

// Kept maps the files that a sweep removes to how long each is kept since it was changed.
func Kept() map[string]time.Duration {
	return map[string]time.Duration{"note": notesKept, "limit": ratelimit.StateKept}
}

// An Entry is what a listing of stores found under one name.
type Entry struct {
	Name       string
	Token      shsession.Token
	Modified   time.Time // when the token was published
	Live, Dead []shsession.Sharer
}
