#!/usr/bin/env bash
# diagnose.sh - what hangs is reported, what only looks like it is not, on every backend.
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/../../lib.sh"

[ -x "$PROGRAMS/hang" ] || make -s -C "$ROOT" programs >/dev/null

# All cases are recorded first, side by side, because most of them only wait; each in a folder of its own.
JOBS=8

# record NAME BACKEND COMMAND...: traces it (ebpf: with nothing preloaded) and leaves t.db, out and err in $TMP/NAME. What hangs for
# certain is killed by pptrace; what is only conditional is ended from outside after a while.
record()
{
	local dir=$TMP/$1 how=(--backend="$2")
	[ "$2" != ebpf ] || how+=(--locks=futex)
	shift 2
	mkdir -p "$dir"
	cd "$dir" || return
	TMP=$dir timeout -k 5 40 "$PPTRACE" run "${how[@]}" --watch=0.3 --on-deadlock=kill \
		-o t.db "$@" >out 2>err </dev/null &
	local pid=$! target
	for _ in $(seq 200); do
		kill -0 $pid 2>/dev/null || break
		if grep -q 'possibly stuck' err; then
			# Everything that pptrace started, found in the process table of its session.
			for target in $(sqlite3 -readonly t.db 'SELECT pid FROM process WHERE end_ns IS NULL' 2>/dev/null); do
				kill -KILL "$target" 2>/dev/null
			done
		fi
		sleep 0.1
	done
	wait_end $pid
}
export -f record
export PPTRACE TMP

# findings NAME [RULES]: what was found in that recording; rules of severity info only if they are in RULES.
findings()
{
	sql "$TMP/$1/t.db" "SELECT DISTINCT rule || coalesce('/' || shape, '') FROM finding
		WHERE severity <> 'info' OR rule IN (${2:-}) ORDER BY 1" | tr '\n' ' ' | sed 's/ $//'
}

