//go:build race

package main

// underRace: the race detector is on, which makes each process slow to start.
const underRace = true
