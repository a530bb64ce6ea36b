#!/usr/bin/env bash
# tracer_gone.sh - pptrace is killed or stopped while the command runs: the command goes on as if nothing had happened.
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/../../lib.sh"

# Locks first, until the rings are full and nobody reads them, then programs and threads. Writes how long these took, in ms.
cat >rest.sh <<'EOT'
echo $PPID >pid
$PROGRAMS/lock_storm 2 go 400000
a=$(date +%s%N)
i=0; while [ $i -lt 50 ]; do /bin/true; i=$((i+1)); done
i=0; while [ $i -lt 5 ]; do
	python3 -c 'import threading; t = threading.Thread(target=print, args=("t",)); t.start(); t.join()'
	i=$((i+1))
done
b=$(date +%s%N)
echo $(((b - a) / 1000000)) >ms
exit 7
EOT
export PROGRAMS

arenas()
{
	find /dev/shm /tmp -maxdepth 1 -name "pptrace-arena-$1-*" 2>/dev/null
}

no_arena()
{
	[ -z "$(arenas "$1")" ]
}

# start BACKEND SCRIPT: sets pid once the command runs.
start()
{
	rm -f go pid ms
	"$PPTRACE" run --backend="$1" --ring 4 -o gone.db sh "$2" >out 2>err </dev/null &
	pid=$!
	wait_for 30 test -s pid
}

# native SCRIPT: leaves want (the output) and want_ms.
native()
{
	: >go
	sh "$1" >want 2>&1 </dev/null
	want_ms=$(cat ms)
}

expect_quick()
{
	[ "$(cat ms)" -le $((want_ms * 3 + 300)) ] || fail "the rest took $(cat ms) ms, natively $want_ms ms"
}

for backend in ${BACKENDS:-$(backends)}; do

begin "$backend: pptrace is killed: the rest of the tree runs as fast as without it"
native rest.sh
start "$backend" rest.sh
kill -KILL "$pid"
: >go
wait_for 60 test -s ms
wait_end "$pid" 2>/dev/null
wait_for 10 cmp -s want out
expect_eq "$(cat err)" "" "stderr"
expect_quick
wait_for 10 no_arena "$pid"
expect_sql gone.db "PRAGMA integrity_check" ok
end

begin "$backend: pptrace is stopped: nothing waits for it, what it missed is counted"
start "$backend" rest.sh
kill -STOP "$pid"
: >go
wait_for 60 test -s ms
kill -CONT "$pid"
wait_end "$pid"
expect_eq $? 7 status
cmp -s want out || fail "the output differs" "$(diff want out)"
expect_quick
expect_sql gone.db "SELECT complete, exit_code, lost > 0 FROM trace" "1|7|1"
expect_eq "$(arenas "$pid")" "" "left behind"
end

begin "$backend: pptrace is killed together with what cleans up after it"
start "$backend" rest.sh
sweeper=$(pgrep -P "$pid" -x arena-sweeper)
kill -KILL "$pid" "$sweeper"
wait_end "$pid" 2>/dev/null
: >go
wait_for 60 test -s ms
wait_for 10 cmp -s want out
expect_eq "$(cat err)" "" "stderr"
expect_quick
# The first process to lock since then has removed it.
wait_for 10 no_arena "$pid"
end

# Forks, threads, locks and pipes, all short.
cat >mixed.sh <<'EOT'
echo $PPID >pid
: >go
i=0; while [ $i -lt 3 ]; do
	$PROGRAMS/lock_storm 8 go 3000
	(echo a; /bin/echo b) | sort -r | tr a-z A-Z
	$DEMOS/fork-count --delay 0.01 | wc -l
	i=$((i+1))
done 2>&1 | cksum
: >ms
exit 7
EOT
export DEMOS

# A build, whose jobs come and go.
cat >jobs.mk <<'EOT'
all: $(addprefix job-,1 2 3 4 5 6 7 8 9 10 11 12)
job-%: ; @sleep 0.02; cksum </dev/null | tr 4 5 >$@; cat $@
EOT
cat >make.sh <<'EOT'
echo $PPID >pid
rm -f job-*
make -s -j 4 -f jobs.mk 2>&1 | sort | cksum
: >ms
exit 7
EOT

cat >pools.py <<'EOT'
import multiprocessing, queue, subprocess, threading
wanted, done = queue.Queue(), queue.Queue()
def work():
    while (n := wanted.get()) is not None:
        done.put(int(subprocess.run(["expr", str(n), "*", "2"], capture_output=True).stdout))
threads = [threading.Thread(target=work) for _ in range(4)]
for t in threads: t.start()
for n in range(1, 13): wanted.put(n)
for t in threads: wanted.put(None)
for t in threads: t.join()
with multiprocessing.Pool(2) as pool: print(sum(done.get() for _ in range(12)), sum(pool.map(abs, range(-50, 50))))
EOT
cat >python.sh <<'EOT'
echo $PPID >pid
python3 pools.py 2>&1
: >ms
exit 7
EOT

# readable: what was recorded until then is, by the database and by those who draw and judge it.
readable()
{
	expect_eq "$(sql gone.db "PRAGMA integrity_check")" ok "$1: integrity"
	run "$PPTRACE" timeline -T txt -o - gone.db
	[ "$status" = 0 ] || fail "$1: timeline: status $status" "$(show)"
	run "$PPTRACE" diagnose gone.db
	[ "$status" -le 1 ] || fail "$1: diagnose: status $status" "$(show)"
}

begin "$backend: pptrace is killed or stopped at any moment"
targets=(mixed make python)
for target in "${targets[@]}"; do
	rm -f ms
	sh $target.sh >want.$target 2>&1
done
RANDOM=${SEED:-4}
for i in $(seq "${ROUNDS:-6}"); do
	sig=KILL
	[ $((i % 2)) = 0 ] || sig=STOP
	target=${targets[i % 3]}
	delay=$(printf '0.%03d' $((RANDOM % 600)))
	what="$target, $sig after $delay s"
	start "$backend" $target.sh
	sleep "$delay"
	# It may have ended already.
	kill -$sig "$pid" 2>/dev/null
	wait_for 60 test -e ms
	kill -CONT "$pid" 2>/dev/null
	wait_end "$pid" 2>/dev/null
	case $sig$? in
	KILL137 | KILL7 | STOP7) ;;
	*) fail "$what: status of pptrace" ;;
	esac
	wait_for 10 cmp -s want.$target out || fail "$what: the output differs" "$(diff want.$target out)"
	wait_for 10 no_arena "$pid"
	readable "$what"
done
end

done

begin "/dev/shm has little room: what does not fit is lost, the command runs as ever"
if unshare -m true 2>/dev/null; then
	run unshare -m sh -c 'mount -t tmpfs -o size=8m none /dev/shm && head -c 5500000 /dev/zero >/dev/shm/fill && exec "$@"' sh \
		"$PPTRACE" run --backend=shim -o full.db sh -c ': >go; "$0" 4 go 200000; exit 7' "$PROGRAMS/lock_storm"
	expect_status 7
	expect_out '^done$'
else
	skip "no mount namespace of our own can be made"
fi
end
