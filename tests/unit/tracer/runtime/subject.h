/* subject.h - programs of other languages, for tests of what is read of their memory. */
/* SPDX-License-Identifier: MIT */
#ifndef TESTS_UNIT_TRACER_RUNTIME_SUBJECT_H
#define TESTS_UNIT_TRACER_RUNTIME_SUBJECT_H

#include "base/banned.h"

#include <sys/types.h>

#include "tracer/runtime/runtime.h"

/* A folder of the test's own in which its program is. */
struct subject_place {
	char dir[32];
};

/* Makes it, with the program's text in the file of this name; skips the test where there is no such command. */
void subject_make_place(
	struct subject_place *p, const char *command, const char *file, const char *text);

/* Removes it, and what is in it. */
void subject_drop_place(const struct subject_place *p);

/* Starts a program; returns when it has said something, as it does when it is ready. It ends with the test. */
pid_t subject_start(const char *const argv[]);

/* Kills it and reaps it. */
void subject_stop(pid_t pid);

/*
 * Writes garbage, or pointers to somewhere near, as a list that leads in a circle has them, over a part of one of the
 * first n_mappings writable mappings of a process.
 */
void subject_scribble(pid_t pid, unsigned n_mappings);

/* Reads a process with a language's reader, a look at each thread; fails the test where that takes limit_s seconds of processor time or more. Returns what the reader returns. */
int subject_read(
	const struct runtime *reader, pid_t pid, runtime_each *look, void *arg, unsigned limit_s);

#endif
