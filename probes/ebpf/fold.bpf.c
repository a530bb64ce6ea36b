/* fold.bpf.c - reads and writes of a busy thread are counted, and reported together. */
/* SPDX-License-Identifier: (MIT OR GPL-2.0-only) */
#include "probes/ebpf/fold.h"

#ifdef EDITION_CASTS

/* Whoever finds the folds taken does without; nobody waits. */
static __always_inline bool folds_take(struct io_folds *all)
{
	return __sync_lock_test_and_set(&all->taken, 1) == 0;
}

static __always_inline void folds_give_back(struct io_folds *all)
{
	__sync_lock_test_and_set(&all->taken, 0);
}

/* Where calls are counted: descriptors that were made one after the other do not share a place. */
static __always_inline u32 place_of(u64 inode, bool writes)
{
	return (inode * 2 + writes) & (FOLD_PLACES - 1);
}

static __always_inline bool op_writes(u32 op)
{
	return op == IO_WRITE || op == IO_WRITEV || op == IO_SEND;
}

/* Reports what was counted in a place. Where the ring has no room it is lost, which is counted, too. */
static __noinline int fold_send(struct io_fold *f, u32 pid, u32 tid)
{
	struct rec_PIPE_FOLD *rec;
	u32 count;

	if (!f || !f->count)
		return 0;
	count = f->count;
	f->count = 0;
	rec = emit_begin(REC_PIPE_FOLD, sizeof *rec, pid, tid);
	if (!rec)
		return 0;
	rec->dev = f->dev;
	rec->inode = f->inode;
	rec->fd = (s64)f->fd;
	rec->op = f->op;
	rec->start = f->start;
	rec->last = f->last;
	rec->count = count;
	rec->requested = f->requested;
	rec->bytes = f->bytes;
	emit_end(rec);
	return 0;
}

/* A walk over the places of a thread. */
struct folds_walk {
	struct io_folds *all;
	u32 pid;
	u32 tid;
};

static __noinline long folds_step(u32 index, void *arg)
{
	struct folds_walk *w = arg;
	struct io_fold *f = &w->all->place[index & (FOLD_PLACES - 1)];

	if (f->count)
		fold_send(f, w->pid, w->tid);
	return 0;
}

/* Reports all that a thread has counted. */
static __always_inline void folds_send(struct task_struct *task, const struct slot *slot)
{
	struct io_folds *all = bpf_task_storage_get(&folds, task, NULL, 0);
	struct folds_walk w = {.all = all, .pid = slot->pid, .tid = slot->tid};

	if (!all || !folds_take(all))
		return;
	/* A loop the verifier would go through round by round, which takes it longer than all programs together. */
	bpf_loop(FOLD_PLACES, folds_step, &w, 0);
	folds_give_back(all);
}

static __always_inline bool is_equal(const struct io_fold *f, const struct io *io)
{
	return f->inode == io->inode && f->op == io->op && f->fd == io->fd && f->dev == io->dev;
}

int fold_add(struct slot *slot, const struct io *io)
{
	struct io_folds *all;
	struct io_fold *f;

	if (!slot || !io)
		return 0;
	all = bpf_task_storage_get(&folds, task_current(), NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!all || !folds_take(all))
		return 0;
	f = &all->place[place_of(io->inode, op_writes(io->op))];
	if (f->count && !is_equal(f, io))
		fold_send(f, slot->pid, slot->tid);
	if (!f->count) {
		f->inode = io->inode;
		f->dev = io->dev;
		f->fd = io->fd;
		f->op = io->op;
		f->start = slot->enter_ts;
		f->bytes = f->requested = 0;
		folding = 1;
	}
	f->count++;
	f->bytes += io->result;
	f->requested += io->requested;
	f->last = bpf_ktime_get_ns();
	folds_give_back(all);
	return 1;
}

int fold_close(struct slot *slot, u64 inode)
{
	struct io_folds *all;

	if (!slot)
		return 0;
	all = bpf_task_storage_get(&folds, task_current(), NULL, 0);
	if (!all || !folds_take(all))
		return 0;
	for (u32 writes = 0; writes < 2; writes++) {
		struct io_fold *f = &all->place[place_of(inode, writes)];

		if (f->inode == inode)
			fold_send(f, slot->pid, slot->tid);
	}
	folds_give_back(all);
	return 0;
}

int fold_end(struct slot *slot)
{
	if (slot)
		folds_send(task_current(), slot);
	return 0;
}

#endif

/* Reports what all threads have counted. The tracer runs it while there is something. */
SEC("iter/task")
int sweep_folds(struct bpf_iter__task *ctx)
{
#ifdef EDITION_CASTS
	struct task_struct *task = ctx->task;
	struct slot *slot = task ? slot_find(task) : NULL;

	if (slot)
		folds_send(task, slot);
#endif
	return 0;
}
