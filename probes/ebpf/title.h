/* title.h - what a process calls itself, in the memory where its arguments were. */
/* SPDX-License-Identifier: (MIT OR GPL-2.0-only) */
#ifndef PROBES_EBPF_TITLE_H
#define PROBES_EBPF_TITLE_H

#include "probes/ebpf/probe.h"

/* A process that blocks all the time is not asked each time: nanoseconds. */
#define TITLE_EVERY 200000

/*
 * Reads the first string of the arguments, where setproctitle(3) and the like write, into the 64 bytes of text.
 * Returns a hash of it, or 0 if it cannot be read.
 */
static __always_inline u64 title_read(struct task_struct *task, char *text)
{
	u64 at = BPF_CORE_READ(task, mm, arg_start), hash = 0, word;

	__builtin_memset(text, 0, 64);
	if (!at || bpf_probe_read_user_str(text, 64, (void *)at) < 0)
		return 0;
#pragma unroll
	for (int i = 0; i < 64; i += 8) {
		__builtin_memcpy(&word, text + i, 8);
		hash = (hash ^ word) * 0x9e3779b97f4a7c15ull;
		hash ^= hash >> 29;
	}
	return hash | 1;
}

/* Sends the title of the current task's process if it is another than the last that this thread saw. */
static __always_inline void title_tell(struct task_struct *task, struct slot *slot)
{
	char text[64];
	u64 hash = title_read(task, text);
	struct rec_TITLE *rec;

	if (!hash || hash == slot->title)
		return;
	rec = EMIT_BEGIN(TITLE, slot);
	if (!rec)
		return;
	slot->title = hash;
	__builtin_memcpy(rec->title, text, sizeof rec->title);
	EMIT_END(rec);
}

/* The same when a thread blocks: only of main threads, which have the title most often, and not too often. */
static __always_inline void title_look(struct task_struct *task, struct slot *slot)
{
	u64 now;

	/* Within exec the new program's arguments are there already. */
	if (slot->tid != slot->pid || slot->call == CALL_EXECVE || slot->call == CALL_EXECVEAT)
		return;
	now = bpf_ktime_get_ns();
	if (now - slot->title_ts < TITLE_EVERY)
		return;
	slot->title_ts = now;
	title_tell(task, slot);
}

#endif
