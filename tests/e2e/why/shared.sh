#!/bin/bash
# shared.sh - pptrace why for objects that have a name, whose owner is gone, or that the kernel refuses.
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/../../lib.sh"
. "$ROOT/tests/lib_why.sh"

# look MODE THREADS [NAME]: starts a program, waits until its threads wait, and asks why.
look()
{
	start "$PROGRAMS/stuck_shared" "$1" "${3:-}"
	wait_for 10 waiting "$2" && run "$PPTRACE" why "$pid"
}

# is_at_rest: true when pptrace why is sure of a deadlock.
is_at_rest()
{
	"$PPTRACE" why "$pid" >/dev/null 2>&1
	[ $? = 1 ]
}

begin "a thread whose request for a PI mutex the kernel refused waits for that mutex"
stuck_in pi 3
expect_status 1
expect_out 'cycle of 2, certain'
expect_out 'waits for the mutex second at stuck.c:[0-9]+ \(first_then_second\)'
expect_out 'waits for the mutex first at stuck.c:[0-9]+ \(second_then_first\)'
stop
end

begin "a shared mutex whose owner has ended is never released"
look dead-owner 1
expect_status 1
expect_out 'abandoned, certain'
expect_out 'was acquired by .* which ended without releasing it'
if grep -q zombie "$TMP/out"; then fail "the owner is no zombie" "$(cat "$TMP/out")"; fi
stop
end

begin "an owner has ended though its ID is still there: a zombie, a main thread"
start "$PROGRAMS/heldout" zombie-owner
wait_for 10 waiting 1 && run "$PPTRACE" why "$pid"
expect_status 1
expect_out 'abandoned, certain'
expect_out 'was acquired by heldout.[0-9]+., which ended without releasing it'
stop
look main-owner 1
expect_status 1
expect_out 'abandoned, certain'
expect_out 'was acquired by main thread of stuck_shared.[0-9]+., which ended without releasing it'
stop
end

begin "a lock that another thread held at the fork is recognised when only the child is asked about"
look copied-lock 3
run "$PPTRACE" why "$(pgrep -P "$pid")"
expect_status 1
expect_out 'abandoned, certain'
expect_out 'held at the fork: nobody in this process can release it'
stop
end

begin "a process that does not map the memory is not the owner of a mutex in it, whatever its number"
look other-owner 2
expect_status 0
expect_out '^No deadlock was found\.'
if grep -q 'held by' "$TMP/out"; then fail "nobody known holds it" "$(cat "$TMP/out")"; fi
stop
end

begin "what has a name can still be opened by somebody else"
look named-sem 1 "/pptrace-test-$$"
expect_status 0
expect_out '^warning: stuck'
expect_out "waits for the semaphore /pptrace-test-$$ at stuck_shared.c"
expect_out 'unless somebody outside the trace posts the semaphore /pptrace-test-'
stop
rm -f "/dev/shm/sem.pptrace-test-$$"
look named-cond 1 "$TMP/memory"
expect_status 0
expect_out '^warning: stuck'
expect_out 'unless somebody outside the trace uses the memory of the condition variable'
stop
end

begin "what has no name any more can be opened by nobody else"
look unlinked-sem 1 "/pptrace-test-$$"
expect_status 1
expect_out 'abandoned, certain'
stop
look unnamed-cond 1
expect_status 1
expect_out 'abandoned, certain'
stop
end

begin "a process that has the file of the memory open can still reach what is in it"
look maps-later 2 memory
expect_status 0
expect_out '^No deadlock was found\.'
expect_out 'sleeps'
stop
end

begin "a futex of the program's own is not taken for an object of the C library"
look own-futex 1
expect_status 1
expect_out 'waits for the futex words'
if grep -q rwlock "$TMP/out"; then fail "it is no rwlock" "$(cat "$TMP/out")"; fi
stop
end

begin "a reader that reads again behind a writer that has priority"
look rwlock 2
expect_status 1
expect_out 'waits for the read lock of the rwlock table[.0-9]* at stuck_shared.c'
expect_out 'waits for the write lock of the rwlock table'
stop
end

begin "a thread at a breakpoint is at its own line"
if gdb --version >/dev/null 2>&1; then
	run timeout 30 gdb -batch -ex 'break mode_named_cond' -ex 'run named-cond m' \
		-ex "shell '$PPTRACE' why \$(pgrep -x stuck_shared)" "$PROGRAMS/stuck_shared"
	expect_out 'is stopped'
	expect_out 'at stuck_shared.c:[0-9]+ \(mode_named_cond\)'
else
	skip "no gdb"
fi
end

begin "a C library without its table of symbols: the program's own calls say which function it is in"
if [ "$(id -u)" = 0 ] && [ -d /usr/lib/debug ] && unshare -m true 2>/dev/null; then
	for mode in once abba semaphores barrier; do
		start "$PROGRAMS/stuck" "$mode"
		wait_for 10 is_at_rest
		run unshare -m sh -c 'mount -t tmpfs none /usr/lib/debug && exec "$@"' - "$PPTRACE" why "$pid"
		expect_status 1
		case $mode in
		once) expect_out 'waits for the initialiser that .* runs' ;;
		abba) expect_out 'waits for the mutex second at stuck.c:[0-9]+ \(first_then_second\)' ;;
		semaphores) expect_out 'waits for the semaphore sem_' ;;
		barrier) expect_out 'waits at the barrier meet' ;;
		esac
		stop
	done
else
	skip "needs root, a mount namespace and a library with such a table"
fi
end
