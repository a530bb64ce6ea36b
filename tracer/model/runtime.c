/* runtime.c - what a language's own runtime says of its threads. */
/* SPDX-License-Identifier: MIT */
#include "tracer/model/private.h"

#include <poll.h>

#include "base/mem.h"
#include "base/script.h"
#include "schema/locks.h"
#include "schema/names.h"

/* A text of a record, which need not be terminated: NULL if it is empty. */
static char *text_of(const char *field, size_t size)
{
	size_t len = strnlen(field, size);

	return len ? xstrndup(field, len) : NULL;
}

/* The languages that readers know. The row of a process or site borrows the name. */
static const char *language_of(const char *field, size_t size)
{
	static const char *const names[] = {"python", "java", "go", "ruby", "node"};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (!strncmp(field, names[i], size))
			return names[i];
	return NULL;
}

/* What a reading says of its hooks; one that could not tell leaves what was known. */
static enum hooks hooks_of(const struct rec_RUNTIME_NAME *rec, enum hooks known)
{
	return rec->hooks == HOOKS_SOME || rec->hooks == HOOKS_NONE ? (enum hooks)rec->hooks
								    : known;
}

void model_runtime_name(struct model *m, const struct rec_RUNTIME_NAME *rec)
{
	struct thread *t = model_thread(m, &rec->head);
	const char *language = language_of(rec->language, sizeof rec->language);

	if (!language) {
		model_skip(m);
		return;
	}
	free(t->runtime_name);
	t->runtime_name = text_of(rec->name, sizeof rec->name);
	t->is_housekeeping = rec->housekeeping != 0;
	t->dirty = true;
	if (t->proc->language != language || t->proc->hooks != hooks_of(rec, t->proc->hooks)) {
		t->proc->language = language;
		t->proc->hooks = hooks_of(rec, t->proc->hooks);
		t->proc->dirty = true;
	}
	if (rec->program[0] && !t->proc->program) {
		t->proc->program = text_of(rec->program, sizeof rec->program);
		t->proc->dirty = true;
	}
}

/* The program of a Python process whose arguments do not name it is the file whose top level its main thread runs. */
static void note_program(struct thread *t, const char *file, const char *function)
{
	char *name;

	if (!t->is_main || strcmp(function, "<module>") != 0 || t->proc->program_by_call)
		return;
	name = script_name(file);
	if (!name)
		return;
	free(t->proc->program);
	t->proc->program = name;
	t->proc->dirty = true;
}

void model_runtime_frame(struct model *m, const struct rec_RUNTIME_FRAME *rec)
{
	struct thread *t = model_thread(m, &rec->head);
	const char *language = language_of(rec->language, sizeof rec->language);
	_cleanup_free_ char *file = text_of(rec->file, sizeof rec->file);
	_cleanup_free_ char *function = text_of(rec->function, sizeof rec->function);
	int64_t site;

	if (!language || !file || !function || rec->line > INT32_MAX) {
		model_skip(m);
		return;
	}
	note_program(t, file, function);
	/* Who still waits has the stack that was told before. */
	if (!t->wait.open || (t->wait.has_runtime && t->wait.framed != rec->head.ts))
		return;
	site = model_place(m, language, file, function, (int)rec->line);
	if (!t->wait.has_runtime)
		t->wait.stack = m->ids.stack++;
	t->wait.has_runtime = true;
	t->wait.framed = rec->head.ts;
	store_replace(m->store, STORE_FRAME,
		&(struct row_frame){.stack_id = t->wait.stack,
			.depth = (int64_t)rec->depth,
			.site_id = site,
			.library = rec->library != 0});
	if (rec->place)
		t->wait.site = site;
	t->wait.dirty = true;
}

