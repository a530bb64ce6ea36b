#!/usr/bin/env bash
# deadlock.sh - pptrace run: a deadlock is noticed while it lasts, and what is done then.
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/../../lib.sh"

tests()
{
backend=$1

begin "$backend: a deadlock is printed within 1.5 s of happening; --on-deadlock=kill ends with 124"
# What else runs on the machine can only delay it: the soonest of a few counts.
soonest=
for ((try = 0; try < 8; try++)); do
	run "$PPTRACE" run --backend=$backend --on-deadlock=kill -o dead.db "$DEMOS/deadlock-abba"
	expect_status 124
	expect_err '^error: deadlock: .* wait for each other and can never proceed'
	expect_sql dead.db "SELECT rule, certainty, shape FROM finding WHERE severity = 'error'" "deadlock|certain|cycle"
	expect_sql dead.db "SELECT complete FROM trace" 1
	after=$(sql dead.db "SELECT ((SELECT max(end_ns) FROM process) - max(start_ns)) / 1000000 FROM wait WHERE reason = 'lock'")
	[ -n "$soonest" ] && [ "$soonest" -le "$after" ] || soonest=$after
	[ "$soonest" -ge 1500 ] || break
done
[ "$soonest" -lt 1500 ] || fail "it took $soonest ms at least"
end

begin "$backend: it is printed once, and stays in the file when a signal ends the program"
background "$PPTRACE" run --backend=$backend -o dead.db "$DEMOS/deadlock-abba"
wait_for 20 grep -q '^error: deadlock' err
sleep 0.5
kill -TERM "$(sql dead.db "SELECT pid FROM process LIMIT 1")"
wait_end $!
expect_eq $? 143 status
expect_eq "$(grep -c '^error: deadlock' err)" 1
expect_sql dead.db "SELECT rule, certainty FROM finding WHERE severity = 'error'" "deadlock|certain"
end

begin "$backend: it stays in the file when a process of the recording kills the members, which notice that others have ended or pass the signal on"
printf 'all:\n\tflock lock make -f inner\n' >outer
printf 'all:\n\tflock lock true\n' >inner
LIMIT=20 run "$PPTRACE" run --backend=$backend -o dead.db timeout 3 make -f outer
expect_status 124
expect_err '^error: deadlock'
expect_sql dead.db "SELECT rule, certainty FROM finding WHERE severity = 'error'" "deadlock|certain"
LIMIT=20 run "$PPTRACE" run --backend=$backend -o dead.db timeout 3 bash -c 'coproc cat; cat <&${COPROC[0]}'
expect_status 124
expect_err '^error: deadlock'
expect_sql dead.db "SELECT rule, certainty FROM finding WHERE severity = 'error'" "deadlock|certain"
end

begin "$backend: the handler of a signal that was taken before the process executed another program ends nothing any more"
run "$PPTRACE" run --backend=$backend --watch=0.5 --on-deadlock=kill -o dead.db \
	sh -c 'trap : TERM; kill -TERM $$; exec "$1" abba-until-term' sh "$PROGRAMS/hang"
expect_status 124
expect_no_err 'just sent'
expect_sql dead.db "SELECT rule, certainty FROM finding WHERE severity = 'error'" "deadlock|certain"
end

begin "$backend: a query meanwhile does not take the recording for one that nobody writes"
background "$PPTRACE" run --backend=$backend -o dead.db "$DEMOS/deadlock-abba"
wait_for 20 grep -q '^error: deadlock' err
victim=$(sqlite3 dead.db "SELECT pid FROM process LIMIT 1")
[ -e dead.db-wal ] || fail "its -wal is gone"
kill -TERM "$victim"
wait_end $!
end

begin "$backend: a ring of hundreds whose last members come late is told soon after they are old enough"
${CC:-cc} -O1 -o ring "$ROOT/tests/e2e/run/ring.c" -pthread || fail "cc"
told=
for step in 0 2000; do
	run "$PPTRACE" run --backend=$backend --on-deadlock=kill -o dead.db ./ring 300 $step
	expect_status 124
	expect_sql dead.db "SELECT certainty, count(*) FROM finding f JOIN finding_member m ON m.finding_id = f.id WHERE rule = 'deadlock'" "certain|300"
	told="$told $(sql dead.db "SELECT ((SELECT max(end_ns) FROM process) - max(start_ns)) / 1000000 FROM wait WHERE reason = 'lock'")"
done
# An evaluation costs the more the larger the ring is, and little time is spent on them, as a rule: 19 times as long would be nothing.
read -r together late <<<"$told"
[ "$late" -lt $((2 * together + 1000)) ] || fail "$late ms after the last began to wait, $together ms where they came together"
end

begin "$backend: --on-deadlock=stop stops all processes"
background "$PPTRACE" run --backend=$backend --on-deadlock=stop -o dead.db "$DEMOS/deadlock-abba"
wait_for 20 grep -q 'stopped all processes' err
victim=$(sql dead.db "SELECT pid FROM process LIMIT 1")
expect_eq "$(sed 's/.*) //' "/proc/$victim/stat" | cut -c1)" T
kill -KILL "$victim"
wait_end
end

begin "$backend: --watch=0 does not look for deadlocks"
LIMIT=3 run "$PPTRACE" run --backend=$backend --watch=0 -o dead.db "$DEMOS/deadlock-abba"
expect_no_err '^error: deadlock'
end

begin "$backend: programs that wait for the outside are not accused"
run "$PPTRACE" run --backend=$backend --watch=0.2 --on-deadlock=kill -o live.db sh -c 'sleep 1.2 | cat & wait; (sleep 0.5) & wait; exit 4'
expect_status 4
expect_no_err 'deadlock|stuck'
run "$PPTRACE" run --backend=$backend --watch=0.2 --on-deadlock=kill -o live.db python3 -c '
import queue, threading, time
q = queue.Queue()
t = [threading.Thread(target=q.get) for _ in range(4)]
[x.start() for x in t]
time.sleep(1)
[q.put(1) for _ in t]
[x.join() for x in t]'
expect_status 0
expect_no_err 'deadlock|stuck'
end

}

# shellcheck disable=SC2046
side_by_side tests $(backends)
