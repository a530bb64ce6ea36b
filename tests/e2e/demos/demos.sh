#!/usr/bin/env bash
# demos.sh - the demo programs print and return what they promise.
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/../../lib.sh"

# run_in INPUT COMMAND...: runs a line-driven demo with that input.
run_in()
{
	local input=$1
	shift
	printf '%b' "$input" >"$TMP/in"
	timeout -k 5 20 "$@" >"$TMP/out" 2>"$TMP/err" <"$TMP/in"
	status=$?
}

# expect_lines PATTERN NUMBER: so many lines of the output match.
expect_lines()
{
	expect_eq "$(grep -Ec -- "$1" "$TMP/out")" "$2" "lines like $1"
}

has_lines()
{
	[ "$(grep -Ec -- "$1" "$TMP/out")" = "$2" ]
}

TIME='[0-9]+\.[0-9]+'

for input in '\nq\n' '\n'; do
	begin "fork1 with input $input"
	run_in "$input" "$DEMOS/fork1"
	expect_status 0
	expect_lines '^Hello from parent [0-9]+ [0-9]+$' 2
	# The last child may still be writing when its parent is gone.
	wait_for 5 has_lines '^Hello from child [0-9]+$' 2
	end
done

begin "fork-count"
run "$DEMOS/fork-count" --delay 0.01
expect_status 0
expect_lines '^Process [0-9]+ spawned$' 10
expect_lines '^Main process exiting\.$' 1
wait_for 10 has_lines '^\[[0-9]+\] => 9$' 10
expect_lines '^\[[0-9]+\] => [0-9]$' 100
end

begin "fork-exec"
run_in '\n\n' "$DEMOS/fork-exec"
expect_status 0
expect_lines '^Child is [0-9]+$' 3
wait_for 5 has_lines '^Hello from child [0-9]+ [123]$' 3
end

begin "child and child-wait"
run "$DEMOS/child" 7
expect_status 0
expect_out '^Hello from child [0-9]+ 7$'
run_in '\n' "$DEMOS/child-wait" 8
expect_status 0
expect_out '^Hello from child [0-9]+ 8$'
end

begin "thread1"
run_in '\n\nq\n' "$DEMOS/thread1"
expect_status 0
expect_eq "$(cat "$TMP/out")" "$(printf 'Hello from thread %d\n' 1 2 3)" output
end

for demo in thread-count thread-count-mutex thread-count-wait1 thread-count-wait2 thread-classes; do
	begin "$demo"
	case $demo in
	thread-count-mutex) run "$DEMOS/$demo" --pause 0.1 ;;
	*) run "$DEMOS/$demo" --delay 0.1 ;;
	esac
	expect_status 0
	expect_lines '^\[[0-9]\] => [012]$' 30
	expect_eq "$(sort -u "$TMP/out" | grep -c '=>')" 30 "different lines"
	expect_eq "$(tail -n 1 "$TMP/out")" "Main thread exiting." "last line"
	end
done

begin "thread-count --early"
run "$DEMOS/thread-count" --early
expect_status 0
expect_eq "$(cat "$TMP/out")" "Main thread exiting." output
end

begin "thread-count-mutex --delay"
start=$(date +%s%N)
run "$DEMOS/thread-count-mutex" --delay 0.02
expect_lines '^\[[0-9]\] => [012]$' 30
[ $(($(date +%s%N) - start)) -ge 600000000 ] || fail "30 delays of 0.02 s took less than 0.6 s"
end

begin "adder"
run "$DEMOS/adder" --delay 0.01 --lock
expect_status 0
expect_eq "$(cat "$TMP/out")" 200 sum
run "$DEMOS/adder" --delay 0.01
expect_status 0
expect_out '^[0-9]+$'
end

begin "testexit_sys, testexit_os"
run "$DEMOS/testexit_sys"
expect_status 42
expect_eq "$(cat "$TMP/out")" "Bye sys world" output
expect_err '^exit handler ran$'
run "$DEMOS/testexit_os"
expect_status 99
expect_eq "$(cat "$TMP/out")" "Bye os world" output
expect_no_err 'exit handler'
end

