#!/usr/bin/env bash
# timeout.sh - pptrace run --timeout: the command is ended, and who waited for whom is said; SIGTERM says it too.
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/../../lib.sh"

tests()
{
backend=$1

begin "$backend: --timeout says who waited for whom, ends the command by SIGTERM, and exits with 124"
run "$PPTRACE" run --backend=$backend --timeout 2 -o hang.db "$DEMOS/deadlock-abba"
expect_status 124
expect_err '^pptrace: timeout after 2.00 s: ending the command'
expect_err '^error: deadlock: .* \(reported in full above\)$'
expect_err ' waits for the mutex lock_b, for [12]\.[0-9]+ s$'
expect_err '^ +held by thread [0-9]+ \(right\) of deadlock-abba'
expect_err '^ +at deadlock-abba.c:33 \(right\)'
expect_eq "$(grep -c '^  remedy:' err)" 1 "how often the deadlock is told in full"
expect_sql hang.db "SELECT exit_signal, complete FROM trace" "15|1"
expect_sql hang.db "SELECT rule FROM finding WHERE severity = 'error'" deadlock
end

begin "$backend: what SIGTERM does not end is killed 5 s later, descendants too"
LIMIT=30 run "$PPTRACE" run --backend=$backend --timeout 0.5 -o deaf.db sh -c 'trap "" TERM; sleep 300 & exec sleep 301'
expect_status 124
expect_err 'sending SIGKILL to the processes that SIGTERM did not end'
expect_sql deaf.db "SELECT count(*), sum(exit_signal = 9) FROM process" "2|2"
expect_sql deaf.db "SELECT duration_ns BETWEEN 5400000000 AND 15000000000 FROM trace" 1
end

begin "$backend: a stopped process gets its SIGTERM; a time limit that is not reached changes nothing"
run "$PPTRACE" run --backend=$backend --timeout 0.5 -o stopped.db sh -c 'kill -STOP $$'
expect_status 124
expect_sql stopped.db "SELECT exit_signal FROM trace" 15
run "$PPTRACE" run --backend=$backend --timeout 30 -o fine.db sh -c 'exit 3'
expect_status 3
expect_no_err 'timeout|waiting for'
run "$PPTRACE" run --backend=$backend --timeout 0 -o fine.db sh -c 'exit 4'
expect_status 4
end

begin "$backend: with --until=main too the limit leaves no process behind"
run "$PPTRACE" run --backend=$backend --until=main --timeout 0.5 -o both.db sh -c 'sleep 300 & sleep 301'
expect_status 124
expect_sql both.db "SELECT count(*) FROM process WHERE end_ns IS NULL" 0
end

begin "$backend: -q says only that the limit was reached"
run "$PPTRACE" run -q --backend=$backend --timeout 0.3 -o quiet.db sleep 300
expect_status 124
expect_eq "$(cat err)" "pptrace: timeout after 300 ms: ending the command"
end

begin "$backend: SIGTERM to pptrace reports the same, and the command gets it"
background "$PPTRACE" run --backend=$backend --watch=0.2 -o term.db "$DEMOS/deadlock-abba"
wait_for 20 grep -q '^error: deadlock' err
kill -TERM $!
wait_end $!
expect_eq $? 143 status
expect_err '^pptrace: what each thread was waiting for at that time'
expect_err ' waits for the mutex lock_a, for '
end

begin "$backend: so does timeout(1), which signals the command at the same time: the moment before counts"
background timeout 60 "$PPTRACE" run --backend=$backend --watch=0.2 -o group.db "$DEMOS/deadlock-abba"
wait_for 20 grep -q '^error: deadlock' err
kill -TERM $!
wait_end $!
expect_err ' waits to join thread [0-9]+ \(left\)'
expect_err ' waits for the mutex lock_a, for '
expect_err ' waits for the mutex lock_b, for '
end

begin "$backend: the two signals of timeout(1) are one, also where pptrace has read the first before the second comes"
background "$PPTRACE" run --backend=$backend --watch=0.2 -o pair.db "$DEMOS/deadlock-abba"
wait_for 20 grep -q '^error: deadlock' err
kill -TERM $!
nap 0.1
kill -TERM $!
wait_end $!
expect_sql pair.db "SELECT count(*) FROM process WHERE end_ns IS NULL" 0
expect_sql pair.db "SELECT rule FROM finding WHERE severity = 'error'" deadlock
end

}

# shellcheck disable=SC2046
side_by_side tests $(backends)

begin "--timeout takes a time"
run "$PPTRACE" run --timeout soon true
expect_status 125
expect_err '^pptrace: --timeout takes a time such as 1.5, 300ms or 2m, not .soon.'
end
