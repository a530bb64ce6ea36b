/* exec.c - programs: exec, exit, reaping, files that are mapped, what was there before. */
/* SPDX-License-Identifier: MIT */
#include "tracer/model/private.h"

#include "base/mem.h"
#include "base/script.h"
#include "schema/names.h"
#include "tracer/snapshot/snapshot.h"
#include "tracer/symbols/symbols.h"

#include <sys/stat.h>
#include <sys/wait.h>

/* More bytes than this of one record's MORE are cut: the kernel allows 2 MiB of arguments. */
enum { MAX_MORE = 1 << 20 };

static struct more *more_of(struct thread *t)
{
	if (!t->more) {
		t->more = xcalloc(1, sizeof *t->more);
		t->more->argv = t->more->data = t->more->poll = t->more->path = BUF_INIT;
	}
	return t->more;
}

void model_more(struct model *m, const struct rec_MORE *rec)
{
	struct more *more;
	struct buf *b;

	if (rec->len > sizeof rec->data || rec->what < MORE_ARGV || rec->what > MORE_PATH) {
		model_skip(m);
		return;
	}
	more = more_of(model_thread(m, &rec->head));
	b = rec->what == MORE_ARGV   ? &more->argv
	    : rec->what == MORE_DATA ? &more->data
	    : rec->what == MORE_POLL ? &more->poll
				     : &more->path;
	if (b->len + rec->len <= MAX_MORE)
		buf_add(b, rec->data, rec->len);
	else
		more->cut = true;
	more->cut |= (rec->flags & MORE_CUT) != 0;
}

/* Turns NUL-terminated arguments into a JSON array; a cut list ends with "...". */
static char *json_arguments(const struct more *more)
{
	_cleanup_buf_ struct buf json = BUF_INIT;
	const char *p, *end;

	if (!more || !more->argv.len)
		return NULL;
	end = more->argv.data + more->argv.len;
	buf_addc(&json, '[');
	for (p = more->argv.data; p < end;) {
		size_t len = strnlen(p, (size_t)(end - p));

		if (p != more->argv.data)
			buf_addc(&json, ',');
		buf_add_json(&json, p, len);
		p += len + 1;
	}
	if (more->cut)
		buf_adds(&json, ",\"...\"");
	buf_addc(&json, ']');
	return buf_steal(&json);
}

/* The path of an exec: the long form of a MORE record, or the record's own. The caller frees it. */
static char *exec_path(const struct more *more, const char *path, size_t size)
{
	if (more && more->path.len)
		return xstrndup(more->path.data, more->path.len);
	return path[0] ? xstrndup(path, size) : NULL;
}

static void write_exec(struct model *m, struct thread *t, const struct rec_head *head,
	const char *path, const char *argv, int error, int lock_source)
{
	bool cut = (t->more && t->more->cut) || (head->flags & REC_CUT);

	store_put(m->store, STORE_EXEC,
		&(struct row_exec){.process_id = t->proc->id,
			.thread_id = t->id,
			.ts_ns = model_time(m, head->ts),
			.path = path,
			.argv = argv,
			.errno_ = error ? error : STORE_NULL,
			.lock_source = error ? NULL : names_lock_source(lock_source),
			.cut = cut});
	model_more_free(t);
}

void model_exec_fail(struct model *m, const struct rec_EXEC_FAIL *rec)
{
	struct thread *t = model_thread(m, &rec->head);
	_cleanup_free_ char *argv = json_arguments(t->more);
	_cleanup_free_ char *path = exec_path(t->more, rec->path, sizeof rec->path);

	write_exec(m, t, &rec->head, path, argv, (int)(rec->error & 0xffff), 0);
}

/*
 * The thread that calls exec becomes the main thread and takes its tid. Here
 * the caller's entity lives on as the main thread, and the former one ends.
 */
static struct thread *exec_caller(struct model *m, const struct rec_EXEC *rec, int64_t ts)
{
	struct thread *t = model_find_thread(m, rec->old_tid), *leader;

	if (!rec->old_tid || rec->old_tid == rec->head.tid || !t || t->proc->pid != rec->head.pid)
		return model_thread(m, &rec->head);
	leader = model_find_thread(m, rec->head.tid);
	if (leader && leader != t && leader->proc == t->proc) {
		if (leader->more && !t->more)
			t->more = steal(&leader->more);
		leader->is_main = false;
		model_thread_end(m, leader, ts);
	}
	(void)hash_del(&m->threads, t->tid);
	t->tid = rec->head.tid;
	t->is_main = t->dirty = true;
	t->proc->main = t;
	(void)hash_set(&m->threads, t->tid, t);
	m->last_thread = NULL;
	return t;
}

