#!/usr/bin/env bash
# hosts.sh - fleet: recordings of several hosts together. The hosts are network namespaces with a bridge between them.
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/../../lib.sh"
. "$ROOT/tests/lib_clickhouse.sh"
. "$ROOT/tests/lib_hosts.sh"

# is_at_it FILE BEGIN: the recording has what the test is about.
is_at_it()
{
	if [ "$2" = wait ]; then
		[ "$(sql "$1" "SELECT count(*) FROM wait WHERE end_ns IS NULL AND reason = 'pipe-read' AND stack_id IS NOT NULL")" = 1 ]
	else
		[ "$(sql "$1" "SELECT count(*) > 100 FROM pipe_io")" = 1 ]
	fi
}

# ring NAME N BEGIN: programs on N hosts in a ring, recorded to NAME-1.db and so on, ended when all have been at it for a while.
ring()
{
	local i pids="" live=${4:-}
	export PPTRACE_RUN=$1
	for ((i = 1; i <= $2; i++)); do
		on $i timeout -k 5 40 "$PPTRACE" run -q --push$live --until=main -o "$1-$i.db" "$PROGRAMS/fleet_peer" 10.97.0.$i 10.97.0.$((i % $2 + 1)) \
			"$([ $i = 1 ] && echo "$3" || echo wait)" >/dev/null 2>"$1-$i.err" </dev/null &
		pids="$pids $!"
	done
	for ((i = 1; i <= $2; i++)); do
		wait_for 60 grep -q ready "$1-$i.err"
	done
	# All wait, and it is known where; or the token has gone round many times.
	for ((i = 1; i <= $2; i++)); do
		wait_for 60 is_at_it "$1-$i.db" "$3"
	done
	# The programs alone, neither timeout nor pptrace.
	pkill -TERM -xf "$PROGRAMS/fleet_peer 10[.]97[.]0[.].*"
	for i in $pids; do wait_end "$i"; done
}

trap 'remove_hosts; clickhouse_stop -KILL; finish' EXIT
if [[ " $(backends) " != *" ebpf "* ]] || ! make_hosts 2>/dev/null; then
	begin "hosts"
	skip "network namespaces or eBPF are not to be had here"
	end
	exit 0
fi

begin "fleet: nothing was pushed yet, and no such run"
CH_LISTEN=10.97.0.254 clickhouse_start one || { end; exit 0; }
export PPTRACE_URL=${ch_url/127.0.0.1/10.97.0.254}/hosts
ch_database=hosts
run "$PPTRACE" fleet list
expect_status 2
expect_err 'pptrace: fleet: '
end

begin "fleet diagnose: two hosts that read from each other"
ring two 2 wait
run "$PPTRACE" fleet diagnose two
expect_status 1
expect_out '^error: deadlock: .*fleet_peer@node-1.*and .*fleet_peer@node-2.*wait for each other'
expect_out 'cycle of 2, certain, since .* ± [0-9.]+ (us|µs|ms)$'
expect_sql two-1.db "SELECT count(*) >= 2 FROM clock" 1
expect_eq "$(grep -c 'waits to read from the empty tcp .*' out)" 2 "members"
expect_eq "$(grep -c 'at read_token (fleet_peer.c:[0-9]*)\|fleet_peer.c:[0-9]* (read_token)' out)" 2 "members with a source line"
end

begin "fleet diagnose: a ring over three hosts"
ring three 3 wait
run "$PPTRACE" fleet diagnose three
expect_status 1
expect_out 'cycle of 3, certain'
for i in 1 2 3; do expect_out "fleet_peer@node-$i"; done
end

begin "fleet diagnose: the ring with one host's recording missing is no deadlock: its side is with somebody outside"
run "$PPTRACE" push --run part three-1.db three-2.db
run "$PPTRACE" fleet diagnose part
expect_out '^nothing found$'
expect_status 0
end

