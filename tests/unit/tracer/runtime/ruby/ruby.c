/* ruby.c - what is read of Ruby's memory, also while it changes and when it is garbage. */
/* SPDX-License-Identifier: MIT */
#include "tracer/runtime/ruby/ruby.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/test.h"
#include "tests/unit/tracer/runtime/subject.h"

/* Threads that wait in every way, two of them crossed, and two that always take their locks in one order. */
static const char program[] =
	"A, B, C, D, Q = Mutex.new, Mutex.new, Mutex.new, Mutex.new, Queue.new\n"
	"$met = 0\n"
	"def deep(n, &f) = n > 0 ? deep(n - 1, &f) : f.call\n"
	"def left = A.synchronize { $met += 1; sleep 0.01 until $met == 2; B.lock }\n"
	"def right = B.synchronize { $met += 1; sleep 0.01 until $met == 2; A.lock }\n"
	"L, R = Thread.new { left }, Thread.new { right }\n"
	"20.times { |i| Thread.new { deep(i) { Q.pop } }.name = \"worker #{i}\" }\n"
	"2.times { Thread.new { loop { C.synchronize { D.synchronize { 10.times { } } } } } }\n"
	"sleep 0.01 until Q.num_waiting == 20 && [L, R].all? { |t| t.inspect.include?('forever') }\n"
	"puts 'ready'\n"
	"$stdout.flush\n"
	"loop { sleep 1 }\n";

static void make_place(struct subject_place *p)
{
	/* Older ones are not read. */
	if (system("/usr/bin/ruby -e 'exit RUBY_VERSION >= \"3.1\"' 2>/dev/null") != 0)
		SKIP("there is no Ruby 3.1 or newer");
	subject_make_place(p, "/usr/bin/ruby", "busy.rb", program);
}

static pid_t start_ruby(const struct subject_place *place)
{
	char path[64];
	const char *const argv[] = {"/usr/bin/ruby", path, NULL};

	(void)snprintf(path, sizeof path, "%s/busy.rb", place->dir);
	return subject_start(argv);
}

struct seen {
	size_t threads, queues, crossed, bad, workers;
};

static void look(void *arg, const struct runtime_thread *t)
{
	struct seen *s = arg;

	s->threads++;
	s->workers += !strncmp(t->name, "worker ", 7);
	s->queues += t->wait.reason == WAIT_COND && !strcmp(t->wait.type, "Thread::Queue");
	if (t->wait.reason != WAIT_LOCK || !t->n_frames)
		return;
	s->crossed += !strcmp(t->frames[0].function, "block in left") ||
		      !strcmp(t->frames[0].function, "block in right");
	/* Nobody of those who take their locks in order waits for himself. */
	s->bad += t->wait.target == t->tid;
}

static int read_ruby(pid_t pid, struct seen *seen)
{
	*seen = (struct seen){0};
	return subject_read(&runtime_ruby, pid, look, seen, 2);
}

TEST(ruby_threads)
{
	struct subject_place place;
	struct seen seen;
	pid_t pid;

	make_place(&place);
	pid = start_ruby(&place);
	for (int i = 0; i < 10; i++) {
		ASSERT_INT(read_ruby(pid, &seen), 0);
		ASSERT(seen.threads >= 25);
		ASSERT_INT(seen.workers, 20);
		ASSERT_INT(seen.queues, 20);
		ASSERT_INT(seen.crossed, 2);
		ASSERT_INT(seen.bad, 0);
	}
	subject_stop(pid);
	subject_drop_place(&place);
}

TEST(ruby_is_no_ruby)
{
	struct seen seen;

	ASSERT_INT(read_ruby(getpid(), &seen), -ENOENT);
	ASSERT_INT(read_ruby(0x3ffffff, &seen), -ENOENT);
}

TEST(ruby_garbage_is_bounded)
{
	struct subject_place place;

	make_place(&place);
	srandom(7);
	for (int round = 0; round < 3; round++) {
		pid_t pid = start_ruby(&place);
		struct seen seen;

		/* Stopped, so that it does not die of it before it has been read. */
		(void)kill(pid, SIGSTOP);
		for (int i = 0; i < 20; i++) {
			subject_scribble(pid, 12);
			(void)read_ruby(pid, &seen);
		}
		subject_stop(pid);
	}
	subject_drop_place(&place);
}

/* ---- Strings and stacks of this process itself ---- */

static const struct ruby_layout layout = {.major = 3, .minor = 3};

TEST(ruby_values_any_bytes)
{
	uint64_t words[64];
	char text[128];

	srandom(3);
	for (int i = 0; i < 20000; i++) {
		struct ruby r = {.memory = {.pid = getpid(), .budget = 100000}, .layout = &layout};
		uint64_t value = (uint64_t)(uintptr_t)&words[8 * (random() % 8)], data;

		for (size_t k = 0; k < 64; k++)
			words[k] = random() % 3 ? (uint64_t)(uintptr_t)&words[random() % 64]
						: (uint64_t)random() << (random() % 33);
		/* A type that is read on. */
		words[(value - (uint64_t)(uintptr_t)words) / 8] =
			(uint64_t)("\x05\x07\x0c"[random() % 3]) | ((uint64_t)random() & 0x2000);
		(void)ruby_string(&r, value, text, sizeof text);
		ASSERT(strlen(text) < sizeof text);
		(void)ruby_path(&r, value, text, sizeof text);
		(void)ruby_typed(&r, value, text, sizeof text, &data);
		memory_done(&r.memory);
	}
}
