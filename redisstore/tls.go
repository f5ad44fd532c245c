package redisstore

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"sync/atomic"
	"time"
)

// What the user can do about a Redis that asks for certificates.
var (
	errNoCertificate      = errors.New("the server asks for a client certificate: name its file in the URL as cert=")
	errCertificateRefused = errors.New("the server refuses the client certificate that the URL names as cert=")
)

// tlsFiles are the files that a URL names. They are read again at each dial, since they
// may be rotated while the program runs.
type tlsFiles struct{ ca, cert, certKey string }

// config returns the settings of TLS, with a client certificate if there is one.
func (f tlsFiles) config() (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if f.ca != "" {
		pem, err := os.ReadFile(f.ca)
		if err != nil {
			return nil, fmt.Errorf("the Redis URL's ca can't be read: %w", err)
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("%s, the Redis URL's ca, holds no certificate in PEM form", f.ca)
		}
	}
	if f.cert != "" {
		certKey := f.certKey
		if certKey == "" {
			certKey = f.cert
		}
		pair, err := tls.LoadX509KeyPair(f.cert, certKey)
		if err != nil {
			return nil, fmt.Errorf("the Redis URL's cert and its private key can't be used: %w", err)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return config, nil
}

// handshake makes conn a TLS connection.
func (f tlsFiles) handshake(ctx context.Context, conn net.Conn, host string) (net.Conn, error) {
	config, err := f.config()
	if err != nil {
		return nil, err
	}
	config.ServerName = host
	offered, asked := config.Certificates, false
	config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
		asked = true
		if len(offered) == 0 {
			return new(tls.Certificate), nil
		}
		return &offered[0], nil
	}
	secure := tls.Client(conn, config)
	err = secure.HandshakeContext(ctx)
	if !asked {
		return secure, err
	}
	certified := &certifiedConn{Conn: secure, offered: len(offered) > 0}
	return certified, certified.explain(err)
}

// alertTimeout bounds how long an alert is waited for once the connection has ended.
const alertTimeout = 100 * time.Millisecond

// A certifiedConn is a connection to a server that asked for a client certificate. With
// TLS 1.3 the handshake has ended before the server refuses the certificate, or that
// there is none.
type certifiedConn struct {
	net.Conn
	offered  bool        // a certificate
	accepted atomic.Bool // since the server has sent something
}

func (c *certifiedConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if n > 0 {
		c.accepted.Store(true)
	}
	return n, c.explain(err)
}

func (c *certifiedConn) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	if err != nil && !c.accepted.Load() && c.SetReadDeadline(time.Now().Add(alertTimeout)) == nil {
		// The server may have closed the connection behind its alert, which can still be read.
		if _, alert := c.Conn.Read(make([]byte, 1)); isAlert(alert) {
			err = alert
		}
	}
	return n, c.explain(err)
}

// explain says of the server's first answer that it is about the certificate. Without a
// certificate, any end of the connection is: the server may reset it.
func (c *certifiedConn) explain(err error) error {
	switch {
	case err == nil || c.accepted.Load() || isTimeout(err):
		return err
	case !c.offered:
		return fmt.Errorf("%w (%w)", errNoCertificate, err)
	case isAlert(err):
		return fmt.Errorf("%w (%w)", errCertificateRefused, err)
	}
	return err
}

// isAlert reports whether err is a TLS alert of the server (RFC 8446 section 6), for
// which crypto/tls has no exported type.
func isAlert(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "remote error"
}

// isTLSRefusal reports whether one side doesn't accept the other's certificate or TLS. The
// user has to correct that.
func isTLSRefusal(err error) bool {
	var certificate *tls.CertificateVerificationError
	var notTLS tls.RecordHeaderError
	return errors.As(err, &certificate) || errors.As(err, &notTLS) || isAlert(err) ||
		errors.Is(err, errNoCertificate) || errors.Is(err, errCertificateRefused)
}
