/* line.h - source lines out of DWARF. */
/* SPDX-License-Identifier: MIT */
#ifndef TRACER_SYMBOLS_LINE_H
#define TRACER_SYMBOLS_LINE_H

#include <stdbool.h>
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

/* Says whether some unit covers the address. */
bool lines_covers(struct lines *l, uint64_t vaddr);

/* Says whether there is any unit. */
bool lines_any(struct lines *l);

#endif
