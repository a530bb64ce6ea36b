#!/usr/bin/env bash
# cluster.sh - push --cluster, and fleet, with a ClickHouse cluster of two shards.
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/../../lib.sh"
. "$ROOT/tests/lib_clickhouse.sh"

pids=()
trap 'kill -KILL ${pids[@]+"${pids[@]}"} 2>/dev/null; finish' EXIT

# start_shards NAME [REPLICAS]: servers of two shards, each with so many replicas (1); sets urls.
start_shards()
{
	local i n=$((2 * ${2:-1})) tcp=() cluster=two
	urls=()
	for ((i = 0; i < n; i++)); do tcp+=("$(free_port)"); done
	# Those of one shard stand side by side.
	for ((i = 0; i < n; i++)); do cluster+=$([ $((i % (n / 2))) = 0 ] && echo " " || echo ,)${tcp[i]}; done
	for ((i = 0; i < n; i++)); do
		CH_CLUSTER=$cluster CH_TCP=${tcp[i]} clickhouse_start "$1$i" || return 1
		pids+=("$ch_pid")
		urls+=("$ch_url")
	done
}

# both SQL: what each of the servers answers, in a line.
both()
{
	for ch_url in "${urls[@]}"; do ask "$1" 2>&1; done | paste -s -d ' '
}

begin "push --cluster without a ZooKeeper: each server makes its own tables, and nothing is pushed before all have them"
start_shards plain || { end; exit 0; }
ch_database=trace
run "$PPTRACE" run -q --backend=shim -o one.db "$DEMOS/fork-count"
for again in 1 2; do
	run "$PPTRACE" push --cluster two --to "${urls[0]}/trace" one.db
	expect_status 1
	expect_err "has its tables now; the cluster 'two' has no ZooKeeper"
done
run "$PPTRACE" push --cluster two --to "${urls[1]}/trace" one.db
expect_status 0
expect_eq "$(both "SELECT count() FROM push_rows FINAL WHERE state = 'done'")" "1 1" "recordings that each server knows"
# It is in one of them; the other one has none of its rows.
expect_eq "$(both "SELECT toUInt8(count() > 0) FROM process_rows_shard" | tr ' ' '\n' | sort | paste -s -d ' ')" "0 1" "servers with rows"
for ch_url in "${urls[@]}"; do expect_same one.db; done
end

begin "push to a cluster: its name is known there; recordings are on all shards, and each server tells of all"
runs=1
while [ "$(both "SELECT toUInt8(count() > 0) FROM process_rows_shard")" != "1 1" ] && [ $runs -lt 20 ]; do
	run env PPTRACE_RUN=many PPTRACE_URL="${urls[$((runs % 2))]}/trace" \
		"$PPTRACE" run -q --push --backend=shim --on-deadlock=kill -o "$runs.db" "$DEMOS/deadlock-abba"
	expect_status 124
	runs=$((runs + 1))
done
expect_eq "$(both "SELECT toUInt8(count() > 0) FROM process_rows_shard")" "1 1" "servers with rows"
for url in "${urls[@]}"; do
	run "$PPTRACE" fleet --from "$url/trace" diagnose many
	expect_status 1
	expect_eq "$(grep -c '^error: deadlock' out)" $((runs - 1)) deadlocks
	run "$PPTRACE" fleet --from "$url/trace" -T txt waits many
	expect_status 0
	expect_out 'lock_b'
	expect_eq "$(cat err)" "" "what it says beside"
	# Wide, so that there is room for the word on a slow machine too, whose recordings are far apart.
	run env COLUMNS=1000 "$PPTRACE" fleet --from "$url/trace" -T txt timeline many
	expect_status 0
	expect_out 'STUCK'
	run "$PPTRACE" fleet --from "$url/trace" list many
	name=$(awk 'NR == 2 { print $3 }' out)
	rm -f pulled.db
	run "$PPTRACE" fleet --from "$url/trace" -o pulled.db pull many "$name"
	expect_status 0
	expect_eq "$(sql pulled.db "SELECT count(*) FROM process")" 1 processes
	expect_eq "$(sql pulled.db "SELECT count(*) FROM thread")" 3 threads
done
end

begin "push to a cluster: what is gone from a recording that grows is gone there"
fixture threads-mutex
cp threads-mutex.db grows.db
sqlite3 grows.db "UPDATE trace SET complete = 0"
run "$PPTRACE" push --run grows --to "${urls[0]}/trace" grows.db
expect_status 0
n=$(sql grows.db "SELECT count(*) FROM thread")
sqlite3 grows.db "DELETE FROM thread WHERE id = (SELECT max(id) FROM thread)"
run "$PPTRACE" push --run grows --to "${urls[1]}/trace" grows.db
expect_status 0
for ch_url in "${urls[@]}"; do expect_there "SELECT count() FROM thread WHERE run = 'grows'" $((n - 1)); done
end

begin "push --cluster: another cluster, none of that name, tables that lie on one server"
run "$PPTRACE" push --cluster three --to "${urls[0]}/trace" one.db
expect_status 1
expect_err "tables of the database trace lie on the cluster two"
run "$PPTRACE" push --cluster three --to "${urls[0]}/other" one.db
expect_status 1
expect_err "'three'"
run "$PPTRACE" push --to "${urls[0]}/alone" one.db
expect_status 0
run "$PPTRACE" push --cluster two --to "${urls[0]}/alone" one.db
expect_status 1
expect_err "lie on one server"
run "$PPTRACE" push --cluster 'a`b' --to "${urls[0]}/trace" one.db
expect_status 2
expect_err "the name of a cluster"
end

