#!/usr/bin/env bash
# shim.sh - the preload library: what it records, and that it never delays or harms the command.
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/../../lib.sh"

modes=$(shim_modes)
AS_USER="${nobody[*]}"
# Equal holds share rows.
HOLDS="SELECT coalesce(sum(coalesce(count, 1)), 0) FROM lock_hold"

for mode in $modes; do

begin "the library needs no C library newer than 2.17, wherever it was built: older systems' programs start with it"
command -v objdump >/dev/null || skip "objdump is not installed"
expect_eq "$(objdump -T "$BUILD/libpptrace-shim.so" | grep -oE 'GLIBC_[0-9.]+' | sort -uV | tail -n 1)" GLIBC_2.17
end

begin "$mode: every lock function answers as it should, and is recorded"
run "$PPTRACE" run $mode -o s.db "$PROGRAMS/all_locks"
expect_status 0
expect_out '^all locks called$'
# How often the main thread gets "held" back from its condition depends on which thread is faster.
expect_sql s.db "$HOLDS h JOIN lock l ON l.id = h.lock_id WHERE l.name IS NOT 'held'" 10
expect_sql s.db "SELECT lost FROM trace" 0
# The C library's own locks are seen when a thread happens to wait for one.
expect_sql s.db "SELECT group_concat(kind || n, ' ') FROM (SELECT kind, count(*) n FROM lock WHERE kind <> 'futex' GROUP BY kind ORDER BY kind)" \
	"barrier1 cond1 mutex6 once3 rwlock1 sem3 spin1"
expect_sql s.db "SELECT count(*) FROM lock WHERE name LIKE '/pptrace-test-%' AND pshared" 1
expect_sql s.db "SELECT type, pshared, inode > 0 FROM lock WHERE type LIKE '%robust'" 'normal+robust|1|1'
expect_sql s.db "SELECT count(*) FROM sync WHERE op = 'join'" 5
expect_sql s.db "SELECT lock_source FROM exec" shim
end

begin "$mode: a handler that locks may interrupt the locking"
run "$PPTRACE" run -q $mode -o s.db "$PROGRAMS/handler_locks"
expect_status 0
read -r outer inner <"$TMP/out"
expect_sql s.db "$HOLDS h JOIN lock l ON l.id = h.lock_id WHERE l.name = 'outer'" "$outer"
expect_sql s.db "$HOLDS h JOIN lock l ON l.id = h.lock_id WHERE l.name = 'inner'" "$inner"
expect_sql s.db "SELECT lost FROM trace" 0
end

for how in closed fork rawfork forkthread; do
	begin "$mode: locks of a process that is on its own ($how)"
	run "$PPTRACE" run -q $mode -o s.db "$PROGRAMS/locks_apart" $how
	expect_status 0
	expect_sql s.db "$HOLDS" 30
	end
done

begin "$mode: vfork; exec; SIGKILL keeps the last lock"
run "$PPTRACE" run -q $mode -o s.db "$PROGRAMS/locks_apart" vfork
expect_status 0
expect_sql s.db "$HOLDS" 20
run "$PPTRACE" run -q $mode -o s.db "$PROGRAMS/locks_apart" exec
expect_status 0
expect_sql s.db "$HOLDS" 40
run "$PPTRACE" run -q $mode -o s.db "$PROGRAMS/locks_apart" killed
expect_sql s.db "$HOLDS" 20
expect_sql s.db "SELECT exit_signal FROM process" 9
end

begin "$mode: a filter that kills for system calls which the program does not make"
for case in n:1:1 l:1:2 o:1:2 oy:1:2 lt:1:3 f:2:2 lf:2:3 lp:1:2; do
	IFS=: read -r what processes rounds <<<"$case"
	run "$PROGRAMS/sandboxed" $what
	if [ "$status" = 77 ]; then
		skip "no filters here"
		break
	fi
	expect_status 3
	run "$PPTRACE" run -q $mode -o s.db "$PROGRAMS/sandboxed" $what
	expect_status 3
	expect_out '^done$'
	expect_sql s.db "SELECT lost FROM trace" 0
	expect_sql s.db "SELECT count(*), count(end_ns) FROM process" "$processes|$processes"
	expect_sql s.db "$HOLDS" $((1000 * rounds))
	if [ $mode = --backend=shim ]; then
		expect_sql s.db "SELECT count(*) FROM trace WHERE blind_spots LIKE '%(sandboxed) installed a filter for its system calls%'" 1
	fi
