#!/usr/bin/env bash
# fleet.sh - how push and fleet diagnose grow: rows a second, bytes a row, seconds for 100 and 1,000 hosts.
# SPDX-License-Identifier: MIT
#
# usage: bench/fleet.sh          ROWS="100000 1000000 10000000" HOSTS="100 1000" choose what is measured
# A ClickHouse server of its own runs beside it on the same machine. The hosts are one recording, multiplied with new names, ids and
# addresses: 41 processes, 209 pipe ends, 3,000 waits, holds, reads and writes each, joined in a ring in which all wait for each other.

cd "$(dirname "$0")/.." || exit 1
ROOT=$PWD BUILD=$PWD/build PPTRACE=$PWD/build/pptrace TMP=$(mktemp -d)
export LC_ALL=C PPTRACE
cd "$TMP" || exit 1

# What tests/lib_clickhouse.sh needs of the tests' library.
skip() { echo "bench/fleet.sh: $1" >&2; }
wait_for() { local i; shift; for ((i = 0; i < 1500; i++)); do "$@" >/dev/null 2>&1 && return; sleep 0.02; done; return 1; }
wait_end() { wait "$1"; }
finish() { rm -rf "$TMP"; }
. "$ROOT/tests/lib_clickhouse.sh"

# timed COMMAND...: runs it, and prints seconds, seconds of processor time, and the largest size in MB.
timed()
{
	python3 -c 'import resource, subprocess, sys, time
start = time.monotonic()
done = subprocess.run(sys.argv[1:], stdout=open("out", "w"), stderr=open("err", "w"))
took, used = time.monotonic() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
if done.returncode not in (0, 1):
    sys.exit(open("err").read())
print("%.2f %.2f %d" % (took, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024))' "$@"
}

recording()
{
	{
		echo "PRAGMA application_id = $((0x70707472)); PRAGMA user_version = 1; BEGIN;"
		cat "$ROOT"/schema/sql/{schema,views,wait_for}.sql
		cat
		echo "COMMIT;"
	} | sqlite3 -bail "$1" >/dev/null
}

