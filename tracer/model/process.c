/* process.c - processes and threads: found by number, made, written. */
/* SPDX-License-Identifier: MIT */
#include "tracer/model/private.h"

#include "base/buf.h"
#include "base/mem.h"

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

enum { COMM_MAX = 15 };

/* The kernel's name of a process is cut to 15 bytes; the program's file has the rest. */
const char *model_proc_name(const struct proc *p)
{
	const char *slash = p->exe ? strrchr(p->exe, '/') : NULL;
	const char *base = slash ? slash + 1 : p->exe;
	size_t len = strlen(p->name);

	return base && len == (size_t)COMM_MAX && !strncmp(base, p->name, len) ? base : p->name;
}

void model_name(char name[17], const char *comm)
{
	size_t n = strnlen(comm, 16);

	memcpy(name, comm, n);
	name[n] = '\0';
}

/*
 * What processes call themselves. A server tells its processes apart by writing over its arguments, where ps shows it:
 * "nginx: worker process", "postgres: app db UPDATE waiting". What stands there and is not the argument that the program
 * was executed with is a title.
 */
enum { TITLE_MAX = sizeof((struct rec_TITLE *)NULL)->title - 1 };

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Sets the title, NULL: none, and writes down since when. */
static void set_title(struct model *m, struct proc *p, char *title, int64_t ts)
{
	bool same = title && p->title ? !strcmp(title, p->title) : title == p->title;

	if (same) {
		free(title);
		return;
	}
	free(p->title);
	p->title = title;
	p->dirty = true;
	store_put(m->store, STORE_TITLE,
		&(struct row_title){.process_id = p->id, .ts_ns = ts, .title = title});
}

/* The text without the blanks with which the room behind it is filled; NULL: there is none. */
static char *trimmed(const char *text, size_t size)
{
	size_t len = strnlen(text, size);

	while (len && text[len - 1] == ' ')
		len--;
	return len ? xstrndup(text, len) : NULL;
}

void model_title(struct model *m, const struct rec_TITLE *rec)
{
	struct proc *p = model_thread(m, &rec->head)->proc;
	char *title = trimmed(rec->title, TITLE_MAX);

	if (title && p->arg0 && !strcmp(title, p->arg0)) {
		free(title);
		title = NULL;
	}
	/* Nothing is known of the arguments that it began with: they would not have blanks in the first one. */
	if (title && !p->arg0 && !strchr(title, ' ')) {
		free(title);
		return;
	}
	set_title(m, p, title, model_time(m, rec->head.ts));
}

void model_title_fork(struct model *m, struct proc *child, const struct proc *parent, int64_t ts)
{
	free(child->arg0);
	child->arg0 = parent->arg0 ? xstrdup(parent->arg0) : NULL;
	if (parent->title && !child->title)
		set_title(m, child, xstrdup(parent->title), ts);
}

void model_title_exec(struct model *m, struct proc *p, const struct buf *args, int64_t ts)
{
	free(p->arg0);
	p->arg0 = args ? trimmed(args->data, least(args->len, TITLE_MAX)) : NULL;
	set_title(m, p, NULL, ts);
}

/* "postgres: checkpointer" and nothing behind it but NULs: a program's own first argument is rarely so. */
void model_title_found(struct model *m, struct proc *p, const char *args, size_t n)
{
	size_t len = strnlen(args, n);

	for (size_t i = len; i < n; i++)
		if (args[i] != '\0')
			return;
	if (len && memchr(args, ' ', len) && args[0] != '/')
		set_title(m, p, trimmed(args, least(len, TITLE_MAX)), p->start);
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
	t->creator_id = t->end = t->entry_site = t->last_child = t->by_other = STORE_NULL;
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

static struct proc *proc_of(struct model *m, const struct rec_head *head)
{
	struct proc *p = model_find_proc(m, head->pid);

	if (p && !(p->retired && p->ended))
		return p;
	p = model_proc_new(m, head->pid, model_time(m, head->ts));
	p->is_early = true;
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
		.name = p->name[0] ? model_proc_name(p) : NULL,
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
		.has_reaped = p->has_reaped,
		.raw_calls = p->raw_calls,
		.hooks = p->hooks,
		.cancels = p->cancels,
		.memory_id = p->memory_id,
		.language = p->language,
		.program = p->program,
		.title = p->title,
		.mpi_job = p->mpi_job,
		.mpi_rank = p->mpi_job ? p->mpi_rank : STORE_NULL,
		.mpi_size = p->mpi_job ? p->mpi_size : STORE_NULL,
		.mpi_end_ns = p->mpi_end ? p->mpi_end : STORE_NULL};

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
		.cut_short = t->by_other,
		.runtime_name = t->runtime_name,
		.housekeeping = t->is_housekeeping};

	store_write(m->store, STORE_THREAD, &row, &t->written);
	t->dirty = false;
}

void model_proc_vm(struct proc *p, struct proc *vm)
{
	if (p->vm != p)
		p->vm->vm_users--;
	p->vm = vm;
	if (vm != p)
		vm->vm_users++;
}

void model_thread_ended(struct model *m, struct thread *t, int64_t ts)
{
	t->end = ts;
	t->dirty = true;
	t->ended_next = NULL;
	t->ended_link = m->ended_threads_end;
	*m->ended_threads_end = t;
	m->ended_threads_end = &t->ended_next;
}

struct thread *model_known_thread(const struct model *m, const struct rec_head *head)
{
	struct thread *t = m->last_thread;

	if (head->flags & REC_INNER) {
		if (t && t->ns_tid == head->tid && t->proc->ns_pid == head->pid)
			return t;
		t = find_inner(m, head);
		if (t)
			return t;
		t = m->last_thread;
	}
	if (t && t->tid == head->tid && t->proc->pid == head->pid)
		return t;
	t = model_find_thread(m, head->tid);
	return t && t->proc->pid == head->pid ? t : NULL;
}

struct thread *model_thread(struct model *m, const struct rec_head *head)
{
	struct thread *t = model_known_thread(m, head);

	if (!t) {
		struct proc *p = proc_of(m, head);

		t = model_thread_new(m, p, head->tid, model_time(m, head->ts));
		t->is_early = true;
		if (p->ended)
			model_thread_ended(m, t, p->end);
	}
	m->last_thread = t;
	return t;
}

void model_more_free(struct thread *t)
{
	if (!t->more)
		return;
	buf_done(&t->more->argv);
	buf_done(&t->more->data);
	buf_done(&t->more->poll);
	buf_done(&t->more->path);
	free(t->more);
	t->more = NULL;
}
