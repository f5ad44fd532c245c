package status

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/internal/fileowner"
	"github.com/shsession/shsession/internal/tokenendpoint"
)

// maxReport is the size in bytes of the longest report that is read.
const maxReport = 64 << 10

// address returns where a process reports: an abstract socket (unix(7)), which the kernel removes
// when the process ends, also by a kill. Any process can take the name, so each side checks which user the
// other belongs to.
func address(pid int) *net.UnixAddr {
	return &net.UnixAddr{Net: "unix", Name: fmt.Sprintf("@shsession-%d-%d", os.Geteuid(), pid)}
}

// Serve reports to this user's processes that ask, and blocks until ctx is done. If it can't listen, it
// logs the error and returns: then "shsession status" shows only what the store says. Serve calls status
// and endpoint (nil without an endpoint) for each report.
func Serve(ctx context.Context, logger *slog.Logger, status func() shsession.SharingStatus, endpoint func() tokenendpoint.Status) {
	listener, err := net.ListenUnix("unix", address(os.Getpid()))
	if err != nil {
		logger.Debug("shsession status won't know of renewals and failures", "error", err)
		return
	}
	defer context.AfterFunc(ctx, func() { listener.Close() })()
	for {
		conn, err := listener.AcceptUnix()
		if err != nil {
			listener.Close()
			return
		}
		if _, owner := peer(conn); owner == fileowner.Self {
			conn.SetWriteDeadline(time.Now().Add(timeout))
			r := reportOf(status().Session)
			if endpoint != nil {
				r.Endpoint = endpointReport(endpoint())
			}
			_ = json.NewEncoder(conn).Encode(r) // an error means that the asker has gone
		}
		conn.Close()
	}
}

// Ask returns the report of a process of this machine. It returns nil for another user's process, a
// process in another container, and a process that isn't a sharer of this program. Ask blocks for
// 300 ms at most.
func Ask(ctx context.Context, pid int) *Report {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	conn, err := (&net.Dialer{}).DialContext(ctx, "unix", address(pid).Name)
	if err != nil {
		return nil
	}
	defer conn.Close()
	if theirs, owner := peer(conn.(*net.UnixConn)); theirs != pid || owner != fileowner.Self {
		return nil
	}
	if deadline, ok := ctx.Deadline(); ok {
		conn.SetReadDeadline(deadline)
	}
	var r Report
	if json.NewDecoder(io.LimitReader(conn, maxReport)).Decode(&r) != nil {
		return nil
	}
	return &r
}

// peer returns the process on the other side and its user: -1 and Unknown if they are unknown.
func peer(conn *net.UnixConn) (pid int, owner fileowner.Owner) {
	pid, owner = -1, fileowner.Unknown
	raw, err := conn.SyscallConn()
	if err != nil {
		return pid, owner
	}
	_ = raw.Control(func(fd uintptr) {
		if cred, err := unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED); err == nil {
			pid, owner = int(cred.Pid), fileowner.Of(cred.Uid)
		}
	})
	return pid, owner
}