# One host: process 1 asks the next host, and waits for the answer; 40 others wait for their work from process 1. Somebody ended all of it.
one_host()
{
	recording host.db <<-'END'
	INSERT INTO trace(id, command, host, backend, blind_spots, started_unix_ns, duration_ns, exit_signal, complete)
		VALUES (1, '["peer"]', 'node', 'ebpf', '[]', 1767225600000000000, 2000000000, 15, 1);
	CREATE TEMP TABLE n AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000) SELECT i FROM n;
	INSERT INTO site(id, module, offset, function, file, line) SELECT i, '/opt/peer', i * 64, 'function_' || i, 'peer.c', i FROM n WHERE i <= 50;
	INSERT INTO process(id, pid, parent_id, creator_id, name, exe, command, start_ns, end_ns, end_kind, exit_signal, reaped_ns, created_by)
		SELECT i, 4000 + i, iif(i = 1, NULL, 1), iif(i = 1, NULL, 1), 'peer', '/opt/peer', '["peer"]', i * 100000, 1900000000, 'signal', 15, 1900100000, 'fork' FROM n WHERE i <= 41;
	INSERT INTO thread(id, tid, process_id, creator_id, name, start_ns, end_ns, is_main, cut_short)
		SELECT i, 4000 + i, i, iif(i = 1, NULL, 1), 'peer', i * 100000, 1900000000, 1, 1 FROM n WHERE i <= 41;
	INSERT INTO exec(id, process_id, thread_id, ts_ns, path, argv) VALUES (1, 1, 1, 50000, '/opt/peer', '["peer"]');
	INSERT INTO signal(signo, name, source, process_id, thread_id, sent_ns, result, delivered_ns, disposition)
		SELECT 15, 'SIGTERM', 'kill', i, i, 1890000000, 'queued', 1890000000, 'default' FROM n WHERE i <= 41;
	INSERT INTO pipe(id, kind, inode, created_ns, creator_id, name) SELECT i, 'pipe', 70000 + i, 200000, 1, 'pipe ' || i FROM n WHERE i <= 40;
	INSERT INTO pipe(id, kind, inode, created_ns, creator_id, outside, local, remote) VALUES
		(41, 'tcp', 80001, 20000000, 1, 2, '10.0.0.1:5000', '10.0.0.2:6000'), (42, 'tcp', 80002, 20000000, 1, 1, '10.0.0.0:5000', '10.0.0.1:6000');
	INSERT INTO pipe_end(pipe_id, process_id, fd, mode, open_ns, open_via, close_ns, close_via)
		SELECT p.i, 1, 2 * p.i + k.i, iif(k.i = 1, 'r', 'w'), 200000, 'create', iif(k.i = 1, 9000000, 1900000000), iif(k.i = 1, 'close', 'exit') FROM n p, n k WHERE p.i <= 40 AND k.i <= 2
		UNION ALL SELECT p.i, p.i + 1, 2 * p.i + k.i, iif(k.i = 1, 'r', 'w'), 5000000, 'inherit', iif(k.i = 1, 1900000000, 6000000), iif(k.i = 1, 'exit', 'close') FROM n p, n k WHERE p.i <= 40 AND k.i <= 3
		UNION ALL SELECT 1, i, 900 + i, 'w', 5000000, 'inherit', 6000000, 'close' FROM n WHERE i <= 7;
	INSERT INTO pipe_end(pipe_id, process_id, fd, mode, side, open_ns, open_via, close_ns, close_via) VALUES
		(41, 1, 200, 'rw', 0, 20000000, 'connect', 1900000000, 'exit'), (42, 1, 201, 'rw', 1, 20000000, 'accept', 1900000000, 'exit');
	INSERT INTO pipe_io(pipe_id, thread_id, fd, op, start_ns, end_ns, requested, bytes, call)
		SELECT 41, 1, 200, 'write', 30000000 + i * 10, 30000005 + i * 10, 8, 8, 'write' FROM n WHERE i <= 500
		UNION ALL SELECT 42, 1, 201, 'read', 30000000 + i * 10, 30050000 + i * 10, 8, 8, 'read' FROM n WHERE i <= 500;
	UPDATE pipe_io SET side = 1 WHERE pipe_id = 42;
	INSERT INTO lock(id, kind, type, process_id, address, name, created_ns) SELECT i, 'mutex', 'normal', i, 4096, 'm', 1000000 FROM n WHERE i <= 40;
	INSERT INTO lock_hold(lock_id, thread_id, mode, acquire_ns, release_ns, site_id) SELECT 1 + i % 40, 1 + i % 40, 'x', 50000000 + i * 100, 50000050 + i * 100, 1 + i % 50 FROM n;
	INSERT INTO lock_stat(lock_id, holds, contended, wait_ns, max_wait_ns, hold_ns, max_hold_ns, threads) SELECT i, 25, 0, 0, 0, 1250, 50, 1 FROM n WHERE i <= 40;
	INSERT INTO wait(thread_id, start_ns, end_ns, reason, pipe_id, syscall, side, site_id) SELECT 1 + i % 41, 60000000 + i * 100, 60000050 + i * 100, 'pipe-read', 1, 'read', 0, 1 FROM n;
	INSERT INTO wait(thread_id, start_ns, end_ns, reason, pipe_id, syscall, side, site_id) SELECT i + 1, 400000000, 1900000000, 'pipe-read', i, 'read', 0, 2 FROM n WHERE i <= 40;
	INSERT INTO wait(thread_id, start_ns, end_ns, reason, pipe_id, syscall, side, site_id) VALUES (1, 500000000, 1900000000, 'pipe-read', 41, 'read', 0, 3);
	END
}

