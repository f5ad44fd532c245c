package redisstore

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/shsession/shsession"
)

// ErrWrongKey: the token in Redis can't be read with this Store's key. It was encrypted
// with another, or it is encrypted and the Store has no key, or the reverse. The error wraps
// shsession.ErrNotShared too if it was encrypted with the key of another secret of the same
// client (see ClientKey).
var ErrWrongKey = errors.New("the key doesn't fit the shared token")

// errClientKeyWord refuses clientKeyWord as a key.
var errClientKeyWord = errors.New(`the key for the shared token is the word "` + clientKeyWord +
	`", which only the command shsession knows: a program passes what ClientKey returns`)

const (
	// clientKeyWord stands for the client's key where a user names one.
	clientKeyWord = "client-secret"

	// minKey is the length of the shortest key.
	minKey = 16

	// magic begins an encrypted token, of version 1.
	magic = "SHS1"

	// An encrypted token is the magic, the key's id, and what AES-256-GCM made
	// of the token: a random nonce of 12 bytes, the ciphertext, and a tag of
	// 16 bytes. The header and the Store's name are authenticated with it. The id of
	// a key that ClientKey made begins with that of the client.
	idSize     = 8
	clientSize = 4
	headerSize = len(magic) + idSize
	minSealed  = headerSize + 12 + 16
)

// ClientKey returns an Options.Key for processes that all have the client's
// secret, and so need no other key. The key is derived from the secret (HKDF, RFC 5869) and
// doesn't reveal it. If the secret may be rotated, pass a function that calls ClientKey as
// Options.ReadKey: a process that has logged in with a new secret replaces a token under the
// old secret's key.
func ClientKey(clientID string, secret shsession.Secret) (shsession.Secret, error) {
	if secret.IsZero() {
		return shsession.Secret{}, shsession.ErrNoCredentials
	}
	key, err := hkdf.Key(sha256.New, []byte(secret.Reveal()), []byte(clientID), "shsession redisstore client key", 32)
	if err != nil {
		return shsession.Secret{}, err
	}
	client := sha256.Sum256([]byte(clientID))
	return shsession.NewSecret(clientKeyPrefix + hex.EncodeToString(client[:clientSize]) + ":" + hex.EncodeToString(key)), nil
}

// clientKeyPrefix begins what ClientKey returns. Hexadecimal digits of the client's id and of
// the key follow.
const clientKeyPrefix = "client:"

// clientOf returns the id of the client that ClientKey made a key for, nil for another key.
func clientOf(key shsession.Secret) []byte {
	text, ok := strings.CutPrefix(key.Reveal(), clientKeyPrefix)
	client, _, both := strings.Cut(text, ":")
	id, err := hex.DecodeString(client)
	if !ok || !both || err != nil || len(id) != clientSize {
		return nil
	}
	return id
}

// A sealer encrypts tokens. A nil sealer leaves them as they are.
type sealer struct {
	aead    cipher.AEAD
	header  []byte
	client  []byte // of the header, what all keys of this client have in common; nil for a key that isn't a client's
	context []byte // what is authenticated but not encrypted
}

// newSealer returns nil for the zero key.
func newSealer(key shsession.Secret, name string) (*sealer, error) {
	if key.IsZero() {
		return nil, nil
	}
	if key.Reveal() == clientKeyWord {
		return nil, errClientKeyWord
	}
	if len(key.Reveal()) < minKey {
		return nil, fmt.Errorf("the key for the shared token has fewer than %d characters: make one with openssl rand -hex 32", minKey)
	}
	derived, err := hkdf.Key(sha256.New, []byte(key.Reveal()), nil, "shsession redisstore token", 32+idSize)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(derived[:32])
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, err
	}
	s := &sealer{aead: aead, header: append([]byte(magic), derived[32:]...)}
	if client := clientOf(key); client != nil {
		copy(s.header[len(magic):], client)
		s.client = s.header[:len(magic)+clientSize]
	}
	s.context = append(bytes.Clone(s.header), name...)
	return s, nil
}

// clientHeader returns what the tokens begin with that are encrypted with any secret of this
// client, nil if the key isn't one that follows from a secret.
func (s *sealer) clientHeader() []byte {
	if s == nil {
		return nil
	}
	return s.client
}

// seal returns what is kept in Redis for a token's JSON.
func (s *sealer) seal(token []byte) []byte {
	if s == nil {
		return token
	}
	return s.aead.Seal(bytes.Clone(s.header), nil, token, s.context)
}

// open returns the JSON of the token that is kept in Redis as data.
func (s *sealer) open(data []byte) ([]byte, error) {
	sealed := bytes.HasPrefix(data, []byte(magic)) && len(data) >= minSealed
	switch {
	case s == nil && sealed:
		return nil, fmt.Errorf("%w: the token is encrypted, and no key is set (SHSESSION_STORE_KEY)", ErrWrongKey)
	case s == nil:
		return data, nil
	case !sealed && !isToken(data):
		return nil, fmt.Errorf("%w: what is in Redis is no token", shsession.ErrNotShared)
	case !sealed:
		return nil, fmt.Errorf("%w: the token is not encrypted, and a key is set; every process that shares it needs the key", ErrWrongKey)
	case s.client != nil && bytes.HasPrefix(data, s.client) && !bytes.HasPrefix(data, s.header):
		return nil, fmt.Errorf("%w that can be read: it was encrypted with another secret of this client (%w)", shsession.ErrNotShared, ErrWrongKey)
	case !bytes.HasPrefix(data, s.header):
		return nil, fmt.Errorf("%w: the token was encrypted with another key", ErrWrongKey)
	}
	token, err := s.aead.Open(nil, nil, data[headerSize:], s.context)
	if err != nil {
		return nil, fmt.Errorf("%w: what is in Redis is damaged, or was copied there from another name", shsession.ErrNotShared)
	}
	return token, nil
}

func isToken(data []byte) bool {
	_, err := shsession.ParseToken(data)
	return err == nil
}