/* The old program and its other threads are gone, with its memory. */
static void drop_program(struct model *m, struct thread *t, int64_t ts)
{
	struct proc *p = t->proc;

	model_file_locks_keep(m, t, ts);
	for (struct thread *other = p->threads; other; other = other->peer) {
		if (other == t)
			continue;
		model_thread_end(m, other, ts);
		model_holds_drop(m, other);
	}
	model_wait_close(m, t, ts, STORE_NULL);
	model_call_end(m, t);
	model_holds_drop(m, t);
	model_locks_forget(m, p, ts);
	model_proc_vm(p, p);
	p->memory_id = STORE_NULL;
	p->dirty = true;
	model_pipe_ends_exec(m, p, ts);
	model_file_locks_exec(m, t, ts);
	model_handlers_exec(m, p, ts);
	model_timers_exec(m, p, ts);
	model_sites_exec(m, p);
	p->image = m->ids.image++;
	p->origin_id = 0;
	t->tid_addr = 0;
}

static unsigned names_others(struct model *m, const struct proc *p, const struct more *more)
{
	return reopen_named(m->config.authority, (pid_t)p->pid, more ? more->argv.data : NULL,
		more ? more->argv.len : 0, &m->programs);
}

static void name_program(struct proc *p, const char *path, const struct more *more)
{
	p->program = more ? script_of(path, more->argv.data, more->argv.len) : NULL;
	p->program_by_call = p->program != NULL;
}

void model_exec(struct model *m, const struct rec_EXEC *rec)
{
	int64_t ts = model_time(m, rec->head.ts);
	struct thread *t = exec_caller(m, rec, ts);
	struct proc *p = t->proc;
	char *path = exec_path(t->more, rec->path, sizeof rec->path);
	char *argv = json_arguments(t->more);

	p->reopens = names_others(m, p, t->more);
	p->uring =
		false; /* the kernel cancels what is under way, and the descriptor is closed unless the program takes care */
	drop_program(m, t, ts);
	model_mpi_call_free(t);
	free(p->exe);
	free(p->program);
	name_program(p, path, t->more);
	p->language = NULL;
	p->hooks = HOOKS_UNKNOWN;
	p->cancels = 0;
	free(p->command);
	model_title_exec(m, p, t->more ? &t->more->argv : NULL, ts);
	p->exe = path;
	p->command = argv;
	p->secure |= rec->secure != 0;
	p->lock_source = rec->lock_source <= LOCKS_SHIM ? (int)rec->lock_source : LOCKS_OFF;
	p->dirty = t->dirty = true;
	if (rec->comm[0]) {
		model_name(t->name, rec->comm);
		memcpy(p->name, t->name, sizeof p->name);
	}
	model_detail_named(m, p);
	write_exec(m, t, &rec->head, path, argv, 0, p->lock_source);
}

/* The status in the form of wait(2) of a number in a record, or -1 if it is none that ends a process. */
static int end_status(uint64_t status)
{
	int s = (int)(status & 0xffff);

	return WIFEXITED(s) || WIFSIGNALED(s) ? s : -1;
}

void model_uring(struct model *m, const struct rec_URING *rec)
{
	struct proc *p = model_thread(m, &rec->head)->proc;

	p->dirty |= !p->uring;
	p->uring = true;
}

void model_cancels(struct model *m, const struct rec_CANCELS *rec)
{
	struct proc *p = model_thread(m, &rec->head)->proc;

	p->dirty |= p->cancels != (unsigned)rec->how;
	p->cancels = (unsigned)rec->how;
}

void model_exiting(struct model *m, const struct rec_EXITING *rec)
{
	model_thread(m, &rec->head)->exiting = true;
}

void model_exit(struct model *m, const struct rec_EXIT *rec)
{
	int64_t ts = model_time(m, rec->head.ts);
	struct thread *t = model_thread(m, &rec->head), *caller = t;
	struct proc *p = t->proc;
	int status;

	if (rec->by != EXIT_BY_UNKNOWN)
		t->by_other = rec->by == EXIT_BY_OTHER;
	if (!rec->last) {
		model_thread_end(m, t, ts);
		return;
	}
	status = end_status(rec->group_status);
	if (p->ended) { /* its reaping was known first */
		p->status = status;
		p->dirty = true;
		return;
	}
	p->autoreap = rec->autoreap != 0;
	p->reaped |= rec->autoreap != 0;
	if (status >= 0 && WIFSIGNALED(status))
		model_signal_killed(m, p, WTERMSIG(status), ts);
	/* Threads that did not report their own end were ended by another, whatever they did. */
	for (struct thread *x = p->threads; x; x = x->peer)
		if (x->exiting && rec->by == EXIT_BY_UNKNOWN)
			caller = x;
	if (caller != t)
		caller->by_other = 0;
	for (struct thread *x = p->threads; x; x = x->peer)
		if (x != caller && x->end == STORE_NULL && x->by_other == STORE_NULL)
			x->by_other = 1;
	model_proc_end(m, p, ts, status);
}

