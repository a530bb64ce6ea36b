/* wait.c - blocked threads: from the kernel's word, or from the library's. */
/* SPDX-License-Identifier: MIT */
/*
 * The kernel says when a thread is switched out inside a call and when it goes
 * on (WAIT_BEGIN, WAIT_END). The library says when a call begins that may wait
 * (LOCK_REQUEST, SYNC_BEGIN) and when it is over. Where both speak, the
 * kernel's interval counts and the library names the object; where only the
 * library does, its call is the wait. One row either way.
 */
#include "base/mem.h"
#include "schema/names.h"
#include "tracer/model/lock.h"
#include "tracer/model/pipe.h"
#include "tracer/model/process.h"
#include "tracer/model/sample.h"
#include "tracer/model/signal.h"
#include "tracer/model/site.h"
#include "tracer/model/wait.h"

#include <asm/unistd.h>
#include <inttypes.h>

/* Sets of descriptors of shorter waits are not kept. */
static const int64_t keep_set_ns = 1000000;
/* Sleeps from this on tell which locks were held. */
static const int64_t keep_holds_ns = 10000000;
/* A set of more descriptors than the kernel lets a process open by default is no set. */
enum { MAX_ITEMS = 4096 };
/* The kernel's task states in which a thread is stopped, by a signal or by its debugger. */
enum { STATE_STOPPED = 4, STATE_TRACED = 8 };

static void write_items(struct model *m, const struct wait *w)
{
	for (unsigned i = 0; i < w->n_items; i++) {
		const struct rec_poll_item *item = &w->items[i];
		uint8_t side = 0;
		const struct pipe *pipe = model_find_pipe(m, item->dev, item->inode, &side);
		const struct proc *peer =
			item->file_kind == FILE_PIDFD ? model_find_proc(m, item->peer) : NULL;
		unsigned mode =
			(item->events & 1 ? END_READ : 0) | (item->events & 4 ? END_WRITE : 0);

		store_put(m->store, STORE_WAIT_ON,
			&(struct row_wait_on){.wait_id = w->row,
				.ordinal = i,
				.fd = (int32_t)item->fd,
				.kind = names_file_kind(item->file_kind),
				.mode = names_end_mode(mode),
				.pipe_id = pipe ? pipe->id : STORE_NULL,
				.side = pipe ? side : STORE_NULL,
				.process_id = peer ? peer->id : STORE_NULL});
	}
}

/* The column mode: what is asked of the lock or the pipe. */
static const char *mode_name(const struct wait *w)
{
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
		.timed = w->timed,
		.sigmask = w->sigmask,
		.mode = mode_name(w),
		.side = w->pipe ? w->side : STORE_NULL,
		.target_pgid = w->target_pgid,
		.detail = w->detail,
		.user_ns = w->user,
		.stack_id = w->stack};

	w->dirty = false;
	store_write_numbered(m->store, STORE_WAIT, &row, &w->row);
	if (is_new && (end == STORE_NULL || end - w->start >= keep_set_ns))
		write_items(m, w);
}

