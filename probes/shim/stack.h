/* stack.h - the callers of a lock call. */
/* SPDX-License-Identifier: MIT */
#ifndef PROBES_SHIM_STACK_H
#define PROBES_SHIM_STACK_H

#include <stdbool.h>
#include <stdint.h>

#include "probes/shim/outlined.h"

/* Of no acquisition; of those that are made in a function that only passes the lock on; of all (run --stacks). */
enum { STACKS_NONE, STACKS_OUTLINED, STACKS_ALL };
extern unsigned char shim_stacks;

/* Says whether the stack of an acquisition that was called from site is to be recorded. */
static inline bool stack_is_wanted(uint64_t site)
{
	return __builtin_expect(shim_stacks != STACKS_NONE, 0) &&
	       (shim_stacks == STACKS_ALL || outlined_is(site));
}

/* To be called by a new thread: where its stack is. */
void stack_thread(void);

/*
 * Records the stack of the calling thread from site on, unless it is the one that was recorded last. Only
 * in a wrapper, or in what is put into one: the callers of that are walked.
 */
void stack_record(uint64_t site);

#endif
