/* verdict.h - why is it stuck, and what else is wrong: rows in, findings out. */
/* SPDX-License-Identifier: MIT */
/*
 * To be read in this order: finding.c (what a finding is, and its rows), naming.c with naming_pipe.c, runtime_words.c and
 * place.c (names of threads, locks, pipes and places), the folder graph (who can never proceed), text (the words of such
 * sets), rules (every rule), terminal.c, json.c and the folder ci (findings printed), unjudged.c (what was not taken
 * into account), lessons.c (pptrace explain).
 */
#ifndef VERDICT_VERDICT_H
#define VERDICT_VERDICT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct sqlite3;

/* How many rules there are. */
enum {
	RULE_COUNT = 0
#define RULE(id, name, severity, meaning, demo, function) +1
#include "schema/findings.def"
#undef RULE
};

/* One member of a finding, in order; ids are those of the database, 0: none. */
struct finding_member {
	int64_t thread_id, process_id, lock_id, pipe_id, site_id, wait_id, stack_id;
	char *text;
};

/* One finding; see the table finding. */
struct finding {
	const char *rule;     /* name, from findings.def */
	const char *severity; /* "error", "warning", "info" */
	bool certain;
	bool flight; /* it would be certain but for bytes of TCP connections that may be under way */
	int64_t ts_ns;
	int64_t apart_ns; /* so far ts_ns may be off, for clocks of several hosts differ; 0: they are of one */
	const char *shape; /* NULL, "cycle", "self", "knot", "abandoned" */
	char *summary, *explanation, *remedy;
	struct finding_member *members;
	size_t n_members;
};

struct findings {
	struct finding *list; /* ordered: errors, warnings, info; certain first; by time */
	size_t n;
};

void findings_free(struct findings *f);

/*
 * Evaluates the wait-for graph alone (rules deadlock and stuck) as of the time at_ns; INT64_MAX: the end, or the
 * last commit. all: also what is at rest, which is not shown by default (idle event loops, servers and services).
 * Whether bytes are under way in the TCP connections of a set is for the caller to look at: a recording does not
 * tell. Returns 0 and *ret, which the caller frees with findings_free; or -errno with one sentence in why. Only
 * reads.
 */
int verdict_stuck(
	struct sqlite3 *db, int64_t at_ns, bool all, struct findings *ret, struct buf *why);

/*
 * Appends what the verdict on the time at_ns (INT64_MAX: the end, or the moment of a snapshot) could not take into
 * account, a sentence a line: language runtimes whose locks it does not know, waits whose other side it does not
 * follow. Where nothing was found, this is what may still be wrong. Returns 0 or -errno with one sentence in why.
 */
int verdict_unjudged(struct sqlite3 *db, int64_t at_ns, struct buf *out, struct buf *why);

/*
 * Evaluates every rule, or only the named one (rule not NULL), as of at_ns. all: also what is
 * at rest. Otherwise as verdict_stuck.
 */
int verdict_all(struct sqlite3 *db, int64_t at_ns, const char *rule, bool all, struct findings *ret,
	struct buf *why);

/*
 * Evaluates what is worth telling while the trace grows: verdict_stuck, and pipe-end-leak of waits that have lasted
 * least_ns. Otherwise as verdict_stuck.
 */
int verdict_live(
	struct sqlite3 *db, int64_t least_ns, bool all, struct findings *ret, struct buf *why);

/*
 * Evaluates every rule for the end of a trace. Of what was reported while it lasted a set stays found if it stood
 * until somebody outside interrupted or killed a program; a certain one also if whatever signal ended one of its
 * members: when it took its time to arrive, the moment before it is hard to find again.
 * Otherwise as verdict_stuck.
 */
int verdict_end(struct sqlite3 *db, bool all, const struct findings *reported, struct findings *ret,
	struct buf *why);

/* So long before a signal was sent: the kernel wakes whom it interrupts, perhaps on another processor, before it tells that it was. */
#define VERDICT_BEFORE_SIGNAL_NS 1000000

/* A signal by which somebody outside, or pptrace, ended what was recorded. */
struct interruption {
	int64_t at_ns; /* when it came, in nanoseconds since the start of the trace */
	int signo;
	bool by_pptrace; /* --on-deadlock or --timeout sent it */
};

/*
 * Says whether somebody outside interrupted or killed what was recorded, which ended soon after, and by what: the first
 * of those signals. Returns 1, 0: nobody did, or -EIO with a sentence in why.
 */
int verdict_interrupted(struct sqlite3 *db, struct interruption *ret, struct buf *why);

/*
 * The same for processes in groups, which are of those whose ids are equal but for the lowest bits: calls found for each
 * group that somebody interrupted. Returns 0 or -EIO.
 */
int verdict_interrupted_groups(struct sqlite3 *db, int bits,
	void (*found)(void *arg, int64_t group, const struct interruption *in), void *arg,
	struct buf *why);

/* Appends copies to a list, which the caller frees with findings_free. */
void verdict_remember(struct findings *reported, const struct findings *found);

/* Writes findings into the tables finding and finding_member, replacing what was there. Returns 0 or -errno. */
int verdict_store(struct sqlite3 *db, const struct findings *f, struct buf *why);

/* Reads the findings that are stored. Returns as verdict_stuck. */
int verdict_load(struct sqlite3 *db, struct findings *ret, struct buf *why);

/* Returns the name of a rule as findings.def has it, which is static, or NULL if no rule has that name. */
const char *verdict_rule(const char *name);

/* Adds the text of a finding in jstack's form; colour: with ANSI colours. */
void verdict_text(struct buf *out, struct sqlite3 *db, const struct finding *f, bool colour);

/* Adds the stacks of its members, as far as they were taken: every frame, a line each. */
void verdict_stacks(struct buf *out, struct sqlite3 *db, const struct finding *f);

#endif
