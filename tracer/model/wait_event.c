/* wait_event.c - what probes tell of blocked threads, and what they wait for. */
/* SPDX-License-Identifier: MIT */
#include "tracer/model/private.h"

#include "base/mem.h"
#include "schema/calls.h"
#include "schema/names.h"

#include <asm/unistd.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>

/* A set of more descriptors than the kernel lets a process open by default is not a set. */
enum { MAX_ITEMS = 4096, MAX_FRAMES = 256 };

/* The kernel's task states in which a thread is stopped, by a signal or by its debugger. */
enum { STATE_STOPPED = 4, STATE_TRACED = 8 };

/*
 * A signal handler interrupted a wait for a lock, and the thread goes back to it within the same call: as far as
 * others are concerned it never left it.
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
		pid = (int32_t)rec->peer;
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
	const struct pipe_end *e = NULL;
	struct pipe *pipe = model_find_pipe(m, rec->dev, rec->inode, &w->side);

	if (!pipe) {
		uint64_t fd = rec->syscall == __NR_splice && writes ? rec->arg2 : rec->arg0;

		e = w->reason != WAIT_FIFO_OPEN && fd <= INT32_MAX
			    ? model_find_pipe_end(t->proc, fd)
			    : NULL;
		pipe = e ? e->pipe : NULL;
		w->side = e ? e->side : 0;
	}
	if (w->reason == WAIT_FIFO_OPEN && rec->inode)
		pipe = model_fifo(m, rec->dev, rec->inode);
	if (!pipe) {
		/* A snapshot says so of one that has no name any more, by the one that the call gave. */
		if (w->reason == WAIT_FIFO_OPEN && rec->head.flags & REC_SNAP && t->more &&
			t->more->path.len)
			w->detail = xasprintf("FIFO %.*s, which is not there any more",
				(int)t->more->path.len, (const char *)t->more->path.data);
		if (rec->file_kind == FILE_UNIX || rec->file_kind == FILE_TCP)
			w->reason = WAIT_SOCKET;
		return;
	}
	model_wait_on_pipe(w, pipe);
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

/* Whose debugger lets a thread go on that ptrace has stopped. */
static void debugger_target(struct model *m, struct wait *w, const struct rec_WAIT_BEGIN *rec)
{
	const struct proc *p = NULL;

	if (!(rec->state & STATE_TRACED) || !rec->offset)
		return;
	p = model_find_proc(m, rec->offset);
	w->target_process = p ? p->id : STORE_NULL;
	w->detail = xasprintf("by a debugger (%u)", (unsigned)rec->offset);
}

/* Between two pipes: who could write to the first, or read from the second, ends the wait. */
static void splice_target(struct thread *t, const struct rec_WAIT_BEGIN *rec)
{
	const struct pipe_end *to = model_spliced_to(t, rec),
			      *from = model_find_pipe_end(t->proc, rec->arg0);
	struct wait *w = &t->wait;

	if (!to || !from)
		return;
	w->n_items = 2;
	w->items = xcalloc(w->n_items, sizeof *w->items);
	w->items[0] = (struct rec_poll_item){.fd = (rec_u32)rec->arg0,
		.events = POLLIN,
		.file_kind = FILE_PIPE,
		.dev = (rec_u32)from->pipe->dev,
		.inode = from->side ? from->pipe->inode2 : from->pipe->inode};
	w->items[1] = (struct rec_poll_item){
		.fd = (rec_u32)(rec->syscall == __NR_splice ? rec->arg2 : rec->arg1),
		.events = POLLOUT,
		.file_kind = FILE_PIPE,
		.dev = (rec_u32)to->pipe->dev,
		.inode = to->side ? to->pipe->inode2 : to->pipe->inode};
	w->detail = xstrdup("bytes in one pipe, room in another");
}

static void poll_target(struct thread *t, const struct rec_WAIT_BEGIN *rec)
{
	struct wait *w = &t->wait;
	size_t n = t->more ? t->more->poll.len / sizeof *w->items : 0;

	if (!n || n > MAX_ITEMS) {
		w->detail = call_waits((int64_t)rec->syscall)->family == FAMILY_EPOLL
				    ? xasprintf("what the epoll set on descriptor %d has",
					      (int)rec->arg0)
				    : xstrdup("descriptors that are not known");
		return;
	}
	w->items = xmalloc(n * sizeof *w->items);
	memcpy(w->items, t->more->poll.data, n * sizeof *w->items);
	w->n_items = (unsigned)n;
	w->detail = xasprintf("%zu descriptor%s", n, n == 1 ? "" : "s");
}

