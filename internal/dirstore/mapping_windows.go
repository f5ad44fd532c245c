package dirstore

import (
	"bytes"
	"errors"
	"fmt"
	"unsafe"

	"golang.org/x/sys/windows"
)

// maxMapped is the size in bytes of a mapping, and of the largest token that fits in it.
const maxMapped = 64 << 10

var procOpenFileMapping = windows.NewLazySystemDLL("kernel32.dll").NewProc("OpenFileMappingW")

// A mapping is named memory that holds a token's JSON and then NUL bytes, as Python's
// SharedMemory opens it. It lasts while any process has it open. The Python package's own
// sharer closes it at once, which is why that can't share here.
//
// This process only writes to it: a reader of a mapping that is being written may find a
// mixture.
type mapping struct {
	name   string
	handle windows.Handle
	view   []byte // nil until write has opened it
}

// checkMapping returns an error if another user has a mapping of that name.
func checkMapping(name string) error {
	text, err := windows.UTF16PtrFromString(name)
	if err != nil {
		return err
	}
	const readControl = windows.READ_CONTROL
	handle, _, err := procOpenFileMapping.Call(readControl, 0, uintptr(unsafe.Pointer(text)))
	switch {
	case handle != 0:
		defer windows.CloseHandle(windows.Handle(handle))
		return checkMappingOwner(name, windows.Handle(handle))
	case errors.Is(err, windows.ERROR_FILE_NOT_FOUND):
		return nil
	}
	return mappingError(name, err)
}

// checkMappingOwner returns an error unless this user is the owner.
func checkMappingOwner(name string, handle windows.Handle) error {
	descriptor, err := windows.GetSecurityInfo(handle, windows.SE_KERNEL_OBJECT, windows.OWNER_SECURITY_INFORMATION)
	if err != nil {
		return mappingError(name, err)
	}
	owner, _, err := descriptor.Owner()
	if err != nil {
		return mappingError(name, err)
	}
	sid, err := currentUser()
	if err != nil {
		return err
	}
	if !owner.Equals(sid) {
		return mappingError(name, fmt.Errorf("it belongs to another user (%s): use another name", owner))
	}
	return nil
}

func mappingError(name string, err error) error {
	return fmt.Errorf("the shared memory %s that Python processes read: %w", name, err)
}

// write puts a token's bytes into the mapping, which it creates if there is none. A Python
// process that opens the mapping just then may find it empty.
func (m *mapping) write(data []byte) error {
	if m.view == nil {
		if err := m.open(); err != nil {
			return err
		}
	}
	if len(data) > len(m.view) {
		return mappingError(m.name, fmt.Errorf("it has %d bytes, and the token %d: "+
			"end the Python processes that have it open", len(m.view), len(data)))
	}
	if there := bytes.TrimRight(m.view, "\x00"); !bytes.Equal(there, data) {
		n := copy(m.view, data)
		clear(m.view[n:max(n, len(there))])
	}
	return nil
}

// open creates the mapping, readable by this user alone, or opens the one that is there.
func (m *mapping) open() error {
	sid, err := currentUser()
	if err != nil {
		return err
	}
	// The owner is the user, who has all rights, and nobody else has any (Microsoft Learn,
	// "Security Descriptor String Format").
	descriptor, err := windows.SecurityDescriptorFromString(fmt.Sprintf("O:%[1]sD:P(A;;GA;;;%[1]s)", sid))
	if err != nil {
		return err
	}
	attributes := windows.SecurityAttributes{SecurityDescriptor: descriptor}
	attributes.Length = uint32(unsafe.Sizeof(attributes))
	name, err := windows.UTF16PtrFromString(m.name)
	if err != nil {
		return err
	}
	handle, err := windows.CreateFileMapping(windows.InvalidHandle, &attributes, windows.PAGE_READWRITE, 0, maxMapped, name)
	if handle == 0 {
		return mappingError(m.name, err)
	}
	if err := checkMappingOwner(m.name, handle); err != nil {
		windows.CloseHandle(handle)
		return err
	}
	address, err := windows.MapViewOfFile(handle, windows.FILE_MAP_WRITE, 0, 0, 0)
	if err != nil {
		windows.CloseHandle(handle)
		return mappingError(m.name, err)
	}
	var info windows.MemoryBasicInformation
	if err := windows.VirtualQuery(address, &info, unsafe.Sizeof(info)); err != nil {
		return errors.Join(mappingError(m.name, err), windows.UnmapViewOfFile(address), windows.CloseHandle(handle))
	}
	m.handle = handle
	m.view = unsafe.Slice(*(**byte)(unsafe.Pointer(&address)), info.RegionSize)
	return nil
}

// close lets go of the mapping, which is gone with the last process that has it.
func (m *mapping) close() {
	if m.view == nil {
		return
	}
	_ = windows.UnmapViewOfFile(uintptr(unsafe.Pointer(unsafe.SliceData(m.view))))
	_ = windows.CloseHandle(m.handle)
	m.view = nil
}
