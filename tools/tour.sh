#!/bin/bash
# tour.sh - write doc/tour.md: what it shows is what the commands really print.
# SPDX-License-Identifier: MIT
#
# usage: tools/tour.sh      writes doc/fork-count.svg as well; as root, after make; takes about half a minute; wants kernel.core_pattern = core
set -u
cd "$(dirname "$0")/.." || exit 1
root=$PWD
# Debian's python3: another may be a script that looks for one, with processes of its own.
export PATH=$root/build:/usr/bin:$PATH COLUMNS=100 NO_COLOR=1 LC_ALL=C.UTF-8
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
# What the caller has open does not belong to the programs.
for fd in /proc/"$$"/fd/*; do
	fd=${fd##*/}
	[ "$fd" -le 2 ] || [ "$fd" = 255 ] || eval "exec $fd>&-"
done
ln -s "$root/build/demos" demos

# show COMMAND: the command as it is typed, and what it prints, indented as a block.
show()
{
	printf '    $ %s\n' "$1"
	# Into a file: a pipe of ours would be in the recording.
	bash -c "$1" >out.txt 2>&1 </dev/null
	sed "s|$work/||g; s/^/    /; s/[ \t]*\$//" out.txt
	echo
}

# short LINES: the first lines of a block, and that there are more.
short()
{
	awk -v most="$1" 'NR <= most; END { if (NR > most) print "    ..."; print "" }'
}

# quiet COMMAND: runs it, shows nothing.
quiet()
{
	bash -c "$1" >/dev/null 2>&1
}

