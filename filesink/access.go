package filesink

import (
	"fmt"
	"io/fs"
)

// An access is the file's owner, group and mode.
type access struct {
	mode     fs.FileMode
	uid, gid int // -1 to leave as it is
}

// access returns the access that the options ask for.
func (o Options) access() (access, error) {
	a := access{mode: o.Mode, uid: -1, gid: -1}
	if a.mode == 0 {
		a.mode = 0o600
	}
	switch {
	case a.mode&^0o777 != 0 || a.mode&0o133 != 0:
		return a, fmt.Errorf("mode %#o lets others write the token, or makes it a program", uint32(a.mode))
	case a.mode&0o400 == 0:
		return a, fmt.Errorf("mode %#o doesn't let the file's owner read it", uint32(a.mode))
	case a.mode&0o004 != 0 && !o.WorldReadable:
		return a, fmt.Errorf("mode %#o lets every user of this machine read the token: say world-readable if that is meant", uint32(a.mode))
	}
	if err := checkSupported(o); err != nil {
		return a, err
	}
	var err error
	if o.Owner != "" {
		if a.uid, err = lookupUser(o.Owner); err != nil {
			return a, err
		}
	}
	if o.Group != "" {
		if a.gid, err = lookupGroup(o.Group); err != nil {
			return a, err
		}
	}
	return a, nil
}
