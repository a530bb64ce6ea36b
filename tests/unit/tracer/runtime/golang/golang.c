/* golang.c - what is read of Go's memory, also while it changes and when it is garbage. */
/* SPDX-License-Identifier: MIT */
#include "tracer/runtime/golang/golang.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/test.h"
#include "tests/unit/tracer/runtime/subject.h"

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

/* Builds the program. */
static void make_place(struct subject_place *p)
{
	char command[160];

	subject_make_place(p, "go", "busy.go", program);
	(void)snprintf(command, sizeof command, "go build -o %s/busy %s/busy.go", p->dir, p->dir);
	ASSERT_INT(system(command), 0);
}

static pid_t start_go(const struct subject_place *place)
{
	char path[64];
	const char *const argv[] = {path, NULL};

	(void)snprintf(path, sizeof path, "%s/busy", place->dir);
	return subject_start(argv);
}

struct seen {
	size_t tasks, channels, housekeeping, crossed, bad;
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
	*seen = (struct seen){0};
	return subject_read(&runtime_golang, pid, look, seen, 10);
}

TEST(golang_goroutines)
{
	struct subject_place place;
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
	subject_stop(pid);
	subject_drop_place(&place);
}

TEST(golang_is_no_go)
{
	struct seen seen;

	ASSERT_INT(read_go(getpid(), &seen), -ENOENT);
	ASSERT_INT(read_go(0x3ffffff, &seen), -ENOENT);
}

TEST(golang_garbage_is_bounded)
{
	struct subject_place place;

	make_place(&place);
	srandom(7);
	for (int round = 0; round < 3; round++) {
		pid_t pid = start_go(&place);
		struct seen seen;

		/* Stopped, so that it does not die of it before it has been read. */
		(void)kill(pid, SIGSTOP);
		for (int i = 0; i < 8; i++) {
			subject_scribble(pid, 8);
			(void)read_go(pid, &seen);
		}
		subject_stop(pid);
	}
	subject_drop_place(&place);
}

/* ---- Code ---- */

static void count_change(void *arg, uint64_t word, int by)
{
	size_t *n = arg;

	ASSERT(word && (by == 1 || by == -1));
	++*n;
}

TEST(golang_code_any_bytes)
{
	size_t n = 0;
	struct golang *go = calloc(1, sizeof *go);
	struct golang_place place = {.n = 1};
	uint8_t code[400];
	/* runtime.functab: where the only function begins, and where the next one would. */
	uint32_t table[] = {0, 0, sizeof code, 0};
	uint64_t module[] = {(uint64_t)(uintptr_t)table, 2, (uint64_t)(uintptr_t)code, 1};

	go->module = (uint64_t)(uintptr_t)module;
	go->layout = (struct golang_layout){.module_text = 16, .module_pclntable = 24};
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
		golang_changes(go, &f, (uint64_t)random(), count_change, &n);
		golang_next_changes(go, &f, count_change, &n);
		golang_function_changes(go, place.start, (uint64_t)random(), count_change, &n);
		/* Where nothing may change a lock nothing does. */
		ASSERT(golang_may_change(go, place.start) || !n);
		hash_done(&go->changing);
		n = 0;
		ASSERT(golang_function_end(go, f.pc) == place.start + sizeof code);
		memory_done(&go->memory);
		go->memory.pages = (struct hash){0};
		go->memory.last = 0;
		go->memory.last_page = NULL;
	}
	hash_done(&go->places);
	free(go);
}
