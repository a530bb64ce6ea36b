#!/usr/bin/env bash
# core.sh - pptrace why of core files: the same verdicts as of the living process, and clear words about bad ones.
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/../../lib.sh"
. "$ROOT/tests/lib_why.sh"

source=$ROOT/tests/programs/stacks.c
line_of() { grep -n "/\* $1 \*/" "$source" | cut -d: -f1; }
helper=$(line_of HELPER) transfer=$(line_of TRANSFER) report=$(line_of REPORT)
gcc -g -O0 -pthread -o stacks "$source"

# says PATTERN: pptrace why says it of the program now.
says()
{
	"$PPTRACE" why "$pid" 2>/dev/null | grep -q -- "$1"
}

# have_core FILE THREADS COMMAND...: lets a program dump its core when so many of its threads wait, or, if it is no number,
# when that is what why says; skips the test where the kernel gives cores to others.
have_core()
{
	local file=$1 threads=$2
	shift 2
	case $(cat /proc/sys/kernel/core_pattern) in
	core) ;;
	*) skip "cores do not become a file named core here" ; return 1 ;;
	esac
	[ "$(ulimit -H -c)" = unlimited ] || { skip "cores are limited here"; return 1; }
	rm -f core core.*
	start bash -c 'ulimit -S -c unlimited; exec "$@"' - "$@"
	case $threads in
	[0-9]*) wait_for 10 waiting "$threads" ;;
	*) wait_for 20 says "$threads" ;;
	esac || { stop; return 1; }
	kill -ABRT $pid
	wait_end $pid 2>/dev/null
	mv core "$file" 2>/dev/null || mv core.$pid "$file" || fail "no core"
}

begin "a deadlock is found in a core, with names and the callers that tell places apart"
if have_core dead 3 ./stacks; then
	run "$PPTRACE" why ./dead
	expect_status 1
	expect_out '^core of stacks\[[0-9]+\], which SIGABRT ended in thread [0-9]+$'
	expect_out '^error: deadlock: .* wait for each other and can never proceed'
	expect_out '  cycle of 2, certain'
	expect_out "waits for the mutex audit at stacks.c:$helper \(my_lock\), called from stacks.c:[0-9]+ \(lock\), called from stacks.c:$transfer \(transfer\),"
	expect_out "waits for the mutex account at stacks.c:$helper \(my_lock\), called from stacks.c:[0-9]+ \(lock\), called from stacks.c:$report \(report\),"
	expect_err 'A core has no descriptors'
	run "$PPTRACE" why --json dead
	expect_out '^\{"core":"core of stacks.*"certainty":"certain".*"frames":\['
	run "$PPTRACE" why -v dead
	expect_out '^              at .*\(start_thread\)'
fi
end

begin "the program of a core may be gone, elsewhere, or another one by now"
if [ -e dead ]; then
	mv stacks elsewhere
	run "$PPTRACE" why dead
	expect_status 1
	expect_err 'The program .*/stacks is not here, or cannot be read: without it nothing in it has a name'
	expect_out 'waits for the mutex 0x[0-9a-f]+ at stacks\+0x'
	run "$PPTRACE" why dead elsewhere
	expect_status 1
	expect_out "stacks.c:$helper \(my_lock\)"
	run "$PPTRACE" why dead /bin/true
	expect_err 'The program (/usr)?/bin/true is not the file that the core was made with \(its build ID differs\): nothing in it has a name'
	expect_out 'at stacks \(another file\)\+0x'
	mv elsewhere stacks
else
	skip "there is no core"
fi
end

begin "a truncated core, one of another architecture, and what is no core: one sentence each"
if [ -e dead ]; then
	head -c 150000 dead >short
	run "$PPTRACE" why short
	expect_err 'The core is truncated \(150000 of [0-9]+ bytes are there\)'
	head -c 500 dead >shorter
	run "$PPTRACE" why shorter
	expect_status 2
	expect_err 'shorter is truncated before its list of threads'
	(head -c 18 dead; printf '\267'; tail -c +20 dead) >arm
	run "$PPTRACE" why ./arm
	expect_status 2
	expect_err '\./arm is the core of a program for AArch64'
