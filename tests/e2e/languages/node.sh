#!/usr/bin/env bash
# node.sh - Node.js programs: event loops and what they wait for, Workers, lines of JavaScript; idle servers are not accused.
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/../../lib.sh"
. "$ROOT/tests/lib_why.sh"
. "$ROOT/tests/lib_release.sh"

NODE=$(readlink -f "$(command -v node)")
if [ ! -x "$NODE" ]; then
	begin "Node.js programs"
	skip "there is no node"
	end
	exit 0
fi
CASES=$ROOT/tests/node/cases.js
# Certificates that the machine adds cost Node 800,000 locks of OpenSSL at its start.
unset NODE_EXTRA_CA_CERTS
MAPPED=(--perf-basic-prof --interpreted-frames-native-stack)

# says PATTERN: a line of pptrace why matches it now.
says()
{
	"$PPTRACE" why "$pid" >out 2>&1
	grep -Eq -- "$1" out
}

# Whoever starts Node with a perf map has it removed.
stop_mapped()
{
	stop
	rm -f "/tmp/perf-$pid.map"
}

begin "why, Node: the event loop of an idle server, which is not accused"
start "$NODE" "$CASES" server
wait_for 30 says 'listening socket 127.0.0.1'
for _ in 1 2 3; do
	run "$PPTRACE" why "$pid"
	expect_status 0
	expect_out '^No deadlock was found'
done
expect_out "^ +[0-9]+  node: waits for one of: the event loop's [0-9]+ descriptors"
expect_out '^ +- descriptor [0-9]+: listening socket 127.0.0.1:[0-9]+'
stop
end

begin "why, Node: what is not seen is said, and which tool shows it"
expect_out '^  the promises and callbacks of Node.js \(node --inspect shows them\): cases.js\[[0-9]+\]$'
end

begin "why, Node: a child that waits for more, by the socket to it"
start "$NODE" "$CASES" dialogue
wait_for 30 says 'descriptor [0-9]+: socketpair [0-9]+ \(cases.js <-> sort\), other end: sort\['
expect_out "^ +[0-9]+  node: waits for one of: the event loop's [0-9]+ descriptors"
expect_out '^ +[0-9]+  sort: waits to read from the empty socketpair'
stop
end

child_text()
{
	cat <<-'T'
	warning: stuck: main thread of cases.js[PID] and head[PID] wait for each other
	  cycle of 2, conditional
	  main thread of cases.js[PID]
	      polls SET
	      whose write end is open in cases.js[PID] (fd N)
	  head[PID]
	      waits to write to the full socketpair N (cases.js <-> head),
	      whose other side is open in cases.js[PID] (fd N)
	  unless it is an idle event loop that only a signal ends (the program has installed no handler)
	  unless the kernel, or a process that was given the eventfd, writes or reads it
	  remedy: Read while writing: poll both directions, or use a thread for each.
	T
}

# same_child FILE: the finding in the file is as wanted, the whole text. What Debian's own releases listen for is not known: their libuv has no name for it.
same_child()
{
	findings "$1" | sed -E 's/(polls) .*/\1 SET/; s/\(SIG[A-Z0-9, ]*\)/(SIGNALS)/; s/ at busybox\+ADDRESS//; / through its io_uring$/d; / after which it has begun it again each time$/d' | sort >.found
	if [ -z "${RELEASE:-}" ]; then child_text; else child_text | sed 's/^  unless it is an idle event loop .*/  unless a signal whose handler is installed arrives (SIGNALS) and its handler releases them/'; fi | sort | diff - .found >.difference || fail "found (>) and wanted (<) differ" "$(cat .difference)" "$(show)"
}

begin "why, Node: a child whose output nobody reads"
start "$NODE" "$CASES" child
wait_for 30 says '^warning: stuck'
run "$PPTRACE" why "$pid"
expect_status 0
same_child out
stop
end

