#!/usr/bin/env bash
# musl.sh - programs of another C library, as Alpine's are: what the kernel tells of their locks, and that they run as ever.
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/../../lib.sh"
. "$ROOT/tests/lib_why.sh"

common='#include <pthread.h>
#include <unistd.h>
static pthread_t a, b;
static pthread_mutex_t left, right;
static pthread_barrier_t both;
static pthread_cond_t full = PTHREAD_COND_INITIALIZER;'

# Each of two threads waits for the end of the other one.
joins_source()
{
	cat <<-'C'
	static void *first(void *arg) { pthread_barrier_wait(&both); pthread_join(b, NULL); return arg; }
	static void *second(void *arg) { pthread_barrier_wait(&both); pthread_join(a, NULL); return arg; }
	int main(void)
	{
		pthread_barrier_init(&both, NULL, 3);
		pthread_create(&a, NULL, first, NULL);
		pthread_create(&b, NULL, second, NULL);
		pthread_barrier_wait(&both);
		return pause();
	}
	C
}

# Two recursive mutexes in opposite orders.
owners_source()
{
	cat <<-'C'
	static void *first(void *arg) { pthread_mutex_lock(&left); pthread_barrier_wait(&both); pthread_mutex_lock(&right); return arg; }
	static void *second(void *arg) { pthread_mutex_lock(&right); pthread_barrier_wait(&both); pthread_mutex_lock(&left); return arg; }
	int main(void)
	{
		pthread_mutexattr_t recursive;
		pthread_mutexattr_init(&recursive);
		pthread_mutexattr_settype(&recursive, PTHREAD_MUTEX_RECURSIVE);
		pthread_mutex_init(&left, &recursive);
		pthread_mutex_init(&right, &recursive);
		pthread_barrier_init(&both, NULL, 2);
		pthread_create(&a, NULL, first, NULL);
		pthread_create(&b, NULL, second, NULL);
		return pthread_join(a, NULL);
	}
	C
}

# A thread is joined that sleeps; two wait for a condition, which it signals now and then; one wants the mutex that it has meanwhile.
served_source()
{
	cat <<-'C'
	static void *serve(void *arg)
	{
		for (;;) {
			usleep(20000);
			pthread_cond_signal(&full);
			pthread_mutex_lock(&right);
			sleep(1);
			pthread_mutex_unlock(&right);
		}
		return arg;
	}
	static void *wait_for(void *arg) { pthread_mutex_lock(&left); for (;;) pthread_cond_wait(&full, &left); return arg; }
	static void *want(void *arg) { for (;;) { pthread_mutex_lock(&right); pthread_mutex_unlock(&right); usleep(1000); } return arg; }
	int main(void)
	{
		pthread_mutexattr_t checking;
		pthread_mutexattr_init(&checking);
		pthread_mutexattr_settype(&checking, PTHREAD_MUTEX_ERRORCHECK);
		pthread_mutex_init(&right, &checking);
		pthread_create(&a, NULL, serve, NULL);
		pthread_create(&b, NULL, wait_for, NULL);
		pthread_create(&b, NULL, wait_for, NULL);
		pthread_create(&b, NULL, want, NULL);
		return pthread_join(a, NULL);
	}
	C
}

# A mutex behind the number of a thread, as who joins finds that in musl; the program of glibc lies in a folder of this name.
behind_source()
{
	cat <<-'C'
	static struct { int number, none; pthread_mutex_t mutex; } of = {.mutex = PTHREAD_MUTEX_INITIALIZER};
	static void *want(void *arg) { pthread_mutex_lock(&of.mutex); return arg; }
	static void *rest(void *arg) { of.number = gettid(); for (;;) sleep(1); return arg; }
	int main(void)
	{
		pthread_create(&a, NULL, rest, NULL);
		while (!of.number) usleep(1000);
		pthread_mutex_lock(&of.mutex);
		pthread_create(&b, NULL, want, NULL);
		return sleep(1000);
	}
	C
}

begin "what is tried can be compiled"
if ! command -v musl-gcc >/dev/null; then
	skip "there is no musl-gcc"
	end
	exit
