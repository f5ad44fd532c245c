package redisstore

import (
	"context"
	"errors"
	"net"
	"syscall"
	"time"

	"github.com/redis/go-redis/v9"
)

// A dialer connects a client that Open made.
type dialer struct {
	tls      bool
	files    tlsFiles
	sentinel bool // Sentinels are asked first where the master is
	patience time.Duration
}

// dial connects to a Redis, or to a Sentinel.
func (d *dialer) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	tcp := net.Dialer{
		// A request for a connection that is lost with the network is sent again soon, then,
		// and not when the network has long been back.
		Timeout: d.patience / 4,
		// Connections idle for a token's life: this keeps firewalls from forgetting them.
		KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: time.Minute, Interval: 10 * time.Second, Count: 3},
	}
	conn, err := tcp.DialContext(ctx, network, addr)
	if err != nil {
		return nil, &connectError{err}
	}
	if !d.tls {
		return conn, nil
	}
	host, _, _ := net.SplitHostPort(addr)
	secure, err := d.files.handshake(ctx, conn, host)
	if err != nil {
		conn.Close()
		return nil, &connectError{err}
	}
	return secure, nil
}

// A connectError is what dial returns.
type connectError struct{ error }

func (e *connectError) Unwrap() error { return e.error }

// attach makes a client connect by d alone.
//
// go-redis counts the dials that fail, and after as many as its pool is large it dials
// once a second until one succeeds: after a long outage it would notice late that Redis
// is back. So it doesn't hear of them: it gets a connection that is broken, whose first
// use fails, and Store.withRetry tries again.
func (d *dialer) attach(client redis.UniversalClient) {
	switch c := client.(type) {
	case *redis.ClusterClient:
		c.OnNewNode(func(node *redis.Client) { node.AddHook(d) })
	case *redis.Client:
		c.AddHook(d)
	}
}

// DialHook implements redis.Hook.
func (d *dialer) DialHook(next redis.DialHook) redis.DialHook {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := next(ctx, network, addr)
		if err == nil {
			return conn, nil
		}
		failed := &dialError{cause: err, at: time.Now()}
		// What isn't from dial itself comes from asking the Sentinels.
		if own, ok := err.(*connectError); ok {
			failed.cause = own.error
		} else {
			failed.sentinel = d.sentinel
		}
		return newBrokenConn(failed), nil
	}
}

// ProcessHook implements redis.Hook.
func (d *dialer) ProcessHook(next redis.ProcessHook) redis.ProcessHook { return next }

// ProcessPipelineHook implements redis.Hook.
func (d *dialer) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

// A dialError is why there is no connection. It doesn't wrap the cause: go-redis would
// take it for an answer of Redis if it's one of a Sentinel, and try to use the broken
// connection again and again.
type dialError struct {
	cause    error
	sentinel bool // it was a Sentinel that said so, or didn't answer
	at       time.Time
}

func (e *dialError) Error() string { return "no connection: " + e.cause.Error() }

// A brokenConn is a connection that couldn't be made. All that is done with it fails.
type brokenConn struct {
	net.Conn // of a closed pipe, for the addresses
	err      *dialError
}

func newBrokenConn(err *dialError) brokenConn {
	one, other := net.Pipe()
	one.Close()
	other.Close()
	return brokenConn{one, err}
}

func (c brokenConn) Read([]byte) (int, error)         { return 0, c.err }
func (c brokenConn) Write([]byte) (int, error)        { return 0, c.err }
func (c brokenConn) SetDeadline(time.Time) error      { return c.err }
func (c brokenConn) SetReadDeadline(time.Time) error  { return c.err }
func (c brokenConn) SetWriteDeadline(time.Time) error { return c.err }

// SyscallConn implements syscall.Conn, by which go-redis checks a connection that no caller
// waits for any longer.
func (c brokenConn) SyscallConn() (syscall.RawConn, error) { return nil, c.err }

// causeOf returns why there is no connection, and whether that comes from the Sentinels;
// or err itself.
func causeOf(err error) (cause error, sentinel bool) {
	var failed *dialError
	if errors.As(err, &failed) {
		return failed.cause, failed.sentinel
	}
	return err, false
}

// isLeftOver reports whether err is of a connection that was tried before that time, for a
// caller who didn't wait for it.
func isLeftOver(err error, since time.Time) bool {
	var failed *dialError
	return errors.As(err, &failed) && failed.at.Before(since)
}
