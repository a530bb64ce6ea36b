/* private.h - what the files of the recording loop share. */
/* SPDX-License-Identifier: MIT */
#ifndef TRACER_PRIVATE_H
#define TRACER_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/hash.h"
#include "tracer/choose.h"
#include "tracer/tracer.h"
#include "tracer/urgency.h"
#include "verdict/verdict.h"

struct sent_signal {
	uint64_t ts;
	pid_t pid;
	int signo;
};

struct tracer {
	struct choice choice;
	struct tracer_config config;
	struct room *room;
	struct authority *authority;
	struct merge *merge;
	struct symbols *symbols;
	struct store *store;
	struct trim *trim; /* NULL: all is kept */
	struct model *model;
	struct detector *detector;
	struct silent *silent; /* NULL: without --watch */
	struct details *details;
	struct deaths *deaths; /* --backend=shim only */
	struct plain *plain;   /* which programs are executed without the library; NULL: none */
	char *path, *arena;
	pid_t sweeper;      /* removes the arena should this process be killed; 0: there is none */
	uint64_t t0, until; /* start; the watermark */
	uint64_t committed_at, gone_at, clock_at; /* when last done */
	uint64_t ended_at;  /* when the end of the command was noticed; 0: it has not ended */
	uint64_t absent_at; /* when nobody whom the model knows was there; 0: never */
	uint64_t changed_at, evaluated_at; /* last record, last evaluation */
	uint64_t evaluate_not_before;
	uint64_t
		ripe_at; /* when the watermark has come so far what was too young is looked at again; 0: nothing was */
	uint64_t records, committed_records, lost;
	uint64_t lost_before; /* by sources that were given up */
	uint64_t losses_at;   /* when they were read */
	uint64_t room_at;     /* when it was last asked how much memory is left */
	int timeout_ms, wakeup, error;
	struct urgency urgency;
	bool attached[2];
	struct shortage *shortage; /* looks for it in a thread of its own, or NULL */
	bool is_short;             /* memory ran out, and nothing is recorded any more */
	unsigned shortages;
	struct findings reported; /* sets that were reported */
	bool is_evaluating;       /* an evaluation of the graph has begun */
	bool is_hurried;          /* it began sooner than its share of the time allows */
	struct hash
		images; /* lock source of program files, by device and inode; the value is 1 + enum lock_source */
	struct sent_signal sent[32]; /* the latest, in a ring */
	size_t n_sent;
};

/* Detaches the sources that are attached. */
void tracer_detach(struct tracer *t);

/* Frees everything without writing; the database stays as last committed. */
void tracer_free(struct tracer *t);

/* Feeds the model one record, and notes what the recording itself needs of it. tracer: struct tracer. */
struct rec_head;
void tracer_feed(void *tracer, const struct rec_head *rec);

/* Writes what both clocks show now. */
void tracer_note_clock(struct tracer *t);

/* Drains all sources and feeds the model up to the time that they have in common. Returns how many records. */
size_t tracer_drain(struct tracer *t);

/*
 * Watches from now on how much memory is left, in a thread of its own if the control group
 * is small: that one gives back at once what is shared with the command. To be
 * called when the sources are attached, and ended before they are detached.
 */
void shortage_watch(struct tracer *t);
void shortage_end(struct tracer *t);

/* Says whether there is, or a moment ago was, too little. */
bool shortage_is_there(struct tracer *t, uint64_t now);

/* Feeds the model what has not reached that time; at the end only. */
void tracer_drain_rest(struct tracer *t);

/* Tells the model what the sources have lost so far. */
void tracer_read_losses(struct tracer *t);

#endif
