/* process.c - processes and threads: found, made, named, written. */
/* SPDX-License-Identifier: MIT */
#include "base/mem.h"
#include "tracer/model/hold.h"
#include "tracer/model/lock.h"
#include "tracer/model/pipe.h"
#include "tracer/model/process.h"
#include "tracer/model/sample.h"
#include "tracer/model/signal.h"
#include "tracer/model/site.h"
#include "tracer/model/wait.h"

#include <sched.h>
#include <sys/wait.h>

struct proc *model_find_proc(const struct model *m, uint64_t pid)
{
	return hash_get(&m->procs, pid);
}

struct thread *model_find_thread(const struct model *m, uint64_t tid)
{
	return hash_get(&m->threads, tid);
}

void model_name(char name[17], const char *comm)
{
	size_t n = strnlen(comm, 16);

	memcpy(name, comm, n);
	name[n] = '\0';
}

struct proc *model_proc_new(struct model *m, uint32_t pid, int64_t ts)
{
	struct proc *p = xcalloc(1, sizeof *p);

	p->id = m->ids.process++;
	p->image = m->ids.image++;
	p->pid = pid;
	p->parent_id = p->creator_id = p->end = p->reaped_ns = p->reaper_id = STORE_NULL;
	p->memory_id = STORE_NULL;
	p->mapped_ns = STORE_NULL;
	p->start = ts;
	p->status = p->autoreap = -1;
	p->lock_source = LOCKS_OFF;
	p->files = p->vm = p;
	p->pending_end = &p->pending;
	p->dirty = true;
	p->link = &m->all_procs;
	p->next = m->all_procs;
	if (p->next)
		p->next->link = &p->next;
	m->all_procs = p;
	(void)hash_set(&m->procs, pid, p);
	return p;
}

struct thread *model_thread_new(struct model *m, struct proc *p, uint32_t tid, int64_t ts)
{
	struct thread *t = xcalloc(1, sizeof *t);

	t->id = m->ids.thread++;
	t->tid = tid;
	t->proc = p;
	t->creator_id = t->end = t->entry_site = t->last_child = t->torn = STORE_NULL;
	t->start = ts;
	t->dirty = true;
	t->is_main = tid == p->pid;
	t->lane.hold_start = STORE_NULL;
	t->link = &m->all_threads;
	t->next = m->all_threads;
	if (t->next)
		t->next->link = &t->next;
	m->all_threads = t;
	t->peer_link = &p->threads;
	t->peer = p->threads;
	if (t->peer)
		t->peer->peer_link = &t->peer;
	p->threads = t;
	if (t->is_main)
		p->main = t;
	(void)hash_set(&m->threads, tid, t);
	return t;
}

struct proc *model_proc(struct model *m, const struct rec_head *head)
{
	struct proc *p = model_find_proc(m, head->pid);

	if (p && !(p->slim && p->ended))
		return p;
	p = model_proc_new(m, head->pid, model_time(m, head->ts));
	p->lazy = true;
	return p;
}

/* The living thread that has these numbers in a PID namespace of its own. */
static struct thread *find_inner(const struct model *m, const struct rec_head *head)
{
	for (const struct proc *p = m->all_procs; p; p = p->next) {
		if (p->ns_pid != head->pid || p->ended)
			continue;
		for (struct thread *t = p->threads; t; t = t->peer)
			if (t->ns_tid == head->tid && t->end == STORE_NULL)
				return t;
	}
	return NULL;
}

struct thread *model_thread(struct model *m, const struct rec_head *head)
{
	struct thread *t = m->last_thread;

	if (head->flags & REC_INNER) {
		if (t && t->ns_tid == head->tid && t->proc->ns_pid == head->pid)
			return t;
		t = find_inner(m, head);
		if (t)
			return m->last_thread = t;
		t = m->last_thread;
	}
	if (t && t->tid == head->tid && t->proc->pid == head->pid && !t->proc->unconfirmed)
		return t;
	t = model_find_thread(m, head->tid);
	if (!t || t->proc->pid != head->pid) {
		struct proc *p = model_proc(m, head);

		t = model_thread_new(m, p, head->tid, model_time(m, head->ts));
		t->lazy = true;
		if (p->ended)
			model_thread_end(m, t, p->end);
	}
	m->last_thread = t;
	if (t->proc->unconfirmed && head->kind != REC_END_OPEN)
		model_ends_settle(m, t->proc, model_time(m, head->ts));
	return t;
}

static void write_end_status(const struct proc *p, struct row_process *row)
{
	row->exit_code = row->exit_signal = row->core_dumped = STORE_NULL;
	if (p->status < 0 || !p->ended)
		return;
	if (WIFEXITED(p->status)) {
		row->end_kind = "exit";
		row->exit_code = WEXITSTATUS(p->status);
	} else if (WIFSIGNALED(p->status)) {
		row->end_kind = "signal";
		row->exit_signal = WTERMSIG(p->status);
		row->core_dumped = WCOREDUMP(p->status) != 0;
	}
}

