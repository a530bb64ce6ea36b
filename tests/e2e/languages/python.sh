#!/usr/bin/env bash
# python.sh - Python programs are described in their own words: threads, lines, locks.
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/../../lib.sh"
. "$ROOT/tests/lib_why.sh"
. "$ROOT/tests/lib_release.sh"

PYTHON=/usr/bin/python3
if [ ! -x "$PYTHON" ]; then
	begin "Python programs"
	skip "there is no $PYTHON"
	end
	exit 0
fi

cat >bank.py <<'PY'
import threading
audit = threading.Lock()
ledger = threading.Lock()
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
threads = [threading.Thread(target=transfer, name="transfer"), threading.Thread(target=report, name="report")]
for t in threads:
    t.start()
threads[0].join()
PY
cat >mailbox.py <<'PY'
import queue, threading
class Worker:
    def __init__(self):
        self.inbox = queue.Queue()
        self.done = threading.Event()
    def run(self):
        self.inbox.get()
        self.done.set()
w = Worker()
threading.Thread(target=w.run, name="worker").start()
w.done.wait()
PY

cat >rlocks.py <<'PY'
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
    threading.Thread(target=f, name=f.__name__, daemon=True).start()
threading.Event().wait(60)
PY
cat >join.py <<'PY'
import threading
lock = threading.RLock()
class Worker(threading.Thread):
    def run(self):
        with lock:
            pass
with lock:
    w = Worker(name="worker")
    w.start()
    w.join()
PY
cat >joins.py <<'PY'
import threading
def work(other):
    other.join()
t = threading.Thread(target=work, args=(threading.current_thread(),), name="worker")
t.start()
t.join()
PY
cat >order.py <<'PY'
import signal, threading
told = threading.Event()
signal.signal(signal.SIGUSR1, lambda *a: told.set())
told.wait()
PY

cat >main.py <<'PY'
import settings
PY
cat >settings.py <<'PY'
import threading
def load():
    from settings import value
t = threading.Thread(target=load, name="loader")
t.start()
t.join()
value = 1
PY
cat >logs.py <<'PY'
import logging, threading
lock = threading.RLock()
both = threading.Barrier(2)
class Slow(logging.StreamHandler):
    def emit(self, record):
        both.wait()
        with lock:
            pass
logging.getLogger().addHandler(Slow())
def one():
    logging.error("one")
def two():
    with lock:
        both.wait()
        logging.error("two")
for f in (one, two):
    threading.Thread(target=f, name=f.__name__, daemon=True).start()
threading.Event().wait(60)
PY
cat >pipe.py <<'PY'
import multiprocessing
def child(end):
    end.recv()
if __name__ == "__main__":
    ours, theirs = multiprocessing.Pipe()
    multiprocessing.Process(target=child, args=(theirs,)).start()
    ours.recv()
PY
cat >names.py <<'PY'
import collections, queue, threading
class Base:
    common = threading.Lock()
class Bank(Base):
    lock = threading.Lock()
    _hidden = {"x": threading.Lock()}
    def own(self): self.lock.acquire()
    def inherited(self): Base.common.acquire()
    @classmethod
    def of_class(cls): cls._hidden["x"].acquire()
class Account:
    __slots__ = ("first", "second")
    def __init__(self): self.first = 1; self.second = threading.Lock()
    def take(self): self.second.acquire()
class Registry:
    def __init__(self):
        self.locks = collections.defaultdict(threading.Lock)
        self.rows = (threading.Lock(), threading.Lock())
        self.queues = {"jobs": queue.Queue()}
    def key(self): self.locks["a"].acquire()
    def number(self): self.locks[7].acquire()
    def row(self): self.rows[1].acquire()
    def fetch(self): self.queues["jobs"].get()
class Named(dict): pass
Pair = collections.namedtuple("Pair", "left right")
registry = Registry()
accounts = [Account(), Account()]
table = Named(a=threading.Lock())
pair = Pair(threading.Lock(), threading.Lock())
for lock in (Base.common, Bank.lock, Bank._hidden["x"], accounts[0].second, accounts[1].second, registry.locks["a"], registry.locks[7], *registry.rows, table["a"], *pair):
    lock.acquire()
