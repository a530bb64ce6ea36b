/* line.h - source lines out of DWARF. */
/* SPDX-License-Identifier: MIT */
#ifndef TRACER_SYMBOLS_LINE_H
#define TRACER_SYMBOLS_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct Dwarf;
struct lines;

/* Returns an index over the debugging information dwarf (borrowed); freed with lines_free. Units are read when they are asked for. */
struct lines *lines_new(struct Dwarf *dwarf);
void lines_free(struct lines *l);

/*
 * Finds the source line of an address; where code was inlined from a system's header,
 * the line of the program that called it. The text belongs to the Dwarf.
 */
bool lines_find(struct lines *l, uint64_t vaddr, const char **ret_file, int *ret_line);

/* One of several places in the source that an address stands for, where calls were inlined. */
struct line_place {
	const char *file;
	int line;
	const char *function; /* NULL: the one that the file's symbols name */
};

/* Fills up to max places of an address, that of the innermost inlined function first; returns how many. */
size_t lines_places(struct lines *l, uint64_t vaddr, struct line_place *ret, size_t max);

/* Says whether a source file is one of the standard library of Rust or Go. */
bool lines_is_library(const char *file);

/* Says whether some unit covers the address. */
bool lines_covers(struct lines *l, uint64_t vaddr);

/* Says whether there is any unit. */
bool lines_any(struct lines *l);

#endif
