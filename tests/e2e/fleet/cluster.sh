#!/usr/bin/env bash
# cluster.sh - push --cluster, and fleet, with a ClickHouse cluster of two shards.
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/../../lib.sh"
. "$ROOT/tests/lib_clickhouse.sh"

pids=()
trap 'kill -KILL ${pids[@]+"${pids[@]}"} 2>/dev/null; finish' EXIT

# start_shards NAME: two servers; sets urls.
start_shards()
{
	local i tcp=("$(free_port)" "$(free_port)")
	urls=()
	for i in 0 1; do
		CH_CLUSTER="two ${tcp[*]}" CH_TCP=${tcp[i]} clickhouse_start "$1$i" || return 1
		pids+=("$ch_pid")
		urls+=("$ch_url")
	done
}

# both SQL: what each of the two servers answers, in a line.
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
count=1
while [ "$(both "SELECT toUInt8(count() > 0) FROM process_rows_shard")" != "1 1" ] && [ $count -lt 20 ]; do
	run env PPTRACE_RUN=many PPTRACE_URL="${urls[$((count % 2))]}/trace" \
		"$PPTRACE" run -q --push --backend=shim --on-deadlock=kill -o "$count.db" "$DEMOS/deadlock-abba"
	expect_status 124
	count=$((count + 1))
done
expect_eq "$(both "SELECT toUInt8(count() > 0) FROM process_rows_shard")" "1 1" "servers with rows"
for url in "${urls[@]}"; do
	run "$PPTRACE" fleet --from "$url/trace" diagnose many
	expect_status 1
	expect_eq "$(grep -c '^error: deadlock' out)" $((count - 1)) deadlocks
	run "$PPTRACE" fleet --from "$url/trace" -T txt waits many
	expect_status 0
	expect_out 'lock_b'
	expect_eq "$(cat err)" "" "what it says beside"
	run "$PPTRACE" fleet --from "$url/trace" -T txt timeline many
	expect_status 0
	expect_out 'STUCK: lock lock_a'
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

begin "push: a shard that does not answer is an error, and the recording can be pushed when it does"
kill -KILL "${pids[1]}"
wait_end "${pids[1]}" 2>/dev/null
run "$PPTRACE" push --retry 1s --run later --to "${urls[0]}/trace" one.db
expect_status 1
expect_err "pptrace: push: one.db: "
kill -KILL "${pids[0]}"
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
	pids+=($!)
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
	fi
fi
end
