#!/usr/bin/env bash
# python.sh - the demos in Python do what their twins in C do, and so do their recordings say, in Python's names and lines.
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/../../lib.sh"

# Its buffers are a part of what is shown.
unset PYTHONUNBUFFERED
PYTHON=/usr/bin/python3
if [ ! -x "$PYTHON" ]; then
	begin "demos in Python"
	skip "there is no $PYTHON"
	end
	exit 0
fi

# trace NAME ARGUMENT...: records the demo in C and in Python, by $backend, into c.db and py.db.
trace()
{
	local name=$1
	shift
	record c "$DEMOS/$name" "$@"
	record py "$PYTHON" "$DEMOS/python/$name.py" "$@"
}

# record WHAT COMMAND...: into WHAT.db; a demo that is driven by lines gets two, each when the child or thread before
# it has spoken, and then the end of its input.
record()
{
	local what=$1
	shift
	: >out
	if [ -z "$LINES_FOR" ]; then
		record_with /dev/null "$what" "$@"
		return
	fi
	rm -f lines
	mkfifo lines
	record_with lines "$what" "$@" &
	exec 8>lines
	for n in 1 2 3; do
		wait_for 20 has_lines "$n"
		[ "$n" = 3 ] || echo >&8 || break
	done
	exec 8>&-
	wait_end $!
}
LINES_FOR='' FLEETING=''

record_with()
{
	timeout -k 5 60 "$PPTRACE" run -q --backend="$backend" --watch=0.1 --on-deadlock=kill -o "$2.db" "${@:3}" >"$TMP/out" 2>"$TMP/$2.err" <"$1"
	echo $? >"$2.status"
	cp "$TMP/out" "$2.out"
}

has_lines()
{
	[ "$(grep -cE "$LINES_FOR" out)" -ge "$1" ]
}

# shape WHAT: the processes with their ends, threads and programs; the bytes in pipes; the signals, of one recording.
# Whether SIGCHLD finds the parent awake is chance, and so is with the shim who reaps the children of a parent that ends.
shape()
{
	sql "$1.db" "SELECT 'process', t.depth, replace(coalesce(p.program, p.name), '.py', ''), t.ended, t.threads, t.execs,
			iif('$backend' = 'shim', 0, p.reaped_ns IS NOT NULL)
		FROM process_tree t JOIN process p ON p.id = t.process_id ORDER BY 2, 3, 4, 5, 6, 7;
		SELECT 'pipe', kind, replace(writer, '.py', ''), writes, iif(written = read AND writer IN ('pipes', 'pipes-testchild', 'pipes.py',
			'pipes-testchild.py'), 'all', written), replace(reader, '.py', ''), read = written FROM pipe_flow ORDER BY 3, 4, 5, 6;
		SELECT 'signal', signal, iif(typeof(sender) = 'text', sender, replace(sender_name, '.py', '')), replace(receiver_name, '.py', ''),
			sent, iif(signal = 'SIGCHLD', 0, taken), handled FROM signal_flow ORDER BY 2, 3, 4;
		SELECT 'orphans', count(*) FROM orphan;
		SELECT 'zombies', iif('$backend' = 'shim', 0, (SELECT count(*) FROM zombie));
		SELECT 'timers', kind, signo, count(*) FROM timer GROUP BY kind, signo;
		SELECT DISTINCT 'finding', rule, certainty, shape FROM finding WHERE rule NOT IN ('busy-wait', 'lock-contention', 'interrupted-call') ORDER BY rule;
		SELECT 'trace', exit_code, exit_signal, complete FROM trace"
}

# The numbers and times of this run.
text_of()
{
	sed -E 's/[1-9][0-9]{2,}(\.[0-9]+)?/N/g' "$1.out" | sort
}

# twins NAME: the two recordings have one shape, and the programs have written the same.
twins()
{
	shape c >c.shape
	shape py >py.shape
	[ -z "$FLEETING" ] || sed -i -E "/$FLEETING/d" c.shape py.shape
	diff c.shape py.shape >difference || fail "$1: the recordings differ" "$(cat difference)"
	grep -q "^process|0|$1|" py.shape || fail "$1 is not called so" "$(cat py.shape)"
	expect_eq "$(cat py.status)" "$(cat c.status)" "$1: status"
	diff <(text_of c) <(text_of py) >difference || fail "$1: what they write differs" "$(cat difference)"
}

