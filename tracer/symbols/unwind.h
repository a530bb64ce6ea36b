/* unwind.h - a walk over a stack, and what its frames ask for. */
/* SPDX-License-Identifier: MIT */
#ifndef TRACER_SYMBOLS_UNWIND_H
#define TRACER_SYMBOLS_UNWIND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tracer/symbols/symbols.h"

enum { UNWIND_WINDOW = 4 * 1024 /* of the stack, read at once */ };

struct unwind {
	const struct maps *maps;
	struct hash *frames;  /* rules by module and address, kept by symbols */
	symbols_memory *read; /* the thread's memory */
	void *arg;
	bool lacks; /* a frame pointer was wanted that is not known */
	uint64_t window_at;
	size_t window_len;
	unsigned char window[UNWIND_WINDOW];
};

/* Reads the thread's memory; false if not all of it is there. */
static inline bool unwind_read(struct unwind *u, uint64_t addr, void *to, size_t len)
{
	if (addr >= u->window_at && addr - u->window_at + len <= u->window_len) {
		memcpy(to, u->window + (addr - u->window_at), len);
		return true;
	}
	return u->read(u->arg, addr, to, len);
}

/* ---- frame_pointer.c ---- */

/* Says whether an address lies behind a call instruction. */
bool frame_pointer_is_return(struct unwind *u, uint64_t addr);

/*
 * Finds the frame pointer of a function that keeps one and has called another; sp is its stack pointer at the
 * call. False if nothing proves one.
 */
bool frame_pointer_find(struct unwind *u, uint64_t sp, uint64_t function, uint64_t *ret);

#endif
