# Sourced by setup and run: what is used, in which version, and where it is kept.
# shellcheck shell=bash disable=SC2034

interop=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/shsession-interop
realm=$interop/keycloak/realm-main.json
requirements=$interop/python/requirements.txt

keycloak_version=26.7.3 # the newest that runs on Java 17
keycloak_sha256=27a6535553c3cdcd083872ba40629efafb3475e3b758e0c6f691395561dd0f1f
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
keycloak=$cache/keycloak-$keycloak_version-$({ echo "$keycloak_sha256 ${keycloak_build[*]}" && cat "$realm"; } | sha256 | cut -c1-8)
venv=$cache/python-$({ python3 --version 2>&1 || true; cat "$requirements"; } | sha256 | cut -c1-8)
