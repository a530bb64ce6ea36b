#!/bin/sh
# guest.sh - runs inside the emulated machine, on one kernel: one line "= TEST BACKEND ok|no WHAT" for each thing tried.
# SPDX-License-Identifier: MIT
PATH=/bin:/sbin:/pp
export PATH NO_COLOR=1 LC_ALL=C.UTF-8
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mkdir -p /dev/shm /dev/pts
mount -t tmpfs shm /dev/shm
mount -t tmpfs tmp /tmp
cd /tmp || exit
D=/pp/demos

# said TEST BACKEND CONDITION...: ok if the condition holds.
said()
{
	test=$1 backend=$2
	shift 2
	if "$@" >/dev/null 2>&1; then
		echo "= $test $backend ok"
	else
		echo "= $test $backend no status $status: $(tail -n 2 err | tr '\n' ' ')"
		told
	fi
}

# told: what the recording of a failed test says, since the machine keeps none.
told()
{
	sed 's/^/# err: /' err
	for table in "trace" "process" "thread" "wait" "finding"; do
		pptrace query -q -T csv -f t.db "SELECT * FROM $table LIMIT 100" 2>/dev/null | sed "s/^/# $table: /"
	done
}

# traced BACKEND COMMAND...: records the command; leaves status, out, err and t.db.
traced()
{
	backend=$1
	shift
	rm -f t.db*
	timeout 600 pptrace run --backend="$backend" -o t.db "$@" >out 2>err </dev/null
	status=$?
}

# answer SQL WANTED: the recording gives that answer.
answer()
{
	[ "$(pptrace query -q -T csv -f t.db "$1" 2>/dev/null | tail -n 1)" = "$2" ]
}

# until_true SECONDS COMMAND...: waits until the command succeeds.
until_true()
{
	left=$(($1 * 5))
	shift
	until "$@" >/dev/null 2>&1 || [ $left = 0 ]; do
		left=$((left - 1))
		sleep 0.2
	done
}

whole()
{
	answer "SELECT complete || ' ' || lost AS n FROM trace" "1 0"
}

echo "= kernel - ok $(uname -r)"
pptrace doctor --no-cost >out 2>err
status=$?
sed -n 's/^works eBPF programs.*/= doctor ebpf ok/p; s/^no  *eBPF programs.*/= doctor ebpf no it says that eBPF does not work/p' out
grep -A1 '^no .*eBPF programs' out
said doctor shim grep -q '^works preload library' out
said doctor auto grep -q '^pptrace run records with ebpf+shim' out

for edition in casts plain old; do
	insns $edition >verified
	grep refused verified || break
done
echo "= edition - ok $edition"
sort -k3 -n -r verified | sed -n 's/^\([a-z]*\) \([a-z_]*\) \([0-9]*\)$/= insns - ok \2 \3/p' | head -n 1

for backend in ebpf auto shim; do
	traced $backend $D/fork-count
	said fork-count $backend eval '[ $status = 0 ] && whole && answer "SELECT count(*) AS n FROM process" 11'

	traced $backend --on-deadlock=kill $D/deadlock-abba
	said deadlock-abba $backend eval '[ $status = 124 ] && grep -q "^error: deadlock" err && whole'

	traced $backend $D/pipes
	said pipes $backend eval '[ $status = 0 ] && whole && answer "SELECT count(*) AS n FROM pipe" 2 &&
		answer "SELECT count(*) > 1 AS n FROM process" 1'

	traced $backend --on-deadlock=kill $D/philosophers
	said philosophers $backend eval '[ $status = 124 ] && grep -q "^error: deadlock" err && whole'

	traced $backend $D/philosophers --fixed
	said philosophers-fixed $backend eval '[ $status = 0 ] && whole && answer "SELECT count(*) AS n FROM thread" 6'

	traced $backend --on-deadlock=kill $D/pipe-leak
	said pipe-leak $backend eval '[ $status = 124 ] && grep -q pipe err && whole'

	traced $backend dash -c 'echo "a b" | cat; (exit 3); exit 7'
	said output-and-status $backend eval '[ $status = 7 ] && [ "$(cat out)" = "a b" ] && whole'

	# pptrace is killed in the middle: the command goes on as if nothing had happened, and the file can be read.
	rm -f go survived t.db*
	pptrace run --backend=$backend -o t.db \
		dash -c 'until [ -e go ]; do sleep 0.1; done; (cat /dev/null; echo yes >survived) & wait' 2>err &
	pid=$!
	until_true 300 answer "SELECT count(*) > 1 AS n FROM process" 1
	kill -9 $pid
	wait $pid 2>/dev/null
	status=$?
	echo >go
	until_true 300 test -e survived
	pptrace diagnose t.db >out 2>err
	said kill-9 $backend eval '[ $status = 137 ] && [ -e survived ] && answer "SELECT count(*) > 0 AS n FROM process" 1'
done

$D/deadlock-abba >/dev/null 2>&1 &
pid=$!
until_true 60 eval "pptrace why $pid 2>&1 | grep -q '^error: deadlock'"
pptrace why $pid >out 2>err
status=$?
said why - grep -q '^error: deadlock' out
kill -9 $pid
wait $pid 2>/dev/null

dash -c 'while :; do sleep 0.1; done' &
pid=$!
sleep 1
rm -f t.db*
timeout 600 pptrace attach --duration=2s -p $pid -o t.db >out 2>err
status=$?
said attach ebpf eval '[ $status = 0 ] && answer "SELECT count(*) > 2 AS n FROM process" 1'
kill -9 $pid
# The healthy twin is not accused.
if answer "SELECT 1 AS n" 2 || ! answer "SELECT 1 AS n" 1; then
	echo "= end - no"
else
	echo "= end - ok"
fi
poweroff -f