static void set_lock(struct model *m, struct wait *w, struct lock *lock)
{
	if (lock) {
		lock->refs++;
		lock->wanted = true;
	}
	if (w->lock)
		model_lock_unref(m, w->lock);
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

static void set_pipe(struct wait *w, struct pipe *pipe)
{
	pipe->waits++;
	w->pipe = pipe;
}

/* Empties the wait of a thread; what it points to is let go. */
static void reset_wait(struct model *m, struct thread *t, int64_t ts)
{
	struct wait *w = &t->wait;

	set_lock(m, w, NULL);
	/* The other side may be gone again before the end that this one opens is told of. */
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
		.target_process = STORE_NULL,
		.target_thread = STORE_NULL,
		.target_pgid = STORE_NULL,
		.sigmask = STORE_NULL,
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

void model_wait_close(struct model *m, struct thread *t, int64_t ts, int64_t waker)
{
	struct wait *w = &t->wait;

	if (!w->open)
		return;
	if (ts < w->start)
		ts = w->start;
	write_wait(m, t, ts, waker);
	if (w->reason == WAIT_SLEEP && ts - w->start >= keep_holds_ns)
		write_holds(m, t);
	if (w->lock && w->reason == WAIT_LOCK)
		model_stat_waited(m, t, w->lock, w->start, ts);
	t->broken.row = 0;
	if (w->reason == WAIT_LOCK && !w->library && t->call.open && t->call.is_lock &&
		waker == STORE_NULL)
		t->broken = (struct broken){w->row, w->start, ts, t->call.start};
	reset_wait(m, t, ts);
}

/*
 * A signal handler broke a wait for a lock off, and the thread goes back to it
 * within the same call: for whoever waits for the thread it never left it.
 */
static void resume_wait(struct thread *t)
{
	const int64_t short_ns = 10000000;
	const struct broken *b = &t->broken;
	struct wait *w = &t->wait;

	if (!b->row || w->row || w->reason != WAIT_LOCK || !t->call.open || !t->call.is_lock ||
		b->call != t->call.start || w->start - b->end > short_ns)
		return;
	w->row = b->row;
	w->start = b->start;
	w->dirty = true;
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
		row = t->wait.row; /* the same wait, now in the kernel's words */
	else
		model_wait_close(m, t, ts, STORE_NULL);
	reset_wait(m, t, ts);
	t->wait.open = true;
	t->wait.row = row;
	t->wait.dirty = row != 0;
	t->wait.start = ts;
}

/* What a wait for children asks for. */
static void child_target(struct model *m, struct wait *w, const struct rec_WAIT_BEGIN *rec)
{
	enum { BY_PID = 1, BY_GROUP = 2, BY_PIDFD = 3 };
	int64_t pid = (int32_t)rec->arg0;
	struct proc *p = NULL;

	if (rec->syscall == __NR_waitid)
		pid = rec->arg0 == BY_PID     ? (int32_t)rec->arg1
		      : rec->arg0 == BY_GROUP ? -(int64_t)(int32_t)rec->arg1
					      : -1;
	if (rec->peer)
		pid = (int64_t)rec->peer;
	if (pid > 0) {
		p = model_find_proc(m, (uint64_t)pid);
		w->detail = p ? NULL : xasprintf("pid %" PRId64, pid);
		w->target_process = p ? p->id : STORE_NULL;
	} else if (pid < -1 || pid == 0) {
		w->target_pgid = -pid;
	}
}

static void pipe_target(struct model *m, struct thread *t, const struct rec_WAIT_BEGIN *rec)
{
	struct wait *w = &t->wait;
	bool writes = w->reason == WAIT_PIPE_WRITE;
	const struct end *e = NULL;
	struct pipe *pipe = model_find_pipe(m, rec->dev, rec->inode, &w->side);

	if (!pipe) {
		uint64_t fd = rec->syscall == __NR_splice && writes ? rec->arg2 : rec->arg0;

		e = w->reason != WAIT_FIFO_OPEN && fd <= INT32_MAX ? model_find_end(t->proc, fd)
								   : NULL;
		pipe = e ? e->pipe : NULL;
		w->side = e ? e->side : 0;
	}
	if (w->reason == WAIT_FIFO_OPEN && rec->inode)
		pipe = model_fifo(m, rec->dev, rec->inode);
	if (!pipe)
		return;
	set_pipe(w, pipe);
	w->mode = writes ? END_WRITE : END_READ;
	if (w->reason == WAIT_FIFO_OPEN) {
		w->mode = model_open_mode(rec);
		if (!pipe->path && t->more && t->more->path.len) {
			pipe->path = xstrndup(t->more->path.data, t->more->path.len);
			pipe->dirty = true;
		}
	} else
		model_pipe_used(pipe, t->proc, writes);
}

/* A snapshot says in which call somebody was stopped: the pipe is that of the call. */
static void stopped_target(struct model *m, struct thread *t, const struct rec_WAIT_BEGIN *rec)
{
	struct rec_WAIT_BEGIN call = *rec;
	struct wait *w = &t->wait;

	call.reason = WAIT_NONE;
	w->reason = model_reason(t, &call);
	if (w->reason == WAIT_PIPE_READ || w->reason == WAIT_PIPE_WRITE)
		pipe_target(m, t, rec);
	w->reason = WAIT_STOPPED;
}

static void poll_target(struct thread *t)
{
	struct wait *w = &t->wait;
	size_t n = t->more ? t->more->poll.len / sizeof *w->items : 0;

	if (!n || n > MAX_ITEMS)
		return;
	w->items = xmalloc(n * sizeof *w->items);
	memcpy(w->items, t->more->poll.data, n * sizeof *w->items);
	w->n_items = (unsigned)n;
	w->detail = xasprintf("%zu descriptor%s", n, n == 1 ? "" : "s");
}

/* Fills in what a wait is for, by its reason. */
static void find_target(struct model *m, struct thread *t, const struct rec_WAIT_BEGIN *rec)
{
	struct wait *w = &t->wait;
	struct proc *peer;

	switch (w->reason) {
	case WAIT_FUTEX:
	case WAIT_LOCK:
	case WAIT_COND:
	case WAIT_SEM:
	case WAIT_BARRIER:
	case WAIT_JOIN:
	case WAIT_ONCE:
		model_futex(m, t, rec);
		break;
	case WAIT_PIPE_READ:
	case WAIT_PIPE_WRITE:
	case WAIT_FIFO_OPEN:
		pipe_target(m, t, rec);
		break;
	case WAIT_STOPPED:
		stopped_target(m, t, rec);
		break;
	case WAIT_CHILD:
		child_target(m, w, rec);
		break;
	case WAIT_VFORK:
		peer = rec->peer ? model_find_proc(m, rec->peer) : NULL;
		w->target_process = peer ? peer->id : t->last_child;
		break;
	case WAIT_POLL:
		poll_target(t);
		break;
	case WAIT_FILE_LOCK:
		set_lock(m, w, model_file_lock_wanted(m, t, rec));
		w->mode = model_file_lock_mode(rec);
		break;
	default:
		break;
	}
}

void model_wait_begin(struct model *m, const struct rec_WAIT_BEGIN *rec)
{
	struct thread *t = model_thread(m, &rec->head);
	struct wait *w = &t->wait;

	if (t->end != STORE_NULL)
		return;
	if (!(rec->head.flags & (REC_SHIM | REC_SNAP)))
		m->kernel_waits = true;
	model_wait_open(m, t, model_time(m, rec->head.ts));
	w->syscall = rec->head.flags & REC_COMPAT ? -1 : (long)(int64_t)rec->syscall;
	w->timed = rec->timed != 0;
	w->sigmask = (int64_t)rec->sigmask;
	w->ip = rec->ip;
	w->reason = model_reason(t, rec);
	find_target(m, t, rec);
	if (rec->state & (STATE_STOPPED | STATE_TRACED) && w->reason != WAIT_STOPPED && !w->detail)
		w->detail = xstrdup("stopped");
	if (t->call.open) {
		w->user = t->call.start;
		if (w->site == STORE_NULL)
			w->site = t->call.site;
		w->timed |= t->call.timed && w->lock &&
			    (w->lock == t->call.lock || w->lock == t->call.mutex);
	}
	resume_wait(t);
	if (t->more)
		model_more_free(t);
}

void model_wait_end(struct model *m, const struct rec_WAIT_END *rec)
{
	struct thread *t = model_thread(m, &rec->head);
	struct thread *waker = rec->waker_tid ? model_find_thread(m, rec->waker_tid) : NULL;
	int64_t ts = model_time(m, rec->head.ts), start = t->wait.start;
	/* The library tells by itself which signal it was, if any. */
	bool waited = t->wait.open && t->wait.syscall == __NR_rt_sigtimedwait &&
		      !(rec->head.flags & REC_SHIM);

	model_stat_foreign(m, t, waker, ts);
	model_wait_close(m, t, ts, waker ? waker->id : STORE_NULL);
	if (waited)
		model_signal_waited(m, t, start, ts);
}

void model_wait_site(struct model *m, const struct rec_WAIT_SITE *rec)
{
	struct thread *t = model_thread(m, &rec->head);

	if (!t->wait.open || !rec->site)
		return;
	t->wait.site = model_site(m, t->proc, rec->site, true);
	t->wait.dirty = true;
}
