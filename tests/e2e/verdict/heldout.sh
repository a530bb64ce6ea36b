#!/usr/bin/env bash
# heldout.sh - programs that were kept back while the verdict was written: what is stuck is found, what is at rest is left alone.
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/../../lib.sh"

[ -x "$PROGRAMS/heldout" ] || make -s -C "$ROOT" programs >/dev/null

# record NAME BACKEND: traces a case in a folder of its own; what is stuck for certain is killed by pptrace.
record()
{
	mkdir -p "$TMP/$2.$1"
	cd "$TMP/$2.$1" || return
	TMP=$PWD timeout -k 5 30 "$PPTRACE" run -q --backend="$2" --watch=0.3 --on-deadlock=kill \
		-o t.db "$PROGRAMS/heldout" "$1" >out 2>err </dev/null
	echo $? >status
}
export -f record
export PPTRACE PROGRAMS TMP

stuck="once-joins shell-reads-parent five-hops four-resources flock-of-waiter group-reads-parent zombie-owner
	timer-and-lock idle-timer-and-lock"
healthy="handler-posts cancelled child-computes alarm-kills-child shared-memory shared-files limited-socket
	timer-signals timer-of-thread stopped-reader"

for backend in $(backends); do
	for name in $stuck $healthy; do
		echo "$name $backend"
	done | xargs -P 4 -L 1 bash -c 'record "$@"' record
	for name in $stuck; do
		begin "$backend: $name is found"
		cd "$TMP/$backend.$name" || exit
		expect_eq "$(cat status)" 124 status
		wanted="deadlock certain"
		# The library does not see that the thread which starts the functions of timers waits: it might unlock.
		[ "$backend $name" != "shim timer-and-lock" ] || wanted="stuck conditional"
		expect_eq "$(sql t.db "SELECT DISTINCT rule || ' ' || certainty FROM finding WHERE rule IN ('deadlock', 'stuck')")" \
			"$wanted" findings
		[ -n "$test_ok" ] || head -c 1500 err
		end
	done
	for name in $healthy; do
		begin "$backend: $name is at rest, and ends as it would alone"
		cd "$TMP/$backend.$name" || exit
		expect_eq "$(cat status)" 7 status
		expect_eq "$(cat err)" "" "what run says"
		expect_eq "$(sql t.db "SELECT rule FROM finding WHERE severity = 'error' OR rule = 'stuck'")" "" findings
		end
	done

	begin "$backend: a shell that opens a FIFO is only possibly stuck"
	mkdir -p "$TMP/$backend.fifo"
	cd "$TMP/$backend.fifo" || exit
	TMP=$PWD timeout -k 5 30 "$PPTRACE" run --backend="$backend" --watch=0.3 -o t.db \
		"$PROGRAMS/heldout" shell-opens-fifo >out 2>err </dev/null &
	pid=$!
	wait_for 10 grep -q 'possibly stuck' err
	: >heldout.fifo
	wait_end $pid
	expect_eq $? 7 status
	expect_eq "$(grep -c 'error: deadlock' err)" 0 "certain verdicts"
	end

	# What flock(1) locks belongs to the shell's descriptor, and stays locked when flock has ended.
	begin "$backend: shells that lock two files in opposite orders; and that take turns"
	mkdir -p "$TMP/$backend.shells"
	cd "$TMP/$backend.shells" || exit
	cat >crossed <<-'SH'
	(exec 8>a 9>b; flock 8; : >left; until [ -e right ]; do sleep 0.01; done; flock 9) &
	(exec 8>a 9>b; flock 9; : >right; until [ -e left ]; do sleep 0.01; done; flock 8) &
	wait
	SH
	cat >turns <<-'SH'
	exec 9>a; flock 9; sleep 0.1; flock -u 9
	for i in 1 2 3; do (flock 9; sleep 0.1) 9>a & done; wait
	(flock 9; sleep 0.6 &) 9>a; flock a true
	SH
	LIMIT=30 run "$PPTRACE" run -q --backend="$backend" --watch=0.3 --on-deadlock=kill -o t.db bash crossed
	expect_status 124
	expect_eq "$(sql t.db "SELECT DISTINCT rule || ' ' || certainty FROM finding WHERE severity = 'error'")" \
		"deadlock certain" findings
	run "$PPTRACE" run -q --backend="$backend" --watch=0.2 --on-deadlock=kill -o u.db bash turns
	expect_status 0
	expect_eq "$(sql u.db "SELECT rule FROM finding WHERE severity <> 'info'")" "" findings
	end

	# The other one then sees end-of-file, and ends.
	begin "$backend: a deadlock stays found when somebody outside kills one of the two"
	mkdir -p "$TMP/$backend.one"
	cd "$TMP/$backend.one" || exit
	TMP=$PWD timeout -k 5 30 "$PPTRACE" run -q --backend="$backend" --watch=0.3 -o t.db \
		"$PROGRAMS/heldout" group-reads-parent >out 2>err </dev/null &
	pid=$!
	wait_for 10 grep -q 'error: deadlock' err
	kill "$(sql t.db 'SELECT pid FROM process WHERE parent_id IS NULL')"
	wait_end $pid
	expect_eq "$(sql t.db "SELECT rule FROM finding WHERE severity = 'error'")" deadlock findings
	end
done
