#!/usr/bin/env bash
# stacks.sh - native stacks: places that their callers tell apart, whole with -v, as JSON and in the recording.
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/../../lib.sh"
. "$ROOT/tests/lib_why.sh"

source=$ROOT/tests/programs/stacks.c
line_of() { grep -n "/\* $1 \*/" "$source" | cut -d: -f1; }
helper=$(line_of HELPER) transfer=$(line_of TRANSFER) report=$(line_of REPORT)

# Twice built: without optimisation, where only the frame pointer finds a caller, and with it.
for level in 0 2; do
	gcc -g -O$level -pthread -o "stacks$level" "$source"
done
gcc -O2 -s -pthread -o stripped "$source"
gcc -g -O2 -static -pthread -o static "$source"

# expect_places: the two members are at one line, and their callers tell them apart.
expect_places()
{
	expect_out "waits for the mutex audit .*at stacks.c:$helper \(my_lock\), called from stacks.c:[0-9]+ \(lock\), called from stacks.c:$transfer \(transfer\),"
	expect_out "waits for the mutex account .*at stacks.c:$helper \(my_lock\), called from stacks.c:[0-9]+ \(lock\), called from stacks.c:$report \(report\),"
}

for mode in direct indirect; do
	for program in ./stacks0 ./stacks2; do
		begin "why $program $mode: a helper's line comes with the callers that differ"
		start $program $mode
		if wait_for 10 waiting 3; then
			run "$PPTRACE" why "$pid"
			expect_status 1
			expect_places
			run "$PPTRACE" why -v "$pid"
			expect_out "^      at stacks.c:$transfer \(transfer\)"
			expect_out '^              at .*\(start_thread\)'
			run "$PPTRACE" why --json "$pid"
			expect_out '"frames":\[\{"function":.*"library":true\}'
			expect_out "\"function\":\"transfer\",\"file\":\"[^\"]*/stacks.c\",\"line\":$transfer,.*\"library\":false"
		fi
		stop
		end
	done
done

for backend in auto shim; do
	begin "run --backend=$backend: places are told apart, and the stacks are in the recording"
	run "$PPTRACE" run --backend=$backend --on-deadlock=kill -o dead.db ./stacks0
	expect_status 124
	mv err out
	expect_places
	run "$PPTRACE" diagnose dead.db
	expect_places
	run "$PPTRACE" diagnose -v dead.db
	expect_out "^      at stacks.c:$report \(report\)"
	run "$PPTRACE" diagnose --json dead.db
	expect_out "\"frames\":\[.*\"function\":\"report\",\"file\":\"[^\"]*/stacks.c\",\"line\":$report,"
	expect_sql dead.db "SELECT count(*) FROM finding_member m JOIN frame f USING (stack_id)
		JOIN site s ON s.id = f.site_id WHERE s.function IN ('transfer', 'report')" 2
	run "$PPTRACE" events -v dead.db
	expect_out "^ +at stacks.c:$transfer \(transfer\)"
	run "$PPTRACE" events dead.db
	! grep -q '^ *at ' out || fail "stacks without -v"
	run "$PPTRACE" timeline -T svg -o - dead.db
	expect_out "at stacks.c:$transfer \(transfer\)"
	run "$PPTRACE" export --format=folded dead.db
	expect_out '^stacks0;.*;start_thread;transfer;lock;my_lock;pthread_mutex_lock;.*\[lock: mutex audit\] [0-9]{6,}$'
	run "$PPTRACE" flame -o - dead.db
	expect_out '<title>my_lock: [0-9.]+ s \([0-9.]+ %\)</title>'
	# The preload library is no part of the program.
	expect_sql dead.db "SELECT count(*) FROM frame f JOIN site s ON s.id = f.site_id WHERE s.module LIKE '%pptrace-shim%'" 0
	end
done

# Built without optimisation, with it, and with it and frame pointers.
cat >inverted.cc <<'EOF'
#include <mutex>
#include <semaphore>
#include <thread>
static std::mutex a, b;
static std::binary_semaphore first(0), second(0);
static void other() {
	std::unique_lock<std::mutex> hold(b); first.release(); second.acquire();
	std::lock_guard<std::mutex> next(a);
}
int main() {
	std::thread t(other);
	std::unique_lock<std::mutex> hold(a); second.release(); first.acquire();
	std::lock_guard<std::mutex> next(b);
}
EOF
for build in "g++ -O0" "clang++ -O0" "g++ -O2"; do
	read -r -a command <<<"$build"
	command -v "${command[0]}" >/dev/null || continue
	"${command[@]}" -std=c++20 -g -pthread -o inverted inverted.cc
	for backend in auto shim; do
		begin "run --backend=$backend of a C++ program ($build): a lock was taken where the program says so, not in a header"
		run "$PPTRACE" run --backend=$backend --on-deadlock=kill -o dead.db ./inverted
		expect_err "^ +waits for the mutex b since .* at inverted.cc:13 \(main"
		expect_err "which is held by .* since .* at inverted.cc:7 \(other\(\)\)$"
		expect_err "which is held by .* since .* at inverted.cc:12 \(main\)$"
		# What is optimised calls from no such function, and its callers are not recorded.
		[ "$build" != "g++ -O2" ] || expect_sql dead.db "SELECT count(*) FROM lock_hold WHERE stack_id IS NOT NULL" 0
		end
	done
