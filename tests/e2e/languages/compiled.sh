#!/usr/bin/env bash
# compiled.sh - C++ and Rust programs that wait for a thread that wants what they initialise, or a mutex twice: the whole text; healthy twins.
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/../../lib.sh"
. "$ROOT/tests/lib_why.sh"

cat >config.cc <<'END'
#include <string.h>
#include <thread>
struct Config { Config(bool again); };
Config &config(bool again)
{
	static Config c(again);
	return c;
}
Config::Config(bool again)
{
	std::thread t([again] { if (again) config(again); });
	t.join();
}
int main(int, char **argv)
{
	config(!strcmp(argv[1], "hangs"));
}
END
cat >steps.cc <<'END'
#include <atomic>
#include <barrier>
#include <string.h>
#include <thread>
std::barrier step(2);
std::atomic<bool> ready;
int main(int, char **argv)
{
	bool hangs = !strcmp(argv[1], "hangs");
	std::thread a([] { step.arrive_and_wait(); });
	std::thread b([] { ready.wait(false); });
	if (!hangs) {
		step.arrive_and_wait();
		ready = true;
		ready.notify_all();
	}
	a.join();
	b.join();
}
END
cat >cache.rs <<'END'
use std::sync::{Arc, Mutex};
use std::{env, thread};
fn update(cache: &Mutex<Option<i32>>, hangs: bool) {
    if let Some(value) = cache.lock().unwrap().take() {
        if hangs { *cache.lock().unwrap() = Some(value + 1); }
    }
}
fn main() {
    let hangs = env::args().nth(1).unwrap() == "hangs";
    let cache = Arc::new(Mutex::new(Some(1)));
    let other = cache.clone();
    thread::spawn(move || update(&other, hangs)).join().unwrap();
}
END

config_text()
{
	cat <<-'T'
	error: deadlock: main thread of config[PID] and thread TID of config[PID] wait for each other and can never proceed
	  cycle of 2, certain
	  main thread of config[PID]
	      waits to join thread TID of config[PID] at config.cc:12 (Config::Config(bool))
	  thread TID of config[PID]
	      waits for the futex guard variable for config(bool)::c at config.cc:6 (config(bool)),
	      and every thread that could wake it is blocked
	  remedy: What initialises a static variable must not need that variable, nor wait for a thread that does: start such a thread once it is initialised.
	T
}

cache_text()
{
	cat <<-'T'
	error: deadlock: main thread of cache[PID] and thread TID of cache[PID] wait for each other and can never proceed
	  cycle of 2, certain
	  main thread of cache[PID]
	      waits to join thread TID of cache[PID] at cache.rs:12 (cache::main)
	  thread TID of cache[PID]
	      waits for the mutex ADDRESS (std::sync::Mutex) at cache.rs:5 (cache::update),
	      and every thread that could wake it is blocked
	  remedy: Release a lock before joining a thread that needs it, and do not acquire it again while holding it.
	T
}

steps_text()
{
	cat <<-'T'
	error: deadlock: main thread of steps[PID], thread TID of steps[PID] and thread TID of steps[PID] wait for each other and can never proceed
	  knot of 3, certain
	  main thread of steps[PID]
	      waits to join thread TID of steps[PID] at steps.cc:17 (main)
	  thread TID of steps[PID]
	      waits for the barrier (std::barrier) at steps.cc:10 (operator()),
	      and every thread that could wake it is blocked
	  thread TID of steps[PID]
	      waits for the atomic variable (std::atomic) at steps.cc:11 (operator()),
	      and every thread that could wake it is blocked
	  remedy: Let one of them do its part without waiting for the others.
	T
}

# same_text FILE PROGRAM
same_text()
{
	findings "$1" | sed -E 's/thread [0-9]+ of/thread TID of/g' >found
	"$2_text" | diff - found >difference || fail "$2: found (>) and wanted (<) differ" "$(cat difference)" "$(show)"
}

begin "what is tried can be compiled"
mkdir static
g++ -g -O1 -pthread -o config config.cc 2>compiled.log || fail "$(cat compiled.log)"
g++ -g -O1 -pthread -static-libstdc++ -o static/config config.cc 2>compiled.log || fail "$(cat compiled.log)"
g++ -std=c++20 -g -O1 -pthread -o steps steps.cc 2>compiled.log || rm -f steps # of before C++20
if ! command -v rustc >/dev/null; then
	skip "there is no rustc"
elif ! rustc -g -o cache cache.rs 2>compiled.log; then
	fail "$(cat compiled.log)"
fi
end
FOLDER=$PWD

# on_backend NAME
on_backend()
{
	local program
	for program in config steps cache; do
		[ -x "$FOLDER/$program" ] || continue
		begin "$1: $program waits for itself by another thread, and its twin does not"
		run "$PPTRACE" run --backend="$1" --watch=0.3 --on-deadlock=kill -o $program.db "$FOLDER/$program" hangs
		expect_status 124
		same_text err $program
		run "$PPTRACE" diagnose --rule deadlock $program.db
		sed -i '/^  .*SIG/d' out
		same_text out $program
		run "$PPTRACE" run --backend="$1" --watch=0.3 -o $program.db "$FOLDER/$program" ends
		expect_status 0
		expect_sql $program.db "SELECT count(*) FROM finding WHERE rule IN ('deadlock', 'stuck')" 0
		end
	done
	begin "$1: with libstdc++ in the program a thread is not called by the function of it that began the thread"
	run "$PPTRACE" run --backend="$1" --watch=0.3 --on-deadlock=kill -o static.db "$FOLDER/static/config" hangs
	expect_status 124
	same_text err config
	end
}

for program in config steps cache; do
	[ -x $program ] || continue
	begin "why: $program waits for itself by another thread"
	start ./$program hangs
	wait_for 20 waiting "$([ $program = steps ] && echo 3 || echo 2)"
	run "$PPTRACE" why "$pid"
	expect_status 1
	same_text out $program
	stop
	end
done
# shellcheck disable=SC2046
side_by_side on_backend $(backends)
