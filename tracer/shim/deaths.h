/* deaths.h - notice the end of processes that cannot report it themselves. */
/* SPDX-License-Identifier: MIT */
#ifndef TRACER_SHIM_DEATHS_H
#define TRACER_SHIM_DEATHS_H

#include <stdbool.h>
#include <sys/types.h>

#include "tracer/source.h"

/*
 * For recordings by the preload library alone: a process that a signal kills
 * writes no record. Each known process is watched through a pidfd, and its
 * status is taken from whoever has it: pptrace itself, which is the reaper of
 * orphans in this mode, /proc while it is a zombie, or the record of the wait call
 * that took it.
 */
struct deaths;

/* Makes pptrace the reaper of its orphaned descendants. Freed with deaths_free. */
struct deaths *deaths_new(void);
void deaths_free(struct deaths *d);

/* Watches a process. spare: its status belongs to somebody else in pptrace (the command). */
void deaths_add(struct deaths *d, pid_t pid, bool spare);

/* A descriptor that becomes readable when a process has ended. */
int deaths_fd(const struct deaths *d);

/*
 * Emits an EXIT record, at the present time, for each process that has ended since the last call
 * without telling it, in the order of their ends. To be called before the rings are drained.
 */
void deaths_poll(struct deaths *d, source_emit *emit, void *arg);

/* At the end: looks at each that is left, as a zombie may be seen before its pidfd says so. */
void deaths_settle(struct deaths *d, source_emit *emit, void *arg);

/* The same for a process whose status somebody else in pptrace has just taken. */
void deaths_ended(struct deaths *d, pid_t pid, int status, source_emit *emit, void *arg);

/*
 * Sees every record in the order of time before the model does. Returns false
 * if the record is to be dropped: the model knows that end already, or has just
 * got it with a better time. Before an EXIT come those of processes that ended
 * earlier; before a REAP that of the process, if its end was not reported.
 */
bool deaths_filter(struct deaths *d, const struct rec_head *rec, source_emit *emit, void *arg);

#endif
