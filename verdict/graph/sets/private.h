/* private.h - what the files that find the sets share. */
/* SPDX-License-Identifier: MIT */
#ifndef VERDICT_GRAPH_SETS_PRIVATE_H
#define VERDICT_GRAPH_SETS_PRIVATE_H

#include "verdict/graph/sets/sets.h"

/*
 * Adds the sets of one solved graph: certain ones (of the generous graph), then those of the strict graph that no
 * certain set has. For sets.c.
 */
void sets_collect(
	const struct state *st, const struct providers *pr, bool certain, struct stuck_sets *sets);

/* Frees what a set has, not the set. */
void sets_free_one(struct stuck_set *s);

/*
 * Says whether the members' waits overlap for long enough, and sets since when
 * and for which reasons; for members.c.
 */
bool sets_stood(const struct state *st, struct stuck_set *s);

/* What a set is judged by. */
struct finder {
	const struct state *st;
	const struct providers *pr; /* the generous graph */
	bool any_live;              /* some thread of the trace can go on, in the strict graph */
};

/* Say whether a property is that of any member, or of all. */
bool sets_any(const struct finder *f, const struct stuck_set *s,
	bool (*is)(const struct finder *f, uint32_t member));
bool sets_all(const struct finder *f, const struct stuck_set *s,
	bool (*is)(const struct finder *f, uint32_t member));

/* Says whether a member is in a program that people can tell what to do: by a signal that it catches, or by what it has told its language's runtime. */
bool sets_takes_orders(const struct finder *f, uint32_t thread);

/* Says whether a member reads from a pipe or a connection. */
bool sets_reads(const struct finder *f, uint32_t member);

/* Says whether a member's program has a handler of its own, for a signal that it lets in, by which it is told to do something other than to end. */
bool sets_takes_requests(const struct finder *f, uint32_t member);

/* Says whether a member's program has a handler of its own by which it may be told to end. */
bool sets_takes_signals(const struct finder *f, uint32_t member);

/*
 * Says whether a member takes signals as such, by sigwait or a signalfd, in a program that blocks some by which it may be told
 * to end: so that they are taken there.
 */
bool sets_waits_for_orders(const struct finder *f, uint32_t member);

/* Changes what is said of a set that a program of a language may be in while it rests; for sets.c, when all else is judged. */
void sets_judge_rest(const struct finder *f, struct stuck_set *s);

/* Says whether two processes run the same program with the same arguments: then, as a rule, one of them has forked the other. */
bool sets_is_same_program(const struct finder *f, uint32_t a, uint32_t b);

/* Says whether a thread only waits for the end of a program that its process has started, as a shell does, or make. */
bool sets_is_launcher(const struct finder *f, const struct stuck_set *s, uint32_t thread);

/*
 * Says whether a set is a service that takes its orders from a FIFO, with those who read what it prints: no more is wrong with
 * these than with it.
 */
bool sets_is_piped_service(const struct finder *f, const struct stuck_set *s);

/* Says whether one who reads what such a service prints, itself or through others, prints to its FIFO: they go round in a circle. */
bool sets_is_fed_back(const struct finder *f, const struct stuck_set *s);

/* Says whether a conditional set only rests: it is not shown then. */
bool sets_is_idle(const struct finder *f, const struct stuck_set *s);

/* Says whether a set that looks like a program at rest lacks something without which none of it will ever go on; for idle.c. */
bool sets_lacks_something(const struct finder *f, const struct stuck_set *s);

#endif
