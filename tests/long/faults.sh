#!/usr/bin/env bash
# faults.sh - the nth allocation, write, read, open or fork of pptrace fails: the command runs as it would alone, or not at all.
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/../lib.sh"

TRIES=${TRIES:-100}
${CC:-cc} -shared -fPIC -O1 -D_GNU_SOURCE -o "$TMP/fail.so" "$ROOT/tests/long/fail_nth.c" -ldl || exit 1

# faulty CALL NTH ALWAYS COMMAND...: runs it, with that call failing in every process called pptrace.
faulty()
{
	LIMIT=60 run env FAIL_CALL="$1" FAIL_NTH="$2" ${3:+FAIL_ALWAYS=1} FAIL_COUNT="$TMP/count" LD_PRELOAD="$TMP/fail.so" "${@:4}"
}

# some TOTAL: numbers up to it: the first ones, and others by chance.
some()
{
	local i
	{ seq 1 $(($1 < TRIES / 4 ? $1 : TRIES / 4)); for ((i = 0; i < TRIES; i++)); do echo $(((RANDOM << 15 | RANDOM) % ($1 + 1) + 1)); done; } | sort -nu | head -n "$TRIES"
}

# each CALL CHECK COMMAND...: tries with the nth call failing, and with all from the nth on.
each()
{
	local call=$1 check=$2 n always
	shift 2
	faulty "$call" 0 "" "$@"
	for n in $(some "$(cat "$TMP/count")"); do
		for always in "" 1; do
			faulty "$call" "$n" "$always" "$@"
			"$check" "$call, number $n${always:+ and all that follow}"
		done
	done
}

recorded()
{
	case $status:$(cat out) in
	3:hi) ;;
	# 126: what tells the child to begin, or why it could not, is a read and a write too.
	125: | 126:) [ -s err ] || [[ $1 = read* || $1 = write* ]] || fail "$1: no word about it" ;;
	*) fail "$1: status $status" "$(show)" ;;
	esac
	[ "$(wc -l <err)" -le 1 ] || fail "$1: more than one sentence" "$(show)"
	if [ -s f.db ]; then
		expect_sql f.db "PRAGMA integrity_check" ok
	fi
	rm -f f.db*
}

# A command that only reads: done, or one sentence and its status for failure.
answered()
{
	case $status in
	0 | 1 | 2 | 125) ;;
	*) fail "$1: status $status" "$(show)" ;;
	esac
	if [ "$status" = 125 ] && [ ! -s err ]; then fail "$1: no word about it"; fi
}

CALLS="malloc mmap open read write pread64 pwrite64 fdatasync ftruncate64 fork pipe2"
for backend in ${BACKENDS:-$(backends)}; do
	begin "$backend: run, while calls of pptrace fail"
	for call in $CALLS; do
		each "$call" recorded "$PPTRACE" run -q --backend="$backend" -o f.db sh -c 'echo hi | cat; exit 3'
	done
	end

	begin "$backend: a command that takes locks all the time goes on when pptrace has no memory left"
	for i in 1 2 3 4 5; do
		faulty malloc $((36000 + i * 7001)) 1 "$PPTRACE" run -q --backend="$backend" -o f.db \
			sh -c '"$1" 2 /dev/null 300000 >/dev/null; echo hi; exit 3' sh "$PROGRAMS/lock_storm"
		recorded "without memory"
	done
	end
done

"$PPTRACE" run -q --backend=shim -o g.db "$BUILD/demos/pipes" >/dev/null 2>&1
"$BUILD/demos/deadlock-abba" >/dev/null 2>&1 &
stuck=$!
wait_for 20 sh -c "grep -c '^202 ' /proc/$stuck/task/*/syscall | grep -c ':1' | grep -qx 3"
for command in "diagnose -v g.db" "timeline -T txt -o - g.db" "tree -o t.svg g.db" "report -o r.html g.db" "export -T chrome -o c.json g.db" "why $stuck"; do
	begin "${command%% *}, while its calls fail"
	# shellcheck disable=SC2086
	run "$PPTRACE" $command
	expect_no_err '^usage:'
	for call in malloc mmap open read write pread64; do
		# Graphviz and its libraries do not ask whether they got memory (libcgraph 2.43, fontconfig).
		[[ $call:$command != malloc:tree* && $call:$command != malloc:report* ]] || continue
		# shellcheck disable=SC2086
		each "$call" answered "$PPTRACE" $command
	done
	end
done
kill -9 "$stuck"
