/* wait.c - blocked threads: as the kernel records them, or the library. */
/* SPDX-License-Identifier: MIT */
/*
 * The kernel says when a thread is switched out inside a call and when it goes on (WAIT_BEGIN, WAIT_END). The
 * library says when a call begins that may wait (LOCK_REQUEST, SYNC_BEGIN) and when it is over. Where both record
 * it, the kernel's interval counts and the library names the object; where only the library does, its call is the
 * wait. One row either way.
 */
#include "tracer/model/private.h"

#include "base/mem.h"
#include "schema/locks.h"
#include "schema/names.h"

#include <asm/unistd.h>
#include <inttypes.h>

/* Sets of descriptors of shorter waits are not kept. */
static const int64_t keep_set_ns = 1000000;
/* Sleeps from this on tell which locks were held. */
static const int64_t keep_holds_ns = 10000000;
/* What a descriptor is polled for and can become ready for: no read end of a pipe ever is for writing (pipe_poll). */
static unsigned item_mode(
	const struct proc *p, const struct rec_poll_item *item, const struct pipe *pipe)
{
	unsigned mode = (item->events & 1 ? END_READ : 0) | (item->events & 4 ? END_WRITE : 0);
	const struct pipe_end *e = pipe ? model_find_pipe_end(p, item->fd) : NULL;

	return e && e->pipe == pipe && !pipe_is_two_sided(pipe->kind) ? mode & e->mode : mode;
}

static void write_items(struct model *m, const struct thread *t)
{
	const struct wait *w = &t->wait;

	for (unsigned i = 0; i < w->n_items; i++) {
		const struct rec_poll_item *item = &w->items[i];
		uint8_t side = 0;
		const struct pipe *pipe = model_find_pipe(m, item->dev, item->inode, &side);
		const struct proc *peer =
			item->file_kind == FILE_PIDFD ? model_find_proc(m, item->peer) : NULL;

		store_put(m->store, STORE_WAIT_ON,
			&(struct row_wait_on){.wait_id = w->row,
				.ordinal = i,
				.fd = (int32_t)item->fd,
				.kind = item->file_kind == FILE_SOCKET && item->peer
						? "netlink"
						: names_file_kind(item->file_kind),
				.mode = names_end_mode(item_mode(t->proc, item, pipe)),
				.pipe_id = pipe ? pipe->id : STORE_NULL,
				.side = pipe ? side : STORE_NULL,
				.process_id = peer ? peer->id : STORE_NULL});
	}
}

/* The column mode: what is asked of the lock or the pipe. */
static const char *mode_name(const struct thread *t)
{
	const struct wait *w = &t->wait;

	if (w->reason == WAIT_MPI)
		return t->mpi && t->mpi->any ? "any" : "all";
	if (w->reason == WAIT_IPC)
		return w->is_private ? "p" : NULL;
	if (w->reason == WAIT_STOPPED && w->continues)
		return !w->pipe ? "c" : w->mode & END_WRITE ? "wc" : "rc";
	if (w->pipe)
		return names_end_mode(w->mode);
	return w->lock && (w->reason == WAIT_LOCK || w->reason == WAIT_FILE_LOCK)
		       ? names_lock_mode(w->mode)
		       : NULL;
}

