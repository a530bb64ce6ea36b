#!/usr/bin/env bash
# small.sh - recordings that stay small: what shares rows, what is counted all the same, and what keeps everything.
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/../../lib.sh"

rounds=100000

# sums FILE: holds by rows and by lock_stat, those of each lock, and the order of locks.
sums()
{
	sqlite3 -readonly "$1" "SELECT 'rows', sum(coalesce(count, 1)) FROM lock_hold;
		SELECT 'holds', sum(holds) FROM lock_stat;
		SELECT l.name, s.holds, s.contended, s.threads FROM lock l JOIN lock_stat s ON s.lock_id = l.id
			WHERE l.name IN ('inner', 'outer', 'taken') ORDER BY 1;
		SELECT 'order', a.name, b.name, count FROM lock_edge e JOIN lock a ON a.id = e.from_lock_id
			JOIN lock b ON b.id = e.to_lock_id WHERE a.name = 'outer'"
}

for backend in auto shim; do
	begin "--backend=$backend: equal short holds share rows, and every one is counted"
	run "$PPTRACE" run --backend=$backend -o folded.db "$PROGRAMS/lock_loop" $rounds
	expect_status 0
	expect_out "^$rounds rounds, $rounds busy$"
	sums folded.db >folded
	grep -q "^inner|$((2 * rounds))|0|2$" folded || fail "the holds of inner are not all counted" "$(cat folded)"
	grep -q "^outer|$rounds|0|1$" folded || fail "the holds of outer are not all counted" "$(cat folded)"
	grep -q "^order|outer|inner|$rounds$" folded || fail "the order of locks is not counted" "$(cat folded)"
	expect_eq "$(sed -n 's/^rows|//p' folded)" "$(sed -n 's/^holds|//p' folded)" "the sum of the rows"
	rows=$(sqlite3 -readonly folded.db "SELECT count(*) FROM lock_hold")
	[ "$rows" -lt 20000 ] || fail "$rows rows of lock_hold"
	[ "$(stat -c %s folded.db)" -lt 3000000 ] || fail "the recording has $(stat -c %s folded.db) bytes"
	[ "$(sqlite3 -readonly folded.db "SELECT value FROM setting WHERE name = 'folded_holds'")" -gt $rounds ] ||
		fail "the recording does not say what shares rows"
	end

	begin "--backend=$backend --fold=off: each hold has a row"
	run "$PPTRACE" run --backend=$backend --fold=off -o each.db "$PROGRAMS/lock_loop" $rounds
	expect_status 0
	expect_eq "$(sqlite3 -readonly each.db "SELECT (SELECT count(*) FROM lock_hold) - (SELECT sum(holds) FROM lock_stat),
		(SELECT count(count) FROM lock_hold)")" "0|0" "rows without a row of their own"
	sums each.db >each
	expect_eq "$(cat each)" "$(cat folded)" "what is counted with --fold=off"
	end
done

begin "events and the timeline say that rows stand for several holds"
run "$PPTRACE" events folded.db
expect_out 'locks mutex inner [0-9]+ times within [0-9.]+ ms for [0-9.]+ ms in all'
run "$PPTRACE" timeline --format=txt folded.db
expect_status 0
end

# moved FILE: calls and bytes, each way.
moved()
{
	sqlite3 -readonly "$1" "SELECT op, sum(coalesce(count, 1)), sum(bytes) FROM pipe_io GROUP BY 1 ORDER BY 1"
}

# io_sums FILE: expects there what io_loop says of itself.
io_sums()
{
	local said

	said=$(sed -n 's/^\([0-9]*\) calls, \([0-9]*\) bytes$/\1|\2/p' err)
	expect_eq "$(moved "$1")" "read|$said
write|$said" "what was moved"
}

