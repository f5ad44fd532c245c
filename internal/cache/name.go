package cache

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"strconv"
	"strings"

	"github.com/shsession/shsession"
)

// prefix is what the names of the cache's segments start with.
const prefix = "shsession-"

// family returns what the names of a client's segments start with: a hash of token URL, client id
// and user. Users can't read each other's segments, so each user has a name of their own.
func family(cfg shsession.Config) string {
	return prefix + digest(6, cfg.TokenURL, cfg.ClientID, strconv.Itoa(os.Geteuid())) + "-"
}

// Name returns the name of the segment for cfg's client. It ends with 16 bits of a hash of the
// secret: a secret that was changed or mistyped is tried at the service, instead of being hidden by
// a cached token. Everybody can list the names, and 16 bits are too few to confirm a guess at the
// secret.
func Name(cfg shsession.Config) string {
	return family(cfg) + digest(2, cfg.TokenURL, cfg.ClientID, cfg.ClientSecret.Reveal())
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

// IsName reports whether name is one that [Name] returns.
func IsName(name string) bool {
	rest, ok := strings.CutPrefix(name, prefix)
	client, secret, both := strings.Cut(rest, "-")
	return ok && both && isHex(client, 12) && isHex(secret, 4)
}

func isHex(text string, digits int) bool {
	return len(text) == digits && strings.Trim(text, "0123456789abcdef") == ""
}
