#!/usr/bin/env bash
# same_picture.sh - what an ordinary user gets from the preload library alone is what root gets from the kernel.
# SPDX-License-Identifier: MIT
#
# Trees and timelines are drawn from these rows, so these are compared. The
# differences that remain are in the manual page: signals of the kernel, what the
# C library does inside popen, how far a call had got when it was cut off, and whether
# a parent that is killed together with its child still reaped it.
. "$(dirname "$0")/../../lib.sh"

mkdir -m 777 user
printf '\n\nq\n' >input
chmod 644 input

# rows DB: what the pictures show, without numbers that differ from run to run.
rows()
{
	sqlite3 -readonly "$1" "
	SELECT 'process', p.name, q.name, c.name, p.end_kind, p.exit_code, p.exit_signal,
		iif(p.exit_signal = 9, NULL, r.name), p.autoreap, replace(replace(p.created_by, 'posix_spawn', 'spawn'), 'vfork', 'spawn'),
		(SELECT count(*) FROM thread t WHERE t.process_id = p.id)
	FROM process p LEFT JOIN process q ON q.id = p.parent_id LEFT JOIN process c ON c.id = p.creator_id
		LEFT JOIN process r ON r.id = p.reaper_id;
	SELECT 'exec', p.name, e.path, e.errno FROM exec e JOIN process p ON p.id = e.process_id;
	SELECT 'pipe', i.kind, i.outside, (SELECT group_concat(x) FROM (SELECT DISTINCT p.name || ' ' || e.mode AS x
		FROM pipe_end e JOIN process p ON p.id = e.process_id WHERE e.pipe_id = i.id
		AND (e.open_via, e.close_via) IS NOT ('create', 'close') ORDER BY 1))
	FROM pipe i WHERE i.id IN (SELECT pipe_id FROM pipe_end WHERE open_via IN ('create', 'opened'));
	SELECT 'signal', s.signo, q.name, p.name, s.disposition FROM signal s JOIN process p ON p.id = s.process_id
		JOIN process q ON q.id = s.sender_id WHERE s.source <> 'kernel';
	SELECT 'fatal', s.signo, p.name, s.disposition FROM signal s JOIN process p ON p.id = s.process_id
		WHERE s.signo = p.exit_signal AND s.delivered_ns IS NOT NULL;
	SELECT 'lock', l.kind, l.name FROM lock l WHERE l.kind NOT IN ('futex') AND l.name IS NOT NULL;
	SELECT 'finding', rule, certainty FROM finding WHERE severity <> 'info' ORDER BY 2, 3" |
		sed 's/^process\(.*\)|fork|/process\1|spawn|/' | sort
}

# same DEMO ARGUMENTS...
same()
{
	begin "the same picture: $*"
	demo=$1
	shift
	if [ "$(id -u)" != 0 ]; then skip "needs root to become nobody"; else
		timeout -k 2 30 "$PPTRACE" run -q --backend=ebpf --locks=auto --on-deadlock=kill --watch=0.5 -o e.db \
			"$DEMOS/$demo" "$@" <input >e.out 2>e.err
		want=$?
		rm -f user/s.db
		timeout -k 2 30 "${nobody[@]}" "$PPTRACE" run -q --backend=shim --on-deadlock=kill --watch=0.5 \
			-o user/s.db "$DEMOS/$demo" "$@" <input >s.out 2>s.err
		got=$?
		[ $got = $want ] || fail "the status is $got, not $want: $(cat s.err)"
		rows e.db >e.rows
		rows user/s.db >s.rows
		diff e.rows s.rows >differences || fail "$(cat differences)"
	fi
	end
}

same broken-pipe
same crash
same deadlock-abba
same deadlock-rwlock
same double-output
same exit-holding-lock
same fork-count --delay=0.02
same fork-exec
same fork-with-lock
same fork1
same interrupted-call
same launchmodes
same lock-contention
same lock-order
same lost-wakeup
same merged-messages
same missing-exit
same orphans
same philosophers
same pipe-both-full
same pipe-leak
same shell-exits
same signal-storm
same sleep-holding-lock
same spawnv
same start
same testexit_fork
same testexit_os
same testexit_sys
same testexit_thread
same thread-classes
same thread-count --delay=0.02
same thread-count-mutex --delay=0.02
same thread1
same unflushed-output
same unlock-not-owner
same wait-before-read
same zombies
