package redisstore_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/redisstore"
)

// TestUnreachable: every method says in time that Redis can't be reached, and why.
func TestUnreachable(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0") // takes connections and never answers
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { silent.Close() })
	for what, addr := range map[string]string{"refused": freeAddr(t), "silent": silent.Addr().String()} {
		for _, scheme := range []string{"redis", "redis+cluster", "rediss"} {
			t.Run(what+" "+scheme, func(t *testing.T) {
				t.Parallel()
				testUnreachable(t, scheme+"://"+addr)
			})
		}
	}
}

func testUnreachable(t *testing.T, rawURL string) {
	store := openURL(t, rawURL, redisstore.Options{})
	token := newToken(t, "token", time.Hour)
	ctx := t.Context()
	var all sync.WaitGroup
	for method, call := range map[string]func() error{
		"Load":    func() error { _, err := store.Load(ctx); return err },
		"Publish": func() error { return store.Publish(ctx, token) },
		"TryLock": func() error { _, _, err := store.TryLock(ctx); return err },
		"Watch":   func() error { _, err := store.Watch(t.Context(), "client"); return err },
		"Sharers": func() error { _, _, err := store.Sharers(ctx); return err },
		"in haste": func() error {
			hasty, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
			defer cancel()
			_, err := store.Load(hasty)
			return err
		},
	} {
		all.Go(func() {
			began := time.Now()
			err := call()
			// Publish and Watch wait for each other.
			if took := time.Since(began); took > 5*time.Second || method == "in haste" && took > time.Second {
				t.Errorf("%s took %v", method, took)
			}
			if err == nil || errors.Is(err, shsession.ErrNotShared) || errors.Is(err, shsession.ErrLocked) {
				t.Errorf("%s: %v", method, err)
			}
		})
	}
	all.Wait()
	if err := store.Withdraw(ctx); err != nil {
		t.Errorf("Withdraw of nothing: %v", err)
	}
}

func TestOwnership(t *testing.T) {
	s := startRedis(t)
	client := redis.NewClient(&redis.Options{Addr: s.addr, ContextTimeoutEnabled: true})
	store, err := redisstore.New(client, "name", redisstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	publish(t, store, newToken(t, "token", time.Hour))
	if err := store.Close(); err != nil {
		t.Error(err)
	}
	if err := client.Ping(t.Context()).Err(); err != nil {
		t.Errorf("Close closed the caller's client: %v", err)
	}
	if err := client.Close(); err != nil {
		t.Error(err)
	}
}

func TestDatabases(t *testing.T) {
	s := startRedis(t)
	token := newToken(t, "token", time.Hour)
	publish(t, openURL(t, "redis://"+s.addr+"/3?key=name", redisstore.Options{}), token)
	wantLife(t, openURL(t, "redis://"+s.addr+"/3?key=name", redisstore.Options{}), token, time.Hour)
	if _, err := openURL(t, "redis://"+s.addr+"/0?key=name", redisstore.Options{}).Load(t.Context()); !errors.Is(err, shsession.ErrNotShared) {
		t.Errorf("Load from another database: %v, want ErrNotShared", err)
	}
}

func TestTLS(t *testing.T) {
	dir := t.TempDir()
	cert, key := writeCertificate(t, dir)
	tlsAddr := freeAddr(t)
	_, port, _ := net.SplitHostPort(tlsAddr)
	startRedis(t, "--tls-port", port, "--tls-cert-file", cert, "--tls-key-file", key, "--tls-ca-cert-file", cert, "--tls-auth-clients", "no")
	store := openURL(t, "rediss://"+tlsAddr+"?key=name&ca="+url.QueryEscape(cert), redisstore.Options{})
	token := newToken(t, "token", time.Hour)
	publish(t, store, token)
	wantLife(t, store, token, time.Hour)

	distrustful := openURL(t, "rediss://"+tlsAddr+"?key=name", redisstore.Options{})
	if _, err := distrustful.Load(t.Context()); !errors.As(err, new(x509.UnknownAuthorityError)) || errors.Is(err, redisstore.ErrUnavailable) {
		t.Errorf("Load without the ca: %v, want an UnknownAuthorityError, which won't pass by itself", err)
	}
	for _, ca := range []string{key, filepath.Join(dir, "missing")} {
		if _, err := redisstore.Open("rediss://host?ca="+url.QueryEscape(ca), redisstore.Options{}); err == nil {
			t.Errorf("%s is accepted as ca", ca)
		}
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

func TestOptionsFromEnv(t *testing.T) {
	file := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(file, []byte(" from a file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	empty := filepath.Join(t.TempDir(), "empty")
	if err := os.WriteFile(empty, []byte("\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		what string
		env  map[string]string
		want [3]string // Password, SentinelPassword, Key
		err  bool
	}{
		{"nothing", nil, [3]string{}, false},
		{"variables", map[string]string{"SHSESSION_REDIS_PASSWORD": "p", "SHSESSION_REDIS_SENTINEL_PASSWORD": "s", "SHSESSION_STORE_KEY": "k"},
			[3]string{"p", "s", "k"}, false},
		{"files", map[string]string{"SHSESSION_REDIS_PASSWORD_FILE": file, "SHSESSION_STORE_KEY_FILE": file},
			[3]string{"from a file", "", "from a file"}, false},
		{"both", map[string]string{"SHSESSION_STORE_KEY": "hunter2", "SHSESSION_STORE_KEY_FILE": file}, [3]string{}, true},
		{"missing", map[string]string{"SHSESSION_STORE_KEY_FILE": file + "x"}, [3]string{}, true},
		{"empty", map[string]string{"SHSESSION_REDIS_PASSWORD_FILE": empty}, [3]string{}, true},
	} {
		t.Run(test.what, func(t *testing.T) {
			for _, name := range []string{"SHSESSION_REDIS_PASSWORD", "SHSESSION_REDIS_SENTINEL_PASSWORD", "SHSESSION_STORE_KEY"} {
				t.Setenv(name, test.env[name])
				t.Setenv(name+"_FILE", test.env[name+"_FILE"])
			}
			opts, err := redisstore.OptionsFromEnv()
			if (err != nil) != test.err {
				t.Fatalf("error %v", err)
			}
			if err != nil {
				if strings.Contains(err.Error(), "hunter2") {
					t.Errorf("the error shows the secret: %v", err)
				}
				return
			}
			if got := [3]string{opts.Password.Reveal(), opts.SentinelPassword.Reveal(), opts.Key.Reveal()}; got != test.want {
				t.Errorf("the secrets are %q, not %q", got, test.want)
			}
		})
	}
}