done
run "$PPTRACE" run -q $mode -o s.db "$PROGRAMS/sandboxed" ls
expect_status 3
expect_out '^done$'
expect_sql s.db "$HOLDS" 1000
expect_sql s.db "SELECT blind_spots LIKE '%(sandboxed) installed a filter that allows only four system calls%', lost FROM trace" '1|0'
# A process that inherits such a filter is not preloaded.
run "$PPTRACE" run -q $mode -o s.db "$PROGRAMS/sandboxed" e
expect_status 0
expect_sql s.db "$HOLDS" 1000
expect_sql s.db "SELECT name, exit_code FROM process" 'sleep|0'
end

begin "$mode: another root and another user"
if [ "$(id -u)" != 0 ]; then skip "needs root"; else
	run "$PPTRACE" run -q $mode -o s.db "$PROGRAMS/locks_apart" user
	expect_status 0
	expect_sql s.db "$HOLDS" 20
fi
end

begin "$mode: pptrace is killed, the command goes on"
(cd "$TMP" && exec "$PPTRACE" run -q $mode -o k.db sh -c 'echo $PPID >pid; while [ ! -e go ]; do sleep 0.05; done
	"$0" many 3000000; echo done >result' "$PROGRAMS/locks_apart") 2>/dev/null &
wait_for 10 test -s pid
kill -KILL "$(cat pid)"
touch go
wait_for 30 test -s result
wait_end 2>/dev/null
rm -f pid go result
end

begin "$mode: pptrace is stopped, the command goes on and what was lost is counted"
(cd "$TMP" && exec "$PPTRACE" run -q $mode --ring=4 --fold=off -o k.db sh -c 'echo $PPID >pid; while [ ! -e go ]; do sleep 0.05; done
	"$0" many 3000000; echo done >result' "$PROGRAMS/locks_apart") 2>/dev/null &
wait_for 10 test -s pid
kill -STOP "$(cat pid)"
touch go
wait_for 30 test -s result
kill -CONT "$(cat pid)"
wait_end 2>/dev/null
expect_sql k.db "SELECT complete, lost > 0 FROM trace" '1|1'
rm -f pid go result
end

done

begin "a program in Go reaps its children past the C library: that is seen, and its threads at rest are not blamed"
if command -v go >/dev/null; then
	mkdir cgo
	cat >cgo/k.go <<'END'
package main

// static int one(void) { return 1; }
import "C"
import (
	"fmt"
	"os/exec"
	"time"
)

func main() {
	n := int(C.one())
	for i := 0; i < 3; i++ {
		if exec.Command("/bin/true").Run() == nil {
			n++
		}
	}
	time.Sleep(1500 * time.Millisecond)
	fmt.Println(n)
}
END
	run env -C cgo GOCACHE="$TMP/cache" GO111MODULE=off CGO_ENABLED=1 go build -o k k.go
	expect_status 0
	run "$PPTRACE" run -q --backend=shim -o go.db cgo/k
	expect_eq "$(cat out)" 4 output
	expect_sql go.db "SELECT count(*), sum(reaped_ns >= end_ns), sum(raw_calls) FROM process WHERE name <> 'k'" '3|3|0'
	expect_sql go.db "SELECT raw_calls, blind_spots LIKE '%(k) makes its system calls itself%' FROM process, trace WHERE name = 'k'" '1|1'
	expect_sql go.db "SELECT rule FROM finding" ''
else
	skip "go is not installed"
fi
end

begin "births and ends find room when nothing else does"
run sh -c 'exec "$0" run --backend=shim --ring=4 --fold=off -o vital.db "$1" $$' "$PPTRACE" "$PROGRAMS/flood_forks"
expect_status 0
expect_eq "$(cat out)" 4 output
expect_sql vital.db "SELECT count(*) > 0 FROM lost WHERE source = 'shim' AND kind = 'any'" 1
expect_sql vital.db "SELECT count(*) FROM lost WHERE source LIKE 'shim: births%'" 0
expect_sql vital.db "SELECT count(*), sum(exit_code = 3), sum(reaped_ns >= end_ns) FROM process WHERE parent_id" '4|4|4'
end

begin "the user's own LD_PRELOAD is kept"
LD_PRELOAD=$BUILD/libpptrace-shim.so.none run sh -c 'LD_PRELOAD=/no/such.so "$0" run -q --backend=shim -o s.db sh -c "exec env" 2>/dev/null' "$PPTRACE"
expect_out '^LD_PRELOAD=.*libpptrace-shim.so.*:/no/such.so$'
end

begin "auto: what has nothing to record is executed without the library once that is known, what it stands between is not"
if [[ " $modes " != *" --locks=shim "* ]]; then skip "no eBPF here"; else
	cat >spared.sh <<'END'
i=0
while printenv LD_PRELOAD; do
	i=$((i + 1)); [ $i -lt 200 ] || exit 1
	sleep 0.02
done
"$1"
LD_LIBRARY_PATH=/no/such printenv LD_PRELOAD && exec env -i "$1"
END
	run "$PPTRACE" run -q -o s.db sh spared.sh "$PROGRAMS/locks_apart"
	expect_status 0
	expect_out '^/.*/libpptrace-shim.so$'
	expect_sql s.db "$HOLDS" 20
	expect_sql s.db "SELECT group_concat(DISTINCT lock_source) FROM exec WHERE path LIKE '%/locks_apart' OR path LIKE '%/sh'" shim
	expect_sql s.db "SELECT count(*) > 0 FROM exec WHERE path LIKE '%/printenv' AND lock_source = 'futex'" 1
	expect_sql s.db "SELECT blind_spots LIKE '%only later loads a library%' FROM trace" 1
	# Whoever asks for the library by name gets it everywhere.
	run "$PPTRACE" run -q --locks=shim -o s.db sh -c 'for i in 1 2 3 4 5 6 7 8; do printenv LD_PRELOAD || exit 1; sleep 0.02; done'
	expect_status 0
	expect_sql s.db "SELECT DISTINCT lock_source FROM exec" shim
	# Who only makes children has nothing to write down, and no ring.
	run "$PPTRACE" run -q --locks=shim -o s.db sh -c '(:); grep -c /pptrace-arena- /proc/$$/maps'
	expect_eq "$(cat out)" 0 "mappings of the rings"
fi
end

begin "auto: between fork and exec, or its end, the library has the kernel give a child no pages"
if [[ " $modes " != *" --locks=shim "* ]]; then skip "no eBPF here"; else
	cat >pages.c <<'END'
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* The fewest page faults of a child: the first ones that execute may get the library. */
static long least(int number, int (*exec)(void))
{
	long min = -1;

	for (int i = 0; i < number; i++) {
		struct rusage u;
		pid_t pid = fork();
		int status;

		if (!pid)
			_exit(exec());
		if (wait4(pid, &status, 0, &u) != pid || status)
			exit(2);
		if (min < 0 || u.ru_minflt < min)
			min = u.ru_minflt;
	}
	return min;
}

static char name[] = "true";
static char *argv[] = {name, NULL};

static int by_path(void)
{
	return execve("/bin/true", argv, environ);
}

static int by_name(void)
{
	return execvp("true", argv);
}

/* As a shell does it. */
static int redirected(void)
{
	signal(SIGINT, SIG_DFL);
	dup2(0, 9);
	close(9);
	return by_path();
}

static int ended(void)
{
	return 0;
}

int main(void)
{
	long path = least(300, by_path), name_ = least(100, by_name);

	printf("%ld %ld %ld %ld\n", path, name_, least(100, redirected), least(100, ended));
	return 0;
}
END
	gcc -O2 -Wl,-z,now -o pages pages.c
	read -r path name redirected ended < <(./pages)
	run "$PPTRACE" run -q -o s.db ./pages
	expect_status 0
	read -r path_traced name_traced redirected_traced ended_traced <out
	# One for the library's own code; and where the stack or a variable crosses into another page.
	expect_eq "$((path_traced - path > 4))" 0 "more than 4 pages beyond the $path of an execve: $path_traced"
	expect_eq "$((name_traced - name > 5))" 0 "more than 5 pages beyond the $name of an execvp: $name_traced"
	expect_eq "$((redirected_traced - redirected > 4))" 0 "more than 4 pages beyond the $redirected of dup2, close and execve: $redirected_traced"
	expect_eq "$((ended_traced - ended > 3))" 0 "more than 3 pages beyond the $ended of an end: $ended_traced"
	expect_sql s.db "SELECT count(*) > 0 FROM exec WHERE path = '/bin/true' AND lock_source = 'futex'" 1
fi
end

begin "an empty environment still leads to the library"
run "$PPTRACE" run -q --backend=shim -o s.db env -i "$PROGRAMS/locks_apart"
expect_status 0
expect_sql s.db "$HOLDS" 10
end

begin "programs that cannot load the library do not get it"
cat >plain.c <<'END'
#include <stdio.h>
int main(void) { puts("plain"); return 3; }
END
if ! gcc -static -o plain.static plain.c 2>/dev/null; then skip "no static C library"; else
	run "$PPTRACE" run -q --backend=shim -o s.db sh -c './plain.static; echo $?'
	expect_out '^plain$'
	expect_out '^3$'
	expect_eq "$(cat "$TMP/err")" '' stderr
	expect_sql s.db "SELECT count(*) FROM exec WHERE path LIKE '%plain.static'" 1
	for compiler in musl-gcc 'gcc -m32'; do
		$compiler -o plain.other plain.c 2>/dev/null || continue
		[ "$(./plain.other 2>/dev/null)" = plain ] || continue # a kernel or a hypervisor may have no 32-bit programs
		run "$PPTRACE" run -q --backend=shim -o s.db sh -c './plain.other; echo $?'
		expect_out '^plain$'
		expect_out '^3$'
		expect_eq "$(cat "$TMP/err")" '' "stderr with $compiler"
	done
fi
end

begin "setuid: no preload, no complaint, nothing written with its rights"
if [ "$(id -u)" != 0 ]; then skip "needs root"; else
	rm -rf user theirs; gcc -o suid "$ROOT/tests/programs/locks_apart.c" -lpthread && chmod 4755 suid
	mkdir -m 777 user
	run $AS_USER "$PPTRACE" run -q --backend=shim -o user/s.db sh -c './suid; echo $?'
	expect_out '^0$'
	expect_eq "$(cat "$TMP/err")" '' stderr
	expect_sql user/s.db "$HOLDS" 0
	# A program of root does not touch an arena that is not root's own.
	mkdir -m 700 theirs && head -c 8388608 /dev/zero >theirs/arena && chmod 600 theirs/arena && chown -R 65534 theirs
	before=$(sha256sum <theirs/arena)
	PPTRACE_ARENA=$TMP/theirs/arena LD_PRELOAD=$BUILD/libpptrace-shim.so run "$PROGRAMS/locks_apart"
	expect_status 0
	expect_eq "$(sha256sum <theirs/arena)" "$before" "their file"
	ln -s "$TMP/theirs/arena" link
	PPTRACE_ARENA=$TMP/link LD_PRELOAD=$BUILD/libpptrace-shim.so run "$PROGRAMS/locks_apart"
	expect_status 0
	expect_eq "$(sha256sum <theirs/arena)" "$before" "their file behind a link"
fi
end

begin "an ordinary user records everything"
if [ "$(id -u)" != 0 ]; then skip "needs root"; else
	mkdir -p -m 777 user
	run $AS_USER "$PPTRACE" run -q --backend=shim -o user/t.db sh -c 'echo a | cat; exit 5'
	expect_status 5
	expect_sql user/t.db "SELECT count(*), sum(reaped_ns IS NOT NULL) FROM process" '3|2'
	expect_sql user/t.db "SELECT sum(bytes) FROM pipe_io WHERE op = 'write'" 2
fi
end

begin "process IDs of a nested PID namespace"
if [ "$(id -u)" != 0 ] || ! unshare -pf --mount-proc true 2>/dev/null; then skip "needs root, and a root folder that is a mount of its own"; else
	run "$PPTRACE" run -q --locks=shim -o s.db unshare -pf --mount-proc "$PROGRAMS/all_locks"
	expect_status 0
	expect_sql s.db "SELECT p.name, count(*) >= 15 FROM lock_hold h JOIN thread t ON t.id = h.thread_id JOIN process p ON p.id = t.process_id" 'all_locks|1'
	expect_sql s.db "SELECT count(*) FROM process WHERE end_ns IS NULL" 0
	expect_sql s.db "SELECT count(target_id) FROM sync WHERE op = 'join'" 5
	run "$PPTRACE" run -q --backend=shim -o s.db unshare -pf --mount-proc "$PROGRAMS/locks_apart"
	expect_status 0
	expect_sql s.db "SELECT count(*), sum(end_ns IS NULL) FROM process" '2|0'
fi
end

begin "in a container with a /proc of its own nothing changes for the program, and what cannot be known is said with its true cause"
if ! bwrap --dev-bind / / --unshare-pid --proc /proc true 2>/dev/null; then skip "no bwrap, or no namespaces here"; else
	echo 'i=0; while [ $i -lt 20 ]; do /bin/true; i=$((i+1)); done; echo fine; exit 3' >many.sh
	for backend in $(backends); do
		run "$PPTRACE" run -q --backend="$backend" -o c.db bwrap --dev-bind / / --unshare-pid --proc /proc sh "$TMP/many.sh"
		expect_status 3
		expect_eq "$(cat out)" fine "output"
		[ "$backend" = shim ] || expect_sql c.db "SELECT complete, lost FROM trace" '1|0'
		if [ "$(sql c.db 'SELECT lost FROM trace')" != 0 ]; then
			run "$PPTRACE" diagnose c.db
			expect_out 'remedy: Record with eBPF .*PID namespace'
		fi
	done
fi
end

begin "short-lived processes in a nested PID namespace keep their records"
cat >short.sh <<'END'
for i in 1 2 3 4 5 6 7 8 9 10; do /bin/true; done
END
if [ "$(id -u)" != 0 ] || ! unshare -pf true 2>/dev/null; then skip "needs root"; else
	run "$PPTRACE" run -q --backend=shim -o s.db unshare -p -f bash short.sh
	expect_status 0
	expect_sql s.db "SELECT count(*), sum(end_ns IS NULL), sum(name = 'true'), sum(reaped_ns IS NOT NULL) FROM process" '12|0|10|11'
	expect_sql s.db "SELECT lost FROM trace" 0
	if $AS_USER unshare -Urpf true 2>/dev/null; then
		mkdir -p -m 777 user
		run $AS_USER "$PPTRACE" run -q --backend=shim -o user/n.db unshare -Urpf bash "$TMP/short.sh"
		expect_sql user/n.db "SELECT count(*), sum(end_ns IS NULL) FROM process" '12|0'
		expect_sql user/n.db "SELECT lost FROM trace" 0
	fi
fi
end

for mode in $modes; do
begin "$mode: a child without the C library's thread descriptor"
cat >notls.c <<'END'
#define _GNU_SOURCE
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>
static char tls[32768] __attribute__((aligned(64))), stack[65536] __attribute__((aligned(64)));
static int run(void *unused)
{
	(void)unused;
	_exit(chdir("/") ? 1 : 7);
}
int main(void)
{
	int status = 0;
	pid_t pid = clone(run, stack + sizeof stack, CLONE_VM | CLONE_VFORK | CLONE_SETTLS | SIGCHLD, NULL, NULL,
		tls + sizeof tls / 2, NULL);
	waitpid(pid, &status, 0);
	return status >> 8;
}
END
gcc -o notls notls.c
run "$PPTRACE" run -q $mode -o s.db ./notls
expect_status 7
expect_sql s.db "SELECT lost FROM trace" 0
end
done

begin "process IDs of a namespace without /proc are not taken for ours"
if [ "$(id -u)" != 0 ] || ! unshare -fp --mount true 2>/dev/null; then skip "no namespaces here"; else
	# Inside the namespace process 1 is the shell; outside it is another process, which does not end.
	run "$PPTRACE" run -q --backend=shim -o s.db setpriv --no-new-privs unshare -fp --mount \
		sh -c 'umount -l /proc; "$0" closed; exit 3' "$PROGRAMS/locks_apart"
	expect_status 3
	expect_sql s.db "SELECT complete, (SELECT count(*) FROM process WHERE pid < 10), (SELECT count(*) FROM process WHERE end_ns IS NULL) FROM trace" '1|0|0'
fi
end

begin "what ulimit -v leaves to a program stays the program's"
run sh -c 'ulimit -v 200000; dd if=/dev/zero of=/dev/null bs=160M count=1'
native_status=$status
run "$PPTRACE" run -q --backend=shim -o s.db sh -c 'ulimit -v 200000; dd if=/dev/zero of=/dev/null bs=160M count=1'
expect_status $native_status
expect_sql s.db "SELECT count(*), sum(lost) FROM exec, trace WHERE path LIKE '%/dd'" '1|0'
end

begin "without room for rings auto does without, and says so"
if [ "$(id -u)" != 0 ] || ! unshare -m --propagation private mount -t tmpfs -o size=256k none /dev/shm 2>/dev/null; then
	skip "no mounts here"
else
	small='mount -t tmpfs -o size=256k none /dev/shm; exec "$0" "$@"'
	run unshare -m --propagation private sh -c "$small" "$PPTRACE" run -o s.db "$DEMOS/testexit_os"
	expect_status 99
	grep -q 'contended locks are recorded' "$TMP/err" || fail "$(cat "$TMP/err")"
	expect_sql s.db "SELECT backend, complete, blind_spots LIKE '%Uncontended lock operations%' FROM trace" 'ebpf|1|1'
	run unshare -m --propagation private sh -c "$small" "$PPTRACE" run -o s.db --locks=shim "$DEMOS/testexit_os"
	expect_status 125
fi
end

for mode in $modes; do
begin "$mode: a program that cuts off the file of the rings does not end pptrace"
# It finds the arena by the name in its environment, and ends before it would write there again.
cat >cut.c <<'END'
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
int main(void)
{
	const char *arena = getenv("PPTRACE_ARENA");
	printf("%s\n", arena && truncate(arena, 0) == 0 ? "cut" : "not cut");
	fflush(stdout);
	__asm__ volatile("syscall" : : "a"(231), "D"(7));
}
END
if [ "$(uname -m)" != x86_64 ]; then skip "its exit is written for another processor"; elif gcc -o cut cut.c; then
	run "$PPTRACE" run $mode -o s.db ./cut
	expect_status 7
	expect_out '^cut$'
	expect_sql s.db "SELECT complete, exit_code FROM trace" '1|7'
	expect_sql s.db "SELECT source FROM lost WHERE source LIKE '%cut off%'" "shim: the file of the rings was cut off"
fi
end
done

for backend in $(backends); do
begin "$backend: calls by their number, several messages at once, waits on System V objects"
run "$PPTRACE" run -q --backend=$backend -o s.db "$PROGRAMS/raw_calls" errors
expect_status 0
expect_out '^done$'
run "$PPTRACE" run -q --backend=$backend -o s.db "$PROGRAMS/raw_calls" traffic
expect_status 0
expect_out '^done$'
expect_sql s.db "SELECT op, sum(bytes) FROM pipe_io GROUP BY op ORDER BY op" "read|24
write|24"
expect_sql s.db "SELECT count(*), sum(exit_code), sum(reaped_ns IS NOT NULL) FROM process WHERE id > 1" '1|3|1'
run "$PPTRACE" run -q --backend=$backend -o s.db "$PROGRAMS/raw_calls" queues
expect_status 0
expect_sql s.db "SELECT DISTINCT reason || ' ' || replace(syscall, 'timed', '') FROM wait WHERE reason = 'ipc' ORDER BY 1" "ipc msgrcv
ipc semop"
expect_sql s.db "SELECT lost FROM trace" 0
end
done

for backend in $(backends); do
begin "$backend: who ended a process, whose child it was, what a signal interrupted, what an exec cut off"
for mode in main-leaves worker-exits clone-parent chld-read exec; do
	run "$PPTRACE" run -q --backend=$backend -o s.db "$PROGRAMS/ends" $mode
	expect_status 5
	expect_sql s.db "SELECT '$mode', count(rule), sum(lost), count(end_ns) = count(*) FROM trace, process LEFT JOIN finding ON rule NOT LIKE 'lock-%'" "$mode|0|0|1"
	[ $mode != clone-parent ] || expect_sql s.db "SELECT count(*) FROM process WHERE parent_id = 1 AND reaper_id IS NOT NULL" 2
done
# The main thread was waiting when the other one called exit; its wait is cut off, those that have ended are not.
run "$PPTRACE" run -q --backend=$backend -o s.db "$PROGRAMS/ends" worker-exits
expect_sql s.db "SELECT is_main FROM thread WHERE cut_short" 1
end
done

begin "an orphan that pptrace reaps has the time at which it was reaped"
cat >orphan.sh <<'END'
mkfifo f
sh -c 'sh -c "read x <f; exit 3" & exit 0'
: >f
END
run "$PPTRACE" run -q --backend=shim -o s.db sh orphan.sh
expect_status 0
expect_sql s.db "SELECT exit_code, reaped_ns >= end_ns, reaper_id IS NULL FROM process p WHERE exit_code = 3" '3|1|1'
end

for mode in $modes; do
begin "$mode: an initialiser that throws counts as ended"
cat >once.cc <<'END'
#include <mutex>
static std::once_flag f;
int main()
{
	int n = 0;
	for (int i = 0; i < 3; i++)
		try {
			std::call_once(f, [&] { if (n++ < 2) throw 1; });
		} catch (int) {
		}
	return n;
}
END
if ! command -v g++ >/dev/null || ! g++ -o once once.cc; then skip "no compiler for C++"; else
	run "$PPTRACE" run -q $mode -o s.db ./once
	expect_status 3
	expect_sql s.db "SELECT sum(result = 125), sum(end_ns IS NULL) FROM sync WHERE op = 'once'" '2|0'
fi
end
done

# A hold that only the next one, which excludes it, ended was not seen to end.
flocks()
{
	$1 timeout 20 "$PPTRACE" run -q --backend=$2 -o "$3" "$PROGRAMS/flocks" "$4" 2>/dev/null
	expect_eq $? 5 status
	expect_sql "$3" "WITH f AS (SELECT h.* FROM lock_hold h JOIN lock l ON l.id = h.lock_id AND l.kind = 'file')
		SELECT count(*), sum(mode = 's'), sum(mode = 's' AND EXISTS (SELECT 1 FROM f o
		WHERE o.mode = 's' AND o.acquire_ns > f.acquire_ns AND o.release_ns < f.release_ns)),
		sum(release_ns IN (SELECT acquire_ns FROM f)) FROM f" '8|2|1|0'
}

for backend in $(backends); do
	begin "$backend: file locks of open file descriptions, copied, inherited, executed"
	flocks "" $backend s.db "$TMP/locked"
	if [ "$backend" = shim ] && [ "$(id -u)" = 0 ]; then
		mkdir -p -m 777 user
		flocks "$AS_USER" shim user/l.db "$TMP/user/locked"
	fi
	end
done

begin "a hundred processes on one pipe: the answer comes soon"
if ! command -v stress-ng >/dev/null; then skip "stress-ng is not installed"; else
	LIMIT=30 run "$PPTRACE" run -q --backend=shim -o s.db stress-ng --pipeherd 1 --timeout 1 --quiet
	expect_status 0
	expect_sql s.db "SELECT complete, count(*) > 60 FROM trace, process" '1|1'
fi
end

# spawn FILE: posix_spawn of a child that opens a FIFO; somebody else opens the other end later.
spawn_fifo()
{
	rm -f "$2" && mkfifo -m 666 "$2"
	$1 timeout 20 "$PPTRACE" run -q --watch=0.2 --backend=shim -o "$3" "$PROGRAMS/stuck" spawn "$2" 2>/dev/null &
	wait_for 10 expect_rows "$3" "SELECT count(*) FROM wait WHERE reason IN ('fifo-open', 'vfork') AND end_ns IS NULL" 2
	# There may be nobody to open the other side.
	timeout 10 sh -c ': >"$1"' - "$2"
	wait_end $!
	expect_sql "$3" "SELECT lost FROM trace" 0
	expect_sql "$3" "SELECT name, created_by, end_kind IS NOT NULL FROM process ORDER BY id" "stuck||1
true|posix_spawn|1"
	expect_sql "$3" "SELECT p.name, w.reason, w.end_ns IS NOT NULL, q.name FROM wait w JOIN thread t ON t.id = w.thread_id
		JOIN process p ON p.id = t.process_id LEFT JOIN process q ON q.id = w.target_process_id
		WHERE w.reason IN ('fifo-open', 'vfork') ORDER BY 1" "stuck|vfork|1|true
true|fifo-open|1|"
}

expect_rows()
{
	[ "$(sql "$1" "$2")" = "$3" ]
}

begin "posix_spawn whose child opens a FIFO: the wait is seen while it lasts"
spawn_fifo "" "$TMP/fifo" s.db
if [ "$(id -u)" = 0 ]; then
	mkdir -p -m 777 user
	spawn_fifo "$AS_USER" "$TMP/user/fifo" user/f.db
fi
end

begin "eleven million holds: none is lost, though the program ends long before they are read, and memory stays bounded"
LIMIT=120 run bash -c 'ulimit -d 200000; exec "$@"' - "$PPTRACE" run -q --locks=shim -o m.db "$PROGRAMS/locks_apart" many 11000000
expect_status 0
expect_sql m.db "SELECT lost FROM trace" 0
expect_sql m.db "SELECT sum(coalesce(count, 1)), min(release_ns >= acquire_ns) FROM lock_hold" '11000010|1'
rm -f m.db
end
