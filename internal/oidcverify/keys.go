package oidcverify

import (
	"context"
	"crypto"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"math/big"
	"net/http"
)

const (
	maxKeySet  = 1 << 20 // bytes
	minKeyBits = 2048    // the least that RS256 allows (RFC 7518 section 3.3)
	maxKeyBits = 16384   // a check with a larger key takes seconds
)

// fetchKeys returns the keys of the JWK Set at a URL that RS256 signatures can be checked
// with. Any other key is ignored, whatever is wrong with it (RFC 7517 section 5). The error
// says that there is no such key, or why the set couldn't be had. It blocks until ctx ends.
func fetchKeys(ctx context.Context, client *http.Client, url string) ([]crypto.PublicKey, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s answered %d", url, resp.StatusCode)
	}
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxKeySet+1))
	switch {
	case err != nil:
		return nil, err
	case len(text) > maxKeySet:
		return nil, fmt.Errorf("the key set at %s has more than %d bytes", url, maxKeySet)
	}
	keys, err := parseKeys(text)
	if err != nil {
		return nil, fmt.Errorf("the key set at %s: %w", url, err)
	}
	return keys, nil
}

// parseKeys reads a JWK Set as fetchKeys says.
func parseKeys(text []byte) ([]crypto.PublicKey, error) {
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(text, &set); err != nil {
		return nil, err
	}
	var keys []crypto.PublicKey
	for _, raw := range set.Keys {
		if key := parseKey(raw); key != nil {
			keys = append(keys, key)
		}
	}
	if keys == nil {
		return nil, fmt.Errorf("none of its %d keys is an RSA key for signatures", len(set.Keys))
	}
	return keys, nil
}

// parseKey returns the RSA key in a JWK (RFC 7518 section 6.3.1), or nil if that is not
// what it is, or not one for RS256 signatures.
func parseKey(raw json.RawMessage) *rsa.PublicKey {
	var jwk struct {
		Type      string `json:"kty"`
		Use       string `json:"use"`
		Algorithm string `json:"alg"`
		N         string `json:"n"`
		E         string `json:"e"`
	}
	if json.Unmarshal(raw, &jwk) != nil || jwk.Type != "RSA" || jwk.Use != "" && jwk.Use != "sig" ||
		jwk.Algorithm != "" && jwk.Algorithm != "RS256" {
		return nil
	}
	n, nErr := base64.RawURLEncoding.DecodeString(jwk.N)
	e, eErr := base64.RawURLEncoding.DecodeString(jwk.E)
	if nErr != nil || eErr != nil || len(n) > maxKeyBits/8 {
		return nil
	}
	exponent := new(big.Int).SetBytes(e)
	key := &rsa.PublicKey{N: new(big.Int).SetBytes(n)}
	if key.N.BitLen() < minKeyBits || key.N.Bit(0) == 0 || exponent.BitLen() > 31 {
		return nil
	}
	key.E = int(exponent.Int64())
	if key.E < 3 || key.E%2 == 0 { // as crypto/rsa wants it
		return nil
	}
	return key
}
