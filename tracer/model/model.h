/* model.h - turn records into processes, threads, intervals: rows of the database. */
/* SPDX-License-Identifier: MIT */
#ifndef TRACER_MODEL_MODEL_H
#define TRACER_MODEL_MODEL_H

/*
 * To be read in this order: state.h (what is known), private.h (what each file
 * offers the others), model.c (a record finds its handler). Then the floors, from
 * the ground up; no file calls one above it.
 *   identity:   process.c, detail.c, folding.c, pipe.c, socket.c, pipe_end.c, site.c, timer.c, signal.c,
 *               sample.c, io_fold.c; the folder locks: who has which, who can reach it
 *   intervals:  mpi.c (ranks and messages), repeat.c (waits that begin again), wait.c, reason.c (why a call blocks), call.c (library calls)
 *   life:       life.c (ends, flush, retirement)
 *   handlers:   fork.c, exec.c, wait_event.c, sync.c, io.c, runtime.c, mpi_event.c;
 *               a record that concerns one file below alone is handled there
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "tracer/model/detail.h"

struct authority;
struct model;
struct rec_head;
struct store;
struct symbols;
struct trim;

struct model_config {
	uint64_t t0; /* CLOCK_MONOTONIC of the start of the trace, ns */
	int64_t started_unix_ns;
	pid_t tracer_pid; /* pptrace itself: the parent outside the trace */
	unsigned data_bytes;
	struct symbols *symbols; /* borrowed; NULL: sites stay unresolved */
	struct authority
		*authority; /* borrowed: which processes may be read; NULL: all that are recorded */
	bool keep_all;      /* each hold of a lock, each read and write has a row of its own */
	struct detail_choice detail; /* of what there are rows at all */
	struct trim *trim; /* borrowed; removes old detail before a commit; NULL: all is kept */
	bool is_snapshot;  /* the records are those of one moment, and there are no others */
	bool has_command; /* of a command that pptrace starts: what that has at its start is what it was given */
};

/* Returns a model that writes to store (borrowed); freed with model_free. */
struct model *model_new(struct store *store, const struct model_config *config);

/* Frees the model without writing anything. Accepts NULL. */
void model_free(struct model *m);

/*
 * Takes one record. Records come in the order of their ts; one that is
 * malformed or contradicts what is known is counted and skipped, never trusted.
 */
void model_feed(struct model *m, const struct rec_head *rec);

/*
 * Writes everything up to the time now (CLOCK_MONOTONIC, ns): intervals that
 * are open become rows with a NULL end; lock_open, lock_stat, lock_edge, lane
 * are brought up to date; trace.duration_ns is set. The caller commits.
 * Returns 0 or -errno of the store.
 */
int model_flush(struct model *m, uint64_t now);

/* Notes what CLOCK_MONOTONIC (ts) and CLOCK_REALTIME (unix_ns) showed at one moment. */
void model_clock(struct model *m, uint64_t ts, uint64_t unix_ns);

/* model_flush, and closes what the end of a trace closes (processes that pptrace saw end, reasons of stale rows). */
int model_finish(struct model *m, uint64_t now);

/* What is counted of one kind of loss: no source loses more in a lifetime, and their sum does not overflow. */
#define MODEL_LOSS_MAX ((uint64_t)1 << 48)

/*
 * To be called at the end after losses: gone says of a thread that was not seen to end whether it is no
 * more. Such ones ended now at the latest, nobody knows how; a process with the last of its threads.
 */
void model_settle_gone(struct model *m, bool (*gone)(uint64_t pid, uint64_t tid), uint64_t now);

/* Notes of the program that a process just executed whether it makes system calls past the C library; blind: which nobody records. */
void model_raw_calls(struct model *m, uint64_t pid, bool raw, bool blind);

/* Counts losses (source_loss): kept in the tables lost and trace. The newest count replaces an older one. */
void model_loss(void *model, const char *source, unsigned kind, uint64_t count);

/* All counts are of the moment now (CLOCK_MONOTONIC): what is more than at the last such moment was lost in between (table gap). */
void model_losses_are_read(struct model *m, uint64_t now);

/* pptrace itself is about to send a process a signal: the row of the signal will say so. */
void model_acts(struct model *m, pid_t pid, int signo);

/* Returns how many processes have not ended. */
unsigned model_alive(const struct model *m);

/* Calls each with the pid and name of every process that has not ended. */
void model_each_alive(
	const struct model *m, void (*each)(void *arg, pid_t pid, const char *name), void *arg);

/* Returns since when (CLOCK_MONOTONIC ns) the longest still open wait that is not obviously live has lasted, or 0: none. */
uint64_t model_oldest_wait(const struct model *m);

/*
 * Finds out of each file lock that is waited for who has its open file description now: it may have been sent in a message. One
 * that its taker has closed is held on by another process of the trace that has it, or else by nobody who is known.
 * ts: now, in CLOCK_MONOTONIC ns.
 */
void model_file_locks_examine(struct model *m, uint64_t ts);

/* Returns how many records were skipped as malformed or contradictory. */
uint64_t model_skipped(const struct model *m);

#endif
