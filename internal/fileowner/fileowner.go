// Package fileowner tells whose a file is, and who is on the other side of a Unix socket.
//
// Every comparison with this process's user goes through it, because of the overflow uid: in
// a user namespace (user_namespaces(7)) each user that the namespace doesn't map is shown as
// /proc/sys/kernel/overflowuid. A process whose own uid has that number can't tell its own
// files from those of strangers.
package fileowner

// An Owner is what a uid says about a file or a peer.
type Owner int

const (
	Other   Owner = iota // another user than this process's
	Self                 // this process's effective user
	Root                 // root, which this process isn't
	Unknown              // the overflow uid, which several users may be shown as
)

// String completes the sentence "the file belongs to".
func (o Owner) String() string {
	switch o {
	case Self:
		return "this user"
	case Root:
		return "root"
	case Unknown:
		return "a user that this user namespace doesn't map"
	}
	return "another user"
}

// Trusted reports whether a file of that owner can be believed: it is this user's or root's.
func (o Owner) Trusted() bool { return o == Self || o == Root }
