/* core.h - a core file: threads with their registers, memory, and the files that were mapped. */
/* SPDX-License-Identifier: MIT */
/*
 * To be read in this order: core.c (opening one), notes.c, files.c, memory.c.
 */
#ifndef TRACER_CORE_CORE_H
#define TRACER_CORE_CORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct buf;
struct core;

enum { CORE_KEPT = 6 /* as ARCH_KEPT names them */ };

struct core_thread {
	pid_t tid;
	int signo;  /* that it was getting, 0: none */
	int64_t nr; /* system call that it was blocked in, -1: none */
	uint64_t args[6], sp, pc, kept[CORE_KEPT];
};

/* A piece of a file that was mapped. */
struct core_map {
	uint64_t start, end, offset;
	bool is_code;
	const char *
		path; /* where it is to be found; where another file is, or none, no such file exists */
};

struct core_process {
	pid_t pid, ppid;
	uid_t uid;
	char comm[16];
	char args[80];   /* of its command line, as much as the core has, separated by blanks */
	const char *exe; /* NULL: not known */
	const char
		*program; /* where that is to be found, as the path of its maps; NULL: not known */
	int signo;        /* that ended it; 0: none, it was alive */
	struct core_thread *threads;
	size_t n_threads;
	struct core_map *maps;
	size_t n_maps;
};

/*
 * Opens a core file; exe, if not NULL, is the program that it is of. Returns 0 and *ret, freed with core_free; or
 * -errno with one sentence in why. What the core or the machine lacks is added to blind, one
 * sentence a line.
 */
int core_open(
	const char *path, const char *exe, struct core **ret, struct buf *blind, struct buf *why);
void core_free(struct core *c);

/* Returns what it is of; valid as long as the core. */
const struct core_process *core_process(const struct core *c);

/* Reads memory: out of the core, or of a file that was mapped and not written to. False if not all of it is there. */
bool core_read(void *core, uint64_t addr, void *to, size_t len);

#endif