void model_runtime_lock(struct model *m, const struct rec_RUNTIME_LOCK *rec)
{
	struct thread *t = model_thread(m, &rec->head);
	struct lock *lock = t->wait.open ? t->wait.lock : NULL;

	if (!lock || (uint64_t)lock->address != rec->addr)
		return;
	if (rec->name[0]) {
		free(lock->name);
		lock->name = text_of(rec->name, sizeof rec->name);
	}
	if (rec->type[0]) {
		free(lock->runtime_type);
		lock->runtime_type = text_of(rec->type, sizeof rec->type);
	}
	model_lock_touch(m, lock);
}

/* ---- What a thread waits for as its language knows it ---- */

/* The object at an address; another type there is another object. */
static struct lock *object_at(
	struct model *m, struct proc *p, uint64_t address, int kind, const char *type)
{
	struct lock *lock = model_find_lock(p, address);

	if (lock && (lock->kind != kind || (type && lock->runtime_type &&
						   strcmp(lock->runtime_type, type) != 0))) {
		(void)hash_del(&p->vm->locks, address);
		model_lock_kill(m, lock);
	}
	return model_lock_at(m, p, address, kind, 0);
}

static void wait_on_object(
	struct model *m, struct thread *t, const struct rec_RUNTIME_WAIT *rec, int reason)
{
	_cleanup_free_ char *type = text_of(rec->type, sizeof rec->type);
	char *name = text_of(rec->name, sizeof rec->name);
	struct lock *lock = object_at(m, t->proc, rec->object, (int)rec->kind, type);
	struct thread *owner = model_find_thread(m, rec->target);

	if (owner && owner->proc != t->proc)
		owner = NULL;
	if (type && !lock->runtime_type)
		lock->runtime_type = steal(&type);
	if (name) {
		free(lock->name);
		lock->name = name;
	}
	model_lock_touch(m, lock);
	model_wait_on_lock(m, t, lock, reason, LOCK_MODE_X);
	/* They look now and then whether it is free, and go on waiting. */
	if (reason == WAIT_LOCK && model_lock_is_polled(lock))
		t->wait.timed = false;
	t->wait.owner_inferred = reason == WAIT_LOCK && owner;
	/* Of a goroutine: one of those that alone could end its wait. */
	t->wait.target_thread =
		owner && (t->wait.owner_inferred || rec->head.tid >= RUNTIME_TASK_FIRST)
			? owner->id
			: STORE_NULL;
}

/*
 * What the kernel sees of a thread that waits for something of its language. A thread of Ruby may sleep in a poll for signals,
 * one of Node in a loop that runs until a child has ended.
 */
static bool is_replaceable(const struct thread *t)
{
	const struct wait *w = &t->wait;
	const char *language = t->proc->language ? t->proc->language : "";
	bool polls =
		w->reason == WAIT_POLL && (!strcmp(language, "ruby") || !strcmp(language, "node"));

	return w->open && (polls || w->read != STORE_NULL || w->reason == WAIT_COND ||
				  w->reason == WAIT_SEM || w->reason == WAIT_FUTEX);
}

/* The end of a pipe or socket whose descriptor a wait is for, or NULL. */
static const struct pipe_end *end_of(const struct thread *t, const struct rec_RUNTIME_WAIT *rec)
{
	bool is_of_end = rec->reason == WAIT_PIPE_READ || rec->reason == WAIT_PIPE_WRITE ||
			 rec->reason == WAIT_SOCKET;

	return is_of_end ? model_find_pipe_end(t->proc, rec->object) : NULL;
}

/* What the wait is for whose descriptor the runtime knows: who waits for a connection, or is not known, may be helped by anybody. */
static int reason_of(const struct thread *t, const struct rec_RUNTIME_WAIT *rec)
{
	const struct pipe_end *e = end_of(t, rec);

	if (rec->reason != WAIT_PIPE_READ && rec->reason != WAIT_PIPE_WRITE)
		return (int)rec->reason;
	return !e ? WAIT_FILE : e->pipe->kind == PIPE_LISTEN ? WAIT_SOCKET : (int)rec->reason;
}

