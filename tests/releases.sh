#!/usr/bin/env bash
# releases.sh - a language as other releases of Debian have it, each in a folder to chroot into: for tests/e2e/languages/LANGUAGE.sh.
# SPDX-License-Identifier: MIT
# usage: tests/releases.sh python|java|golang|ruby|node [FOLDER]   (build/LANGUAGE); as root, with access to Debian's archive
set -eu
. "$(dirname "$0")/lib_release.sh"
folder=$(realpath -m "${2:-build/$1}")

# release VERSION SUITE PROGRAM PACKAGE...: FOLDER/run VERSION ARGUMENT... runs the program then.
release()
{
	local version=$1 suite=$2 program=$3 root=$folder/$1

	shift 3
	[ ! -s "$root/program" ] || return 0
	rm -rf "$root"
	release_unpack "$suite" "$root" "$@"
	echo "$program" >"$root/program"
}

mkdir -p "$folder"
cat >"$folder/run" <<'RUN'
#!/bin/sh
# run VERSION ARGUMENT...: the program of that release, in its root, with /proc and /dev of a mount namespace of its own.
root=${0%/*}/$1
shift
exec unshare -m sh -c 'read -r program <"$0/program" && mount --bind /proc "$0/proc" && mount --rbind /dev "$0/dev" && exec chroot "$0" "$program" "$@"' "$root" "$@"
RUN
chmod +x "$folder/run"
case $1 in
python)
	for at in 3.9:bullseye 3.13:trixie 3.14:sid; do
		version=${at%:*}
		release "$version" "${at#*:}" "/usr/bin/python$version" "python$version-minimal" "libpython$version-stdlib" busybox-static
		ln -sf busybox "$folder/$version/usr/bin/head"
	done
	;;
java)
	for at in 11:bullseye 21:trixie 25:sid; do
		version=${at%:*}
		release "$version" "${at#*:}" "/usr/lib/jvm/java-$version-openjdk-amd64/bin/java" "openjdk-$version-jre-headless"
	done
	;;
golang)
	release 1.24 trixie /usr/lib/go-1.24/bin/go golang-1.24-go golang-1.24-src
	;;
ruby)
	release 3.3 trixie /usr/bin/ruby3.3 ruby3.3 dash coreutils
	;;
node)
	for at in 18:bookworm 20:trixie 24:sid; do
		version=${at%:*}
		release "$version" "${at#*:}" /usr/bin/node nodejs busybox-static
		ln -sf busybox "$folder/$version/usr/bin/head"
	done
	;;
esac
