#!/usr/bin/env bash
# life.sh - pptrace run: commands that daemonise, stop, close everything, or have hostile names.
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/../../lib.sh"

for backend in ${BACKENDS:-$(backends)}; do

begin "$backend: the recording lasts until the last descendant has ended"
run "$PPTRACE" run --backend=$backend -o life.db sh -c '(sleep 0.4; echo late) & exit 4'
expect_status 4
expect_out late
expect_sql life.db "SELECT count(*) FROM process WHERE end_ns IS NULL" 0
end

begin "$backend: --until=main ends with the command"
start_s=$(date +%s%N)
run "$PPTRACE" run --backend=$backend --until=main -o life.db sh -c 'sleep 3 >/dev/null 2>&1 & exit 4'
expect_status 4
[ $((($(date +%s%N) - start_s) / 1000000)) -lt 2500 ] || fail "it waited"
expect_sql life.db "SELECT complete, exit_code FROM trace" "1|4"
end

begin "$backend: descendants in sessions of their own, forked twice"
run "$PPTRACE" run --backend=$backend -o life.db sh -c 'setsid sh -c "(sleep 0.3; echo deep) &" & wait'
expect_status 0
expect_out deep
expect_sql life.db "SELECT count(*) FROM process WHERE end_ns IS NULL" 0
end

begin "$backend: a command that closes all descriptors"
run "$PPTRACE" run --backend=$backend -o life.db python3 -c 'import os; os.closerange(0, 4096); os._exit(8 if os.fork() else 0)'
expect_status 8
expect_sql life.db "SELECT complete, lost FROM trace" "1|0"
end

begin "$backend: a command that is stopped and continued"
run "$PPTRACE" run --backend=$backend -o life.db sh -c '(sleep 0.3; kill -CONT $$) & kill -STOP $$; wait; exit 2'
expect_status 2
expect_sql life.db "SELECT complete, exit_code FROM trace" "1|2"
end

begin "$backend: pptrace is stopped while the command ends and leaves a child behind"
for try in 1 2 3; do
	run "$PPTRACE" run --backend=$backend -o life.db sh -c '(sleep 0.2; kill -CONT $PPID; sleep 0.2; echo late) & kill -STOP $PPID'
	expect_status 0
	expect_out late
	expect_sql life.db "SELECT count(*) FROM process WHERE end_ns IS NULL" 0
done
end

begin "$backend: hostile names and arguments"
cp /bin/sh '"><script>'
run "$PPTRACE" run --backend=$backend -o life.db './"><script>' -c 'exit 5' $'new\nline' $'\xff\xfe' "'; DROP TABLE trace; --" '</title>'
expect_status 5
expect_sql life.db "SELECT exit_code, json_valid(command) FROM trace" "5|1"
expect_sql life.db "SELECT sum(json_valid(argv)) = count(*) FROM exec" 1
expect_no_err $'[\x01-\x08\x0b-\x1f]'
end

begin "$backend: a long command line"
run "$PPTRACE" run --backend=$backend -o life.db sh -c 'echo $#' sh $(seq 1 20000)
expect_status 0
expect_out '^20000$'
expect_eq "$(sql life.db "SELECT json_array_length(argv) = 20004 OR cut FROM exec WHERE errno IS NULL ORDER BY id LIMIT 1")" 1
end

begin "$backend: many short processes"
run "$PPTRACE" run --backend=$backend -o life.db sh -c 'i=0; while [ $i -lt 200 ]; do /bin/true; i=$((i+1)); done'
expect_status 0
expect_sql life.db "SELECT count(*), sum(end_ns IS NOT NULL) FROM process" "201|201"
expect_sql life.db "SELECT count(*) FROM exec WHERE errno IS NULL" 201
end

done
