/* private.h - options of the preload library, and the memory that a child does not inherit. */
/* SPDX-License-Identifier: MIT */
#ifndef PROBES_SHIM_PRIVATE_H
#define PROBES_SHIM_PRIVATE_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

/* What the environment asked for when the program began. */
struct shim_options {
	bool ready;
	bool sandboxed; /* system calls may be filtered: no file is opened any more */
	uint32_t data_bytes;
	char arena[PATH_MAX];   /* empty: record nothing */
	char given[PATH_MAX];   /* the same, kept when recording has been given up */
	char library[PATH_MAX]; /* this library as LD_PRELOAD names it; empty: it does not */
};
extern struct shim_options shim_options;

/* Reads the environment, once. No system call. */
void shim_options_read(void);

enum { OBJECT_WAYS = 4, OBJECT_SETS = 1024 };

/* All zero in a child until it records. */
struct shim_wiped {
	uint64_t epoch;
	uint64_t pidns;
	uint32_t pid;
	uint64_t seen[OBJECT_SETS][OBJECT_WAYS];
};

/* NULL before the first record. */
struct shim_wiped *shim_wiped(void);

#endif
