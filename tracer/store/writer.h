/* writer.h - a thread that does the store's work in order, while more is being prepared. */
/* SPDX-License-Identifier: MIT */
#ifndef TRACER_STORE_WRITER_H
#define TRACER_STORE_WRITER_H

#include "tracer/store/rows.h"

#include <stdbool.h>

/* One piece of work: rows of a table, or, if sql is set, a text of SQL. */
struct job {
	struct job *next;
	char *sql; /* owned */
	int table;
	bool replacing;
	struct store_rows rows; /* data has room for STORE_ROOM bytes */
};

/* Room for the rows of one job. */
enum { STORE_ROOM = 1024 * 80 };

/* Returns an empty job; freed with job_free. */
struct job *job_new(void);
void job_free(struct job *j);

struct writer;

/*
 * Starts a thread that calls run for each job, one after the other. All
 * signals are blocked in it. Returns NULL if no thread can be started: then the
 * caller does the work itself.
 */
struct writer *writer_start(void (*run)(void *arg, struct job *j), void *arg);

/* Hands over a job; waits while too many are ahead of it. */
void writer_push(struct writer *w, struct job *j);

/* Returns a job to fill: a used one if there is one. */
struct job *writer_spare(struct writer *w);

/* Waits until all jobs are done. */
void writer_drain(struct writer *w);

/* Drains, ends the thread and frees the writer. Accepts NULL. */
void writer_stop(struct writer *w);

#endif
