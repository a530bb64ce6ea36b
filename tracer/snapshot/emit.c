/* emit.c - what a snapshot found, as records in the order of time. */
/* SPDX-License-Identifier: MIT */
#include "tracer/snapshot/private.h"

#include <inttypes.h>
#include <linux/kcmp.h>
#include <sys/sysmacros.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/mem.h"
#include "tracer/core/core.h"
#include "tracer/snapshot/snapshot.h"
#include "tracer/symbols/symbols.h"

/* Signals that glibc keeps to itself, for cancelling threads and changing their ids: nobody else sends them. */
enum { LIBC_CANCEL = 32, LIBC_SETXID = 33 };

struct out {
	source_emit *emit;
	void *arg;
	uint64_t ts; /* of what has no time of its own: before every wait */
};

static struct rec_head head(
	const struct out *o, enum rec_kind kind, size_t size, pid_t pid, pid_t tid)
{
	return (struct rec_head){.kind = (rec_u16)kind,
		.size = (rec_u16)size,
		.flags = REC_SNAP,
		.ts = o->ts,
		.pid = (rec_u32)pid,
		.tid = (rec_u32)tid};
}

static void emit_more(const struct out *o, pid_t pid, pid_t tid, enum more_what what,
	const void *data, size_t len)
{
	const char *at = data;

	while (len > 0) {
		struct rec_MORE r = {.head = head(o, REC_MORE, sizeof r, pid, tid), .what = what};
		size_t n = len < SNAP_MORE_BYTES ? len : SNAP_MORE_BYTES;

		/* Items of a poll set are not cut in two. */
		if (what == MORE_POLL)
			n -= n % sizeof(struct rec_poll_item);
		r.len = n;
		memcpy(r.data, at, n);
		o->emit(o->arg, &r.head);
		at += n;
		len -= n;
	}
}

static void copy_text(char *to, size_t size, const char *from)
{
	size_t len = from ? strlen(from) : 0;

	memset(to, 0, size);
	memcpy(to, from ? from : "", len < size ? len : size - 1);
}

/* The process before this one, parent or child of it, in whose memory it runs; 0: in its own. */
static pid_t memory_of(const struct snapshot *s, const struct snap_process *p)
{
	for (size_t i = 0; i < s->n_processes && s->processes[i] != p; i++) {
		const struct snap_process *q = s->processes[i];

		if ((q->pid == p->ppid || q->ppid == p->pid) && !q->is_zombie && !p->is_zombie &&
			syscall(SYS_kcmp, q->live, p->live, KCMP_VM, 0, 0) == 0)
			return q->pid;
	}
	return 0;
}

static void emit_found(const struct snapshot *s, const struct out *o, const struct snap_process *p,
	const struct snap_thread *t)
{
	struct rec_FOUND r = {.head = head(o, REC_FOUND, sizeof r, p->pid, t ? t->tid : p->pid),
		.ppid = (uint64_t)p->ppid,
		.ns_pid = (uint64_t)p->ns_pid,
		.ns_tid = (uint64_t)(t ? t->ns_tid : p->ns_pid),
		.start_ts = p->start_ts,
		.lock_source = LOCKS_FUTEX,
		.memory_pid = (uint64_t)(!t || t->tid == p->pid ? memory_of(s, p) : 0),
		.tid_addr = t ? t->tid_addr : 0};

	memcpy(r.comm, t ? t->comm : p->comm, sizeof r.comm);
	if (r.head.tid == r.head.pid && p->exe)
		copy_text(r.path, sizeof r.path, p->exe);
	o->emit(o->arg, &r.head);
}

static void emit_exit(const struct out *o, const struct snap_process *p, pid_t tid, bool last)
{
	struct rec_EXIT r = {.head = head(o, REC_EXIT, sizeof r, p->pid, tid),
		.status = last ? p->exit_status : 0,
		.last = last,
		.group_status = last ? p->exit_status : 0};

	o->emit(o->arg, &r.head);
}