{
cat <<'END'
# A guided tour

![Timeline of fork-count: a parent that forks ten children and leaves first](fork-count.svg)

<!-- Written by tools/tour.sh, which runs every command below. -->

Each stop is a small program of `demos/`, in plain C to read beside it. Build first (`make`), then type along: `build/` is in the
PATH here, and `demos` stands for `build/demos`. `pptrace demo NAME` does all of one stop at once.

## Children that outlive their parent

`fork-count` forks ten children, which count side by side, and leaves without waiting for them.

END
show 'pptrace run demos/fork-count --delay 0.1 --count 3 --children 3'
cat <<'END'
The output is the program's own; pptrace speaks on stderr only. The recording is in `pptrace.db`. Who created whom, and how did
they end?

END
show 'pptrace tree -T txt'
cat <<'END'
Orphans: they went on when their parent was gone. What did each do over time?

END
show 'pptrace timeline -T txt'
cat <<'END'
Without `-T txt` the same pictures are drawn by Graphviz into `pptrace-tree.svg` and `pptrace-timeline.svg`; `pptrace report`
puts everything on one page. Line by line, like strace:

END
show 'pptrace events | head -12'
cat <<'END'
## Zombies

`fork1` forks a child for every line that it reads, and never waits for any.

END
quiet '(sleep 1.5; echo; sleep 0.5; echo; sleep 0.5; echo q) | pptrace run demos/fork1'
printf '    $ pptrace run demos/fork1        (Enter, Enter, q)\n\n'
show 'pptrace query exits'
cat <<'END'
Nobody reaped the children: that column is empty. How long were they zombies?

END
show 'pptrace query "SELECT pid, parent, zombie_ns / 1e6 AS ms FROM zombie"'
cat <<'END'
## Two writes, one read

A pipe keeps no message boundaries. `pipe1` writes messages without a separator, two of them in quick succession.

END
show 'pptrace run demos/pipe1 --delay 0.05 --count 8'
show 'pptrace diagnose'
show 'pptrace pipes -T txt'
cat <<'END'
`pipe2` ends each message with a newline and closes the ends that it does not use. Compare `pptrace query unclosed_pipe_end`.

## One lock

Ten threads take turns in printing. With `--delay` each sleeps while it holds the mutex, and the others wait.

END
quiet 'pptrace run demos/thread-count-mutex --delay 0.02'
printf '    $ pptrace run demos/thread-count-mutex --delay 0.02\n\n'
show 'pptrace diagnose'
show 'pptrace locks -T txt'
cat <<'END'
## A hundred threads, one number

END
show 'pptrace run -q demos/adder; pptrace run -q demos/adder --lock'
cat <<'END'
The first sum is wrong, and pptrace does not say so: no lock, no record. It sees how programs synchronise, not what they
forget to (helgrind and ThreadSanitizer do). The second has its 200 holds:

END
show 'pptrace query lock_contention'
cat <<'END'
## Signals

END
quiet 'pptrace run demos/signal1 10 --sender --count 3 --delay 0.1'
printf '    $ pptrace run demos/signal1 10 --sender --count 3 --delay 0.1\n\n'
show 'pptrace events --kind signal,handler'
cat <<'END'
## What took so long

`xargs -P2` runs two jobs at a time. Which of them decided when it was done? Not the longest one alone, but the chain of those that
had to wait for each other's place:

END
show 'pptrace run -q sh -c '"'"'seq 6 | xargs -P2 -n1 sh -c "sleep 0.\$0"'"'"'; pptrace path' | short 21
cat <<'END'
`pptrace path -o path.svg` draws the threads that it goes through, `pptrace timeline --path` all of them, and the page of `pptrace
report` shows it as a line below the bars.

## A deadlock between two processes

`pipes` starts another program and talks with it over two pipes. Without `fflush` each waits for what the other one has not sent
yet. pptrace notices while it happens, and `--on-deadlock=kill` ends it, with status 124:

END
show 'pptrace run --on-deadlock=kill demos/pipes --no-flush --delay 0.1; echo "status $?"'
cat <<'END'
A picture of who waits for whom at that moment:

END
show 'pptrace waits -T txt'
cat <<'END'
## A deadlock between two threads

END
show 'pptrace run -q --on-deadlock=kill demos/deadlock-abba; echo "status $?"'
cat <<'END'
With `--fixed` the same program takes its locks in one order, and nothing is found. Every rule but those of MPI has such a
pair; `pptrace explain` lists them:

END
show 'pptrace explain | head -12'
cat <<'END'
## The same in Python

`demos/python/` has twins of the demos about processes, threads, pipes and signals, in Python 3. What they do is what their
twins in C do, and the recordings tell the same: the interpreter makes the same system calls.

END
show 'pptrace run -q demos/python/fork-count.py --delay 0.1 --count 3 --children 3; pptrace tree -T txt'
cat <<'END'
What waits long enough (`--watch`, a second) to be looked at has Python's names: threads as `threading` calls them, locks by
the variables that hold them, lines of the script. Ten threads, one lock, held during a sleep:

END
quiet 'pptrace run --watch 0.1 demos/python/thread-count-mutex.py --delay 0.05'
printf '    $ pptrace run --watch 0.1 demos/python/thread-count-mutex.py --delay 0.05\n\n'
show 'pptrace query "SELECT l.name AS lock, l.type, count(*) AS waits, s.function, s.line FROM wait w JOIN lock l ON l.id = w.lock_id JOIN site s ON s.id = w.site_id WHERE s.language = '"'python'"' GROUP BY 1, 2, 4, 5"'
cat <<'END'
And the two programs that wait for each other's output, which Python keeps in its buffer as C does. The lines are those of
the scripts (with `PYTHONUNBUFFERED` set there is nothing to flush, and they do not deadlock):

END
show 'env -u PYTHONUNBUFFERED pptrace run -q --on-deadlock=kill demos/python/pipes.py --no-flush --delay 0.1; echo "status $?"'
cat <<'END'
`pptrace demo python/pipes` does it all at once; `pptrace demo` lists the others. A thread of Python that waits in `while not
done: pass` (`python/thread-count-wait2`) keeps a processor busy like its twin, and the interpreter's own lock as well.

## A program that is already hanging

Nothing needs to have been recorded before:

END
# A core file in this folder, if the system writes such (kernel.core_pattern is "core").
(ulimit -c unlimited; exec demos/deadlock-abba) >/dev/null 2>&1 &
hanging=$!
sleep 1
printf '    $ demos/deadlock-abba &\n'
printf '    $ pptrace why $!\n'
pptrace why "$hanging" 2>&1 | sed 's/^/    /; s/[ \t]*$//'
echo
cat <<'END'
With `-v` each thread has its whole stack. Where a program locks through a function of its own, all of its threads are at that
function's one line; then the callers that differ are told too: `at lock.c:5 (my_lock), called from bank.c:30 (transfer)`. Where a lock was
*taken* is known only while that call lasts: `pptrace run --stacks` records the callers of each acquisition (in a debug build of C++, whose headers take the lock, they are recorded anyway).

A program that hung on another machine may have left a core file, which answers the same question:

END
kill -ABRT "$hanging"
wait "$hanging" 2>/dev/null
mv core.* core 2>/dev/null
printf '    $ kill -ABRT $!; pptrace why core\n'
pptrace why core 2>&1 | sed 's/^/    /; s/[ \t]*$//' | short 3
cat <<'END'
## Your own questions

A recording is an SQLite file. `pptrace query` lists the prepared queries; anything else is SQL:

END
quiet 'pptrace run demos/shell-exits'
printf '    $ pptrace run demos/shell-exits\n\n'
show 'pptrace query programs'
show "pptrace query \"SELECT name, exit_code, count(*) AS n FROM process GROUP BY 1, 2 ORDER BY 1, 2\""
cat <<'END'
[schema.md](schema.md) describes every table and view; `pptrace query --schema` prints the same from the file. `pptrace export`
writes a recording for Perfetto, as JSON lines, as CSV or as folded stacks, of which `pptrace flame` draws a flame graph.
END
} >tour.md
sed 's/[ \t]*$//' tour.md >"$root/doc/tour.md"
quiet 'pptrace run demos/fork-count --delay 0.2'
quiet 'pptrace timeline -o fork-count.svg'
cp fork-count.svg "$root/doc/fork-count.svg"
