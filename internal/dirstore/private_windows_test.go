package dirstore_test

import (
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/windows"

	"github.com/shsession/shsession/internal/dirstore"
	"github.com/shsession/shsession/internal/testkit"
)

// spoils are ways to make a private directory one that isn't.
func spoils() map[string]func(base string) error {
	set := func(base, sddl string) error {
		acl, err := parseACL(sddl)
		if err != nil {
			return err
		}
		return windows.SetNamedSecurityInfo(base, windows.SE_FILE_OBJECT,
			windows.DACL_SECURITY_INFORMATION|windows.PROTECTED_DACL_SECURITY_INFORMATION, nil, nil, acl, nil)
	}
	return map[string]func(base string) error{
		"others can write": func(base string) error { return set(base, "D:P(A;OICI;FA;;;USER)(A;OICI;FA;;;WD)") },
		"others can read":  func(base string) error { return set(base, "D:P(A;OICI;FA;;;USER)(A;OICI;FR;;;WD)") },
		"no list":          func(base string) error { return set(base, "") },
	}
}

// parseACL parses a list of access rights (SDDL), with USER for this user. Without any list
// everybody has all rights.
func parseACL(sddl string) (*windows.ACL, error) {
	if sddl == "" {
		return nil, nil
	}
	user, err := windows.GetCurrentProcessToken().GetTokenUser()
	if err != nil {
		return nil, err
	}
	descriptor, err := windows.SecurityDescriptorFromString(strings.ReplaceAll(sddl, "USER", user.User.Sid.String()))
	if err != nil {
		return nil, err
	}
	acl, _, err := descriptor.DACL()
	return acl, err
}

// The script interop/windows/test has a directory of another user.
func TestAnotherUsersDirectory(t *testing.T) {
	base := os.Getenv("SHSESSION_ANOTHERS")
	if base == "" {
		testkit.Missing(t, "SHSESSION_ANOTHERS")
	}
	wantRefused(t, base)
	if _, err := dirstore.List(t.Context(), base); err == nil || !strings.Contains(err.Error(), "it belongs to another user") {
		t.Error(err)
	}
}

// Which rights make a directory one that isn't private. Wine's files keep few of them.
func TestAccess(t *testing.T) {
	for sddl, private := range map[string]bool{
		"D:P":                   true,
		"D:P(A;OICI;FA;;;USER)": true,
		"D:(A;OICI;FA;;;USER)(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)": true,
		"D:(A;OICIIO;FA;;;CO)(A;;FA;;;OW)":                     true,
		"D:(D;;FA;;;WD)(A;;FA;;;USER)":                         true,
		"D:(A;;FW;;;WD)":                                       false,
		"D:(A;;FR;;;WD)":                                       false,
		"D:(A;;FA;;;USER)(A;;FA;;;AU)":                         false,
		"D:(A;;FA;;;USER)(A;OICIIO;FR;;;BU)":                   false,
		"D:(A;OICIIO;FA;;;CG)":                                 false,
		"":                                                     false,
	} {
		acl, err := parseACL(sddl)
		if err != nil {
			t.Fatalf("%s: %v", sddl, err)
		}
		if err := dirstore.CheckAccess(acl); (err == nil) != private {
			t.Errorf("%s: %v, private: %v", sddl, err, private)
		}
	}
}

// A right of a type that isn't known, as a conditional one is, may be anybody's.
func TestAccessOfAnUnknownType(t *testing.T) {
	acl, err := parseACL("D:(A;;FA;;;USER)")
	if err != nil {
		t.Fatal(err)
	}
	var ace *windows.ACCESS_ALLOWED_ACE
	if err := windows.GetAce(acl, 0, &ace); err != nil {
		t.Fatal(err)
	}
	const conditional = 9
	ace.Header.AceType = conditional
	if err := dirstore.CheckAccess(acl); err == nil {
		t.Error("a conditional right is not refused")
	}
}