void model_write_proc(struct model *m, struct proc *p)
{
	struct row_process row = {.id = p->id,
		.pid = p->pid,
		.ns_pid = p->ns_pid && p->ns_pid != p->pid ? (int64_t)p->ns_pid : STORE_NULL,
		.parent_id = p->parent_id,
		.creator_id = p->creator_id,
		.name = p->name[0] ? p->name : NULL,
		.exe = p->exe,
		.command = p->command,
		.start_ns = p->start,
		.end_ns = p->end,
		.reaped_ns = p->reaped_ns,
		.reaper_id = p->reaper_id,
		.autoreap = p->autoreap < 0 ? STORE_NULL : p->autoreap,
		.created_by = p->created_by,
		.secure = p->secure,
		.reopens = p->reopens,
		.uring = p->uring,
		.memory_id = p->memory_id,
		.language = p->language,
		.program = p->program};

	write_end_status(p, &row);
	store_write(m->store, STORE_PROCESS, &row, &p->written);
	p->dirty = false;
}

void model_write_thread(struct model *m, struct thread *t)
{
	struct row_thread row = {.id = t->id,
		.tid = t->tid,
		.process_id = t->proc->id,
		.creator_id = t->creator_id,
		.name = t->name[0] ? t->name : NULL,
		.start_ns = t->start,
		.end_ns = t->end,
		.entry_site_id = t->entry_site,
		.is_main = t->is_main,
		.ns_tid = t->ns_tid && t->ns_tid != t->tid ? (int64_t)t->ns_tid : STORE_NULL,
		.torn = t->torn,
		.runtime_name = t->runtime_name};

	store_write(m->store, STORE_THREAD, &row, &t->written);
	t->dirty = false;
}

static void flush_thread(struct model *m, struct thread *t)
{
	model_holds_flush(m, t);
	model_call_flush(m, t);
	model_wait_flush(m, t);
	model_edges_flush(m, t, false);
	model_lane_flush(m, t);
	if (t->dirty)
		model_write_thread(m, t);
}

void model_process_flush(struct model *m)
{
	for (struct thread *t = m->all_threads; t; t = t->next)
		flush_thread(m, t);
	for (struct proc *p = m->all_procs; p; p = p->next) {
		if (!p->slim) {
			model_signal_flush(m, p);
			model_timer_flush(m, p);
		}
		if (p->dirty)
			model_write_proc(m, p);
	}
}

void model_proc_vm(struct proc *p, struct proc *vm)
{
	if (p->vm != p)
		p->vm->vm_users--;
	p->vm = vm;
	if (vm != p)
		vm->vm_users++;
}

void model_thread_end(struct model *m, struct thread *t, int64_t ts)
{
	if (t->end != STORE_NULL)
		return;
	t->end = ts;
	t->dirty = true;
	model_wait_close(m, t, ts, STORE_NULL);
	model_fifo_opened(m, t, ts);
	model_spin_done(m, t);
	t->ended_next = NULL;
	t->ended_link = m->ended_threads_end;
	*m->ended_threads_end = t;
	m->ended_threads_end = &t->ended_next;
}

void model_proc_end(struct model *m, struct proc *p, int64_t ts, int status)
{
	if (p->ended)
		return;
	for (struct thread *t = p->threads; t; t = t->peer)
		model_thread_end(m, t, ts);
	p->ended = p->dirty = true;
	p->end = ts;
	p->status = status;
	model_ends_exit(m, p, ts);
	p->ended_next = NULL;
	*m->ended_procs_end = p;
	m->ended_procs_end = &p->ended_next;
}

/* Names a process by how it was made; the kernel cannot tell vfork from a posix_spawn of older C libraries. */
static const char *made_by(const struct model *m, const struct rec_FORK *rec)
{
	const uint64_t clear_sighand = 0x100000000ULL;
	const uint64_t plain =
		CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID | CLONE_PARENT_SETTID | 0xff;

	if (rec->head.pid == (uint32_t)m->config.tracer_pid)
		return "start";
	if (rec->flags & clear_sighand)
		return "posix_spawn";
	if (rec->flags & CLONE_VFORK)
		return "vfork";
	return rec->flags & ~plain ? "clone" : "fork";
}

/* Returns the entity that a record may have made before the word of its birth came: it is completed then. */
static struct thread *early_thread(const struct model *m, const struct rec_FORK *rec)
{
	struct thread *t = model_find_thread(m, rec->child_tid);

	return t && t->lazy && t->proc->pid == rec->child_pid ? t : NULL;
}