# What is built in and what the program is, from V8's memory; a perf map changes nothing in that.
begin "why, Node: lines of JavaScript, also where Node writes a perf map"
for options in "" "${MAPPED[*]}"; do
	# shellcheck disable=SC2086
	start "$NODE" $options "$CASES" sync
	wait_for 30 says '^ +at cases.js:27 \(sync\)$'
	expect_out '^ +[0-9]+  node: waits for its child sleep\[[0-9]+\] to exit'
	"$PPTRACE" why -v "$pid" >out 2>&1
	expect_out '^ +at child_process:[0-9]+ \(spawnSync\)$'
	expect_out '^ +at cases.js:76 \(anonymous\)$'
	stop_mapped
done
end

begin "why, Node: a Worker in Atomics.wait, and the threads that serve V8"
if ! nm "$NODE" 2>/dev/null | grep -q PlatformWorkerThread; then
	skip "this node is stripped"
else
	start "$NODE" "$CASES" atomics
	wait_for 30 says '^ +[0-9]+  Worker: waits for the notification 0x[0-9a-f]+ \(Atomics.wait\)'
	expect_out '^No deadlock was found'
	expect_out '^ +at cases.js:37 \(waiter\)$'
	expect_out '^ +and [0-9]+ threads of its language'
	stop_mapped
fi
end

for backend in $(backends); do
	begin "$backend: Node: a child whose output nobody reads is told while it lasts"
	background "$PPTRACE" run --backend="$backend" --watch=0.3 -o child.db "$NODE" "$CASES" child
	wait_for 30 told_text
	cp err out
	same_child out
	kill -TERM $!
	wait_end $!
	end
done

begin "attach, Node: the same of a program that runs already"
start "$NODE" "$CASES" child
wait_for 30 says '^warning: stuck'
background "$PPTRACE" attach --watch=0.3 -o attached.db -p "$pid"
attached=$!
wait_for 30 told_text
cp err out
same_child out
kill -INT $attached
wait_end $attached
stop
end

crossed_text()
{
	cat <<-'T'
	warning: stuck: main thread of cases.js[PID], thread "Worker" (TID) of cases.js[PID] and thread "Worker" (TID) of cases.js[PID] wait for each other
	  knot of 3, conditional
	  main thread of cases.js[PID]
	      polls SET
	      whose write end is open in cases.js[PID] (fd N)
	  thread "Worker" (TID) of cases.js[PID]
	      waits for the notification ADDRESS (Atomics.wait) at cases.js:37 (waiter),
	      and every thread that could send it is blocked
	  thread "Worker" (TID) of cases.js[PID]
	      waits for the notification ADDRESS (Atomics.wait) at cases.js:37 (waiter),
	      and every thread that could send it is blocked
	  unless it is an idle event loop that only a signal ends (the program has installed no handler)
	  unless the kernel, or a process that was given the eventfd, writes or reads it
	  remedy: Let a thread that depends on none of the others provide what is waited for, or wait with a timeout.
	T
}

# same_crossed FILE: the finding in the file is as wanted, the whole text.
same_crossed()
{
	findings "$1" | sed -E 's/(polls) .*/\1 SET/; s/\(SIG[A-Z0-9, ]*\)/(SIGNALS)/; s/" \([0-9]+\) of/" (TID) of/g' >.found
	crossed_text | diff - .found >.difference || fail "found (>) and wanted (<) differ" "$(cat .difference)" "$(show)"
}

begin "why, Node: Workers that wait for each other's notification; one that the main thread will notify"
start "$NODE" "$CASES" crossed
wait_for 30 says '^warning: stuck'
run "$PPTRACE" why "$pid"
expect_status 0
same_crossed out
stop_mapped
start "$NODE" "$CASES" notified
wait_for 30 says '^ +[0-9]+  Worker: waits for the notification'
for _ in 1 2 3; do
	run "$PPTRACE" why "$pid"
	expect_status 0
	expect_out '^No deadlock was found'
done
stop
end

