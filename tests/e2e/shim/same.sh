#!/usr/bin/env bash
# same.sh - real programs behave the same with the preload library as without it.
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/../../lib.sh"

modes=$(shim_modes)
PYTHON=/usr/bin/python3

# same NAME COMMAND...: output (numbers and times left out) and status agree. needs=PROGRAM: what a shell command uses.
same()
{
	local name=$1 native_status mode
	shift
	begin "$name"
	if ! command -v "${needs:-$1}" >/dev/null; then
		skip "${needs:-$1} is not installed"
	else
		LIMIT=100 run "$@"
		native_status=$status
		normal <"$TMP/out" >"$TMP/native"
		for mode in $modes; do
			LIMIT=200 run "$PPTRACE" run -q $mode -o same.db -- "$@"
			# A finding is told on stderr; what the program writes there is not compared.
			[ "$status" = "$native_status" ] || fail "$mode: status $status, natively $native_status" "$(show)"
			normal <"$TMP/out" | diff - "$TMP/native" >diff.txt || fail "$mode:" "$(head -20 diff.txt)"
			expect_sql same.db "SELECT complete FROM trace" 1
		done
	fi
	end
}

# Numbers, times and addresses differ from run to run.
normal()
{
	sed -E 's/0x[0-9a-f]+/ADDRESS/g; s/[0-9]+/N/g'
}

# python TEST [SELECTION]: a part of Python's own test suite that passes natively.
python()
{
	local name=$1
	shift
	begin "python3 -m unittest test.$name $*"
	if ! "$PYTHON" -c 'import test.test_threading' 2>/dev/null; then
		skip "Python's own tests are not installed"
	else
		for mode in $modes; do
			LIMIT=200 run "$PPTRACE" run -q $mode -o same.db -- "$PYTHON" -m unittest "test.$name" "$@"
			[ "$status" = 0 ] || fail "$mode: status $status" "$(grep -E '^(FAIL|ERROR|[A-Za-z.]*Error)' "$TMP/err" | head -10)" "$(tail -5 "$TMP/err")"
		done
	fi
	end
}

python test_threading -k LockTests -k ConditionTests -k SemaphoreTests -k EventTests -k BarrierTests -k RLockTests
python test_threading -k ThreadingExceptionTests -k TimerTests -k ThreadJoinOnShutdown
python test_subprocess -k POSIXProcessTestCase.test_call -k ProcessTestCase.test_communicate -k test_pipe -k test_close_fds
python test_multiprocessing_fork -k WithProcessesTestLock -k WithProcessesTestQueue.test_put -k WithProcessesTestSemaphore

same "perl" perl -e '$p = open(F, "-|") // die; if (!$p) { print "child\n"; exit 0 } print <F>; close F;
	$SIG{USR1} = sub { print "signal\n" }; kill USR1 => $$; print system("exit 3") >> 8, "\n"; print `echo back`; exit 7'
same "bash" bash -c 'trap "echo trapped" USR1; kill -USR1 $$; echo a b c | tr " " "\n" | sort -r | head -2; x=$(echo sub); echo $x;
	(exit 4); echo $?; coproc cat; echo through >&${COPROC[1]}; read -r l <&${COPROC[0]}; echo $l; diff <(echo 1) <(echo 2); exit 9'
needs=git same "git" sh -c 'rm -rf g && git init -q g && cd g && echo x >f && git add f && git -c user.name=n -c user.email=e commit -qm one && git log --format=%s | cat && git gc -q && git fsck'
same "sqlite3" sqlite3 :memory: 'CREATE TABLE t AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n LIMIT 5000) SELECT i FROM n; SELECT sum(i), count(*) FROM t; SELECT nosuch;'
needs=openssl same "openssl speed on two processes" sh -c 'openssl speed -multi 2 -seconds 1 sha256 >/dev/null 2>&1; echo $?'
needs="make" same "make -j2" sh -c 'printf "all: a b c d\n%%:\n\t@echo \$@; sleep 0.1\n" >M; make -s -j2 -f M | sort'
needs=xz same "xz with threads" sh -c 'head -c 3000000 /dev/zero | xz -T2 -0 | xz -dc | wc -c'

# A stressor does as much as it can; one whose every step is an event gets a fixed number of steps.
for stressor in "mutex 2 --mutex-ops 20000" "sem 2 --sem-ops 20000" "futex 2 --futex-ops 5000" "pipe 2 --pipe-ops 2000" \
	"fork 2 --fork-ops 100" "clone 2 --clone-ops 100" "sigq 2 --sigq-ops 2000" "kill 2 --kill-ops 2000" "flock 2 --flock-ops 2000"; do
	needs=stress-ng same "stress-ng $stressor" sh -c "stress-ng --$stressor --timeout 5 --quiet; echo \$?"