begin "push to a cluster without a ZooKeeper: a newer pptrace adds columns on each server, and pushes nothing before all have them"
ch_database=trace
for ch_url in "${urls[@]}"; do
	for table in process_rows_shard process_rows; do ask "ALTER TABLE $table DROP COLUMN program"; done
	for table in clock clock_rows clock_rows_shard; do ask "DROP TABLE $table"; done
	ask "ALTER TABLE pptrace_format_shard DELETE WHERE version > 0"
done
wait_for 30 eval '[ "$(both "SELECT count() FROM pptrace_format_shard")" = "0 0" ]'
ch_url=${urls[0]}
ask "INSERT INTO pptrace_format_shard VALUES (1000, '0.0.1', now())"
for again in 1 2; do
	run "$PPTRACE" push --run newer --to "${urls[0]}/trace" one.db
	expect_status 1
	expect_err "push to each of them once, then again"
done
expect_there "SELECT count() FROM push_rows WHERE run = 'newer'" 0
run "$PPTRACE" push --run newer --to "${urls[1]}/trace" one.db
expect_status 0
run "$PPTRACE" push --run newer-2 --to "${urls[0]}/trace" one.db
expect_status 0
expect_eq "$(both "SELECT max(version) > 1000 FROM pptrace_format")" "1 1" "servers that know the new version"
for run in newer newer-2; do
	for ch_url in "${urls[@]}"; do expect_same one.db $run; done
done
# What was there is there.
run "$PPTRACE" fleet --from "${urls[1]}/trace" diagnose many
expect_eq "$(grep -c '^error: deadlock' out)" $((runs - 1)) deadlocks
end

begin "push: a shard that does not answer is an error, and the recording can be pushed when it does"
kill -KILL "${pids[1]}"
wait_end "${pids[1]}" 2>/dev/null
run "$PPTRACE" push --retry 1s --run later --to "${urls[0]}/trace" one.db
expect_status 1
expect_err "pptrace: push: one.db: "
kill -KILL "${pids[0]}"
end

begin "push --cluster: two shards with two replicas each: every row is in both replicas of one shard, and counts once"
pids=()
ch_database=default
if start_shards replica 2; then
	ch_database=trace
	for url in "${urls[@]}"; do
		run "$PPTRACE" push --cluster two --to "$url/trace" one.db
	done
	expect_status 0
	for ((i = 1; i < runs; i++)); do
		run "$PPTRACE" push --run many --to "${urls[i % 4]}/trace" "$i.db"
		expect_status 0
	done
	for ((i = 0; i < 4; i += 2)); do
		expect_eq "$(ch_url=${urls[i]} ask "SELECT count() FROM process_rows_shard")" "$(ch_url=${urls[i + 1]} ask "SELECT count() FROM process_rows_shard")" "rows of replicas"
	done
	for ch_url in "${urls[@]}"; do
		expect_there "SELECT count() FROM process WHERE run = 'many'" "$(for ((i = 1; i < runs; i++)); do sql $i.db "SELECT count(*) FROM process"; done | paste -sd+ | bc)"
		run "$PPTRACE" fleet --from "$ch_url/trace" diagnose many
		expect_status 1
		expect_eq "$(grep -c '^error: deadlock' out)" $((runs - 1)) deadlocks
	done
	# One replica of each shard is enough to read.
	kill -KILL "${pids[1]}" "${pids[2]}"
	for i in 0 3; do
		run "$PPTRACE" fleet --from "${urls[i]}/trace" diagnose many
		expect_eq "$(grep -c '^error: deadlock' out)" $((runs - 1)) "deadlocks, with one replica of each shard"
	done
	kill -KILL "${pids[@]}" 2>/dev/null
fi
end

begin "push --cluster with a ZooKeeper: one push makes the tables everywhere"
jar=/usr/share/java/zookeeper.jar
if [ ! -e $jar ] || ! command -v java >/dev/null; then
	skip "zookeeper is not installed (make deps-long)"
else
	CH_KEEPER=$(free_port)
	mkdir keeper
	printf '%s\n' tickTime=2000 "dataDir=$PWD/keeper" "clientPort=$CH_KEEPER" clientPortAddress=127.0.0.1 admin.enableServer=false >keeper.cfg
	java -cp $jar org.apache.zookeeper.server.quorum.QuorumPeerMain keeper.cfg >keeper.out 2>&1 </dev/null &
	pids=($!)
	wait_for 30 bash -c "exec 3<>/dev/tcp/127.0.0.1/$CH_KEEPER"
	ch_database=default
	if start_shards kept; then
		ch_database=trace
		run "$PPTRACE" push --cluster two --to "${urls[0]}/trace" one.db
		expect_status 0
		for ch_url in "${urls[@]}"; do expect_same one.db; done
		run "$PPTRACE" push --to "${urls[1]}/trace" one.db
		expect_status 0
		expect_err "already pushed completely"
		kill -KILL "${pids[@]:1}" 2>/dev/null
	fi
fi
end