done

# Each lock of the library, in a debug build and in one with instrumentation.
cat >kinds.cc <<'EOF'
#include <mutex>
#include <shared_mutex>
std::mutex m; std::recursive_mutex r; std::timed_mutex t; std::shared_mutex s; std::shared_timed_mutex st;
static void f1() { m.lock(); }
static void f2() { r.lock(); }
static void f3() { (void)t.try_lock_for(std::chrono::seconds(1)); }
static void f4() { s.lock(); }
static void f5() { st.lock_shared(); }
static void f6() { new std::scoped_lock<std::mutex, std::timed_mutex>(m, t); }
static void f7() { (void)m.try_lock(); }
int main() { f1(); m.unlock(); f2(); f3(); t.unlock(); f4(); f5(); f6(); m.unlock(); f7(); }
EOF
for flags in "" "-fcf-protection -fstack-protector-all"; do
	begin "run of a C++ program that was not optimised ($flags): the callers of every kind of lock"
	# shellcheck disable=SC2086 # several flags
	g++ -g -O0 $flags -std=c++17 -pthread -o kinds kinds.cc
	run "$PPTRACE" run --backend=shim -o kinds.db ./kinds
	expect_sql kinds.db "SELECT group_concat(DISTINCT s.function) FROM
		(SELECT function FROM lock_hold h JOIN site s ON s.id = h.site_id WHERE h.stack_id IS NOT NULL ORDER BY 1) s" "f1(),f2(),f3(),f4(),f5(),f6(),f7()"
	end
done

begin "run of a C++ program built with -Og: where no frame pointer leads to the caller, the text says what does"
g++ -std=c++20 -g -Og -pthread -o inverted inverted.cc
run "$PPTRACE" run --backend=shim --on-deadlock=kill -o dead.db ./inverted
expect_err " since .* at gthr-default.h:[0-9]+ \(.*\) \(run --stacks names the caller\)$"
run "$PPTRACE" run --stacks --backend=shim --on-deadlock=kill -o dead.db ./inverted
expect_err "which is held by .* since .* at inverted.cc:7 \(other\(\)\)$"
end

gcc -g -O2 -fno-omit-frame-pointer -pthread -o stacks2f "$source"
for backend in auto shim; do
	for program in stacks0 stacks2 stacks2f; do
		begin "run --stacks --backend=$backend $program: where a lock was taken comes with its callers"
		run "$PPTRACE" run --stacks --backend=$backend --on-deadlock=kill -o dead.db ./$program
		expect_status 124
		mv err out
		expect_places
		expect_out "which is held by .*at stacks.c:$helper \(my_lock\), called from stacks.c:[0-9]+ \(lock\), called from stacks.c:$((report - 2)) \(report\)"
		expect_out "which is held by .*at stacks.c:$helper \(my_lock\), called from stacks.c:[0-9]+ \(lock\), called from stacks.c:$((transfer - 2)) \(transfer\)"
		expect_sql dead.db "SELECT count(DISTINCT stack_id) FROM lock_hold" 2
		end
	done
done

begin "run --stacks: programs do what they do without it"
for program in "all_locks 3" "handler_locks" "locks_apart" "ends"; do
	read -r -a command <<<"$PROGRAMS/$program"
	"${command[@]}" >want 2>&1 </dev/null
	wanted=$?
	for backend in auto shim; do
		run "$PPTRACE" run -q --stacks --backend=$backend -o fine.db "${command[@]}"
		expect_status $wanted
		cat out err >both
		# How often its handler ran in between is a matter of chance.
		[ "$program" = handler_locks ] || [ "$(sort both)" = "$(sort want)" ] || fail "$program: another output" "$(diff want both | head -5)"
	done
done
run "$PPTRACE" run --stacks --locks=futex true
expect_status 125
expect_err '--stacks needs the preload library'
end

begin "why: a frame that only a register leads out of is unwound with what the kernel knows of it"
cat >alloca.c <<'END'
#include <alloca.h>
#include <string.h>
#include <unistd.h>
static char *volatile keep;
static __attribute__((noinline)) void blocks(int n)
{
	char *p = alloca(n);
	memset(p, 1, n);
	keep = p;
	pause();
	keep = 0;
}
static void (*volatile call)(int) = blocks;
int main(int argc, char **argv)
{
	(void)argv;
	call(100 + argc);
	keep = 0;
	return 0;
}
END
gcc -g -O2 -fno-omit-frame-pointer -o alloca alloca.c
start ./alloca
wait_for 10 waiting 1
run "$PPTRACE" why -v "$pid"
expect_out 'at alloca.c:10 \(blocks\)'
if "$PPTRACE" doctor 2>/dev/null | grep -q '^works eBPF programs of pptrace'; then
	expect_out 'at alloca.c:17 \(main\)'
fi
expect_no_err libbpf
stop
end