static void emit_core_modules(const struct out *o, const struct snap_process *p)
{
	const struct core_process *c = core_process(p->core);

	for (size_t i = 0; i < c->n_maps; i++) {
		const struct core_map *m = &c->maps[i];
		struct rec_MODULE r = {.head = head(o, REC_MODULE, sizeof r, p->pid, p->pid),
			.start = m->start,
			.len = m->end - m->start,
			.offset = m->offset};

		copy_text(r.path, sizeof r.path, m->path);
		if (m->is_code)
			o->emit(o->arg, &r.head);
	}
}

static void emit_modules(const struct out *o, const struct snap_process *p)
{
	_cleanup_fclose_ FILE *f = NULL;
	_cleanup_free_ char *line = NULL;
	size_t cap = 0;
	char path[64];

	(void)snprintf(path, sizeof path, "/proc/%d/maps", (int)p->live);
	f = fopen(path, "re");
	while (f && getline(&line, &cap, f) > 0) {
		struct rec_MODULE r = {.head = head(o, REC_MODULE, sizeof r, p->pid, p->pid)};
		unsigned major_nr, minor_nr;
		uint64_t end;
		char perms[5];
		int n = 0;

		if (!maps_line_has(line, 'x'))
			continue;
		if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s %" SCNx64 " %x:%x %" SCNu64 " %n",
			    &r.start, &end, perms, &r.offset, &major_nr, &minor_nr, &r.inode,
			    &n) != 7 ||
			perms[2] != 'x' || line[n] != '/')
			continue;
		line[n + (int)strcspn(line + n, "\n")] = '\0';
		r.len = end - r.start;
		r.dev = makedev(major_nr, minor_nr);
		copy_text(r.path, sizeof r.path, line + n);
		o->emit(o->arg, &r.head);
	}
}

/* Pipe kinds are file kinds less two. */
static enum pipe_kind pipe_kind_of(enum file_kind kind)
{
	return (enum pipe_kind)(kind - (FILE_PIPE - PIPE_PIPE));
}

/* A timerfd that is armed says so in its fdinfo: "it_value: (0, 49406829)". */
static void emit_timerfd(const struct out *o, const struct snap_process *p, const struct snap_fd *f)
{
	struct rec_TIMER r = {.head = head(o, REC_TIMER, sizeof r, p->pid, p->pid),
		.which = TIMER_FD,
		.timer_id = (uint64_t)f->fd};
	unsigned long long s = 0, ns = 0;
	char path[64], text[1024];
	const char *at;

	(void)snprintf(path, sizeof path, "/proc/%d/fdinfo/%d", (int)p->live, f->fd);
	if (proc_read(path, text, sizeof text) <= 0)
		return;
	at = strstr(text, "it_value:");
	if (!at || sscanf(at, "it_value: (%llu, %llu)", &s, &ns) != 2 || !(s || ns))
		return;
	r.value_ns = s * 1000000000ull + ns;
	at = strstr(text, "it_interval:");
	if (at && sscanf(at, "it_interval: (%llu, %llu)", &s, &ns) == 2)
		r.interval_ns = s * 1000000000ull + ns;
	o->emit(o->arg, &r.head);
}

static void emit_fds(const struct out *o, const struct snap_process *p)
{
	for (size_t i = 0; i < p->n_fds; i++) {
		const struct snap_fd *f = &p->fds[i];
		struct rec_END_OPEN r = {.head = head(o, REC_END_OPEN, sizeof r, p->pid, p->pid),
			.dev = f->dev,
			.inode = f->inode,
			.inode2 = f->inode2,
			.fd = (uint64_t)f->fd,
			.mode = f->mode,
			.via = END_FOUND,
			.cloexec = f->is_cloexec};

		if (f->kind == FILE_TIMERFD)
			emit_timerfd(o, p, f);
		if (f->kind == FILE_URING) {
			struct rec_URING ring = {
				.head = head(o, REC_URING, sizeof ring, p->pid, p->pid),
				.fd = (uint64_t)f->fd};

			o->emit(o->arg, &ring.head);
		}
		if (!file_is_end(f->kind))
			continue;
		r.kind = pipe_kind_of(f->kind);
		copy_text(r.path, sizeof r.path, f->kind == FILE_FIFO ? f->path : NULL);
		o->emit(o->arg, &r.head);
	}
}