static void write_wait(struct model *m, struct thread *t, int64_t end, int64_t waker)
{
	struct wait *w = &t->wait;
	bool is_new = !w->row;

	/* Who joined whom is asked for as long as the threads are. */
	if (is_new && end != STORE_NULL && w->reason != WAIT_JOIN &&
		!model_keeps(m, t, DETAIL_WAITS))
		return;
	if (w->reason == WAIT_MPI && !w->detail)
		w->detail = model_mpi_detail(m, t);

	struct row_wait row = {.id = w->row,
		.thread_id = t->id,
		.start_ns = w->start,
		.end_ns = end,
		.reason = names_wait_reason(w->reason),
		.lock_id = w->lock ? w->lock->id : STORE_NULL,
		.pipe_id = w->pipe ? w->pipe->id : STORE_NULL,
		.target_process_id = w->target_process,
		.target_thread_id = w->target_thread,
		.waker_id = waker,
		.syscall = names_syscall(w->syscall),
		.site_id = w->site,
		.timed = w->timed ? model_wait_repeats(w) ? 2 : 1 : 0,
		.sigmask = w->sigmask,
		.awaits = w->awaits,
		.mode = mode_name(t),
		.side = w->pipe ? w->side : STORE_NULL,
		.target_pgid = w->target_pgid,
		.detail = w->detail,
		.user_ns = w->user,
		.stack_id = w->stack,
		.read_ns = w->read};

	w->dirty = false;
	store_write_numbered(m->store, STORE_WAIT, &row, &w->row);
	if (is_new && (end == STORE_NULL || end - w->start >= keep_set_ns))
		write_items(m, t);
	if (is_new && w->reason == WAIT_MPI)
		model_mpi_needs_write(m, t);
}

static void set_lock(struct model *m, struct wait *w, struct lock *lock)
{
	if (lock) {
		lock->refs++;
		lock->wanting++;
		lock->wanted_count++;
		lock->wanted = true;
	}
	if (w->lock) {
		w->lock->wanting -= w->lock->wanting > 0;
		model_lock_unref(m, w->lock);
	}
	w->lock = lock;
}

void model_wait_on_lock(
	struct model *m, struct thread *t, struct lock *lock, int reason, uint8_t mode)
{
	set_lock(m, &t->wait, lock);
	t->wait.reason = reason;
	t->wait.mode = mode;
	t->wait.dirty = true;
}

void model_wait_on_pipe(struct wait *w, struct pipe *pipe)
{
	pipe->waits++;
	w->pipe = pipe;
}

/* Empties the wait of a thread; what it points to is let go. */
static void reset_wait(struct model *m, struct thread *t, int64_t ts)
{
	struct wait *w = &t->wait;

	set_lock(m, w, NULL);
	/* The other side may be gone again before the end that this one opens is recorded. */
	if (w->pipe && w->reason == WAIT_FIFO_OPEN) {
		model_fifo_opened(m, t, ts);
		t->opening = w->pipe;
	} else if (w->pipe) {
		model_pipe_unwait(m, w->pipe, ts);
	}
	free(w->items);
	free(w->detail);
	*w = (struct wait){.user = STORE_NULL,
		.site = STORE_NULL,
		.stack = STORE_NULL,
		.read = STORE_NULL,
		.target_process = STORE_NULL,
		.target_thread = STORE_NULL,
		.target_pgid = STORE_NULL,
		.sigmask = STORE_NULL,
		.awaits = STORE_NULL,
		.syscall = -1};
}

void model_wait_free(struct thread *t)
{
	free(t->wait.items);
	free(t->wait.detail);
}

/* Which locks a thread kept all through a sleep. */
static void write_holds(struct model *m, const struct thread *t)
{
	for (size_t i = 0; i < t->n_held && i < MAX_NESTING; i++) {
		bool again = false;

		for (size_t k = 0; k < i; k++)
			again |= t->held[k].lock == t->held[i].lock;
		if (again || t->held[i].acquire > t->wait.start)
			continue;
		store_put(m->store, STORE_WAIT_HOLD,
			&(struct row_wait_hold){.wait_id = t->wait.row,
				.lock_id = t->held[i].lock->id,
				.acquire_ns = t->held[i].acquire,
				.site_id = t->held[i].site});
	}
}

bool model_lock_is_polled(const struct lock *lock)
{
	return lock->kind == LOCK_MONITOR ||
	       (lock->runtime_type && !strcmp(lock->runtime_type, LOCK_TYPE_GIL));
}

