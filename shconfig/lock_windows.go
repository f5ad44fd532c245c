package shconfig

import (
	"errors"

	"golang.org/x/sys/windows"
)

// tryLock opens a file beside the one at path that no other process can open meanwhile, and that
// is removed with the handle. It fails with ErrBusy if another process has it open.
func tryLock(path string) (unlock func(), err error) {
	name, err := windows.UTF16PtrFromString(path + ".lock")
	if err != nil {
		return nil, err
	}
	const notShared = 0
	handle, err := windows.CreateFile(name, windows.GENERIC_WRITE, notShared, nil, windows.OPEN_ALWAYS,
		windows.FILE_ATTRIBUTE_HIDDEN|windows.FILE_FLAG_DELETE_ON_CLOSE, 0)
	// Access is denied, too, for the moment in which the file is going away.
	if errors.Is(err, windows.ERROR_SHARING_VIOLATION) || errors.Is(err, windows.ERROR_ACCESS_DENIED) {
		return nil, ErrBusy
	}
	if err != nil {
		return nil, err
	}
	return func() { windows.CloseHandle(handle) }, nil
}
