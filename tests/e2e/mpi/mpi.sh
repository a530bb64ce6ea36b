# mpi.sh - ranks of MPI jobs on one host: what waits for each other, lost messages, collective calls; and that nothing is said of healthy ones.
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/../../lib.sh"

# Cases of tests/mpi/cases.c, and what is found: severities above info, rule, certainty, shape.
wrong="recv-recv error deadlock certain cycle
wildcard error deadlock certain knot
tags error deadlock certain cycle
comms error deadlock certain cycle
probe error deadlock certain cycle
ssend-ssend error deadlock certain cycle
send-send warning stuck conditional cycle
waitall error deadlock certain knot
waitany error deadlock certain knot
missing error deadlock certain cycle
finished error deadlock certain abandoned,error mpi-collective-order certain
order error deadlock certain knot,error mpi-collective-order certain
unmatched warning mpi-unmatched-message certain"

# record MPI BACKEND CASE: to t.db
record()
{
	local more=
	[ "$1" = mpich ] || more="--allow-run-as-root --oversubscribe"
	rm -f t.db*
	# shellcheck disable=SC2086
	run "$PPTRACE" run -q --backend="$2" --on-deadlock=kill --timeout 20 -o t.db mpirun.$1 $more -n 4 "$TMP/cases.$1" "$3"
}

# How soon a launcher reaps its ranks is its own affair: a busy machine makes zombies of them.
found()
{
	sql t.db "SELECT rtrim(severity || ' ' || rule || ' ' || certainty || ' ' || coalesce(shape, '')) FROM finding WHERE severity <> 'info' AND rule <> 'zombie' ORDER BY rule" | paste -sd,
}

# is_waiting FILE: a rank is in an MPI call that has not ended.
is_waiting() { [ "$(sql "$1" "SELECT count(*) > 0 FROM wait WHERE reason = 'mpi' AND end_ns IS NULL")" = 1 ]; }

for mpi in mpich openmpi; do
	begin "$mpi: the constants of its ABI are known"
	if ! command -v mpicc.$mpi >/dev/null || ! command -v mpirun.$mpi >/dev/null; then
		skip "$mpi is not installed"
		end
		continue
	fi
	mpicc.$mpi -std=c11 -I"$ROOT" -o abi "$ROOT/tests/mpi/abi.c" >abi.log 2>&1 || fail "$(head -5 abi.log)"
	./abi || fail "MPI_STATUS_IGNORE is another"
	mpicc.$mpi -std=c11 -w -g -O1 -o cases.$mpi "$ROOT/tests/mpi/cases.c" >cases.log 2>&1 || fail "$(head -5 cases.log)"
	end

	for backend in $(backends); do
		while read -r name expected; do
			# The library that records MPI is the same on all backends: on the others a few of them do.
			# Both implementations share its source: the second one is asked where handles, statuses and wildcards differ.
			case $mpi-$backend-$name in
			mpich-auto-* | mpich-*-tags | mpich-*-missing | mpich-*-unmatched) ;;
			openmpi-auto-wildcard | openmpi-auto-comms | openmpi-auto-probe | openmpi-auto-wait* | openmpi-auto-order | openmpi-auto-unmatched) ;;
			openmpi-shim-missing) ;;
			*) continue ;;
			esac
			begin "$mpi, $backend: $name"
			record $mpi "$backend" "$name"
			expect_eq "$(found)" "$expected" findings
			[ "${expected#error deadlock}" = "$expected" ] || expect_status 124
			end
			begin "$mpi, $backend: $name, done right, is left in peace"
			record $mpi "$backend" "$name-right"
			expect_status 0
			expect_out '^done$'
			expect_eq "$(found)" "" findings
			end
		done <<<"$wrong"
	done

	begin "$mpi: who waits for whom, with rank, tag, communicator and place"
	record $mpi auto comms
	run "$PPTRACE" diagnose t.db
	expect_out 'receives from rank 0 with tag 7 on the copy \(MPI_Recv\) since .* at cases.c:[0-9]+ \(comms\)'
	expect_out 'waits in the collective call no. 1 on the copy \(MPI_Barrier\) since .* at cases.c:[0-9]+ \(comms\)'
	expect_out 'which rank 1, cases\.'
	expect_sql t.db "SELECT count(*) FROM sync y JOIN mpi_comm c ON c.id = y.comm_id WHERE y.op = 'MPI_Recv' AND y.peer = 0 AND y.tag = 7 AND c.name = 'the copy'" 1
	end

	begin "$mpi: communicators have the same number on all ranks, however they came about"
	record $mpi auto comms-right
	# Three times two halves and two copies, of two ranks each, and what each rank has of its own.
	expect_sql t.db "SELECT count(*) FROM mpi_comm WHERE size = 2" 12
	expect_sql t.db "SELECT count(*) FROM (SELECT comm_id FROM mpi_member m JOIN mpi_comm c ON c.id = m.comm_id WHERE c.size = 2 GROUP BY comm_id HAVING count(*) = 2 AND min(entered) = max(entered))" 12
	end

	begin "$mpi: a rank that is not recorded can always go on"
	more=
	[ $mpi = mpich ] || more="--allow-run-as-root --oversubscribe"
	# shellcheck disable=SC2086
	background timeout -k 2 60 mpirun.$mpi $more -n 1 "$PPTRACE" run -q --watch 0.5 -o part.db "$TMP/cases.$mpi" recv-recv : -n 3 "$TMP/cases.$mpi" recv-recv
	job=$!
	wait_for 50 is_waiting part.db
	# Long enough for it to be judged; on a busy machine that happens later, and nothing is said either.
	nap 2
	kill -TERM $job
	wait_end $job
	expect_sql part.db "SELECT count(*) FROM finding WHERE severity = 'error'" 0
	# shellcheck disable=SC2086
	run mpirun.$mpi $more -n 1 "$PPTRACE" run -q -o right.db "$TMP/cases.$mpi" recv-recv-right : -n 3 "$TMP/cases.$mpi" recv-recv-right
	expect_status 0
	expect_out '^done$'
	expect_sql right.db "SELECT count(*) FROM sync WHERE op = 'MPI_Recv'" 20
	end

	begin "$mpi: --mpi=off records none of it"
	# shellcheck disable=SC2086
	run "$PPTRACE" run -q --mpi=off -o off.db mpirun.$mpi $more -n 4 "$TMP/cases.$mpi" recv-recv-right
	expect_status 0
	expect_sql off.db "SELECT count(*) FROM process WHERE mpi_job IS NOT NULL" 0
	end