begin "fleet diagnose: what cannot be proved is conditional: lost events, and data in flight"
cp two-1.db lost.db
sqlite3 lost.db "UPDATE trace SET lost = 1, command = '[\"lost\"]'; INSERT INTO lost VALUES ('ebpf', 'PIPE_IO', 1)"
run "$PPTRACE" push --run lost lost.db two-2.db
run "$PPTRACE" fleet diagnose lost
! grep -q 'certain, since' out || fail "certain, though events were lost" "$(cat out)"
cp two-1.db flight.db
sqlite3 flight.db "UPDATE trace SET command = '[\"flight\"]'; UPDATE pipe_io SET bytes = bytes + 1 WHERE op = 'write' AND pipe_id IN (SELECT id FROM pipe WHERE kind = 'tcp')"
run "$PPTRACE" push --run flight flight.db two-2.db
run "$PPTRACE" fleet diagnose flight
! grep -q ' certain' out || fail "certain, though a byte is in flight" "$(cat out)"
expect_out 'unless data sent over TCP is still in flight'
end

begin "fleet diagnose: a recording that was not closed, among others that were, is said"
cp two-1.db open.db
sqlite3 open.db "UPDATE trace SET complete = 0, command = '[\"open\"]'"
run "$PPTRACE" push --run open open.db two-2.db
run "$PPTRACE" fleet diagnose open
expect_err 'node-1: its recording was not closed, and ends [0-9.]+ m?s after its start'
run "$PPTRACE" fleet diagnose two
expect_no_err 'not closed'
end

begin "fleet diagnose: both hosts hold locks, and the clock of one is 3 s ahead: messages between them tell"
for i in 1 2; do
	cp two-$i.db held-$i.db
	sqlite3 held-$i.db "UPDATE trace SET command = '[\"held\"]', started_unix_ns = started_unix_ns + ($i - 1) * 3000000000;
		UPDATE clock SET unix_ns = unix_ns + ($i - 1) * 3000000000;
		INSERT INTO lock(id, kind, process_id) SELECT 900, 'mutex', min(id) FROM process;
		INSERT INTO lock_open(lock_id, thread_id, process_id, mode, depth, acquire_ns) SELECT 900, id, process_id, 'x', 1, start_ns FROM thread ORDER BY id LIMIT 1"
done
run "$PPTRACE" push --run held held-1.db held-2.db
expect_status 0
run "$PPTRACE" fleet diagnose held
expect_out 'cycle of 2, certain, since .* ± [0-9.]+ (us|µs|ms)$'
expect_err 'the clock of node-[12] is (2\.9|3\.0)[0-9]* s (ahead of|behind) that of node-[12]'
end

begin "fleet diagnose: a recording that ended before the others waited proves nothing"
cp two-2.db early.db
sqlite3 early.db "UPDATE trace SET command = '[\"early\"]', started_unix_ns = started_unix_ns - 60000000000; UPDATE clock SET unix_ns = unix_ns - 60000000000; DELETE FROM pipe_io"
cp two-1.db late.db
sqlite3 late.db "UPDATE trace SET command = '[\"late\"]'; DELETE FROM pipe_io"
run "$PPTRACE" push --run early early.db late.db
run "$PPTRACE" fleet diagnose early
! grep -q ' certain' out || fail "certain, though one recording ended a minute before" "$(cat out)"
end

begin "fleet diagnose: behind NAT addresses do not mirror each other, which is said, not guessed"
for i in 1 2; do cp two-$i.db nat-$i.db; done
sqlite3 nat-1.db "UPDATE trace SET command = '[\"nat\"]'; UPDATE pipe SET remote = replace(remote, '10.97.0.2', '192.0.2.7'), local = replace(local, '10.97.0.2', '192.0.2.7')"
sqlite3 nat-2.db "UPDATE trace SET command = '[\"nat\"]'"
run "$PPTRACE" push --run nat nat-1.db nat-2.db
run "$PPTRACE" fleet diagnose nat
expect_status 0
expect_out '^nothing found$'
expect_err '2 connections on which threads wait: no recording of the run has the other side'
run "$PPTRACE" fleet diagnose two
expect_no_err 'NAT'
end

begin "fleet diagnose: a healthy ring is left in peace"
ring fine 3 begin
run "$PPTRACE" fleet diagnose fine
expect_status 0
expect_out '^nothing found$'
end

begin "fleet list: hosts, and what became of them"
run "$PPTRACE" fleet list three
expect_status 0
expect_eq "$(grep -c '^three .*node-[123] .* \(signal 15\|status [0-9]*\)$' out)" 3 "lines with hosts"
run "$PPTRACE" fleet list nothing
expect_status 2
expect_err "no run that is called nothing$"
end

