#!/bin/bash
# state.sh - pptrace why for programs that are stopped, and for users who may not read everything.
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/../../lib.sh"
. "$ROOT/tests/lib_why.sh"

# halt: stops the program and waits until all its threads are.
halt()
{
	kill -STOP "$pid"
	wait_for 10 is_halted
}

is_halted()
{
	! grep -L '^State:.T' /proc/"$pid"/task/*/status | grep -q .
}

begin "a deadlock of a stopped program is found, and that it is stopped is said"
start "$PROGRAMS/stuck" abba
wait_for 10 waiting 3
halt
run "$PPTRACE" why "$pid"
expect_status 1
expect_out '^error: deadlock'
expect_out 'cycle of 2, certain'
expect_out 'waits for the mutex second at stuck.c:[0-9]+ \(first_then_second\)'
expect_out 'It is stopped now'
expect_out 'is stopped; when continued it waits for the mutex first'
run "$PPTRACE" why --json "$pid"
expect_out '"stopped":true'
stop
end

begin "a healthy program that is stopped is said to be stopped, and accused of nothing"
for mode in pool sleep sigsuspend event-loop; do
	start "$PROGRAMS/stuck" "$mode"
	wait_for 10 "$PPTRACE" why "$pid" >/dev/null 2>&1
	halt
	run "$PPTRACE" why "$pid"
	expect_status 0
	expect_out '^No deadlock was found\.'
	expect_out 'is stopped'
	stop
done
end

begin "after a stop a sleep is a sleep again"
start sleep 100
wait_for 10 waiting 1
halt
kill -CONT "$pid"
wait_for 10 grep -q '^State:.S' "/proc/$pid/status"
run "$PPTRACE" why "$pid"
expect_status 0
expect_out ': sleeps'
stop
end

begin "what pptrace run stopped because of a deadlock is explained"
"$PPTRACE" run --on-deadlock=stop -o "$TMP/s.db" "$DEMOS/deadlock-abba" >/dev/null 2>"$TMP/run" &
runner=$!
if wait_for 10 grep -q 'stopped all processes' "$TMP/run"; then
	pid=$(pgrep -P "$runner" -x deadlock-abba)
	run "$PPTRACE" why "$pid"
	expect_status 1
	expect_out 'cycle of 2, certain'
else
	fail "nothing was stopped" "$(cat "$TMP/run")"
fi
kill -KILL "$pid"
wait_end "$runner" 2>/dev/null
end

begin "a deadlocked program under gdb"
if gdb --version >/dev/null 2>&1; then
	start "$PROGRAMS/stuck" abba
	wait_for 10 waiting 3
	run timeout 30 gdb -p "$pid" -batch -ex "shell '$PPTRACE' why $pid"
	expect_out 'cycle of 2, certain'
	stop
else
	skip "no gdb"
fi
end

begin "an ordinary user is sure of a deadlock over locks"
if [ "$(id -u)" = 0 ]; then
	start "${nobody[@]}" "$DEMOS/deadlock-abba"
	AS=("${nobody[@]}")
	if wait_for 10 waiting 3; then
		run "${nobody[@]}" "$PPTRACE" why "$pid"
		expect_status 1
		expect_out '^error: deadlock'
		expect_out 'cycle of 2, certain'
		expect_out 'waits for the mutex lock_b at deadlock-abba.c:[0-9]+ \(left\)'
		expect_out 'whether an alarm was set before'
	fi
	AS=()
	stop
else
	skip "needs root to become somebody else"
fi
end

begin "a user who may not read what a program waits for learns that, and gets no verdict"
if strace -V >/dev/null 2>&1; then
	start "$PROGRAMS/stuck" self
	wait_for 10 waiting 1
	# As with kernel.yama.ptrace_scope=1: descriptors may be read, system calls not.
	run strace -o /dev/null -e trace=openat -P "/proc/$pid/task/$pid/syscall" \
		-e inject=openat:error=EPERM "$PPTRACE" why "$pid"
	expect_status 2
	expect_out '^Could not determine whether there is a deadlock'
	expect_err "^pptrace: What stuck\[$pid\] waits for cannot be read.*: even root is not permitted here"
	stop
else
	skip "no strace"
fi
end