/* Only the runtime tells what a task waits for: its wait begins and ends when that is something else. */
static void task_waits(struct model *m, struct thread *t, const struct rec_RUNTIME_WAIT *rec)
{
	struct wait *w = &t->wait;
	const struct pipe_end *e = end_of(t, rec);
	bool is_same = w->open && w->reason == reason_of(t, rec) &&
		       (!w->lock || (uint64_t)w->lock->address == rec->object) &&
		       (!w->pipe || (e && e->pipe == w->pipe));

	if (w->open && !is_same)
		model_wait_close(m, t, model_time(m, rec->head.ts), STORE_NULL);
	if (w->open || rec->reason == WAIT_NONE)
		return;
	model_wait_open(m, t, model_time(m, rec->head.ts));
	w->reason = WAIT_COND;
}

/* The poll was the way in which a thread of Ruby sleeps, not what it waits for. */
static void forget_poll(struct wait *w)
{
	free(w->detail);
	w->detail = NULL;
	w->timed = false;
}

/* "the event loop's 3 descriptors": the kernel's wait, and whose it is. */
static void name_poll(struct wait *w, const struct rec_RUNTIME_WAIT *rec)
{
	_cleanup_free_ char *name = text_of(rec->name, sizeof rec->name);
	char *detail;

	if (!w->open || w->reason != WAIT_POLL || !w->n_items || !w->detail || !name ||
		strstr(w->detail, name))
		return;
	detail = xasprintf("the %s's %s", name, w->detail);
	free(w->detail);
	w->detail = detail;
	w->dirty = true;
}

/*
 * Ruby polls for one descriptor where others block in read or write, with an eventfd of its own by which a signal wakes
 * it: it waits for that descriptor.
 */
static void poll_for_one(struct model *m, struct thread *t)
{
	struct wait *w = &t->wait;
	const struct rec_poll_item *item = NULL;
	struct pipe *pipe;
	bool writes;

	if (!w->open || w->reason != WAIT_POLL)
		return;
	for (unsigned i = 0; i < w->n_items; i++) {
		if (w->items[i].file_kind == FILE_EVENTFD)
			continue;
		if (item)
			return;
		item = &w->items[i];
	}
	pipe = item ? model_find_pipe(m, item->dev, item->inode, &w->side) : NULL;
	writes = item && item->events & POLLOUT;
	if (!pipe || pipe->kind == PIPE_LISTEN || (writes && item->events & POLLIN))
		return;
	w->reason = writes ? WAIT_PIPE_WRITE : WAIT_PIPE_READ;
	w->mode = writes ? END_WRITE : END_READ;
	model_wait_on_pipe(w, pipe);
	model_pipe_used(pipe, t->proc, writes);
	free(w->detail);
	w->detail = NULL;
	w->dirty = true;
}

static void wait_for_end(struct model *m, struct thread *t, const struct rec_RUNTIME_WAIT *rec)
{
	struct wait *w = &t->wait;
	const struct thread *target = rec->target ? model_find_thread(m, rec->target) : NULL;
	const struct pipe_end *e = end_of(t, rec);
	int reason = reason_of(t, rec);

	model_wait_on_lock(m, t, NULL, reason, LOCK_MODE_NONE);
	w->timed = rec->timed != 0;
	free(w->detail);
	w->detail = NULL;
	if (reason != WAIT_PIPE_READ && reason != WAIT_PIPE_WRITE) {
		w->detail = e ? model_pipe_name(e->pipe) : text_of(rec->name, sizeof rec->name);
		return;
	}
	w->mode = reason == WAIT_PIPE_WRITE ? END_WRITE : END_READ;
	w->side = e->side;
	if (target && target->proc == t->proc)
		w->target_thread = target->id;
	if (w->pipe)
		return;
	model_wait_on_pipe(w, e->pipe);
	model_pipe_used(e->pipe, t->proc, reason == WAIT_PIPE_WRITE);
}