void model_reap(struct model *m, const struct rec_REAP *rec)
{
	struct proc *p = model_find_proc(m, rec->child_pid);
	int status = (int)(rec->status & 0xffff);
	int64_t ts = model_time(m, rec->head.ts);

	if (!p || (rec->options & WNOWAIT))
		return;
	if (!(rec->head.flags & REC_SNAP) && (WIFSTOPPED(status) || WIFCONTINUED(status)))
		return;
	if (!p->ended)
		model_proc_end(m, p, ts, end_status(rec->status));
	if (p->reaped_ns != STORE_NULL)
		return;
	p->reaped = p->dirty = true;
	p->reaped_ns = ts;
	if (p->status < 0 && !(rec->head.flags & REC_SNAP))
		p->status = end_status(rec->status);
	if (rec->head.pid != (uint32_t)m->config.tracer_pid)
		p->reaper_id = model_thread(m, &rec->head)->id;
}

static void found_process(struct model *m, struct proc *p, const struct rec_FOUND *rec)
{
	const struct thread *t = p->main;
	struct proc *parent = model_find_proc(m, rec->ppid);
	struct proc *memory = model_find_proc(m, rec->memory_pid);

	p->created_by = p->created_by                                 ? p->created_by
			: rec->ppid == (uint64_t)m->config.tracer_pid ? "start"
								      : "found";
	p->found = rec->ppid != (uint64_t)m->config.tracer_pid;
	p->ppid = (uint32_t)rec->ppid;
	if (parent)
		p->parent_id = parent->id;
	if (memory && memory != p) {
		model_proc_vm(p, memory->vm);
		p->memory_id = memory->memory_id == STORE_NULL ? memory->id : memory->memory_id;
	}
	p->ns_pid = (uint32_t)rec->ns_pid;
	p->has_reaped = rec->has_reaped != 0;
	p->lock_source = rec->lock_source <= LOCKS_SHIM ? (int)rec->lock_source : LOCKS_OFF;
	if (rec->path[0] && !p->exe)
		p->exe = xstrndup(rec->path, sizeof rec->path);
	p->reopens = names_others(m, p, t ? t->more : NULL);
	if (t && t->more && !p->command)
		p->command = json_arguments(t->more);
	if (t && !p->program)
		name_program(p, p->exe, t->more);
	model_name(p->name, rec->comm);
	model_detail_named(m, p);
	if (t && t->more)
		model_title_found(m, p, t->more->argv.data, t->more->argv.len);
	p->dirty = true;
}

void model_found(struct model *m, const struct rec_FOUND *rec)
{
	struct thread *t = model_thread(m, &rec->head);
	int64_t ts = rec->start_ts ? model_time(m, rec->start_ts) : t->start;

	t->is_early = t->proc->is_early = false;
	t->dirty = true;
	if (ts < t->start)
		t->start = ts;
	if (t->start < t->proc->start || t->is_main)
		t->proc->start = t->start;
	t->ns_tid = (uint32_t)rec->ns_tid;
	if (rec->tid_addr)
		t->tid_addr = rec->tid_addr;
	model_name(t->name, rec->comm);
	if (t->is_main)
		found_process(m, t->proc, rec);
	model_more_free(t);
}

unsigned model_alive(const struct model *m)
{
	unsigned n = 0;

	for (const struct proc *p = m->all_procs; p; p = p->next)
		n += !p->ended;
	return n;
}

void model_each_alive(
	const struct model *m, void (*each)(void *arg, pid_t pid, const char *name), void *arg)
{
	for (const struct proc *p = m->all_procs; p; p = p->next) {
		if (!p->ended)
			each(arg, (pid_t)p->pid, model_proc_name(p));
	}
}

/*
 * eBPF names files from the root of their file system. If pptrace
 * itself runs below another root (chroot), the end of that path is the name
 * here; the inode says whether it is the same file.
 */
static const char *path_here(const char *path, uint64_t inode)
{
	struct stat st;

	if (stat(path, &st) == 0)
		return path;
	for (const char *p = path + 1; (p = strchr(p, '/')); p++) {
		if (stat(p, &st) == 0 && st.st_ino == inode)
			return p;
	}
	return path;
}

void model_module(struct model *m, const struct rec_MODULE *rec)
{
	struct proc *p = model_thread(m, &rec->head)->proc;
	char path[sizeof rec->path + 1];

	if (!m->config.symbols || !rec->path[0] || p->retired)
		return;
	memcpy(path, rec->path, sizeof rec->path);
	path[sizeof rec->path] = '\0';
	/* The image may not have been the whole of what is mapped now: ask again for what was not found. */
	p->image = m->ids.image++;
	symbols_map(m->config.symbols, p->id, rec->start, rec->len, rec->offset,
		path_here(path, rec->inode));
}