static void fork_thread(struct model *m, const struct rec_FORK *rec)
{
	struct thread *creator = model_thread(m, &rec->head), *t = early_thread(m, rec);
	int64_t ts = model_time(m, rec->head.ts);

	if (!t) {
		struct thread *old = model_find_thread(m, rec->child_tid);

		if (old)
			model_thread_end(m, old, ts);
		t = model_thread_new(m, creator->proc, (uint32_t)rec->child_tid, ts);
	}
	t->lazy = false;
	t->dirty = true;
	t->start = ts;
	t->creator_id = creator->id;
	t->ns_tid = (uint32_t)rec->child_ns_tid;
	t->tid_addr = rec->tid_addr;
	model_name(t->name, rec->comm);
	if (rec->entry)
		t->entry_site = model_site(m, t->proc, rec->entry, false);
}

/* What a new process takes over from the one that made it. */
static void inherit(
	struct model *m, struct proc *p, struct thread *creator, const struct rec_FORK *rec)
{
	struct proc *parent = creator->proc;
	int64_t ts = model_time(m, rec->head.ts);

	p->image = parent->image;
	p->lock_source = parent->lock_source;
	p->secure = parent->secure;
	p->reopens = parent->reopens;
	p->exe = p->exe ? p->exe : xstrdup(parent->exe);
	p->command = p->command ? p->command : xstrdup(parent->command);
	model_sites_fork(m, p, parent);
	model_ends_inherit(m, p, parent, ts, (rec->flags & CLONE_FILES) != 0);
	model_handlers_inherit(m, p, parent, ts);
	if (rec->flags & CLONE_VM) {
		model_proc_vm(p, parent->vm);
		p->memory_id = parent->memory_id == STORE_NULL ? parent->id : parent->memory_id;
		p->dirty = true;
	} else {
		p->origin_id = parent->vm->id;
		p->origin_pid = parent->vm->pid;
		model_locks_fork(m, p, parent->vm, creator, ts);
	}
}

static struct proc *forked_proc(struct model *m, const struct rec_FORK *rec, int64_t ts)
{
	struct thread *t = early_thread(m, rec);
	struct proc *p = model_find_proc(m, rec->child_pid);

	if (p && p->lazy && !p->ended)
		return p;
	if (t)
		return t->proc;
	if (p)
		model_proc_end(m, p, ts, -1);
	return model_proc_new(m, (uint32_t)rec->child_pid, ts);
}

static void fork_process(struct model *m, const struct rec_FORK *rec)
{
	bool by_tracer = rec->head.pid == (uint32_t)m->config.tracer_pid;
	struct thread *creator = by_tracer ? NULL : model_thread(m, &rec->head);
	int64_t ts = model_time(m, rec->head.ts);
	struct proc *p = forked_proc(m, rec, ts), *parent;
	struct thread *t = model_find_thread(m, rec->child_tid);

	if (!t || t->proc != p)
		t = model_thread_new(m, p, (uint32_t)rec->child_tid, ts);
	p->lazy = t->lazy = false;
	p->dirty = t->dirty = true;
	p->start = p->forked_ns = t->start = ts;
	p->ppid = (uint32_t)(rec->parent_pid ? rec->parent_pid : rec->head.pid);
	p->ns_pid = (uint32_t)rec->child_ns_pid;
	t->ns_tid = (uint32_t)rec->child_ns_tid;
	t->tid_addr = rec->tid_addr;
	p->created_by = made_by(m, rec);
	model_name(t->name, rec->comm);
	model_name(p->name, rec->comm);
	parent = by_tracer ? NULL : model_find_proc(m, p->ppid);
	if (parent)
		p->parent_id = parent->id;
	if (creator) {
		p->creator_id = t->creator_id = creator->id;
		creator->last_child = p->id;
		inherit(m, p, creator, rec);
	}
}

void model_fork(struct model *m, const struct rec_FORK *rec)
{
	if (!rec->child_pid || !rec->child_tid || rec->child_pid > UINT32_MAX ||
		rec->child_tid > UINT32_MAX)
		model_skip(m);
	else if (rec->child_pid == rec->head.pid)
		fork_thread(m, rec);
	else
		fork_process(m, rec);
}

void model_comm(struct model *m, const struct rec_COMM *rec)
{
	struct thread *t = model_thread(m, &rec->head);

	model_name(t->name, rec->comm);
	t->dirty = true;
	if (t->is_main) {
		memcpy(t->proc->name, t->name, sizeof t->name);
		t->proc->dirty = true;
	}
}

void model_thread_entry(struct model *m, const struct rec_THREAD_ENTRY *rec)
{
	struct thread *t = model_thread(m, &rec->head);

	t->entry_site = model_site(m, t->proc, rec->entry, false);
	t->dirty = true;
}
