package soak_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/redisstore"
	"github.com/shsession/shsession/shm"
)

// askEnv makes a process of this test an asker in the store that it names. Its credentials
// are the command's.
const askEnv = "SHSESSION_SOAK_ASK"

const clientID = "soak"

// openStore opens the store at a place such as shm:NAME or redis://HOST?key=NAME. In Redis the
// token's key follows from the client's secret.
func openStore(place, secretFile string) (shsession.Store, error) {
	if name, ok := strings.CutPrefix(place, "shm:"); ok {
		return shm.Open(name)
	}
	return redisstore.Open(place, redisstore.Options{ReadKey: func(context.Context) (shsession.Secret, error) {
		secret, err := readSecret(secretFile)
		if err != nil {
			return secret, err
		}
		return redisstore.ClientKey(clientID, secret)
	}})
}

func readSecret(file string) (shsession.Secret, error) {
	text, err := os.ReadFile(file)
	return shsession.NewSecret(strings.TrimSpace(string(text))), err
}

// ask is the main function of an asker: a member of a store that asks for a token all the
// time. It prints "token" for its first one, and a line for each promise that was broken.
func ask(place string) int {
	secretFile := os.Getenv("SH_CLIENT_SECRET_FILE")
	store, err := openStore(place, secretFile)
	if err != nil {
		fmt.Println("broken:", err)
		return 1
	}
	s, err := shsession.Join(shsession.Config{
		ClientID: clientID, TokenURL: os.Getenv("SH_TOKEN_URL"),
		ReadSecret: func(context.Context) (shsession.Secret, error) { return readSecret(secretFile) },
		HTTPClient: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}},
		Logger:     slog.New(slog.NewTextHandler(io.Discard, nil)),
		RetryWait:  100 * time.Millisecond,
	}, store)
	if err != nil {
		fmt.Println("broken:", err)
		return 1
	}
	a := asker{session: s, store: store}
	for range time.Tick(20 * time.Millisecond) {
		a.ask()
	}
	return 0
}

// An asker checks what a session promises its callers.
type asker struct {
	session *shsession.Session
	store   shsession.Store
	last    shsession.Token
}

func (a *asker) ask() {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	begin := time.Now()
	there, loadErr := a.store.Load(ctx)
	t, err := a.session.Token(ctx)
	switch {
	case err == nil && t.ExpiresAt().Before(begin):
		fmt.Printf("broken: a token that had expired at %v was handed out after %v\n", t.ExpiresAt(), begin)
	case err == nil:
		if a.last.IsZero() {
			fmt.Println("token")
		}
		a.last = t
	case usable(a.last):
		fmt.Printf("broken: a failure after %v, with a token of its own that is valid: %v\n", time.Since(begin), err)
	case loadErr != nil || !usable(there) || errors.Is(err, syscall.EMFILE):
	default:
		if now, loadErr := a.store.Load(ctx); loadErr == nil && now.Equal(there) {
			fmt.Printf("broken: a failure after %v, with a valid token in the store: %v\n", time.Since(begin), err)
		}
	}
}

// usable reports whether a token is before the margin at its end, with time to spare.
func usable(t shsession.Token) bool { return t.Remaining() > t.Life()/10+200*time.Millisecond }
