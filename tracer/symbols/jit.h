/* jit.h - names of code that a program made while it ran. */
/* SPDX-License-Identifier: MIT */
#ifndef TRACER_SYMBOLS_JIT_H
#define TRACER_SYMBOLS_JIT_H

#include <stdint.h>
#include <sys/types.h>

/*
 * Programs that make code write what they call it into /tmp/perf-PID.map, a line
 * "START SIZE NAME" each, in hexadecimal. Anybody may write into /tmp: the file counts if it is a regular
 * one that belongs to the process's user.
 */
struct jit;

/* Returns the names of a process, read when the first is asked for; freed with jit_free, which accepts NULL. */
struct jit *jit_new(pid_t pid);
void jit_free(struct jit *j);

/* A piece of code. Of JavaScript that V8 compiled the name is taken apart: file and line, else NULL and 0. */
struct jit_place {
	const char *function, *file;
	int line;
};

/* Returns what the code at addr is called, which belongs to j, or NULL. What was written last counts. */
const struct jit_place *jit_find(struct jit *j, uint64_t addr);

#endif
