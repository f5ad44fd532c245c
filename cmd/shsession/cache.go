package main

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"strconv"
	"strings"

	"github.com/shsession/shsession"
)

// cachePrefix is what the names of all private segments start with.
const cachePrefix = "shsession-"

// cacheFamily returns what the names of a client's segments start with: a hash of token
// URL, client id and user. Two users can't read each other's, so they don't compete for a name.
func cacheFamily(cfg shsession.Config) string {
	return cachePrefix + digest(6, cfg.TokenURL, cfg.ClientID, strconv.Itoa(os.Geteuid())) + "-"
}

// cacheName returns the name of the segment that token, headers and info share. It
// ends with 16 bits of a hash of the secret, so that one that was changed or mistyped is
// tried and not hidden by the token of the last. They are too few to confirm a
// guess at the secret, as a longer hash in a name that everybody can list would.
func cacheName(cfg shsession.Config) string {
	return cacheFamily(cfg) + digest(2, cfg.TokenURL, cfg.ClientID, cfg.ClientSecret.Reveal())
}

// digest returns n bytes, in hexadecimal, of a hash of the fields.
func digest(n int, fields ...string) string {
	h := sha256.New()
	for _, field := range fields {
		h.Write([]byte(field))
		h.Write([]byte{0})
	}
	return hex.EncodeToString(h.Sum(nil)[:n])
}

// isCache reports whether cacheName can have made a name.
func isCache(name string) bool {
	rest, ok := strings.CutPrefix(name, cachePrefix)
	family, secret, both := strings.Cut(rest, "-")
	return ok && both && isHex(family, 12) && isHex(secret, 4)
}

func isHex(text string, digits int) bool {
	return len(text) == digits && strings.Trim(text, "0123456789abcdef") == ""
}
