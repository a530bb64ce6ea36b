/* fork.c - processes and threads that are created, and named. */
/* SPDX-License-Identifier: MIT */
#include "tracer/model/private.h"

#include <sched.h>

#include "base/mem.h"
#include "tracer/symbols/symbols.h"

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

/*
 * Returns the entity that an earlier record may have made before that of its birth came: it is completed now.
 * One that had ended by then is another with the same number.
 */
static struct thread *early_thread(const struct model *m, const struct rec_FORK *rec)
{
	struct thread *t = model_find_thread(m, rec->child_tid);

	if (!t || !t->is_early || t->proc->pid != rec->child_pid)
		return NULL;
	return t->end == STORE_NULL || t->end >= model_time(m, rec->head.ts) ? t : NULL;
}

/*
 * The function that a thread runs, by which it is called. What a language's library runs first, and the same for
 * every thread (Rust's thread_start, std::thread's), tells none from another: the thread's own name does. Nor does what the
 * library that records locks runs before the program's function.
 */
static void set_entry(struct model *m, struct thread *t, uint64_t entry)
{
	struct symbols *s = m->config.symbols;

	if (model_is_of_shim(m, t->proc, entry))
		return;
	if (!s || !symbols_is_library(s, t->proc->id, entry + 1) ||
		symbols_is_compiled_library(s, t->proc->id, entry + 1))
		t->entry_site = model_site(m, t->proc, entry, false);
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
	model_thread_born(m, t);
	t->dirty = true;
	t->start = ts;
	t->creator_id = creator->id;
	/* What an MPI library starts serves that library. */
	t->is_housekeeping = model_mpi_inside(creator) || creator->is_mpi;
	t->is_mpi = t->is_housekeeping;
	t->ns_tid = (uint32_t)rec->child_ns_tid;
	t->tid_addr = rec->tid_addr;
	model_name(t->name, rec->comm);
	/* Read out of the C library's own structure, which may look otherwise than the probe thinks. */
	if (rec->entry && (!m->config.symbols || model_is_code(m, t->proc, rec->entry)))
		set_entry(m, t, rec->entry);
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
	p->left_out = parent->left_out;
	p->reopens = parent->reopens;
	p->cancels = parent->cancels;
	p->exe = p->exe ? p->exe : xstrdup(parent->exe);
	p->command = p->command ? p->command : xstrdup(parent->command);
	if (!p->program && parent->program) {
		p->program = xstrdup(parent->program);
		p->program_by_call = parent->program_by_call;
	}
	model_title_fork(m, p, parent, ts);
	model_sites_fork(m, p, parent);
	model_pipe_ends_inherit(m, p, parent, ts, (rec->flags & CLONE_FILES) != 0);
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

	if (p && p->is_early && !p->ended)
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
	p->is_early = t->is_early = false;
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

	set_entry(m, t, rec->entry);
	t->dirty = true;
}
