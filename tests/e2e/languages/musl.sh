#!/usr/bin/env bash
# musl.sh - programs of another C library, as Alpine's are: what the kernel tells of their locks, and that they run as ever.
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/../../lib.sh"
. "$ROOT/tests/lib_why.sh"

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
	echo 'int main(void) { return puts("written") < 0 ? 1 : 7; }' | musl-gcc -include stdio.h $option -o $kind/writes -x c - 2>log || fail "$(cat log)"
done
end
FOLDER=$PWD

# The mutexes of musl do not say who has them: all that could wake the threads are blocked themselves.
abba_text()
{
	sort -u <<-'T'
	      and every thread that could wake it is blocked
	      waits for the futex ADDRESS,
	      waits for the futex left+4,
	      waits for the futex right+4,
	  knot of 3, certain
	  main thread of mutex_abba[PID]
	  remedy: Let one of them do its part without waiting for the others.
	  thread TID of mutex_abba[PID]
	error: deadlock: main thread of mutex_abba[PID], thread TID of mutex_abba[PID] and thread TID of mutex_abba[PID] wait for each other and can never proceed
	T
}

# same_text FILE: the order of the threads is chance.
same_text()
{
	findings "$1" | sed -E 's/thread [0-9]+ of/thread TID of/g' | sort -u >found
	abba_text | diff - found >difference || fail "found (>) and wanted (<) differ" "$(cat difference)" "$(show)"
}

# on_backend NAME
on_backend()
{
	local kind program
	[ "$1" != shim ] || return # the preload library is for one C library
	for kind in shared static; do
		begin "$1, $kind: a program of musl writes and ends as ever"
		run "$PPTRACE" run -q --backend="$1" -o ends.db "$FOLDER/$kind/writes"
		expect_status 7
		expect_eq "$(cat out)" written 'standard output'
		expect_sql ends.db "SELECT exit_code FROM process" 7
		end
		begin "$1, $kind: two mutexes of musl taken crosswise are found, healthy waits are not accused"
		run "$PPTRACE" run --backend="$1" --watch=0.3 --on-deadlock=kill -o abba.db "$FOLDER/$kind/mutex_abba"
		expect_status 124
		same_text err
		for program in mutex_same_order barrier_late; do
			run "$PPTRACE" run --backend="$1" --watch=0.3 --timeout=2 -o $program.db "$FOLDER/$kind/$program"
			expect_sql $program.db "SELECT count(*) FROM finding WHERE rule IN ('deadlock', 'stuck')" 0
		done
		end
	done
}

for kind in shared static; do
	begin "why, $kind: two mutexes of musl taken crosswise are found"
	start "$FOLDER/$kind/mutex_abba"
	wait_for 20 waiting 3
	run "$PPTRACE" why "$pid"
	expect_status 1
	same_text out
	stop
	end
done
# shellcheck disable=SC2046
side_by_side on_backend $(backends)