fi
printf '\x28\xb5\x2f\xfd....' >packed
run "$PPTRACE" why packed
expect_status 2
expect_err 'packed is compressed: unpack it first \(zstd -d\)'
run "$PPTRACE" why "$source"
expect_status 2
expect_err 'stacks\.c is no core file'
run "$PPTRACE" why "$PPTRACE"
expect_status 2
expect_err 'is no core file'
mkfifo pipe
run "$PPTRACE" why ./pipe
expect_status 2
expect_err 'cannot read the core \./pipe: it is no regular file'
run "$PPTRACE" why ./nothing
expect_status 2
expect_err 'cannot read the core \./nothing: No such file'
run "$PPTRACE" why ./dead one two
expect_status 2
expect_err 'one core at a time'
end

# said: what is said of a core, without numbers that differ from run to run.
said()
{
	sed -E 's/\[[0-9]+\]/[PID]/g; s/goroutine [0-9]+/goroutine N/g; s/^ +[0-9]+  /    TID  /; s/(python3: waits to join thread) "(transfer|report)"/\1 T/; s/thread [0-9]+$/thread TID/; s/and [0-9]+ threads of/and N threads of/; s/^(cases.*\[PID\]) .*/\1/' out
}

# same_text: compares with what is wanted, on the standard input; of two that are crossed either may stand first.
same_text()
{
	sort >.wanted
	said | sort >.said
	said | other_first | sort >.swapped
	cmp -s .wanted .swapped || diff .wanted .said >.difference || fail "said (>) and wanted (<) differ" "$(cat .difference)" "$(show)"
}

begin "a core of a Python program: its threads, lines and locks"
cat >cases.py <<'PY'
import threading
audit = threading.RLock()
ledger = threading.RLock()
both = threading.Barrier(2)
def transfer():
    with audit:
        both.wait()
        ledger.acquire()
def report():
    with ledger:
        both.wait()
        with audit:
            pass
for f in (transfer, report):
    threading.Thread(target=f, name=f.__name__).start()
PY
if [ ! -x /usr/bin/python3 ]; then
	skip "there is no /usr/bin/python3"
elif have_core python 3 /usr/bin/python3 cases.py; then
	run "$PPTRACE" why ./python
	expect_status 0
	# Where this Python waits for its threads.
	line=$(awk '/^def _shutdown/ { inside = 1 } inside && $1 == "lock.acquire()" { print NR; exit }' \
		"$(/usr/bin/python3 -c 'import threading; print(threading.__file__)')")
	same_text < <(sed "s/LINE/$line/" <<-'T'
	core of python3[PID], which SIGABRT ended in thread TID

	warning: stuck: thread "transfer" of cases.py[PID] and thread "report" of cases.py[PID] wait for each other
	  cycle of 2, conditional
	  thread "transfer" of cases.py[PID]
	      waits for the lock `ledger` (threading.RLock) at cases.py:8 (transfer),
	      which is held by thread "report" of cases.py[PID], now at cases.py:12 (report)
	  thread "report" of cases.py[PID]
	      waits for the lock `audit` (threading.RLock) at cases.py:12 (report),
	      which is held by thread "transfer" of cases.py[PID], now at cases.py:8 (transfer)
	  waiting behind them: main thread of cases.py[PID]
	  It is not certain: a core does not say for which signals the program has handlers, and one of them could have ended it.
	  remedy: Take these locks in the same order everywhere, or try the second one and release the first if that fails.

	cases.py[PID]
	    TID  python3: waits to join thread T of cases.py[PID]
	              at threading.py:LINE (_shutdown)
	    TID  transfer: waits for the lock `ledger` (threading.RLock)
	              held by thread "report" of cases.py[PID]
	              at cases.py:8 (transfer)
	    TID  report: waits for the lock `audit` (threading.RLock)
	              held by thread "transfer" of cases.py[PID]
	              at cases.py:12 (report)
	T
	)
	for size in 100000 1000000 3000000; do
		head -c $size python >cut
		run timeout 20 "$PPTRACE" why ./cut
		expect_status 0
		expect_err 'The core is truncated'
	done
