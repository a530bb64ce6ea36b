/* runtime.c - which reader understands a process, and what it says as records. */
/* SPDX-License-Identifier: MIT */
#include "tracer/runtime/runtime.h"

#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "schema/record.h"

static const struct runtime *const runtimes[] = {&runtime_cpython};

/* Where the records of one process go. */
struct output {
	const struct runtime_process *process;
	const struct runtime *runtime;
	uint64_t ts;
	source_emit *emit;
	void *arg;
};

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

static void emit_frames(const struct output *o, const struct runtime_thread *t)
{
	size_t place = place_of(t);

	for (size_t i = 0; i < t->n_frames; i++) {
		const struct runtime_frame *f = &t->frames[i];
		struct rec_RUNTIME_FRAME r = {.head = head(o, REC_RUNTIME_FRAME, sizeof r, t->tid)};

		r.depth = i;
		r.line = f->line > 0 ? (rec_u64)f->line : 0;
		r.place = i == place;
		put_text(r.language, sizeof r.language, o->runtime->language);
		put_text(r.function, sizeof r.function, f->function);
		put_text(r.file, sizeof r.file, f->file);
		o->emit(o->arg, &r.head);
	}
}

static void emit_lock(const struct output *o, const struct runtime_thread *t)
{
	struct rec_RUNTIME_LOCK r = {.head = head(o, REC_RUNTIME_LOCK, sizeof r, t->tid)};

	if (!t->lock.address || (!t->lock.name[0] && !t->lock.type[0]))
		return;
	r.addr = t->lock.address;
	r.owner_tid = (rec_u64)t->lock.owner;
	put_text(r.name, sizeof r.name, t->lock.name);
	put_text(r.type, sizeof r.type, t->lock.type);
	o->emit(o->arg, &r.head);
}

static void emit_thread(void *arg, const struct runtime_thread *t)
{
	const struct output *o = arg;
	struct rec_RUNTIME_NAME r = {.head = head(o, REC_RUNTIME_NAME, sizeof r, t->tid)};

	put_text(r.language, sizeof r.language, o->runtime->language);
	put_text(r.name, sizeof r.name, t->name);
	o->emit(o->arg, &r.head);
	emit_frames(o, t);
	emit_lock(o, t);
}

bool runtime_emit(const struct runtime_process *p, uint64_t ts, source_emit *emit, void *arg,
	struct buf *blind)
{
	struct output o = {.process = p, .ts = ts, .emit = emit, .arg = arg};

	for (size_t i = 0; i < ARRAY_SIZE(runtimes); i++) {
		_cleanup_buf_ struct buf why = BUF_INIT;
		int rc;

		o.runtime = runtimes[i];
		rc = runtimes[i]->threads(p, emit_thread, &o, &why);
		if (rc && rc != -ENOENT && blind && why.len)
			buf_addf(blind,
				"Threads and locks of process %d are shown as the kernel sees them: %s.\n",
				(int)p->pid, why.data);
		if (rc != -ENOENT)
			return rc == 0;
	}
	return false;
}
