package testkit

import (
	"testing"
	"time"
)

// Eventually waits until ok returns true, and fails the test after a minute: that is for
// what never comes, and says nothing about how long a thing may take.
func Eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	EventuallyWithin(t, time.Minute, what, ok)
}

// EventuallyWithin is Eventually with another limit than a minute.
func EventuallyWithin(t testing.TB, limit time.Duration, what string, ok func() bool) {
	t.Helper()
	if !Within(limit, ok) {
		t.Fatalf("not within %v: %s", limit, what)
	}
}

// Within polls ok, every millisecond at first and then less often, until it returns true or
// the limit has passed. It reports which of them came.
func Within(limit time.Duration, ok func() bool) bool {
	deadline := time.Now().Add(limit)
	for wait := time.Millisecond; !ok(); wait = min(wait*5/4, 50*time.Millisecond) {
		if time.Now().After(deadline) {
			return false
		}
		<-time.After(wait)
	}
	return true
}
