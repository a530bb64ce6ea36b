/* cpython.c - what is read of Python's memory, also while it changes and when it is garbage. */
/* SPDX-License-Identifier: MIT */
#include "tracer/runtime/cpython.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/test.h"
#include "tests/unit/tracer/runtime/subject.h"

#define PYTHON "/usr/bin/python3"

/* ---- Line tables ---- */

TEST(cpython_line_locations)
{
	/* Two units on the first line, one without a line, one three lines on, one line back with a long entry. */
	static uint8_t table[] = {0x80 | 10 << 3 | 1, 0, 0, 0x80 | 15 << 3, 0x80 | 13 << 3, 6,
		0x80 | 14 << 3, 3, 0, 0, 0};
	struct cpython_code code = {
		.first_line = 10, .bytes = 1000, .lines = table, .n_lines = sizeof table};

	ASSERT_INT(cpython_line(&code, 1000), 10);
	ASSERT_INT(cpython_line(&code, 1003), 10);
	ASSERT_INT(cpython_line(&code, 1004), 0);
	ASSERT_INT(cpython_line(&code, 1006), 13);
	ASSERT_INT(cpython_line(&code, 1008), 12);
	ASSERT_INT(cpython_line(&code, 2000), 0);
	ASSERT_INT(cpython_line(&code, 998), 10); /* before the first instruction */
}

TEST(cpython_line_lnotab)
{
	static uint8_t table[] = {0, 1, 8, 1, 10, 0xff, 4};
	struct cpython_code code = {.first_line = 5, .lines = table, .n_lines = sizeof table};

	ASSERT_INT(cpython_line(&code, 0), 6);
	ASSERT_INT(cpython_line(&code, 8), 7);
	ASSERT_INT(cpython_line(&code, 18), 6);
	ASSERT_INT(cpython_line(&code, 999), 6);
}

TEST(cpython_line_ranges)
{
	/* Two instructions of line 6, one without a line, three of line 8. */
	static uint8_t table[] = {4, 1, 2, 0x80, 6, 2, 1};
	struct cpython_code code = {
		.first_line = 5, .has_ranges = true, .lines = table, .n_lines = sizeof table};

	ASSERT_INT(cpython_line(&code, 0), 6);
	ASSERT_INT(cpython_line(&code, 1), 6);
	ASSERT_INT(cpython_line(&code, 2), 0);
	ASSERT_INT(cpython_line(&code, 3), 8);
	ASSERT_INT(cpython_line(&code, 5), 8);
	ASSERT_INT(cpython_line(&code, 6), 0);
}

/* Line numbers beyond an int. */
TEST(cpython_line_overflow)
{
	static uint8_t far[] = {
		0xf0, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x3f, 0xf0, 0x41, 0x40, 0x40, 0x40, 0x40, 0x04};
	static uint8_t step[] = {0, 127};
	struct cpython_code code = {
		.first_line = INT32_MAX, .bytes = 8, .lines = far, .n_lines = sizeof far};

	(void)cpython_line(&code, 8);
	(void)cpython_line(&code, 10);
	code = (struct cpython_code){
		.first_line = INT32_MAX, .lines = step, .n_lines = sizeof step};
	ASSERT_INT(cpython_line(&code, 0), INT32_MIN + 126);
}

TEST(cpython_line_any_bytes)
{
	uint8_t table[64];

	srandom(1);
	for (int i = 0; i < 20000; i++) {
		struct cpython_code code = {.bytes = 8, .lines = table};

		code.n_lines = (size_t)random() % sizeof table;
		for (size_t k = 0; k < code.n_lines; k++)
			table[k] = (uint8_t)random();
		(void)cpython_line(&code, (uint64_t)random() % 4096);
		code.bytes = 0;
		(void)cpython_line(&code, (uint64_t)random() % 4096);
	}
}

/* ---- A real interpreter ---- */

static const char program[] =
	"import threading, queue, sys\n"
	"locks = [threading.Lock()]; locks[0].acquire()\n"
	"class Worker:\n"
	"    def __init__(self):\n"
	"        self.inbox = queue.Queue()\n"
	"    def run(self):\n"
	"        self.inbox.get()\n"
	"def inner(caf\xc3\xa9):\n"
	"    caf\xc3\xa9.acquire()\n"
	"w = Worker()\n"
	"for i in range(5):\n"
	"    threading.Thread(target=inner, args=locks, name='caf\xc3\xa9-%d' % i, daemon=True).start()\n"
	"threading.Thread(target=w.run, name='worker', daemon=True).start()\n"
	"print('ready', flush=True)\n"
	"x = 0\n"
	"while True:\n"
	"    x += 1\n"; /* frames of this thread change all the time */

static pid_t start_python(void)
{
	static const char *const argv[] = {PYTHON, "-c", program, NULL};

	if (access(PYTHON, X_OK) != 0)
		SKIP("there is no " PYTHON);
	return subject_start(argv);
}

struct seen {
	size_t threads, inner, worker;
	struct runtime_lock lock;
	int line;
	char name[64];
};

static void look(void *arg, const struct runtime_thread *t)
{
	struct seen *s = arg;

	s->threads++;
	if (t->n_frames && !strcmp(t->frames[0].function, "inner")) {
		s->inner++;
		s->lock = t->lock;
		s->line = t->frames[0].line;
		memcpy(s->name, t->name, sizeof s->name);
	}
	if (!strcmp(t->name, "worker") && t->n_frames == 3 && !strcmp(t->lock.name, "self.inbox") &&
		!strcmp(t->lock.type, "queue.Queue"))
		s->worker++;
}

static int read_python(pid_t pid, struct seen *seen)
{
	*seen = (struct seen){0};
	return subject_read(&runtime_cpython, pid, look, seen, 20);
}

TEST(cpython_threads_frames_locks)
{
	pid_t pid = start_python();
	struct seen seen;
	int rc = 0;

	/* The last thread may be on its way to its lock. */
	for (int i = 0; i < 500; i++) {
		rc = read_python(pid, &seen);
		if (rc || (seen.inner == 5 && seen.worker && seen.lock.name[0]))
			break;
		(void)usleep(10000);
	}
	subject_stop(pid);
	if (rc == -ENOTSUP)
		SKIP("a release of Python that pptrace does not know");
	ASSERT_INT(rc, 0);
	ASSERT_INT(seen.threads, 7);
	ASSERT_INT(seen.inner, 5);
	ASSERT_INT(seen.worker, 1);
	ASSERT_INT(seen.line, 9);
	ASSERT(!strncmp(seen.name, "caf\xc3\xa9-", 6));
	ASSERT_STR(seen.lock.name, "caf\xc3\xa9");
	ASSERT_STR(seen.lock.type, "threading.Lock");
}

TEST(cpython_is_no_python)
{
	struct seen seen;

	ASSERT_INT(read_python(getpid(), &seen), -ENOENT);
	ASSERT_INT(read_python(0x3ffffff, &seen), -ENOENT);
}

TEST(cpython_garbage_is_bounded)
{
	srandom(7);
	for (int round = 0; round < 12; round++) {
		pid_t pid = start_python();
		struct seen seen;

		/* Stopped, so that it does not die of it before it has been read. */
		(void)kill(pid, SIGSTOP);
		for (int i = 0; i < 8; i++) {
			subject_scribble(pid, 40);
			(void)read_python(pid, &seen);
		}
		subject_stop(pid);
	}
}
