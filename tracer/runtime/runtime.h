/* runtime.h - the threads, frames and locks of a programming language, read from a process that runs. */
/* SPDX-License-Identifier: MIT */
#ifndef TRACER_RUNTIME_RUNTIME_H
#define TRACER_RUNTIME_RUNTIME_H

/*
 * To be read in this order: runtime.c (which reader understands a process, and its
 * answers as records), process.c and memory.c (what is read of another process, or of a core), then one
 * set of files per language: cpython.c (interpreter, threads),
 * cpython_frame.c (code and frames), cpython_task.c (coroutines of an event loop),
 * cpython_object.c (strings, dictionaries, attributes), cpython_line.c (line
 * tables), cpython_join.c (threads that are joined), cpython_search.c (names of objects), cpython_lock.c (what a thread
 * waits for, by its name in the program);
 * tasks.c (threads as the kernel knows them), v8.c (functions of JavaScript), node.c; the folders hotspot, golang and ruby.
 *
 * Nothing runs in the target and nothing is stopped. What is read may be
 * garbage or change at any moment: every read is bounded, lists are cut after a
 * fixed length, and a torn read gives fewer frames, never a crash.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "schema/names.h"
#include "schema/record.h"
#include "tracer/source.h"

struct buf;
struct core;
struct memory;
struct symbols;
struct symbols_frame;

enum {
	RUNTIME_MAX_THREADS = 4096, /* of one process; the rest is left out */
	RUNTIME_MAX_FRAMES = 64     /* of one thread, from the innermost on */
};

/* A process whose runtime is to be read. */
struct runtime_process {
	pid_t pid;
	int64_t key;             /* how symbols knows it */
	struct symbols *symbols; /* borrowed */
	struct core *core; /* borrowed: that of a process which no longer runs; NULL: it runs */
	uint32_t *
		tasks; /* how many tasks have been told, of all processes; NULL: tasks without a thread are not wanted */
};

/* One frame of a thread. The texts are valid during the call that shows them. */
struct runtime_frame {
	const char *function; /* qualified: "Account.transfer" */
	const char *file;     /* path, or what the language says instead */
	int line;             /* 0: not known */
	bool is_library;      /* of the language's own library, not of the program */
};

/* What a thread waits for, as its program calls it. Empty texts: not known. */
struct runtime_lock {
	uint64_t address; /* of the futex that it sleeps on; 0: it waits for no lock */
	uint64_t object;  /* of the language; 0: not found */
	pid_t owner;      /* thread that holds it, 0: not known */
	char name[96];    /* "audit", "self.queue" */
	char type[48];    /* "threading.Lock", "queue.Queue" */
};

/*
 * What a thread waits for as its language knows it, in the place of what the
 * kernel sees; true at one moment, the same for all threads that are reported.
 */
struct runtime_wait {
	enum wait_reason reason; /* WAIT_NONE: for nothing that the language knows */
	enum lock_kind kind;     /* of the object, where it is one */
	uint64_t object; /* its address; of PIPE_READ, PIPE_WRITE and SOCKET the descriptor */
	bool is_timed;   /* for a while only */
	pid_t target; /* owner of a lock, or the thread or child waited for, or who is to write what is read; 0: not known; or RUNTIME_ANY_CHILD */
	char name[96], type[96]; /* as in runtime_lock */
};

struct runtime_thread {
	pid_t tid;
	bool is_task;         /* it has no thread: tid is from RUNTIME_TASK_FIRST on */
	bool is_housekeeping; /* it serves the runtime, and does nothing that the program could wait for */
	enum hooks hooks; /* of its program */
	bool tells_wait;  /* the reader knows what threads wait for */
	struct runtime_wait wait;
	char name[64];    /* as the language calls it; empty: it has no name of its own */
	char program[64]; /* what the process runs: a class or a file; empty: not known */
	struct runtime_frame frames[RUNTIME_MAX_FRAMES];
	size_t n_frames;
	struct runtime_lock lock;
};

/* Gets one thread; it is valid during the call. */
typedef void runtime_each(void *arg, const struct runtime_thread *t);

/* A reader for one language. */
struct runtime {
	const char *language; /* as in site.language: "python" */

	/*
	 * Calls each for every thread of the language in the process. Returns 0;
	 * -ENOENT if the process does not run this language; or another negative
	 * errno with one sentence in why: its version is not known, or its memory
	 * may not be read. With 0 a sentence there, which goes on after "Of process
	 * N", says what was not looked for.
	 */
	int (*threads)(
		const struct runtime_process *p, runtime_each *each, void *arg, struct buf *why);

	/* Says whether the process runs this language. */
	bool (*is_there)(const struct runtime_process *p);

	/* Threads that wait for its locks wake up now and then, only to wait again. */
	bool wakes_waiters;
};

extern const struct runtime runtime_cpython;
extern const struct runtime runtime_hotspot;
extern const struct runtime runtime_golang;
extern const struct runtime runtime_ruby;
extern const struct runtime runtime_node;

/*
 * Reads the runtime of a process, if there is one that a reader understands,
 * and emits for each of its threads RUNTIME_NAME, RUNTIME_FRAME from the
 * innermost frame on, and RUNTIME_LOCK, stamped with ts. Sentences about what
 * was not understood are added to blind, one a line; NULL: they are dropped.
 * Returns false if the process runs no language that can be read.
 */
bool runtime_emit(const struct runtime_process *p, uint64_t ts, source_emit *emit, void *arg,
	struct buf *blind);

/* Returns the reader for the language that a process runs, or NULL. */
const struct runtime *runtime_of(const struct runtime_process *p);

/* ---- process.c: what readers ask about a process ---- */

/* Returns its memory, of which so much may be read. */
struct memory runtime_memory(const struct runtime_process *p, size_t budget);

/* Fills ret with the path of the program, as symbols knows it; false if that is not known. */
bool runtime_exe(const struct runtime_process *p, char *ret, size_t size);

/* Opens the file of the program for reading: a descriptor, closed by the caller, or -errno. */
int runtime_open_exe(const struct runtime_process *p);

/* The system call that a thread is blocked in. */
struct runtime_call {
	int64_t nr; /* -1: none, or not known */
	uint64_t args[2];
};

/* Reads it; false if the thread runs. */
bool runtime_call_read(const struct runtime_process *p, pid_t tid, struct runtime_call *ret);

/* Walks the native stack of a thread that is blocked: as symbols_unwind_from. */
int runtime_unwind(
	const struct runtime_process *p, pid_t tid, struct symbols_frame *frames, int max);

#endif
