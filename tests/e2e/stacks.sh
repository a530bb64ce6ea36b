#!/usr/bin/env bash
# stacks.sh - native stacks: places told apart by their callers, whole with -v, as JSON and in the recording.
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/../lib.sh"
. "$ROOT/tests/lib_why.sh"

source=$ROOT/tests/programs/stacks.c
line_of() { grep -n "/\* $1 \*/" "$source" | cut -d: -f1; }
helper=$(line_of HELPER) transfer=$(line_of TRANSFER) report=$(line_of REPORT)

# Twice built: without optimisation, where only the frame pointer finds a caller, and with it.
for level in 0 2; do
	gcc -g -O$level -pthread -o "stacks$level" "$source"
done
gcc -O2 -s -pthread -o stripped "$source"
gcc -g -O2 -static -pthread -o static "$source"

# expect_places: the two members are at one line, and their callers tell them apart.
expect_places()
{
	expect_out "waits for the mutex audit .*at stacks.c:$helper \(my_lock\), called from stacks.c:[0-9]+ \(lock\), called from stacks.c:$transfer \(transfer\),"
	expect_out "waits for the mutex account .*at stacks.c:$helper \(my_lock\), called from stacks.c:[0-9]+ \(lock\), called from stacks.c:$report \(report\),"
}

for mode in direct indirect; do
	for program in ./stacks0 ./stacks2; do
		begin "why $program $mode: a helper's line is told with the callers that differ"
		start $program $mode
		if wait_for 10 waiting 3; then
			run "$PPTRACE" why "$pid"
			expect_status 1
			expect_places
			run "$PPTRACE" why -v "$pid"
			expect_out "^      at stacks.c:$transfer \(transfer\)"
			expect_out '^              at .*\(start_thread\)'
			run "$PPTRACE" why --json "$pid"
			expect_out '"frames":\[\{"function":.*"library":true\}'
			expect_out "\"function\":\"transfer\",\"file\":\"[^\"]*/stacks.c\",\"line\":$transfer,.*\"library\":false"
		fi
		stop
		end
	done
done

for backend in auto shim; do
	begin "run --backend=$backend: places are told apart, and the stacks are in the recording"
	run "$PPTRACE" run --backend=$backend --on-deadlock=kill -o dead.db ./stacks0
	expect_status 124
	mv err out
	expect_places
	run "$PPTRACE" diagnose dead.db
	expect_places
	run "$PPTRACE" diagnose -v dead.db
	expect_out "^      at stacks.c:$report \(report\)"
	run "$PPTRACE" diagnose --json dead.db
	expect_out "\"frames\":\[.*\"function\":\"report\",\"file\":\"[^\"]*/stacks.c\",\"line\":$report,"
	expect_sql dead.db "SELECT count(*) FROM finding_member m JOIN frame f USING (stack_id)
		JOIN site s ON s.id = f.site_id WHERE s.function IN ('transfer', 'report')" 2
	# The preload library is not a part of the program.
	expect_sql dead.db "SELECT count(*) FROM frame f JOIN site s ON s.id = f.site_id WHERE s.module LIKE '%pptrace-shim%'" 0
	end
done

begin "run --locks=futex: places are told apart without the preload library"
run "$PPTRACE" run --locks=futex --on-deadlock=kill -o dead.db ./stacks0
if grep -q 'eBPF' err && [ "$status" = 125 ]; then
	skip "no eBPF here"
else
	expect_status 124
	mv err out
	expect_places
fi
end

begin "why of a stripped program: frames are where they are in the file"
start ./stripped
if wait_for 10 waiting 3; then
	run "$PPTRACE" why "$pid"
	expect_out 'waits for the mutex .* at stripped\+0x[0-9a-f]+, called from stripped\+0x'
fi
stop
end

begin "why of a static program: its C library is inside it, and not the program's own"
start ./static
if wait_for 10 waiting 3; then
	run "$PPTRACE" why "$pid"
	expect_places
	run "$PPTRACE" why -v "$pid"
	expect_out '^              at .*\(start_thread\)'
fi
stop
end
