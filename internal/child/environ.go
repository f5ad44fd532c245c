package child

import (
	"runtime"
	"slices"
	"strings"
)

// Shared describes the shared token for a child's environment.
type Shared struct {
	Name       string // of the shared segment, "" without one
	HeaderFile string // the path of a header sink, "" without one
	KeepSecret bool   // leave the secrets in the environment
	Login      Login  // where to log in instead of at the service
}

// secrets are the variables that let a process log in by itself or open a store. A child doesn't
// need them, since it has the token.
var secrets = []string{
	"SH_CLIENT_SECRET", "SH_CLIENT_SECRET_FILE", "SH_CLIENT_SECRET_COMMAND",
	"SHSESSION_STORE_KEY", "SHSESSION_STORE_KEY_FILE",
	"SHSESSION_REDIS_PASSWORD", "SHSESSION_REDIS_PASSWORD_FILE",
	"SHSESSION_REDIS_SENTINEL_PASSWORD", "SHSESSION_REDIS_SENTINEL_PASSWORD_FILE",
}

// ours are systemd's variables for this process only.
var ours = []string{"NOTIFY_SOCKET", "WATCHDOG_PID", "WATCHDOG_USEC"}

// ReplacedHeaderFile returns the user's own GDAL_HTTP_HEADER_FILE, if Environ sets another, else "".
func ReplacedHeaderFile(base []string, shared Shared) string {
	own := valueOf(base, "GDAL_HTTP_HEADER_FILE")
	if shared.HeaderFile == "" || own == shared.HeaderFile || own == valueOf(base, "SHSESSION_HEADER_FILE") {
		return ""
	}
	return own
}

// Environ returns a child's environment: base, with SHSESSION_NAME, GDAL_HTTP_HEADER_FILE and
// SHSESSION_HEADER_FILE if there are values for them. If another share runs us as its command,
// Environ removes that share's values: they are for another token. Environ also removes systemd's
// variables for this process and, without KeepSecret, the client's secret, the key and the passwords
// of a store, and the paths of their files. With a Login the client's secret is always removed: the
// variable has the endpoint's placeholder. base isn't changed.
func Environ(base []string, shared Shared) []string {
	drop := append(slices.Clone(ours), "SHSESSION_NAME", "SHSESSION_HEADER_FILE")
	if !shared.KeepSecret {
		drop = append(drop, secrets...)
	}
	if slices.Contains(base, "GDAL_HTTP_HEADER_FILE="+valueOf(base, "SHSESSION_HEADER_FILE")) || shared.HeaderFile != "" {
		drop = append(drop, "GDAL_HTTP_HEADER_FILE") // another value is the user's
	}
	add := shared.Login.variables(base)
	if len(add) > 0 {
		drop = append(drop, "SH_CLIENT_SECRET_FILE", "SH_CLIENT_SECRET_COMMAND") // which can't be set together with the secret
	}
	for _, variable := range add {
		drop = append(drop, nameOf(variable))
	}
	set := func(name, value string) {
		if value != "" {
			add = append(add, name+"="+value)
		}
	}
	set("SHSESSION_NAME", shared.Name)
	set("GDAL_HTTP_HEADER_FILE", shared.HeaderFile)
	set("SHSESSION_HEADER_FILE", shared.HeaderFile)

	env := make([]string, 0, len(base)+len(add))
	for _, variable := range base {
		if !slices.ContainsFunc(drop, func(d string) bool { return sameVariable(d, nameOf(variable)) }) {
			env = append(env, variable)
		}
	}
	return append(env, add...)
}

// valueOf returns a variable's value, "" if it isn't set. Of several values the last one counts, as
// in package os/exec.
func valueOf(env []string, name string) string {
	for _, variable := range slices.Backward(env) {
		if found, value, _ := strings.Cut(variable, "="); sameVariable(name, found) {
			return value
		}
	}
	return ""
}

func nameOf(variable string) string {
	name, _, _ := strings.Cut(variable, "=")
	return name
}

// sameVariable reports whether two names are of the same variable. On Windows case is ignored.
func sameVariable(a, b string) bool {
	return a == b || runtime.GOOS == "windows" && strings.EqualFold(a, b)
}