io_rounds=20000
for backend in auto shim; do
	for end in exit exec; do
		begin "--backend=$backend: a busy thread's reads and writes share rows, and every one is counted, to the $end"
		run "$PPTRACE" run --backend=$backend -o io.db "$PROGRAMS/io_loop" $io_rounds $end
		expect_status 0
		io_sums io.db
		# Calls that took 10 us have a row each, however many they are on a slow machine. Of the others each thread has 1,000 of
		# their own, 10 more in each tenth of a second (a window), and in each for either end of a pipe one that they share, or
		# stands for one alone.
		expect_sql io.db "WITH most(own, shared) AS (
				SELECT 5 * (1000 + 10 * windows + 2 * windows + 2 * pipes), 5 * (2 * windows + 2 * pipes)
				FROM (SELECT duration_ns / 100000000 + 2 AS windows, $((io_rounds / 3000 + 1)) AS pipes FROM trace))
			SELECT (SELECT count(*) FROM pipe_io WHERE count IS NULL AND end_ns - start_ns < 10000) <= own,
				(SELECT count(*) FROM pipe_io WHERE count IS NOT NULL) <= shared FROM most" "1|1"
		expect_eq "$(sqlite3 -readonly io.db "SELECT count(*) FROM pipe_io o JOIN thread t ON t.id = o.thread_id
			WHERE o.end_ns < o.start_ns OR o.start_ns < t.start_ns OR o.end_ns > t.end_ns OR o.count < 2
			OR (o.count IS NOT NULL AND (o.errno IS NOT NULL OR o.data IS NOT NULL))")" 0 \
			"rows that no thread can have made"
		expect_eq "$(sqlite3 -readonly io.db "SELECT count(*) FROM pipe_end e JOIN pipe p ON p.id = e.pipe_id
			WHERE p.created_ns IS NOT NULL AND e.open_via = 'found'")" 0 "ends that reports of calls made up"
		end

		begin "--backend=$backend --fold=off: each read and write has a row, to the $end"
		run "$PPTRACE" run --backend=$backend --fold=off -o io.db "$PROGRAMS/io_loop" $io_rounds $end
		expect_status 0
		io_sums io.db
		expect_eq "$(sqlite3 -readonly io.db "SELECT count(*), count(count) FROM pipe_io")" \
			"$((10 * io_rounds))|0" "rows, and those of several calls"
		end
	done
done

begin "events, the picture of pipes, pipe_flow and trace JSON count calls that share a row"
run "$PPTRACE" run -o io.db "$PROGRAMS/io_loop" 5000
expect_status 0
run "$PPTRACE" pipes -o io.svg io.db
expect_status 0
grep -q 'in 3000 writes' io.svg || fail "the picture does not count them"
run "$PPTRACE" events io.db
expect_out ' = [0-9]+ in all, [0-9]+ times'
expect_eq "$(sqlite3 -readonly io.db "SELECT sum(writes), sum(reads) FROM pipe_flow")" "25000|25000" "pipe_flow"
run "$PPTRACE" timeline --format=txt io.db
expect_status 0
run "$PPTRACE" export --format=chrome -o io.json io.db
expect_status 0
end

begin "counts that nobody can have counted: the picture of pipes has none below nought"
sqlite3 io.db "UPDATE pipe_io SET count = 9223372036854775807 WHERE count IS NOT NULL"
run "$PPTRACE" pipes -o io.svg io.db
expect_status 0
grep -q 'in [0-9][0-9]* writes' io.svg || fail "the picture does not count them"
! grep -q 'in -[0-9]' io.svg || fail "a sum went round" "$(grep -o 'in -[0-9]* [a-z]*' io.svg)"
end

begin "--fold takes on or off"
run "$PPTRACE" run --fold=maybe true
expect_status 125
expect_err "^pptrace: --fold takes on or off|--fold.*'maybe'"
end

# rows FILE: whether there are many of holds, any of waits and of reads and writes, many of signals; processes; threads that were made.
# What was open at a commit has a row whatever is left out.
rows()
{
	sqlite3 -readonly "$1" "SELECT (SELECT count(*) > 50 FROM lock_hold) || (SELECT count(*) > 0 FROM wait WHERE end_ns NOT NULL AND reason <> 'join')
		|| (SELECT count(*) > 0 FROM pipe_io) || (SELECT count(*) > 25 FROM signal),
		(SELECT count(*) FROM process), (SELECT count(*) FROM sync WHERE op = 'create')"
}