/* What is done with which queue or set of semaphores. */
static char *ipc_detail(const struct rec_WAIT_BEGIN *rec)
{
	const char *name = names_syscall((long)rec->syscall);
	int number = (int)rec->arg0;

	if (!name)
		return NULL;
	if (!strcmp(name, "msgrcv"))
		return xasprintf("waits for a message in the System V message queue %d", number);
	if (!strcmp(name, "msgsnd"))
		return xasprintf("sends to the full System V message queue %d", number);
	if (!strncmp(name, "sem", 3))
		return xasprintf("waits for the System V semaphore set %d", number);
	if (!strcmp(name, "mq_timedsend"))
		return xasprintf("sends to the full POSIX message queue on descriptor %d", number);
	return xasprintf("receives from the empty POSIX message queue on descriptor %d", number);
}

/* How much a thread asks of its ring; a snapshot also says which operations the ring waits with. */
static char *uring_detail(const struct thread *t, const struct rec_WAIT_BEGIN *rec)
{
	unsigned n = (unsigned)rec->arg2;
	const struct buf *path = t->more ? &t->more->path : NULL;

	return xasprintf("%u completion%s of the ring on descriptor %d%s%s", n, n == 1 ? "" : "s",
		(int)rec->arg0, path && path->len ? ", which waits for " : "",
		path && path->len ? path->data : "");
}

/* By which signal a process was stopped, and why the terminal sends those two. */
static char *stop_detail(const struct proc *p)
{
	switch (p->fatal_signo) {
	case SIGTTIN:
		return xstrdup("by SIGTTIN, for it reads from a terminal that is another job's");
	case SIGTTOU:
		return xstrdup("by SIGTTOU, for it changes a terminal that is another job's");
	case SIGSTOP:
		return xstrdup("by SIGSTOP");
	case SIGTSTP:
		return xstrdup("by SIGTSTP");
	}
	return NULL;
}

/* Whom a netlink socket talks to: a part of the kernel, as a rule. */
static char *netlink_detail(const struct rec_WAIT_BEGIN *rec)
{
	const char *name = names_netlink((int)rec->peer - 1);

	return name ? xasprintf("netlink (%s)", name)
		    : xasprintf("netlink (protocol %d)", (int)rec->peer - 1);
}

/* connect that blocks is told by address: which socket listens there. */
static void connect_target(struct model *m, struct thread *t, const struct rec_WAIT_BEGIN *rec)
{
	const char *name = names_syscall((long)rec->syscall);
	struct pipe *pipe;
	uint8_t side;

	if (!name || strcmp(name, "connect") != 0)
		return;
	pipe = t->more && t->more->path.len
		       ? model_unix_listener(m, t->more->path.data, t->more->path.len)
		       : model_find_pipe(m, rec->dev, rec->inode, &side);
	if (pipe && pipe->kind == PIPE_LISTEN)
		model_wait_on_pipe(&t->wait, pipe);
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
		w->continues = rec->state & STATE_STOPPED;
		debugger_target(m, w, rec);
		if (!w->detail && !(rec->head.flags & REC_SNAP))
			w->detail = stop_detail(t->proc);
		break;
	case WAIT_IPC:
		w->detail = ipc_detail(rec);
		w->is_private = rec->head.flags & REC_SNAP && rec->peer;
		break;
	case WAIT_URING:
		w->detail = uring_detail(t, rec);
		break;
	case WAIT_FAULT:
		peer = rec->peer ? model_find_proc(m, rec->peer) : NULL;
		w->target_process = peer ? peer->id : STORE_NULL;
		break;
	case WAIT_FILE:
		/* Why a snapshot says it is not open yet. */
		if (rec->head.flags & REC_SNAP && t->more && t->more->path.len)
			w->detail = xstrndup(t->more->path.data, t->more->path.len);
		break;
	case WAIT_SOCKET:
		connect_target(m, t, rec);
		if (rec->file_kind == FILE_SOCKET && rec->peer)
			w->detail = netlink_detail(rec);
		break;
	case WAIT_CHILD:
		child_target(m, w, rec);
		break;
	case WAIT_VFORK:
		peer = rec->peer ? model_find_proc(m, rec->peer) : NULL;
		w->target_process = peer ? peer->id : t->last_child;
		break;
	case WAIT_POLL:
		if (call_waits((int64_t)rec->syscall)->family == FAMILY_SPLICE)
			splice_target(t, rec);
		else
			poll_target(t, rec);
		break;
	case WAIT_FILE_LOCK:
		model_file_lock_wait(m, t, rec);
		break;
	default:
		break;
	}
}

