// Package bench measures shsession beside what programs would use instead, on the
// same work and in the same run: x/oauth2, cloud.google.com/go/auth, aws-sdk-go-v2
// and the Python package sentinelhub, each through its public API, and the floor, which is
// the least that the work can cost.
//
// Everything is in the tests. A benchmark's name says the work, and its last part
// the peer: BenchmarkFresh/goroutines=8/peer=shsession. `make bench` runs package
// report, which writes docs/speed.md.
package bench