for backend in $(backends); do
	begin "--backend=$backend: --events, --ignore and --follow choose what gets rows; who there is, sums and verdicts do not change"
	some="trap : USR1; for i in 1 2 3 4 5; do for k in 1 2 3 4 5 6 7 8 9 10; do kill -USR1 \$\$; done; done; $PROGRAMS/lock_loop 1000 >&2; echo a | cat"
	for how in :1111 --events=waits:0100 --events=locks,pipes:1010 --ignore=sh:1110 --ignore=lock_loop:0111 --follow=lock_loop:1000 \
		"--ignore=cat --ignore=sh --ignore=lock_loop:0000"; do
		run "$PPTRACE" run -q --backend=$backend ${how%:*} -o some.db sh -c "$some"
		expect_status 0
		expect_out '^a$'
		# A wait of lock_loop's or cat's depends on who is faster.
		got=$(rows some.db) wanted=${how##*:}
		expect_eq "${got:0:1}?${got:2}" "${wanted:0:1}?${wanted:2}|4|3" "rows with ${how%:*}"
		expect_sql some.db "SELECT max(s.holds) FROM lock_stat s JOIN lock l ON l.id = s.lock_id WHERE l.name = 'inner'" 2000
		expect_sql some.db "SELECT blind_spots LIKE '%only births, ends, what is open, sums%' FROM trace" $((${#how} > 5))
	done
	# What is open has its rows whoever is ignored; what rests on rows that are not there is not certain.
	run "$PPTRACE" run -q --backend=$backend --ignore=deadlock-abba --watch=0.3 --on-deadlock=kill -o some.db "$DEMOS/deadlock-abba"
	expect_status 124
	expect_sql some.db "SELECT rule, certainty FROM finding WHERE severity = 'error'" 'deadlock|certain'
	run "$PPTRACE" run -q --backend=$backend --events=pipes --watch=0.3 --on-deadlock=kill -o some.db "$DEMOS/deadlock-abba"
	expect_status 124
	expect_sql some.db "SELECT rule, certainty, summary LIKE '%(not certain: rows were left out%' FROM finding WHERE severity = 'error'" 'deadlock|conditional|1'
	end
done

begin "words that --events, --ignore and --follow do not take"
run "$PPTRACE" run --events=waits,lcoks true
expect_status 125
expect_err "^pptrace: --events takes one of locks, .*, not 'lcoks'; did you mean 'locks'"
for option in --ignore= --follow=; do
	run "$PPTRACE" attach $option -p 1
	expect_status 2
	expect_err "^pptrace: ${option%=} takes the name or path of a program"
done
end

# size_of FILE: its bytes.
size_of() { stat -c %s "$1"; }

begin "--last: the file does not grow with time, and what is summed is of all of it"
run "$PPTRACE" run --last 1s -o short.db "$PROGRAMS/service" 3 4000
expect_status 0
run "$PPTRACE" run --last 1s -o long.db "$PROGRAMS/service" 9 4000
expect_status 0
expect_out '^served$'
expect_err 'only totals were kept for what ended before [0-9.]+ s'
[ "$(size_of long.db)" -lt $((2 * $(size_of short.db))) ] ||
	fail "$(size_of long.db) bytes after 9 s, $(size_of short.db) after 3 s"
expect_eq "$(sqlite3 -readonly long.db "SELECT sum(holds) FROM lock_stat")" 36001 "the holds of all time"
expect_eq "$(sqlite3 -readonly long.db "SELECT
	(SELECT detail_since_ns BETWEEN 3000000000 AND duration_ns - 1000000000 FROM trace),
	(SELECT min(end_ns) >= detail_since_ns - 500000000 FROM pipe_io, trace),
	(SELECT min(release_ns) >= detail_since_ns - 500000000 FROM lock_hold, trace),
	(SELECT count(*) FROM thread)")" "1|1|1|5" "detail that is there, and threads"
run "$PPTRACE" diagnose long.db
expect_err 'only totals were kept for what ended before [0-9.]+ s'
expect_status 0
expect_eq "$(sqlite3 -readonly long.db 'PRAGMA integrity_check')" ok
end

begin "--last: a deadlock with a lock that was taken long ago is certain"
run "$PPTRACE" run --last 1s --on-deadlock=kill -o old.db "$PROGRAMS/service" 4 4000 deadlock
expect_status 124
expect_err 'deadlock'
expect_eq "$(sqlite3 -readonly old.db "SELECT rule, certainty FROM finding WHERE severity = 'error'")" "deadlock|certain"
run "$PPTRACE" diagnose old.db
expect_out 'early'
expect_out 'late'
end

begin "--max-size: the file stays below it, whatever happens"
run "$PPTRACE" run --fold=off --max-size 8M -o most.db "$PROGRAMS/lock_loop" 500000
expect_status 0
[ "$(size_of most.db)" -lt $((10 << 20)) ] || fail "the file has $(size_of most.db) bytes"
expect_eq "$(sqlite3 -readonly most.db "SELECT sum(holds) FROM lock_stat")" 1500001 "the holds of all time"
expect_eq "$(sqlite3 -readonly most.db "SELECT detail_since_ns > 0 FROM trace")" 1 "that something was removed"
expect_eq "$(sqlite3 -readonly most.db 'PRAGMA integrity_check')" ok
end

for bad in '--max-size=much' '--max-size=9Q' '--max-size=1M' '--last=soon' '--last=1ms'; do
	begin "run $bad is refused in one sentence"
	run "$PPTRACE" run "$bad" true
	expect_status 125
	expect_err "^pptrace: ${bad%=*} takes .*not '${bad#*=}'$"
	end
done
