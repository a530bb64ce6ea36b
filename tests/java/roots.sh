#!/usr/bin/env bash
# roots.sh - Java 11 and 21 from other releases of Debian, each in a folder to chroot into: for tests/e2e/languages/java.sh.
# SPDX-License-Identifier: MIT
# usage: tests/java/roots.sh [FOLDER]   (build/java); as root, with access to Debian's archive
set -eu
folder=$(realpath -m "${1:-build/java}")

# release VERSION SUITE
release()
{
	local version=$1 suite=$2 root=$folder/$1 apt=$folder/apt-$2
	local options=(-o "Dir::Etc::sourcelist=$apt/list" -o Dir::Etc::sourceparts=/dev/null -o "Dir::State::lists=$apt/lists"
		-o "Dir::Cache=$apt/cache" -o Dir::State::status=/dev/null -o APT::Sandbox::User=root)

	[ ! -x "$root/java" ] || return 0
	mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial" "$apt/debs" "$root"
	echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian $suite main" >"$apt/list"
	apt-get "${options[@]}" -q update >/dev/null
	(cd "$apt/debs" && apt-get "${options[@]}" -q download "openjdk-$version-jre-headless" libc6 zlib1g libgcc-s1 libstdc++6 >/dev/null)
	mkdir -p "$root/usr/lib" "$root/usr/lib64" "$root/proc" "$root/tmp"
	ln -sfn usr/lib "$root/lib"
	ln -sfn usr/lib64 "$root/lib64"
	for deb in "$apt"/debs/*.deb; do
		dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$root" --keep-directory-symlink
	done
	# What chroot runs: it needs /proc, where the launcher looks for itself.
	ln -sfn "usr/lib/jvm/java-$version-openjdk-amd64/bin/java" "$root/java"
	rm -r "$apt"
	"$root/../run" "$version" -version 2>&1 | head -1
}

mkdir -p "$folder"
cat >"$folder/run" <<'RUN'
#!/bin/sh
# run VERSION ARGUMENT...: that release of Java, in its root, with /proc of its own mount namespace.
root=$(dirname "$(realpath "$0")")/$1
shift
exec unshare -m sh -c 'mount --bind /proc "$0/proc" && exec chroot "$0" /java "$@"' "$root" "$@"
RUN
chmod +x "$folder/run"
release 11 bullseye
release 21 trixie
