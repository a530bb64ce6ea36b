/* misc.c - slices, samples, unwritten output, what a language says of its threads. */
/* SPDX-License-Identifier: MIT */
#include "base/mem.h"
#include "schema/names.h"
#include "tracer/model/lock.h"
#include "tracer/model/pipe.h"
#include "tracer/model/process.h"

/* Samples within this many bytes of code are one place: a loop. */
enum { LOOP_BYTES = 64 };

void model_sched(struct model *m, const struct rec_SCHED *rec)
{
	int64_t id = model_thread(m, &rec->head)->id;
	struct row_sched *row = store_room(m->store, STORE_SCHED);

	*row = (struct row_sched){.thread_id = id,
		.start_ns = model_time(m, rec->start),
		.end_ns = model_time(m, rec->head.ts),
		.cpu = (int64_t)rec->cpu};
}

void model_sample_flush(struct model *m, struct thread *t)
{
	struct row_sample row = {.thread_id = t->id,
		.address = (int64_t)t->sample.low,
		.first_ns = t->sample.first,
		.last_ns = t->sample.last,
		.cpu_ns = t->sample.cpu};

	if (!t->sample.low)
		return;
	row.site_id = t->proc->slim ? STORE_NULL : model_site(m, t->proc, t->sample.low, false);
	store_put(m->store, STORE_SAMPLE, &row);
	t->sample.low = 0;
}

void model_sample(struct model *m, const struct rec_SAMPLE *rec)
{
	struct thread *t = model_find_thread(m, rec->head.tid);
	int64_t ts = model_time(m, rec->head.ts);
	uint64_t low, high;

	/* The kernel takes a while to give a large memory back: samples come after the end. */
	if (!t || t->proc->pid != rec->head.pid)
		return;
	low = t->sample.low;
	high = t->sample.high;
	if (!rec->ip || rec->period_ns > INT64_MAX / 2)
		return;
	model_spin_sample(m, t, rec);
	if (low && rec->ip + LOOP_BYTES >= high && rec->ip <= low + LOOP_BYTES) {
		t->sample.low = rec->ip < low ? rec->ip : low;
		t->sample.high = rec->ip > high ? rec->ip : high;
		t->sample.last = ts;
		t->sample.cpu += (int64_t)rec->period_ns;
		return;
	}
	model_sample_flush(m, t);
	t->sample.low = t->sample.high = rec->ip;
	t->sample.last = ts;
	t->sample.first = ts - (int64_t)rec->period_ns;
	t->sample.cpu = (int64_t)rec->period_ns;
}

void model_stdio(struct model *m, const struct rec_STDIO *rec)
{
	struct thread *t = model_thread(m, &rec->head);
	const struct end *e = rec->fd <= INT32_MAX ? model_find_end(t->proc, rec->fd) : NULL;
	size_t len = rec->pending < sizeof rec->data ? (size_t)rec->pending : sizeof rec->data;
	const char *at = names_stdio_when((int)rec->when);

	if (!at || rec->when > STDIO_STUCK || rec->fd > INT32_MAX || rec->pending > INT64_MAX) {
		model_skip(m);
		return;
	}
	if (len > m->config.data_bytes)
		len = m->config.data_bytes;
	store_put(m->store, STORE_STDIO,
		&(struct row_stdio){.process_id = t->proc->id,
			.thread_id = t->id,
			.ts_ns = model_time(m, rec->head.ts),
			.fd = (int64_t)rec->fd,
			.pipe_id = e ? e->pipe->id : STORE_NULL,
			.pending = (int64_t)rec->pending,
			.at = at,
			.hash = rec->hash ? (int64_t)rec->hash : STORE_NULL,
			.data = len ? rec->data : NULL,
			.data_len = (int64_t)len});
}

/* ---- What a language says of its threads ---- */

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
	if (rec->depth == 0 || t->wait.stack == STORE_NULL)
		t->wait.stack = m->ids.stack++;
	store_replace(m->store, STORE_FRAME,
		&(struct row_frame){
			.stack_id = t->wait.stack, .depth = (int64_t)rec->depth, .site_id = site});
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
