package child

import (
	"runtime"
	"slices"
	"strings"
)

// Shared says what a child is told about the token that is shared with it.
type Shared struct {
	Name       string // of the shared segment, "" without one
	HeaderFile string // the path of a header sink, "" without one
	KeepSecret bool   // leave the secrets in the environment
}

// secrets are the variables that let a process log in by itself or open a store: a child
// has no need of them, since it has the token.
var secrets = []string{
	"SH_CLIENT_SECRET", "SH_CLIENT_SECRET_FILE",
	"SHSESSION_STORE_KEY", "SHSESSION_STORE_KEY_FILE",
	"SHSESSION_REDIS_PASSWORD", "SHSESSION_REDIS_PASSWORD_FILE",
	"SHSESSION_REDIS_SENTINEL_PASSWORD", "SHSESSION_REDIS_SENTINEL_PASSWORD_FILE",
}

// ours are the variables by which systemd speaks to this process alone.
var ours = []string{"NOTIFY_SOCKET", "WATCHDOG_PID", "WATCHDOG_USEC"}

// Environ returns a child's environment: base, with SHSESSION_NAME, GDAL_HTTP_HEADER_FILE and
// SHSESSION_HEADER_FILE set where there is something to set them to. What another share, of which we are a
// command, has set them to is left out: its token isn't this one. So are the client's
// secret, the key and the passwords of a store, and the files that they are in (unless they are to
// be kept), and what systemd told us about itself. base isn't changed.
func Environ(base []string, shared Shared) []string {
	drop := append(slices.Clone(ours), "SHSESSION_NAME", "SHSESSION_HEADER_FILE")
	if !shared.KeepSecret {
		drop = append(drop, secrets...)
	}
	if slices.Contains(base, "GDAL_HTTP_HEADER_FILE="+valueOf(base, "SHSESSION_HEADER_FILE")) || shared.HeaderFile != "" {
		drop = append(drop, "GDAL_HTTP_HEADER_FILE") // else it is the user's
	}
	var add []string
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
		name, _, _ := strings.Cut(variable, "=")
		if !slices.ContainsFunc(drop, func(d string) bool { return sameVariable(d, name) }) {
			env = append(env, variable)
		}
	}
	return append(env, add...)
}

// valueOf returns a variable's value, "" if it isn't set.
func valueOf(env []string, name string) string {
	for _, variable := range env {
		if value, ok := strings.CutPrefix(variable, name+"="); ok {
			return value
		}
	}
	return ""
}

// sameVariable reports whether two names are of the same variable. On Windows case is no matter.
func sameVariable(a, b string) bool {
	return a == b || runtime.GOOS == "windows" && strings.EqualFold(a, b)
}
