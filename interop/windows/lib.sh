# Sourced by setup, in and exec: what is used, in which version, and where it is kept.
# shellcheck shell=bash disable=SC2034

windows=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
tree=$(cd "$windows/../.." && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/shsession-ci

# The Debian whose Wine is used: that of Debian 12 is too old for Go.
suite=trixie

# Python for Windows, an artifact of Maven Central, and the Python package with what it requires.
cpython=org.bytedeco:cpython:3.13.5-1.5.12:jar:windows-x86_64
python_packages=(sentinelhub==3.12.0 numpy==2.1.3)

# image: a Debian with Wine and Python, made by setup. It is never changed: what runs in it
# writes to a layer of its own. Everything that goes into it is in its name.
image=$cache/wine-$({ echo "$suite $cpython ${python_packages[*]}" && cat "$windows/setup"; } | sha256sum | cut -c1-8)

say() { echo "windows: $*"; }

# in_root DIR PROGRAM...: runs a program of the Debian in DIR. Wine takes over the Unix
# environment, so that the program has little of it.
in_root() {
	local root=$1
	shift
	env -i PATH=/usr/bin:/bin HOME=/root WINEDEBUG=-all XDG_RUNTIME_DIR=/tmp "$(command -v chroot)" "$root" "$@"
}
