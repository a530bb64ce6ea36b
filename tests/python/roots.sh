#!/usr/bin/env bash
# roots.sh - Python 3.9, 3.13 and 3.14 from other releases of Debian, each in a folder to chroot into: for tests/e2e/languages/python.sh.
# SPDX-License-Identifier: MIT
# usage: tests/python/roots.sh [FOLDER]   (build/python); as root, with access to Debian's archive
set -eu
. "$(dirname "$0")/../lib_release.sh"
tests=$(realpath "$(dirname "$0")")
folder=$(realpath -m "${1:-build/python}")

# release VERSION SUITE PACKAGE...
release()
{
	local version=$1 suite=$2 root=$folder/$1

	[ ! -e "$root/cases.py" ] || return 0
	shift 2
	release_unpack "$suite" "$root" "python$version-minimal" "libpython$version-minimal" "libpython$version-stdlib" \
		libc6 zlib1g libexpat1 libgcc-s1 busybox-static "$@"
	ln -sf busybox "$root/usr/bin/head"
	"$folder/run" "$version" --version
	cp "$tests/cases.py" "$root"
}

mkdir -p "$folder"
cat >"$folder/run" <<'RUN'
#!/bin/sh
# run VERSION ARGUMENT...: that release of Python, in its root, with /proc and /dev of its own mount namespace.
root=$(dirname "$(realpath "$0")")/$1
version=$1
shift
exec unshare -m sh -c 'mount --bind /proc "$0/proc" && mount --rbind /dev "$0/dev" && exec chroot "$0" "/usr/bin/python'"$version"'" "$@"' "$root" "$@"
RUN
chmod +x "$folder/run"
release 3.9 bullseye libcrypt1
release 3.13 trixie
release 3.14 sid libzstd1
