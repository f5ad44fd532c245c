package dirstore_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unsafe"

	"golang.org/x/sys/windows"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/internal/dirstore"
	"github.com/shsession/shsession/internal/testkit"
)

const mapped = "shsession-test-mapped"

var openFileMapping = windows.NewLazySystemDLL("kernel32.dll").NewProc("OpenFileMappingW")

// mapping opens the mapping as Python does, and returns its whole content and who may do what
// with it (SDDL). The error wraps windows.ERROR_FILE_NOT_FOUND if there is none.
func mapping(t *testing.T, name string) (content []byte, descriptor string, err error) {
	t.Helper()
	text, err := windows.UTF16PtrFromString(name)
	if err != nil {
		t.Fatal(err)
	}
	h, _, err := openFileMapping.Call(windows.FILE_MAP_READ|windows.READ_CONTROL, 0, uintptr(unsafe.Pointer(text)))
	if h == 0 {
		return nil, "", err
	}
	handle := windows.Handle(h)
	defer windows.CloseHandle(handle)
	address, err := windows.MapViewOfFile(handle, windows.FILE_MAP_READ, 0, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer windows.UnmapViewOfFile(address)
	var info windows.MemoryBasicInformation
	if err := windows.VirtualQuery(address, &info, unsafe.Sizeof(info)); err != nil {
		t.Fatal(err)
	}
	security, err := windows.GetSecurityInfo(handle, windows.SE_KERNEL_OBJECT, windows.OWNER_SECURITY_INFORMATION|windows.DACL_SECURITY_INFORMATION)
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Clone(unsafe.Slice(*(**byte)(unsafe.Pointer(&address)), info.RegionSize)), security.String(), nil
}

// holds reports whether the mapping holds a token and nothing else.
func holds(t *testing.T, want shsession.Token) bool {
	t.Helper()
	content, _, err := mapping(t, mapped)
	return err == nil && len(content) == 64<<10 && bytes.Equal(bytes.TrimRight(content, "\x00"), want.Encode())
}

func wantNone(t *testing.T, when string) {
	t.Helper()
	if content, _, err := mapping(t, mapped); !errors.Is(err, windows.ERROR_FILE_NOT_FOUND) {
		t.Errorf("%s the mapping holds %.40q, %v", when, content, err)
	}
}

func startWatch(t *testing.T, s *dirstore.Store) shsession.Watch {
	t.Helper()
	w, err := s.Watch(t.Context(), shsession.Account{ClientID: "client"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Stop)
	return w
}

func publish(t *testing.T, s *dirstore.Store, token shsession.Token) {
	t.Helper()
	if err := s.Publish(t.Context(), token); err != nil {
		t.Fatal(err)
	}
}

// While a Store is watching, the mapping holds what the store holds, whoever published it.
func TestMapping(t *testing.T) {
	base := filepath.Join(t.TempDir(), "base")
	one, two := dirstore.OpenMapped(base, mapped), dirstore.OpenMapped(base, mapped)
	long, short := newToken(strings.Repeat("l", 2000)), newToken("short")
	publish(t, one, long)
	wantNone(t, "before a Watch")
	first := startWatch(t, one)
	if !holds(t, long) {
		t.Error("the token that was there isn't in the mapping")
	}
	publish(t, one, short)
	if !holds(t, short) {
		t.Error("a shorter token isn't in the mapping")
	}
	publish(t, dirstore.Open(base, mapped), long) // as a process that joins
	testkit.Eventually(t, "another process's token is in the mapping", func() bool { return holds(t, long) })

	second := startWatch(t, two)
	first.Stop()
	if err := one.Withdraw(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !holds(t, long) {
		t.Error("with one of two sharers gone, the token isn't in the mapping")
	}
	publish(t, two, short)
	if !holds(t, short) {
		t.Error("the second sharer's token isn't in the mapping")
	}
	second.Stop()
	wantNone(t, "without a Watch")
}

// Nobody but the user has any right to the mapping, and the user owns it.
func TestMappingIsPrivate(t *testing.T) {
	s := dirstore.OpenMapped(filepath.Join(t.TempDir(), "base"), mapped)
	startWatch(t, s)
	wantNone(t, "before the first token")
	publish(t, s, newToken("token"))
	user, err := windows.GetCurrentProcessToken().GetTokenUser()
	if err != nil {
		t.Fatal(err)
	}
	// GA, all rights, is kept as what that is for a mapping.
	_, got, err := mapping(t, mapped)
	head := fmt.Sprintf("O:%[1]sD:P(A;;", user.User.Sid)
	tail := fmt.Sprintf(";;;%s)", user.User.Sid)
	if err != nil || !strings.HasPrefix(got, head) || !strings.HasSuffix(got, tail) || strings.Count(got, "(") != 1 {
		t.Errorf("%s, %v; want %s…%s", got, err, head, tail)
	}
}

// A token that Python couldn't read is refused, and the one before stays.
func TestMappingTooSmall(t *testing.T) {
	s := dirstore.OpenMapped(filepath.Join(t.TempDir(), "base"), mapped)
	startWatch(t, s)
	publish(t, s, newToken("token"))
	err := s.Publish(t.Context(), newToken(strings.Repeat("x", 64<<10)))
	if err == nil || !strings.Contains(err.Error(), "65536") {
		t.Errorf("a token of more than 64 KiB: %v", err)
	}
	if !holds(t, newToken("token")) {
		t.Error("the token before isn't in the mapping")
	}
}

// A mapping of another user's is refused before anything is published.
func TestMappingOfAnother(t *testing.T) {
	user, err := windows.GetCurrentProcessToken().GetTokenUser()
	if err != nil {
		t.Fatal(err)
	}
	sddl := fmt.Sprintf("O:SYD:P(A;;GA;;;%s)", user.User.Sid) // the system's
	security, err := windows.SecurityDescriptorFromString(sddl)
	if err != nil {
		t.Fatal(err)
	}
	attributes := windows.SecurityAttributes{SecurityDescriptor: security}
	attributes.Length = uint32(unsafe.Sizeof(attributes))
	text, err := windows.UTF16PtrFromString(mapped)
	if err != nil {
		t.Fatal(err)
	}
	handle, err := windows.CreateFileMapping(windows.InvalidHandle, &attributes, windows.PAGE_READWRITE, 0, 4096, text)
	if handle == 0 {
		t.Skip(err) // which needs a privilege that only some users have
	}
	defer windows.CloseHandle(handle)
	base := filepath.Join(t.TempDir(), "base")
	_, err = dirstore.OpenMapped(base, mapped).Watch(t.Context(), shsession.Account{ClientID: "client"})
	if err == nil || !strings.Contains(err.Error(), mapped) || !strings.Contains(err.Error(), "another user (S-1-5-18)") {
		t.Errorf("Watch: %v", err)
	}
	if files, err := filepath.Glob(filepath.Join(base, "*", "registration.*")); err != nil || len(files) > 0 {
		t.Errorf("left: %v, %v", files, err)
	}
	if _, err := os.Stat(base); err != nil {
		t.Error(err)
	}
}
