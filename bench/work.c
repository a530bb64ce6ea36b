/* work.c - the workloads of the benchmark; each measures itself. */
/* SPDX-License-Identifier: MIT */
/*
 * usage: work NAME COUNT [COMMAND...]
 *
 * Does COUNT rounds of one workload and writes the nanoseconds that they took, and those of processors that
 * it and its children used, to the file that $BENCH_OUT names (to stdout without it), so that the start
 * of a tracer is not measured with them.
 */
#include "base/clock.h"
#include "base/mem.h"

#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static _Noreturn void give_up(const char *what)
{
	perror(what);
	exit(1);
}

static void make_pipe(int fds[2])
{
	if (pipe(fds) < 0)
		give_up("pipe");
}

static void move(ssize_t moved, size_t wanted)
{
	if (moved != (ssize_t)wanted)
		give_up("short read or write");
}

/* Writes 64 bytes into a pipe and reads them back, in one process. */
static void work_pipe(long count)
{
	char data[64] = {0};
	int p[2];

	make_pipe(p);
	for (long i = 0; i < count; i++) {
		move(write(p[1], data, sizeof data), sizeof data);
		move(read(p[0], data, sizeof data), sizeof data);
	}
}

/* Sends one byte to and fro between two processes. */
static void work_pingpong(long count)
{
	int to[2], fro[2], status;
	char c = 'x';
	pid_t pid;

	make_pipe(to);
	make_pipe(fro);
	pid = fork();
	if (pid == 0) {
		for (long i = 0; i < count; i++) {
			move(read(to[0], &c, 1), 1);
			move(write(fro[1], &c, 1), 1);
		}
		_exit(0);
	}
	for (long i = 0; i < count; i++) {
		move(write(to[1], &c, 1), 1);
		move(read(fro[0], &c, 1), 1);
	}
	(void)waitpid(pid, &status, 0);
}

static void work_fork(long count)
{
	for (long i = 0; i < count; i++) {
		pid_t pid = fork();
		int status;

		if (pid == 0)
			_exit(0);
		if (waitpid(pid, &status, 0) != pid)
			give_up("waitpid");
	}
}

/* The same for many that live at once. */
static void work_processes(long count)
{
	enum { AT_ONCE = 100 };

	for (long i = 0; i < count; i += AT_ONCE) {
		int status;

		for (long k = 0; k < AT_ONCE; k++) {
			pid_t pid = fork();

			if (pid == 0)
				_exit(0);
			if (pid < 0)
				give_up("fork");
		}
		for (long k = 0; k < AT_ONCE; k++)
			if (wait(&status) < 0 || status)
				give_up("wait");
	}
}

static void work_exec(long count)
{
	static char name[] = "true";
	char *argv[] = {name, NULL};

	for (long i = 0; i < count; i++) {
		pid_t pid = fork();
		int status;

		if (pid == 0) {
			(void)execve("/bin/true", argv, environ);
			_exit(127);
		}
		if (waitpid(pid, &status, 0) != pid || status)
			give_up("true");
	}
}

static volatile sig_atomic_t caught;

static void on_signal(int signo)
{
	(void)signo;
	caught++;
}

static void work_kill(long count)
{
	pid_t self = getpid();

	(void)signal(SIGUSR1, on_signal);
	for (long i = 0; i < count; i++)
		(void)kill(self, SIGUSR1);
	if (caught != count)
		give_up("signals");
}

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static long shared;

static void *lock_loop(void *arg)
{
	long count = *(long *)arg;

	for (long i = 0; i < count; i++) {
		(void)pthread_mutex_lock(&mutex);
		shared++;
		(void)pthread_mutex_unlock(&mutex);
	}
	return NULL;
}

/* Locks and unlocks one mutex, count times in all, shared by some threads. */
static void lock_by(int threads, long count)
{
	pthread_t t[16];
	long each = count / threads;

	for (int i = 0; i < threads; i++) {
		if (pthread_create(&t[i], NULL, lock_loop, &each))
			give_up("pthread_create");
	}
	for (int i = 0; i < threads; i++)
		(void)pthread_join(t[i], NULL);
	if (shared != each * threads)
		give_up("sum");
}

static pthread_barrier_t all_there;

static void *lock_with_all(void *arg)
{
	long count = 100;

	(void)pthread_barrier_wait(&all_there);
	(void)lock_loop(&count);
	return arg;
}