del lock
def in_list(): accounts[1].second.acquire()
def in_table(): table["a"].acquire()
def in_pair(): pair.right.acquire()
bank = Bank()
for f in (bank.own, bank.inherited, Bank.of_class, accounts[0].take, registry.key, registry.number, registry.row, registry.fetch, in_list, in_table, in_pair):
    threading.Thread(target=f, name=f.__name__, daemon=True).start()
del f
threading.Event().wait()
PY

# The lines of a set, without numbers that differ from run to run.
words()
{
	sed -E 's/\[[0-9]+\]/[PID]/g; s/ since [0-9.]+ s//g; s/^err\| //' "$1"
}

expect_words()
{
	words "$1" | grep -qF -- "$2" || fail "nowhere: $2" "$(words "$1" | head -40)"
}

crossed_words()
{
	expect_words "$1" 'thread "transfer" of bank.py[PID]'
	expect_words "$1" 'waits for the lock `ledger` (threading.Lock) at bank.py:8 (transfer)'
	expect_words "$1" 'waits for the lock `audit` (threading.Lock) at bank.py:12 (report)'
	! grep -q 'semaphore' "$1" || fail "a semaphore is spoken of" "$(head -30 "$1")"
	expect_words "$1" 'remedy: Take these locks in the same order everywhere'
}

rlocks_words()
{
	expect_words "$1" 'error: deadlock: thread "transfer" of rlocks.py[PID] and thread "report" of rlocks.py[PID] wait for each other'
	expect_words "$1" 'waits for the lock `ledger` (threading.RLock) at rlocks.py:8 (transfer),'
	expect_words "$1" 'which is held by thread "report" of rlocks.py[PID], now at rlocks.py:12 (report)'
	expect_words "$1" 'waits for the lock `audit` (threading.RLock) at rlocks.py:12 (report),'
	expect_words "$1" 'which is held by thread "transfer" of rlocks.py[PID], now at rlocks.py:8 (transfer)'
}

join_words()
{
	expect_words "$1" 'error: deadlock: main thread of join.py[PID] and thread "worker" of join.py[PID] wait for each other'
	expect_words "$1" 'waits to join thread "worker" of join.py[PID] at join.py:10 (<module>)'
	expect_words "$1" 'which is held by main thread of join.py[PID], now at join.py:10 (<module>)'
	expect_words "$1" 'remedy: Release the lock before joining a thread that needs it.'
}

main_words()
{
	expect_words "$1" 'error: deadlock: main thread of main.py[PID] and thread "loader" of main.py[PID] wait for each other'
	expect_words "$1" 'waits for the import of the module `settings` (importlib._ModuleLock) at settings.py:3 (load),'
	expect_words "$1" 'which is held by main thread of main.py[PID], now at settings.py:6 (<module>)'
	expect_words "$1" 'remedy: While a module is imported, do not wait for a thread that imports it too,'
}

logs_words()
{
	expect_words "$1" 'error: deadlock: thread "one" of logs.py[PID] and thread "two" of logs.py[PID] wait for each other'
	expect_words "$1" 'waits for the lock `lock` (threading.RLock) at logs.py:7 ('
	expect_words "$1" 'waits for the lock `Slow.lock` (threading.RLock) at logs.py:15 (two),'
	expect_words "$1" 'which is held by thread "one" of logs.py[PID], now at logs.py:7 ('
}

pipe_words()
{
	expect_words "$1" ': pipe.py[PID] and pipe.py[PID] wait for each other'
	expect_words "$1" 'at pipe.py:7 (<module>)'
	expect_words "$1" 'at pipe.py:3 (child)'
	expect_words "$1" 'remedy: Let one side send first,'
}

