/* runtime.c - which reader understands a process, and what it says as records. */
/* SPDX-License-Identifier: MIT */
#include "tracer/runtime/runtime.h"

#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "schema/record.h"
#include "tracer/authority/authority.h"
#include "tracer/symbols/symbols.h"

static const struct runtime *const runtimes[] = {
	&runtime_cpython, &runtime_hotspot, &runtime_golang, &runtime_ruby, &runtime_node};

/* Where the records of one process go. */
struct output {
	const struct runtime_process *process;
	const struct runtime *runtime;
	uint64_t ts;
	struct buf born;    /* records of tasks: one may wait for another that is told later */
	struct buf records; /* kept until it is sure whose they are */
};

static void keep(struct output *o, const struct rec_head *rec)
{
	buf_add(&o->records, (const char *)rec, rec->size);
}

static struct rec_head head(const struct output *o, unsigned kind, size_t size, pid_t tid)
{
	return (struct rec_head){.kind = (rec_u16)kind,
		.size = (rec_u16)size,
		.flags = REC_SNAP,
		.ts = o->ts,
		.pid = (rec_u32)o->process->pid,
		.tid = (rec_u32)tid};
}

/* Copies a text into a field of a record, cut at a whole character. */
static void put_text(char *field, size_t size, const char *text)
{
	size_t len = strlen(text);

	if (len >= size) {
		len = size - 1;
		while (len && (text[len] & 0xc0) == 0x80)
			len--;
	}
	memcpy(field, text, len);
}

/* The frame that a person looks for: the innermost of the program's own, else the outermost of the library. */
static size_t place_of(const struct runtime_thread *t)
{
	size_t i = 0;

	while (i + 1 < t->n_frames && t->frames[i].is_library)
		i++;
	return i;
}

static void emit_frames(struct output *o, const struct runtime_thread *t)
{
	size_t place = place_of(t);

	for (size_t i = 0; i < t->n_frames; i++) {
		const struct runtime_frame *f = &t->frames[i];
		struct rec_RUNTIME_FRAME r = {.head = head(o, REC_RUNTIME_FRAME, sizeof r, t->tid)};

		r.depth = i;
		r.line = f->line > 0 ? (rec_u64)f->line : 0;
		r.library = f->is_library;
		r.place = i == place;
		put_text(r.language, sizeof r.language, o->runtime->language);
		put_text(r.function, sizeof r.function, f->function);
		put_text(r.file, sizeof r.file, f->file);
		keep(o, &r.head);
	}
}

static void emit_lock(struct output *o, const struct runtime_thread *t)
{
	struct rec_RUNTIME_LOCK r = {.head = head(o, REC_RUNTIME_LOCK, sizeof r, t->tid)};

	if (!t->lock.address || (!t->lock.name[0] && !t->lock.type[0]))
		return;
	r.addr = t->lock.address;
	r.owner_tid = (rec_u64)t->lock.owner;
	put_text(r.name, sizeof r.name, t->lock.name);
	put_text(r.type, sizeof r.type, t->lock.type);
	keep(o, &r.head);
}

static void emit_wait(struct output *o, const struct runtime_thread *t)
{
	struct rec_RUNTIME_WAIT r = {.head = head(o, REC_RUNTIME_WAIT, sizeof r, t->tid)};

	if (!t->tells_wait)
		return;
	r.reason = t->wait.reason;
	r.kind = t->wait.kind;
	r.object = t->wait.object;
	r.target = (rec_u64)t->wait.target;
	r.timed = t->wait.is_timed;
	put_text(r.name, sizeof r.name, t->wait.name);
	put_text(r.type, sizeof r.type, t->wait.type);
	keep(o, &r.head);
}

/* A task is as if it had been found; its wait is there before its frames are. */
static void emit_task(struct output *o, const struct runtime_thread *t)
{
	struct rec_FOUND r = {.head = head(o, REC_FOUND, sizeof r, t->tid)};

	r.ns_pid = (rec_u64)o->process->pid;
	r.start_ts = o->ts;
	buf_add(&o->born, (const char *)&r, r.head.size);
	emit_wait(o, t);
}

static void emit_thread(void *arg, const struct runtime_thread *t)
{
	struct output *o = arg;
	struct rec_RUNTIME_NAME r = {.head = head(o, REC_RUNTIME_NAME, sizeof r, t->tid)};

	put_text(r.language, sizeof r.language, o->runtime->language);
	put_text(r.name, sizeof r.name, t->name);
	put_text(r.program, sizeof r.program, t->program);
	r.housekeeping = t->is_housekeeping;
	r.hooks = t->hooks;
	keep(o, &r.head);
	if (t->is_task)
		emit_task(o, t);
	emit_frames(o, t);
	emit_lock(o, t);
	if (!t->is_task)
		emit_wait(o, t);
}

/* Asks one reader after the other. Returns what the first that knows the language says, or -ENOENT. */
static int read_any(struct output *o, struct buf *why)
{
	int rc = -ENOENT;

	for (size_t i = 0; i < ARRAY_SIZE(runtimes) && rc == -ENOENT; i++) {
		o->runtime = runtimes[i];
		rc = runtimes[i]->threads(o->process, emit_thread, o, why);
	}
	return rc;
}

/* One that is killed loses its memory, and the link to its program, before it is gone: half of what was read may be missing. */
static bool has_memory(const struct runtime_process *p)
{
	char exe[4096];

	return runtime_exe(p, exe, sizeof exe);
}

bool runtime_emit(const struct runtime_process *p, uint64_t ts, source_emit *emit, void *arg,
	struct buf *blind)
{
	struct output o = {.process = p, .ts = ts, .born = BUF_INIT, .records = BUF_INIT};
	_cleanup_close_ int held = p->core ? -1 : symbols_hold(p->symbols, p->pid);
	_cleanup_buf_ struct buf why = BUF_INIT;
	int rc = held < 0 && !p->core ? -ENOENT : read_any(&o, &why);
	const struct rec_head *rec;

	if (rc == 0 && !p->core && !(has_memory(p) && authority_still(held, p->pid)))
		rc = -ESRCH;
	if (rc && rc != -ENOENT && blind && why.len)
		buf_addf(blind,
			"Threads and locks of process %d are shown as the kernel sees them: %s.\n",
			(int)p->pid, why.data);
	if (!rc && blind && why.len)
		buf_addf(blind, "Of process %d %s.\n", (int)p->pid, why.data);
	buf_add(&o.born, o.records.data, o.records.len);
	for (size_t at = 0; rc == 0 && at < o.born.len; at += rec->size) {
		rec = (const void *)(o.born.data + at);
		emit(arg, rec);
	}
	buf_done(&o.born);
	buf_done(&o.records);
	return rc == 0;
}

const struct runtime *runtime_of(const struct runtime_process *p)
{
	_cleanup_close_ int held = symbols_hold(p->symbols, p->pid);

	for (size_t i = 0; held >= 0 && i < ARRAY_SIZE(runtimes); i++)
		if (runtimes[i]->is_there(p))
			return runtimes[i];
	return NULL;
}
