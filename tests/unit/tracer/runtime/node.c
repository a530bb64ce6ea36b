/* node.c - what is read of V8's memory, also when it is garbage. */
/* SPDX-License-Identifier: MIT */
#include "tracer/runtime/runtime.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "tests/unit/test.h"
#include "tests/unit/tracer/runtime/subject.h"

/* The source has characters of two bytes; its functions have names of their own, of a method, of what they were assigned to, and none. */
static const char program[] =
	"const shared = new Int32Array(new SharedArrayBuffer(8)); // \xe2\x82\xac\n"
	"const object = {};\n"
	"class Account {\n"
	"  \xc3\xbc"
	"ber(n) {\n"
	"    if (n > 0) return this.\xc3\xbc"
	"ber(n - 1);\n"
	"    return object.rest();\n"
	"  }\n"
	"}\n"
	"object.rest = function () {\n"
	"  console.log(\"ready\");\n"
	"  for (;;)\n"
	"    Atomics.wait(shared,\n"
	"      0, 0);\n"
	"};\n"
	"const started = () => new Account().\xc3\xbc"
	"ber(2);\n"
	"[1].forEach(() => {\n"
	"  started();\n"
	"});\n";

static const struct {
	const char *function;
	int line;
} wanted[] = {{"object.rest", 12},
	{"\xc3\xbc"
	 "ber",
		6},
	{"\xc3\xbc"
	 "ber",
		5},
	{"\xc3\xbc"
	 "ber",
		5},
	{"started", 15}, {"anonymous", 17}, {"anonymous", 16}};

static pid_t start_node(const struct subject_place *place)
{
	char path[64];
	const char *const argv[] = {"node", path, NULL};

	(void)snprintf(path, sizeof path, "%s/rests.js", place->dir);
	return subject_start(argv);
}

struct seen {
	size_t threads, frames, same, library;
};

static void look(void *arg, const struct runtime_thread *t)
{
	struct seen *s = arg;

	s->threads++;
	for (size_t i = 0; i < t->n_frames; i++) {
		const struct runtime_frame *f = &t->frames[i];

		s->frames++;
		s->library += f->is_library;
		s->same += i < ARRAY_SIZE(wanted) && strstr(f->file, "/rests.js") &&
			   !strcmp(f->function, wanted[i].function) && f->line == wanted[i].line;
	}
}

static int read_node(pid_t pid, struct seen *seen)
{
	*seen = (struct seen){0};
	return subject_read(&runtime_node, pid, look, seen, 5);
}

TEST(node_frames)
{
	struct subject_place place;
	struct seen seen;
	pid_t pid;

	subject_make_place(&place, "node", "rests.js", program);
	pid = start_node(&place);
	ASSERT_INT(read_node(pid, &seen), 0);
	for (int i = 0; i < 100 && seen.same < ARRAY_SIZE(wanted); i++) {
		(void)usleep(20000);
		ASSERT_INT(read_node(pid, &seen), 0);
	}
	ASSERT_INT(seen.same, ARRAY_SIZE(wanted));
	ASSERT(seen.frames > seen.same && seen.library > 0);
	subject_stop(pid);
	subject_drop_place(&place);
}

TEST(node_is_no_node)
{
	struct seen seen;

	ASSERT_INT(read_node(getpid(), &seen), -ENOENT);
	ASSERT_INT(read_node(0x3ffffff, &seen), -ENOENT);
}

TEST(node_garbage_is_bounded)
{
	struct subject_place place;

	subject_make_place(&place, "node", "rests.js", program);
	srandom(7);
	for (int round = 0; round < 2; round++) {
		pid_t pid = start_node(&place);
		struct seen seen;

		/* Stopped, so that it does not die of it before it has been read. */
		(void)kill(pid, SIGSTOP);
		for (int i = 0; i < 20; i++) {
			subject_scribble(pid, 60);
			(void)read_node(pid, &seen);
		}
		subject_stop(pid);
	}
	subject_drop_place(&place);
}
