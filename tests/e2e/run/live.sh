#!/usr/bin/env bash
# live.sh - a recording is read while it grows, and after pptrace was killed.
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/../../lib.sh"

has_children()
{
	[ "$(sql t.db "SELECT count(*) FROM process WHERE parent_id = 1")" = 3 ]
}

for backend in $(backends); do

begin "$backend: query and events read a file that grows"
rm -f t.db*
"$PPTRACE" run -q --backend="$backend" -o t.db "$DEMOS/fork-count" --children 3 --count 200 --delay 0.1 >out.run 2>&1 &
tracer=$!
wait_for 20 has_children
run "$PPTRACE" query -f t.db "SELECT count(*) AS n FROM process"
expect_status 0
expect_out '^4$'
expect_err 't.db is not complete: it is still being recorded'
run "$PPTRACE" events t.db --kind process
expect_status 0
[ "$(wc -l <out)" -ge 4 ] || fail "fewer than four processes" "$(show)"
run "$PPTRACE" export t.db
expect_status 0
expect_sql :memory: "SELECT json_valid(readfile('out'))" 1
for command in tree timeline waits; do
	run "$PPTRACE" $command -T txt t.db
	expect_status 0
done
end

begin "$backend: a file whose pptrace was killed is read with its -wal"
kill -KILL $tracer
wait_end $tracer 2>/dev/null
run "$PPTRACE" query -f t.db exits
expect_status 0
expect_err 'not complete'
run "$PPTRACE" tree -T txt t.db
expect_status 0
# The children are still running; this test ends them.
for pid in $(sql t.db "SELECT pid FROM process WHERE end_ns IS NULL"); do
	[ "$(cat /proc/$pid/comm 2>/dev/null)" != fork-count ] || kill $pid
done
end

done