/* So many threads live at once. */
static void work_threads(long count)
{
	pthread_t *t = xcalloc((size_t)count, sizeof *t);

	(void)pthread_barrier_init(&all_there, NULL, (unsigned)count);
	for (long i = 0; i < count; i++)
		if (pthread_create(&t[i], NULL, lock_with_all, NULL))
			give_up("pthread_create");
	for (long i = 0; i < count; i++)
		(void)pthread_join(t[i], NULL);
	free(t);
	if (shared != 100 * count)
		give_up("sum");
}

static void work_mutex1(long count)
{
	lock_by(1, count);
}

static void work_mutex2(long count)
{
	lock_by(2, count);
}

static void work_mutex4(long count)
{
	lock_by(4, count);
}

static void work_mutex16(long count)
{
	lock_by(16, count);
}

static pthread_cond_t turned = PTHREAD_COND_INITIALIZER;
static bool theirs;

/* Takes its turns: the other thread's are in between. */
static void take_turns(bool mine, long count)
{
	(void)pthread_mutex_lock(&mutex);
	for (long i = 0; i < count; i++) {
		while (theirs != mine)
			(void)pthread_cond_wait(&turned, &mutex);
		theirs = !mine;
		(void)pthread_cond_signal(&turned);
	}
	(void)pthread_mutex_unlock(&mutex);
}

static void *other_turns(void *arg)
{
	take_turns(true, *(long *)arg);
	return NULL;
}

/* Two threads hand a turn to and fro by a condition. */
static void work_cond(long count)
{
	pthread_t t;

	if (pthread_create(&t, NULL, other_turns, &count))
		give_up("pthread_create");
	take_turns(false, count);
	(void)pthread_join(t, NULL);
}

/* What follows on the command line. */
static char **command;

static void work_run(long count)
{
	for (long i = 0; i < count; i++) {
		pid_t pid = fork();
		int status;

		if (pid == 0) {
			(void)execvp(command[0], command);
			_exit(127);
		}
		if (waitpid(pid, &status, 0) != pid || status)
			give_up(command[0]);
	}
}

/* A system call that costs nothing itself: what an untraced program pays while others are traced. */
static void work_syscall(long count)
{
	for (long i = 0; i < count; i++)
		(void)getppid();
}

static const struct {
	const char *name;
	void (*run)(long count);
} works[] = {{"pipe", work_pipe}, {"pingpong", work_pingpong}, {"fork", work_fork},
	{"exec", work_exec}, {"kill", work_kill}, {"mutex1", work_mutex1}, {"mutex2", work_mutex2},
	{"mutex4", work_mutex4}, {"mutex16", work_mutex16}, {"cond", work_cond},
	{"threads", work_threads}, {"processes", work_processes}, {"syscall", work_syscall},
	{"run", work_run}};

/* Of this process and of its children that have ended. */
static uint64_t cpu_ns(void)
{
	static const int whose[] = {RUSAGE_SELF, RUSAGE_CHILDREN};
	uint64_t sum = 0;

	for (size_t i = 0; i < ARRAY_SIZE(whose); i++) {
		struct rusage u;

		(void)getrusage(whose[i], &u);
		sum += (uint64_t)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000000000u +
		       (uint64_t)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) * 1000u;
	}
	return sum;
}

int main(int argc, char **argv)
{
	const char *path = getenv("BENCH_OUT");
	long count = argc >= 3 ? strtol(argv[2], NULL, 10) : 0;

	for (size_t i = 0; count > 0 && i < ARRAY_SIZE(works); i++) {
		uint64_t start, cpu;
		FILE *out;

		if (strcmp(works[i].name, argv[1]) || (argc > 3) != (works[i].run == work_run))
			continue;
		command = argv + 3;
		cpu = cpu_ns();
		start = clock_now();
		works[i].run(count);
		start = clock_now() - start;
		cpu = cpu_ns() - cpu;
		out = path ? fopen(path, "w") : stdout;
		if (!out)
			give_up(path);
		(void)fprintf(out, "%" PRIu64 " %" PRIu64 "\n", start, cpu);
		return fclose(out) ? 1 : 0;
	}
	(void)fprintf(stderr, "usage: work NAME COUNT [COMMAND...]\n");
	return 2;
}
