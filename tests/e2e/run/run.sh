#!/usr/bin/env bash
# run.sh - pptrace run: statuses, what the command inherits, signals.
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/../../lib.sh"

# Starts a command in a session of its own, with SIGINT not ignored as shells do for jobs; sets pid.
# dash waits for it: bash would end by SIGINT as its child did.
start()
{
	rm -f pid rc
	dash -c 'setsid env --default-signal=INT,QUIT "$@" & echo $! >pid; wait $!; echo $? >rc' \
		dash "$@" >"$TMP/out" 2>"$TMP/err" </dev/null &
	wait_for 10 test -s pid
	pid=$(cat pid)
}

finish_started()
{
	wait_for 20 test -s rc
	status=$(cat rc)
}

begin "the exit status is the command's"
for n in 0 1 3 255; do
	run "$PPTRACE" run -q sh -c "exit $n"
	expect_status $n
done
end

begin "126 not executable, 127 not found, 125 for our own failures"
run "$PPTRACE" run no-such-program
expect_status 127
expect_err 'command not found'
run "$PPTRACE" run ./no/such/program
expect_status 127
run "$PPTRACE" run /etc/passwd
expect_status 126
run "$PPTRACE" run /
expect_status 126
printf 'no program\0\n' >binary
chmod +x binary
run "$PPTRACE" run ./binary
expect_status 126
expect_err 'Exec format error'
run "$PPTRACE" run
expect_status 125
run "$PPTRACE" run --no-such-option true
expect_status 125
expect_err 'unknown.*--no-such-option'
run "$PPTRACE" run --data=many true
expect_status 125
run "$PPTRACE" run --backend=magic true
expect_status 125
expect_err 'auto, ebpf, shim'
run "$PPTRACE" run --backend=shim --locks=uprobe true
expect_status 125
end

begin "a script without #! is run by /bin/sh, as elsewhere"
printf 'echo "$0 $#"; exit 3\n' >script
chmod +x script
for backend in $(backends); do
	run "$PPTRACE" run --backend=$backend -o script.db ./script one 'two words'
	expect_status 3
	expect_eq "$(cat out)" "./script 2"
	expect_no_err 'not an ELF program'
	expect_sql script.db "SELECT lock_source <> '' AND errno IS NULL FROM exec ORDER BY id DESC LIMIT 1" 1
done
end

begin "nothing is made or moved when the command cannot be found"
run "$PPTRACE" run -o nothing.db no-such-program
[ ! -e nothing.db ] || fail "nothing.db was made"
end

begin "pptrace dies of the signal that killed the command, without a core"
for sig in TERM KILL SEGV INT; do
	run "$PPTRACE" run -q sh -c "kill -$sig \$\$"
	expect_status $((128 + $(kill -l $sig)))
done
end

begin "standard input and output are the command's, pptrace writes to stderr only"
echo hello | timeout 20 "$PPTRACE" run cat >out 2>err
expect_eq "$(cat out)" hello
expect_err '1 process, '
echo hello | timeout 20 "$PPTRACE" run -q cat >out 2>err
expect_eq "$(cat out)" hello
expect_eq "$(cat err)" ''
end

begin "signals that are ignored stay ignored, those of the C library too"
# Which Python's signal module and glibc's sigaction do not touch: the kernel is told.
cat >ignoring.py <<-'END'
	import ctypes, os, platform, sys
	number = {"x86_64": 13, "aarch64": 134}[platform.machine()]
	for signo in (1, 2, 3, 12, 13, 32, 33, 34, 64):
	    ctypes.CDLL(None).syscall(number, signo, (ctypes.c_ulong * 8)(1), None, 8)
	os.execv(sys.argv[1], sys.argv[1:])
END
run python3 ignoring.py /bin/grep SigIgn /proc/self/status
expect_out '^SigIgn:	80000003[0-9a-f]{8}$'
mv out native
for backend in $(backends); do
	run python3 ignoring.py "$PPTRACE" run -q --backend="$backend" /bin/grep SigIgn /proc/self/status
	expect_status 0
	diff native out >diff.txt || fail "$backend" "$(cat diff.txt)"
done
end

