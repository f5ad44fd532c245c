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

	"github.com/shsession/shsession"
)

// ErrWrongKey: the token in Redis can't be read with this Store's key. It was encrypted
// with another, or it is encrypted and the Store has no key, or the reverse.
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
	// 16 bytes. The header and the Store's name are authenticated with it.
	idSize     = 8
	headerSize = len(magic) + idSize
)

// ClientKey returns an Options.Key for processes that all have the client's
// secret, and so need no other: it is derived from it (HKDF, RFC 5869), and the secret
// can't be told from it.
func ClientKey(clientID string, secret shsession.Secret) (shsession.Secret, error) {
	if secret.IsZero() {
		return shsession.Secret{}, shsession.ErrNoCredentials
	}
	key, err := hkdf.Key(sha256.New, []byte(secret.Reveal()), []byte(clientID), "shsession redisstore client key", 32)
	if err != nil {
		return shsession.Secret{}, err
	}
	return shsession.NewSecret(hex.EncodeToString(key)), nil
}

// A sealer encrypts tokens. A nil sealer leaves them as they are.
type sealer struct {
	aead    cipher.AEAD
	header  []byte
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
	header := append([]byte(magic), derived[32:]...)
	return &sealer{aead: aead, header: header, context: append(bytes.Clone(header), name...)}, nil
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
	sealed := bytes.HasPrefix(data, []byte(magic))
	switch {
	case s == nil && sealed:
		return nil, fmt.Errorf("%w: the token is encrypted, and no key is set (SHSESSION_STORE_KEY)", ErrWrongKey)
	case s == nil:
		return data, nil
	case !sealed:
		return nil, fmt.Errorf("%w: the token is not encrypted, and a key is set; everybody who shares it needs the key", ErrWrongKey)
	case !bytes.HasPrefix(data, s.header):
		return nil, fmt.Errorf("%w: the token was encrypted with another key", ErrWrongKey)
	}
	token, err := s.aead.Open(nil, nil, data[headerSize:], s.context)
	if err != nil {
		return nil, errors.New("the token in Redis is damaged, or was copied there from another name")
	}
	return token, nil
}
