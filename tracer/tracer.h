/* tracer.h - record: sources in, database out. */
/* SPDX-License-Identifier: MIT */
/*
 * To be read in this order: source.h (what a source of records is), choose.c (which sources), the folder target
 * (the command), merge.c (one order of time), open.c, tracer.c and close.c (the recording) with room.c, shortage.c,
 * give_way.c and urgency.c, the folder detect (deadlocks while it grows), attach.c (what runs
 * already), inspect.c with inspect_judge.c (the same without recording).
 */
#ifndef TRACER_TRACER_H
#define TRACER_TRACER_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "tracer/model/detail.h"
#include "tracer/source.h"

/*
 * Owns the sources, the merge, the model and the store of one recording. The
 * caller owns the command and the loop: it calls tracer_poll whenever a
 * descriptor is ready or the time that tracer_timeout gave has passed.
 */
struct tracer;
struct buf;
struct findings;
struct sqlite3;
struct user;

enum tracer_backend { BACKEND_AUTO, BACKEND_EBPF, BACKEND_SHIM };

/* Whether calls of MPI are recorded: AUTO where the command starts ranks of MPI jobs, or is one. */
enum mpi_mode { MPI_MODE_AUTO, MPI_MODE_ON, MPI_MODE_OFF };

struct tracer_config {
	const char *path;            /* the database to make */
	enum tracer_backend backend; /* where events come from */
	enum locks_mode locks;       /* how lock operations are recorded */
	enum mpi_mode mpi;           /* and calls of MPI */
	unsigned data_bytes;         /* payload kept of each pipe read or write */
	bool sched;                  /* record slices of running */
	bool stacks;                 /* of each acquisition of a lock the callers too */
	struct detail_choice detail; /* of what there are rows at all */
	bool keep_all;     /* each hold of a lock, each read and write has a row of its own */
	bool drop;         /* never let the target wait for us */
	bool may_sample;   /* look again and again where eBPF is not permitted */
	bool quiet;        /* sources need not say what they cost others */
	bool peers;        /* look where threads wait that wait for other hosts */
	size_t ring_bytes; /* 0: default */
	bool all;          /* also report what is at rest: event loops, servers, services */
	int64_t max_bytes; /* of the file: beyond that the oldest detail goes; 0: any number */
	int64_t last_ns;   /* how long detail is kept; 0: always */
	int64_t watch_ns;  /* look for a deadlock when a wait has lasted that long; 0: never */
	char *const *argv; /* the command, for trace.command */
	const struct user *user; /* as whom the command runs; NULL: as we do */
	const char *program;     /* the file that will be executed; NULL: attaching to what runs */
	const char *options;     /* JSON object for trace.options, or NULL */
	FILE *dump;              /* every record as text, or NULL */
};

/*
 * Chooses and attaches sources and makes the database. Returns 0 and *ret; or
 * a negative errno with one sentence, without a full stop, in why: -EPERM if no
 * source is permitted here. notes gets sentences, one a line, about what was
 * chosen instead of something better.
 */
int tracer_open(const struct tracer_config *config, struct tracer **ret, struct buf *notes,
	struct buf *why);

/*
 * Chooses and attaches sources as tracer_open does, and detaches them again.
 * *ret, to be freed with choice_done in any case, is what tracer_open would record with.
 */
struct choice;
int tracer_try(
	const struct tracer_config *config, struct choice *ret, struct buf *notes, struct buf *why);

/* Adds what the environment of the command needs ("NAME=value", each NUL-terminated). Returns 0 or -errno. */
int tracer_environment(struct tracer *t, struct buf *env);

/* Traces a task and all its descendants from now on. Returns 0 or -errno. */
int tracer_adopt(struct tracer *t, pid_t pid);

/* Tells how an adopted task ended: its status (wait(2)) was taken by the caller, no source can read it any more. */
void tracer_ended(struct tracer *t, pid_t pid, int status);

/*
 * Traces a thread that exists already, and what it makes from now on. Returns 0 or -errno as source.follow;
 * -ENOTSUP too if no source can.
 */
int tracer_follow(struct tracer *t, pid_t pid, pid_t tid);

/* Says whether the processes are looked at again and again, so that no other snapshot is needed. */
bool tracer_samples(const struct tracer *t);

