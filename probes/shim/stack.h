/* stack.h - the callers of a lock call (run --stacks). */
/* SPDX-License-Identifier: MIT */
#ifndef PROBES_SHIM_STACK_H
#define PROBES_SHIM_STACK_H

#include <stdbool.h>
#include <stdint.h>

/* Whether stacks are asked for, and can be had. */
extern bool shim_stacks;

/* To be called by a new thread: where its stack is. */
void stack_thread(void);

/*
 * Records the stack of the calling thread from site on, unless it is the one that was recorded last. Only
 * in a wrapper, or in what is put into one: the callers of that are walked.
 */
void stack_record(uint64_t site);

#endif
