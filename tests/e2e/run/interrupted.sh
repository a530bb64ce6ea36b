#!/usr/bin/env bash
# interrupted.sh - a deadlock that a signal from outside ended is found, and is what the pictures show.
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/../../lib.sh"

make -s -C "$ROOT" programs >/dev/null || exit 1
python=$(python3 -c 'import sys; print(sys.executable)')

# Two locks in opposite orders; SIGINT raises KeyboardInterrupt, which leaves both.
cat >crossed.py <<'EOF'
import threading

left, right, met = threading.Lock(), threading.Lock(), threading.Barrier(2)


def take(first, second):
    with first:
        met.wait()
        with second:
            pass


threading.Thread(target=take, args=(right, left), daemon=True).start()
take(left, right)
EOF

# record BACKEND COMMAND...: records it in the background; sets pid. Commands that the shell starts in the background would ignore SIGINT.
record()
{
	local how=(--backend="$1")
	[ "$1" != ebpf ] || how+=(--locks=futex)
	shift
	"$PPTRACE" run "${how[@]}" --watch="${WATCH:-0.3}" -o t.db env --default-signal=INT,TERM "$@" >out 2>err </dev/null &
	pid=$!
}

# command_pid: the process of the command.
command_pid()
{
	sql t.db "SELECT pid FROM process WHERE parent_id IS NULL"
}

# stood REASONS N: true when so many threads have waited for one of the reasons for 0.3 s.
stood()
{
	[ "$(sql t.db "SELECT count(*) FROM wait, trace WHERE reason IN ($1) AND end_ns IS NULL
		AND (julianday('now') - 2440587.5) * 86400e9 - started_unix_ns - start_ns > 3e8")" = "$2" ]
}

until_text()
{
	sql t.db "SELECT DISTINCT rule || ' ' || certainty || ' ' || (explanation LIKE '%it lasted until $1 at %, sent from outside the trace%')
		FROM finding WHERE rule IN ('deadlock', 'stuck')"
}

# check BACKEND: all tests of one backend.
check()
{
	local backend=$1

	begin "$backend: two locks of Python, and Ctrl-C"
	record "$backend" "$python" "$TMP/../crossed.py"
	wait_for 20 grep -Eq 'possibly stuck|error: deadlock' err
	kill -INT "$(command_pid)"
	wait_end $pid
	[[ $(until_text SIGINT) =~ ^(deadlock\ certain|stuck\ conditional)\ 1$ ]] || fail "found: $(until_text SIGINT)" "$(cat err)"
	end

	begin "$backend: a handler of SIGTERM ends the program before anything was reported"
	WATCH=60 record "$backend" "$PROGRAMS/hang" abba-until-term
	wait_for 20 stood "'lock'" 2
	kill -TERM "$(command_pid)"
	wait_end $pid
	expect_no_err 'error: deadlock'
	expect_eq "$(until_text SIGTERM)" "deadlock certain 1" findings
	end

	begin "$backend: threads that no handler could free, and Ctrl-C"
	record "$backend" "$BUILD/tests/corpus/barrier_short"
	wait_for 20 grep -q 'error: deadlock' err
	kill -INT "$(command_pid)"
	wait_end $pid
	expect_eq "$(until_text SIGINT)" "deadlock certain 1" findings
	end

	begin "$backend: a condition that came true before the signal is no finding"
	rm -f gate
	mkfifo gate
	record "$backend" bash -c 'cat gate; exec sleep 100'
	wait_for 20 grep -q 'possibly stuck' err
	: >gate
	wait_for 20 stood "'sleep'" 1
	kill -TERM "$(command_pid)"
	wait_end $pid
	expect_eq "$(sql t.db "SELECT rule FROM finding WHERE rule IN ('deadlock', 'stuck')")" "" findings
	end

	begin "$backend: the waits that are shown are those before the signal"
	record "$backend" bash -c 'sleep 100 | cat'
	wait_for 20 stood "'pipe-read'" 1
	# shellcheck disable=SC2046
	kill -TERM -- $(sql t.db "SELECT pid FROM process WHERE end_ns IS NULL")
	wait_end $pid
	run "$PPTRACE" waits -T txt t.db
	expect_out 'just before SIGTERM came from outside'
	expect_out 'waits to read from the empty'
	end
}

begin "that pptrace itself ended the program is not said of somebody outside"
run "$PPTRACE" run -q -o own.db --timeout 1s sleep 100
expect_status 124
run "$PPTRACE" waits -T txt own.db
expect_out 'just before pptrace sent SIGTERM'
end

begin "what is possibly stuck is told whole with -q, which leaves out notes alone"
run "$PPTRACE" run -q -o quiet.db --timeout 10s sh -c 'mkfifo fifo; cat fifo'
expect_status 124
expect_err '^pptrace: possibly stuck: '
expect_err '^  remedy: '
end

mapfile -t all < <(backends | tr ' ' '\n')
side_by_side check "${all[@]}"

begin "a second Ctrl-C within three seconds ends the recording of a program that survives both"
"$PPTRACE" run -o t.db sh -c 'trap "" INT; echo $$ >ready; while [ ! -e stop ]; do sleep 0.05; done' >out 2>err </dev/null &
pid=$!
wait_for 20 test -s ready
kill -INT $pid
wait_for 20 grep -q 'press Ctrl-C twice to end the recording' err
kill -INT $pid
wait_for 20 sh -c "! kill -0 $pid"
kill -0 "$(cat ready)" || fail "the command did not survive"
: >stop
wait_end $pid
end
