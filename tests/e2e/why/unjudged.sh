#!/bin/bash
# unjudged.sh - pptrace why where it finds nothing: it names what it could not examine, and nothing beside that.
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/../../lib.sh"
. "$ROOT/tests/lib_why.sh"

# names SEEN WORDS COMMAND...: once it says SEEN of a thread, it names WORDS as not examined.
names()
{
	local seen=$1 words=$2 tries
	shift 2
	start "$@"
	for ((tries = 0; tries < 50; tries++)); do
		kill -0 "$pid" 2>/dev/null || break
		run "$PPTRACE" why "$pid"
		! grep -qE "$seen" "$TMP/out" || break
	done
	expect_status 0
	expect_out '^No deadlock was found\.'
	expect_out "$seen"
	expect_out "^  $words: "
	stop
}

begin "a thread that spins for a lock: only its library knows what it does"
names 'spin_abba: runs$' 'whether a thread that runs spins for a lock that another one has' "$BUILD/tests/corpus/spin_abba"
end

begin "a lock that is waited for with a time-out"
names 'waits for the mutex a, .* with a timeout' \
	'whether a wait for a lock that has a time-out is begun again each time' "$BUILD/tests/corpus/timed_abba"
end

begin "who reads a FIFO"
mkfifo "$TMP/fifo"
names "waits to read from the empty FIFO $TMP/fifo" 'who will open a FIFO, or has written to it before' \
	bash -c "exec 3<>'$TMP/fifo'; read -r -u 3"
end
