#!/usr/bin/env bash
# newer.sh - Go 1.24 from another release of Debian, in a folder of its own: for tests/e2e/languages/golang.sh.
# SPDX-License-Identifier: MIT
# usage: tests/golang/newer.sh [FOLDER]   (build/go-1.24); as root, with access to Debian's archive
set -eu
folder=$(realpath -m "${1:-build/go-1.24}")
apt=$folder/apt
options=(-o "Dir::Etc::sourcelist=$apt/list" -o Dir::Etc::sourceparts=/dev/null -o "Dir::State::lists=$apt/lists"
	-o "Dir::Cache=$apt/cache" -o APT::Sandbox::User=root)

[ ! -x "$folder/usr/lib/go-1.24/bin/go" ] || exit 0
mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial" "$apt/debs"
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian trixie main" >"$apt/list"
apt-get "${options[@]}" -q update >/dev/null
(cd "$apt/debs" && apt-get "${options[@]}" -q download golang-1.24-go golang-1.24-src >/dev/null)
for deb in "$apt"/debs/*.deb; do
	dpkg-deb -x "$deb" "$folder"
done
rm -r "$apt"
"$folder/usr/lib/go-1.24/bin/go" version