for backend in $(backends); do
	begin "$backend: two locks in opposite orders, named with the lines of the program"
	background "$PPTRACE" run --backend="$backend" --watch=0.3 -o bank.db "$PYTHON" bank.py
	told()
	{
		grep -q 'deadlock\|possibly stuck' err
	}
	wait_for 30 told
	kill -TERM $!
	wait_end $!
	expect_words err 'thread "transfer" of bank.py[PID]'
	run "$PPTRACE" diagnose bank.db
	crossed_words out
	expect_words out 'which is held by thread "report" of bank.py[PID], now at bank.py:12 (report)'
	expect_sql bank.db "SELECT name, runtime_name FROM thread WHERE runtime_name IS NOT NULL ORDER BY 2" \
		"python3|report
python3|transfer"
	expect_sql bank.db "SELECT program, language FROM process" "bank.py|python"
	expect_sql bank.db "SELECT name, type FROM lock WHERE type LIKE 'threading.Lock' ORDER BY 1" \
		"audit|threading.Lock
ledger|threading.Lock"
	expect_sql bank.db "SELECT DISTINCT s.language, s.function, s.line FROM wait w JOIN frame f ON f.stack_id = w.stack_id
		AND f.depth = 0 JOIN site s ON s.id = f.site_id JOIN thread t ON t.id = w.thread_id
		WHERE t.runtime_name = 'report'" "python|report|12"
	end
done

for backend in $(backends); do
	begin "$backend: RLocks taken in opposite orders beside a live thread, and joining a thread that waits for the joiner: both certain"
	run timeout 60 "$PPTRACE" run --backend="$backend" --watch=0.3 --on-deadlock=kill -o rlocks.db "$PYTHON" rlocks.py
	expect_status 124
	rlocks_words err
	run "$PPTRACE" diagnose rlocks.db
	rlocks_words out
	run timeout 60 "$PPTRACE" run --backend="$backend" --watch=0.3 --on-deadlock=kill -o join.db "$PYTHON" join.py
	expect_status 124
	join_words err
	end
done

# says WORD: pptrace why says it of the program now.
says()
{
	"$PPTRACE" why "$pid" 2>/dev/null | grep -q -- "$1"
}

begin "why: RLocks taken in opposite orders, and joins, are certain deadlocks"
for name in rlocks join; do
	start "$PYTHON" $name.py
	wait_for 10 says '^error: deadlock'
	run "$PPTRACE" why "$pid"
	"${name}_words" out
	stop
done
start "$PYTHON" joins.py
wait_for 10 says '^error: deadlock'
run "$PPTRACE" why "$pid"
expect_words out 'waits to join thread "worker" of joins.py[PID] at joins.py:6 (<module>)'
expect_words out 'waits to join main thread of joins.py[PID] at joins.py:3 (work)'
stop
end

begin "why: a thread that imports a module whose import waits for it, a lock of the library, both sides of a pipe that read"
for name in main logs pipe; do
	start "$PYTHON" $name.py
	wait_for 10 says '^error: deadlock\|^warning: stuck'
	run "$PPTRACE" why "$pid"
	"${name}_words" out
	stop
done
end

for backend in $(backends); do
	begin "$backend: the same three, told while they last, and kept"
	for name in main logs pipe; do
		run timeout 60 "$PPTRACE" run --backend="$backend" --watch=0.3 --timeout=2 -o $name.db "$PYTHON" $name.py
		expect_status 124
		"${name}_words" err
		run "$PPTRACE" diagnose $name.db
		"${name}_words" out
	done
	end
done

begin "why: an event that only a signal handler sets is no deadlock"
start "$PYTHON" order.py
wait_for 10 says 'waits for the event `told` (threading.Event)'
run "$PPTRACE" why "$pid"
expect_out '^No deadlock was found'
expect_status 0
stop
end

begin "why: the same of a program that was never traced"
start "$PYTHON" bank.py
wait_for 10 waiting 3
run "$PPTRACE" why "$pid"
crossed_words out
expect_words out 'waits to join thread "transfer" of bank.py[PID] at bank.py:17 (<module>)'
stop
end