fi
for kind in shared static; do
	mkdir $kind
	option=
	[ $kind = shared ] || option=-static
	for program in locks/mutex_abba locks/mutex_same_order locks/barrier_late; do
		# shellcheck disable=SC2086
		musl-gcc -g -O1 -D_GNU_SOURCE $option -I"$ROOT" -o $kind/${program#*/} "$ROOT/tests/corpus/$program.c" 2>log ||
			fail "$program" "$(cat log)"
	done
	for program in joins owners served; do
		musl-gcc -g -O1 -D_GNU_SOURCE $option -o $kind/$program -x c - 2>log < <(echo "$common"; "${program}_source") || fail "$program" "$(cat log)"
	done
	echo 'int main(void) { return puts("written") < 0 ? 1 : 7; }' | musl-gcc -include stdio.h $option -o $kind/writes -x c - 2>log || fail "$(cat log)"
done
mkdir musl
gcc -g -O1 -D_GNU_SOURCE -static -o musl/behind -x c - -lpthread 2>log < <(echo "$common"; behind_source) || fail "$(cat log)"
end
FOLDER=$PWD

# says_owner: who has the mutex for which a thread waits.
says_owner()
{
	"$PPTRACE" why "$pid" | grep -A1 'waits for the mutex right' | grep -q 'held by thread'
}

# A normal mutex of musl does not say who has it: all that could wake the threads are blocked themselves.
mutex_abba_text()
{
	cat <<-'T'
	error: deadlock: main thread of mutex_abba[PID], thread TID of mutex_abba[PID] and thread TID of mutex_abba[PID] wait for each other and can never proceed
	  knot of 3, certain
	  main thread of mutex_abba[PID]
	      waits to join thread TID of mutex_abba[PID]
	  thread TID of mutex_abba[PID]
	      waits for the futex left+4,
	      and every thread that could wake it is blocked
	  thread TID of mutex_abba[PID]
	      waits for the futex right+4,
	      and every thread that could wake it is blocked
	  remedy: Let one of them do its part without waiting for the others.
	T
}

joins_text()
{
	cat <<-'T'
	error: deadlock: thread TID of joins[PID] and thread TID of joins[PID] wait for each other and can never proceed
	  cycle of 2, certain
	  thread TID of joins[PID]
	      waits to join thread TID of joins[PID]
	  thread TID of joins[PID]
	      waits to join thread TID of joins[PID]
	  remedy: Let only one thread join the others.
	T
}

owners_text()
{
	cat <<-'T'
	error: deadlock: thread TID of owners[PID] and thread TID of owners[PID] wait for each other and can never proceed
	  cycle of 2, certain
	  thread TID of owners[PID]
	      waits for the mutex left,
	      which is held by thread TID of owners[PID]
	  thread TID of owners[PID]
	      waits for the mutex right,
	      which is held by thread TID of owners[PID]
	  waiting behind them: main thread of owners[PID]
	  remedy: Take these locks in the same order everywhere, or try the second one and release the first if that fails.
	T
}

# same_text FILE NAME: the order of the threads is chance.
same_text()
{
	findings "$1" | sed -E 's/thread [0-9]+ of/thread TID of/g' | sort >found
	"$2_text" | sort | diff - found >difference || fail "found (>) and wanted (<) differ" "$(cat difference)" "$(show)"
}

# on_backend NAME
on_backend()
{
	local kind program
	[ "$1" != shim ] || return # the preload library is for one C library
	begin "$1: a program of glibc in a folder that is called musl is read as one of glibc"
	run "$PPTRACE" run --backend="$1" --watch=0.3 --timeout=2 -o behind.db "$FOLDER/musl/behind"
	expect_sql behind.db "SELECT reason, target_thread_id FROM wait WHERE reason IN ('lock', 'join')" "lock|1"
	end
	for kind in shared static; do
		begin "$1, $kind: a program of musl writes and ends as ever"
		run "$PPTRACE" run -q --backend="$1" -o ends.db "$FOLDER/$kind/writes"
		expect_status 7
		expect_eq "$(cat out)" written 'standard output'
		expect_sql ends.db "SELECT exit_code FROM process" 7
		end
		for program in mutex_abba joins owners; do
			begin "$1, $kind: a deadlock of a program of musl is found ($program)"
			run "$PPTRACE" run --backend="$1" --watch=0.3 --on-deadlock=kill -o $program.db "$FOLDER/$kind/$program"
			expect_status 124
			same_text err $program
			end
		done
		begin "$1, $kind: healthy waits of musl are not accused"
		for program in mutex_same_order barrier_late served; do
			run "$PPTRACE" run --backend="$1" --watch=0.3 --timeout=2 -o $program.db "$FOLDER/$kind/$program"
			expect_sql $program.db "SELECT count(*) FROM finding WHERE rule IN ('deadlock', 'stuck')" 0
		done
		expect_sql served.db "SELECT count(*) > 0 FROM wait WHERE reason = 'join'" 1
		expect_sql served.db "SELECT DISTINCT type FROM lock WHERE kind = 'mutex'" errorcheck
		end
	done
}

for kind in shared static; do
	for program in mutex_abba joins owners; do
		begin "why, $kind: a deadlock of a program of musl is found ($program)"
		start "$FOLDER/$kind/$program"
		wait_for 20 waiting 3
		run "$PPTRACE" why "$pid"
		expect_status 1
		same_text out $program
		stop
		end
	done
	begin "why, $kind: healthy waits of musl are not accused"
	start "$FOLDER/$kind/served"
	wait_for 20 says_owner
	for _ in 1 2 3; do
		run "$PPTRACE" why "$pid"
		expect_status 0
		expect_out '^No deadlock was found'
	done
	stop
	end
done
# shellcheck disable=SC2046
side_by_side on_backend $(backends)