fi
end

begin "a core of a Go program: its goroutines"
if ! command -v go >/dev/null; then
	skip "there is no go"
elif GOCACHE=$ROOT/build/go-cache GO111MODULE=off go build -o cases "$ROOT/tests/golang/cases.go" &&
	GOTRACEBACK=crash have_core golang '^warning: stuck' ./cases cross; then
	run "$PPTRACE" why ./golang
	expect_status 0
	same_text <<-'T'
	core of cases[PID], which SIGABRT ended in thread TID

	warning: stuck: goroutine N of cases[PID] and goroutine N of cases[PID] wait for each other
	  cycle of 2, conditional
	  goroutine N of cases[PID]
	      waits for the mutex `main.audit` (sync.Mutex) at cases.go:29 (main.transfer),
	      which is held by goroutine N of cases[PID], now at cases.go:36 (main.report)
	  goroutine N of cases[PID]
	      waits for the mutex `main.ledger` (sync.Mutex) at cases.go:36 (main.report),
	      which is held by goroutine N of cases[PID], now at cases.go:29 (main.transfer)
	  unless another goroutine unlocks the mutex: Go does not record the owner; it was inferred from that function's code
	  remedy: Take these locks in the same order everywhere, or try the second one and release the first if that fails.

	cases[PID]
	              goroutine N: sleeps: sleep
	              at cases.go:68 (main.live)
	              goroutine N: waits for the mutex `main.audit` (sync.Mutex)
	              held by goroutine N of cases[PID]
	              at cases.go:29 (main.transfer)
	              goroutine N: waits for the mutex `main.ledger` (sync.Mutex)
	              held by goroutine N of cases[PID]
	              at cases.go:36 (main.report)
	              timers: sleeps
	              and N threads of its language's runtime
	T
	# Without the program nothing in it has a name, and the file says so.
	mv cases elsewhere
	run "$PPTRACE" why ./golang
	expect_status 0
	expect_out '^No deadlock was found'
	expect_err 'The program .*/cases is not here'
	run "$PPTRACE" why ./golang elsewhere
	expect_out 'waits for the mutex `main.audit` \(sync.Mutex\) at cases.go:29'
fi
end

# in_core MODE THREADS STATUS PATTERN...
in_core()
{
	begin "a core of 'stuck $1'"
	local mode=$1 threads=$2 wanted=$3
	shift 3
	if have_core "c.$mode" "$threads" "$PROGRAMS/stuck" "$mode"; then
		run "$PPTRACE" why "./c.$mode"
		expect_status "$wanted"
		for pattern in "$@"; do expect_out "$pattern"; done
	fi
	rm -f "c.$mode"
	end
}

in_core self 1 1 'self, certain' 'mutex first at stuck.c:[0-9]+ \(mode_self\)' 'it already holds itself'
in_core rwlock 3 1 'cycle of 2, certain' 'waiting behind them: main thread'
in_core pi 3 1 'cycle of 2, certain'
in_core barrier 2 1 'waits at the barrier meet'
in_core once 1 1 'initialiser'
# A core does not say which signals have handlers, and a handler could post.
in_core semaphores 3 0 '^warning: stuck:' 'semaphore sem_two' 'a core does not say for which signals'
in_core own-end 1 0 'No deadlock was found' 'waits in the kernel \(read\)'
in_core timed 1 0 'No deadlock was found' 'waits for the mutex first, with a timeout'
in_core event-loop 1 0 'No deadlock was found'
