#!/usr/bin/env bash
# traced.sh - a recording of each demo shows what the demo is there to show.
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/../../lib.sh"

DB=$TMP/t.db

# trace COMMAND...: records it by $backend.
trace()
{
	timeout -k 5 60 "$PPTRACE" run -q --backend="$backend" --on-deadlock=kill -o "$DB" "$@" \
		>"$TMP/out" 2>"$TMP/err" <"${INPUT:-/dev/null}"
	status=$?
}

# has_hellos N: so many children have said hello.
has_hellos()
{
	[ "$(grep -c '^Hello from \(child\|thread\)' "$TMP/out")" = "$1" ]
}

# trace_lines COMMAND...: the same for a demo that is driven by lines: it gets two, each when the
# child or thread before it has spoken, and then the end of its input.
trace_lines()
{
	: >"$TMP/out"
	rm -f "$TMP/lines"
	mkfifo "$TMP/lines"
	INPUT=$TMP/lines trace "$@" &
	exec 8>"$TMP/lines"
	for n in 1 2 3; do
		wait_for 20 has_hellos $n
		sleep 0.1
		[ $n = 3 ] || echo >&8
	done
	exec 8>&-
	wait_end $!
}

processes()
{
	expect_sql "$DB" "SELECT count(*) FROM process" "$1"
}

threads()
{
	expect_sql "$DB" "SELECT count(*) FROM thread" "$1"
}

# statuses LIST: of all processes but the first, sorted, as "0*10 1*2".
statuses()
{
	expect_sql "$DB" "SELECT group_concat(status || '*' || n, ' ') FROM (SELECT count(*) AS n,
		coalesce(exit_code, 'signal ' || exit_signal) AS status FROM process WHERE id > 1
		GROUP BY coalesce(exit_code, 'signal ' || exit_signal) ORDER BY 2)" "$1"
}

# findings LIST: the rules that are broken, sorted; those of severity info only if they are asked for.
findings()
{
	expect_sql "$DB" "SELECT coalesce(group_concat(rule, ' '), '') FROM (SELECT DISTINCT rule FROM finding
		WHERE severity <> 'info' ORDER BY rule)" "$1"
}

has_info()
{
	expect_sql "$DB" "SELECT count(*) > 0 FROM finding WHERE rule = '$1'" 1
}

# turns: how often a thread of thread-count-mutex had its turn; on a busy machine it ends before all thirty.
turns()
{
	grep -c '=>' "$TMP/out"
}

complete()
{
	expect_sql "$DB" "SELECT complete, lost FROM trace" "1|0"
}

for backend in $(backends); do

begin "$backend: fork1: children of one parent, zombies until it ends"
trace_lines "$DEMOS/fork1"
processes 4
statuses "0*3"
expect_sql "$DB" "SELECT count(*) FROM process WHERE reaped_ns IS NOT NULL AND id > 1" 0
expect_sql "$DB" "SELECT count(*) FROM zombie" 3
findings ""
complete
end

begin "$backend: fork-count: ten orphans"
trace "$DEMOS/fork-count" --delay 0.05
expect_status 0
processes 11
statuses "0*10"
expect_sql "$DB" "SELECT count(*) FROM orphan" 10
expect_sql "$DB" "SELECT count(*) FROM process p JOIN process q ON q.id = p.parent_id WHERE q.id = 1" 10
findings ""
complete
end

begin "$backend: fork-exec: one process, two programs"
trace_lines "$DEMOS/fork-exec"
processes 4
expect_sql "$DB" "SELECT count(*), count(DISTINCT process_id) FROM exec WHERE errno IS NULL AND path LIKE '%/child'" "3|3"
expect_sql "$DB" "SELECT group_concat(json_extract(argv, '\$[1]'), ' ') FROM exec WHERE path LIKE '%/child'" "1 2 3"
end

begin "$backend: thread1: lanes inside one process"
trace_lines "$DEMOS/thread1"
processes 1
threads 4
findings ""
end

for demo in thread-count thread-classes; do
	begin "$backend: $demo"
	trace "$DEMOS/$demo" --delay 0.1
	expect_status 0
	processes 1
	threads 11
	findings ""
	expect_sql "$DB" "SELECT count(*) FROM finding WHERE rule = 'main-exit-kills-threads'" 0
	end
done

if [ "$backend" != shim ]; then
	begin "$backend: thread-count-wait2: a busy wait without any lock"
	trace "$DEMOS/thread-count-wait2" --delay 0.7
	expect_status 0
	threads 11
	# 0.1 s of it must be seen; on a machine that is busy with other things it does not come to that.
	if [ "$(sql "$DB" "SELECT coalesce(sum(cpu_ns), 0) < 250000000 FROM sample WHERE thread_id = 1")" = 1 ]; then
		skip "the machine is too busy for a busy wait"
	else
		findings "busy-wait"
	fi
	expect_sql "$DB" "SELECT count(*) FROM spin s JOIN site i ON i.id = s.site_id WHERE i.file LIKE '%thread-count-wait2.c'
		AND i.function = 'main' HAVING count(*) > 0" "$(sql "$DB" "SELECT count(*) FROM spin")"
	end
