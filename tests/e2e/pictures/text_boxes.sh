#!/usr/bin/env bash
# text_boxes.sh - in the pictures of every demo, of a loop of 2,000 processes and of long and wide names, no text overlaps another or leaves its box.
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/../../lib.sh"
. "$ROOT/tests/lib_browser.sh"

# pictures NAME: all of NAME.db, as NAME.KIND.svg.
pictures()
{
	local kind
	for kind in tree timeline waits locks pipes path; do
		"$PPTRACE" $kind -q -o "$1.$kind.svg" "$1.db" || echo "$1: no $kind" >>missing
	done
}

# record NAME OPTIONS ARGUMENTS: the demo of that name; of python/child as python-child.
record()
{
	local file=${1//\//-} program=$DEMOS/$1
	[ -e "$program" ] || program=$program.py
	# shellcheck disable=SC2086
	timeout -k 2 30 "$PPTRACE" run -q --timeout 1s --watch 0.3 --on-deadlock=kill $2 -o "$file.db" "$program" $3 >/dev/null 2>&1 </dev/null
	pictures "$file"
}
export -f record pictures
export PPTRACE DEMOS

# measure NAME...: their pictures in Chromium.
measure()
{
	local files=() name
	for name; do files+=("$PWD/$name".*.svg); done
	LIMIT=240 CHROMIUM=$chromium run node "$ROOT/tests/browser/boxes.js" "${files[@]}"
	expect_status 0
	grep -q "^1\.\.${#files[@]}\$" out || fail "it did not look at all pictures" "$(tail -3 out)"
	! grep -q '^not ok' out || fail "$(grep -A9 '^not ok' out)"
	[ ! -e missing ] || fail "$(cat missing)"
}

begin "each demo"
if [ -n "$no_browser" ]; then
	skip "$no_browser"
else
	sed -n 's/^DEMO("[^"]*", "\([^"]*\)", "[^"]*", "\([^"]*\)", "\([^"]*\)")/\1|\2|\3/p' "$BUILD/gen/demos.def" >demos.list
	while IFS='|' read -r name arguments options; do
		printf '%s\0%s\0%s\0' "$name" "$options" "$arguments"
	done <demos.list | xargs -0 -n3 -P2 bash -c 'record "$@"' record
	mapfile -t names < <(cut -d'|' -f1 demos.list | tr / -)
	[ ${#names[@]} -gt 40 ] || fail "only ${#names[@]} demos"
	measure "${names[@]}"
fi
end

begin "a loop of 2,000 processes"
if [ -n "$no_browser" ]; then
	skip "$no_browser"
else
	"$PPTRACE" run -q -o loop.db bash -c 'for ((i = 0; i < 2000; i++)); do /bin/true; done' 2>/dev/null
	expect_eq "$(sql loop.db "SELECT count(*) FROM process")" 2001
	pictures loop
	measure loop
fi
end

begin "long, wide and hostile names"
if [ -n "$no_browser" ]; then
	skip "$no_browser"
else
	for name in 日本語の名前とても長い 🚀🚀🚀rocket WWWWWWWWWWWWWWWWWWWWWWWW; do cp "$(command -v sleep)" "$name"; done
	"$PPTRACE" run -q -o wide.db bash -c './日本語の名前とても長い 0.1 & ./🚀🚀🚀rocket 0.1 & ./WWWWWWWWWWWWWWWWWWWWWWWW 0.1; wait
		exec ./日本語の名前とても長い 0.1 "とても長い引数とても長い引数とても長い引数とても長い引数" 2>/dev/null' 2>/dev/null
	pictures wide
	for name in long hostile many pool names; do
		fixture $name
		pictures $name
	done
	measure wide long hostile many pool names
fi
end
