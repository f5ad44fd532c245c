package endpointprofile

import (
	"errors"
	"path/filepath"

	"golang.org/x/sys/windows"
)

// A registration is a file that nobody else can open, and that goes away with its process. A nil
// registration is none.
type registration struct{ handle windows.Handle }

// register makes a profile's registration.
func register(dir, name string) (*registration, error) {
	handle, err := open(dir, name, windows.CREATE_NEW)
	if err != nil {
		return nil, err
	}
	return &registration{handle}, nil
}

// end removes the registration.
func (r *registration) end() {
	if r != nil {
		_ = windows.CloseHandle(r.handle)
	}
}

// isRegistered reports whether the process that made a profile lives, or may live.
func isRegistered(dir, name string) bool {
	handle, err := open(dir, name, windows.OPEN_EXISTING)
	if err != nil {
		return !errors.Is(err, windows.ERROR_FILE_NOT_FOUND)
	}
	(&registration{handle}).end()
	return false
}

func open(dir, name string, how uint32) (windows.Handle, error) {
	path, err := windows.UTF16PtrFromString(filepath.Join(dir, "."+name+".lock"))
	if err != nil {
		return windows.InvalidHandle, err
	}
	const notShared = 0
	return windows.CreateFile(path, windows.GENERIC_WRITE, notShared, nil, how,
		windows.FILE_ATTRIBUTE_HIDDEN|windows.FILE_FLAG_DELETE_ON_CLOSE, 0)
}
