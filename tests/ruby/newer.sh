#!/usr/bin/env bash
# newer.sh - Ruby 3.3 from another release of Debian, in a folder to chroot into: for tests/e2e/languages/ruby.sh.
# SPDX-License-Identifier: MIT
# usage: tests/ruby/newer.sh [FOLDER]   (build/ruby-3.3); as root, with access to Debian's archive
set -eu
. "$(dirname "$0")/../lib_release.sh"
folder=$(realpath -m "${1:-build/ruby-3.3}")

[ -e "$folder/cases.rb" ] ||
	release_unpack trixie "$folder" ruby3.3 libruby3.3 libc6 zlib1g libgcc-s1 libcrypt1 libgmp10 libyaml-0-2 libffi8 libssl3t64 \
		dash coreutils libselinux1 libpcre2-8-0 libacl1 libattr1 libcap2 libsystemd0 libzstd1
cp "$(dirname "$0")/cases.rb" "$folder"
# In its root, with /proc and /dev of its own mount namespace.
cat >"$folder/run" <<'RUN'
#!/bin/sh
root=$(dirname "$(realpath "$0")")
exec unshare -m sh -c 'mount --bind /proc "$0/proc" && mount --rbind /dev "$0/dev" && exec chroot "$0" /usr/bin/ruby3.3 "$@"' "$root" "$@"
RUN
chmod +x "$folder/run"
"$folder/run" -v