fi

begin "$backend: thread-count --early: main ends its threads"
trace "$DEMOS/thread-count" --early
expect_status 0
threads 11
has_info main-exit-kills-threads
end

if [ "$backend" != ebpf ]; then
	begin "$backend: thread-count-mutex: turns on one lock"
	trace "$DEMOS/thread-count-mutex" --pause 0.1
	expect_status 0
	expect_sql "$DB" "SELECT sum(coalesce(count, 1)), count(DISTINCT h.thread_id) FROM lock_hold h JOIN lock l ON l.id = h.lock_id
		WHERE l.name = 'print_mutex'" "$(($(turns) + 1))|11"
	findings ""
	end

	begin "$backend: adder: holds on one lock, or none"
	trace "$DEMOS/adder" --lock --delay 0.05
	expect_eq "$(cat "$TMP/out")" 200 sum
	threads 101
	expect_sql "$DB" "SELECT sum(coalesce(count, 1)) FROM lock_hold h JOIN lock l ON l.id = h.lock_id WHERE l.name = 'mutex'" 200
	trace "$DEMOS/adder" --delay 0.05
	expect_sql "$DB" "SELECT count(*) FROM lock_hold h JOIN lock l ON l.id = h.lock_id WHERE l.name = 'mutex'" 0
	findings ""
	end

	begin "$backend: thread-count-wait1: asks with trylock until the lock is taken"
	trace "$DEMOS/thread-count-wait1" --delay 0.1
	expect_status 0
	expect_sql "$DB" "SELECT count(*) FROM finding WHERE rule = 'busy-wait'" 1
	expect_sql "$DB" "SELECT tries > 1000 FROM spin" 1
	end

	begin "$backend: thread-count-mutex --delay: sleeps while others want the lock"
	trace "$DEMOS/thread-count-mutex" --delay 0.02
	expect_sql "$DB" "SELECT count(*) FROM lock_hold h JOIN lock l ON l.id = h.lock_id
		WHERE l.name = 'print_mutex' AND h.release_ns - h.acquire_ns >= 20000000" "$(turns)"
	findings "sleep-holding-lock"
	end
fi

begin "$backend: testexit_sys, testexit_os: statuses"
trace "$DEMOS/testexit_sys"
expect_status 42
expect_sql "$DB" "SELECT exit_code, end_kind FROM process; SELECT exit_code FROM trace" "$(printf '42|exit\n42')"
trace "$DEMOS/testexit_os"
expect_status 99
expect_sql "$DB" "SELECT exit_code, end_kind FROM process" "99|exit"
end

begin "$backend: testexit_fork: reaped at once, status 1 every time"
trace_lines "$DEMOS/testexit_fork"
processes 4
statuses "1*3"
expect_sql "$DB" "SELECT count(*) FROM process WHERE reaper_id = 1" 3
expect_sql "$DB" "SELECT count(*) FROM zombie" 0
end

begin "$backend: testexit_thread: shared memory"
trace_lines "$DEMOS/testexit_thread"
threads 4
expect_eq "$(sed -E 's/^Hello from child [0-9]+ //' "$TMP/out" | tr '\n' ' ')" "1 2 3 " "shared numbers"
end

begin "$backend: shell-exits: statuses passed up"
trace "$DEMOS/shell-exits"
expect_status 0
expect_sql "$DB" "SELECT sum(exit_code = 42) = sum(exit_code = 99), sum(exit_code = 42) >= 2 FROM process WHERE id > 1" "1|1"
expect_sql "$DB" "SELECT count(*) FROM exec WHERE path LIKE '%testexit_sys'" 2
expect_sql "$DB" "SELECT count(*) FROM exec WHERE path LIKE '%/sh'" 4
findings ""
end

begin "$backend: pipe1: two writes come out of one read"
trace "$DEMOS/pipe1" --delay 0.02 --count 20
expect_status 0
has_info merged-messages
expect_sql "$DB" "SELECT written, read, writes FROM pipe_flow WHERE written = 160" "160|160|20"
expect_sql "$DB" "SELECT count(*) > 0 FROM pipe_io WHERE CAST(data AS TEXT) = 'Spam 004Spam 000'" 1
findings ""
end

begin "$backend: pipe2: one message a line, clean ends"
trace "$DEMOS/pipe2" --delay 0.02 --count 20
expect_status 0
expect_sql "$DB" "SELECT written, read, writes FROM pipe_flow WHERE written = 180" "180|180|20"
expect_sql "$DB" "SELECT count(*) FROM pipe_end e WHERE close_via = 'close'
	AND pipe_id = (SELECT pipe_id FROM pipe_flow WHERE written = 180)" 3
findings ""
end

begin "$backend: pipes: request and reply"
trace "$DEMOS/pipes" --delay 0.05
expect_status 0
processes 2
expect_sql "$DB" "SELECT count(*) FROM pipe_flow WHERE writer = 'pipes' AND reader = 'pipes-testchild'
	AND writes = 2" 1