# place NAME TEXT: the line of the demo with this text, as pptrace names it.
place()
{
	grep -nF -- "$2" "$ROOT/demos/python/$1.py" | head -1 | sed "s/:.*//; s/^/$1.py:/"
}

# waits_at REASON TEXT FUNCTION: some thread of the Python demo waited so at that line.
waits_at()
{
	expect_sql py.db "SELECT count(*) > 0 FROM wait w JOIN site s ON s.id = w.site_id
		WHERE w.reason = '$1' AND s.language = 'python' AND s.function = '$3'
		AND replace(s.file, rtrim(s.file, replace(s.file, '/', '')), '') || ':' || s.line = '$(place "$name" "$2")'" 1
}

# on_backend NAME: all of it with one way of capture.
on_backend()
{
backend=$1

for name in fork1 fork-exec testexit_fork; do
	begin "$backend: $name, line by line"
	case $name in
	fork-exec) LINES_FOR='^Hello from child [0-9]+ [0-9]+$' ;;
	fork1) LINES_FOR='^Hello from child' ;;
	*) LINES_FOR='^Parent got' ;;
	esac
	# Whether the last child ends before its parent is chance; its number may have more digits than another's.
	FLEETING='^orphans|^zombies|^finding.orphan|^finding.zombie|SIGCHLD'
	trace "$name"
	LINES_FOR=''
	twins "$name"
	FLEETING=''
	end
done

for name in thread1 testexit_thread; do
	begin "$backend: $name: threads of one process"
	LINES_FOR='^Hello from'
	trace "$name"
	LINES_FOR=''
	twins "$name"
	expect_sql py.db "SELECT count(*) FROM thread" 4
	end
done

begin "$backend: fork-count: ten orphans"
trace fork-count --delay 0.7 --count 2
twins fork-count
grep -qx 'orphans|10' py.shape || fail "$(cat py.shape)"
end

for name in thread-count thread-classes; do
	begin "$backend: $name: eleven threads"
	trace "$name" --delay 1 --count 2
	twins "$name"
	expect_sql py.db "SELECT count(*) FROM thread" 11
	end
done
waits_at join 'counter.join()' '<module>'
expect_sql py.db "SELECT count(*) FROM thread WHERE runtime_name LIKE 'counter _'" 10

begin "$backend: thread-count --early: main ends its threads"
trace thread-count --early
twins thread-count
grep -q '^finding|main-exit-kills-threads|' py.shape || fail "$(cat py.shape)"
end

begin "$backend: thread-count-mutex: turns on one lock, which is called by its name"
name=thread-count-mutex
record py "$PYTHON" "$DEMOS/python/$name.py" --delay 0.05 --count 1
expect_eq "$(grep -c '=>' py.out)" 10 turns
expect_sql py.db "SELECT DISTINCT name, type FROM lock WHERE name = 'print_mutex'" "print_mutex|threading.Lock"
expect_sql py.db "SELECT count(DISTINCT w.thread_id) >= 5 FROM wait w JOIN lock l ON l.id = w.lock_id WHERE l.name = 'print_mutex'" 1
waits_at sem 'with print_mutex:' counter
end

for name in testexit_sys testexit_os; do
	begin "$backend: $name: statuses"
	trace "$name"
	twins "$name"
	expect_eq "$(grep -c '^exit handler ran$' py.err)" "$(grep -c '^exit handler ran$' c.err)" "exit handlers"
	end
done

begin "$backend: pipe1: two writes come out of one read"
# What is read together depends on who runs when.
for _ in 1 2 3 4 5; do
	trace pipe1 --delay 0.03 --count 10
	shape py >py.shape
	! grep -q '^finding|merged-messages|' py.shape || break
