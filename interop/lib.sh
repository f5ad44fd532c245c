# Sourced by setup and run: what is used, in which version, and where it is kept.
# shellcheck shell=bash disable=SC2034

interop=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/shsession-interop
realm=$interop/keycloak/realm-main.json

# The versions of Keycloak that will do, each with its checksum, and of the Python package: the best first. Where one
# can't be had, setup tries the next. The first Keycloak is the newest that runs on Java 17.
keycloak_versions=(
	26.7.3:27a6535553c3cdcd083872ba40629efafb3475e3b758e0c6f691395561dd0f1f
	26.7.0:e63bd0167199c0092b8a4d22cc137e6b7a70e0089070f6f7799b1be504b69a8a
	26.5.6:490189d9dff05272432d51f71a069462eeca97f2920a694d539a1e6c26a5a347
)
python_versions=(sentinelhub==3.12.0 sentinelhub==3.11.5 sentinelhub==3.11.4)

# The packages of Node that tests use.
node_packages=(openid-client@6.9.0 simple-oauth2@5.1.0)

# What is fixed when Keycloak is built: plain http under /auth, as at Sentinel Hub, and a database in a file.
keycloak_build=(--db=dev-file --http-relative-path=/auth --health-enabled=false --metrics-enabled=false)
# A server that lives for a minute never earns back what the second compiler costs.
keycloak_java=-XX:TieredStopAtLevel=1

have() { command -v "$1" >/dev/null 2>&1; }

sha256() {
	if have sha256sum; then sha256sum; else shasum -a 256; fi | cut -d' ' -f1
}

# Everything that goes into a cached directory is in its name, so a change makes a new one.
# A directory is whole when it has a file named .complete, which is made last.

# keycloak_dir VERSION:SHA256: where that Keycloak is kept.
keycloak_dir() {
	echo "$cache/keycloak-${1%:*}-$({ echo "${1#*:} ${keycloak_build[*]}" && cat "$realm"; } | sha256 | cut -c1-8)"
}

# python_dir REQUIREMENT: where the virtual environment with that package is kept.
python_dir() {
	echo "$cache/python-$({ python3 --version 2>&1 || true; echo "$1"; } | sha256 | cut -c1-8)"
}

# node_dir: where the packages of Node are kept.
node_dir() {
	echo "$cache/node-$({ node --version 2>&1 || true; echo "${node_packages[*]}"; } | sha256 | cut -c1-8)"
}

# first_complete FUNCTION VERSION...: the directory of the first version that is there, else of the first.
first_complete() {
	local dir=$1 version
	shift
	for version; do
		[ ! -e "$("$dir" "$version")/.complete" ] || { "$dir" "$version"; return; }
	done
	"$dir" "$1"
}

# What run and the benchmarks use, as it is now: setup may change it.
choose() {
	keycloak=$(first_complete keycloak_dir "${keycloak_versions[@]}")
	venv=$(first_complete python_dir "${python_versions[@]}")
	node_modules=$(node_dir)/node_modules
}
choose