static void emit_signals(const struct out *o, const struct snap_process *p)
{
	for (unsigned signo = 1; signo <= 64; signo++) {
		uint64_t bit = 1ull << (signo - 1);
		struct rec_SIG_ACTION r = {
			.head = head(o, REC_SIG_ACTION, sizeof r, p->pid, p->pid),
			.signo = signo,
			.handler = p->sigcgt & bit ? SNAPSHOT_HANDLER : 1};

		if (signo != LIBC_CANCEL && signo != LIBC_SETXID && (p->sigcgt | p->sigign) & bit)
			o->emit(o->arg, &r.head);
	}
}

/* POSIX timers: "ID: 0\nsignal: 14/0000\nnotify: signal/pid.1234\nClockID: 1\n". Whether one is armed it does not say. */
static void emit_timers(struct snapshot *s, const struct out *o, const struct snap_process *p)
{
	_cleanup_free_ char *text = xmalloc(64 * 1024);
	char path[64];

	(void)snprintf(path, sizeof path, "/proc/%d/timers", (int)p->live);
	if (proc_read(path, text, 64 * 1024) <= 0)
		return;
	for (const char *at = text; at; at = strstr(at + 1, "ID: ")) {
		struct rec_TIMER r = {.head = head(o, REC_TIMER, sizeof r, p->pid, p->pid),
			.which = TIMER_POSIX,
			.value_ns = 1000000000ull,
			.interval_ns = 1000000000ull};
		unsigned long long id, signo;
		char notify[16];

		/* One that only counts notifies nobody. */
		if (sscanf(at, "ID: %llu signal: %llu/%*s notify: %15[a-z]", &id, &signo, notify) !=
				3 ||
			!strcmp(notify, "none"))
			continue;
		/* Taken as armed: a verdict that rests on its being idle would be a guess. */
		r.timer_id = id;
		r.signo = signo;
		o->emit(o->arg, &r.head);
		buf_add_printable(s->blind, p->comm, strlen(p->comm));
		buf_addf(s->blind, "[%d] has a POSIX timer: whether it is armed is not known.\n",
			(int)p->pid);
	}
}

/* An end, and before it the mutexes that were never released: a thread that has ended takes none. */
static void emit_end(
	struct snapshot *s, const struct out *o, const struct snap_process *p, pid_t tid, bool last)
{
	if (s->config->calls && s->config->symbols)
		calls_emit_taken(s, p, tid, o->ts, o->emit, o->arg);
	emit_exit(o, p, tid, last);
}

static void emit_process(struct snapshot *s, const struct out *o, const struct snap_process *p)
{
	const struct snap_thread *main_thread = NULL;

	for (size_t i = 0; i < p->n_threads; i++)
		if (p->threads[i].tid == p->pid)
			main_thread = &p->threads[i];
	emit_more(o, p->pid, p->pid, MORE_ARGV, p->args.data, p->args.len);
	emit_found(s, o, p, main_thread);
	for (size_t i = 0; i < p->n_threads; i++)
		if (p->threads[i].tid != p->pid)
			emit_found(s, o, p, &p->threads[i]);
	if (p->is_zombie) {
		emit_end(s, o, p, p->pid, true);
		return;
	}
	for (size_t i = 0; i < p->n_threads; i++)
		if (p->threads[i].state == 'Z' || p->threads[i].state == 'X')
			emit_end(s, o, p, p->threads[i].tid, false);
	if (p->core) {
		emit_core_modules(o, p);
		return;
	}
	emit_modules(o, p);
	emit_fds(o, p);
	emit_signals(o, p);
	emit_timers(s, o, p);
}

/* What a socket is called; of one that nobody has accepted yet, who listens there. */
static void emit_socket(struct snapshot *s, const struct out *o, const struct snap_process *p,
	const struct snap_fd *f)
{
	const struct snap_socket *socket = sockets_find(s, f->inode), *other, *listener;
	struct rec_SOCKET r = {.head = head(o, REC_SOCKET, sizeof r, p->pid, p->pid),
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
static void emit_sockets(struct snapshot *s, const struct out *o)
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

			if (!file_is_end(f->kind))
				continue;
			(void)hash_set(ours, f->inode, kind);
			other = f->kind > FILE_FIFO && socket ? sockets_other(s, socket) : 0;
			if (other)
				(void)hash_set(ours, other, kind);
		}
}