/* It looked just then whether the lock is free; the runtime says that it goes on waiting. */
static void reopen_polled(struct model *m, struct thread *t, const struct rec_RUNTIME_WAIT *rec)
{
	bool polled =
		rec->kind == LOCK_MONITOR || !strncmp(rec->type, LOCK_TYPE_GIL, sizeof rec->type);

	if (t->wait.open || !m->config.is_snapshot || rec->reason != WAIT_LOCK || !polled)
		return;
	model_wait_open(m, t, model_time(m, rec->head.ts));
	t->wait.reason = WAIT_COND;
}

/* Says whether the thread that is to end is one of the waiter's process; it is what the wait is for then. */
static bool wait_for_thread(struct model *m, struct thread *t, const struct rec_RUNTIME_WAIT *rec)
{
	const struct thread *target = model_find_thread(m, rec->target);

	if (!target || target->proc != t->proc)
		return false;
	model_wait_on_lock(m, t, NULL, WAIT_JOIN, LOCK_MODE_NONE);
	t->wait.target_thread = target->id;
	return true;
}

/* Says whether the child is one of the waiter's process, or any will do; it is what the wait is for then. */
static bool wait_for_child(struct model *m, struct thread *t, const struct rec_RUNTIME_WAIT *rec)
{
	bool any = (pid_t)rec->target == RUNTIME_ANY_CHILD;
	const struct proc *child = any ? NULL : model_find_proc(m, rec->target);

	/* The number is that of the program's own namespace: it may mean another process here. */
	if (!any && (!child || child->parent_id != t->proc->id))
		return false;
	model_wait_on_lock(m, t, NULL, WAIT_CHILD, LOCK_MODE_NONE);
	if (child)
		t->wait.target_process = child->id;
	return true;
}

/* Replaces what the kernel saw of a wait by what the language says that it is for. Returns false if that is not known here. */
static bool wait_for(struct model *m, struct thread *t, const struct rec_RUNTIME_WAIT *rec)
{
	switch (rec->reason) {
	case WAIT_LOCK:
	case WAIT_COND:
		if (!rec->object || (rec->kind != LOCK_MONITOR && rec->kind != LOCK_OBJECT))
			return false;
		wait_on_object(m, t, rec, (int)rec->reason);
		return true;
	case WAIT_JOIN:
		return wait_for_thread(m, t, rec);
	case WAIT_CHILD:
		return wait_for_child(m, t, rec);
	case WAIT_PIPE_READ:
	case WAIT_PIPE_WRITE:
	case WAIT_SOCKET:
		wait_for_end(m, t, rec);
		return true;
	case WAIT_SLEEP:
	case WAIT_FILE:
		model_wait_on_lock(m, t, NULL, (int)rec->reason, LOCK_MODE_NONE);
		free(t->wait.detail);
		t->wait.detail = text_of(rec->name, sizeof rec->name);
		return true;
	default:
		return false;
	}
}

void model_runtime_wait(struct model *m, const struct rec_RUNTIME_WAIT *rec)
{
	struct thread *t = model_thread(m, &rec->head);
	struct wait *w = &t->wait;

	if (rec->head.tid >= RUNTIME_TASK_FIRST)
		task_waits(m, t, rec);
	reopen_polled(m, t, rec);
	if (rec->reason == WAIT_POLL) {
		if (t->proc->language && !strcmp(t->proc->language, "ruby"))
			poll_for_one(m, t);
		else
			name_poll(w, rec);
		return;
	}
	if (!is_replaceable(t) || (rec->reason == WAIT_NONE && w->read == STORE_NULL))
		return;
	if (w->reason == WAIT_POLL && rec->reason != WAIT_NONE)
		forget_poll(w);
	w->target_thread = w->target_process = STORE_NULL;
	w->owner_inferred = false;
	w->read = model_time(m, rec->head.ts);
	if (!wait_for(m, t, rec))
		model_wait_on_lock(m, t, NULL, WAIT_OTHER, LOCK_MODE_NONE);
}
