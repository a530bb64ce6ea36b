#!/usr/bin/env bash
# run.sh - run test programs that print TAP and count what they say.
# SPDX-License-Identifier: MIT
#
# usage: tests/run.sh [-j N] FILE...     a .sh file is run by bash, any other directly
# A file that fails is run a second time alone. Shows what failed or was
# skipped, with its comments; the last line is "N passed, N failed, N skipped".
# TEST=word runs the files whose name, and the unit tests whose name, has the word.

set -u
cd "$(dirname "$0")/.." || exit 1
jobs=2
if [ "${1:-}" = -j ]; then
	jobs=$2
	shift 2
fi
logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT

run_one()
{
	local file=$1 log start rc
	log=$2/${file//\//_}.tap
	start=$(date +%s%N)
	case $file in
	*.sh) timeout -k 10 "${FILE_LIMIT:-600}" bash "$file" >"$log" 2>&1 </dev/null ;;
	*) timeout -k 10 "${FILE_LIMIT:-600}" "$file" ${TEST:+"$TEST"} >"$log" 2>&1 </dev/null ;;
	esac
	rc=$?
	# A file that ended early, or without its plan, has failed whatever its lines say.
	if [ "$rc" -ge 124 ] || ! grep -q '^1\.\.' "$log"; then
		echo "not ok 0 - $file ended with status $rc before its end" >>"$log"
	elif [ "$rc" != 0 ] && ! grep -q '^not ok' "$log"; then
		echo "not ok 0 - $file ended with status $rc" >>"$log"
	fi
	printf '%-40s %3d ok %2d failed %2d skipped %5d ms\n' "$file" \
		"$(grep -c '^ok' "$log")" "$(grep -c '^not ok' "$log")" "$(grep -c '^ok.*# SKIP' "$log")" \
		$((($(date +%s%N) - start) / 1000000))
	awk '/^not ok|^ok.*# SKIP/ { printf "%s", held; print; held = ""; next }
	     /^ok|^1\.\./ { held = ""; next } { held = held $0 "\n" }' "$log"
}
export -f run_one

files=()
for file; do
	case $file in
	*.sh) [[ -z ${TEST:-} || $file == *"$TEST"* ]] && files+=("$file") ;;
	*) files+=("$file") ;;
	esac
done
[ ${#files[@]} = 0 ] || printf '%s\0' "${files[@]}" |
	xargs -0 -P "$jobs" -I{} bash -c 'run_one "$@"' run_one {} "$logs"

# These machines are shared and noisy, and some tests watch the clock: a file
# that failed beside another one is run once more alone, and what it says then counts.
if [ "$jobs" != 1 ]; then
	for file in "${files[@]}"; do
		log=$logs/${file//\//_}.tap
		grep -q '^not ok' "$log" 2>/dev/null || continue
		echo "once more, alone: $file"
		run_one "$file" "$logs"
	done
fi

ok=$(cat "$logs"/*.tap 2>/dev/null | grep -c '^ok')
skipped=$(cat "$logs"/*.tap 2>/dev/null | grep -c '^ok.*# SKIP')
failed=$(cat "$logs"/*.tap 2>/dev/null | grep -c '^not ok')
echo "$((ok - skipped)) passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ] && [ "$ok" != 0 ]