begin "the command inherits no descriptor, mask, disposition or process group of ours"
cat >state <<'SH'
#!/bin/sh
ls /proc/self/fd | wc -l
grep -E '^(SigBlk|SigIgn)' /proc/self/status
[ "$(ps -o pgid= -p $$)" = "$(ps -o pgid= -p $PPID)" ] && echo same group
ulimit -a
SH
chmod +x state
run ./state
mv out native
run "$PPTRACE" run -q --locks=off ./state
diff native out >diff || fail "$(cat diff)"
run env --ignore-signal=USR1 --block-signal=HUP ./state
mv out native
run env --ignore-signal=USR1 --block-signal=HUP "$PPTRACE" run -q --locks=off ./state
diff <(grep Sig native) <(grep Sig out) >diff || fail "$(cat diff)"
end

begin "a standard descriptor that is closed is closed in the command too"
for fd in 0 1 2; do
	ask="test -e /proc/self/fd/$fd; echo \$? >there"
	for backend in $(backends); do
		rm -f there
		run bash -c "exec $fd>&-; exec \"\$@\"" bash "$PPTRACE" run -q --backend="$backend" /bin/sh -c "$ask"
		expect_eq "$(cat there)" 1 "whether descriptor $fd is missing, $backend"
	done
done
end

begin "the environment stays as it is without the preload library"
env -u _ | sort >native
env -u _ "$PPTRACE" run -q --backend=ebpf --locks=futex env 2>err | sort >out
diff <(grep -v ^_= native) <(grep -v ^_= out) >diff || fail "$(cat diff err)"
end

begin "Ctrl-C goes to the command; the recording is closed properly"
start "$PPTRACE" run -o int.db sh -c 'trap "echo caught; exit 5" INT; echo ready; while :; do sleep 0.05; done'
wait_for 20 grep -q ready out
kill -INT -- -$pid
finish_started
expect_status 5
expect_out caught
expect_sql int.db "SELECT complete, exit_code FROM trace" "1|5"
end

begin "Ctrl-C kills a command that does not catch it, and pptrace likewise"
start "$PPTRACE" run -o int.db sh -c 'echo ready; while :; do sleep 0.05; done'
wait_for 20 grep -q ready out
kill -INT -- -$pid
finish_started
expect_status 130
expect_sql int.db "SELECT complete, exit_signal FROM trace" "1|2"
end

begin "a second Ctrl-C within a second ends the recording, not the command"
start "$PPTRACE" run -o two.db sh -c 'trap "" INT; echo ready; while [ ! -e stop ]; do sleep 0.05; done; echo done'
wait_for 20 grep -q ready out
for i in 1 2 3 4 5 6; do
	[ -s rc ] || kill -INT $pid 2>/dev/null
	sleep 0.3
done
finish_started
expect_status 130
expect_sql two.db "SELECT complete, exit_code IS NULL FROM trace" "1|1"
touch stop
wait_for 10 grep -q "done" out
end

begin "SIGTERM to pptrace is passed on to the command"
start "$PPTRACE" run -o term.db sh -c 'trap "echo term; exit 6" TERM; echo ready; while :; do sleep 0.05; done'
wait_for 20 grep -q ready out
kill -TERM $pid
finish_started
expect_status 6
expect_eq "$(grep -c term out)" 1
end

begin "SIGTERM to the whole group reaches the command once"
start "$PPTRACE" run --backend=ebpf -o term.db sh -c 'trap "echo term; n=1" TERM; echo ready; while [ ! -e stop2 ]; do sleep 0.05; done'
wait_for 20 grep -q ready out
kill -TERM -- -$pid
wait_for 10 grep -q term out
sleep 0.4
touch stop2
finish_started
expect_status 0
expect_eq "$(grep -c term out)" 1
end

begin "the status is right though our parent ignores SIGCHLD"
run env --ignore-signal=CHLD "$PPTRACE" run -q sh -c 'exit 7'
expect_status 7
end

begin "pptrace keeps no pipe of the command's open"
# The reader sees the end while the command still runs, and the command ends only then.
LIMIT=20 run sh -c "'$PPTRACE' run -q sh -c 'echo first; exec >/dev/null; until [ -e eof ]; do sleep 0.05; done' | { cat; touch eof; }"
expect_status 0
expect_out '^first$'
end