done

cat >sync.cc <<'END'
#include <condition_variable>
#include <future>
#include <iostream>
#include <mutex>
#include <shared_mutex>
#include <thread>
#include <vector>
std::mutex m;
std::shared_mutex sm;
std::condition_variable cv;
std::once_flag once;
int ready, sum;
int main()
{
	std::vector<std::thread> all;
	for (int i = 0; i < 4; i++)
		all.emplace_back([i] {
			std::unique_lock<std::mutex> l(m);
			cv.wait(l, [] { return ready; });
			sum += i;
		});
	try {
		std::call_once(once, [] { throw 1; });
	} catch (int) {
		std::cout << "thrown\n";
	}
	std::call_once(once, [] { std::cout << "once\n"; });
	{
		std::lock_guard<std::mutex> l(m);
		ready = 1;
	}
	cv.notify_all();
	for (auto &t : all)
		t.join();
	std::shared_lock<std::shared_mutex> r(sm);
	auto f = std::async(std::launch::async, [] { return 7; });
	try {
		std::async(std::launch::async, []() -> int { throw std::runtime_error("x"); }).get();
	} catch (std::exception &e) {
		std::cout << e.what() << "\n";
	}
	std::timed_mutex tm;
	tm.lock();
	std::cout << std::async(std::launch::async, [&] { return tm.try_lock_for(std::chrono::milliseconds(10)); }).get() << "\n";
	tm.unlock();
	std::cout << sum << " " << f.get() << std::endl;
	return sum;
}
END
! command -v g++ >/dev/null || g++ -O1 -o sync sync.cc -lpthread || exit 1
needs=g++ same "C++ mutex, shared_mutex, condition_variable, call_once that throws, async" ./sync

# With an argument it writes past an allocation, and AddressSanitizer ends it.
cat >heap.c <<'END'
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static void *work(void *unused)
{
	for (int i = 0; i < 1000; i++) {
		pthread_mutex_lock(&m);
		free(malloc(i + 1));
		pthread_mutex_unlock(&m);
	}
	return unused;
}
int main(int argc, char **argv)
{
	pthread_t t;
	char *p = malloc(4);
	pthread_create(&t, NULL, work, NULL);
	work(NULL);
	pthread_join(t, NULL);
	puts("worked");
	fflush(stdout);
	p[argc > 1 ? atoi(argv[1]) : 0] = 1;
	free(p);
	return 2;
}
END
for sanitizer in address thread leak undefined; do
	if ! gcc -g -fsanitize=$sanitizer -o heap-$sanitizer heap.c -lpthread 2>/dev/null; then
		begin "-fsanitize=$sanitizer"
		skip "gcc has no such sanitizer here"
		end
		continue
	fi
	same "-fsanitize=$sanitizer" ./heap-$sanitizer
	[ $sanitizer != address ] || same "-fsanitize=$sanitizer finds what it is there to find" ./heap-$sanitizer 9
done
if [ -x heap-address ]; then
	begin "locks of a program with AddressSanitizer, and of one into which it is preloaded"
	for mode in $modes; do
		run "$PPTRACE" run -q $mode -o same.db ./heap-address
		expect_sql same.db "SELECT sum(coalesce(count, 1)) FROM lock_hold h JOIN lock l ON l.id = h.lock_id WHERE l.name = 'm'" 2000
	done
	gcc -g -o heap heap.c -lpthread
	LD_PRELOAD=$(gcc -print-file-name=libasan.so) run "$PPTRACE" run -q $mode -o same.db ./heap
	expect_status 2
	expect_out '^worked$'
	end
fi

begin "redis-server and redis-benchmark"
if ! command -v redis-server >/dev/null; then skip "redis is not installed"; else
	for mode in $modes; do
		port=$((20000 + RANDOM % 20000))
		LIMIT=60 run "$PPTRACE" run -q $mode -o same.db -- sh -c "redis-server --port $port --save '' --io-threads 2 >redis.log & 
			for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do redis-cli -p $port ping >/dev/null 2>&1 && break; sleep 0.2; done
			redis-benchmark -p $port -t set,get -n 2000 -q >/dev/null; echo benchmark \$?; redis-cli -p $port shutdown nosave; wait; echo server \$?"
		expect_status 0
		expect_out '^benchmark 0$'
		expect_out '^server 0$'
	done
fi
end
