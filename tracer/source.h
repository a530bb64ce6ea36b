/* source.h - where records come from: eBPF, the shim, a snapshot of /proc. */
/* SPDX-License-Identifier: MIT */
#ifndef TRACER_SOURCE_H
#define TRACER_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct authority;
struct buf;
struct rec_head;

/* How uncontended lock operations are recorded (--locks). */
enum locks_mode {
	LOCKS_MODE_AUTO,
	LOCKS_MODE_SHIM,
	LOCKS_MODE_UPROBE,
	LOCKS_MODE_FUTEX,
	LOCKS_MODE_OFF
};

/* What `run` and `attach` ask of every source. */
struct source_config {
	enum locks_mode locks; /* never AUTO here: the caller has decided */
	unsigned data_bytes;   /* payload to keep of each pipe read or write, 0 none */
	bool sched;            /* record slices of running */
	bool keep_all;         /* --fold=off: each hold of a lock, each read and write by itself */
	bool drop;             /* --overflow=drop: never let the target wait for us */
	bool stacks;           /* shim: also the callers of each acquisition */
	bool everything;       /* shim: it is the only source and records all, not locks alone */
	bool quiet;
	size_t ring_bytes; /* 0: the source's default */
	uint64_t
		memory; /* bytes that may be taken (room.h), 0: not known, as if there were plenty */
	const char *arena_dir; /* shim: 0700 directory for rings, made by the caller */
	uid_t owner;           /* shim: to whom that belongs */
	const char *shim_path; /* shim: the library */
	const char *mpi_path;  /* shim: the library for ranks of MPI jobs, or NULL */
	const char *program;   /* file that will be executed first, NULL: not known */
	struct authority
		*authority; /* asked before anything is done to a process that a record names */
};

/* Gets one record; it is valid during the call. */
typedef void source_emit(void *arg, const struct rec_head *rec);

/* Gets one line of losses: records of a kind (REC_*, 0: any) that could not be stored. */
typedef void source_loss(void *arg, const char *source, unsigned kind, uint64_t count);

/*
 * One source. The functions return 0 or a negative errno and do not print.
 * Life: available, then attach, adopt for each first task, poll until the end, detach.
 */
struct source {
	const char *name; /* "ebpf", "shim" */

	/* Says whether it could work here; adds to why (one sentence) if not. */
	int (*available)(struct buf *why);

	/* Loads and attaches. On failure adds one sentence to why and leaves nothing behind. */
	int (*attach)(struct source *s, const struct source_config *config, struct buf *why);

	/* Traces a task that exists and has not run yet (or is stopped), and all its descendants. */
	int (*adopt)(struct source *s, pid_t pid);

	/*
	 * Traces one thread that exists and may be running or blocked, and all that it makes from
	 * now on. Returns 0; -ESRCH: it has ended; -ENOTSUP: the kernel lets no other thread than
	 * the main one be named (before 6.9). NULL: the source cannot.
	 */
	int (*follow)(struct source *s, pid_t pid, pid_t tid);

	/*
	 * Says whether the kernel has a process among the traced: pidfd means the process, whose
	 * number pid is. NULL: the source does not know that from the kernel.
	 */
	bool (*has)(struct source *s, int pidfd, pid_t pid);

	/* Adds what the target's environment needs ("NAME=value" for each, NUL-terminated); NULL: nothing. */
	int (*environment)(struct source *s, struct buf *env);

	/*
	 * Hands over all records that are there, in any order. Returns 0 and sets
	 * *ret_until to a time in CLOCK_MONOTONIC: every record with a ts up to it
	 * has been handed over, now or before.
	 */
	int (*poll)(struct source *s, source_emit *emit, void *arg, uint64_t *ret_until);

	/* Makes records of what has only been counted so far, for the next poll. NULL: nothing ever is. */
	void (*settle)(struct source *s);

	/* Returns how soon records will be lost: from 0, the buffer is empty, to 100, it is full. Cheap. NULL: never. */
	unsigned (*pressure)(struct source *s);

	/* Returns how many records wait that need not be read soon, as there is much more room. NULL: none. */
	size_t (*backlog)(struct source *s);

	/* A descriptor that becomes readable when poll is worth calling before its time, or -1. */
	int (*wakeup_fd)(struct source *s);

	/* Reports all losses since attach. */
	void (*losses)(struct source *s, source_loss *loss, void *arg);

	/*
	 * Gives back at once what memory it shares with the target; what has not been read is lost. To be
	 * called in any thread while another uses the source, which is of no use afterwards. NULL: it shares none.
	 */
	void (*let_go)(struct source *s);

	/* Undoes attach; records not polled are gone. Accepts a source that was never attached. */
	void (*detach)(struct source *s);

	void *state; /* the source's own */
};

#endif