done
cp py.out c.out
twins pipe1
grep -q '^pipe|pipe|pipe1|10|80|pipe1|1$' py.shape || fail "$(cat py.shape)"
grep -q '^finding|merged-messages|' py.shape || fail "$(cat py.shape)"
end

begin "$backend: pipe2: one message a line, clean ends"
trace pipe2 --delay 0.03 --count 10
twins pipe2
end

begin "$backend: pipes: request and reply"
trace pipes --delay 0.2
twins pipes
grep -q '^pipe|pipe|pipes-testchild|2|' py.shape || fail "$(cat py.shape)"
end

begin "$backend: pipes --no-flush: a deadlock, both reading, at the lines that read"
trace pipes --no-flush --delay 0.05
for what in c py; do
	expect_eq "$(cat $what.status)" 124 "$what: status"
	expect_sql $what.db "SELECT certainty, shape FROM finding WHERE rule = 'deadlock'" "certain|cycle"
done
"$PPTRACE" diagnose py.db >out 2>err
expect_out 'waits to read from the empty pipe [0-9]+ \(pipes.py -> pipes-testchild.py\)'
for name in pipes pipes-testchild; do
	expect_out "waits to read from the empty pipe .* at $(place "$name" 'sys.stdin.readline()') \("
done
end

begin "$backend: pipefifo: a wait on open until both are there"
trace pipefifo --both --path "$TMP/fifo" --count 6 --delay 0.03
twins pipefifo
expect_sql py.db "SELECT count(*) >= 1 FROM wait WHERE reason = 'fifo-open'" 1
end

begin "$backend: signal1, signal2: senders, timers, handlers"
# Whether the sender ends before the receiver is chance.
FLEETING='^orphans|^zombies|^finding.orphan|^finding.zombie|SIGCHLD'
trace signal1 12 --sender --count 3 --delay 0.15
twins signal1
FLEETING=''
expect_sql py.db "SELECT count(*), sum(disposition = 'handler') FROM signal WHERE name = 'SIGUSR2' AND source = 'kill'" "3|3"
trace signal2 --delay 0.3 --count 2
twins signal2
end

begin "$backend: spawnv: ten programs without a visible fork"
for mode in nowait wait overlay; do
	trace spawnv --mode $mode
	sort -o c.out c.out
	twins "$([ $mode = overlay ] && echo child || echo spawnv)"
done
expect_sql py.db "SELECT count(*) FROM exec WHERE errno IS NULL" 2
end

begin "$backend: launchmodes: five ways to start a program"
trace launchmodes
shape py >py.shape
expect_eq "$(cat py.status)" 0 status
diff <(text_of c) <(text_of py) >difference || fail "what they write differs" "$(cat difference)"
expect_sql py.db "SELECT count(*) FROM process WHERE program = 'child.py'" 5
expect_sql py.db "SELECT count(*) FROM process WHERE id > 1 AND reaped_ns IS NULL" 0
end
}
# shellcheck disable=SC2046
side_by_side on_backend $(backends)

for name in thread-count-wait1 thread-count-wait2; do
	begin "$name: main looks at its threads all the time"
	run "$PYTHON" "$DEMOS/python/$name.py" --delay 0.02
	expect_status 0
	expect_eq "$(grep -c '=>' out)" 30 numbers
	expect_out '^Main thread exiting.$'
	end
done

begin "pptrace demo runs them by their name, and --help lists their options"
run "$PPTRACE" demo -o demo.db python/pipe2
expect_status 0
expect_out '^\$ pptrace run .*python3 .*/python/pipe2.py --delay 0.1 --count 12$'
expect_out '^pipe2.py +[0-9]+'
run "$PPTRACE" demo python/pipe2 --help
expect_status 0
expect_out '^usage: pipe2.py '
run "$PPTRACE" demo python/pipe3
expect_status 2
expect_err "did you mean .python/pipe1"
end

begin "every demo says a usage error with status 2"
for f in "$ROOT"/demos/python/*.py; do
	grep -q argparse "$f" || continue
	run "$PYTHON" "$f" --nonsense
	expect_status 2
	run "$PYTHON" "$f" --help
	expect_status 0
done
end
