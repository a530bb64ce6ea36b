/* hotspot.c - what is read of a Java virtual machine's memory, also while it changes and when it is garbage. */
/* SPDX-License-Identifier: MIT */
#include "tracer/runtime/hotspot/hotspot.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/test.h"
#include "tests/unit/tracer/runtime/subject.h"

/* ---- Compressed numbers and line tables ---- */

TEST(hotspot_stream_numbers)
{
	static const uint8_t old[] = {0, 191, 192, 0, 255, 1, 255, 255, 255, 255, 255};
	static const uint8_t new[] = {1, 191, 192, 1, 255, 2};
	struct hotspot_stream s = {.bytes = old, .len = sizeof old};

	ASSERT_INT(hotspot_stream_next(&s), 0);
	ASSERT_INT(hotspot_stream_next(&s), 191);
	ASSERT_INT(hotspot_stream_next(&s), 192);
	ASSERT_INT(hotspot_stream_next(&s), 255 + 64);
	ASSERT_INT(hotspot_stream_next(&s),
		(uint32_t)(255u * (1 + 64 + 4096 + 262144) + (255u << 24)));
	ASSERT(!s.failed);
	ASSERT_INT(hotspot_stream_next(&s), 0);
	ASSERT(s.failed);
	/* From Java 20 on each byte is one more. */
	s = (struct hotspot_stream){.bytes = new, .len = sizeof new, .excess = 1};
	ASSERT_INT(hotspot_stream_next(&s), 0);
	ASSERT_INT(hotspot_stream_next(&s), 190);
	ASSERT_INT(hotspot_stream_next(&s), 191);
	ASSERT_INT(hotspot_stream_next(&s), 254 + 64);
	ASSERT(!s.failed);
}

TEST(hotspot_line_steps)
{
	/* Bytecode 0 is line 5; 4 line 6; 10, by a large step, line 3 (signed numbers: 12 is 6, 5 is -3). */
	static uint8_t lines[] = {0 << 3 | 5, 4 << 3 | 1, 0xff, 12, 5, 0};
	struct hotspot_method m = {.lines = lines, .n_lines = sizeof lines};

	ASSERT_INT(hotspot_line(&m, 0, 17), 5);
	ASSERT_INT(hotspot_line(&m, 3, 17), 5);
	ASSERT_INT(hotspot_line(&m, 4, 17), 6);
	ASSERT_INT(hotspot_line(&m, 10, 17), 3);
	ASSERT_INT(hotspot_line(&m, 4000, 17), 3);
	ASSERT_INT(hotspot_line(&m, -1, 17), 0);
	m.n_lines = 0;
	ASSERT_INT(hotspot_line(&m, 3, 17), 0);
}

TEST(hotspot_line_any_bytes)
{
	uint8_t lines[64];

	srandom(3);
	for (int i = 0; i < 20000; i++) {
		struct hotspot_method m = {.lines = lines};

		m.n_lines = (size_t)random() % sizeof lines;
		for (size_t k = 0; k < m.n_lines; k++)
			lines[k] = (uint8_t)(random() % 3 ? random() : 0xff);
		ASSERT(hotspot_line(&m, (int)(random() % 4096), random() % 2 ? 17 : 21) >= 0);
	}
}

/* ---- A real virtual machine ---- */

/* A program whose threads run, wait for a monitor and are parked, all the time. */
static const char program[] =
	"public class Busy {\n"
	"  static final Object lock = new Object();\n"
	"  static final java.util.concurrent.locks.ReentrantLock other = new java.util.concurrent.locks.ReentrantLock();\n"
	"  static int count(int n) { return n == 0 ? 0 : 1 + count(n - 1); }\n"
	"  public static void main(String[] a) throws Exception {\n"
	"    for (int i = 0; i < 4; i++)\n"
	"      new Thread(() -> { for (;;) synchronized (lock) { other.lock(); count(20); other.unlock(); } }, \"caf\\u00e9-\" + i).start();\n"
	"    synchronized (Busy.class) { System.out.println(\"ready\"); Busy.class.wait(); }\n"
	"  }\n"
	"}\n";

static void make_place(struct subject_place *p)
{
	subject_make_place(p, "javac", "Busy.java", program);
}

/* Starts it, from its source. */
static pid_t start_java(const struct subject_place *place)
{
	char path[64];
	const char *const argv[] = {"java", path, NULL};

	(void)snprintf(path, sizeof path, "%s/Busy.java", place->dir);
	return subject_start(argv);
}

struct seen {
	size_t threads, named, housekeeping, waits, bad;
};

static void look(void *arg, const struct runtime_thread *t)
{
	struct seen *s = arg;

	s->threads++;
	s->named += !strncmp(t->name, "caf\xc3\xa9-", 6);
	s->housekeeping += t->is_housekeeping;
	s->waits += t->wait.reason == WAIT_COND && !strcmp(t->wait.type, "java.lang.Class");
	/* Whoever is said to have a lock is another thread. */
	s->bad += t->wait.reason == WAIT_LOCK && t->wait.target == t->tid;
}

static int read_java(pid_t pid, struct seen *seen)
{
	*seen = (struct seen){0};
	return subject_read(&runtime_hotspot, pid, look, seen, 5);
}

TEST(hotspot_threads)
{
	struct subject_place place;
	struct seen seen = {0};
	pid_t pid;
	int rc = 0;

	make_place(&place);
	pid = start_java(&place);
	/* The main thread may be on its way to its wait. */
	for (int i = 0; i < 500 && !seen.waits; i++) {
		rc = read_java(pid, &seen);
		ASSERT_INT(rc, 0);
	}
	subject_stop(pid);
	subject_drop_place(&place);
	ASSERT_INT(seen.named, 4);
	ASSERT_INT(seen.waits, 1);
	ASSERT_INT(seen.bad, 0);
	ASSERT(seen.housekeeping > 8);
}

TEST(hotspot_is_no_java)
{
	struct seen seen;

	ASSERT_INT(read_java(getpid(), &seen), -ENOENT);
	ASSERT_INT(read_java(0x3ffffff, &seen), -ENOENT);
}

TEST(hotspot_garbage_is_bounded)
{
	struct subject_place place;
	struct seen seen;
	pid_t pid;

	make_place(&place);
	srandom(7);
	pid = start_java(&place);
	/* Stopped, so that it does not die of it before it has been read. */
	(void)kill(pid, SIGSTOP);
	for (int i = 0; i < 40; i++) {
		subject_scribble(pid, 60);
		(void)read_java(pid, &seen);
	}
	subject_stop(pid);
	subject_drop_place(&place);
}
