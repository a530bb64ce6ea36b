# mpi.sh - fleet: ranks of one MPI job on several hosts, which are network namespaces with a bridge between them.
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/../../lib.sh"
. "$ROOT/tests/lib_clickhouse.sh"
. "$ROOT/tests/lib_hosts.sh"

trap 'remove_hosts; clickhouse_stop -KILL; finish' EXIT
if ! command -v mpirun.openmpi >/dev/null || ! command -v mpicc.openmpi >/dev/null; then
	begin "MPI over hosts"
	skip "Open MPI is not installed"
	end
	exit 0
fi
if [[ " $(backends) " != *" ebpf "* ]] || ! make_hosts 2>/dev/null; then
	begin "MPI over hosts"
	skip "network namespaces or eBPF are not to be had here"
	end
	exit 0
fi
mpicc.openmpi -std=c11 -w -g -O1 -o cases "$ROOT/tests/mpi/cases.c" >cases.log 2>&1 || cat cases.log
# What mpirun has instead of ssh: HOST COMMAND...
cat >remote <<-END
#!/bin/sh
case \$1 in 10.97.0.*) n=\${1#10.97.0.} ;; esac
shift
exec ip netns exec pp\${n}$$ unshare -u sh -c 'hostname node-'\$n'; exec sh -c "\$*"' sh "\$@"
END
chmod +x remote
# What starts a rank: under pptrace, recorded to RUN-RANK.db.
cat >rank <<-END
#!/bin/sh
exec "$PPTRACE" run -q --push --until=main -o "$TMP/\$PPTRACE_RUN-\$OMPI_COMM_WORLD_RANK.db" "$TMP/cases" "\$1"
END
chmod +x rank

# mpi_job RUN CASE: on four ranks, two on each of two hosts.
mpi_job()
{
	local i
	PPTRACE_RUN=$1 timeout -k 5 100 mpirun.openmpi --allow-run-as-root -n 4 -H 10.97.0.1:2,10.97.0.2:2 --mca plm_rsh_agent "$TMP/remote" \
		--mca oob_tcp_if_include 10.97.0.0/24 --mca btl tcp,self --mca btl_tcp_if_include 10.97.0.0/24 --mca pml ob1 \
		-x PPTRACE_RUN -x PPTRACE_URL --mca orte_abort_on_non_zero_status 0 "$TMP/rank" "$2" >"$1.out" 2>"$1.err" </dev/null &
	job=$!
	if [ "${3:-}" ]; then
		for i in 0 1 2 3; do
			wait_for 60 waits_in_mpi "$1-$i.db" "$3"
		done
		# The ranks, then what started them: that would end pptrace while it pushes.
		pkill -TERM -xf "$TMP/cases $2"
		wait_for 60 are_pushed "$1"
		kill $job
	fi
	wait_end $job
}

are_pushed()
{
	[ "$(ask "SELECT count() FROM push_rows FINAL WHERE run = '$1' AND state = 'done'")" = 4 ]
}

# waits_in_mpi FILE PATTERN: its rank has waited for so long that it will not go on.
waits_in_mpi()
{
	[ -s "$1" ] && [ "$(sql "$1" "SELECT count(*) FROM wait w, trace t WHERE w.reason = 'mpi' AND w.end_ns IS NULL AND w.detail LIKE '%$2%' AND t.duration_ns - w.start_ns > 1500000000")" = 1 ]
}

begin "fleet diagnose: four ranks on two hosts, synchronous sends head to head"
CH_LISTEN=10.97.0.254 clickhouse_start one || { end; exit 0; }
export PPTRACE_URL=${ch_url/127.0.0.1/10.97.0.254}/mpi
ch_database=mpi
mpi_job ssend ssend-ssend MPI_Ssend
run "$PPTRACE" fleet diagnose ssend
expect_status 1
expect_out '^error: deadlock: .*cases@node-.* wait for each other and can never proceed'
expect_out 'cycle of 4, certain'
expect_eq "$(grep -c 'sends to rank [0-3] with tag 1 (MPI_Ssend) since .* at cases.c:[0-9]* (ssend_ssend)' out)" 4 "members with a place"
expect_out 'node-1'
expect_out 'node-2'
end

begin "fleet diagnose: a rank on another host is missing in a barrier"
mpi_job missing missing MPI_
run "$PPTRACE" fleet diagnose missing
expect_status 1
expect_out 'certain'
expect_out 'receives from rank 0 with tag 1 \(MPI_Recv\) since .* at cases.c:[0-9]+ \(missing\)'
expect_out 'which rank 2, cases@node-.*, has not called'
end

begin "fleet diagnose: large standard sends over hosts are possibly stuck: a library may keep them"
mpi_job send send-send MPI_Send
run "$PPTRACE" fleet diagnose send
expect_status 1
expect_out '^warning: stuck: '
expect_out 'unless the MPI library buffers'
end

begin "fleet diagnose: healthy jobs over hosts are left in peace"
for name in ssend-ssend-right missing-right comms-right waitall-right; do
	mpi_job $name $name
	run "$PPTRACE" fleet diagnose $name
	expect_out '^nothing found$'
	expect_status 0
	grep -q '^done$' $name.out || fail "$name: $(cat $name.out $name.err)"
done
end

begin "fleet diagnose: messages between hosts that nobody received, collective calls in another order"
mpi_job unmatched unmatched-far
run "$PPTRACE" fleet diagnose unmatched
expect_status 1
expect_out '^warning: mpi-unmatched-message: 1 message from rank 0 to rank 3 with tag 7 on MPI_COMM_WORLD was never received'
mpi_job order order MPI_
run "$PPTRACE" fleet diagnose order
expect_out '^error: mpi-collective-order: collective call no. 1 on MPI_COMM_WORLD is not the same on all ranks'
expect_out 'calls? MPI_Allreduce'
expect_out 'calls? MPI_Barrier'
end