expect_sql "$DB" "SELECT count(*) FROM pipe_flow WHERE writer = 'pipes-testchild' AND reader = 'pipes'
	AND writes = 2" 1
findings ""
end

begin "$backend: pipes --no-flush: a deadlock, both reading, both with unflushed output"
trace "$DEMOS/pipes" --delay 0.05 --no-flush
expect_status 124
expect_err 'deadlock: .*pipes'
expect_sql "$DB" "SELECT certainty, shape FROM finding WHERE rule = 'deadlock'" "certain|cycle"
expect_sql "$DB" "SELECT count(*) FROM finding f JOIN finding_member m ON m.finding_id = f.id
	JOIN thread t ON t.id = m.thread_id JOIN process p ON p.id = t.process_id
	WHERE f.rule = 'deadlock' AND p.name IN ('pipes', 'pipes-testchild')" 2
expect_sql "$DB" "SELECT count(DISTINCT process_id) FROM stdio WHERE pending > 0 AND pipe_id IS NOT NULL" 2
findings "deadlock unflushed-output"
end

begin "$backend: pipefifo: a wait on open until both are there"
trace "$DEMOS/pipefifo" --both --path "$TMP/fifo" --count 6 --delay 0.02
expect_status 0
expect_sql "$DB" "SELECT kind FROM pipe WHERE kind = 'fifo'" fifo
expect_sql "$DB" "SELECT written, read FROM pipe_flow WHERE kind = 'fifo'" "54|54"
expect_sql "$DB" "SELECT count(*) >= 1 FROM wait WHERE reason = 'fifo-open'" 1
findings ""
end

begin "$backend: signal1: sender, delivery, handler"
trace "$DEMOS/signal1" 12 --sender --count 3 --delay 0.05
expect_status 0
expect_sql "$DB" "SELECT count(*), sum(delivered_ns IS NOT NULL), sum(disposition = 'handler') FROM signal
	WHERE name = 'SIGUSR2' AND source = 'kill' AND process_id = 1
	AND sender_id IN (SELECT id FROM thread WHERE process_id = 2)" "3|3|3"
expect_sql "$DB" "SELECT DISTINCT s.function FROM signal g JOIN site s ON s.id = g.handler_site_id
	WHERE g.name = 'SIGUSR2'" on_signal
end

begin "$backend: signal2: timer signals"
trace "$DEMOS/signal2" --delay 0.05 --count 3
expect_status 0
expect_sql "$DB" "SELECT count(*), sum(disposition = 'handler') FROM signal WHERE name = 'SIGALRM' AND source = 'timer'" "3|3"
expect_sql "$DB" "SELECT count(*) FROM timer WHERE kind = 'real' AND signo = 14" 3
end

begin "$backend: spawnv: ten execs without a visible fork"
trace "$DEMOS/spawnv"
expect_status 0
processes 11
statuses "0*10"
expect_sql "$DB" "SELECT count(*) FROM exec WHERE path LIKE '%/child' AND errno IS NULL" 10
expect_sql "$DB" "SELECT count(*) FROM process WHERE id > 1 AND created_by IN ('posix_spawn', 'vfork')" 10
trace "$DEMOS/spawnv" --mode overlay
processes 1
expect_sql "$DB" "SELECT count(*) FROM exec WHERE errno IS NULL" 2
end

begin "$backend: start and launchmodes: who waits for whom"
for how in system popen; do
	trace "$DEMOS/start" --how $how
	expect_sql "$DB" "SELECT count(*) FROM exec WHERE path LIKE '%/child' AND errno IS NULL" 5
	expect_sql "$DB" "SELECT count(*) FROM process WHERE id > 1 AND reaped_ns IS NULL" 0
	findings ""
done
trace "$DEMOS/start" --how detach
processes 6
expect_sql "$DB" "SELECT count(*) FROM process WHERE id > 1 AND reaper_id IS NOT NULL" 0
trace "$DEMOS/launchmodes"
expect_sql "$DB" "SELECT count(*) FROM exec WHERE path LIKE '%/child' AND errno IS NULL" 5
findings ""
end

done

# A terminal of its own for a program that waits for Enter.
begin "child-wait: a wait for the terminal is no deadlock"
if command -v script >/dev/null; then
	mkfifo "$TMP/keys"
	exec 9<>"$TMP/keys"
	timeout 30 script -qec "'$PPTRACE' run -q --watch 0.2 -o '$DB' '$DEMOS/child-wait' 1" /dev/null \
		<"$TMP/keys" >"$TMP/out" 2>&1 &
	sleep 1
	printf '\n' >&9
	wait_end $!
	exec 9>&-
	expect_sql "$DB" "SELECT count(*) FROM wait WHERE reason = 'tty' AND end_ns - start_ns > 300000000" 1
	expect_sql "$DB" "SELECT count(*) FROM finding WHERE severity <> 'info'" 0
else
	skip "script(1) is not here"
fi
end