# expect_findings NAME WANTED: exactly that was found, and a deadlock was reported while it lasted.
expect_findings()
{
	expect_eq "$(findings "$1")" "$2" findings
	[[ $2 != *deadlock/* ]] || grep -q '^error: deadlock' "$TMP/$1/err" || fail "it was not told while it lasted"
	[ -n "$test_ok" ] || fail "$(head -c 1500 "$TMP/$1/err")"
}

# The table: program, argument, and what must be found.
cat >"$TMP/hang.table" <<'EOF'
hang abba deadlock/cycle
hang abba-partial deadlock/cycle
hang abba-profiled deadlock/cycle
hang abba-alarm stuck/cycle
hang abba-ticking stuck/cycle
hang self deadlock/self
hang handler-lock deadlock/self
hang rwlock-upgrade deadlock/self
hang writer-behind-reader deadlock/cycle
hang semaphores-crossed deadlock/cycle
hang cond-early deadlock/cycle lost-wakeup
hang barrier-short deadlock/knot
hang joins-crossed deadlock/cycle
hang join-through-another deadlock/cycle
hang once-recursive deadlock/self
hang mutex-across-pipe deadlock/cycle
hang owner-ended deadlock/abandoned exit-holding-lock
hang fork-self deadlock/self
hang_process shared-mutexes deadlock/cycle
hang_process shared-owner-dead deadlock/abandoned
hang_process flock-crossed deadlock/cycle
hang_process ofd-crossed deadlock/cycle
hang_process posix-crossed
hang_process fifos-opposite stuck/knot
hang_process spawn-in-fifo stuck/cycle
raw_calls futex-shared deadlock/cycle
raw_calls pidfd deadlock/cycle
raw_calls pidfd-wait deadlock/cycle
hang_process both-read-pipe deadlock/cycle
hang_process both-read-socketpair deadlock/cycle
hang_process parent-sleeps deadlock/cycle
hang_process own-write-end deadlock/self
hang_process grandchild-write-end pipe-end-leak
outsider opened-again
outsider opens-later stuck/self
outsider end-under-way
outsider flock-of-child
outsider mutex-as-signal stuck/self unlock-not-owner
healthy new-poster
healthy child-stopped
healthy alarm-kills
healthy timed-lock
healthy try-and-back-off
healthy recursive
healthy queue
healthy pool-at-exit
healthy gate-lock
healthy one-thread
healthy join-between
healthy paused
healthy main-thread-leaves
healthy own-lock
healthy file-between-threads
EOF
# eBPF alone sees of locks the waits, and who owns a mutex: not who reads under a rwlock, nor who
# once had a semaphore. A wait that a handler interrupts begins again, so that one that ticks is not tried.
cat >"$TMP/alone.table" <<'EOF'
hang abba-ticking -
hang rwlock-upgrade deadlock/self
hang writer-behind-reader deadlock/knot
hang semaphores-crossed deadlock/knot
hang cond-early deadlock/cycle
hang once-recursive deadlock/abandoned
hang owner-ended deadlock/abandoned
hang fork-self deadlock/abandoned
outsider mutex-as-signal stuck/self
EOF

# hang_table BACKEND: the table as it is for that backend.
hang_table()
{
	if [ "$1" = ebpf ]; then
		awk 'NR == FNR { alone[$1 " " $2] = $0; next }
			{ line = $1 " " $2 in alone ? alone[$1 " " $2] : $0 } line !~ / -$/ { print line }' \
			"$TMP/alone.table" "$TMP/hang.table"
	else
		cat "$TMP/hang.table"
	fi
}

# The demos: every rule has one, which breaks it; its --fixed twin breaks none.
# Wanted is what must be among the findings; of the informative rules only this one is looked at.
cat >"$TMP/demo.table" <<'EOF'
deadlock-abba deadlock/cycle
philosophers deadlock/cycle
deadlock-rwlock deadlock/self
deadlock-self deadlock/self
fork-with-lock fork-with-lock-held
unlock-not-owner unlock-not-owner
exit-holding-lock exit-holding-lock
crash crash
lock-order lock-order
zombies zombie
pipe-leak pipe-end-leak
pipe-both-full deadlock/cycle
wait-before-read deadlock/cycle
sleep-holding-lock sleep-holding-lock
lost-wakeup lost-wakeup
orphans orphan
broken-pipe broken-pipe
main-exit main-exit-kills-threads
merged-messages merged-messages
lock-contention lock-contention
unflushed-output unflushed-output
missing-exit orphan
EOF
# These are seen everywhere only by the kernel's probes, or are meant for them alone.
cat >"$TMP/demo.ebpf" <<'EOF'
stuck stuck/cycle
signal-storm lost-signal
interrupted-call interrupted-call
EOF
demo_tables()
{
	cat "$TMP/demo.table"
	[ "$1" = shim ] || cat "$TMP/demo.ebpf"
}

# Python's locks are semaphores, and its interpreter catches SIGINT.
cat >"$TMP/abba.py" <<'EOF'
import threading
a, b, both = threading.Lock(), threading.Lock(), threading.Barrier(2)
def take(x, y):
    for _ in range(3):
        with x:
            pass
    with x:
        both.wait()
        with y:
            pass
threads = [threading.Thread(target=take, args=p) for p in ((a, b), (b, a))]
for t in threads:
    t.start()
for t in threads:
    t.join()
EOF
cat >"$TMP/rest.py" <<'EOF'
import asyncio, queue, subprocess, threading, time
from concurrent.futures import ThreadPoolExecutor
async def idle():
    loop = asyncio.get_running_loop()
    done = loop.create_future()
    threading.Timer(0.8, lambda: loop.call_soon_threadsafe(done.set_result, 1)).start()
    await done
asyncio.run(idle())
with ThreadPoolExecutor(3) as pool:
    sum(pool.map(abs, range(50)))
    time.sleep(0.6)
lock = threading.Lock()
lock.acquire()
t = threading.Thread(target=lambda: (time.sleep(0.6), lock.release()))
t.start()
lock.acquire()
t.join()
p = subprocess.Popen(["sh", "-c", "sleep 0.6; cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
p.communicate(b"x" * 200000)
EOF

mkdir "$TMP/make"
printf 'all: a b c d\na b c d:\n\tsleep 0.4; echo $@ >/dev/null\n' >"$TMP/make/Makefile"
cat >"$TMP/real" <<'EOF'
'make -s -j2 -C ../make'
'yes | head -1000 >/dev/null; (sleep 0.5; echo a) | cat'
'seq 1000 | sort -n | xargs -P2 -n100 echo | wc -l; sleep 0.5 & wait'
'timeout 0.7 tail -f /dev/null; exec bash -c "sleep 0.5 & wait; echo x | cat | cat"'
EOF

# What eBPF alone makes of locks is tried by the table above, not by the demos.
backends_for_demos()
{
	backends | sed 's/ebpf//'
}

# Only the kernel's probes take samples.
backends_that_sample()
{
	[ "$(id -u)" != 0 ] || echo ebpf auto
}

# Every case: its name, backend and command, quoted for xargs.
cases()
{
	local backend program name
	for backend in $(backends); do
		[ ! -x /usr/bin/python3 ] || printf '%s %s /usr/bin/python3 %s\n' \
			"$backend.rest.py" "$backend" "$TMP/rest.py" "$backend.abba.py" "$backend" "$TMP/abba.py"
		while read -r program name _; do
			echo "$backend.$program.$name $backend $PROGRAMS/$program $name"
		done < <(hang_table "$backend")
	done
	for backend in $(backends_for_demos); do
		while read -r name _; do
			echo "$backend.$name $backend $DEMOS/$name"
			echo "$backend.$name.fixed $backend $DEMOS/$name --fixed"
		done < <(demo_tables "$backend")
		echo "$backend.double $backend sh -c '$DEMOS/double-output | cat'"
		echo "$backend.double.fixed $backend sh -c '$DEMOS/double-output --fixed | cat'"
	done
	# The worker ends the loop when it has used half a second of processor time, however long that takes.
	for backend in $(backends_that_sample); do
		echo "$backend.spins $backend $PROGRAMS/spins"
		echo "$backend.computes $backend $PROGRAMS/spins --fixed"
	done
	awk -v backend="$(backends | awk '{ print $1 }')" '{ print "real." NR, backend, "sh -c " $0 }' "$TMP/real"
}
cases | xargs -P $JOBS -L 1 bash -c 'record "$@"' record

for backend in $(backends); do
	while read -r program name wanted; do
		begin "$backend: $program $name: ${wanted:-nothing}"
		expect_findings "$backend.$program.$name" "$wanted"
		end
	done < <(hang_table "$backend")

	begin "$backend: file locks are named by kind and path"
	cd "$TMP/$backend.hang_process.flock-crossed" || exit
	run "$PPTRACE" diagnose t.db
	expect_out 'waits for the flock on /[^ ]*/[ab]\.[0-9]+ since'
	expect_eq "$(sql t.db "SELECT count(*) FROM deadlock WHERE lock GLOB 'flock /*/[ab].*'")" 2 "members with a path"
	cd "$TMP/$backend.hang_process.ofd-crossed" || exit
	run "$PPTRACE" diagnose t.db
	expect_out 'waits for the OFD lock on /[^ ]*/[ab]\.[0-9]+ since'
	end

	begin "$backend: Python: locks in opposite orders; and an event loop, a pool, a child at rest"
	if [ -x /usr/bin/python3 ]; then
		# A lock of Python's is a semaphore: eBPF alone cannot know who took it.
		expect_findings "$backend.abba.py" "$([ "$backend" = ebpf ] && echo stuck/knot || echo deadlock/cycle)"
		expect_findings "$backend.rest.py" ""
	else
		skip "no python3"
	fi
	end
done

INFO="'orphan', 'broken-pipe', 'main-exit-kills-threads', 'merged-messages', 'lock-contention', 'lost-signal', 'interrupted-call'"
for backend in $(backends_for_demos); do
	while read -r name wanted; do
		begin "$backend: demo $name: $wanted; --fixed: nothing"
		findings "$backend.$name" "$INFO" >"$TMP/found"
		grep -qw -- "$wanted" "$TMP/found" ||
			fail "findings are '$(cat "$TMP/found")', wanted $wanted" \
				"$(head -c 1500 "$TMP/$backend.$name/err")"
		# The healthy twin may contend for a lock too: that alone is no fault.
		expect_eq "$(findings "$backend.$name.fixed" "$INFO" | sed 's/lock-contention//')" "" "findings of --fixed"
		end
	done < <(demo_tables "$backend")

	begin "$backend: a lock in an array is named with its index"
	expect_sql "$TMP/$backend.philosophers/t.db" "SELECT count(*) FROM lock WHERE name GLOB 'forks[[][0-4]]'" 5
	end

	# Only the preloaded library looks into buffers at a fork.
	begin "$backend: what was buffered at a fork and came out twice"
	expect_findings "$backend.double" duplicated-output
	expect_findings "$backend.double.fixed" ""
	end
done

for backend in $(backends_that_sample); do
	begin "$backend: a loop that looks at a variable is a busy wait, one that computes is none"
	expect_findings "$backend.spins" busy-wait
	expect_findings "$backend.computes" ""
	end
done

begin "make with a jobserver, pipelines, shells: nothing"
while read -r command; do
	real=$((${real:-0} + 1))
	expect_eq "$(findings "real.$real")" "" "findings of $command"
done <"$TMP/real"
end

# flood BACKEND OPTION COMMAND: pptrace is stopped while the command makes more records than there is room for.
flood()
{
	rm -rf gate "done" flood.db
	mkfifo gate
	TMP=$TMP timeout 60 "$PPTRACE" run -q --backend="$1" "$2" --overflow=drop -o flood.db \
		sh -c "cat gate; $3; : >done" >out 2>err </dev/null &
	local pid=$! tracer
	wait_for 10 sh -c "sqlite3 -readonly flood.db \"SELECT 1 FROM wait WHERE reason = 'fifo-open' AND end_ns IS NULL\" | grep -q 1"
	tracer=$(pgrep -P "$pid" -x pptrace)
	kill -STOP "$tracer"
	: >gate
	wait_for 40 test -e "done"
	kill -CONT "$tracer"
	wait_end "$pid"
}

for backend in $(backends); do
	begin "$backend: more than can be recorded is a loss, and said so; less is none"
	mkdir -p "$TMP/$backend.flood"
	cd "$TMP/$backend.flood" || exit
	case $backend in
	ebpf) many="python3 -c 'import os; [list(map(os.close, os.pipe())) for _ in range(30000)]'" few='echo 1 | cat >/dev/null' ;;
	*) many="$DEMOS/data-loss --count 1000000" few="$DEMOS/data-loss --fixed" ;;
	esac
	flood "$backend" --ring=1 "$many"
	run "$PPTRACE" diagnose --rule=data-loss --fail-on=info flood.db
	expect_status 1
	expect_out '^info: data-loss: [0-9]+ records were lost'
	expect_sql flood.db "SELECT sum(count) = (SELECT lost FROM trace), min(start_ns < end_ns) FROM gap" "1|1"
	run "$PPTRACE" events --kind lost flood.db
	expect_out 'lost +[0-9]+ events? lost \('
	flood "$backend" --ring=1 "$few"
	run "$PPTRACE" diagnose --rule=data-loss --fail-on=info flood.db
	expect_status 0
	end
done

begin "a deadlock is reported with both places and a remedy, in text and JSON"
cd "$TMP/$(backends | awk '{ print $NF }').deadlock-abba" || exit
run "$PPTRACE" diagnose t.db
expect_status 1
expect_out '^error: deadlock: thread .*left.* and thread .*right.* wait for each other and can never proceed'
expect_out 'waits for the mutex lock_b since .* at deadlock-abba.c:[0-9]+ \(left\)'
expect_out 'is held by thread .*right.* since .* at deadlock-abba.c:[0-9]+ \(right\)'
expect_out 'waiting behind them: main thread'
expect_out 'remedy: Take these locks in the same order'
run "$PPTRACE" diagnose --json t.db
expect_status 1
python3 -c 'import json, sys
f = json.load(open(sys.argv[1]))["findings"][0]
assert f["rule"] == "deadlock" and f["certainty"] == "certain" and f["shape"] == "cycle", f
assert len(f["members"]) == 2 and f["members"][0]["file"].endswith("deadlock-abba.c"), f' "$TMP/out" 2>"$TMP/json.err" ||
	fail "$(tail -3 "$TMP/json.err")"
expect_eq "$(sql t.db 'SELECT count(*) FROM deadlock')" 2 "rows in the view deadlock"
end

begin "exit status: 0 without findings, 1 with, 2 on errors; --fail-on, --rule, --at"
run "$PPTRACE" diagnose --fail-on=never t.db
expect_status 0
run "$PPTRACE" diagnose --rule=zombie t.db
expect_status 0
expect_out '^nothing found$'
run "$PPTRACE" diagnose --rule=nonsense t.db
expect_status 2
expect_err "no rule is called 'nonsense'"
run "$PPTRACE" diagnose --at=0 t.db
expect_status 0
run "$PPTRACE" diagnose /nonexistent.db
expect_status 2
printf 'something else' >other.db
run "$PPTRACE" diagnose other.db
expect_status 2
end

begin "explain has a lesson for every rule"
run "$PPTRACE" explain
expect_status 0
expect_eq "$(grep -c -E '^(error|warning|info) ' "$TMP/out")" "$(grep -c '^RULE' "$ROOT/schema/findings.def")" rules
for rule in $(awk '/^(error|warning|info) / { print $2 }' "$TMP/out"); do
	run "$PPTRACE" explain "$rule"
	expect_status 0
	demo=$(sed -n 's/^See it happen: pptrace demo \([^;]*\);.*/\1/p' "$TMP/out")
	[ -x "$DEMOS/$demo" ] || fail "$rule: there is no demo '$demo'"
done
run "$PPTRACE" explain nonsense
expect_status 2
end
