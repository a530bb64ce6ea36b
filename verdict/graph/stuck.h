/* stuck.h - the words for sets of threads that cannot proceed. */
/* SPDX-License-Identifier: MIT */
#ifndef VERDICT_GRAPH_STUCK_H
#define VERDICT_GRAPH_STUCK_H

#include "verdict/graph/graph.h"
#include "verdict/graph/sets.h"
#include "verdict/verdict.h"

struct places;

/* Makes a finding of a set: rule deadlock if it is certain, else stuck. */
void stuck_describe(const struct state *st, const struct stuck_set *set, struct findings *fs);

/* Adds what a thread waits for: "waits for the mutex lock_b". */
void stuck_words(struct buf *b, const struct state *st, const struct state_thread *t);

/* Adds the places that stuck_member tells of a thread. */
void stuck_places(struct places *places, const struct state *st, const struct state_thread *t);

/* Adds the same as stuck_words with the time, the place and those who could end the wait. places: of all members. */
void stuck_member(
	struct buf *b, const struct state *st, const struct state_thread *t, struct places *places);

/* Returns one sentence that says how to avoid such a set; it is static. */
const char *stuck_remedy(const struct state *st, const struct stuck_set *set);

#endif
