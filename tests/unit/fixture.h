/* fixture.h - hand-made recordings for tests of the verdict. */
/* SPDX-License-Identifier: MIT */
#ifndef TESTS_UNIT_FIXTURE_H
#define TESTS_UNIT_FIXTURE_H

#include "base/mem.h"
#include "schema/db.h"
#include "tests/unit/test.h"

#include <sqlite3.h>
#include <stdint.h>

/*
 * A recording of ten seconds in memory, closed properly. Processes have the
 * numbers 1, 2, 3; the main thread of process 1 is 10, its others are 11, 12.
 * What does not say otherwise begins at 1 s and does not end.
 */
sqlite3 *fixture_open(void);

/* The same with process 1, which has n threads besides the main one; with process 1 and its child 2. */
sqlite3 *fixture_program(int n);
sqlite3 *fixture_family(void);

/* Runs SQL; %d and the like are filled in. Fails the test on an error. */
void fixture_sql(sqlite3 *db, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* A process with its main thread; parent 0: outside. Then further threads, 11, 12... */
void fixture_process(sqlite3 *db, int id, int parent);
void fixture_threads(sqlite3 *db, int process, int n);

/* A lock; process 0: shared. Its holder. */
void fixture_lock(sqlite3 *db, int id, const char *kind, int process);
void fixture_hold(sqlite3 *db, int lock, int thread, const char *mode);

/* A lock that a thread has taken, as the only one. */
void fixture_held(sqlite3 *db, int id, const char *kind, int process, int thread);

/* A pipe, and ends of it: fd 3 reads, fd 4 writes. */
void fixture_pipe(sqlite3 *db, int id, const char *kind);
void fixture_end(sqlite3 *db, int pipe, int process, const char *mode);

/* A pipe of one process alone; a pipe, FIFO or socket with an end in each of two processes. */
void fixture_own_pipe(sqlite3 *db, int id, int process);
void fixture_joined(sqlite3 *db, int id, const char *kind, int process1, const char *mode1,
	int process2, const char *mode2);

/* A handler of a signal; a timer of process 1 that is armed, expires after the end of the recording, and sends it. */
void fixture_handler(sqlite3 *db, int process, int signo);
void fixture_timer(sqlite3 *db, const char *kind, int signo);

/* A wait; columns: "lock_id=1, timed=1" or "". Its id is the thread's. */
void fixture_wait(sqlite3 *db, int thread, const char *reason, const char *columns);

/* What verdict_stuck finds: "deadlock cycle 11 12; stuck abandoned 10", or "". Freed by the caller. */
char *fixture_stuck(sqlite3 *db);

/* What verdict_all finds, with one rule or all: "rule rule rule", or "". Freed by the caller. */
char *fixture_all(sqlite3 *db, const char *rule);

/* Fails the test unless fixture_stuck, or fixture_all, finds this; closes the recording. */
#define EXPECT_STUCK(db, wanted) EXPECT_FOUND(db, fixture_stuck(db_), wanted)
#define EXPECT_RULES(db, rule, wanted) EXPECT_FOUND(db, fixture_all(db_, rule), wanted)
#define EXPECT_FOUND(db, find, wanted)                                                             \
	do {                                                                                       \
		sqlite3 *db_ = (db);                                                               \
		_cleanup_free_ char *found_ = find;                                                \
		ASSERT_STR(found_, wanted);                                                        \
		db_close(db_);                                                                     \
	} while (0)

#endif
