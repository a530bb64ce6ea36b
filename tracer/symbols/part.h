/* part.h - which element and member of a variable an address is. */
/* SPDX-License-Identifier: MIT */
#ifndef TRACER_SYMBOLS_PART_H
#define TRACER_SYMBOLS_PART_H

#include <stdbool.h>
#include <stdint.h>

struct buf;
struct Dwarf;
struct parts;

/* Returns an index over the variables of the debugging information dwarf (borrowed); freed with parts_free. Read at the first question. */
struct parts *parts_new(struct Dwarf *dwarf);
void parts_free(struct parts *p);

/*
 * Appends to b what lies at offset of the variable at vaddr, as a C program
 * would write it behind the variable's name: "[2].lock", or nothing if that is
 * the variable itself. Returns how far the offset lies in what was named, or
 * -1 if nothing is known of the variable.
 */
int64_t parts_find(struct parts *p, uint64_t vaddr, uint64_t offset, struct buf *b);

#endif
