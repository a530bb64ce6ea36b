#!/bin/bash
# details.sh - before a live verdict is reported, the stacks and buffers of the stuck threads are read.
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/../../lib.sh"

for backend in $(backends); do
	begin "$backend: run says where both wait and what was never flushed"
	run "$PPTRACE" run --backend="$backend" -o "$TMP/$backend.db" --on-deadlock=kill \
		"$PROGRAMS/stuck" pipes
	expect_status 124
	expect_err 'waits to read from the empty pipe .*stuck.c:[0-9]+ \(mode_pipes\)'
	run "$PPTRACE" diagnose "$TMP/$backend.db"
	expect_status 1
	expect_out 'unflushed-output: stuck.* has 23 unflushed bytes'
	expect_sql "$TMP/$backend.db" "SELECT count(*), min(pending), max(pending) FROM stdio
		WHERE at = 'stuck'" "2|23|23"
	end
done

cat >"$TMP/pool.py" <<'PY'
import multiprocessing, sys, time
if __name__ == "__main__":
    with multiprocessing.Pool(2) as pool:
        time.sleep(float(sys.argv[1]))
PY

for locks in futex shim; do
	begin "locks=$locks: a pool of processes at rest shares a semaphore, and is accused of nothing"
	if [ "$(id -u)" = 0 ]; then
		run "$PPTRACE" run --locks="$locks" -o "$TMP/pool.db" python3 "$TMP/pool.py" 2.5
		expect_status 0
		expect_no_err 'deadlock|stuck'
		expect_sql "$TMP/pool.db" "SELECT count(*) FROM finding WHERE rule IN ('deadlock', 'stuck')" 0
	else
		skip "needs eBPF, that is root"
	fi
	end
done

begin "of two locks on parts of one file each is held by its taker alone, of whom the kernel says no more than that a file is locked"
run timeout 60 "$PPTRACE" run -q --timeout=2 -o "$TMP/ofd.db" "$BUILD/tests/corpus/ofd_crossed"
expect_err 'waits for the OFD lock on .*'
expect_no_err 'shared by'
expect_sql "$TMP/ofd.db" "SELECT count(*) FROM finding WHERE rule = 'deadlock' AND certainty = 'certain'" 1
end
