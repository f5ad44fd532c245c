//go:build !linux

package shm

import (
	"context"
	"errors"
	"fmt"
	"runtime"

	"github.com/shsession/shsession"
)

type state struct{}

func newState(string) state { return state{} }

// supported returns the error that every function here returns.
func supported() error {
	return fmt.Errorf("sharing a token in memory is not supported on %s; share it in Redis or in a file: %w", runtime.GOOS, errors.ErrUnsupported)
}

// Load is not supported here.
func (s *Store) Load(context.Context) (shsession.Token, error) {
	return shsession.Token{}, supported()
}

// Publish is not supported here.
func (s *Store) Publish(context.Context, shsession.Token) error { return supported() }

// Withdraw is not supported here.
func (s *Store) Withdraw(context.Context) error { return supported() }

// TryLock is not supported here.
func (s *Store) TryLock(context.Context) (context.Context, context.CancelFunc, error) {
	return nil, nil, supported()
}

// Watch is not supported here.
func (s *Store) Watch(context.Context, string) (shsession.Watch, error) { return nil, supported() }

// Sharers is not supported here.
func (s *Store) Sharers(context.Context) (live, dead []shsession.Sharer, err error) {
	return nil, nil, supported()
}

// List is not supported here.
func List(context.Context) ([]Segment, error) { return nil, supported() }

// Sweep is not supported here.
func Sweep(context.Context) error { return supported() }

// Remove is not supported here.
func Remove(context.Context, string) error { return supported() }