/* Shorter spins get no row. */
static const int64_t spin_least_ns = 1000000;

void model_wait_close(struct model *m, struct thread *t, int64_t ts, int64_t waker)
{
	struct wait *w = &t->wait;

	if (!w->open)
		return;
	if (ts < w->start)
		ts = w->start;
	/* Of short calls of MPI the row in sync tells enough. */
	if (w->reason == WAIT_MPI && !w->row && ts - w->start < spin_least_ns) {
		reset_wait(m, t, ts);
		return;
	}
	/* A spin that was short: the kernel would tell nothing of it, and lock_stat counts it. */
	if (!w->library || w->row || !m->kernel_waits || ts - w->start >= spin_least_ns)
		write_wait(m, t, ts, waker);
	if ((w->reason == WAIT_SLEEP || w->reason == WAIT_TIMERFD || w->reason == WAIT_LOCK_POLL) &&
		ts - w->start >= keep_holds_ns)
		write_holds(m, t);
	if (w->lock && w->reason == WAIT_LOCK)
		model_stat_waited(m, t, w->lock, w->begun, ts);
	model_series_note(t, ts, waker != STORE_NULL);
	t->broken.row = 0;
	if (w->reason == WAIT_LOCK && !w->library && t->call.open && t->call.is_lock &&
		waker == STORE_NULL)
		t->broken = (struct broken){
			.row = w->row, .start = w->start, .end = ts, .call = t->call.start};
	if (w->read != STORE_NULL && w->reason == WAIT_LOCK && w->lock && waker == STORE_NULL &&
		model_lock_is_polled(w->lock))
		t->broken = (struct broken){.row = w->row,
			.start = w->start,
			.end = ts,
			.monitor = (uint64_t)w->lock->address,
			.futex = w->futex,
			.owner = w->target_thread,
			.read = w->read,
			.site = w->site,
			.stack = w->stack};
	reset_wait(m, t, ts);
}

/*
 * One of those that want a monitor of a Java program wakes up each second at the
 * latest to see whether it is free, whoever wants Python's global lock every 5 ms, and goes
 * back to sleep: for whoever waits for it, it never left the wait.
 */
void model_wait_resume(struct model *m, struct thread *t)
{
	const int64_t short_ns =
		50000000; /* on a busy machine it may have to wait for a processor */
	const struct broken b = t->broken;
	struct wait *w = &t->wait;
	struct lock *lock = b.row && b.monitor ? model_find_lock(t->proc, b.monitor) : NULL;

	if (!lock || !model_lock_is_polled(lock) || w->row || w->futex != b.futex ||
		w->start - b.end > short_ns || (w->reason != WAIT_COND && w->reason != WAIT_FUTEX))
		return;
	model_wait_on_lock(m, t, lock, WAIT_LOCK, LOCK_MODE_X);
	w->row = b.row;
	w->start = b.start;
	w->target_thread = b.owner;
	w->owner_inferred = b.owner != STORE_NULL;
	w->read = b.read;
	w->site = b.site;
	w->stack = b.stack;
	w->has_runtime = b.stack != STORE_NULL;
	w->timed = false;
}

void model_wait_flush(struct model *m, struct thread *t)
{
	struct wait *w = &t->wait;

	if (w->open && (!w->row || w->dirty))
		write_wait(m, t, STORE_NULL, STORE_NULL);
}

void model_wait_open(struct model *m, struct thread *t, int64_t ts)
{
	int64_t row = 0;

	model_fifo_opened(m, t, ts);
	model_spin_end(m, t);
	if (t->wait.open && t->wait.library)
		row = t->wait.row; /* the same wait, now as the kernel records it */
	else
		model_wait_close(m, t, ts, STORE_NULL);
	reset_wait(m, t, ts);
	t->wait.open = true;
	t->wait.row = row;
	t->wait.dirty = row != 0;
	t->wait.start = t->wait.begun = ts;
}
