#!/usr/bin/env bash
# newer.sh - Go 1.24 from another release of Debian, in a folder of its own: for tests/e2e/languages/golang.sh.
# SPDX-License-Identifier: MIT
# usage: tests/golang/newer.sh [FOLDER]   (build/go-1.24); as root, with access to Debian's archive
set -eu
. "$(dirname "$0")/../lib_release.sh"
folder=$(realpath -m "${1:-build/go-1.24}")

[ ! -x "$folder/usr/lib/go-1.24/bin/go" ] || exit 0
release_unpack trixie "$folder" golang-1.24-go golang-1.24-src
"$folder/usr/lib/go-1.24/bin/go" version
