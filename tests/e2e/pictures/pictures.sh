# pictures.sh - pictures of real recordings show what the demos are about.
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/../../lib.sh"

# record NAME COMMAND...: records into NAME.db; its status is in $status.
record()
{
	local name=$1
	shift
	LIMIT=20 run "$PPTRACE" run -q --on-deadlock=kill --watch=0.3 -o "$name.db" "$@"
}

# draw COMMAND NAME FORMAT: the picture is in $TMP/out.
draw()
{
	run "$PPTRACE" "$1" -T "$3" -o - --color=never "$2.db"
	expect_status 0
}

# count PATTERN: how many times it is in the picture.
count_of()
{
	grep -oE -- "$1" out | wc -l
}

[ "$(id -u)" = 0 ] || { begin "pictures of recordings"; skip "recording needs root"; end; exit; }

begin "fork-count: eleven processes, ten of them orphans, all with status 0"
record fork "$DEMOS/fork-count" --delay 0.02
draw tree fork svg
expect_eq "$(count_of 'class="node proc')" 11 "boxes"
expect_eq "$(count_of 'class="node proc orphan')" 10 "orphans"
expect_eq "$(count_of '✓ exit 0 after ')" 11 "statuses"
expect_eq "$(count_of 'class="edge fork"')" 10 "arrows"
draw tree fork txt
expect_eq "$(count_of 'exit 0 .* orphan')" 10 "orphans in text"
draw timeline fork svg
expect_eq "$(count_of 'class="node name"')" 11 "lanes"
expect_eq "$(count_of '>exit 0, orphan</text>')" 10 "orphans in the timeline"
draw timeline fork txt
expect_eq "$(count_of '^fork-count +[0-9]+ ')" 11 "lanes in text"
end

begin "deadlock-abba: two red threads, a cycle over two locks"
record abba "$DEMOS/deadlock-abba"
expect_eq "$status" 124 "status"
draw timeline abba svg
expect_eq "$(count_of 'class="node wait r.{1,5}lock deadlock"')" 2 "red waits"
draw tree abba svg
expect_eq "$(count_of 'class="node thread[a-z ]* deadlock"')" 2 "red threads"
draw waits abba svg
expect_eq "$(count_of 'class="edge waits deadlock"')" 2 "waits in the cycle"
expect_eq "$(count_of 'class="edge held deadlock"')" 2 "holders in the cycle"
draw waits abba txt
expect_out 'waits for the lock → .*deadlock-abba\.c:[0-9]+'
expect_out 'held by → .*deadlock-abba\.c:[0-9]+'
end

begin "zombies: marked as such, with their span"
record zombies "$DEMOS/zombies"
draw tree zombies txt
expect_out 'exit 0 .*zombie for 1\.[0-9]+ s'
draw timeline zombies svg
[ "$(count_of 'class="node zombie"')" -ge 1 ] || fail "no zombie span"
end

begin "pipe2: data goes from the child to the parent"
record pipe2 "$DEMOS/pipe2" --delay 0.01 --count 4
draw pipes pipe2 txt
expect_out 'bytes → pipe [0-9]+ +in 4 writes'
draw timeline pipe2 svg
[ "$(count_of 'class="edge data"')" -ge 1 ] || fail "no arrow from a write to its read"
end

begin "thread-count-mutex: turns on one lock"
record mutex "$DEMOS/thread-count-mutex" --delay 0.01
draw timeline mutex svg
[ "$(count_of 'class="node hold"')" -ge 20 ] || fail "only $(count_of 'class="node hold"') holds"
[ "$(count_of 'class="edge handover"')" -ge 20 ] || fail "only $(count_of 'class="edge handover"') hand-overs"
draw locks mutex txt
expect_out 'taken [0-9]+ times by 11 threads'
end

begin "a report of it, PDF, and a range of time"
run "$PPTRACE" report -o r.html mutex.db
expect_status 0
grep -q 'id="sec-timeline"' r.html || fail "no timeline in the report"
run "$PPTRACE" timeline -o t.pdf mutex.db
expect_status 0
expect_eq "$(head -c 4 t.pdf)" %PDF
run "$PPTRACE" timeline -T txt --since 100ms --until 0.2 --process thread-count-mutex mutex.db
expect_status 0
expect_out '│100 ms'
run "$PPTRACE" timeline --since 100 mutex.db
expect_status 1
expect_err 'nothing happened between these times'
run "$PPTRACE" timeline --process nobody mutex.db
expect_status 1
expect_err "no process 'nobody'"
end

begin "while it is recorded, and after pptrace was killed"
"$PPTRACE" run -q -o live.db "$DEMOS/fork-count" --delay 0.2 >/dev/null 2>&1 &
tracer=$!
wait_for 10 sh -c "[ \"\$(sqlite3 -readonly live.db 'SELECT count(*) FROM process' 2>/dev/null)\" = 11 ]"
draw tree live txt
expect_out '11 processes.* not complete'
kill -KILL "$tracer"
wait_end "$tracer" 2>/dev/null
draw tree live txt
expect_out 'not complete'
run "$PPTRACE" report -o live.html live.db
expect_status 0
grep -q 'recording is incomplete' live.html || fail "the report does not say that it is not complete"
end

begin "files that are no traces"
: >empty.db
echo "not a database" >text.db
sqlite3 foreign.db 'CREATE TABLE t(a)'
for command in tree timeline waits locks pipes report; do
	for file in empty.db text.db foreign.db missing.db .; do
		run "$PPTRACE" "$command" -o picture "$file"
		[ "$status" = 1 ] || fail "$command $file: status $status"
		expect_eq "$(wc -l <err)" 1 "lines of message for $command $file"
		[ ! -e picture ] || fail "$command $file: wrote something"
	done
done
run "$PPTRACE" tree fork.db abba.db
expect_status 2
run "$PPTRACE" tree -T gif fork.db
expect_status 2
end
