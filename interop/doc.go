// Package interop holds the tests against programs that are not ours: the Python package sentinelhub, Keycloak, which is what
// Sentinel Hub and the Copernicus Data Space run, Redis, GDAL, curl, Chromium and
// whatever docs/recipes.md has a recipe for.
//
// The script setup installs what is missing, and run starts the servers, runs the tests and stops the servers; make interop
// is short for it. Under a plain go test, what needs a program that is not there is skipped and says so.
package interop
