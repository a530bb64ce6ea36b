/* naming.h - names of threads, locks, pipes and places, for people. */
/* SPDX-License-Identifier: MIT */
#ifndef VERDICT_NAMING_H
#define VERDICT_NAMING_H

#include <stdbool.h>
#include <stdint.h>

struct buf;
struct sqlite3;

/*
 * Each adds a name to b. Everything that comes from the traced program is
 * made printable. An id that does not exist gives "?".
 */

/*
 * Says beforehand whether the recording has all that these names are made of: 0,
 * or -EIO with a sentence in why. What cannot be read later on gives "?".
 */
int naming_check(struct sqlite3 *db, struct buf *why);

/* Part of naming_check: the queries about pipes. */
int naming_check_pipes(struct sqlite3 *db, struct buf *why);

/* Says afterwards whether all of that can be read, so that no "?" stands for a damaged page. Returns the same way. */
int naming_intact(struct sqlite3 *db, struct buf *why);

/* "sort[4711]" */
void naming_process(struct buf *b, struct sqlite3 *db, int64_t id);

/* "thread 4712 (worker) of sort[4711]"; by its language's name "thread \"report\" of bank.py[4711]"; "main thread of sort[4711]"; of a process without further threads "sort[4711]". */
void naming_thread(struct buf *b, struct sqlite3 *db, int64_t id);

/* The same with what the process called itself at a time, not last: "postgres: app db UPDATE waiting[4711]". */
void naming_process_at(struct buf *b, struct sqlite3 *db, int64_t id, int64_t at_ns);
void naming_thread_at(struct buf *b, struct sqlite3 *db, int64_t id, int64_t at_ns);

/* "mutex queue_lock"; "semaphore 0x7f..."; of a language "lock `audit` (threading.Lock)", "monitor of the java.lang.Object `Bank.audit`" */
void naming_lock(struct buf *b, struct sqlite3 *db, int64_t id);

/* What lets a thread go on that waits for this lock or semaphore: "post it", "put something into it". */
void naming_release(struct buf *b, struct sqlite3 *db, int64_t id);

/* What an object of a language's runtime is. */
enum runtime_kind {
	RUNTIME_KIND_NONE,   /* none: it is the program's own */
	RUNTIME_KIND_LOCK,   /* a lock: whoever acquired it releases it */
	RUNTIME_KIND_THREAD, /* the end of a thread, which others wait for */
	RUNTIME_KIND_POOL,   /* a pool whose worker has nothing to do */
	RUNTIME_KIND_WORK, /* what an idle service may wait for, too: something in a queue, an event */
	RUNTIME_KIND_MONITOR, /* of an object: a lock, and what others are notified through */
	RUNTIME_KIND_RESULT,  /* of work that was given to others: a future */
	RUNTIME_KIND_NEVER, /* nobody can do what would end the wait: an empty select of Go, a nil channel */
	RUNTIME_KIND_OTHER
};
enum runtime_kind naming_type_kind(const char *type);
enum runtime_kind naming_runtime_kind(struct sqlite3 *db, int64_t id);

/* "pipe 3 (ls -> sort)"; "FIFO /tmp/f" */
void naming_pipe(struct buf *b, struct sqlite3 *db, int64_t id);

/* " at queue.c:17 (push)"; nothing if it is not known. */
void naming_site(struct buf *b, struct sqlite3 *db, int64_t id);

/* Says whether a place is in a header of the compiler, as std::mutex::lock is in a program that was not optimised: its caller is of use. */
bool naming_is_in_header(struct sqlite3 *db, int64_t id);

/* "0.103 s" since the start of the trace. */
void naming_time(struct buf *b, int64_t ns);

/* "SIGTERM" */
void naming_signal(struct buf *b, int signo);
/* "SIGHUP, SIGINT, SIGTERM and 13 others": those that are sent most come first. A shell with a trap on EXIT catches all that would end it. */
void naming_signals(struct buf *b, uint64_t set);

/* "3 threads", "1 thread": an s is added unless n is 1. */
void naming_count(struct buf *b, int64_t n, const char *what);

#endif
