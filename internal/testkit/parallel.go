package testkit

import "flag"

// SetParallel lets n tests run at a time, whatever the number of processors: they wait more
// than they compute. Call it in TestMain. It overrides the flag -parallel.
func SetParallel(n string) {
	flag.Parse()
	if flag.Lookup("test.fuzz").Value.String() == "" { // a search has work for each processor, and no more
		flag.Set("test.parallel", n)
	}
}