begin "testexit_fork, testexit_thread"
run_in '\n\nq\n' "$DEMOS/testexit_fork"
expect_status 0
expect_lines '^Hello from child [0-9]+ 1$' 3
expect_lines '^Parent got [0-9]+ 256 1$' 3
run_in '\n\nq\n' "$DEMOS/testexit_thread"
expect_status 0
expect_eq "$(sed -E 's/^Hello from child [0-9]+ //' "$TMP/out" | tr '\n' ' ')" "1 2 3 " "shared numbers"
end

begin "shell-exits"
run "$DEMOS/shell-exits"
expect_status 0
expect_eq "$(grep -E '^[0-9]' "$TMP/out" | tr '\n' ';')" "10752 42;25344 99;10752 42;25344 99;" statuses
expect_lines '^Bye (sys|os) world$' 4
end

begin "pipe1"
run "$DEMOS/pipe1" --delay 0.02 --count 20
expect_status 0
expect_out "^Parent [0-9]+ got \"Spam 003\" at $TIME\$"
expect_out "^Parent [0-9]+ got \"Spam 004Spam 000\" at $TIME\$"
end

begin "pipe2"
run "$DEMOS/pipe2" --delay 0.01 --count 10
expect_status 0
expect_lines "^Parent [0-9]+ got \"Spam 00[0-4]\" at $TIME\$" 10
end

begin "pipes"
run "$DEMOS/pipes" --delay 0.05
expect_status 0
expect_err '^Child [0-9]+ of [0-9]+ got arg: "spam"$'
expect_err '^Parent got: "Child [0-9]+ got: \[Hello 1 from parent [0-9]+\]"$'
expect_err '^Parent got: "Child [0-9]+ got: \[Hello 2 from parent [0-9]+\]"$'
LIMIT=1 run "$DEMOS/pipes" --delay 0.01 --no-flush
expect_status 124
expect_no_err 'Parent got'
end

begin "pipefifo"
"$DEMOS/pipefifo" -child --path "$TMP/fifo" --delay 0.01 --count 7 &
run "$DEMOS/pipefifo" --path "$TMP/fifo"
expect_status 0
expect_lines "^Parent [0-9]+ got \"Spam 00[0-4]\" at $TIME\$" 7
wait_end
[ ! -e "$TMP/fifo" ] || fail "the named pipe is still there"
end

begin "signal1, signal2"
run "$DEMOS/signal1" 12 --sender --count 3 --delay 0.05
expect_status 0
expect_lines "^Got signal 12 at $TIME\$" 3
run "$DEMOS/signal2" --delay 0.05 --count 2
expect_status 0
expect_lines "^Setting at $TIME\$" 2
expect_lines "^Got alarm 14 at $TIME\$" 2
end

begin "spawnv"
for mode in wait nowait; do
	run "$DEMOS/spawnv" --mode $mode
	expect_status 0
	expect_lines '^Hello from child [0-9]+ [0-9]$' 10
done
run "$DEMOS/spawnv" --mode overlay
expect_lines '^Hello from child [0-9]+ 0$' 1
run "$DEMOS/spawnv" --mode detach
wait_for 5 has_lines '^Hello from child [0-9]+ [0-9]$' 10
run "$DEMOS/spawnv" --mode nonsense
expect_status 2
end

begin "start"
for how in system popen; do
	run "$DEMOS/start" --how $how
	expect_status 0
	expect_lines '^Hello from child [0-9]+ [0-4]$' 5
done
run "$DEMOS/start" --how detach
wait_for 5 has_lines '^Hello from child [0-9]+ [0-4]$' 5
end

begin "launchmodes"
run "$DEMOS/launchmodes"
expect_status 0
for mode in system popen fork spawn quiet; do
	expect_lines "^Hello from child [0-9]+ $mode\$" 1
done
expect_lines ' => child ' 4
end

begin "a wrong option is told apart from a good one"
run "$DEMOS/fork-count" --delay
expect_status 2
expect_err '^usage: '
run "$DEMOS/fork-count" --delay=x
expect_status 2
run "$DEMOS/fork-count" --help
expect_status 0
expect_out '--delay +SECONDS'
end
