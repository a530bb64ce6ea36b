#!/bin/bash
# holders.sh - pptrace why names who has what is waited for, as far as that can be known, and nobody else.
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/../../lib.sh"
. "$ROOT/tests/lib_why.sh"

begin "a file lock of a process with threads: the process, for which of them took it is not known"
start "$BUILD/tests/corpus/flock_threads"
wait_for 10 waiting 3
run "$PPTRACE" why "$pid"
expect_out 'which is held by flock_threads\[[0-9]+\]$'
expect_out '^ +held by flock_threads\[[0-9]+\]$'
stop
end

# gone PID: true when why says of it that it opens a FIFO which is not there any more.
gone()
{
	"$PPTRACE" why "$1" 2>/dev/null | grep -q 'which is not there any more'
}

begin "who opens a FIFO that is gone: others that open one which is gone, too, have nothing to do with it"
start bash "$ROOT/tests/corpus/fifos/fifo_open_unnamed.sh"
other=$pid
start bash "$ROOT/tests/corpus/fifos/fifo_open_unnamed.sh"
wait_for 10 gone "$other"
wait_for 10 gone "$pid"
run "$PPTRACE" why "$pid"
expect_out '^warning: stuck: '
[ "$(grep -c 'which is not there any more, for' "$TMP/out")" = 1 ] || fail "others are named, too" "$(cat "$TMP/out")"
stop
pid=$other
stop
end
