package interop_test

import (
	"os"
	"testing"

	"github.com/shsession/shsession/internal/testkit"
)

// needPython returns the path of a Python that has the package sentinelhub.
func needPython(t *testing.T) string {
	t.Helper()
	return needVariable(t, "SHSESSION_PYTHON", "a Python with the package sentinelhub")
}

// needKeycloak returns the URL of the realm of keycloak/realm-main.json in a running Keycloak.
func needKeycloak(t *testing.T) string {
	t.Helper()
	return needVariable(t, "SHSESSION_KEYCLOAK_URL", "a running Keycloak")
}

// needRedis returns the host and port of a running Redis whose keys nobody else wants.
func needRedis(t *testing.T) string {
	t.Helper()
	return needVariable(t, "SHSESSION_REDIS", "a running Redis")
}

// needProgram returns the path of a program. Tests with one take long, so they run where they are asked for.
func needProgram(t *testing.T, name string) string {
	t.Helper()
	needVariable(t, "SHSESSION_INTEROP", "the wish to run "+name)
	return testkit.Need(t, name)
}

// needVariable returns the value of an environment variable that the script run sets where it has what.
func needVariable(t *testing.T, variable, what string) string {
	t.Helper()
	value := os.Getenv(variable)
	if value == "" {
		testkit.Missing(t, what+" ("+variable+")")
	}
	return value
}
