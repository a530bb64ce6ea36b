#!/bin/bash
# attach.sh - pptrace attach: record processes that run already.
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/../../lib.sh"
. "$ROOT/tests/lib_why.sh"

DB=$TMP/at.db

# attach [OPTIONS]: begins to record $pid in the background; sets tracer.
attach()
{
	rm -f "$DB"
	# Without timeout(1), which would take the signals that are meant for pptrace.
	"$PPTRACE" attach --duration 20 -p "$pid" -o "$DB" "$@" >"$TMP/out" 2>"$TMP/err" </dev/null &
	tracer=$!
	wait_for 10 recording
}

# recording: the state that attach found has been committed.
recording()
{
	[ "$(sql "$DB" 'SELECT count(*) > 0 FROM process')" = 1 ]
}

attached_end()
{
	wait_end "$tracer"
	status=$?
}

as_user=()
[ "$(id -u)" != 0 ] || as_user=("${nobody[@]}")
mkdir -m 777 "$TMP/user"

# sampled PROGRAM...: an ordinary user attaches to a program of his own, for 2.5 s.
sampled()
{
	"${as_user[@]}" "$@" >/dev/null 2>&1 &
	pid=$!
	# setpriv becomes the program.
	wait_for 10 grep -qF "$(basename "$1")" "/proc/$pid/comm"
	rm -f user/u.db
	run "${as_user[@]}" "$PPTRACE" attach -p "$pid" -o user/u.db --duration 2.5
}

begin "without eBPF one's own processes are sampled: a deadlock is found, the resolution is reported"
sampled "$PROGRAMS/stuck" abba
expect_status 0
expect_err 'eBPF cannot be used .*: the processes are looked at every 50 ms instead'
expect_sql user/u.db "SELECT backend, attached, complete, lost, blind_spots LIKE '%sampled every 50 ms%' FROM trace" 'snapshots|1|1|0|1'
expect_sql user/u.db "SELECT rule, certainty FROM finding WHERE severity <> 'info'" 'deadlock|certain'
kill -0 "$pid" || fail "the program is gone"
kill -9 "$pid"
end

begin "without eBPF children that come and go, waits and their ends are recorded, and nobody is accused"
sampled "$PROGRAMS/comes_and_goes"
expect_status 0
expect_sql user/u.db "SELECT count(*) >= 3, sum(end_ns > 0) >= 2, sum(reaped_ns > 0) >= 2 FROM process WHERE parent_id" '1|1|1'
expect_sql user/u.db "SELECT count(*) > 10, count(DISTINCT thread_id) >= 4 FROM wait WHERE reason = 'lock' AND end_ns" '1|1'
expect_sql user/u.db "SELECT rule FROM finding WHERE severity <> 'info'" ''
kill -9 "$pid"
end

begin "without eBPF nothing is said of the time in which pptrace did not look"
"${as_user[@]}" python3 -c 'import os, time
while True:
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    time.sleep(0.2)
    os.waitpid(pid, 0)' >/dev/null 2>&1 &
pid=$!
wait_for 10 grep -qF python3 "/proc/$pid/comm"
rm -f user/u.db
background "${as_user[@]}" "$PPTRACE" attach -p "$pid" -o user/u.db --duration 4
tracer=$!
wait_for 10 grep -q 'are looked at every 50 ms' err
nap 0.5
kill -STOP "$tracer"
nap 1.6
kill -CONT "$tracer"
wait_end "$tracer"
expect_sql user/u.db "SELECT sum(reaped_ns >= end_ns) >= 2, sum(reaped_ns > end_ns) >= 1 FROM process WHERE parent_id" '1|1'
expect_sql user/u.db "SELECT summary FROM finding WHERE severity <> 'info'" ''
kill -9 "$pid"
end

if [ "$(id -u)" != 0 ]; then
	begin "attach"
	skip "needs eBPF, that is root"
	end
	exit
fi

begin "a deadlock that was there before is found, the processes go on"
start "$PROGRAMS/stuck" abba
wait_for 10 waiting 3
run "$PPTRACE" attach -p "$pid" -o "$DB" --duration 1.8
expect_status 0
expect_err 'deadlock: thread .* wait for each other'
expect_err 'mutex second .*stuck.c:[0-9]+ \(first_then_second\)'
expect_sql "$DB" "SELECT attached, complete FROM trace" "1|1"
expect_sql "$DB" "SELECT rule FROM finding WHERE certainty = 'certain'" deadlock
kill -0 "$pid" || fail "the program is gone"
stop
end

