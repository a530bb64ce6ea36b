#!/usr/bin/env bash
# top.sh - pptrace top: what threads wait for, of a recording that grows and of running processes, at 60 x 20.
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/../../lib.sh"

export TERM=xterm COLUMNS=60 LINES=20

# drive KEYS COMMAND...: runs it in a terminal of 60 x 20, types the keys one by one, and says in $TMP/screen all that it wrote.
drive()
{
	timeout -k 5 60 python3 - "$@" >"$TMP/screen" <<-'P'
		import fcntl, os, pty, select, struct, sys, termios, time

		def read(seconds):
		    end = time.time() + seconds
		    while time.time() < end:
		        if select.select([fd], [], [], 0.05)[0]:
		            try:
		                sys.stdout.buffer.write(os.read(fd, 65536))
		            except OSError:
		                return

		pid, fd = pty.fork()
		if pid == 0:
		    time.sleep(0.3)  # until the terminal has its size
		    os.execv(sys.argv[2], sys.argv[2:])
		fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", 20, 60, 0, 0))
		read(3)
		for key in sys.argv[1]:
		    os.write(fd, key.encode())
		    read(0.5)
		status = os.waitpid(pid, 0)[1]
		sys.stdout.flush()
		sys.exit(os.waitstatus_to_exitcode(status))
	P
	status=$?
}

"$PPTRACE" run --backend=shim --watch=0.2 -o live.db "$DEMOS/deadlock-abba" >run.out 2>run.err &
run=$!
wait_for 20 grep -q '^error: deadlock' run.err
pid=$(sql live.db "SELECT pid FROM process LIMIT 1")

begin "a recording that grows: findings, threads by how long they have waited, locks"
run "$PPTRACE" top --once live.db
expect_status 0
expect_eq "$(sed -n 1p out)" "pptrace top: 1 process, 3 threads, 3 waiting  live.db"
expect_out '^error: deadlock: thread '
expect_out '^ +[0-9]+ left +[0-9.]+ m?s waits for the mutex lock_b$'
expect_out '^mutex lock_a: 1 thread waits, held by thread '
if [ "$(wc -L <out)" -gt 60 ] || [ "$(wc -l <out)" -gt 20 ]; then fail "it does not fit 60 x 20" "$(cat out)"; fi
COLUMNS=50 run "$PPTRACE" top --once live.db
expect_out '^ +[0-9]+ left .* waits .*….*ck_b$'
[ "$(LC_ALL=C.UTF-8 wc -L <out)" -le 50 ] || fail "it does not fit 50 columns" "$(cat out)"
LINES=14 run "$PPTRACE" top --once live.db
for lock in lock_a lock_b; do
	grep -A1 "^mutex $lock: 1 thread waits, held by thread " out | tr -d '\n' | grep -q 'of *deadlock-abba\[[0-9]*\]' || fail "$lock is not told in full, though there is room" "$(cat out)"
done
LINES=4 run "$PPTRACE" top --once live.db
[ "$(wc -l <out)" -le 4 ] || fail "it does not fit 4 lines" "$(cat out)"
end

begin "running processes"
run "$PPTRACE" top --once -p "$pid"
expect_status 0
expect_out '^pptrace top: 1 process, 3 threads, 3 waiting'
expect_out ' waits for the mutex lock_[ab]$'
end

begin "in a terminal: selects, shows the stack, freezes, sorts, filters, quits, and leaves the terminal as it was"
drive $'j\n s/left\nq' "$PPTRACE" top live.db
expect_status 0
grep -q 'held by thread' screen || fail "Enter shows no details"
grep -q 'frozen' screen || fail "the blank does not freeze"
grep -q "with 'left'" screen || fail "there is no filter"
grep -q $'\e\\[?1049l' screen || fail "the terminal is not left as it was"
end

begin "time goes on while nothing is recorded, and a long line goes on in the next one"
drive q "$PPTRACE" top -d 0.2 live.db
expect_status 0
[ "$(grep -oa $'\e\\[[0-9;]*H' screen | wc -l)" -gt 20 ] || fail "the screen stands still" "$(cat -v screen)"
run "$PPTRACE" top --once live.db
grep -A2 '^error: deadlock: thread' out | grep -q '^  .*proceed' || fail "the finding is cut" "$(cat out)"
end

begin "a new command: recorded, watched, ended by q; then what it wrote, and its status"
drive $'j\nq' "$PPTRACE" top -d 0.2 -o new.db -- sh -c 'echo out of it; echo err of it >&2; sleep 100'
expect_status 143
grep -q 'new.db' screen || fail "the title does not name the recording"
grep -q '1 process, \|2 processes, ' screen || fail "nobody is shown" "$(cat -v screen | head -30)"
grep -q 'out of it' screen || fail "what the command wrote is lost"
expect_eq "$(sql new.db "SELECT complete FROM trace")" 1
drive q "$PPTRACE" top -d 0.2 -o new.db -- sh -c 'exit 3'
expect_status 3
grep -q 'exit 3' screen || fail "its end is not shown" "$(cat -v screen | head -30)"
drive q "$PPTRACE" top -- no-such-command
expect_status 127
grep -q 'command not found' screen || fail "no reason" "$(cat -v screen | head -30)"
run "$PPTRACE" top --once -- true
expect_status 2
run "$PPTRACE" top -p 1 -- true
expect_status 2
run "$PPTRACE" top -- true
expect_status 1
expect_err 'are not a terminal'
end

begin "without a terminal it says so; mistakes"
run "$PPTRACE" top live.db
expect_status 1
expect_err 'are not a terminal; use --once'
run "$PPTRACE" top -p "$pid" live.db
expect_status 2
run "$PPTRACE" top --once nowhere.db
expect_status 1
end

kill -TERM "$pid"
wait_end "$run"

begin "hostile names harm no terminal, nor does an empty recording"
fixture hostile
sqlite3 hostile.db "UPDATE process SET end_ns = NULL; UPDATE thread SET end_ns = NULL; UPDATE wait SET end_ns = NULL"
run "$PPTRACE" top --once hostile.db
expect_status 0
if grep -q $'[\e\r]' out; then fail "a control character got through"; fi
[ "$(wc -L <out)" -le 60 ] || fail "too wide" "$(cat out)"
run "$PPTRACE" top --once live.db
expect_status 0
expect_out '^pptrace top: 0 processes, 0 threads'
end