/* Says who else holds an end of one of these pipes: readable processes that the snapshot leaves out. */
static void emit_outside(struct snapshot *s, const struct out *o)
{
	struct hash ours = {0};

	find_ours(s, &ours);
	for (size_t i = 0; i < s->n_holders; i++) {
		const struct snap_holder *h = &s->holders[i];
		struct rec_OUTSIDE r = {.head = head(o, REC_OUTSIDE, sizeof r, h->pid, h->pid),
			.dev = h->dev,
			.inode = h->inode,
			.mode = h->mode};
		enum file_kind kind = (enum file_kind)(uintptr_t)hash_get(&ours, h->inode);

		if (h->kind == FILE_REG || !kind || hash_get(&s->by_pid, (uint64_t)h->pid))
			continue;
		r.kind = pipe_kind_of(kind);
		o->emit(o->arg, &r.head);
	}
	hash_done(&ours);
}

static void emit_file_locks(struct snapshot *s, const struct out *o)
{
	for (size_t i = 0; i < s->n_locks; i++) {
		const struct snap_lock *l = &s->locks[i];
		struct snap_process *p = hash_get(&s->by_pid, (uint64_t)l->pid);
		struct rec_FILE_LOCK r = {.head = head(o, REC_FILE_LOCK, sizeof r, l->pid, l->pid),
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

static void emit_shared(struct snapshot *s, const struct out *o)
{
	for (size_t i = 0; i < s->n_shared; i++) {
		const struct snap_shared *m = &s->shared[i];
		struct rec_SHARED_MAP anybody = {
			.head = head(o, REC_SHARED_MAP, sizeof anybody, getpid(), getpid()),
			.dev = m->dev,
			.inode = m->inode,
			.outside = 1};

		/* Somebody who is not there yet is outside too. */
		if (m->is_named)
			o->emit(o->arg, &anybody.head);
		for (size_t k = 0; k < m->n_mappers; k++) {
			struct rec_SHARED_MAP r = {.head = head(o, REC_SHARED_MAP, sizeof r,
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

static void emit_wait(struct snapshot *s, struct out *o, struct waiting *w)
{
	struct snap_thread *t = w->thread;
	pid_t pid = w->process->pid;

	o->ts = t->since;
	t->wait.head = head(o, REC_WAIT_BEGIN, sizeof t->wait, pid, t->tid);
	if (w->process->is_compat)
		t->wait.head.flags |= REC_COMPAT;
	mutex_forget_stranger(s, w->process, t);
	calls_emit_name(w->process, t, o->emit, o->arg);
	if (s->config->calls)
		(void)calls_emit(s, w->process, t, o->emit, o->arg);
	emit_more(o, pid, t->tid, MORE_POLL, t->poll, t->n_poll * sizeof *t->poll);
	if (t->open_path)
		emit_more(o, pid, t->tid, MORE_PATH, t->open_path, strlen(t->open_path));
	o->emit(o->arg, &t->wait.head);
	if (t->site) {
		struct rec_WAIT_SITE r = {
			.head = head(o, REC_WAIT_SITE, sizeof r, pid, t->tid), .site = t->site};

		o->emit(o->arg, &r.head);
	}
	for (int i = 0; i < t->n_frames; i++) {
		struct rec_WAIT_FRAME r = {.head = head(o, REC_WAIT_FRAME, sizeof r, pid, t->tid),
			.depth = (rec_u64)i,
			.addr = t->frames[i].addr,
			.is_return = t->frames[i].is_return,
			.library = symbols_is_library(s->config->symbols, snap_key(pid),
				t->frames[i].addr + !t->frames[i].is_return)};

		o->emit(o->arg, &r.head);
	}
}

static void emit_waits(struct snapshot *s, struct out *o)
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
	struct out o = {.emit = emit, .arg = arg, .ts = s->now_mono};

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
