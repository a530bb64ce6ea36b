#!/usr/bin/env bash
# push.sh - push: every row of a recording is in ClickHouse once, whatever happens on the way.
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/../../lib.sh"
. "$ROOT/tests/lib_clickhouse.sh"

for name in fork-count hostile pipeline deadlock-abba; do fixture $name; done

begin "push: every row is there once, and a second push sends nothing"
clickhouse_start one || { end; exit 0; }
export PPTRACE_URL=$ch_url/once
ch_database=once
run "$PPTRACE" push --run r pipeline.db
expect_status 0
expect_err 'pipeline.db: [0-9]+ rows in .* to http://127.0.0.1:[0-9]+/once, run r$'
expect_same pipeline.db
run "$PPTRACE" push --run r pipeline.db
expect_err 'already pushed completely, as part of run r$'
expect_same pipeline.db
end

begin "push: texts and bytes arrive as they are, NULL is NULL, and each run is its own"
ch_database=hostile
run "$PPTRACE" push --to "$ch_url/hostile" --run "it's\\" hostile.db pipeline.db
expect_status 0
expect_eq "$(ask "SELECT concat(lower(hex(name)), ' ', lower(hex(command))) FROM process WHERE run = 'it\\'s\\\\' AND name IS NOT NULL AND command IS NOT NULL" | sort)" \
	"$(for db in hostile pipeline; do sql $db.db "SELECT lower(hex(name)) || ' ' || lower(hex(command)) FROM process WHERE name IS NOT NULL AND command IS NOT NULL"; done | sort)" "names and commands"
for column in name exe command exit_signal reaped_ns; do
	expect_eq "$(ask "SELECT countIf($column IS NULL) FROM process")" \
		"$(($(sql hostile.db "SELECT count(*) FROM process WHERE $column IS NULL") + $(sql pipeline.db "SELECT count(*) FROM process WHERE $column IS NULL")))" "NULLs in $column"
done
expect_eq "$(ask "SELECT arrayStringConcat(arraySort(groupArray(lower(hex(data))))) FROM pipe_io WHERE data IS NOT NULL")" \
	"$( (sql hostile.db "SELECT lower(hex(data)) FROM pipe_io WHERE data IS NOT NULL"; sql pipeline.db "SELECT lower(hex(data)) FROM pipe_io WHERE data IS NOT NULL") | sort | tr -d '\n')" "captured bytes"
end

begin "push: a job's number is the run's name"
ch_database=job
SLURM_JOB_ID=4711 run "$PPTRACE" push --to "$ch_url/job" fork-count.db
expect_there "SELECT DISTINCT run FROM process" 4711
end

begin "fleet why and merge: a lock bears its kind once, and one host is one"
run "$PPTRACE" push --to "$ch_url/why" --run r deadlock-abba.db
expect_status 0
export PPTRACE_URL=$ch_url/why
run "$PPTRACE" fleet why r "$(sql deadlock-abba.db "SELECT host FROM trace")"
expect_status 0
expect_out ' waits for the mutex [^ ]+ since '
! grep -q 'the lock mutex' out || fail "$(cat out)"
run "$PPTRACE" fleet merge r -o merged.db
expect_err 'merged.db: the merged recording of 1 host; next'
PPTRACE_URL=$ch_url/once
end

begin "push: a recording that was cut off is pushed again as a whole, and what is no longer in it is gone"
ch_database=again
cp fork-count.db grows.db
sqlite3 grows.db "UPDATE trace SET complete = 0; INSERT INTO lost VALUES ('ebpf', 'later gone', 1);
	INSERT INTO wait(id, thread_id, start_ns, reason) VALUES (900, 1, 5, 'sleep'), (901, 1, 6, 'sleep')"
run "$PPTRACE" push --to "$ch_url/again" --run r grows.db
expect_err 'push it again when it is closed'
expect_same grows.db
sqlite3 grows.db "UPDATE trace SET complete = 1; DELETE FROM lost; UPDATE wait SET end_ns = 77 WHERE id = 900; DELETE FROM wait WHERE id = 901"
run "$PPTRACE" push --to "$ch_url/again" --run r grows.db
expect_same grows.db
expect_there "SELECT end_ns FROM wait WHERE id = 900" 77
end

