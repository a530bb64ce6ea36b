/* inline.h - which functions a compiler put into one another. */
/* SPDX-License-Identifier: MIT */
#ifndef TRACER_SYMBOLS_INLINE_H
#define TRACER_SYMBOLS_INLINE_H

#include <elfutils/libdw.h>
#include <stddef.h>
#include <stdint.h>

struct inlines;

/* A call that is there in the source and not in the code. */
struct inline_call {
	const char *function; /* that was called: readable, or NULL; belongs to inlines */
	const char *file;     /* where the call is written; NULL: not known. Belongs to the Dwarf */
	int line;
};

/* Returns an index over debugging information (borrowed), which is read when it is asked for; freed with inlines_free. */
struct inlines *inlines_new(Dwarf *dwarf);
void inlines_free(struct inlines *in);

/* Fills up to max calls that were put into the function around vaddr, the innermost first; returns how many. */
size_t inlines_find(
	struct inlines *in, Dwarf_Die *unit, uint64_t vaddr, struct inline_call *ret, size_t max);

#endif
