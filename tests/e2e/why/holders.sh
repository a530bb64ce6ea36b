#!/bin/bash
# holders.sh - pptrace why names as holder who has a lock, as far as that can be known.
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