# many_hosts N: the run "hosts-N", made of the one that was pushed.
many_hosts()
{
	local table columns address="concat('10.', toString(intDiv(@, toInt64(200))), '.', toString(@ % toInt64(200)), '.1:"
	for table in $(sqlite3 host.db "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'") push; do
		columns=$(ask "SELECT arrayStringConcat(groupArray(name), ',') FROM system.columns WHERE database = 'bench' AND table = '${table}_rows'")
		ask "INSERT INTO ${table}_rows SELECT $(echo ",$columns," | sed "s/,run,/,'hosts-$1',/; s/,trace_id,/,concat(trace_id, toString(i)),/; s/,host,/,concat('node-', toString(i)),/
			s/,local,/,if(kind = 'tcp', if(id = 41, ${address//@/i}5000'), ${address//@/((i + $1 - 1) % toInt64($1))}5000')), local),/
			s/,remote,/,if(kind = 'tcp', if(id = 41, ${address//@/((i + 1) % toInt64($1))}6000'), ${address//@/i}6000')), remote),/; s/^,//; s/,$//") FROM ${table}_rows ARRAY JOIN arrayMap(x -> toInt64(x), range($1)) AS i WHERE run = 'one'"
	done
}

clickhouse_start server || exit 1
export PPTRACE_URL=$ch_url/bench
echo "On $(nproc) processors, load $(cut -d' ' -f1-3 /proc/loadavg) before, server $(ask "SELECT version()") beside pptrace:"
echo
ch_database=bench
echo "| | |"
echo "|---|---|"
one_host
timed "$PPTRACE" push --run one host.db >/dev/null
for rows in ${ROWS-100000 1000000 10000000}; do
	rm -f much.db
	recording much.db <<-END
	INSERT INTO trace(id, command, host, backend, blind_spots, started_unix_ns, duration_ns, exit_code, complete)
		VALUES (1, '["much-$rows"]', 'node', 'ebpf', '[]', 1767225600000000000, 2000000000, 0, 1);
	INSERT INTO process(id, pid, name, start_ns) VALUES (1, 4000, 'much', 0);
	INSERT INTO thread(id, tid, process_id, start_ns, is_main) VALUES (1, 4000, 1, 0, 1);
	INSERT INTO lock(id, kind, process_id, address) VALUES (1, 'mutex', 1, 4096);
	INSERT INTO lock_hold(lock_id, thread_id, mode, acquire_ns, release_ns, site_id)
		WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $rows) SELECT 1, 1, 'x', i * 1000 + abs(random()) % 500, i * 1000 + 500 + abs(random()) % 400, 1 + i % 50 FROM n;
	END
	read -r took cpu size <<<"$(timed "$PPTRACE" push -v --run "much-$rows" much.db)"
	bytes=$(grep -o '[0-9]* bytes of rows' err | cut -d' ' -f1)
	there=$(ask "SELECT round(sum(bytes) / sum(rows), 1) FROM system.parts WHERE active AND database = 'bench' AND table = 'lock_hold_rows'")
	echo "| push of $rows holds | $took s ($cpu s of pptrace's processor time, $size MB), $(echo "$rows / $took" | bc) rows a second${bytes:+, $((bytes / rows)) bytes a row before compression}, $there in ClickHouse |"
done
for hosts in ${HOSTS-100 1000}; do
	many_hosts "$hosts"
	"$PPTRACE" fleet diagnose "hosts-$hosts" >/dev/null 2>&1
	read -r took cpu size <<<"$(timed "$PPTRACE" fleet diagnose "hosts-$hosts")"
	found=$(sed -n 's/^ *\(cycle of [0-9]*, [a-z]*\).*/\1/p' out | head -1)
	echo "| fleet diagnose of $hosts hosts | $took s ($cpu s of pptrace's processor time), $size MB; ${found:-nothing} found |"
done
echo
echo "Load after: $(cut -d' ' -f1-3 /proc/loadavg)"
