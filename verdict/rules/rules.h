/* rules.h - what a rule sees and how it reports. */
/* SPDX-License-Identifier: MIT */
/*
 * To be read in this order: report.c (how a rule says what it found), process.c (rules on processes; the others are
 * like it: busy.c, locks.c, messages.c, order.c, pipes.c, pipe_leak.c with pipe_leak_load.c, polled.c, signals.c, stdio.c, trace.c;
 * stuck.c, with interrupted.c, takes deadlock and stuck from the wait-for graph), rules.c (all in turn). A rule says what
 * it found in the file that finds it; only the sentences of deadlock and stuck are elsewhere, in verdict/text.
 * mpi.c is about ranks of MPI jobs.
 */
#ifndef VERDICT_RULES_RULES_H
#define VERDICT_RULES_RULES_H

#include "verdict/finding.h"

struct buf;
struct sqlite3;

/*
 * One evaluation. A rule reads db as of now_ns (what ends later has not ended
 * yet), adds findings to out, and returns 0 or -errno with a sentence in why.
 */
struct rule_context {
	struct sqlite3 *db;
	int64_t now_ns;
	bool at_end;     /* now is the end of the trace, or its last commit */
	bool instant;    /* a snapshot: nothing is known of before */
	int64_t live_ns; /* the recording grows: what has lasted this long is told; 0: it does not */
	const struct findings *stuck; /* what deadlock and stuck have found */
	struct findings *out;
	struct buf *why;
};

typedef int rule_run(struct rule_context *ctx);

/*
 * Adds a finding with its texts. summary and explanation are taken from the
 * buffers, which are empty afterwards; explanation may be NULL. The pointer is
 * valid until the next finding is added.
 */
struct finding *rule_report(struct rule_context *ctx, const char *rule, int64_t ts_ns,
	struct buf *summary, struct buf *explanation, const char *remedy);

/* Adds a member, with the text of the buffer, which is empty afterwards (NULL: none). */
struct finding_member *rule_member(struct finding *f, struct buf *text);

/* The part of lock-contention that is about locks that are asked for again and again (polled.c). */
rule_run rule_polled;

/* Every rule of findings.def: in the file of its topic. */
#define RULE(id, name, severity, meaning, demo, function) rule_run function;
#include "schema/findings.def"
#undef RULE

#endif
