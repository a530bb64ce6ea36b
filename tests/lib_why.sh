# lib_why.sh - what the tests of pptrace why and attach share: programs in the background, and when they wait.
# SPDX-License-Identifier: MIT

# start COMMAND...: starts it in the background; sets pid.
start()
{
	"$@" >/dev/null 2>&1 </dev/null &
	pid=$!
}

# stop: ends what start began, with its children.
stop()
{
	# Stopped first, so that it does not replace the children that die.
	kill -STOP "$pid" 2>/dev/null
	pkill -KILL -P "$pid" 2>/dev/null
	kill -KILL "$pid" 2>/dev/null
	wait_end "$pid" 2>/dev/null
}

AS=()

# waiting N: true when pptrace why sees N threads wait.
waiting()
{
	[ "$("${AS[@]}" "$PPTRACE" why --json "$pid" 2>/dev/null |
		grep -o '"state":"waits"' | wc -l)" = "$1" ]
}

# stuck_in MODE THREADS [FILE...]: starts the mode and waits until its threads all wait.
stuck_in()
{
	local mode=$1 threads=$2
	shift 2
	start "$PROGRAMS/stuck" "$mode" "$@"
	wait_for 10 waiting "$threads" || return 1
	run "$PPTRACE" why "$pid"
}

# told_text: whether what a recording that grows says has come to its end.
told_text()
{
	grep -q '^  remedy: ' err
}

# findings FILE: those of a text, told while it lasts or asked for, without what differs from run to run.
findings()
{
	sed -E 's/^pptrace: possibly stuck:/warning: stuck:/; / ended it$/d; /^(error: deadlock|warning: stuck)/,/^  remedy/!d
		s/\[[0-9]+\]/[PID]/g; s/,? since [0-9.]+ s//g; s/0x[0-9a-f]+/ADDRESS/g
		s/(full (pipe|socketpair)) [0-9]+/\1 N/; s/\(fd [0-9]+\)/(fd N)/; s/ at head\+ADDRESS//' "$1"
}

# other_first: names the two of a finding on the standard input the other way round; which one comes first is chance.
other_first()
{
	sed -E 's/^(error: deadlock: |warning: stuck: )(.*) and (.*) wait for each other/\1\3 and \2 wait for each other/'
}

# The interpreter itself: where python3 is a script that looks for one, why would show the script's processes too.
python=$(python3 -c 'import sys; print(sys.executable)')
