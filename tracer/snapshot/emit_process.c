/* emit_process.c - a process that a snapshot found, as records: threads, mappings, descriptors, handlers, timers. */
/* SPDX-License-Identifier: MIT */
#include "tracer/snapshot/emit_process.h"

#include <signal.h>
#include <inttypes.h>
#include <linux/kcmp.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/mem.h"
#include "schema/names.h"
#include "tracer/core/core.h"

void emit_more(const struct emit_out *o, pid_t pid, pid_t tid, enum more_what what,
	const void *data, size_t len)
{
	const char *at = data;

	while (len > 0) {
		struct rec_MORE r = {
			.head = emit_head(o, REC_MORE, sizeof r, pid, tid), .what = what};
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

static void emit_found(const struct snapshot *s, const struct emit_out *o,
	const struct snap_process *p, const struct snap_thread *t)
{
	struct rec_FOUND r = {
		.head = emit_head(o, REC_FOUND, sizeof r, p->pid, t ? t->tid : p->pid),
		.ppid = (uint64_t)p->ppid,
		.ns_pid = (uint64_t)p->ns_pid,
		.ns_tid = (uint64_t)(t ? t->ns_tid : p->ns_pid),
		.start_ts = p->start_ts,
		.lock_source = LOCKS_FUTEX,
		.has_reaped = p->has_reaped,
		.memory_pid = (uint64_t)(!t || t->tid == p->pid ? memory_of(s, p) : 0),
		.tid_addr = t ? t->tid_addr : 0};

	memcpy(r.comm, t ? t->comm : p->comm, sizeof r.comm);
	if (r.head.tid == r.head.pid && p->exe)
		emit_text(r.path, sizeof r.path, p->exe);
	o->emit(o->arg, &r.head);
}

static void emit_exit(const struct emit_out *o, const struct snap_process *p, pid_t tid, bool last)
{
	struct rec_EXIT r = {.head = emit_head(o, REC_EXIT, sizeof r, p->pid, tid),
		.status = last ? p->exit_status : 0,
		.last = last,
		.group_status = last ? p->exit_status : 0};

	o->emit(o->arg, &r.head);
}

static void emit_core_modules(const struct emit_out *o, const struct snap_process *p)
{
	const struct core_process *c = core_process(p->core);

	for (size_t i = 0; i < c->n_maps; i++) {
		const struct core_map *m = &c->maps[i];
		struct rec_MODULE r = {.head = emit_head(o, REC_MODULE, sizeof r, p->pid, p->pid),
			.start = m->start,
			.len = m->end - m->start,
			.offset = m->offset};

		emit_text(r.path, sizeof r.path, m->path);
		if (m->is_code)
			o->emit(o->arg, &r.head);
	}
}

static void emit_modules(const struct emit_out *o, const struct snap_process *p)
{
	_cleanup_fclose_ FILE *f = NULL;
	_cleanup_free_ char *line = NULL;
	size_t cap = 0;
	char path[64];

	(void)snprintf(path, sizeof path, "/proc/%d/maps", (int)p->live);
	f = fopen(path, "re");
	while (f && getline(&line, &cap, f) > 0) {
		struct rec_MODULE r = {.head = emit_head(o, REC_MODULE, sizeof r, p->pid, p->pid)};
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
		emit_text(r.path, sizeof r.path, line + n);
		o->emit(o->arg, &r.head);
	}
}

/* A timerfd that is armed says so in its fdinfo, and how long it runs from now on: "it_value: (0, 49406829)". */
static void emit_timerfd(const struct snapshot *s, const struct emit_out *o,
	const struct snap_process *p, const struct snap_fd *f)
{
	struct rec_TIMER r = {.head = emit_head(o, REC_TIMER, sizeof r, p->pid, p->pid),
		.which = TIMER_FD,
		.timer_id = (uint64_t)f->fd};
	unsigned long long sec = 0, ns = 0;
	char path[64], text[1024];
	const char *at;

	(void)snprintf(path, sizeof path, "/proc/%d/fdinfo/%d", (int)p->live, f->fd);
	if (proc_read(path, text, sizeof text) <= 0)
		return;
	at = strstr(text, "it_value:");
	if (!at || sscanf(at, "it_value: (%llu, %llu)", &sec, &ns) != 2 || !(sec || ns))
		return;
	/* The record is as old as the oldest wait. */
	r.value_ns = sec * 1000000000ull + ns + (s->now_mono - o->ts);
	at = strstr(text, "it_interval:");
	if (at && sscanf(at, "it_interval: (%llu, %llu)", &sec, &ns) == 2)
		r.interval_ns = sec * 1000000000ull + ns;
	o->emit(o->arg, &r.head);
}

/* A side of a pseudo-terminal that somebody waits for. */
static void emit_terminal(const struct snapshot *s, const struct emit_out *o,
	const struct snap_fd *f, struct rec_END_OPEN *r)
{
	if (!terminals_is_waited(s, f->inode))
		return;
	r->kind = PIPE_PTY;
	r->dev = TERMINALS_DEV;
	r->inode2 = terminal_other(f->inode);
	(void)snprintf(r->path, sizeof r->path, "/dev/pts/%u", terminal_number(f->inode));
	o->emit(o->arg, &r->head);
}

static void emit_fds(
	const struct snapshot *s, const struct emit_out *o, const struct snap_process *p)
{
	for (size_t i = 0; i < p->n_fds; i++) {
		const struct snap_fd *f = &p->fds[i];
		struct rec_END_OPEN r = {
			.head = emit_head(o, REC_END_OPEN, sizeof r, p->pid, p->pid),
			.dev = f->dev,
			.inode = f->inode,
			.inode2 = f->inode2,
			.fd = (uint64_t)f->fd,
			.mode = f->mode,
			.via = END_FOUND,
			.cloexec = f->is_cloexec};

		if (f->kind == FILE_TIMERFD)
			emit_timerfd(s, o, p, f);
		if (f->kind == FILE_TTY)
			emit_terminal(s, o, f, &r);
		if (f->kind == FILE_URING) {
			struct rec_URING ring = {
				.head = emit_head(o, REC_URING, sizeof ring, p->pid, p->pid),
				.fd = (uint64_t)f->fd};

			o->emit(o->arg, &ring.head);
		}
		if (!file_is_end(f->kind))
			continue;
		r.kind = emit_pipe_kind(f->kind);
		r.mode |= f->is_unnamed ? END_UNNAMED : 0;
		emit_text(r.path, sizeof r.path, f->kind == FILE_FIFO ? f->path : NULL);
		o->emit(o->arg, &r.head);
	}
}

static void emit_signals(const struct emit_out *o, const struct snap_process *p)
{
	for (unsigned signo = 1; signo <= 64; signo++) {
		uint64_t bit = 1ull << (signo - 1);
		struct rec_SIG_ACTION r = {
			.head = emit_head(o, REC_SIG_ACTION, sizeof r, p->pid, p->pid),
			.signo = signo,
			.handler = p->sigcgt & bit ? SNAPSHOT_HANDLER : 1};

		if (signo != LIBC_CANCEL && signo != LIBC_SETXID && (p->sigcgt | p->sigign) & bit)
			o->emit(o->arg, &r.head);
	}
}

/* Ruby's threads remind each other of their turns by this timer (thread_pthread.c): it ends no wait. */
static bool is_ruby(const struct snap_process *p)
{
	const char *base = p->exe ? strrchr(p->exe, '/') : NULL;

	return base && !strncmp(base, "/ruby", 5);
}

/* POSIX timers: "ID: 0\nsignal: 14/0000\nnotify: signal/pid.1234\nClockID: 1\n". Whether one is armed it does not say. */
static void emit_timers(struct snapshot *s, const struct emit_out *o, const struct snap_process *p)
{
	_cleanup_free_ char *text = xmalloc(64 * 1024);
	char path[64];

	(void)snprintf(path, sizeof path, "/proc/%d/timers", (int)p->live);
	if (proc_read(path, text, 64 * 1024) <= 0)
		return;
	for (const char *at = text; at; at = strstr(at + 1, "ID: ")) {
		struct rec_TIMER r = {.head = emit_head(o, REC_TIMER, sizeof r, p->pid, p->pid),
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
		if (signo == SIGVTALRM && is_ruby(p))
			continue;
		/* Taken as armed: a verdict that rests on its being idle would be a guess. */
		r.timer_id = id;
		r.signo = signo;
		o->emit(o->arg, &r.head);
		buf_add_printable(s->blind, p->comm, strlen(p->comm));
		buf_addf(s->blind, "[%d] has a POSIX timer%s: whether it is armed is not known.\n",
			(int)p->pid,
			signo == LIBC_TIMER ? " that starts a thread (SIGEV_THREAD)" : "");
	}
}

/* Only another thread of a process could. */
static void emit_cancels(struct snapshot *s, const struct emit_out *o, const struct snap_process *p)
{
	struct rec_CANCELS r = {.head = emit_head(o, REC_CANCELS, sizeof r, p->pid, p->pid)};

	if (p->n_threads > 1)
		r.how = snapshot_cancels(p->live, &s->files);
	if (r.how)
		o->emit(o->arg, &r.head);
}

/* An end, and before it the mutexes that were never released: a thread that has ended takes none. */
static void emit_end(struct snapshot *s, const struct emit_out *o, const struct snap_process *p,
	pid_t tid, bool last)
{
	if (s->config->calls && s->config->symbols)
		calls_emit_taken(s, p, tid, o->ts, o->emit, o->arg);
	emit_exit(o, p, tid, last);
}

void emit_process(struct snapshot *s, const struct emit_out *o, const struct snap_process *p)
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
	emit_fds(s, o, p);
	emit_signals(o, p);
	emit_cancels(s, o, p);
	emit_timers(s, o, p);
}
