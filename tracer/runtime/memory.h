/* memory.h - read the memory of a process that may change or lie at any moment, or that a core has. */
/* SPDX-License-Identifier: MIT */
#ifndef TRACER_RUNTIME_MEMORY_H
#define TRACER_RUNTIME_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/hash.h"

struct core;
struct memory_page;

/* A process's memory, and how much more of it may be read: a forged list must not keep us busy. */
struct memory {
	pid_t pid;
	struct core *core; /* borrowed; NULL: the process runs */
	size_t budget;     /* reads that are left */
	bool keeps;        /* memory_read and the rest are as memory_cached */
	struct hash pages; /* what memory_cached has read, owned */
	uint64_t last;     /* the page of these that was asked for last, and its address */
	struct memory_page *last_page;
};

enum { MEMORY_READS = 400000 };

/* Reads len bytes; false if they are not there, or if the budget is used up. */
bool memory_read(struct memory *m, uint64_t addr, void *ret, size_t len);

/*
 * The same, a page at a time, each only once: for a reader that looks at much of
 * a process within a moment. memory_done frees the pages.
 */
bool memory_cached(struct memory *m, uint64_t addr, void *ret, size_t len);
void memory_done(struct memory *m);

/* Reads a pointer, a 32-bit number; 0 if it cannot be read. */
uint64_t memory_pointer(struct memory *m, uint64_t addr);
uint32_t memory_u32(struct memory *m, uint64_t addr);

/* Reads a C string, cut to size - 1 bytes; empty if it cannot be read. */
void memory_string(struct memory *m, uint64_t addr, char *ret, size_t size);

#endif
