package record_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/internal/record"
)

func TestNote(t *testing.T) {
	want := shsession.Note{Until: time.UnixMilli(1_800_000_000_123), Status: 401, Code: "invalid_client", Secret: "ab12", Failures: 3}
	data, err := record.Note(want)
	if err != nil {
		t.Fatal(err)
	}
	if got := record.ParseNote(data); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	if _, err := record.Note(shsession.Note{Code: strings.Repeat("x", record.MaxNote)}); err == nil {
		t.Error("a note that is too long is no error")
	}
}

func TestSharer(t *testing.T) {
	want := shsession.Sharer{PID: os.Getpid(), Account: shsession.Account{Issuer: "https://identity.example.com", ClientID: "client"}}
	data, err := record.Sharer(want.Account)
	if err != nil {
		t.Fatal(err)
	}
	if got := record.ParseSharer(data); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	if _, err := record.Sharer(shsession.Account{ClientID: strings.Repeat("x", record.MaxSharer)}); err == nil {
		t.Error("a registration that is too long is no error")
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"until": 1800000000123, "status": 429, "failures": 1}`))
	f.Add([]byte(`{"pid": 1, "client_id": "client"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		if note := record.ParseNote(data); note.Remaining() > 15*time.Minute {
			t.Errorf("a note of %v", note.Remaining())
		}
		record.ParseSharer(data)
	})
}
