#!/bin/bash
# why.sh - pptrace why: running processes, never traced before, that are stuck or only look so.
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/../../lib.sh"
. "$ROOT/tests/lib_why.sh"

# is_deadlock MODE THREADS PATTERN... -- [FILE...]
is_deadlock()
{
	local patterns=()

	begin "why: $1 is a deadlock"
	local mode=$1 threads=$2
	shift 2
	while [ $# -gt 0 ] && [ "$1" != -- ]; do
		patterns+=("$1")
		shift
	done
	shift
	if stuck_in "$mode" "$threads" "$@"; then
		expect_status 1
		expect_out '^error: deadlock'
		for pattern in "${patterns[@]}"; do expect_out "$pattern"; done
	fi
	stop
	end
}

# is_healthy MODE THREADS PATTERN [FILE...]
is_healthy()
{
	begin "why: $1 is not a deadlock"
	local mode=$1 threads=$2 pattern=$3
	shift 3
	if stuck_in "$mode" "$threads" "$@"; then
		expect_status 0
		expect_out '^No deadlock was found\.'
		expect_out "$pattern"
	fi
	stop
	end
}

is_deadlock abba 3 'waits for the mutex second at stuck.c:[0-9]+ \(first_then_second\)' \
	'waits for the mutex first at stuck.c:[0-9]+ \(second_then_first\)' 'which is held by' --
is_deadlock self 1 'self, certain' 'mutex first at stuck.c:[0-9]+ \(mode_self\)' --
is_deadlock rwlock 3 'cycle of 2' --
is_deadlock pshared 2 'cycle of 2' 'held by stuck' --
is_deadlock pipes 2 'waits to read from the empty pipe' 'mode_pipes' \
	'unflushed-output: stuck.* has 23 unflushed bytes for stdout' 'a line that stays here' --
is_deadlock socketpair 2 'waits to read from the empty socketpair' --
is_deadlock wait-before-read 2 'waits to write to the full pipe' 'waits for any of its children \(.*\) to exit' --
is_deadlock own-end 1 'self, certain' 'waits to read from the empty pipe' --
is_deadlock flock 2 'waits for the (lock|flock|OFD lock) on' 'which is held by' -- "$TMP/a" "$TMP/b"
is_deadlock ofd 2 'waits for the (lock|flock|OFD lock) on' 'which is held by' '(lock_whole|mode_ofd)' -- "$TMP/c" "$TMP/d"
is_deadlock barrier 2 'waits at the barrier meet' 'every thread that could still arrive is blocked' --
mkfifo "$TMP/f" "$TMP/g" "$TMP/h"
is_deadlock once 1 'initialiser' --
is_deadlock semaphores 3 'waits for the semaphore sem_' --
is_deadlock main-gone 3 'cycle of 2' --

is_healthy pool 5 'waits for the condition variable changed.*3 more threads in the same wait'
is_healthy sleep 1 'sleeps'
is_healthy timed 1 'with a timeout'
is_healthy sigsuspend 2 'waits for a signal'
is_healthy event-loop 1 'descriptor [0-9]+: socketpair'

begin "two processes that open FIFOs in opposite orders are stuck, unless somebody comes from outside"
stuck_in fifos 2 "$TMP/f" "$TMP/g"
expect_status 0
expect_out '^warning: stuck'
expect_out 'waits for somebody to open the other side'
expect_out "unless somebody outside .* opens FIFO $TMP/[fg] or FIFO $TMP/[fg]"
stop
end

begin "looking at a process that waits for a FIFO, or recording it, does not end its wait"
start "$PROGRAMS/stuck" fifos "$TMP/f" "$TMP/g"
wait_for 10 waiting 2
before=$(cat "/proc/$pid/syscall")
run "$PPTRACE" why "$pid"
expect_out '^warning: stuck'
expect_eq "$(cat "/proc/$pid/syscall")" "$before" "the call that it waits in"
stop
run timeout 30 "$PPTRACE" run -q -o "$TMP/fifos.db" --timeout=3 "$PROGRAMS/stuck" fifos "$TMP/f" "$TMP/g"
expect_status 124
expect_sql "$TMP/fifos.db" "SELECT count(DISTINCT pipe_id) FROM wait WHERE reason = 'fifo-open'" 2
end

begin "a process that waits for something else has nothing to do with it"
mkdir "$TMP/elsewhere"
mkfifo "$TMP/elsewhere/i" "$TMP/elsewhere/j"
(exec setsid "$PROGRAMS/stuck" fifos "$TMP/elsewhere/i" "$TMP/elsewhere/j") >/dev/null 2>&1 </dev/null &
other=$!
is_elsewhere()
{
	"$PPTRACE" why "$other" 2>/dev/null | grep -q "FIFO $TMP/elsewhere/i"
}
wait_for 10 is_elsewhere
# Not the same parent: children of one shell may open FIFOs for each other.
bash -c 'echo $$; "$@" & wait' - "$PROGRAMS/stuck" spawn "$TMP/h" >"$TMP/pid" 2>/dev/null </dev/null &
wait_for 10 test -s "$TMP/pid"
pid=$(cat "$TMP/pid")
wait_for 10 waiting 3
run "$PPTRACE" why "$pid"
expect_out "FIFO $TMP/h"
if grep -q elsewhere "$TMP/out"; then fail "a stranger is shown" "$(cat "$TMP/out")"; fi
pkill -KILL -P "$(pgrep -P "$pid")"
stop
pkill -KILL -P "$other"
kill -KILL "$other"
wait_end "$other" 2>/dev/null
end

begin "posix_spawn that waits for a FIFO is stuck on a condition"
stuck_in spawn 2 "$TMP/h"
expect_status 0
expect_out '^warning: stuck'
expect_out 'waits until its child execs or ends: stuck.* at stuck.c:[0-9]+ \(mode_spawn\)'
expect_out "unless somebody outside .* opens FIFO $TMP/h"
stop
end

begin "a timer ends what its signal, or its thread, can end, if it is armed"
start "$PROGRAMS/heldout" timer-and-lock
wait_for 10 waiting 2 && run "$PPTRACE" why "$pid"
expect_status 1
expect_out 'self, certain'
stop
start "$PROGRAMS/heldout" idle-timer-and-lock
wait_for 10 waiting 1 && run "$PPTRACE" why "$pid"
expect_status 0
expect_out 'self, conditional'
expect_out '^  It is not certain: one of the processes has a POSIX timer that could end the wait if it is armed, and the kernel does not show whether it is\.$'
stop
start "$PROGRAMS/heldout" timer-signals
wait_for 10 waiting 2 && run "$PPTRACE" why "$pid"
expect_status 0
expect_out '^No deadlock was found\.'
stop
end

# told PATTERN: true when pptrace why says so.
told()
{
	"$PPTRACE" why "$pid" 2>/dev/null | grep -Eq "$1"
}

begin "which pipe a stopped process was reading is said, and nothing is reported about it"
start "$PROGRAMS/heldout" stopped-reader
wait_for 10 told 'is stopped while it reads from pipe [0-9]+ .*, for'
run "$PPTRACE" why "$pid"
expect_status 0
stop
end

begin "a shell that waits for its children: which ones, and that one of them is why itself"
cat >asks.sh <<'SH'
sleep 100 &
"$PPTRACE" why $$
kill $!
SH
LIMIT=20 run env PPTRACE="$PPTRACE" bash asks.sh
expect_out 'waits for any of its children: sleep\[[0-9]+\], pptrace\[[0-9]+\], which prints this, for'
end

begin "an alarm that will end the program is known to root"
if [ "$(id -u)" = 0 ]; then
	stuck_in abba-alarm 3 && expect_status 0
	stop
else
	skip "needs root"
fi
end

begin "pptrace itself may be the process that does not read"
(echo "$BASHPID" >"$TMP/pid"; exec yes) | (
	wait_for 10 test -s "$TMP/pid"
	pid=$(cat "$TMP/pid")
	wait_for 10 waiting 1
	exec "$PPTRACE" why "$pid"
) >"$TMP/out" 2>"$TMP/err"
expect_out '^No deadlock was found\.'
expect_out 'waits to write to the full pipe'
end

begin "processes in a PID namespace of their own"
if [ "$(id -u)" = 0 ] && unshare -fp --kill-child true 2>/dev/null; then
	unshare -fp --kill-child "$PROGRAMS/stuck" pshared >/dev/null 2>&1 </dev/null &
	outer=$!
	wait_for 10 pgrep -P "$outer"
	pid=$(pgrep -P "$outer")
	wait_for 10 waiting 2
	run "$PPTRACE" why "$pid"
	expect_status 1
	expect_out 'cycle of 2'
	stop
	wait_end "$outer" 2>/dev/null
else
	skip "no PID namespaces here"
fi
end

begin "the holder of the other end is found from the child alone"
start "$PROGRAMS/stuck" pipes
wait_for 10 waiting 2
child=$(pgrep -P "$pid")
run "$PPTRACE" why "$child"
expect_status 1
expect_out "stuck\[$pid\]"
stop
end

begin "a static program is understood too"
if gcc -static -D_GNU_SOURCE -I"$ROOT" -O1 -g -o "$TMP/stuck-static" "$ROOT/tests/programs/stuck.c" 2>/dev/null; then
	start "$TMP/stuck-static" abba
	wait_for 10 waiting 3
	run "$PPTRACE" why "$pid"
	expect_status 1
	expect_out 'waits for the mutex second at stuck.c:[0-9]+ \(first_then_second\)'
	stop
else
	skip "no static C library"
fi
end

begin "a program whose file was deleted keeps its names"
cp "$PROGRAMS/stuck" "$TMP/gone"
start "$TMP/gone" self
wait_for 10 waiting 1
rm "$TMP/gone"
run "$PPTRACE" why "$pid"
expect_status 1
expect_out 'mutex first at stuck.c:[0-9]+ \(mode_self\)'
stop
end

begin "JSON says the same"
start "$PROGRAMS/stuck" abba
wait_for 10 waiting 3
run "$PPTRACE" why --json "$pid"
expect_status 1
python3 - "$TMP/out" <<'PY' || fail "the JSON is wrong" "$(head -c 2000 "$TMP/out")"
import json, sys
d = json.load(open(sys.argv[1]))
assert d["findings"][0]["rule"] == "deadlock", d
assert d["findings"][0]["certainty"] == "certain", d
assert all(m["thread_id"] and m["text"] for m in d["findings"][0]["members"]), d
assert isinstance(d["processes"][0]["command"], list) and isinstance(d["blind_spots"], list), d
threads = d["processes"][0]["threads"]
assert sorted(t["reason"] for t in threads) == ["join", "lock", "lock"], threads
assert any(t.get("site", {}).get("function") == "second_then_first" for t in threads), threads
PY
stop
end

begin "hostile names harm neither terminal nor JSON"
start bash -c 'exec -a "$0" "$@"' $'x\n"><script>\e[31m\xff' "$PROGRAMS/stuck" self
wait_for 10 waiting 1
run "$PPTRACE" why "$pid"
expect_out '^error: deadlock'
if grep -q $'\e' "$TMP/out"; then fail "an escape sequence got through"; fi
run "$PPTRACE" why --json "$pid"
python3 -c 'import json, sys; json.load(open(sys.argv[1], encoding="utf-8"))' "$TMP/out" ||
	fail "the JSON is broken" "$(head -c 500 "$TMP/out")"
stop
end

begin "it stops nothing: why causes no context switch in the program"
start "$PROGRAMS/stuck" sleep
wait_for 10 waiting 1
before=$(grep ctxt "/proc/$pid/status")
run "$PPTRACE" why "$pid"
expect_eq "$(grep ctxt "/proc/$pid/status")" "$before" "context switches"
stop
end

begin "Python's threads that wait for each other's locks"
cat >"$TMP/locks.py" <<'PY'
import threading
a, b, meet = threading.Lock(), threading.Lock(), threading.Barrier(2)
def run(x, y):
    with x:
        meet.wait()
        with y:
            pass
for pair in ((a, b), (b, a)):
    threading.Thread(target=run, args=pair).start()
PY
start "$python" "$TMP/locks.py"
wait_for 10 waiting 3
run "$PPTRACE" why "$pid"
expect_out 'threading\.Lock|semaphore|futex'
expect_out 'waits for'
stop
end

begin "errors: a process that has ended, a kernel thread, a zombie, itself, nonsense"
run "$PPTRACE" why 4194303
expect_status 2
expect_err 'there is no process 4194303'
if [ -d /proc/2 ] && ! readlink /proc/2/exe >/dev/null 2>&1; then
	run "$PPTRACE" why 2
	expect_status 2
	expect_err 'kernel thread|belongs to'
fi
bash -c 'sleep 0.3 & exec sleep 100' &
pid=$!
wait_for 10 pgrep -P "$pid" -r Z
run "$PPTRACE" why "$(pgrep -P "$pid")"
expect_status 2
expect_err 'zombie'
stop
run bash -c 'exec "$0" why $$' "$PPTRACE"
expect_status 2
expect_err 'itself'
run "$PPTRACE" why 4194303 4194302 $$
expect_status 0
expect_err 'there is no process 4194303; there is no process 4194302'
expect_out "^bash\\[$$\\]"
for text in 0 -1 +1 '' 99999999999999999999 ' 1'; do
	run "$PPTRACE" why -- "$text"
	expect_status 2
	expect_err "'.*' is not a process ID"
done
run "$PPTRACE" why
expect_status 2
run "$PPTRACE" why 12x
expect_status 2
expect_err 'not a process ID'
end

begin "an ordinary user asks about processes of its own and of others"
if [ "$(id -u)" != 0 ]; then
	skip "needs root to become somebody else"
else
	start "$PROGRAMS/stuck" sleep
	run "${nobody[@]}" "$PPTRACE" why "$pid"
	expect_status 2
	expect_err 'belongs to root'
	stop
	start "${nobody[@]}" "$PROGRAMS/stuck" guarded
	wait_for 10 waiting 1
	run "${nobody[@]}" "$PPTRACE" why "$pid"
	expect_status 2
	expect_err 'cannot be read, because it has or had different privileges'
	stop
	start "${nobody[@]}" "$PROGRAMS/stuck" abba
	AS=("${nobody[@]}")
	if wait_for 10 waiting 3; then
		run "${nobody[@]}" "$PPTRACE" why "$pid"
		expect_out 'waits for the mutex second at stuck.c:[0-9]+ \(first_then_second\)'
		expect_out 'conditional'
		expect_out '^  It is not certain: pptrace has no permission to check whether an armed timer or alarm would end it\.$'
	fi
	AS=()
	stop
fi
end

begin "a thousand threads are answered quickly"
start "$PROGRAMS/stuck" threads 1000
wait_for 10 waiting 1001
best=99999 least=99999
TIMEFORMAT='%U %S'
for _ in 1 2 3; do
	# Machines differ: reading three files of each thread says how fast this one is.
	took=$({ time cat /proc/"$pid"/task/*/{status,syscall,stat} >/dev/null; } 2>&1 | awk '{ print int(($1 + $2) * 1000) }')
	[ "$took" -ge "$least" ] || least=$took
	# Processor time: wall-clock time depends on what else this machine does.
	took=$({ time run "$PPTRACE" why "$pid" >/dev/null; } 2>&1 | awk '{ print int(($1 + $2) * 1000) }')
	[ "$took" -ge "$best" ] || best=$took
done
echo "# a thousand threads: $best ms of processor time"
[ "$best" -le 250 ] || [ "$best" -le $((2 * least)) ] || fail "took $best ms, and cat $least ms"
expect_out 'and 999 more threads in the same wait'
stop
end

begin "an idle asyncio loop is accused of nothing"
echo 'import asyncio; asyncio.new_event_loop().run_forever()' >"$TMP/idle.py"
start "$python" "$TMP/idle.py"
wait_for 10 waiting 1
run "$PPTRACE" why "$pid"
expect_status 0
expect_out '^No deadlock was found\.'
stop
end

begin "a pool of processes at rest is accused of nothing"
cat >"$TMP/pool.py" <<'PY'
import multiprocessing, time
if __name__ == "__main__":
    with multiprocessing.Pool(2) as pool:
        time.sleep(100)
PY
start "$python" "$TMP/pool.py"
wait_for 10 waiting 6
run "$PPTRACE" why "$pid"
expect_status 0
expect_out '^No deadlock was found\.'
stop
end

begin "C++: lambdas that threads run, and an initialiser that waits for one"
cat >"$TMP/l.cpp" <<'CPP'
#include <mutex>
#include <thread>
std::once_flag once;
int main()
{
	std::call_once(once, [] {
		std::thread t([] {
			std::call_once(once, [] {}); // line 8
		});
		t.join();
	});
}
CPP
if g++ --version >/dev/null 2>&1; then
	g++ -g -O1 -o "$TMP/l" "$TMP/l.cpp" -pthread || fail "does not compile"
	start "$TMP/l"
	wait_for 10 waiting 2
	run "$PPTRACE" why "$pid"
	expect_status 1
	expect_out 'waits to join thread'
	expect_out 'waits for the initialiser that main thread of .* runs at l.cpp:8 '
	stop
else
	skip "no g++"
fi
end

begin "C++: the line of the program, not of the library's headers"
cat >"$TMP/m.cpp" <<'CPP'
#include <mutex>
#include <thread>
std::mutex a;
static void twice()
{
	std::lock_guard<std::mutex> one(a);
	std::lock_guard<std::mutex> two(a); // line 7
}
int main()
{
	std::thread t(twice);
	t.join();
}
CPP
if g++ --version >/dev/null 2>&1; then
	for level in 0 2; do
		g++ -g -O$level -o "$TMP/m$level" "$TMP/m.cpp" -pthread || fail "does not compile"
		start "$TMP/m$level"
		wait_for 10 waiting 2
		run "$PPTRACE" why "$pid"
		expect_status 1
		expect_out 'waits for the mutex a at m.cpp:7 \(twice\(\)'
		stop
	done
else
	skip "no g++"
fi
end
