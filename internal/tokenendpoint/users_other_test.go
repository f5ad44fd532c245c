//go:build !unix

package tokenendpoint_test

// strangerVariable is for tests with another user's process.
const strangerVariable = "SHSESSION_TEST_STRANGER"

func stranger() int { return 1 }