all_text()
{
	cat <<-'T'
	warning: stuck: main thread of cases.js[PID] and thread "Worker" of cases.js[PID] wait for each other
	  cycle of 2, conditional
	  main thread of cases.js[PID]
	      waits for the notification ADDRESS (Atomics.wait) at cases.js:49 (anonymous),
	      and every thread that could send it is blocked
	  thread "Worker" of cases.js[PID]
	      waits for the notification ADDRESS (Atomics.wait) at cases.js:37 (waiter),
	      and every thread that could send it is blocked
	  unless somebody does it with Node's debugger (node inspect -p)
	  remedy: Let a thread that depends on none of the others provide what is waited for, or wait with a timeout.
	T
}

# finds_all: pptrace why has found that all threads wait, and says so in these words.
finds_all()
{
	"$PPTRACE" why "$pid" >out 2>&1
	all_findings out | other_first | sort >.found
	all_text | other_first | sort | diff - .found >.difference || { all_findings out | sort | diff <(all_text | sort) - >.difference; }
}

# all_findings FILE: newer ones have an io_uring.
all_findings()
{
	if [ -z "${RELEASE:-}" ]; then findings "$1"; else
		findings "$1" | sed -E '/ through its io_uring$/d; s/0x[0-9a-f]+/ADDRESS/g'
	fi
}

begin "why, Node: the main thread and a Worker, each in Atomics.wait"
start "$NODE" "$CASES" all
wait_for 30 finds_all || fail "found (>) and wanted (<) differ" "$(cat .difference)" "$(show)"
stop_mapped
end

begin "why, Node: a Worker that the listener of a signal will notify is not accused"
if ! nm "$NODE" 2>/dev/null | grep -q uv__signal_tree; then
	skip "this node is stripped"
else
	start "$NODE" "$CASES" told
	wait_for 30 says '^ +[0-9]+  Worker: waits for the notification'
	for _ in 1 2 3; do
		run "$PPTRACE" why "$pid"
		expect_status 0
		expect_out '^No deadlock was found'
	done
	stop
fi
end

asks_text()
{
	cat <<-'T'
	warning: stuck: main thread of cases.js[PID] and main thread of node[PID] wait for each other
	  cycle of 2, conditional
	  main thread of cases.js[PID]
	      waits for its child node[PID] to exit at cases.js:72 (anonymous)
	  main thread of node[PID]
	      polls SET
	      which has not been accepted yet: the listening socket is open in cases.js[PID] (fd N),
	      whose write end is open in node[PID] (fd N)
	  unless it is an idle event loop that only a signal ends (the program has installed no handler)
	  unless the kernel, or a process that was given the eventfd, writes or reads it
	  remedy: Do not block until a process has ended that asks this one for something: accept its connection meanwhile, in another thread or in the event loop.
	T
}

# finds_asks: pptrace why has found it, and says so in these words.
finds_asks()
{
	"$PPTRACE" why "$pid" >out 2>&1
	# The members of a set stand in any order.
	findings out | sed -E 's/(polls) .*/\1 SET/; s/\(SIG[A-Z0-9, ]*\)/(SIGNALS)/; s/,$//' | sort >.found
	asks_text | sed 's/,$//' | sort | diff - .found >.difference
}

begin "why, Node: spawnSync of a child that asks the server which waits for it"
start "$NODE" "$CASES" asks
# At the beginning V8 has a timer, of eight seconds at a time.
wait_for 60 finds_asks || fail "found (>) and wanted (<) differ" "$(cat .difference)" "$(show)"
stop
end

needy_text()
{
	cat <<-'T'
	warning: stuck: main thread of cases.js[PID] and cat[PID] wait for each other
	  cycle of 2, conditional
	  main thread of cases.js[PID]
	      waits for its child cat[PID] to exit at cases.js:59 (needy)
	  cat[PID]
	      waits for somebody to open the other side of FIFO fifo
	  unless somebody outside the trace opens FIFO fifo
	  remedy: Open the other side of the FIFO, too, before waiting for somebody who opens it, or open it with O_RDWR or O_NONBLOCK.
	T
}

