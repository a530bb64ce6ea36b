#!/bin/sh
# deb.sh - build the Debian package of what is committed, in build/deb, twice, and compare; then lintian.
# SPDX-License-Identifier: MIT
# usage: tools/deb.sh VERSION
set -eu
cd "$(dirname "$0")/.."
top=$PWD/build/deb version=$1
rm -rf "$top"
for round in first second; do
	mkdir -p "$top/$round/pptrace-$version"
	git archive HEAD | tar -x -C "$top/$round/pptrace-$version"
	(cd "$top/$round/pptrace-$version" && env -u CC -u CLANG dpkg-buildpackage -us -uc -b >"$top/$round.log" 2>&1) ||
		{ tail -n 40 "$top/$round.log"; exit 1; }
	[ -z "${ONCE:-}" ] || break
done
for deb in "$top"/first/*.deb; do
	[ -n "${ONCE:-}" ] || cmp "$deb" "$top/second/${deb##*/}"
	cp "$deb" "$top/"
done
rm -rf "$top/second" "$top/first/pptrace-$version"
lintian --fail-on error,warning "$top"/pptrace_*.deb
ls "$top"/*.deb
