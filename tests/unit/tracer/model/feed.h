/* feed.h - feed hand-made records to a model and ask its database. */
/* SPDX-License-Identifier: MIT */
#ifndef TESTS_UNIT_TRACER_MODEL_FEED_H
#define TESTS_UNIT_TRACER_MODEL_FEED_H

#include "schema/record.h"
#include "tests/unit/test.h"
#include "tracer/model/model.h"
#include "tracer/store/store.h"

/*
 * A model over a new file in a directory of its own. feed_open begins, feed_at
 * sets the time and task of the records that follow, FEED sends one with the
 * fields given, feed_close ends the trace and removes the file.
 */
struct feed {
	struct model *model;
	struct store *store;
	char *dir, *path;
	uint64_t ts;
	uint32_t pid, tid, flags;
};

enum { FEED_T0 = 1000000 };

void feed_open(struct feed *f);
void feed_close(struct feed *f);

/* The records that follow are of this task, at this time since the start of the trace. */
void feed_at(struct feed *f, uint64_t ts, uint32_t pid, uint32_t tid);

/* Completes the head of a record and sends it. */
void feed_send(struct feed *f, struct rec_head *head, unsigned kind, size_t size);

/* Sends a record of a kind with these members set. */
#define FEED(f, KIND, ...)                                                                         \
	do {                                                                                       \
		struct rec_##KIND rec_ = {.head = {0}, __VA_ARGS__};                               \
		feed_send(f, &rec_.head, REC_##KIND, sizeof rec_);                                 \
	} while (0)

/* A process and its main thread, forked by the current task. */
void feed_fork(struct feed *f, uint32_t pid);

/* A thread of the current task's process. */
void feed_thread(struct feed *f, uint32_t tid);

/* Brings the database up to the time, and commits. */
void feed_flush(struct feed *f, uint64_t ts);

/* Ends the trace at the time: everything is written. */
void feed_end(struct feed *f, uint64_t ts);

/* Fails unless the query's rows, columns joined by '|' and rows by a blank, NULL as '-', are as wanted. */
void feed_expect(struct feed *f, const char *file, int line, const char *sql, const char *want);
#define EXPECT(f, sql, want) feed_expect(f, __FILE__, __LINE__, sql, want)

#endif