for backend in $(backends); do
	begin "$backend: Node: Workers that wait for each other, and a child that never ends in spawnSync, are told while they last"
	background "$PPTRACE" run --backend="$backend" --watch=0.3 -o crossed.db "$NODE" "$CASES" crossed
	wait_for 60 told_text
	same_crossed err
	kill -TERM $!
	wait_end $!
	rm -f fifo
	mkfifo fifo
	background "$PPTRACE" run --backend="$backend" --watch=0.3 -o needy.db "$NODE" "$CASES" needy
	wait_for 60 told_text
	# A look from outside may tell it before the recording does.
	findings err | sed -E "s,$PWD/,,; s/ at cat.*//; /^  remedy/q" >.found
	needy_text | diff - .found >.difference || fail "found (>) and wanted (<) differ" "$(cat .difference)" "$(cat err)"
	# Node catches what would end it; its child can be helped.
	timeout 10 sh -c ': >fifo'
	wait_end $!
	end
done

for backend in $(backends); do
	begin "$backend: Node: an idle server is not accused, and goes by its script"
	run "$PPTRACE" run --backend="$backend" --watch=0.3 --timeout=2 -o node.db "$NODE" "$CASES" server
	expect_no_err 'stuck|deadlock'
	expect_sql node.db "SELECT program FROM process WHERE id = 1" cases.js
	expect_sql node.db "SELECT count(*) FROM finding WHERE rule IN ('deadlock', 'stuck')" 0
	end
done

# ---- Debian's own releases, which have libnode.so without names of functions that only itself calls ----

# release_cases VERSION
release_cases()
{
	local backend run=$BUILD/node/run

	begin "why, Debian's Node $1: all threads in Atomics.wait; a child whose output nobody reads; an idle server is not accused"
	# V8 of 24 says nothing of Atomics.wait, which has no name there, but where it is.
	if [ "$1" != 24 ]; then
		start "$run" "$1" /cases.js all
		wait_for 60 finds_all || fail "found (>) and wanted (<) differ" "$(cat .difference)" "$(show)"
		stop
	else
		start "$run" "$1" /cases.js all
		wait_for 60 says '^ +at cases.js:49 \(anonymous\)$'
		wait_for 60 says '^ +at cases.js:37 \(waiter\)$'
		stop
	fi
	start "$run" "$1" /cases.js child
	# At the beginning V8 has a timer, of eight seconds at a time.
	wait_for 120 says '^warning: stuck' && same_child out
	stop
	start "$run" "$1" /cases.js server
	wait_for 60 says 'listening socket 127.0.0.1'
	for _ in 1 2 3; do
		run "$PPTRACE" why "$pid"
		expect_status 0
		expect_out '^No deadlock was found'
		expect_out '^ +and [0-9]+ threads of its language'
	done
	stop
	end
	release_library "$BUILD/node/$1"
	for backend in $(backends); do
		begin "$backend: Debian's Node $1: a child whose output nobody reads is told while it lasts; an idle server is not accused"
		background "$PPTRACE" run --backend="$backend" --watch=0.3 -o child.db "$run" "$1" /cases.js child
		wait_for 120 told_text && cp err out && same_child out
		kill -TERM $!
		wait_end $!
		run "$PPTRACE" run --backend="$backend" --watch=0.3 --timeout=8 -o server.db "$run" "$1" /cases.js server
		expect_no_err 'stuck|deadlock'
		expect_sql server.db "SELECT count(*) FROM finding WHERE rule IN ('deadlock', 'stuck')" 0
		end
	done
}

RELEASE=1
for version in 18 20 24; do
	begin "Debian's Node $version can be had"
	if [ -n "${LONG:-}" ]; then cannot=$(release_cannot node $version); else cannot="make test-long runs it"; fi
	[ -z "$cannot" ] || skip "$cannot"
	end
	[ -z "$cannot" ] || continue
	cp "$CASES" "$BUILD/node/$version/"
	release_cases $version
done
