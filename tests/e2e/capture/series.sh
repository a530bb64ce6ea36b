#!/usr/bin/env bash
# series.sh - equal holds that a thread adds up by itself: each is counted, whatever comes in between, and what is held is seen.
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/../../lib.sh"

cat >series.c <<'EOF'
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static pthread_mutex_t plain = PTHREAD_MUTEX_INITIALIZER, handled = PTHREAD_MUTEX_INITIALIZER,
		       outer = PTHREAD_MUTEX_INITIALIZER, wanted = PTHREAD_MUTEX_INITIALIZER,
		       first = PTHREAD_MUTEX_INITIALIZER, second = PTHREAD_MUTEX_INITIALIZER,
		       again = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP, anew;
static pthread_rwlock_t shared = PTHREAD_RWLOCK_INITIALIZER;
static pthread_cond_t told = PTHREAD_COND_INITIALIZER;
static pthread_barrier_t both;
static long rounds, in_handler;
static atomic_int turn;

static void take(pthread_mutex_t *m, long n)
{
	for (long i = 0; i < n; i++) {
		pthread_mutex_lock(m);
		pthread_mutex_unlock(m);
	}
}

static void pass(long ns)
{
	struct timespec begin, now;

	clock_gettime(CLOCK_MONOTONIC, &begin);
	do
		clock_gettime(CLOCK_MONOTONIC, &now);
	while ((now.tv_sec - begin.tv_sec) * 1000000000 + now.tv_nsec - begin.tv_nsec < ns);
}

static void on_alarm(int signo)
{
	(void)signo;
	take(&handled, 3);
	in_handler += 3;
}

/* Returns how often it was taken; the handler may come anywhere. */
static void interrupted(void)
{
	struct itimerval every = {{0, 150}, {0, 150}}, never = {{0, 0}, {0, 0}};

	signal(SIGALRM, on_alarm);
	setitimer(ITIMER_REAL, &every, NULL);
	take(&plain, rounds);
	setitimer(ITIMER_REAL, &never, NULL);
	printf("plain %ld\nhandled %ld\n", rounds, in_handler);
}

/* A child goes on where its parent was. */
static void forks(void)
{
	for (int i = 0; i < 4; i++) {
		pid_t pid;

		take(&plain, rounds / 8);
		pthread_mutex_lock(&plain);
		pid = fork();
		pthread_mutex_unlock(&plain);
		take(&plain, rounds / 8 - 1);
		if (pid == 0)
			_exit(0);
		waitpid(pid, NULL, 0);
	}
	/* What a parent held at fork is held by its child from then on, too. */
	printf("plain %ld\n", rounds + 4 * (rounds / 8));
}

static void nested(void)
{
	for (long i = 0; i < rounds; i++) {
		if (i % 1000 == 0)
			pthread_mutex_lock(&outer);
		pthread_mutex_lock(&again);
		if (i % 100 == 0)
			take(&again, 2);
		pthread_mutex_unlock(&again);
		if (i % 1000 == 99)
			pthread_mutex_unlock(&outer);
	}
	printf("again %ld\nouter %ld\n", rounds, rounds / 1000);
}

static void modes(void)
{
	for (long i = 0; i < rounds; i++) {
		(i / 100 % 2 ? pthread_rwlock_rdlock : pthread_rwlock_wrlock)(&shared);
		pthread_rwlock_unlock(&shared);
	}
	for (long i = 0; i < rounds; i++) {
		pthread_mutex_trylock(&plain);
		if (i % 7 == 0)
			pthread_cond_signal(&told);
		pthread_mutex_unlock(&plain);
	}
	printf("shared %ld\nplain %ld\n", rounds, rounds);
}

/* Some holds last: those have a row each. */
static void lasting(void)
{
	for (long i = 0; i < rounds; i++) {
		pthread_mutex_lock(&plain);
		if (i % 2000 == 1999)
			pass(300000);
		pthread_mutex_unlock(&plain);
	}
	printf("plain %ld\n", rounds);
}

static void *takes_wanted(void *arg)
{
	take(&wanted, rounds);
	return arg;
}