begin "run --locks=futex: places are told apart without the preload library"
run "$PPTRACE" run --locks=futex --on-deadlock=kill -o dead.db ./stacks0
if grep -q 'eBPF' err && [ "$status" = 125 ]; then
	skip "no eBPF here"
else
	expect_status 124
	mv err out
	expect_places
fi
end

# build COMPILER FILE COMMAND...: makes the file from the text on stdin; skips the test where the compiler is not installed.
build()
{
	local compiler=$1 file=$2
	shift 2
	cat >"$file"
	command -v "$compiler" >/dev/null || { skip "no $compiler here"; return 1; }
	GOCACHE=$TMP/go "$@" >build.log 2>&1 || { fail "$(cat build.log)"; return 1; }
}

# The function that locks is inlined, into one of the library: both are told apart from the program's own.
for level in 0 2; do
	begin "why of C++ (-O$level): the place is not in the library's headers, and inlined functions have their names"
	if build g++ bank.cc g++ -g -O$level -std=c++17 -pthread -o "cxx$level" bank.cc <<'END'
#include <mutex>
#include <thread>
#include <pthread.h>
std::mutex account, audit;
pthread_barrier_t meet;
static inline void take_both(std::mutex &x, std::mutex &y)
{
	std::unique_lock<std::mutex> one(x);
	pthread_barrier_wait(&meet);
	std::lock_guard<std::mutex> two(y);
}
int main()
{
	pthread_barrier_init(&meet, nullptr, 2);
	std::thread t([] { take_both(account, audit); });
	std::thread u([] { take_both(audit, account); });
	t.join();
	u.join();
}
END
	then
		start "./cxx$level"
		wait_for 10 waiting 3
		run "$PPTRACE" why "$pid"
		expect_out 'mutex audit .*at bank.cc:10 \(take_both.*\), called from bank.cc:15 \('
		expect_out 'mutex account .*at bank.cc:10 \(take_both.*\), called from bank.cc:16 \('
		stop
	fi
	end
done

for mangling in "" "-C symbol-mangling-version=v0"; do
	for level in 0 2; do
		begin "why of Rust (-O$level $mangling): the place is not in its library"
		if build rustc bank.rs rustc -g -C opt-level=$level $mangling -o "rust$level" bank.rs <<'END'
use std::sync::{Arc, Barrier, Mutex};
use std::thread;
struct Bank { account: Mutex<i32>, audit: Mutex<i32>, meet: Barrier }
fn transfer(b: &Bank) { let _x = b.account.lock().unwrap(); b.meet.wait();
    let _y = b.audit.lock().unwrap(); }
fn report(b: &Bank) { let _x = b.audit.lock().unwrap(); b.meet.wait();
    let _y = b.account.lock().unwrap(); }
fn main() {
    let bank = Arc::new(Bank { account: Mutex::new(0), audit: Mutex::new(0), meet: Barrier::new(2) });
    let (c, d) = (bank.clone(), bank.clone());
    let named = |name: &str| thread::Builder::new().name(name.into());
    let (t, u) = (named("paying").spawn(move || transfer(&c)).unwrap(), named("looking").spawn(move || report(&d)).unwrap());
    t.join().unwrap();
    u.join().unwrap();
}
END
		then
			start "./rust$level"
			wait_for 10 waiting 3
			run "$PPTRACE" why "$pid"
			expect_status 1
			expect_out 'waits for the mutex 0x[0-9a-f]+ \(std::sync::Mutex\) at bank.rs:5 \(bank::transfer\),'
			expect_out 'remedy: Take these locks in the same order everywhere'
			expect_out 'at bank.rs:7 \(bank::report\),'
			expect_out '(at|called from) bank.rs:1[34] \(bank::main\)'
			stop
			run "$PPTRACE" run --watch=0.3 --timeout=1 "./rust$level"
			expect_err '^ +[0-9]+  paying: waits for '
			expect_err '^ +[0-9]+  looking: waits for '
			expect_no_err 'thread_start|_start\)'
		fi
		end
	done
done

begin "why of Go: the place is not in its library"
if build go bank.go go build -o gobank bank.go <<'END'
package main

import "os"

func readAll(r *os.File) {
	buf := make([]byte, 10)
	r.Read(buf) // here
}

func main() {
	r, _, _ := os.Pipe()
	readAll(os.NewFile(r.Fd(), "pipe"))
}
END
then
	start ./gobank
	wait_for 10 sh -c "'$PPTRACE' why $pid | grep -q 'waits to read from the empty pipe'"
	run "$PPTRACE" why "$pid"
	expect_out 'at bank.go:7 \(main.readAll\)'
	stop
fi
end

begin "why of a stripped program: frames are where they are in the file"
start ./stripped
if wait_for 10 waiting 3; then
	run "$PPTRACE" why "$pid"
	expect_out 'waits for the mutex .* at stripped\+0x[0-9a-f]+, called from stripped\+0x'
fi
stop
end

begin "why of a static program: its C library is inside it, and not the program's own"
start ./static
if wait_for 10 waiting 3; then
	run "$PPTRACE" why "$pid"
	expect_places
	run "$PPTRACE" why -v "$pid"
	expect_out '^              at .*\(start_thread\)'
fi
stop
end
