/* emit.c - what a snapshot found, as records in the order of time. */
/* SPDX-License-Identifier: MIT */
#include "tracer/snapshot/emit_process.h"

#include <unistd.h>

#include "base/mem.h"
#include "tracer/symbols/symbols.h"

/* What a socket is called; of one that nobody has accepted yet, who listens there. */
static void emit_socket(struct snapshot *s, const struct emit_out *o, const struct snap_process *p,
	const struct snap_fd *f)
{
	const struct snap_socket *socket = sockets_find(s, f->inode), *other, *listener;
	struct rec_SOCKET r = {.head = emit_head(o, REC_SOCKET, sizeof r, p->pid, p->pid),
		.dev = f->dev,
		.inode = f->inode};

	if (!socket)
		return;
	listener = f->kind == FILE_LISTEN ? socket : sockets_listener(s, socket);
	other = socket->is_unix ? sockets_find(s, socket->other) : NULL;
	if (!other && socket->is_unix && listener != socket)
		other = listener;
	r.netns = socket->netns;
	if (socket->is_unix)
		r.listener = listener ? listener->inode : 0;
	else
		r.listener = f->kind == FILE_LISTEN && socket->is_mixed_up;
	memcpy(r.local, socket->local, sizeof r.local);
	memcpy(r.remote, other ? other->local : socket->remote, sizeof r.remote);
	r.local_len = socket->local_len;
	r.remote_len = other ? other->local_len : socket->remote_len;
	o->emit(o->arg, &r.head);
}

/* Those that listen first: the others may be with them still. */
static void emit_sockets(struct snapshot *s, const struct emit_out *o)
{
	for (int listens = 1; listens >= 0; listens--)
		for (size_t i = 0; i < s->n_processes; i++)
			for (size_t k = 0; k < s->processes[i]->n_fds; k++) {
				const struct snap_fd *f = &s->processes[i]->fds[k];

				if (f->kind >= FILE_UNIX && f->kind <= FILE_LISTEN &&
					(f->kind == FILE_LISTEN) == (listens != 0))
					emit_socket(s, o, s->processes[i], f);
			}
}

/* The inodes of the ends that are ours, and of the sockets at the other side of those, with the kind of each. */
static void find_ours(struct snapshot *s, struct hash *ours)
{
	for (size_t i = 0; i < s->n_processes; i++)
		for (size_t k = 0; k < s->processes[i]->n_fds; k++) {
			const struct snap_fd *f = &s->processes[i]->fds[k];
			const struct snap_socket *socket = sockets_find(s, f->inode);
			void *kind = (void *)(uintptr_t)f->kind;
			uint64_t other;

			if (f->kind == FILE_TTY && terminals_is_waited(s, f->inode)) {
				kind = (void *)(uintptr_t)FILE_PTY;
				(void)hash_set(ours, f->inode, kind);
				(void)hash_set(ours, terminal_other(f->inode), kind);
				continue;
			}
			if (!file_is_end(f->kind))
				continue;
			(void)hash_set(ours, f->inode, kind);
			other = f->kind > FILE_FIFO && socket ? sockets_other(s, socket) : 0;
			if (other)
				(void)hash_set(ours, other, kind);
		}
}

/* Says who else holds an end of one of these pipes: readable processes that the snapshot leaves out. */
static void emit_outside(struct snapshot *s, const struct emit_out *o)
{
	struct hash ours = {0};

	find_ours(s, &ours);
	for (size_t i = 0; i < s->n_holders; i++) {
		const struct snap_holder *h = &s->holders[i];
		struct rec_OUTSIDE r = {.head = emit_head(o, REC_OUTSIDE, sizeof r, h->pid, h->pid),
			.dev = h->dev,
			.inode = h->inode,
			.mode = h->mode};
		enum file_kind kind = (enum file_kind)(uintptr_t)hash_get(&ours, h->inode);

		if (h->kind == FILE_REG || !kind || hash_get(&s->by_pid, (uint64_t)h->pid))
			continue;
		r.kind = emit_pipe_kind(kind);
		if (kind == FILE_PTY)
			r.dev = TERMINALS_DEV;
		o->emit(o->arg, &r.head);
	}
	hash_done(&ours);
}

static void emit_file_locks(struct snapshot *s, const struct emit_out *o)
{
	for (size_t i = 0; i < s->n_locks; i++) {
		const struct snap_lock *l = &s->locks[i];
		struct snap_process *p = hash_get(&s->by_pid, (uint64_t)l->pid);
		struct rec_FILE_LOCK r = {
			.head = emit_head(o, REC_FILE_LOCK, sizeof r, l->pid, l->pid),
			.class = l->class,
			.mode = l->mode,
			.dev = l->dev,
			.inode = l->inode,
			.fd = (uint64_t)l->fd,
			.begin = l->begin,
			.len = l->len,
			.start = o->ts};

		if (!p || (l->class != FLOCK_POSIX && l->fd < 0))
			continue;
		for (size_t k = 0; k < p->n_fds; k++) {
			if (p->fds[k].inode != l->inode || p->fds[k].kind != FILE_REG)
				continue;
			r.dev = p->fds[k].dev; /* as a waiter's descriptor shows it */
			if (l->fd < 0)
				r.fd = (uint64_t)p->fds[k].fd;
			break;
		}
		r.file = locks_file(l);
		o->emit(o->arg, &r.head);
	}
}

