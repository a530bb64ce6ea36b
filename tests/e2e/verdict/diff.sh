#!/usr/bin/env bash
# diff.sh - pptrace diff of real runs: a deadlock against its healthy twin, and a healthy program against itself.
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/../../lib.sh"

tests()
{
backend=$1

begin "$backend: two healthy runs of threads that take turns do the same"
for i in 1 2; do
	run "$PPTRACE" run --backend=$backend -o good$i.db "$DEMOS/deadlock-abba" --fixed
	expect_status 0
done
run "$PPTRACE" diff good1.db good2.db
expect_out '^no difference in the order of '
# On a busy machine one of them may have waited for a lock for longer than the other: that alone makes them differ.
expect_eq "$(grep -E '^  (error|warning|info): ' out | grep -v '^  info: lock-contention: ')" "" "other findings that one has alone"
expect_status "$(grep -c -m1 '^  info: lock-contention: ' out)"
end

begin "$backend: a deadlock differs where its threads stop"
run "$PPTRACE" run --backend=$backend --on-deadlock=kill -o bad.db "$DEMOS/deadlock-abba"
expect_status 124
run "$PPTRACE" diff good1.db bad.db
expect_status 1
expect_out '^  bad.db  .* waits \(lock\) for the mutex lock_b, which never happens at deadlock-abba.c:17 \(left\)'
expect_out '^  bad.db  .* waits \(join\) for the end of deadlock-abba : left, which never happens'
expect_out '^  error: deadlock: '
expect_out '^  deadlock-abba : left, lock: mutex lock_b: .* -> '
end

}

# shellcheck disable=SC2046
side_by_side tests $(backends)