static void contended(void)
{
	pthread_t t[4];

	for (int i = 0; i < 4; i++)
		pthread_create(&t[i], NULL, takes_wanted, NULL);
	for (int i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
	printf("wanted %ld\n", 4 * rounds);
}

/* The lock at one place has several lives, which another thread begins and ends. */
static void *makes_anew(void *arg)
{
	for (int i = 0; i < 50; i++) {
		while (turn % 2)
			;
		if (i)
			pthread_mutex_destroy(&anew);
		pthread_mutex_init(&anew, NULL);
		turn++;
	}
	return arg;
}

static void lives(void)
{
	pthread_t t;

	pthread_create(&t, NULL, makes_anew, NULL);
	for (int i = 0; i < 50; i++) {
		while (turn % 2 == 0)
			;
		take(&anew, rounds / 50);
		turn++;
	}
	pthread_join(t, NULL);
	printf("anew %ld\n", rounds / 50 * 50);
}

static void *crossed(void *arg)
{
	pthread_mutex_t *mine = arg ? &first : &second, *other = arg ? &second : &first;

	take(mine, rounds);
	pthread_barrier_wait(&both);
	take(mine, 100);
	for (int i = 0;; i++) {
		pthread_mutex_lock(mine);
		if (i == 100)
			break;
		pthread_mutex_unlock(mine);
	}
	/* Both have theirs. */
	turn++;
	while (turn < 2)
		;
	pthread_mutex_lock(other);
	return NULL;
}

static void cross(void)
{
	pthread_t t;

	pthread_barrier_init(&both, NULL, 2);
	pthread_create(&t, NULL, crossed, &t);
	crossed(NULL);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*f)(void);
	} all[] = {{"interrupted", interrupted}, {"forks", forks}, {"nested", nested},
		{"modes", modes}, {"lasting", lasting}, {"contended", contended},
		{"lives", lives}, {"cross", cross}};

	rounds = argc > 2 ? atol(argv[2]) : 1000;
	for (size_t i = 0; argc > 1 && i < sizeof all / sizeof *all; i++)
		if (!strcmp(argv[1], all[i].name))
			all[i].f();
	return 0;
}
EOF
${CC:-gcc} -O1 -g -pthread -o series series.c || fail "series.c is not compiled"

# counted FILE: the holds of each named lock, by lock_stat.
counted()
{
	sqlite3 -readonly "$1" "SELECT l.name || ' ' || sum(s.holds) FROM lock l JOIN lock_stat s ON s.lock_id = l.id
		WHERE l.kind IN ('mutex', 'rwlock') AND s.holds GROUP BY l.name ORDER BY 1"
}

# said: what the program printed, by lock.
said()
{
	awk '{ n[$1] += $2 } END { for (name in n) if (n[name]) print name, n[name] }' "$1" | sort
}

rounds=200000
for backend in auto shim; do
	for what in interrupted forks nested modes lasting contended lives; do
		begin "--backend=$backend: every hold is counted: $what"
		run "$PPTRACE" run -q --backend=$backend -o $what.db ./series $what $rounds
		expect_status 0
		said "$TMP/out" >said
		expect_eq "$(counted $what.db)" "$(cat said)" "holds by lock"
		expect_eq "$(sqlite3 -readonly $what.db "SELECT sum(coalesce(count, 1)) FROM lock_hold")" \
			"$(awk '{ n += $2 } END { print n }' said)" "holds by rows"
		expect_eq "$(sqlite3 -readonly $what.db "SELECT count(*) FROM lock_hold WHERE held_ns > release_ns - acquire_ns
			OR release_ns < acquire_ns")" 0 "holds that were longer than they can have been"
		expect_eq "$(sqlite3 -readonly $what.db "SELECT count(*) FROM lock_error")" 0 "errors"
		end
	done

	begin "--backend=$backend: holds that last have a row each"
	# Where the thread was not on a processor, others have lasted as well.
	n=$(sqlite3 -readonly lasting.db "SELECT count(*) FROM lock_hold WHERE count IS NULL AND release_ns - acquire_ns >= 300000")
	[ "$n" -ge $((rounds / 2000)) ] || fail "$n rows of them"
	end

	begin "--backend=$backend: the order of locks is counted"
	expect_eq "$(sqlite3 -readonly nested.db "SELECT sum(count) FROM lock_edge e JOIN lock a ON a.id = e.from_lock_id
		JOIN lock b ON b.id = e.to_lock_id WHERE a.name = 'outer' AND b.name = 'again'")" $((rounds / 10)) "again under outer"
	end

	begin "--backend=$backend: each life of a lock has its own holds"
	expect_eq "$(sqlite3 -readonly lives.db "SELECT count(*), min(s.holds), max(s.holds) FROM lock l JOIN lock_stat s
		ON s.lock_id = l.id WHERE l.name = 'anew'")" "50|$((rounds / 50))|$((rounds / 50))" "lives, and their holds"
	end

	begin "--backend=$backend: who holds a lock after many short holds is known"
	run "$PPTRACE" run --backend=$backend --on-deadlock=kill -o cross.db ./series cross $rounds
	expect_err 'deadlock'
	expect_err 'mutex first .*series.c:[0-9]+ \(crossed\)'
	expect_err 'mutex second .*series.c:[0-9]+ \(crossed\)'
	run "$PPTRACE" diagnose cross.db
	expect_status 1
	expect_out 'certain'
	end
done

begin "most of the holds were added up"
rows=$(sqlite3 -readonly modes.db "SELECT count(*) FROM lock_hold")
[ "$rows" -lt 30000 ] || fail "$rows rows"
end