# What each thread of names.py waits for, by the name of the thread.
names_text()
{
	cat <<-'T'
	fetch: waits for the queue `self.queues['jobs']` (queue.Queue)
	in_list: waits for the lock `accounts[1].second` (threading.Lock)
	in_pair: waits for the lock `pair[1]` (threading.Lock)
	in_table: waits for the lock `table['a']` (threading.Lock)
	inherited: waits for the lock `Base.common` (threading.Lock)
	key: waits for the lock `self.locks['a']` (threading.Lock)
	number: waits for the lock `self.locks[7]` (threading.Lock)
	of_class: waits for the lock `Bank._hidden['x']` (threading.Lock)
	own: waits for the lock `Bank.lock` (threading.Lock)
	row: waits for the lock `self.rows[1]` (threading.Lock)
	take: waits for the lock `self.second` (threading.Lock)
	T
}

begin "why: locks in lists, tuples, dictionaries, classes and __slots__ have their names"
start "$PYTHON" names.py
wait_for 10 waiting 12
run "$PPTRACE" why "$pid"
sed -nE 's/^ +[0-9]+  ([a-z_]+: waits for the (lock|queue) .*), for .*/\1/p' out | sort >names
names_text | diff - names >difference || fail "names found (>) and wanted (<) differ" "$(cat difference)"
stop
end

cat >library.py <<'PY'
import concurrent.futures, multiprocessing, queue, threading
never = threading.Event()
pool = concurrent.futures.ThreadPoolExecutor(2, "pool")
works = [pool.submit(never.wait)]
full = queue.Queue(1)
full.put(1)
simple = queue.SimpleQueue()
shared = multiprocessing.Semaphore(0)
class Account:
    def __init__(self): self.lock = multiprocessing.Lock()
    def take(self):
        self.lock.acquire()
        self.lock.acquire()
def result(): works[0].result()
def mapped(): list(pool.map(lambda _: never.wait(), [1]))
def several(): concurrent.futures.wait(works)
def first(): next(concurrent.futures.as_completed(works))
def done(): full.join()
def put(): full.put(2)
def get(): simple.get()
def take(): shared.acquire()
account = Account()
for f in (result, mapped, several, first, done, put, get, take, account.take):
    threading.Thread(target=f, name=f.__qualname__, daemon=True).start()
threading.Event().wait()
PY

# What each thread of library.py waits for, by the name of the thread.
library_text()
{
	cat <<-'T'
	Account.take: waits for the lock `self.lock` (multiprocessing.Lock)
	done: waits for the tasks of the queue `full` (queue.Queue.join)
	first: waits for the futures (concurrent.futures.as_completed)
	get: waits for the queue `simple` (queue.SimpleQueue)
	mapped: waits for the future (concurrent.futures.Future)
	pool_0: waits for the event (threading.Event)
	pool_1: waits for the event `never` (threading.Event)
	put: waits for the queue `full` (queue.Queue)
	result: waits for the future `works[0]` (concurrent.futures.Future)
	several: waits for the futures (concurrent.futures.wait)
	take: waits for the semaphore `shared` (multiprocessing.Semaphore)
	T
}

begin "why: what the functions of the library wait for goes by the object that the program has given them"
start "$PYTHON" library.py
wait_for 20 waiting 12
run "$PPTRACE" why "$pid"
sed -nE 's/^ +[0-9]+  ([A-Za-z0-2_.]+: waits for the [a-z ]+ (`|\().*), for .*/\1/p' out | sort >names
library_text | diff - names >difference || fail "names found (>) and wanted (<) differ" "$(cat difference)"
stop
end

cat >processes.py <<'PY'
import multiprocessing, sys
def cross(first, second, ready, go):
    with first:
        ready.release()
        go.acquire()
        with second: pass # cross
class Bank:
    def __init__(self): self.ledger = multiprocessing.Lock()
    def pay(self):
        with self.ledger: self.log()
    def log(self):
        with self.ledger: pass # again
def main():
    accounts, audit = multiprocessing.Lock(), multiprocessing.Lock()
    ready, go = multiprocessing.Semaphore(0), multiprocessing.Semaphore(0)
    both = [multiprocessing.Process(target=cross, args=(*locks, ready, go)) for locks in ((accounts, audit), (audit, accounts))]
    for p in both: p.start()
    for p in both: ready.acquire()
    for p in both: go.release()
    for p in both: p.join()
