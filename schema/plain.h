/* plain.h - which programs have nothing that the preload library could record: found out by the tracer, looked up before an exec. */
/* SPDX-License-Identifier: MIT */
#ifndef SCHEMA_PLAIN_H
#define SCHEMA_PLAIN_H

#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

/*
 * A plain program and its libraries import no function that the library records beside the kernel's probes: it
 * takes no lock, makes no thread and executes no other program. It is executed without the
 * library: to load that takes longer than all else that a recording does to a short program.
 *
 * A file beside the arena has PLAIN_ENTRIES entries, which the tracer writes and those programs read that execute others.
 * An entry is written once, its mark last, at the first free one of PLAIN_TRIES places.
 */
#define PLAIN_FILE "plain"

enum {
	PLAIN_PLACES = 1024,
	PLAIN_TRIES = 8,
	PLAIN_ENTRIES = PLAIN_PLACES + PLAIN_TRIES,
	PLAIN_MARK = 1
};

/* A program file as stat(2) shows it: one that was replaced or changed has another entry or none. */
struct plain_entry {
	uint64_t dev;
	uint64_t inode;
	uint64_t size;
	uint64_t mtime_ns;
	uint64_t mark; /* PLAIN_MARK: it is plain; 0: nothing is said here */
};

/* The first place for the entry of a file. */
static inline size_t plain_place(uint64_t dev, uint64_t inode)
{
	return (inode ^ dev << 32) * 0x9e3779b97f4a7c15ull >> 54;
}

_Static_assert(PLAIN_PLACES == 1 << 10, "the 10 upper bits of 64");

static inline uint64_t plain_mtime(const struct stat *st)
{
	return (uint64_t)st->st_mtim.tv_sec * 1000000000u + (uint64_t)st->st_mtim.tv_nsec;
}

#endif
