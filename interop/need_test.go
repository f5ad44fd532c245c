package interop_test

import (
	"os"
	"os/exec"
	"testing"
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
	path, err := exec.LookPath(name)
	if err != nil {
		missing(t, "the program "+name)
	}
	return path
}

// needVariable returns the value of an environment variable that the script run sets where it has what.
func needVariable(t *testing.T, variable, what string) string {
	t.Helper()
	value := os.Getenv(variable)
	if value == "" {
		missing(t, what+" ("+variable+")")
	}
	return value
}

// missing ends a test for which the machine lacks something.
func missing(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("SHSESSION_INTEROP") == "required" {
		t.Fatalf("%s is missing, and SHSESSION_INTEROP is required", what)
	}
	t.Skipf("%s is missing: run make interop, which installs and starts what it can", what)
}
