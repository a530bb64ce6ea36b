/* hotspot.c - what is read of a Java virtual machine's memory, also while it changes and when it is garbage. */
/* SPDX-License-Identifier: MIT */
#include "tracer/runtime/hotspot/hotspot.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "tests/unit/test.h"
#include "tracer/symbols/symbols.h"

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

/* Starts it, from its source; returns when it has said that it is ready. */
static pid_t start_java(const char *dir)
{
	int out[2];
	char ready[8], path[64];
	pid_t pid;
	FILE *f;

	(void)snprintf(path, sizeof path, "%s/Busy.java", dir);
	f = fopen(path, "we");
	ASSERT(f && fputs(program, f) >= 0 && fclose(f) == 0);
	ASSERT(pipe(out) == 0);
	pid = fork();
	ASSERT(pid >= 0);
	if (pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		(void)dup2(out[1], 1);
		(void)close(out[0]);
		(void)close(out[1]);
		(void)execlp("java", "java", path, (char *)NULL);
		_exit(127);
	}
	(void)close(out[1]);
	ASSERT(read(out[0], ready, sizeof ready) > 0);
	return pid;
}

static void stop_java(pid_t pid)
{
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
}

/* A folder of the test's own with a program in it; skips where there is no compiler. */
struct place {
	char dir[32];
};

static void make_place(struct place *p)
{
	if (system("command -v javac >/dev/null") != 0)
		SKIP("there is no javac");
	memcpy(p->dir, "/tmp/pptrace-java.XXXXXX", sizeof "/tmp/pptrace-java.XXXXXX");
	ASSERT(mkdtemp(p->dir) != NULL);
}

static void drop_place(const struct place *p)
{
	char path[64];

	(void)snprintf(path, sizeof path, "%s/Busy.java", p->dir);
	(void)unlink(path);
	(void)rmdir(p->dir);
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
	struct symbols *s = symbols_new();
	struct runtime_process p = {.pid = pid, .key = 1, .symbols = s};
	_cleanup_buf_ struct buf why = BUF_INIT;
	int rc;

	*seen = (struct seen){0};
	rc = runtime_hotspot.threads(&p, look, seen, &why);
	symbols_free(s);
	return rc;
}

TEST(hotspot_threads)
{
	struct place place;
	struct seen seen = {0};
	pid_t pid;
	int rc = 0;

	make_place(&place);
	pid = start_java(place.dir);
	/* The main thread may be on its way to its wait. */
	for (int i = 0; i < 500 && !seen.waits; i++) {
		rc = read_java(pid, &seen);
		ASSERT_INT(rc, 0);
	}
	stop_java(pid);
	drop_place(&place);
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

/* Writes garbage, or pointers to somewhere near, over a part of the writable memory of a process. */
static void scribble(pid_t pid)
{
	char path[32], line[512];
	long wanted = random() % 60;
	FILE *f;

	(void)snprintf(path, sizeof path, "/proc/%d/maps", (int)pid);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof line, f)) {
		unsigned long long start, end;

		if (sscanf(line, "%llx-%llx rw", &start, &end) != 2 || wanted--)
			continue;
		for (int i = 0; i < 4000; i++) {
			uint64_t at = start + (uint64_t)random() % (end - start - 8) / 8 * 8;
			uint64_t value = i % 2 ? start + (uint64_t)random() % (end - start) / 8 * 8
					       : (uint64_t)random() << 32 | (uint64_t)random();
			struct iovec local = {&value, sizeof value};
			struct iovec remote = {(void *)(uintptr_t)at, sizeof value};

			(void)process_vm_writev(pid, &local, 1, &remote, 1, 0);
		}
		break;
	}
	if (f)
		(void)fclose(f);
}

TEST(hotspot_garbage_is_bounded)
{
	struct place place;

	make_place(&place);
	srandom(7);
	for (int round = 0; round < 3; round++) {
		pid_t pid = start_java(place.dir);
		struct seen seen;

		/* Stopped, so that it does not die of it before it has been read. */
		(void)kill(pid, SIGSTOP);
		for (int i = 0; i < 40; i++) {
			uint64_t before = clock_ns(CLOCK_PROCESS_CPUTIME_ID);

			scribble(pid);
			(void)read_java(pid, &seen);
			ASSERT(clock_ns(CLOCK_PROCESS_CPUTIME_ID) - before < 5000000000ull);
		}
		stop_java(pid);
	}
	drop_place(&place);
}
