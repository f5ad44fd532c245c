package livestatus

import "os"

// There is no picture on Windows: see display.CanDraw.
var screenSignals []os.Signal

func (*screen) heed(os.Signal) {}

func inForeground(*os.File) bool { return true }

type keyboard struct {
	terminal *os.File
	quit     func()
	help     func()
}

func (*keyboard) take() {}
func (*keyboard) give() {}