static void emit_shared(struct snapshot *s, const struct emit_out *o)
{
	for (size_t i = 0; i < s->n_shared; i++) {
		const struct snap_shared *m = &s->shared[i];
		struct rec_SHARED_MAP anybody = {
			.head = emit_head(o, REC_SHARED_MAP, sizeof anybody, getpid(), getpid()),
			.dev = m->dev,
			.inode = m->inode,
			.outside = 1};

		/* Somebody who is not there yet is outside too. */
		if (m->is_named)
			o->emit(o->arg, &anybody.head);
		for (size_t k = 0; k < m->n_mappers; k++) {
			struct rec_SHARED_MAP r = {.head = emit_head(o, REC_SHARED_MAP, sizeof r,
							   m->mappers[k], m->mappers[k]),
				.dev = m->dev,
				.inode = m->inode,
				.outside = !hash_get(&s->by_pid, (uint64_t)m->mappers[k])};

			o->emit(o->arg, &r.head);
		}
	}
}

struct waiting {
	struct snap_process *process;
	struct snap_thread *thread;
};

static int waiting_compare(const void *pa, const void *pb)
{
	const struct waiting *a = pa, *b = pb;

	if (a->thread->since != b->thread->since)
		return a->thread->since < b->thread->since ? -1 : 1;
	return a->thread->tid < b->thread->tid ? -1 : a->thread->tid > b->thread->tid;
}

static void emit_wait(struct snapshot *s, struct emit_out *o, struct waiting *w)
{
	struct snap_thread *t = w->thread;
	pid_t pid = w->process->pid;

	o->ts = t->since;
	t->wait.head = emit_head(o, REC_WAIT_BEGIN, sizeof t->wait, pid, t->tid);
	if (w->process->is_compat)
		t->wait.head.flags |= REC_COMPAT;
	mutex_forget_stranger(s, w->process, t);
	calls_emit_name(w->process, t, o->emit, o->arg);
	if (s->config->calls)
		(void)calls_emit(s, w->process, t, o->emit, o->arg);
	emit_more(o, pid, t->tid, MORE_POLL, t->poll, t->n_poll * sizeof *t->poll);
	if (t->words)
		emit_more(o, pid, t->tid, MORE_PATH, t->words, strlen(t->words));
	o->emit(o->arg, &t->wait.head);
	if (t->site) {
		struct rec_WAIT_SITE r = {
			.head = emit_head(o, REC_WAIT_SITE, sizeof r, pid, t->tid),
			.site = t->site};

		o->emit(o->arg, &r.head);
	}
	for (int i = 0; i < t->n_frames; i++) {
		struct rec_WAIT_FRAME r = {
			.head = emit_head(o, REC_WAIT_FRAME, sizeof r, pid, t->tid),
			.depth = (rec_u64)i,
			.addr = t->frames[i].addr,
			.is_return = t->frames[i].is_return,
			.library = symbols_is_library(s->config->symbols, snap_key(pid),
				t->frames[i].addr + !t->frames[i].is_return)};

		o->emit(o->arg, &r.head);
	}
}

static void emit_waits(struct snapshot *s, struct emit_out *o)
{
	_cleanup_free_ struct waiting *list = xcalloc(s->n_threads, sizeof *list);
	size_t n = 0;

	for (size_t i = 0; i < s->n_processes; i++) {
		struct snap_process *p = s->processes[i];

		for (size_t k = 0; k < p->n_threads && !p->is_zombie; k++) {
			struct snap_thread *t = &p->threads[k];

			if (!t->has_run && t->state != 'Z' && t->state != 'X')
				list[n++] = (struct waiting){p, t};
		}
	}
	qsort(list, n, sizeof *list, waiting_compare);
	for (size_t i = 0; i < n; i++)
		emit_wait(s, o, &list[i]);
}

void snapshot_emit(struct snapshot *s, source_emit *emit, void *arg)
{
	struct emit_out o = {.emit = emit, .arg = arg, .ts = s->now_mono};

	for (size_t i = 0; i < s->n_processes; i++)
		for (size_t k = 0; k < s->processes[i]->n_threads; k++) {
			struct snap_thread *t = &s->processes[i]->threads[k];

			if (!t->since || t->since > s->now_mono)
				t->since = s->now_mono;
			if (t->since < o.ts)
				o.ts = t->since;
		}
	for (size_t i = 0; i < s->n_processes; i++)
		emit_process(s, &o, s->processes[i]);
	emit_sockets(s, &o);
	emit_outside(s, &o);
	emit_file_locks(s, &o);
	emit_waits(s, &o);
	/* Last: by now the objects in that memory are known. */
	o.ts = s->now_mono;
	emit_shared(s, &o);
}