begin "run --push: at the end, and live: every row is there once, as a part of one recording"
ch_database=run
for live in '' =live; do
	PPTRACE_URL=$ch_url/run PPTRACE_RUN=r$live run "$PPTRACE" run --push$live -o run.db sh -c 'sleep 0.5; echo a | cat; sleep 2.5; echo b | cat'
	expect_status 0
	expect_eq "$(cat out)" $'a\nb'
	expect_err "run.db: [0-9]+ rows in .*, run r$live$"
	expect_same run.db r$live
	PPTRACE_URL=$ch_url/run run "$PPTRACE" push --run r$live run.db
	expect_err 'already pushed completely'
done
PPTRACE_URL=http://127.0.0.1:1 run "$PPTRACE" run --push -o lone.db sh -c 'exit 7'
expect_status 7
expect_err "lone.db was not pushed completely; nothing is lost: 'pptrace push lone.db' sends the rest"
run "$PPTRACE" run --push true
[ "$status" = 0 ] || expect_err 'where to'
PPTRACE_URL=nonsense run "$PPTRACE" run --push true
expect_status 125
end

# much.db NAME ROWS: a recording with so many holds.
much()
{
	cp deadlock-abba.db "$1"
	sqlite3 "$1" "INSERT INTO lock_hold(id, lock_id, thread_id, acquire_ns, release_ns)
		WITH RECURSIVE n(i) AS (SELECT 1000 UNION ALL SELECT i + 1 FROM n WHERE i < $2 + 999) SELECT i, 1, 1, i * 10, i * 10 + 5 FROM n"
}

begin "push: the server is killed in the middle and started again: the push goes on, every row is there once"
ch_database=killed
much much.db 1000000
background "$PPTRACE" push --to "$ch_url/killed" --run r --retry 60s much.db
push=$!
# The first batch of many is there, others are on their way.
wait_for 50 sh -c "[ \"\$(find $TMP/one/data/data/killed/lock_hold_rows -maxdepth 1 -name 'all_*' 2>/dev/null | wc -l)\" -ge 1 ]"
clickhouse_stop -KILL
clickhouse_start one
wait_end $push
expect_eq "$?" 0 "status of push"
expect_same much.db
end

begin "push: broken off in the middle and pushed again, every row is there once"
ch_database=broken
background "$PPTRACE" push --to "$ch_url/broken" --run r much.db
push=$!
wait_for 50 sh -c "[ \"\$(find $TMP/one/data/data/broken/lock_hold_rows -maxdepth 1 -name 'all_*' 2>/dev/null | wc -l)\" -ge 1 ]"
kill -KILL $push
wait_end $push 2>/dev/null
run "$PPTRACE" push --to "$ch_url/broken" --run r much.db
expect_status 0
expect_same much.db
end

begin "push: the disk of the server is full: that is said, and once there is space the same push sends every row once"
clickhouse_stop
ch_database=default
mkdir -p small/data
if [ "$(id -u)" != 0 ] || ! mount -t tmpfs -o size=40m tmpfs small/data 2>/dev/null; then
	skip "a small file system cannot be mounted here"
else
	clickhouse_start small
	ch_database=full
	much some.db 100000
	run "$PPTRACE" push --to "$ch_url/full" --run r pipeline.db
	expect_status 0
	# All but a little: batches find no room.
	head -c "$(($(df --output=avail -B1 small/data | tail -1) - 300000))" /dev/zero >small/data/filler
	run "$PPTRACE" push --to "$ch_url/full" --run r --retry 2s some.db
	expect_status 1
	expect_eq "$(wc -l <err)" 1 "lines on stderr"
	expect_err '[Nn]o space|[Nn]ot enough space|Cannot (reserve|write)'
	rm small/data/filler
	run "$PPTRACE" push --to "$ch_url/full" --run r --retry 20s some.db
	expect_status 0
	expect_there "SELECT count() FROM lock_hold WHERE trace_id IN (SELECT trace_id FROM push_rows WHERE run = 'r')" "$(sql some.db "SELECT count(*) FROM lock_hold")"
	clickhouse_stop
	umount -l small/data
