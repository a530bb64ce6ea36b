/* runtime.c - what a language's own runtime says of its threads. */
/* SPDX-License-Identifier: MIT */
#include "tracer/model/private.h"

#include "base/mem.h"
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
	static const char *const names[] = {"python"};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (!strncmp(field, names[i], size))
			return names[i];
	return NULL;
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
	t->dirty = true;
	if (t->proc->language != language) {
		t->proc->language = language;
		t->proc->dirty = true;
	}
}

/* The program of a process is the file whose top level its main thread runs. */
static void note_program(struct thread *t, const char *file, const char *function)
{
	const char *base = strrchr(file, '/');

	if (!t->is_main || strcmp(function, "<module>") != 0)
		return;
	free(t->proc->program);
	t->proc->program = xstrdup(base ? base + 1 : file);
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
	if (!t->wait.open)
		return;
	site = model_place(m, language, file, function, (int)rec->line);
	if (rec->depth == 0 || !t->wait.has_runtime)
		t->wait.stack = m->ids.stack++;
	t->wait.has_runtime = true;
	store_replace(m->store, STORE_FRAME,
		&(struct row_frame){.stack_id = t->wait.stack,
			.depth = (int64_t)rec->depth,
			.site_id = site,
			.library = STORE_NULL});
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
