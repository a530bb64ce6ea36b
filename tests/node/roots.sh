#!/usr/bin/env bash
# roots.sh - Node.js 18, 20 and 24 of Debian's releases, each in a folder to chroot into: for tests/e2e/languages/node.sh.
# SPDX-License-Identifier: MIT
# usage: tests/node/roots.sh [FOLDER]   (build/node); as root, with access to Debian's archive
set -eu
. "$(dirname "$0")/../lib_release.sh"
tests=$(realpath "$(dirname "$0")")
folder=$(realpath -m "${1:-build/node}")

# release VERSION SUITE PACKAGE...
release()
{
	local version=$1 suite=$2 root=$folder/$1

	[ ! -e "$root/cases.js" ] || return 0
	shift 2
	release_unpack "$suite" "$root" nodejs libc6 libgcc-s1 libstdc++6 zlib1g libbrotli1 libnghttp2-14 node-acorn node-undici \
		busybox-static "$@"
	ln -sf busybox "$root/usr/bin/head"
	"$folder/run" "$version" --version
	cp "$tests/cases.js" "$root"
}

mkdir -p "$folder"
cat >"$folder/run" <<'RUN'
#!/bin/sh
# run VERSION ARGUMENT...: that release of Node.js, in its root, with /proc and /dev of its own mount namespace.
root=$(dirname "$(realpath "$0")")/$1
shift
unset NODE_EXTRA_CA_CERTS
exec unshare -m sh -c 'mount --bind /proc "$0/proc" && mount --rbind /dev "$0/dev" && exec chroot "$0" /usr/bin/node "$@"' "$root" "$@"
RUN
chmod +x "$folder/run"
release 18 bookworm libnode108 libuv1 libicu72 libssl3 libc-ares2 node-cjs-module-lexer
release 20 trixie libnode115 libuv1t64 libicu76 libssl3t64 libcares2 libzstd1 node-cjs-module-lexer node-minimatch
release 24 sid libnode137 libuv1t64 libicu78 libssl3t64 libcares2 libzstd1 libada-url0-3 libhdr-histogram6 libllhttp9.4 libsimdjson33 libsimdutf35 \
	libsqlite3-0