/* Takes a record from elsewhere (a snapshot); a source_emit whose arg is the tracer. */
void tracer_emit(void *tracer, const struct rec_head *rec);

/* Adds sentences, one a line, to trace.blind_spots. */
void tracer_blind(struct tracer *t, const char *lines);

/*
 * Drains the sources, feeds the model, commits when it is time. Returns 0, or
 * a negative errno once the database cannot be written (tracer_error says why):
 * recording has then been stopped and the command is left in peace.
 */
int tracer_poll(struct tracer *t);

/* Returns how many events are known to be lost so far. Less than before: some came after all. */
uint64_t tracer_lost(const struct tracer *t);

/* Drains, and commits everything up to now. Returns as tracer_poll. */
int tracer_commit(struct tracer *t);

/* Returns how long to wait before the next tracer_poll, in milliseconds: short while much happens. */
int tracer_timeout(const struct tracer *t);

/* A descriptor whose readability is worth a tracer_poll before that time. */
int tracer_wakeup_fd(const struct tracer *t);

/* Returns how many processes have not ended. Those that are gone though their end was never seen count as ended. */
unsigned tracer_alive(struct tracer *t);

/* Calls each for every process of the recording that has not ended. What records alone claim to belong to it does not count. */
void tracer_each_alive(
	struct tracer *t, void (*each)(void *arg, pid_t pid, const char *name), void *arg);

/*
 * Sends a signal to a process of the recording. Returns 0 or -errno; -EPERM too if
 * the process is not known to the kernel as one of the recording, whatever was recorded.
 */
int tracer_signal(struct tracer *t, pid_t pid, int signo);

/*
 * Returns when pid (0: any process) was first sent signo at the time since_ns (CLOCK_MONOTONIC) or later, as far as was
 * seen; 0: it was not.
 */
uint64_t tracer_saw_signal(const struct tracer *t, pid_t pid, int signo, uint64_t since_ns);

/*
 * Looks for sets of threads that can never proceed, if some wait has become
 * old enough and something has changed since it last looked, or was found out
 * by looking. Returns true with findings that were not reported before and that
 * a second look confirmed (freed with findings_free).
 */
bool tracer_detect(struct tracer *t, struct findings *ret);

/* Returns a read connection to the growing database for verdict_text, or NULL; it belongs to the tracer. */
struct sqlite3 *tracer_reader(struct tracer *t);

/*
 * Looks from outside where the threads wait, commits, and returns a read connection of the caller's, to be closed
 * with db_close; NULL with a sentence in why, or without one where nothing is recorded any more.
 */
struct sqlite3 *tracer_look(struct tracer *t, struct buf *why);

/* Returns the sets that tracer_detect has handed out so far; they belong to the tracer. */
const struct findings *tracer_reported(const struct tracer *t);

/* Returns a time of CLOCK_MONOTONIC as the recording counts: nanoseconds since its start. */
int64_t tracer_time(const struct tracer *t, uint64_t ts);

/* What a recording amounts to. */
struct tracer_summary {
	uint64_t processes, threads, records, lost, skipped;
	uint64_t errors, warnings, infos; /* findings */
	int64_t detail_since_ns; /* what ended earlier is there in sums only; 0: all is there */
	int64_t duration_ns;
	const char *backend;
};

/* How the command ended; status as wait(2) gives it. */
struct tracer_outcome {
	bool ended;
	int status;
};

/*
 * Gives back at once what memory is shared with the command; what was not read is lost, and the recording is of no use
 * any more. May be called in any thread; allocates nothing.
 */
void tracer_let_go(struct tracer *t);

/*
 * Ends the recording: last drain, findings, indexes, detach. Fills *ret_summary.
 * Frees the tracer in any case. Returns 0 or the negative errno of the database with a sentence in why.
 */
int tracer_close(struct tracer *t, const struct tracer_outcome *outcome,
	struct tracer_summary *ret_summary, struct buf *why);

/* Returns what is wrong with the database, or NULL. */
const char *tracer_error(const struct tracer *t);

/*
 * To be called after each tracer_poll: looks now and then how much memory is left, and gives up
 * locks, then all, before the command suffers. Returns a sentence for the user if
 * it just did so, freed by the caller; or NULL.
 */
char *tracer_give_way(struct tracer *t);

#endif
