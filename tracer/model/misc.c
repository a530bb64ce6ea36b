/* misc.c - slices, samples, unwritten output. */
/* SPDX-License-Identifier: MIT */
#include "base/mem.h"
#include "schema/names.h"
#include "tracer/model/pipe.h"
#include "tracer/model/process.h"
#include "tracer/model/sample.h"
#include "tracer/model/site.h"

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
