package redisstore_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/shsession/shsession/internal/testkit"
	"github.com/shsession/shsession/redisstore"
)

// startTLS starts a Redis that speaks TLS, with the certificates in a directory: its own,
// and of the authority that it trusts if it asks clients for a certificate.
func startTLS(t *testing.T, dir, askClients string) (s *server, url string) {
	t.Helper()
	tlsAddr := testkit.FreeAddr(t)
	_, port, _ := net.SplitHostPort(tlsAddr)
	cert := filepath.Join(dir, "cert.pem")
	s = startRedis(t, "--tls-port", port, "--tls-cert-file", cert, "--tls-key-file", filepath.Join(dir, "key.pem"),
		"--tls-ca-cert-file", cert, "--tls-auth-clients", askClients)
	return s, "rediss://" + tlsAddr + "?key=name&ca=" + escape(cert)
}

func escape(file string) string { return url.QueryEscape(file) }

func TestTLS(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cert, key := writeCertificate(t, dir)
	_, url := startTLS(t, dir, "no")
	store := openURL(t, url, redisstore.Options{})
	token := newToken(t, "token", time.Hour)
	publish(t, store, token)
	wantLife(t, store, token, time.Hour)

	otherCert, otherKey := writeCertificate(t, t.TempDir())
	distrustful := openURL(t, url[:len(url)-len(escape(cert))]+escape(otherCert), redisstore.Options{})
	if _, err := distrustful.Load(t.Context()); !errors.As(err, new(x509.UnknownAuthorityError)) || errors.Is(err, redisstore.ErrUnavailable) {
		t.Errorf("Load without the ca: %v, want an UnknownAuthorityError, which won't pass by itself", err)
	}
	for _, query := range []string{
		"ca=" + escape(key), "ca=" + escape(filepath.Join(dir, "missing")),
		"cert=" + escape(cert), "cert=" + escape(filepath.Join(dir, "missing")),
		"cert=" + escape(cert) + "&cert_key=" + escape(otherKey), "cert=" + escape(cert) + "&cert_key=" + escape(cert),
	} {
		if _, err := redisstore.Open("rediss://host?"+query, redisstore.Options{}); err == nil {
			t.Errorf("%s is accepted", query)
		}
	}
}

// TestClientCertificate: a Redis that asks for a certificate is no Redis that can't be
// reached, and the error says what to do.
func TestClientCertificate(t *testing.T) {
	t.Parallel()
	dir, both := t.TempDir(), filepath.Join(t.TempDir(), "both.pem")
	cert, key := writeCertificate(t, dir)
	joinFiles(t, both, key, cert)
	strangeCert, strangeKey := writeCertificate(t, t.TempDir())
	_, url := startTLS(t, dir, "yes")
	for _, test := range []struct {
		what, query string
		want        error
	}{
		{"no certificate", "", redisstore.ErrNoCertificate},
		{"a stranger's", "&cert=" + escape(strangeCert) + "&cert_key=" + escape(strangeKey), redisstore.ErrCertificateRefused},
		{"certificate and key", "&cert=" + escape(cert) + "&cert_key=" + escape(key), nil},
		{"both in one file", "&cert=" + escape(both), nil},
	} {
		store := openURL(t, url+test.query, redisstore.Options{})
		for range 3 { // whatever comes first: the alert, or the end of the connection
			err := store.Publish(t.Context(), newToken(t, "token", time.Hour))
			if !errors.Is(err, test.want) || errors.Is(err, redisstore.ErrUnavailable) {
				t.Errorf("%s: %v, want %v", test.what, err, test.want)
			}
		}
	}
}

// TestCertificateAndReset: a server resets the connection before the client writes, behind its
// alert or without one.
func TestCertificateAndReset(t *testing.T) {
	t.Parallel()
	cert, key := writeCertificate(t, t.TempDir())
	strangeCert, strangeKey := writeCertificate(t, t.TempDir())
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		what          string
		auth          tls.ClientAuthType
		cert, certKey string
		want          error
	}{
		{"alert", tls.RequireAndVerifyClientCert, strangeCert, strangeKey, redisstore.ErrCertificateRefused},
		{"no alert", tls.RequestClientCert, "", "", redisstore.ErrNoCertificate},
	} {
		if runtime.GOOS == "windows" && test.what == "alert" {
			continue // there a reset discards what came before it, the alert too
		}
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer listener.Close()
		reset := make(chan error, 1)
		go func() {
			conn, err := listener.Accept()
			if err == nil {
				config := &tls.Config{Certificates: []tls.Certificate{pair}, ClientAuth: test.auth, ClientCAs: x509.NewCertPool()}
				_ = tls.Server(conn, config).HandshakeContext(t.Context()) // which fails with the alert
				err = errors.Join(conn.(*net.TCPConn).SetLinger(0), conn.Close())
			}
			reset <- err
		}()
		conn, err := net.Dial("tcp", listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		secure, err := redisstore.Handshake(t.Context(), conn, cert, test.cert, test.certKey)
		if err := errors.Join(err, <-reset); err != nil {
			t.Fatalf("%s: %v", test.what, err)
		}
		testkit.Eventually(t, "the reset arrives", func() bool {
			_, err = secure.Write([]byte("PING"))
			return err != nil
		})
		if !errors.Is(err, test.want) {
			t.Errorf("%s: Write: %v, want %v", test.what, err, test.want)
		}
	}
}

// TestCertificateAsked: a certificate is of no use to a Redis that is away.
func TestCertificateAsked(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cert, key := writeCertificate(t, dir)
	s, url := startTLS(t, dir, "yes")
	store := openURL(t, url+"&cert="+escape(cert)+"&cert_key="+escape(key), redisstore.Options{})
	publish(t, store, newToken(t, "token", time.Hour))
	s.stop()
	for range 3 {
		if _, err := store.Load(t.Context()); !errors.Is(err, redisstore.ErrUnavailable) {
			t.Errorf("Load without a Redis: %v, want ErrUnavailable", err)
		}
	}
}

// TestCertificatesRotated: Redis gets another certificate, of another authority, which
// both sides' files have then. The Store goes on.
func TestCertificatesRotated(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cert, key := writeCertificate(t, dir)
	s, url := startTLS(t, dir, "yes")
	store := openURL(t, url+"&cert="+escape(cert)+"&cert_key="+escape(key), redisstore.Options{})
	publish(t, store, newToken(t, "token", time.Hour))

	writeCertificate(t, dir)
	s.stop() // and with it every connection
	if !s.start(t) {
		t.Fatal("Redis doesn't start again")
	}
	publish(t, store, newToken(t, "next", time.Hour))
}

// joinFiles writes the files one behind the other.
func joinFiles(t *testing.T, to string, files ...string) {
	t.Helper()
	var all []byte
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all = slices.Concat(all, data)
	}
	if err := os.WriteFile(to, all, 0o600); err != nil {
		t.Fatal(err)
	}
}

// writeCertificate writes a certificate for 127.0.0.1 that signs itself, and its key.
func writeCertificate(t *testing.T, dir string) (certFile, keyFile string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber:          big.NewInt(1),
		Subject:               pkix.Name{CommonName: "redis"},
		NotAfter:              time.Now().Add(time.Hour),
		IPAddresses:           []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA:                  true,
		BasicConstraintsValid: true,
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	certFile, keyFile = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for file, block := range map[string]*pem.Block{
		certFile: {Type: "CERTIFICATE", Bytes: cert},
		keyFile:  {Type: "PRIVATE KEY", Bytes: keyDER},
	} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return certFile, keyFile
}
