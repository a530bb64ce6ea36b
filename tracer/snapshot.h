/* snapshot.h - the state of processes that were never started under pptrace, as records. */
/* SPDX-License-Identifier: MIT */
#ifndef TRACER_SNAPSHOT_H
#define TRACER_SNAPSHOT_H

#include "tracer/source.h"

struct buf;

/*
 * Reads the state of the given processes, their descendants, and whoever holds
 * the other ends of their pipes, sockets and locks, from /proc (and, where it
 * is permitted, by a BPF task iterator), and emits it as records: FOUND,
 * MODULE, END_OPEN via END_FOUND, OUTSIDE, SIG_ACTION, TIMER, FILE_LOCK,
 * WAIT_BEGIN. Only reads; stops nothing. What could not be read is added to
 * blind, one sentence a line. Returns 0, or -ESRCH (none of them is there),
 * -EACCES (none may be read), with one sentence in why.
 */
struct snapshot_config {
	const pid_t *pids;
	size_t n_pids;
	bool related; /* also descendants and the holders of other ends */
};
int snapshot_take(const struct snapshot_config *config, source_emit *emit, void *arg,
	struct buf *blind, struct buf *why);

#endif