fi
ch_database=default
clickhouse_start one
end

begin "push: an older table gets the columns that it lacks, a newer minor version is used as it is, another major one refused"
ch_database=older
run "$PPTRACE" push --to "$ch_url/older" --run r fork-count.db
number=$(ask "SELECT max(version) FROM pptrace_format")
ask "ALTER TABLE process_rows DROP COLUMN program"
ask "ALTER TABLE push_rows DROP COLUMN once"
ask "DROP TABLE clock_rows"
ask "DROP TABLE process"
ask "DROP TABLE pptrace_format"
ask "CREATE TABLE pptrace_format (version UInt64, pptrace String, made DateTime) ENGINE = ReplacingMergeTree() PARTITION BY tuple() ORDER BY version"
ask "INSERT INTO pptrace_format VALUES (1000, '0.0.1', now())"
run "$PPTRACE" push --to "$ch_url/older" --run s pipeline.db
expect_status 0
expect_there "SELECT count() FROM process WHERE run = 's' AND program IS NULL" "$(sql pipeline.db "SELECT count(*) FROM process")"
expect_there "SELECT max(version) FROM pptrace_format" "$number"
ask "INSERT INTO pptrace_format VALUES (1999, '9', now())"
run "$PPTRACE" push --to "$ch_url/older" --run t pipeline.db
expect_status 0
ask "INSERT INTO pptrace_format VALUES (2000, '9', now())"
run "$PPTRACE" push --to "$ch_url/older" --run u pipeline.db
expect_status 1
expect_err 'a newer pptrace made the tables of the database older: their format is 2\.0, and this one knows 1\.x$'
expect_there "SELECT count() FROM process WHERE run = 'u'" 0
end

begin "push: a database with somebody else's tables is left alone"
ch_database=foreign
ch_database=default ask "CREATE DATABASE foreign"
ask "CREATE TABLE trace (x Int64) ENGINE = Memory"
run "$PPTRACE" push --to "$ch_url/foreign" pipeline.db
expect_status 1
expect_err 'has a table called trace that pptrace did not make'
expect_there "SELECT count() FROM system.tables WHERE database = 'foreign'" 1
end

begin "push: the password comes from the environment or a file of mode 0600, never from the command line"
ch_database=secret
unset PPTRACE_URL
for with in "PPTRACE_URL=${ch_url/\/\//\/\/ada:secret@}/secret" "PPTRACE_URL=${ch_url/\/\//\/\/ada@}/secret PPTRACE_PASSWORD=secret"; do
	run env $with "$PPTRACE" push pipeline.db
	expect_status 0
done
run env PPTRACE_PASSWORD=wrong "$PPTRACE" push --to "${ch_url/\/\//\/\/ada@}/secret" pipeline.db
expect_status 1
expect_err 'Wrong password for user ada$'
expect_no_err 'wrong'
echo secret >pass
chmod 644 pass
run "$PPTRACE" push --to "${ch_url/\/\//\/\/ada@}/secret" --password-file pass pipeline.db
expect_status 2
expect_err 'pass may be read by others'
chmod 600 pass
run "$PPTRACE" push --to "${ch_url/\/\//\/\/ada@}/secret" --password-file pass pipeline.db
expect_status 0
run "$PPTRACE" push --to "${ch_url/\/\//\/\/ada:secret@}/secret" pipeline.db
expect_status 2
expect_err 'a password on the command line is seen by everybody'
end

begin "push: what cannot be is one sentence"
for to in nonsense http:// ftp://x http://h/a/b "http://h/x';" http://@; do
	run "$PPTRACE" push --to "$to" pipeline.db
	expect_status 2
	expect_eq "$(wc -l <err)" 1 "lines on stderr for $to"
done
run "$PPTRACE" push pipeline.db
expect_status 2
expect_err 'where to\?'
run "$PPTRACE" push --to http://127.0.0.1:1 --retry 0 pipeline.db
expect_status 1
expect_err 'Couldn.t connect to server'
run "$PPTRACE" push --to "$ch_url/none" nofile.db
expect_status 1
expect_err 'there is no file nofile.db'
end