begin "fleet pull: the file is the one that was pushed, row by row"
run "$PPTRACE" fleet pull three node-2 -o again.db
expect_status 0
n=0
for table in $(sql three-2.db "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'"); do
	for file in three-2 again; do
		sqlite3 -readonly -quote $file.db "SELECT * FROM \"$table\"" | sort >$file.rows
	done
	cmp -s three-2.rows again.rows || fail "table $table differs" "$(diff three-2.rows again.rows | head -5)"
	n=$((n + 1))
done
[ $n -gt 20 ] || fail "only $n tables"
run "$PPTRACE" diagnose again.db
[ "$status" -le 1 ] || fail "$(show)"
run "$PPTRACE" fleet pull three node-9
expect_status 2
expect_err "no host that is called 'node-9'; did you mean 'node-"
end

begin "fleet merge: one recording of all hosts, for every command"
run "$PPTRACE" fleet merge three -o all.db
expect_status 0
expect_eq "$(stat -c %a all.db)" 600 mode
run "$PPTRACE" waits --format=txt all.db
expect_status 0
expect_out 'node-1'
expect_out 'node-3'
run "$PPTRACE" tree --format=txt all.db
expect_status 0
end

begin "fleet waits, tree: pictures of all hosts"
run "$PPTRACE" fleet -T txt waits three
expect_status 0
for i in 1 2 3; do expect_out "fleet_peer@node-$i"; done
run "$PPTRACE" fleet -T txt tree three
expect_status 0
for i in 1 2 3; do expect_out "fleet_peer@node-$i"; done
# Into a pipe that nobody reads.
run python3 -c 'import os, subprocess, sys
reader, writer = os.pipe()
os.close(reader)
print(subprocess.run(sys.argv[1:], stdout=writer).returncode)' "$PPTRACE" fleet -T txt waits three
expect_eq "$(cat out)" -13 "how it ends"
expect_eq "$(ls -d /tmp/pptrace-scratch.* 2>/dev/null)" "" "what is left in /tmp"
end

begin "fleet timeline: lanes by host, and arrows for messages between them"
run "$PPTRACE" fleet -o fine.svg timeline fine
expect_status 0
sed -i 's/&#45;/-/g' fine.svg
for i in 1 2 3; do grep -q "fleet_peer@node-$i" fine.svg || fail "no lane of node-$i"; done
grep -qE 'write.*read|[0-9]+ bytes?' fine.svg || fail "no arrow of a message between hosts" "$(grep -o 'title>[^<]*' fine.svg | sort | uniq -c | sort -rn | head -20)"
run "$PPTRACE" fleet -T txt -w 100 timeline fine
expect_status 0
expect_eq "$(grep -o 'node-[123]' out | uniq | sort | uniq -d)" "" "hosts whose lanes do not stand together"
run "$PPTRACE" fleet -T txt -w 120 timeline three
expect_out 'read tcp [0-9]{1,4} '
end

begin "fleet why: what one host waits for, and who has the other side"
run "$PPTRACE" fleet why three node-2
expect_status 0
expect_out 'fleet_peer@node-2.* waits to read from the empty tcp .* since .*read_token.*, the other side is open in fleet_peer@node-[13]'
run "$PPTRACE" fleet why three node-7
expect_status 2
end

begin "fleet query: SQL, which may only read"
run "$PPTRACE" fleet query "SELECT run, count() AS n FROM trace GROUP BY run ORDER BY run"
expect_status 0
expect_out $'^three\t3$'
run "$PPTRACE" fleet query -T CSVWithNames "SELECT 1 AS a"
expect_eq "$(cat out)" $'"a"\n1'
for wrong in "DROP TABLE trace_rows" "SELECT nothing" "SELEC"; do
	run "$PPTRACE" fleet query "$wrong"
	expect_status 2
	expect_eq "$(wc -l <err)" 1 "lines on stderr"
done
expect_there "SELECT count() > 0 FROM trace" 1
end

begin "fleet: mistakes are one sentence"
run "$PPTRACE" fleet
expect_status 2
expect_err 'say what to do'
run "$PPTRACE" fleet lst
expect_err "did you mean 'list'"
run "$PPTRACE" fleet pull three
expect_err 'usage: pptrace fleet pull RUN HOST$'
run "$PPTRACE" fleet --from nonsense list
expect_status 2
end
