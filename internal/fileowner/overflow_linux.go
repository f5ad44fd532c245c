package fileowner

import (
	"math"
	"os"
	"strconv"
	"strings"
	"sync"
)

// defaultOverflow is the overflow uid where /proc doesn't tell another one.
const defaultOverflow = 65534

// overflow returns the overflow uid. It is read once.
var overflow = sync.OnceValue(func() uint32 {
	text, err := os.ReadFile("/proc/sys/kernel/overflowuid")
	if err != nil {
		return defaultOverflow
	}
	uid, err := strconv.ParseUint(strings.TrimSpace(string(text)), 10, 32)
	if err != nil {
		return defaultOverflow
	}
	return uint32(uid)
})

// isOverflow reports whether several users may be shown as uid.
func isOverflow(uid uint32) bool {
	if uid != overflow() {
		return false
	}
	uidMap, err := os.ReadFile("/proc/self/uid_map")
	if err != nil {
		// A kernel without user namespaces has no such file, and has one for the process.
		_, statErr := os.Stat("/proc/self/stat")
		return !os.IsNotExist(err) || statErr != nil
	}
	return !isIdentity(string(uidMap))
}

// isIdentity reports whether a uid map maps every user to the same number outside. A line of
// the map holds the first uid inside, the first uid outside, and how many follow.
func isIdentity(uidMap string) bool {
	var mapped uint64 // the kernel refuses ranges that overlap
	for line := range strings.Lines(uidMap) {
		fields := strings.Fields(line)
		if len(fields) != 3 || fields[0] != fields[1] {
			return false
		}
		count, err := strconv.ParseUint(fields[2], 10, 32)
		if err != nil {
			return false
		}
		mapped += count
	}
	return mapped == math.MaxUint32 // the last uid, -1, is nobody's
}