if __name__ == "__main__":
    multiprocessing.set_start_method("fork")
    if sys.argv[1] == "cross":
        main()
    else:
        p = multiprocessing.Process(target=Bank().pay)
        p.start()
        p.join()
PY
cross=$(grep -n '# cross' processes.py | cut -d: -f1) again=$(grep -n '# again' processes.py | cut -d: -f1)

for backend in auto shim; do
	begin "run --backend=$backend: processes that take locks of multiprocessing in opposite orders: the names are those of who made them, and who has them is known"
	run timeout 60 "$PPTRACE" run --backend=$backend --watch=0.3 --on-deadlock=kill -o processes.db "$PYTHON" processes.py cross
	expect_status 124
	expect_words err 'error: deadlock: processes.py[PID], processes.py[PID] and processes.py[PID] wait for each other'
	for lock in accounts audit; do
		expect_words err "waits for the lock \`$lock\` (multiprocessing.Lock) at processes.py:$cross (cross),"
	done
	expect_words err "which is held by processes.py[PID], now at processes.py:$cross (cross)"
	expect_words err 'remedy: Take these locks in the same order everywhere'
	run timeout 60 "$PPTRACE" run --backend=$backend --watch=0.3 --timeout=2 -o processes.db "$PYTHON" processes.py again
	expect_words err "waits for the lock \`self.ledger\` (multiprocessing.Lock) at processes.py:$again (Bank.log),"
	expect_words err 'which it already holds itself'
	expect_words err 'remedy: Do not acquire a lock again while holding it'
	end
done

cat >forks.py <<'PY'
import os, threading, time
audit = threading.Lock()
held = threading.Event()
def hold():
    with audit:
        held.set()
        time.sleep(1000)
threading.Thread(target=hold, daemon=True).start()
held.wait()
child = os.fork()
if child == 0:
    audit.acquire()
    os._exit(0)
os.waitpid(child, 0)
PY

