/* locks.h - what is known of each kind of object that threads wait on, and of each call on one. */
/* SPDX-License-Identifier: MIT */
#ifndef SCHEMA_LOCKS_H
#define SCHEMA_LOCKS_H

#include <stdint.h>

#include "schema/record.h"

/*
 * Equal short holds share a row of lock_hold that covers at most this long. It, and the
 * row of a single short hold beside them, is written up to this long after its release (a little more while
 * records come in batches); every other row is written when the hold ends.
 */
#define LOCK_FOLD_NS 100000000ll

/* One line LOCK of locks.def. */
struct lock_info {
	const char *name; /* in the column lock.kind; NULL: no such kind */
	const char *noun; /* for people */
	enum wait_reason reason;
	unsigned bytes; /* of glibc's object; 0: it is none */
};

/* One line SYNC of locks.def. */
struct sync_info {
	const char *name; /* in the column sync.op; NULL: no such call */
	enum lock_kind object;
	enum wait_reason reason; /* WAIT_NONE: it does not block */
};

/* Returns what is known of a kind (enum lock_kind); any number may be asked for. */
const struct lock_info *lock_info(uint64_t kind);

/* Returns the kind of that name; LOCK_FUTEX if there is none. */
enum lock_kind lock_find(const char *name);

/* Returns what is known of a call (enum sync_op); any number may be asked for. */
const struct sync_info *sync_info(uint64_t op);

/* Type of Python's global lock; who wants it looks every 5 ms whether it is free (take_gil in Python/ceval_gil.c). */
#define LOCK_TYPE_GIL "CPython.GIL"

/* Types of what has a remedy of its own: Python's lock of a module that is imported, what Go calls once, Java's classes. */
#define LOCK_TYPE_IMPORT "importlib._ModuleLock"
#define LOCK_TYPE_ONCE "sync.Once"
#define LOCK_TYPE_CLASS "java.lang.Class" /* that is initialised */

/* Type of Java's lock whose readers are counted and not named. */
#define LOCK_TYPE_WRITE "java.util.concurrent.locks.ReentrantReadWriteLock$WriteLock"

/* Types of what no goroutine ever gets. */
#define LOCK_TYPE_EMPTY_SELECT "runtime.select {}"
#define LOCK_TYPE_NIL_CHANNEL "runtime.nil chan"

/* Type of what JavaScript waits for in shared memory. */
#define LOCK_TYPE_ATOMICS "Atomics.wait"

#endif
