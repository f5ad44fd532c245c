// Package bench measures shsession beside what programs would use instead, on the
// same work and in the same run: x/oauth2, cloud.google.com/go/auth, aws-sdk-go-v2
// and the Python package sentinelhub, each through its public API, and the floor, which is
// the least that the work can cost.
//
// Everything is in the tests. A benchmark's name says the work, and its last part
// the peer: BenchmarkFresh/goroutines=8/peer=shsession. `make bench` runs package
// report, which writes docs/speed.md. All that runs one after another runs in random order,
// each time: the benchmarks, the works of one, and the peers of each.
//
// Two things here are done nowhere else. A package variable, theRig, has what the benchmarks
// of one process share, a Python that takes seconds to start and the programs that were
// built: go test calls a benchmark with nothing but its b. And there are sleeps outside of
// synctest's bubbles, since what is measured is real time, and other processes.
package bench
