/* stuck.h - the text of a finding about threads that cannot proceed: deadlock and stuck. */
/* SPDX-License-Identifier: MIT */
/*
 * To be read in this order: stuck_text.c (a set as a finding: summary, explanation, what would release it),
 * stuck_member.c (one thread: what it waits for), stuck_provider.c (who could end that), stuck_futex.c (what its futex
 * belongs to), stuck_holder.c (who of a set has the locks), stuck_remedy.c (what to do about it).
 * The other rules find and say theirs in one place: verdict/rules/<topic>.c. The names of threads, locks and places
 * in all of them come from verdict/naming.c and place.c; terminal.c, json.c and ci/ print what is said.
 */
#ifndef VERDICT_TEXT_STUCK_H
#define VERDICT_TEXT_STUCK_H

#include "verdict/graph/sets/sets.h"
#include "verdict/verdict.h"

struct places;

/* So many threads, processes or ranks of a kind are named; of more it is said that there are others. */
enum { STUCK_LIST_MAX = 8 };

/* Makes a finding of a set: rule deadlock if it is certain, else stuck. */
void stuck_describe(const struct state *st, const struct stuck_set *set, struct findings *fs);

/* Adds what a thread waits for: "waits for the mutex lock_b". */
void stuck_words(struct buf *b, const struct state *st, const struct state_thread *t);

/* Adds the places that stuck_member tells of a thread. */
void stuck_places(struct places *places, const struct state *st, const struct state_thread *t);

/* Adds the same as stuck_words with the time, the place and those who could end the wait. places: of all members. */
void stuck_member(
	struct buf *b, const struct state *st, const struct state_thread *t, struct places *places);

/* ---- stuck_provider.c ---- */

/* Adds who could end the wait of a thread, and what keeps each from it: the holders of a lock, the other ends of a pipe, ranks. places: of all members. */
void stuck_providers(
	struct buf *b, const struct state *st, const struct state_thread *t, struct places *places);

/* Adds " since 0.331 s", ns being nanoseconds since the start of the trace; nothing in a snapshot, which does not know it. */
void stuck_since(struct buf *b, const struct state *st, int64_t ns);

/* ---- stuck_futex.c ---- */

/* Adds "waits for the mutex 0x7f... (std::sync::Mutex)"; false, and adds nothing, where the thread's stack does not say what its futex belongs to. */
bool stuck_futex(struct buf *b, const struct state *st, const struct state_wait *w);

/* Says whether it belongs to a lock. */
bool stuck_futex_is_lock(const struct state *st, const struct state_wait *w);

/* ---- stuck_holder.c ---- */

/* Says whether a member waits for a lock that another thread of its parent held at the fork. */
bool stuck_wants_copy(const struct state *st, const struct stuck_set *s);

/* Says whether a member has what another member, or itself, waits for. */
bool stuck_has_holder(const struct state *st, const struct stuck_set *s);

/* Says whether all members want to write what a read-write lock guards, and one of them has that lock for reading. */
bool stuck_is_upgrade(const struct state *st, const struct stuck_set *s);

/* Says whether a member waits for a semaphore that it uses as a lock and has itself. */
bool stuck_wants_own(const struct state *st, const struct stuck_set *s);

/* Says whether who waits for a child has a lock that another member waits for. */
bool stuck_is_held_by_parent(const struct state *st, const struct stuck_set *s);

/* ---- stuck_remedy.c ---- */

/* Returns one sentence that says how to avoid such a set; it is static. */
const char *stuck_remedy(const struct state *st, const struct stuck_set *set);

#endif