/* The signals that all signalfds of a set take; 0: there is none, or what one takes is not known. */
static uint64_t polled_signals(const struct wait *w)
{
	uint64_t set = 0;

	for (unsigned i = 0; i < w->n_items; i++) {
		if (w->items[i].file_kind != FILE_SIGNALFD)
			continue;
		if (!w->items[i].inode)
			return 0;
		set |= w->items[i].inode;
	}
	return set;
}

/*
 * The signals that a wait takes as such. The kernel lets those in that sigwait awaits; what comes to a signalfd is
 * blocked, or is delivered as any other signal.
 */
static int64_t awaited(const struct wait *w, const struct rec_WAIT_BEGIN *rec)
{
	const uint64_t never = UINT64_C(1) << (SIGKILL - 1) | UINT64_C(1) << (SIGSTOP - 1);
	uint64_t set = 0;

	if (w->reason == WAIT_SIGNAL && w->syscall == __NR_rt_sigtimedwait) {
		if (rec->words_valid >= sizeof set)
			memcpy(&set, rec->words, sizeof set);
	} else if (w->reason == WAIT_SIGNAL && rec->file_kind == FILE_SIGNALFD) {
		set = rec->inode & rec->sigmask;
	} else if (w->reason == WAIT_POLL) {
		set = polled_signals(w) & rec->sigmask;
	}
	return set & ~never ? (int64_t)(set & ~never) : STORE_NULL;
}

void model_wait_begin(struct model *m, const struct rec_WAIT_BEGIN *rec)
{
	struct thread *t = model_thread(m, &rec->head);
	struct wait *w = &t->wait;

	if (t->end != STORE_NULL)
		return;
	if (!(rec->head.flags & (REC_SHIM | REC_SNAP)))
		m->kernel_waits = true;
	/* How an MPI library waits is its own business, and a thread that is stopped there needs the same when it goes on. */
	if (model_mpi_inside(t))
		return;
	model_wait_open(m, t, model_time(m, rec->head.ts));
	w->syscall = rec->head.flags & REC_COMPAT ? -1 : (long)(int64_t)rec->syscall;
	w->timed = rec->timed != 0;
	w->sigmask = (int64_t)rec->sigmask;
	w->ip = rec->ip;
	w->reason = model_reason(t, rec);
	find_target(m, t, rec);
	w->awaits = awaited(w, rec);
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
	model_wait_resume(m, t);
	model_wait_repeat(t);
	model_polled_wait(m, t);
	if (t->more)
		model_more_free(t);
}

void model_wait_end(struct model *m, const struct rec_WAIT_END *rec)
{
	struct thread *t = model_thread(m, &rec->head);
	struct thread *waker = rec->waker_tid ? model_find_thread(m, rec->waker_tid) : NULL;
	int64_t ts = model_time(m, rec->head.ts), start = t->wait.start, awaits = t->wait.awaits;
	/* The library tells by itself which signal it was, if any. */
	bool waited = t->wait.open && t->wait.syscall == __NR_rt_sigtimedwait &&
		      !(rec->head.flags & REC_SHIM);

	if (model_mpi_inside(t))
		return;
	model_stat_foreign(m, t, waker, ts);
	model_wait_close(m, t, ts, waker ? waker->id : STORE_NULL);
	if (waited)
		model_signal_waited(m, t, start, awaits, ts);
}

void model_wait_site(struct model *m, const struct rec_WAIT_SITE *rec)
{
	struct thread *t = model_thread(m, &rec->head);
	struct model_frame frames[MODEL_INLINED];
	size_t n, i = 0;

	if (!t->wait.open || !rec->site)
		return;
	if (t->wait.has_runtime)
		return; /* the language's own place is the one that people know */
	n = model_frames(m, t->proc, rec->site, true, frames);
	while (i + 1 < n && frames[i].is_library)
		i++;
	t->wait.site = frames[i].site;
	t->wait.dirty = true;
}

void model_wait_frame(struct model *m, const struct rec_WAIT_FRAME *rec)
{
	struct thread *t = model_thread(m, &rec->head);
	struct wait *w = &t->wait;
	struct model_frame frames[MODEL_INLINED];
	size_t n;

	if (!w->open || w->has_runtime || !rec->addr || w->n_frames > MAX_FRAMES)
		return;
	if (rec->depth == 0 || w->stack == STORE_NULL) {
		w->stack = m->ids.stack++;
		w->n_frames = 0;
	}
	n = model_frames(m, t->proc, rec->addr, rec->is_return != 0, frames);
	for (size_t i = 0; i < n; i++)
		store_replace(m->store, STORE_FRAME,
			&(struct row_frame){.stack_id = w->stack,
				.depth = w->n_frames++,
				.site_id = frames[i].site,
				.library = rec->library || frames[i].is_library});
	w->dirty = true;
}
