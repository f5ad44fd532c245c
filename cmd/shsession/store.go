package main

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/filesink"
	"github.com/shsession/shsession/shm"
)

// A sinkKind is a kind of place where a token can be: how it is written, and how one is opened.
type sinkKind struct {
	form    string   // for people
	schemes []string // what is before the first colon
	open    func(a *app, text string) (shsession.Sink, error)
	isStore bool // the token can be read there
}

func sinkKinds() []sinkKind {
	return []sinkKind{
		{"shm:NAME", []string{"shm"}, (*app).openShared, true},
		{"redis://HOST", []string{"redis", "rediss"}, (*app).openRedis, true},
		{"redis+sentinel://HOSTS", []string{"redis+sentinel", "rediss+sentinel"}, (*app).openRedis, true},
		{"redis+cluster://HOSTS", []string{"redis+cluster", "rediss+cluster"}, (*app).openRedis, true},
		{"header:PATH", []string{filesink.Header.String()}, (*app).openFile, false},
		{"file:PATH", []string{filesink.JSON.String()}, (*app).openFile, false},
		{"token-file:PATH", []string{filesink.Raw.String()}, (*app).openFile, false},
	}
}

// openSink opens a place to put a token: a STORE or a file.
func (a *app) openSink(text string) (shsession.Sink, error) {
	return a.open(text, func(sinkKind) bool { return true })
}

// openStore opens a STORE: a URL, or the bare name of a segment of shared memory.
func (a *app) openStore(text string) (shsession.Store, error) {
	sink, err := a.open(text, func(kind sinkKind) bool { return kind.isStore })
	if err != nil {
		return nil, err
	}
	return sink.(shsession.Store), nil
}

// open opens what a text names, if it's of a kind that will do. The end of the process closes it.
func (a *app) open(text string, willDo func(sinkKind) bool) (shsession.Sink, error) {
	scheme, _, isURL := strings.Cut(text, ":")
	if text == "" {
		return nil, &usageError{errors.New("the name of a STORE is empty")}
	}
	if !isURL {
		sink, err := a.openShared("shm:" + text)
		return sink, asUsage(err)
	}
	known := []string{"NAME"}
	for _, kind := range sinkKinds() {
		if !willDo(kind) {
			continue
		}
		if slices.Contains(kind.schemes, scheme) {
			sink, err := kind.open(a, text)
			return sink, asUsage(err)
		}
		known = append(known, kind.form)
	}
	// The rest of the text isn't repeated: there may be a password in it.
	return nil, &usageError{fmt.Errorf("%q is not known here: there are %s", scheme+":", strings.Join(known, ", "))}
}

// asUsage makes a mistake on the command line of an error in opening what was named there, unless it's
// of a file or of this system.
func asUsage(err error) error {
	var path *fs.PathError
	if err == nil || errors.As(err, &path) || errors.Is(err, errors.ErrUnsupported) || errors.Is(err, shsession.ErrNoCredentials) {
		return err
	}
	return &usageError{err}
}

// openShared opens shm:NAME, the default segment of shared memory if there is no name.
func (a *app) openShared(text string) (shsession.Sink, error) {
	name := strings.TrimPrefix(text, "shm:")
	if name == "" {
		name = shm.DefaultName
	}
	return shm.Open(name)
}

// openFile opens header:PATH and its kin. There has to be a directory for it: who learns that
// after a login has logged in for nothing.
func (a *app) openFile(text string) (shsession.Sink, error) {
	sink, err := filesink.OpenURL(text)
	if err != nil {
		return nil, err
	}
	if err := checkDirectory(filepath.Dir(sink.Path())); err != nil {
		return nil, fmt.Errorf("%v can't be written: %w", sink, err)
	}
	return sink, nil
}

// storeArgument returns a command's only argument, or the STORE that a share has told us of, or the default segment.
func storeArgument(args []string) string {
	if len(args) == 1 {
		return args[0]
	}
	if store, ok := sharedWithUs(); ok {
		return store
	}
	return "shm:" + shm.DefaultName
}
