/* golang.c - what is read of Go's memory, also while it changes and when it is garbage. */
/* SPDX-License-Identifier: MIT */
#include "tracer/runtime/golang/golang.h"

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

/* A thousand goroutines that wait, two that are crossed, four that always take their locks in one order. */
static const char program[] =
	"package main\n"
	"import (\"fmt\"; \"sync\"; \"time\")\n"
	"var a, b, c, d sync.Mutex\n"
	"var both sync.WaitGroup\n"
	"func left() { a.Lock(); defer a.Unlock(); both.Done(); both.Wait(); b.Lock(); b.Unlock() }\n"
	"func right() { b.Lock(); both.Done(); both.Wait(); a.Lock(); a.Unlock(); b.Unlock() }\n"
	"func busy() { for { c.Lock(); d.Lock(); d.Unlock(); c.Unlock() } }\n"
	"func main() {\n"
	"  never := make(chan int)\n"
	"  for i := 0; i < 1000; i++ { go func() { <-never }() }\n"
	"  both.Add(2); go left(); go right()\n"
	"  for i := 0; i < 4; i++ { go busy() }\n"
	"  time.Sleep(100 * time.Millisecond)\n"
	"  fmt.Println(\"ready\")\n"
	"  for { time.Sleep(time.Hour) }\n"
	"}\n";

/* A folder of the test's own with the program; skips where there is no compiler. */
struct place {
	char dir[32];
};

static void make_place(struct place *p)
{
	char command[160], path[64];
	FILE *f;

	if (system("command -v go >/dev/null") != 0)
		SKIP("there is no go");
	memcpy(p->dir, "/tmp/pptrace-go.XXXXXX", sizeof "/tmp/pptrace-go.XXXXXX");
	ASSERT(mkdtemp(p->dir) != NULL);
	(void)snprintf(path, sizeof path, "%s/busy.go", p->dir);
	f = fopen(path, "we");
	ASSERT(f && fputs(program, f) >= 0 && fclose(f) == 0);
	(void)snprintf(command, sizeof command, "go build -o %s/busy %s", p->dir, path);
	ASSERT_INT(system(command), 0);
}

static void drop_place(const struct place *p)
{
	static const char *const files[] = {"busy.go", "busy"};
	char path[64];

	for (size_t i = 0; i < 2; i++) {
		(void)snprintf(path, sizeof path, "%s/%s", p->dir, files[i]);
		(void)unlink(path);
	}
	(void)rmdir(p->dir);
}

/* Starts the program; returns when it has said that it is ready. */
static pid_t start_go(const struct place *place)
{
	int out[2];
	char ready[8], path[64];
	pid_t pid;

	(void)snprintf(path, sizeof path, "%s/busy", place->dir);
	ASSERT(pipe(out) == 0);
	pid = fork();
	ASSERT(pid >= 0);
	if (pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		(void)dup2(out[1], 1);
		(void)close(out[0]);
		(void)close(out[1]);
		(void)execl(path, path, (char *)NULL);
		_exit(127);
	}
	(void)close(out[1]);
	ASSERT(read(out[0], ready, sizeof ready) > 0);
	return pid;
}

static void stop_go(pid_t pid)
{
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
}

struct seen {
	size_t tasks, channels, housekeeping, crossed, bad;
	uint64_t took_ns;
};

static void look(void *arg, const struct runtime_thread *t)
{
	struct seen *s = arg;
	const char *place = t->n_frames ? t->frames[t->n_frames - 1].function : "";

	s->tasks += t->is_task;
	s->housekeeping += t->is_housekeeping;
	s->channels += t->wait.reason == WAIT_COND && !strcmp(t->wait.type, "runtime.chan");
	if (t->wait.reason != WAIT_LOCK)
		return;
	s->crossed += !strcmp(place, "main.left") || !strcmp(place, "main.right");
	/* Nobody of those who take their locks in order waits for himself. */
	s->bad += t->wait.target == t->tid;
}

static int read_go(pid_t pid, struct seen *seen)
{
	struct symbols *s = symbols_new();
	uint32_t tasks = 0;
	struct runtime_process p = {.pid = pid, .key = 1, .symbols = s, .tasks = &tasks};
	_cleanup_buf_ struct buf why = BUF_INIT;
	uint64_t before = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
	int rc;

	*seen = (struct seen){0};
	rc = runtime_golang.threads(&p, look, seen, &why);
	seen->took_ns = clock_ns(CLOCK_PROCESS_CPUTIME_ID) - before;
	symbols_free(s);
	return rc;
}

TEST(golang_goroutines)
{
	struct place place;
	struct seen seen;
	pid_t pid;

	make_place(&place);
	pid = start_go(&place);
	for (int i = 0; i < 10; i++) {
		ASSERT_INT(read_go(pid, &seen), 0);
		ASSERT_INT(seen.channels, 1000);
		ASSERT_INT(seen.crossed, 2);
		ASSERT_INT(seen.bad, 0);
		ASSERT(seen.housekeeping > 0);
	}
	stop_go(pid);
	drop_place(&place);
}

TEST(golang_is_no_go)
{
	struct seen seen;

	ASSERT_INT(read_go(getpid(), &seen), -ENOENT);
	ASSERT_INT(read_go(0x3ffffff, &seen), -ENOENT);
}

/* Writes garbage, or pointers to somewhere near, over a part of the writable memory of a process. */
static void scribble(pid_t pid)
{
	char path[32], line[512];
	long wanted = random() % 8;
	FILE *f;

	(void)snprintf(path, sizeof path, "/proc/%d/maps", (int)pid);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof line, f)) {
		unsigned long long start, end;

		if (sscanf(line, "%llx-%llx rw", &start, &end) != 2 || wanted--)
			continue;
		/* Of the heap the part that is in use. */
		if (end - start > 4 << 20)
			end = start + (4 << 20);
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

TEST(golang_garbage_is_bounded)
{
	struct place place;

	make_place(&place);
	srandom(7);
	for (int round = 0; round < 3; round++) {
		pid_t pid = start_go(&place);
		struct seen seen;

		/* Stopped, so that it does not die of it before it has been read. */
		(void)kill(pid, SIGSTOP);
		for (int i = 0; i < 8; i++) {
			scribble(pid);
			(void)read_go(pid, &seen);
			ASSERT(seen.took_ns < 10000000000ull);
		}
		stop_go(pid);
	}
	drop_place(&place);
}

/* ---- Code ---- */

TEST(golang_code_any_bytes)
{
	struct golang *go = calloc(1, sizeof *go);
	struct golang_place place = {.n = 1};
	uint8_t code[400];

	/* Read from this process itself. */
	go->memory = (struct memory){.pid = getpid(), .budget = 100000000};
	place.start = (uint64_t)(uintptr_t)code;
	srandom(3);
	for (int i = 0; i < 20000; i++) {
		struct golang_frame f = {.low = (uint64_t)(uintptr_t)code};

		for (size_t k = 0; k < sizeof code; k++)
			code[k] = random() % 3
					  ? (uint8_t)random()
					  : "\xf0\x0f\xb1\xc1\x48\x8d\x8b\x89\xe8"[random() % 9];
		f.pc = place.start + (uint64_t)random() % sizeof code;
		(void)hash_set(&go->places, f.pc, &place);
		(void)golang_locked(go, &f, (uint64_t)random(), (uint64_t)random());
		memory_done(&go->memory);
		go->memory.pages = (struct hash){0};
		go->memory.last = 0;
		go->memory.last_page = NULL;
	}
	hash_done(&go->places);
	free(go);
}
