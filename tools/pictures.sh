#!/bin/bash
# pictures.sh - draw the pictures of README.md from real recordings.
# SPDX-License-Identifier: MIT
#
# usage: tools/pictures.sh   as root, after make; writes doc/pictures/; the page needs Chromium, node and npm
set -u
cd "$(dirname "$0")/.." || exit 1
root=$PWD
export NO_COLOR=1 LC_ALL=C.UTF-8
pptrace=$root/build/pptrace
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p doc/pictures
cd "$work" || exit 1

fail()
{
	echo "pictures.sh: $*" >&2
	exit 1
}

# record FILE COMMAND...: a demo that is ended with --on-deadlock=kill fails, as it should.
record()
{
	local file=$1
	shift
	# Nothing of this machine belongs into a picture: a search through PATH shows its folders.
	PATH=/usr/bin:/bin "$pptrace" run -q -o "$file" --on-deadlock=kill "$@" >/dev/null 2>record.txt </dev/null
	[ -s "$file" ] || fail "$* was not recorded: $(tail -1 record.txt)"
}

ln -s "$root/build/demos/philosophers" philosophers
record deadlock.db ./philosophers
record xargs.db bash -c 'seq 6 | xargs -P3 -n1 sh -c "sleep 0.0\$0; gzip -c /etc/passwd | wc -c"'
"$pptrace" waits -o "$root/doc/pictures/deadlock.svg" deadlock.db 2>/dev/null || fail "no picture of the deadlock"
"$pptrace" timeline -o "$root/doc/pictures/xargs.svg" xargs.db 2>/dev/null || fail "no picture of xargs"
"$pptrace" diagnose deadlock.db # as in README.md

chromium=$(command -v chromium || command -v chromium-browser || command -v google-chrome) || fail "no Chromium for the page"
cd "$root/tests/browser" || exit 1
[ -d node_modules/playwright-core ] || npm ci --no-audit --no-fund >"$work/npm" 2>&1 || fail "npm ci: $(tail -1 "$work/npm")"
"$pptrace" report -o "$work/page.html" "$work/deadlock.db" 2>/dev/null || fail "no page"
CHROMIUM=$chromium node screenshot.js "$work/page.html#sec-timeline" "$root/doc/pictures/report.png" 1300 910 || fail "no picture of the page"