# forks_text BLOCKS: the child wants a lock that another thread of its parent had when it was forked.
forks_text()
{
	cat <<-T
	error: deadlock: forks.py[PID] can never proceed: it waits for the lock \`audit\` (threading.Lock)
	  abandoned, certain
	  forks.py[PID]
	      waits for the lock \`audit\` (threading.Lock) at forks.py:12 (<module>),
	      $1
	  waiting behind them: main thread of forks.py[PID]
	  remedy: In the child of a program with threads call only exec or _exit, or take the locks in a pthread_atfork handler.
	T
}

# same_forks FILE BLOCKS
same_forks()
{
	findings "$1" | diff <(forks_text "$2") - >difference || fail "found (>) and wanted (<) differ" "$(cat difference)" "$(show)"
}

begin "why: a lock that another thread had at the fork: what to do about it"
start "$PYTHON" forks.py
wait_for 60 says '^error: deadlock'
run "$PPTRACE" why "$pid"
same_forks out 'and every thread that could release it is blocked'
stop
end

for backend in $(backends); do
	begin "$backend: a lock that another thread had at the fork: who, and what to do about it"
	run "$PPTRACE" run --backend="$backend" --watch=0.3 --on-deadlock=kill -o forks.db "$PYTHON" forks.py
	expect_status 124
	same_forks err 'which thread "Thread-1 (hold)" of forks.py[PID] held at the fork: nobody in this process can release it'
	end
done

begin "why: a queue that nobody fills, an event that nobody sets"
start "$PYTHON" mailbox.py
wait_for 10 waiting 2
run "$PPTRACE" why "$pid"
expect_words out 'waits for the queue `self.inbox` (queue.Queue) at mailbox.py:7 (Worker.run)'
expect_words out 'waits for the event `w.done` (threading.Event) at mailbox.py:11 (<module>)'
expect_words out 'remedy: Let a thread that depends on none of the others provide what is waited for'
stop
end

begin "a package that runs is called by its name, a text by the interpreter's"
mkdir till
cp mailbox.py till/__main__.py
for how in "-m till" "$PWD/till" "$PWD/till/__main__.py"; do
	# shellcheck disable=SC2086 # the option and its argument
	start "$PYTHON" $how
	wait_for 10 waiting 2
	run "$PPTRACE" why "$pid"
	expect_out "^till\\[$pid\\] "
	stop
done
start "$PYTHON" -c "$(cat mailbox.py)"
wait_for 10 waiting 2
run "$PPTRACE" why "$pid"
expect_out "^python3[.0-9]*\\[$pid\\] "
stop
run timeout 60 "$PPTRACE" run -q --watch=0.3 --timeout=2 -o package.db "$PYTHON" -m till
expect_sql package.db "SELECT program FROM process" till
end

cat >unanswered.py <<'PY'
import subprocess
p = subprocess.Popen(["sort"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
p.stdin.write(b"b\na\n")
p.stdin.flush()
p.stdout.readline()
PY
begin "a pipe is named by who would have written to it, also when both have ended"
run timeout 60 "$PPTRACE" run --watch=0.3 --timeout=1 -o unanswered.db "$PYTHON" unanswered.py
expect_words err 'sort)'
run "$PPTRACE" diagnose unanswered.db
expect_out 'waits to read from the empty pipe [0-9]+ \(sort -> .*\) since .* at unanswered.py:5'
end

# ---- The cases that every language has: tests/python/cases.py ----

CASES=$ROOT/tests/python/cases.py

fed_by_nobody_text()
{
	cat <<-'T'
	error: deadlock: main thread of cases.py[PID] and thread "worker" of cases.py[PID] wait for each other and can never proceed
	  cycle of 2, certain
	  main thread of cases.py[PID]
	      waits to join thread "worker" of cases.py[PID] at cases.py:24 (fed_by_nobody)
	  thread "worker" of cases.py[PID]
	      waits for the queue `jobs` (queue.Queue) at cases.py:20 (fed_by_nobody.<locals>.work),
	      and every thread that could use its other side is blocked
	  remedy: Let a thread that depends on none of the others provide what is waited for, or wait with a timeout.
	T
}

joins_text()
{
	cat <<-'T'
	error: deadlock: main thread of cases.py[PID] and thread "worker" of cases.py[PID] wait for each other and can never proceed
	  cycle of 2, certain
	  main thread of cases.py[PID]
	      waits to join thread "worker" of cases.py[PID] at cases.py:33 (joins)
	  thread "worker" of cases.py[PID]
	      waits to join main thread of cases.py[PID] at cases.py:29 (joins.<locals>.work)
	  remedy: Let only one thread join the others.
	T
}

child_text()
{
	cat <<-'T'
	error: deadlock: cases.py[PID] and head[PID] wait for each other and can never proceed
	  cycle of 2, certain
	  cases.py[PID]
	      waits for its child head[PID] to exit at cases.py:38 (child)
	  head[PID]
	      waits to write to the full pipe N (head -> cases.py),
	      whose read end is open in cases.py[PID] (fd N)
	  remedy: Read the child's output to its end first, then wait for the child.
	T
}

# same_findings FILE CASE: those in the file are as wanted, the whole text; who is named first is chance.
same_findings()
{
	findings "$1" | sed -E 's/ at busybox\+ADDRESS//; s/main thread of (cases.py\[PID\])$/\1/; s/^(error: deadlock: )main thread of (cases.py\[PID\] and head)/\1\2/' | sort >.found
	"$2_text" | sed -E "s/^  main thread of (cases.py\[PID\])$/  \1/; ${unqualified:-}" | sort >.wanted
	cmp -s .found .wanted || other_first <.found | sort |
		diff .wanted - >.difference || fail "$2: found (>) and wanted (<) differ" "$(cat .difference)" "$(head -40 "$1")"
}

crossed_text()
{
	cat <<-'T'
	error: deadlock: thread "transfer" of cases.py[PID] and thread "report" of cases.py[PID] wait for each other and can never proceed
	  cycle of 2, certain
	  thread "transfer" of cases.py[PID]
	      waits for the lock `ledger` (threading.RLock) at cases.py:146 (crossed.<locals>.transfer),
	      which is held by thread "report" of cases.py[PID], now at cases.py:151 (crossed.<locals>.report)
	  thread "report" of cases.py[PID]
	      waits for the lock `audit` (threading.RLock) at cases.py:151 (crossed.<locals>.report),
	      which is held by thread "transfer" of cases.py[PID], now at cases.py:146 (crossed.<locals>.transfer)
	  remedy: Take these locks in the same order everywhere, or try the second one and release the first if that fails.
	T
}

# why_cases VERSION COMMAND...: what pptrace why says of the cases that the command runs.
why_cases()
{
	local version=$1 name
	shift
	begin "why, Python $version: crossed locks, a queue that nobody feeds, a join cycle, a child whose full pipe nobody reads: the whole text"
	for name in crossed fed_by_nobody joins child; do
		start "$@" $name
		wait_for 60 says '^error: deadlock'
		run "$PPTRACE" why "$pid"
		expect_status 1
		same_findings out $name
		stop
	done
	end

	begin "why, Python $version: idle pools, of threads and of processes, idle servers, a queue that is fed and services that rest until they are told to end are not accused"
	for name in server pool processes asyncio_server fed told_by_queue told_by_event told_by_processes told_by_coroutine; do
		start "$@" $name
		wait_for 60 says 'at cases.py:'
		for _ in 1 2 3; do
			run "$PPTRACE" why "$pid"
			expect_out '^No deadlock was found'
			expect_status 0
		done
		[ $name != pool ] || wait_for 30 says "ThreadPoolExecutor-0_0: waits for the work queued to the pool (concurrent.futures.ThreadPoolExecutor).*; and 3 more threads in the same wait"
		stop
	done
	end

	begin "why, Python $version: a thread of multiprocessing's server waits for the object that its client uses"
	start "$@" managed
	wait_for 60 serves || fail "nobody waits for the queue" "$(cat out)"
	grep -q 'waits for the object' out && fail "something is not known" "$(cat out)"
	stop
	end
}

# serves: a server among the children waits for its queue, and its main thread for an event.
serves()
{
	# shellcheck disable=SC2046
	run "$PPTRACE" why "$pid" $(pgrep -P "$pid")
	grep -q 'waits for the queue (queue.Queue)' out && grep -q 'waits for the event (threading.Event)' out
}

why_cases "$("$PYTHON" -c 'import sys; print("%d.%d" % sys.version_info[:2])')" "$PYTHON" "$CASES"

# recorded_cases VERSION COMMAND...: the same of some cases while they are recorded, in a root that has the preload library, too.
recorded_cases()
{
	local version=$1 backend name
	shift
	release_library "$BUILD/python/$version"
	for backend in $(backends); do
		begin "$backend: Python $version: crossed locks, a queue that nobody feeds, a join cycle and a child whose full pipe nobody reads are told while they last, and kept; an idle pool and an idle server are not accused"
		for name in crossed fed_by_nobody joins child; do
			run "$PPTRACE" run --backend="$backend" --watch=0.3 --on-deadlock=kill -o $name.db "$@" $name
			expect_status 124
			same_findings err $name
			run "$PPTRACE" diagnose --rule deadlock $name.db
			sed -i '/^  .*SIG/d' out
			same_findings out $name
		done
		for name in pool server; do
			run "$PPTRACE" run --backend="$backend" --watch=0.2 --timeout=5 -o $name.db "$@" $name
			expect_no_err 'stuck|deadlock'
			expect_sql $name.db "SELECT count(*) FROM finding WHERE rule IN ('deadlock', 'stuck')" 0
		done
		end
	done
}

# Before 3.11 a function is known by its name alone, and who is named first is chance.
for version in 3.9 3.13 3.14; do
	begin "Python $version can be had"
	cannot=$(release_cannot python $version)
	[ -z "$cannot" ] || skip "$cannot"
	end
	[ -z "$cannot" ] || continue
	cp "$CASES" "$BUILD/python/$version/"
	if [ $version = 3.9 ]; then unqualified='s/\([^ )]*\.<locals>\./(/'; else unqualified=; fi
	why_cases $version "$BUILD/python/run" $version /cases.py
	[ -z "${LONG:-}" ] || recorded_cases $version "$BUILD/python/run" $version /cases.py
done
unqualified=

on_backend()
{
	local name
	for name in crossed fed_by_nobody joins child; do
		begin "$1: $name, told while it lasts, and kept: the whole text"
		run "$PPTRACE" run --backend="$1" --watch=0.3 --on-deadlock=kill -o $name.db "$PYTHON" "$CASES" $name
		expect_status 124
		same_findings err $name
		run "$PPTRACE" diagnose --rule deadlock $name.db
		sed -i '/^  .*SIG/d' out
		same_findings out $name
		end
	done
	for name in server pool processes asyncio_server fed told_by_queue told_by_event told_by_processes told_by_coroutine; do
		begin "$1: $name is not accused"
		run "$PPTRACE" run --backend="$1" --watch=0.2 --timeout=2 -o $name.db "$PYTHON" "$CASES" $name
		expect_no_err 'stuck|deadlock'
		expect_sql $name.db "SELECT count(*) FROM finding WHERE rule IN ('deadlock', 'stuck')" 0
		end
	done
}
# shellcheck disable=SC2046
side_by_side on_backend $(backends)

# forged NAME OPTION...: a program that waits, linked to a library of that name whose memory lies (tests/python/forged.c).
forged()
{
	local name=$1
	shift
	mkdir -p "$name"
	gcc -shared -fPIC "$@" -o "$name/$name" "$ROOT/tests/python/forged.c" || fail "the library cannot be built"
	gcc -o "$name/liar" liar.c "$name/$name" -Wl,-rpath,"$PWD/$name" || fail "the program cannot be built"
}
echo '#include <pthread.h>
void PyThread_acquire_lock(void);
int main(void) { pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER; PyThread_acquire_lock(); pthread_mutex_lock(&m); return pthread_mutex_lock(&m); }' >liar.c

begin "a Python that cannot be read: why and diagnose say so, and what shows its threads"
forged libpython3.6m.so
forged libpython3.99.so -DVERSION=0x363
forged libpython3.13t.so -DVERSION=0x30d -DCOOKIE=1
forged libpython3.13d.so -DVERSION=0x30d
for name in libpython3.6m.so libpython3.99.so libpython3.13t.so libpython3.13d.so; do
	case $name in
	*3.6m.so) text='pptrace does not know the memory layout of Python 3.6' ;;
	*3.99.so) text='pptrace does not know the memory layout of Python 3.99' ;;
	*t.so) text='its Python is built for free threading, without the global lock, which pptrace does not support' ;;
	*d.so) text='it runs a build of Python that pptrace does not know' ;;
	esac
	start "$name/liar"
	wait_for 10 waiting 1
	run "$PPTRACE" why "$pid"
	expect_err "^pptrace: Threads and locks of process $pid are shown as the kernel sees them: $text \(py-spy shows where its threads are\)\.\$"
	stop
	run "$PPTRACE" run --watch=0.1 --on-deadlock=kill -o liar.db "$name/liar"
	expect_status 124
	expect_sql liar.db "SELECT count(*) FROM trace, json_each(blind_spots) WHERE value LIKE '%: $text (py-spy shows where its threads are).'" 1
	run "$PPTRACE" diagnose --rule stuck liar.db
	expect_out "^nothing found\$"
	expect_out "^  Threads and locks of process [0-9]+ are shown as the kernel sees them: $text"
done
end

begin "a Python whose lists have no end: an answer at once, and no crash"
for version in 0x309 0x30a 0x30b 0x30c 0x30d 0x30e; do
	forged libpython3.so -DVERSION=$version -DCOOKIE=0
	start libpython3.so/liar
	wait_for 10 waiting 1
	run timeout 10 "$PPTRACE" why "$pid"
	[ "$status" -le 1 ] || fail "status is $status" "$(show)"
	# The threads that it pretends to have could unlock what it waits for.
	expect_out '^(error: deadlock|warning: stuck): .*liar'
	stop
done
end

begin "a program without Python says nothing of it"
start "$PROGRAMS/stuck" abba
wait_for 10 waiting 3
run "$PPTRACE" why "$pid"
expect_status 1
! grep -q 'threading\.' out || fail "$(show)"
stop
end