begin "what a program does after that is recorded, to its end"
mkfifo "$TMP/go"
start bash -c 'exec 3<>"$0"; read line <&3; /bin/true; /bin/false; echo one | cat >/dev/null; exit 7' \
	"$TMP/go"
wait_for 10 waiting 1
attach
echo go >"$TMP/go"
attached_end
expect_status 0
expect_sql "$DB" "SELECT exit_code FROM process WHERE pid = $pid" 7
expect_sql "$DB" "SELECT count(*) FROM exec WHERE errno IS NULL AND path LIKE '%/true'" 1
expect_sql "$DB" "SELECT p.exit_code FROM process p JOIN exec e ON e.process_id = p.id
	WHERE e.path LIKE '%/false' AND e.errno IS NULL" 1
expect_sql "$DB" "SELECT sum(bytes) FROM pipe_io i JOIN pipe p ON p.id = i.pipe_id
	WHERE p.kind = 'pipe' AND i.op = 'write' AND p.created_ns IS NOT NULL" 4
expect_sql "$DB" "SELECT count(*) FROM pipe WHERE kind = 'fifo' AND created_ns IS NULL" 1
expect_sql "$DB" "SELECT count(*) FROM wait w JOIN thread t ON t.id = w.thread_id
	WHERE t.tid = $pid AND w.reason = 'pipe-read' AND w.start_ns < 1000000000
	AND w.end_ns IS NOT NULL AND w.pipe_id = 1" 1
wait_end "$pid"
end

begin "threads that were there before are followed"
cat >"$TMP/threads.py" <<'PY'
import os, sys, threading
go = os.open(sys.argv[1], os.O_RDWR)
r, w = os.pipe()
def run():
    line = os.read(go, 1)
    os.write(w, b"from a thread")
t = threading.Thread(target=run)
t.start()
t.join()
os.read(r, 100)
PY
start python3 "$TMP/threads.py" "$TMP/go"
wait_for 10 waiting 2
attach
echo go >"$TMP/go"
attached_end
expect_status 0
expect_sql "$DB" "SELECT i.bytes, t.is_main FROM pipe_io i JOIN thread t ON t.id = i.thread_id
	WHERE i.data = CAST('from a thread' AS BLOB) ORDER BY i.start_ns" "13|0
13|1"
wait_end "$pid"
end

begin "Ctrl-C detaches: the file is complete and the program goes on"
start "$PROGRAMS/stuck" pool
wait_for 10 waiting 5
attach
kill -INT "$tracer"
attached_end
expect_status 0
expect_sql "$DB" "SELECT complete FROM trace" 1
expect_sql "$DB" "SELECT count(*) FROM thread" 5
expect_sql "$DB" "SELECT count(*) FROM finding WHERE severity = 'error'" 0
kill -0 "$pid" || fail "the program is gone"
stop
end

begin "a child that was there before is followed too"
start "$PROGRAMS/stuck" pipes
wait_for 10 waiting 2
run "$PPTRACE" attach -p "$pid" -o "$DB" --duration 1.8
expect_status 0
expect_sql "$DB" "SELECT count(*) FROM process" 2
expect_sql "$DB" "SELECT rule, count(*) FROM finding WHERE certainty = 'certain' GROUP BY rule" \
	"deadlock|1
unflushed-output|2"
expect_sql "$DB" "SELECT DISTINCT pending FROM stdio WHERE at = 'stuck'" 23
stop
end

begin "errors: a process that has ended, a kernel thread, not a number, unwritable output"
run "$PPTRACE" attach -p 4194303 -o "$DB"
expect_status 125
expect_err 'there is no process 4194303'
run "$PPTRACE" attach -p x
expect_status 2
run "$PPTRACE" attach
expect_status 2
start "$PROGRAMS/stuck" sleep
run "$PPTRACE" attach -p "$pid" -o /proc/none/x.db
expect_status 125
run "${nobody[@]}" "$PPTRACE" attach -p "$pid" -o "$TMP/u.db"
expect_status 125
kill -0 "$pid" || fail "the program is gone"
stop
end
