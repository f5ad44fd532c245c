package dirstore

import "golang.org/x/sys/windows"

func CheckAccess(acl *windows.ACL) error {
	user, err := currentUser()
	if err != nil {
		return err
	}
	return checkAccess(acl, user)
}
