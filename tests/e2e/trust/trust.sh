#!/usr/bin/env bash
# trust.sh - a traced program that lies in its rings: pptrace acts on nobody but the traced.
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/../../lib.sh"

if [ "$(id -u)" != 0 ]; then
	begin "records that a program forges do not reach foreign processes"
	skip "needs root, whose pptrace could harm others"
	end
	exit
fi

state() { sed 's/.*) //' "/proc/$1/stat" | cut -c1; }

# lies HOW ACTION: the forged victim, which is no part of the recording, is neither ended nor stopped by ACTION.
lies()
{
	local victim recorder n stopped=0
	sleep 1000 &
	victim=$!
	if [ "$2" = kill ]; then
		LIMIT=20 run "$PPTRACE" run --backend="$backend" --on-deadlock=kill -o lies.db "$PROGRAMS/forge" "$1" "$victim" 65534
		expect_status 124
		expect_out '^forged$'
	else
		background "$PPTRACE" run --backend="$backend" --on-deadlock=stop -o lies.db "$PROGRAMS/forge" "$1" "$victim" 65534
		recorder=$!
		wait_for 20 grep -q 'stopped all processes' "$TMP/err"
		# The command is stopped, and nobody else: neither the victim nor pptrace's own process that outlives it.
		for n in $(cat "/proc/$recorder/task/$recorder/children"); do
			if [ "$(cat "/proc/$n/comm")" = arena-sweeper ]; then
				expect_eq "$(state "$n")" S "state of the sweeper"
				continue
			fi
			expect_eq "$(state "$n")" T "state of the command"
			kill -KILL "$n"
			stopped=$((stopped + 1))
		done
		expect_eq "$stopped" 1 "commands that were stopped"
		wait_end "$recorder"
	fi
	expect_err '^error: deadlock'
	[ -d "/proc/$victim" ] && expect_eq "$(state "$victim")" S "$1 $2: state of the victim"
	[ -d "/proc/$victim" ] || fail "$1 $2: the victim was ended"
	kill -KILL "$victim"
	wait_end "$victim" 2>/dev/null
	expect_sql lies.db "SELECT complete FROM trace" 1
	expect_sql lies.db "SELECT lost >= 0 FROM trace" 1
}

tests()
{
backend=$1

begin "$backend: --on-deadlock=kill kills no process that only a forged record names"
for how in fork task ring; do lies $how kill; done
end

begin "$backend: a program that forges births, ends and losses keeps its status; pptrace does not wait for the processes it names"
sleep 1000 &
victim=$!
for how in end lost; do
	LIMIT=20 run "$PPTRACE" run --backend="$backend" --on-deadlock=kill -o ends.db "$PROGRAMS/forge" $how $victim 65534
	expect_status 0
	expect_out '^forged$'
	expect_no_err 'runtime error'
	expect_sql ends.db "SELECT complete, lost >= 0, typeof(lost) FROM trace" "1|1|integer"
	[ -d /proc/$victim ] || fail "$how: the victim was ended"
done
kill -KILL $victim
end

begin "$backend: --on-deadlock=stop stops no process that only a forged record names"
for how in fork task ring; do lies $how stop; done
end

begin "$backend: --on-deadlock=kill ends the whole tree: orphans, other users' processes, a PID namespace"
# A length that no other process uses, so that these sleepers can be recognised.
length=$((1000000 + $$ % 100000))${#backend}
cat >family.sh <<-SCRIPT
	(setsid sleep $length >/dev/null 2>&1 &)
	(setpriv --reuid=65534 --regid=65534 --clear-groups sleep $length >/dev/null 2>&1 &)
	unshare --pid --fork sh -c 'sleep $length; true' >/dev/null 2>&1 &
	exec "$DEMOS/deadlock-abba"
SCRIPT
LIMIT=20 run "$PPTRACE" run --backend="$backend" --on-deadlock=kill -o family.db sh family.sh
expect_status 124
# Who is killed needs a processor to die.
for _ in 1 2 3 4 5 6 7 8 9 10; do
	sleepers=$(pgrep -f "^sleep $length" | tr '\n' ' ')
	[ -n "$sleepers" ] || break
	sleep 0.2
done
expect_eq "$sleepers" "" "processes that were left"
for pid in $sleepers; do kill -KILL "$pid"; done
end
}

side_by_side tests auto shim