done

# In Fortran: each case and its healthy twin, with the modules mpi and mpi_f08.
fortran="recv error deadlock certain cycle
wait error deadlock certain cycle
missing error deadlock certain cycle"

for mpi in mpich openmpi; do
	for module in mpi mpi_f08; do
		begin "$mpi, Fortran with $module: who waits for whom"
		if ! command -v mpif90.$mpi >/dev/null || ! command -v mpirun.$mpi >/dev/null; then
			skip "mpif90.$mpi is not installed"
			end
			continue
		fi
		define=
		[ $module = mpi ] || define=-DF08
		mpif90.$mpi $define -g -O1 -o cases.$mpi "$ROOT/tests/mpi/fortran.F90" >fortran.log 2>&1 || fail "$(head -5 fortran.log)"
		while read -r name expected; do
			case $mpi-$module-$name in
			mpich-mpi-* | openmpi-mpi_f08-* | *-recv) ;;
			*) continue ;;
			esac
			record $mpi auto "$name"
			expect_eq "$(found)" "$expected" "findings of $name"
			expect_status 124
			# The place is in the program, not in the library for Fortran.
			expect_sql t.db "SELECT count(*) >= 2 AND sum(file LIKE '%fortran.F90') = count(*) FROM finding f JOIN finding_member m ON m.finding_id = f.id JOIN site s ON s.id = m.site_id WHERE f.rule = 'deadlock'" 1
			record $mpi auto "$name-right"
			expect_status 0
			expect_out '^done$'
			expect_eq "$(found)" "" "findings of $name-right"
			expect_sql t.db "SELECT count(*) >= 400 FROM sync WHERE op GLOB 'MPI_*'" 1
		done <<<"$fortran"
		end
	done
done

begin "explain: the rules of MPI"
for rule in mpi-collective-order mpi-unmatched-message; do
	run "$PPTRACE" explain $rule
	expect_status 0
	expect_out 'To fix it'
done
end
