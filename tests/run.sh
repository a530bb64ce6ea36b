#!/usr/bin/env bash
# run.sh - run test programs that print TAP and count what they say.
# SPDX-License-Identifier: MIT
#
# usage: tests/run.sh [-j N] FILE...     a .sh file is run by bash, any other directly
# A file that fails is run a second time alone; a test that passes only then is
# flaky: named at the end, so that it is fixed and not forgotten. Shows what failed
# or was skipped, with its comments; the last line is "N passed, N failed, N skipped".
# TEST=word runs the files whose path, and the unit tests whose name, has the word; run_timeout finds run/timeout.sh too.

set -u
cd "$(dirname "$0")/.." || exit 1
# What the tests record are the programs that `make deps` installs: a version manager's stand-in for an interpreter
# (pyenv, rbenv) is a shell script that starts others first.
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:$PATH
jobs=2
if [ "${1:-}" = -j ]; then
	jobs=$2
	shift 2
fi
logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT

# cpu_ms TIMES: what the children had used of processors, by the output of `times`.
cpu_ms()
{
	awk 'NR == 2 { for (i = 1; i <= 2; i++) { split($i, t, /[ms]/); sum += 60000 * t[1] + 1000 * t[2] } printf "%d", sum }' "$1"
}

run_one()
{
	local file=$1 log start rc
	log=$2/${file//\//_}.tap
	start=$(date +%s%N)
	case $file in
	*.sh) timeout -k 10 "${FILE_LIMIT:-2400}" bash "$file" >"$log" 2>&1 </dev/null ;;
	*) timeout -k 10 "${FILE_LIMIT:-2400}" "$file" ${TEST:+"$TEST"} >"$log" 2>&1 </dev/null ;;
	esac
	rc=$?
	times >"$log.times"
	# A file that ended early, or without its plan, has failed whatever its lines say.
	if [ "$rc" -ge 124 ] || ! grep -q '^1\.\.' "$log"; then
		echo "not ok 0 - $file ended with status $rc before its end" >>"$log"
	elif [ "$rc" != 0 ] && ! grep -q '^not ok' "$log"; then
		echo "not ok 0 - $file ended with status $rc" >>"$log"
	fi
	# Time, and that of processors: the latter says what a file costs on a busy machine too.
	printf '%-40s %3d ok %2d failed %2d skipped %5d ms %5d ms cpu\n' "$file" \
		"$(grep -c '^ok' "$log")" "$(grep -c '^not ok' "$log")" "$(grep -c '^ok.*# SKIP' "$log")" \
		$((($(date +%s%N) - start) / 1000000)) "$(cpu_ms "$log.times")"
	awk '/^not ok|^ok.*# SKIP/ { printf "%s", held; print; held = ""; next }
	     /^ok|^1\.\./ { held = ""; next } { held = held $0 "\n" }' "$log"
}
export -f run_one cpu_ms

files=()
for file; do
	case $file in
	*.sh) [[ -z ${TEST:-} || $file == *"$TEST"* || ${file//\//_} == *"$TEST"* ]] && files+=("$file") ;;
	*) files+=("$file") ;;
	esac
done
[ ${#files[@]} = 0 ] || printf '%s\0' "${files[@]}" |
	xargs -0 -P "$jobs" -I{} bash -c 'run_one "$@"' run_one {} "$logs"

# Some tests watch the clock, and machines are shared: a file that failed beside
# another one is run once more alone, and what it says then counts.
if [ "$jobs" != 1 ]; then
	for file in "${files[@]}"; do
		log=$logs/${file//\//_}.tap
		grep -q '^not ok' "$log" 2>/dev/null || continue
		echo "once more, alone: $file"
		sed -n 's/^not ok [0-9]* - //p' "$log" >"$logs/failed"
		bash -c 'run_one "$@"' run_one "$file" "$logs" # a shell of its own: times
		while IFS= read -r name; do
			grep '^not ok' "$log" | grep -qF -- " - $name" ||
				printf '%s: %s\n' "$file" "$name" >>"$logs/flaky"
		done <"$logs/failed"
	done
fi
# Files that run what failed once more themselves say so.
sed -n 's/^# flaky: //p' "$logs"/*.tap >>"$logs/flaky" 2>/dev/null
[ ! -s "$logs/flaky" ] || sed 's/^/flaky: /' "$logs/flaky"

ok=$(cat "$logs"/*.tap 2>/dev/null | grep -c '^ok')
skipped=$(cat "$logs"/*.tap 2>/dev/null | grep -c '^ok.*# SKIP')
failed=$(cat "$logs"/*.tap 2>/dev/null | grep -c '^not ok')
echo "$((ok - skipped)) passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ] && [ "$ok" != 0 ]
