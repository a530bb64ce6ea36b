#!/usr/bin/env bash
# path.sh - pptrace path of real runs whose critical path is known.
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/../../lib.sh"

# seconds WHO WHAT: how long the path goes through that.
seconds() { sqlite3 :memory: "SELECT coalesce(round(sum(json_extract(value, '\$.ns')) / 1e9, 1), 0) FROM json_each(readfile('out'), '\$.sums')
	WHERE json_extract(value, '\$.who') LIKE '$1' AND json_extract(value, '\$.what') LIKE '$2'"; }
# How each step of the path leads to the next, without numbers, each way once.
links() { sqlite3 :memory: "SELECT DISTINCT rtrim(json_extract(value, '\$.link'), ' ()0123456789') AS l
	FROM json_each(readfile('out'), '\$.steps') WHERE l IS NOT NULL ORDER BY l"; }
# late DB SECONDS: by how much all sleeps together were longer than these seconds, which were asked for: on a busy machine a good deal.
late() { sql "$1" "SELECT max(0, round((SELECT total(end_ns - start_ns) FROM wait WHERE reason = 'sleep') / 1e9 - $2, 3))"; }
# expect_seconds WHO WHAT SECONDS DB ALL: so long goes the path through that; all sleeps of the recording take ALL seconds.
expect_seconds()
{
	local got more
	got=$(seconds "$1" "$2")
	more=$(late "$4" "$5")
	expect_eq "$(sqlite3 :memory: "SELECT $got BETWEEN $3 AND $3 + 0.1 + $more")" 1 "$1 $2: $got s, wanted $3 and at most 0.1 + $more more:"
}

tests()
{
backend=$1

begin "$backend: make -j2: the longest chain of targets, not the other job"
printf 'all: a b\na:\n\t@sleep 0.1\nb: c\n\t@sleep 0.3\nc:\n\t@sleep 0.4\n' >Makefile
run "$PPTRACE" run --backend=$backend -o make.db make -s -j2
expect_status 0
run "$PPTRACE" path --json make.db
expect_seconds sleep sleeps 0.7 make.db 0.8
links >l
grep -q '^after the exit of sleep' l || fail "make does not go on after the end of a job" "$(cat l)"
grep -q '^forked by make' l || fail "nothing is forked by make" "$(cat l)"
end

begin "$backend: xargs -P2: each job is started by the end of the one that made room"
run "$PPTRACE" run --backend=$backend -o xargs.db sh -c 'echo 0.3 0.1 0.4 | xargs -n1 -P2 sleep'
expect_status 0
run "$PPTRACE" path --json xargs.db
expect_seconds sleep sleeps 0.5 xargs.db 0.8
end

begin "$backend: a pipeline: the slow writer, then what its bytes let continue"
run "$PPTRACE" run --backend=$backend -o pipe.db sh -c '{ sleep 0.3; echo x; } | { read a; sleep 0.2; }'
expect_status 0
run "$PPTRACE" path --json pipe.db
expect_seconds sleep sleeps 0.5 pipe.db 0.5
end

begin "$backend: threads that take turns at a lock: who holds it decides"
run "$PPTRACE" run --backend=$backend -o lock.db "$PROGRAMS/path" lock
expect_status 0
run "$PPTRACE" path --json lock.db
expect_seconds 'turn of path' sleeps 0.3 lock.db 0.3
end

begin "$backend: fork and join: the longest worker"
run "$PPTRACE" run --backend=$backend -o join.db "$PROGRAMS/path" join
expect_status 0
run "$PPTRACE" path --json join.db
expect_seconds 'long_worker of path' sleeps 0.3 join.db 0.4
expect_seconds 'short_worker of path' sleeps 0 join.db 0.4
end

begin "$backend: a crowd: the picture has the fold through which most of the path goes"
run "$PPTRACE" run --backend=$backend -o crowd.db bash -c 'for ((i = 0; i < 200; i++)); do /bin/true; done'
expect_status 0
run "$PPTRACE" path -o crowd.svg crowd.db
expect_status 0
grep -q '>197 more true' crowd.svg || fail "no fold"
[ "$(grep -c 'class="node path"' crowd.svg)" -gt 20 ] || fail "only $(grep -c 'class="node path"' crowd.svg) pieces of the path"
end

begin "$backend: what never ended is the end of the path, and says so"
run "$PPTRACE" run --backend=$backend --on-deadlock=kill -o dead.db "$DEMOS/deadlock-abba"
expect_status 124
run "$PPTRACE" path dead.db
expect_out '(left|right) of deadlock-abba .* waits for the lock lock_[ab], which never came'
# However long the stop lasts before the kill: here as on a busy machine. The preload library sees no stops.
if [ $backend != shim ]; then
	for what in "wait SET end_ns = end_ns + 300000000 WHERE reason = 'stopped'" \
		"thread SET end_ns = end_ns + 300000000" "process SET end_ns = end_ns + 300000000" \
		"signal SET sent_ns = sent_ns + 300000000, delivered_ns = delivered_ns + 300000000 WHERE name = 'SIGKILL'"; do
		sqlite3 dead.db "UPDATE $what"
	done
	run "$PPTRACE" path dead.db
	expect_out '(left|right) of deadlock-abba .* waits for the lock lock_[ab], which never came'
	expect_out 'is stopped and never went on'
fi
end

}

# shellcheck disable=SC2046
side_by_side tests $(backends)
