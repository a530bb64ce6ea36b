#!/usr/bin/env bash
# diff.sh - pptrace diff: where two runs of one program begin to differ.
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/../lib.sh"

begin "a recording does not differ from itself, nor from one with other numbers and times"
for name in deadlock-abba threads-mutex pipeline signals many hostile; do
	fixture $name
	run "$PPTRACE" diff $name.db $name.db
	expect_status 0
	expect_out '^no difference in the order of locks, pipes, signals and ends in [0-9]+ threads?$'
done
cp threads-mutex.db moved.db
sqlite3 moved.db "UPDATE process SET pid = pid + 1000, start_ns = start_ns + 5; UPDATE thread SET tid = tid + 1000;
	UPDATE lock SET address = address + 4096; UPDATE lock_hold SET acquire_ns = acquire_ns + 5, release_ns = release_ns + 5"
run "$PPTRACE" diff threads-mutex.db moved.db
expect_status 0
end

begin "the first step that differs is named, of each thread"
cp threads-mutex.db other.db
row=$(sql other.db "SELECT max(id) FROM lock_hold")
thread=$(sql other.db "SELECT thread_id FROM lock_hold WHERE id = $row")
before=$(sql other.db "SELECT sum(h.acquire_ns < m.acquire_ns) + sum(h.release_ns < m.acquire_ns) FROM lock_hold h, lock_hold m
	WHERE h.thread_id = m.thread_id AND m.id = $row AND h.id <> $row")
sqlite3 other.db "INSERT INTO lock(id, kind, name, process_id) VALUES (99, 'mutex', 'another', 1); UPDATE lock_hold SET lock_id = 99 WHERE id = $row"
run "$PPTRACE" diff threads-mutex.db other.db
expect_status 1
expect_out "^first difference: .*, after $before equal steps?\$"
expect_out '^  threads-mutex.db  [0-9.]+ s  acquires the mutex '
expect_out '^  other.db          [0-9.]+ s  acquires the mutex another'
expect_eq "$(grep -c 'equal step' out)" 1 "threads that differ (thread $thread)"
run "$PPTRACE" diff --json threads-mutex.db other.db
expect_status 1
expect_eq "$(sqlite3 :memory: "SELECT json_extract(readfile('out'), '\$.threads[0].same')")" "$before"
expect_eq "$(sqlite3 :memory: "SELECT json_extract(readfile('out'), '\$.threads[0].b.what')")" "acquires the mutex another"
end

begin "what is in one alone, and waits that grew"
cp pipeline.db less.db
sqlite3 less.db "DELETE FROM thread WHERE id = (SELECT max(id) FROM thread); DELETE FROM process WHERE id NOT IN (SELECT process_id FROM thread)"
run "$PPTRACE" diff pipeline.db less.db
expect_status 1
expect_out '^processes and threads only in pipeline.db:'
run "$PPTRACE" diff less.db pipeline.db
expect_out '^processes and threads only in pipeline.db:'
cp pipeline.db slow.db
sqlite3 slow.db "UPDATE wait SET end_ns = end_ns + 500000000 WHERE id = (SELECT min(id) FROM wait WHERE end_ns IS NOT NULL)"
run "$PPTRACE" diff pipeline.db slow.db
expect_status 0
expect_out '^waits that are longer in slow.db:'
expect_out ' -> 50[0-9] ms$'
end

begin "mistakes"
run "$PPTRACE" diff pipeline.db
expect_status 2
expect_err '^pptrace: diff: name two recordings'
run "$PPTRACE" diff pipeline.db nowhere.db
expect_status 2
end
