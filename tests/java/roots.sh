#!/usr/bin/env bash
# roots.sh - Java 11 and 21 from other releases of Debian, each in a folder to chroot into: for tests/e2e/languages/java.sh.
# SPDX-License-Identifier: MIT
# usage: tests/java/roots.sh [FOLDER]   (build/java); as root, with access to Debian's archive
set -eu
. "$(dirname "$0")/../lib_release.sh"
folder=$(realpath -m "${1:-build/java}")

# release VERSION SUITE
release()
{
	local version=$1 suite=$2 root=$folder/$1

	[ ! -x "$root/java" ] || return 0
	release_unpack "$suite" "$root" "openjdk-$version-jre-headless" libc6 zlib1g libgcc-s1 libstdc++6
	# What chroot runs: it needs /proc, where the launcher looks for itself.
	ln -sfn "usr/lib/jvm/java-$version-openjdk-amd64/bin/java" "$root/java"
	"$root/../run" "$version" -version 2>&1 | head -1
}

mkdir -p "$folder"
cat >"$folder/run" <<'RUN'
#!/bin/sh
# run VERSION ARGUMENT...: that release of Java, in its root, with /proc and /dev of its own mount namespace.
root=$(dirname "$(realpath "$0")")/$1
shift
exec unshare -m sh -c 'mount --bind /proc "$0/proc" && mount --rbind /dev "$0/dev" && exec chroot "$0" /java "$@"' "$root" "$@"
RUN
chmod +x "$folder/run"
release 11 bullseye
release 21 trixie
