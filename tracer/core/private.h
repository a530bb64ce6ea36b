/* private.h - a core file, as far as it has been read. */
/* SPDX-License-Identifier: MIT */
#ifndef TRACER_CORE_PRIVATE_H
#define TRACER_CORE_PRIVATE_H

#include <gelf.h>

#include "tracer/core/core.h"

enum { CORE_MAX_MAPS = 65536 /* files and pieces of memory */ };

/* A piece of memory that the core has, or says was there. */
struct segment {
	uint64_t start, len, offset, size; /* size: bytes that are in the core, from the start on */
	bool is_code;
};

/* A file that was mapped. */
struct mapped {
	char *path;
	char *now;       /* the path of the file that it is read from */
	char *shown;     /* NULL: the same */
	int fd;          /* -1: not there, or another one */
	const char *bad; /* what is wrong with it; NULL: nothing */
};

struct core {
	int fd;
	uint64_t size;
	Elf *elf;
	struct core_process p;
	struct segment *segments; /* in the order of their addresses */
	size_t n_segments, cap_segments;
	struct mapped *files;
	size_t n_files, cap_files;
	size_t *file_of; /* of each map */
	uint64_t entry;  /* its first instruction */
	size_t program;  /* which of the files it is */
	size_t cap_threads, cap_maps;
};

/* ---- memory.c ---- */

/* Returns the piece of memory that covers addr, or NULL. */
const struct segment *core_segment(const struct core *c, uint64_t addr);

/* Reads what the core itself has at addr, up to len bytes; returns how many. */
size_t core_read_own(const struct core *c, uint64_t addr, void *to, size_t len);

/* ---- notes.c ---- */

/* Reads the notes of a segment: process, threads, mapped files. Malformed notes are skipped; where one cannot be delimited, reading ends. */
void core_read_notes(struct core *c, const GElf_Phdr *ph);

/* ---- files.c ---- */

/* Opens the files that were mapped, the program from exe unless that is NULL, and tells them from others of their names. */
void core_open_files(struct core *c, const char *exe);

/* Says in blind which programs and libraries could not be had: their frames have no names. */
void core_note_files(const struct core *c, bool has_exe, struct buf *blind);

#endif
