/* emit_process.h - a process that a snapshot found, as records; and where these go. */
/* SPDX-License-Identifier: MIT */
#ifndef TRACER_SNAPSHOT_EMIT_PROCESS_H
#define TRACER_SNAPSHOT_EMIT_PROCESS_H

#include <string.h>

#include "tracer/snapshot/private.h"
#include "tracer/snapshot/snapshot.h"

struct emit_out {
	source_emit *emit;
	void *arg;
	uint64_t ts; /* of what has no time of its own: before every wait */
};

/* Returns the head of a record of a task. */
static inline struct rec_head emit_head(
	const struct emit_out *o, enum rec_kind kind, size_t size, pid_t pid, pid_t tid)
{
	return (struct rec_head){.kind = (rec_u16)kind,
		.size = (rec_u16)size,
		.flags = REC_SNAP,
		.ts = o->ts,
		.pid = (rec_u32)pid,
		.tid = (rec_u32)tid};
}

/* Copies a text, cut to size and filled up with zeros. NULL: empty. */
static inline void emit_text(char *to, size_t size, const char *from)
{
	size_t len = from ? strlen(from) : 0;

	memset(to, 0, size);
	memcpy(to, from ? from : "", len < size ? len : size - 1);
}

/* Pipe kinds are file kinds less two. */
static inline enum pipe_kind emit_pipe_kind(enum file_kind kind)
{
	return (enum pipe_kind)(kind - (FILE_PIPE - PIPE_PIPE));
}

/* Emits data as MORE records. */
void emit_more(const struct emit_out *o, pid_t pid, pid_t tid, enum more_what what,
	const void *data, size_t len);

/* Emits a process: its threads, what it has mapped and open, its handlers and timers; of one that has ended, that. */
void emit_process(struct snapshot *s, const struct emit_out *o, const struct snap_process *p);

#endif
