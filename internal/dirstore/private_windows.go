package dirstore

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"unsafe"

	"golang.org/x/sys/windows"
)

// currentUser returns the security identifier of this process's user.
func currentUser() (*windows.SID, error) {
	user, err := windows.GetCurrentProcessToken().GetTokenUser()
	if err != nil {
		return nil, err
	}
	return user.User.Sid, nil
}

// makePrivate creates a directory that only this user can open, with all that is created in
// it, and its parents.
func makePrivate(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	sid, err := currentUser()
	if err != nil {
		return err
	}
	// The owner is the user, nothing is inherited from the parent, and the user has all
	// rights (Microsoft Learn, "Security Descriptor String Format").
	descriptor, err := windows.SecurityDescriptorFromString(fmt.Sprintf("O:%[1]sD:P(A;OICI;FA;;;%[1]s)", sid))
	if err != nil {
		return err
	}
	name, err := windows.UTF16PtrFromString(path)
	if err != nil {
		return err
	}
	attributes := windows.SecurityAttributes{SecurityDescriptor: descriptor}
	attributes.Length = uint32(unsafe.Sizeof(attributes))
	if err := windows.CreateDirectory(name, &attributes); err != nil && !errors.Is(err, fs.ErrExist) {
		return &fs.PathError{Op: "mkdir", Path: path, Err: err}
	}
	return nil
}

// checkPrivate returns an error unless the directory is this user's and nobody else can open
// it, or what is created in it, but for the system and its administrators.
func checkPrivate(root *os.Root) error {
	dir, err := root.Open(".")
	if err != nil {
		return err
	}
	defer dir.Close()
	descriptor, err := windows.GetSecurityInfo(windows.Handle(dir.Fd()), windows.SE_FILE_OBJECT,
		windows.OWNER_SECURITY_INFORMATION|windows.DACL_SECURITY_INFORMATION)
	if err != nil {
		return err
	}
	sid, err := currentUser()
	if err != nil {
		return err
	}
	owner, _, err := descriptor.Owner()
	if err != nil {
		return err
	}
	if !owner.Equals(sid) {
		return fmt.Errorf("it belongs to another user (%s): remove it", owner)
	}
	acl, _, err := descriptor.DACL()
	if err != nil {
		return err
	}
	return checkAccess(acl, sid)
}

// checkAccess returns an error if a list gives rights to others than the user, the system and
// its administrators.
func checkAccess(acl *windows.ACL, user *windows.SID) error {
	if acl == nil { // all rights for all
		return errors.New("it is open to other users: remove it")
	}
	for n := range uint32(acl.AceCount) {
		var ace *windows.ACCESS_ALLOWED_ACE
		if err := windows.GetAce(acl, n, &ace); err != nil {
			return err
		}
		switch ace.Header.AceType {
		case windows.ACCESS_DENIED_ACE_TYPE:
		case windows.ACCESS_ALLOWED_ACE_TYPE:
			if sid := (*windows.SID)(unsafe.Pointer(&ace.SidStart)); !sid.Equals(user) && !isSystem(sid) {
				return fmt.Errorf("it is open to other users (%s): remove it", sid)
			}
		default: // such as a conditional one, where the SID isn't in the same place
			return fmt.Errorf("it has access rights of an unknown type (%d): remove it", ace.Header.AceType)
		}
	}
	return nil
}

// isSystem reports whether a SID is the system's or its administrators', who can open every
// file, or stands for the owner of what is created.
func isSystem(sid *windows.SID) bool {
	return sid.IsWellKnown(windows.WinLocalSystemSid) || sid.IsWellKnown(windows.WinBuiltinAdministratorsSid) ||
		sid.IsWellKnown(windows.WinCreatorOwnerSid) || sid.IsWellKnown(windows.WinCreatorOwnerRightsSid)
}

// isDeletePending reports whether a file goes as soon as its readers close it.
func isDeletePending(err error) bool {
	return errors.Is(err, windows.STATUS_DELETE_PENDING) || errors.Is(err, windows.ERROR_ACCESS_DENIED) ||
		errors.Is(err, windows.ERROR_DELETE_PENDING)
}
