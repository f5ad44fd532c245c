package main

import "os"

// There is no picture on Windows: see canDraw.
var screenSignals []os.Signal

func (*screen) heed(os.Signal) {}

func inForeground(*os.File) bool { return true }

type keyboard struct {
	terminal *os.File
	quit     func()
}

func (*keyboard) take() {}
func (*keyboard) give() {}
