package filesink

import (
	"errors"
	"fmt"
	"os"

	"github.com/shsession/shsession/internal/atomicfile"
)

func checkSupported(o Options) error {
	if o.Mode != 0 || o.Owner != "" || o.Group != "" {
		return fmt.Errorf("a file's mode, owner and group can't be set here, it has its directory's permissions: %w", errors.ErrUnsupported)
	}
	return nil
}

func lookupUser(string) (int, error) { return -1, errors.ErrUnsupported }

func lookupGroup(string) (int, error) { return -1, errors.ErrUnsupported }

func (access) grant(*os.File) error { return nil }

func openFile(path string) (*os.File, error) { return atomicfile.Open(path) }
