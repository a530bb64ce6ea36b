/* fold.h - reads and writes of a busy thread that share a record. */
/* SPDX-License-Identifier: (MIT OR GPL-2.0-only) */
#ifndef PROBES_EBPF_FOLD_H
#define PROBES_EBPF_FOLD_H

#include "probes/ebpf/probe.h"

/*
 * Beyond the reads and writes of a thread that have a record each, those that
 * did not sleep are only counted, for each object and call, until the tracer has them
 * reported (sweep_folds, several times a second), the thread closes the object or ends, or
 * another one takes the place.
 */
enum { FOLD_PLACES = 256 };                 /* a power of two; two for each object */
#define FOLD_WINDOW(ts) ((u32)((ts) >> 27)) /* an eighth of a second */

/* Equal calls; count 0: none. */
struct io_fold {
	u64 inode;
	u64 start; /* when the first began */
	u64 last;  /* when the last ended */
	u64 bytes;
	u64 requested;
	u32 dev;
	s32 fd;
	u32 op;
	u32 count;
};

/* Those of a thread, who has none until there is something to count. */
struct io_folds {
	u32 taken; /* 1: somebody is at it, the thread or the tracer's sweep */
	u32 pad;
	struct io_fold place[FOLD_PLACES];
};

/* Only the edition of casts makes it. */
struct folds_map {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct io_folds);
};
extern struct folds_map folds SEC(".maps");

/* Set to 1 by the tracer when it can have reported what is counted. */
extern unsigned int fold_calls;

/* 1: something has been counted since the tracer set it to 0. */
extern unsigned int folding;

#ifdef EDITION_CASTS

/* Says whether the call that ends has a record of its own because there were few of late. */
static __always_inline bool fold_is_single(struct slot *slot)
{
	u32 window = FOLD_WINDOW(slot->enter_ts), passed = window - slot->io_window;

	if (passed) {
		slot->io_window = window;
		if (passed < FOLD_SINGLES / FOLD_SINGLES_PER_WINDOW)
			slot->io_singles += passed * FOLD_SINGLES_PER_WINDOW;
		else
			slot->io_singles = FOLD_SINGLES;
		if (slot->io_singles > FOLD_SINGLES)
			slot->io_singles = FOLD_SINGLES;
	}
	if (!slot->io_singles)
		return false;
	slot->io_singles--;
	return true;
}

/* Counts a call that has just ended; returns 0 where it must have a record of its own. */
GLOBAL int fold_add(struct slot *slot, const struct io *io);

/* Reports what was counted: of an object, which the thread is about to close, ... */
GLOBAL int fold_close(struct slot *slot, u64 inode);

/* ... and of all, before the current task ends or executes another program. */
GLOBAL int fold_end(struct slot *slot);

#else

static __always_inline int fold_close(struct slot *slot, u64 inode)
{
	return 0;
}

static __always_inline int fold_end(struct slot *slot)
{
	return 0;
}

#endif

#endif
