/* outlined.h - lock calls in functions that only pass a lock on, as a header of C++ does that was compiled without optimisation. */
/* SPDX-License-Identifier: MIT */
#ifndef PROBES_SHIM_OUTLINED_H
#define PROBES_SHIM_OUTLINED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum outlined_place { OUTLINED_UNKNOWN, OUTLINED_YES, OUTLINED_NO };

/* What is known of places, in the two upper bits of a word beside the address. */
enum { OUTLINED_PLACES = 4096 };
extern uint64_t outlined_places[OUTLINED_PLACES];

static inline uint64_t *outlined_word(uint64_t addr)
{
	return &outlined_places[(addr * 0x9e3779b97f4a7c15ull) >> 52];
}

_Static_assert(OUTLINED_PLACES == 1 << 12, "the 12 upper bits of 64");

/* Looks at the code that called from site. */
bool outlined_look(uint64_t site);

/* Says whether site lies in a function that hands its first argument on to a lock call and keeps a frame pointer. */
static inline bool outlined_is(uint64_t site)
{
	uint64_t word = __atomic_load_n(outlined_word(site), __ATOMIC_RELAXED);

	if (__builtin_expect(word == (site | (uint64_t)OUTLINED_NO << 62), 1))
		return false;
	return word == (site | (uint64_t)OUTLINED_YES << 62) || outlined_look(site);
}

/*
 * Finds what outlined_look needs, and says whether it may be asked: only in a process that has libstdc++ in it from the start.
 * To be called by a constructor.
 */
bool outlined_start(void);

/*
 * Walks from site on by frame pointers, as long as each function is seen to keep one. own: the frame address of a function
 * that the wrapper called. Returns how many frames there are, site itself included.
 */
size_t outlined_walk(const uint64_t *own, uint64_t site, uint64_t *frames, size_t max);

#endif
