package main

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
)

// maxReport is the size in bytes of the longest report that is read.
const maxReport = 64 << 10

// reportAddress returns where a process reports: an abstract socket (unix(7)), of which nothing is left when the process ends,
// however that is. The name is anybody's to take, so each side looks at who the other is.
func reportAddress(pid int) *net.UnixAddr {
	return &net.UnixAddr{Net: "unix", Name: fmt.Sprintf("@shsession-%d-%d", os.Getuid(), pid)}
}

// tellStatus reports to this user's processes that ask, until ctx is done. That it can't is no reason to do anything
// but that: "shsession status" shows what it can see from outside.
func tellStatus(ctx context.Context, logger *slog.Logger, status func() shsession.SharingStatus) {
	listener, err := net.ListenUnix("unix", reportAddress(os.Getpid()))
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
		if _, uid := peer(conn); uid == os.Getuid() {
			conn.SetWriteDeadline(time.Now().Add(reportTimeout))
			_ = json.NewEncoder(conn).Encode(reportOf(status().Session)) // who has gone needs no report
		}
		conn.Close()
	}
}

// askSharer returns a process's report, or nil if it doesn't give one.
func askSharer(ctx context.Context, pid int) *sharerReport {
	conn, err := (&net.Dialer{}).DialContext(ctx, "unix", reportAddress(pid).Name)
	if err != nil {
		return nil
	}
	defer conn.Close()
	if theirs, uid := peer(conn.(*net.UnixConn)); theirs != pid || uid != os.Getuid() {
		return nil
	}
	if deadline, ok := ctx.Deadline(); ok {
		conn.SetReadDeadline(deadline)
	}
	var r sharerReport
	if json.NewDecoder(io.LimitReader(conn, maxReport)).Decode(&r) != nil {
		return nil
	}
	return &r
}

// peer returns the process and the user on the other side, -1 and -1 if they can't be told.
func peer(conn *net.UnixConn) (pid, uid int) {
	pid, uid = -1, -1
	raw, err := conn.SyscallConn()
	if err != nil {
		return pid, uid
	}
	_ = raw.Control(func(fd uintptr) {
		if cred, err := unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED); err == nil {
			pid, uid = int(cred.Pid), int(cred.Uid)
		}
	})
	return pid, uid
}
