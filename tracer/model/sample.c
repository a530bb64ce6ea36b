/* sample.c - slices and samples of what runs; loops that do nothing but look at memory until it changes. */
/* SPDX-License-Identifier: MIT */
/*
 * A loop that works changes a register from turn to turn: a counter, a pointer,
 * a sum. One that asks "is it done yet?" has a few states, and comes back to
 * each of them forever. So a thread spins if its samples, taken at any moment,
 * look again and again like earlier ones in every register. What the thread
 * does in system calls other than sched_yield is not spinning.
 *
 * Locks show another kind: a thread that takes a lock by trylock and releases it, thousands of times, until it
 * finds that another one has it, and then never asks again, has waited for just that.
 */
#include "tracer/model/private.h"

#include "base/mem.h"
#include "tracer/symbols/symbols.h"

enum {
	STATES = 64,       /* remembered of one loop */
	FRESH_MAX = 12,    /* so many unknown states in a row: the loop has been left */
	REPEATS_LEAST = 5, /* and at least a quarter of the samples */
	TRIES_LEAST = 1000
};

/* Shorter loops are not worth reporting. */
static const int64_t least_ns = 100000000;

/* Samples within this many bytes of code are one place: a loop. */
enum { LOOP_BYTES = 64 };

struct spin {
	uint64_t seen[STATES];
	uint64_t ip; /* of a state that came again; of the program if there is one */
	bool own;    /* it is of the program, not of a library */
	unsigned n_seen, samples, repeats, yields, fresh;
	int64_t first, last, cpu;
	struct {
		int64_t lock, site, first, last, n;
		bool busy; /* the last one found it taken */
	} tries;
};

static bool is_known(const struct spin *s, uint64_t state)
{
	for (unsigned i = 0; i < s->n_seen && i < STATES; i++)
		if (s->seen[i] == state)
			return true;
	return false;
}

static void remember_place(struct model *m, struct thread *t, uint64_t ip)
{
	struct spin *s = t->spin;
	bool own = m->config.symbols && !symbols_is_library(m->config.symbols, t->proc->id, ip);

	if (s->ip && (s->own || !own))
		return;
	s->ip = ip;
	s->own = own;
}

void model_spin_end(struct model *m, struct thread *t)
{
	struct spin *s = t->spin;

	if (!s || !s->samples)
		return;
	if (s->repeats >= REPEATS_LEAST && s->repeats * 4 >= s->samples && s->cpu >= least_ns &&
		s->last - s->first >= least_ns)
		store_put(m->store, STORE_SPIN,
			&(struct row_spin){.thread_id = t->id,
				.site_id = t->proc->retired ? STORE_NULL
							    : model_site(m, t->proc, s->ip, false),
				.start_ns = s->first,
				.end_ns = s->last,
				.cpu_ns = s->cpu,
				.samples = s->samples,
				.repeats = s->repeats,
				.yields = s->yields});
	*s = (struct spin){.tries = s->tries};
}

static void end_tries(struct model *m, struct thread *t)
{
	struct spin *s = t->spin;

	if (s->tries.busy)
		store_put(m->store, STORE_SPIN,
			&(struct row_spin){.thread_id = t->id,
				.site_id = s->tries.site,
				.start_ns = s->tries.first,
				.end_ns = s->tries.last,
				.cpu_ns = s->tries.last - s->tries.first,
				.tries = s->tries.n});
	memset(&s->tries, 0, sizeof s->tries);
}

void model_spin_try(struct model *m, struct thread *t, const struct lock *lock, int64_t site,
	int result, int64_t ts)
{
	struct spin *s = t->spin;

	if (!s)
		s = t->spin = xcalloc(1, sizeof *s);
	if (s->tries.lock != lock->id || s->tries.site != site) {
		end_tries(m, t);
		s->tries.lock = lock->id;
		s->tries.site = site;
		s->tries.first = ts;
	} else if (s->tries.busy) {
		/* It asks again: the loop goes on, whatever it is for. */
		s->tries.busy = false;
		s->tries.first = ts;
		s->tries.n = 0;
	}
	s->tries.last = ts;
	if (!result) {
		s->tries.n++;
	} else if (s->tries.n >= TRIES_LEAST && ts - s->tries.first >= least_ns) {
		s->tries.busy = true;
	} else {
		s->tries.n = 0;
		s->tries.first = ts;
	}
}

void model_spin_tries(struct model *m, struct thread *t, const struct lock *lock, int64_t site,
	int result, int64_t first, int64_t last, int64_t count)
{
	model_spin_try(m, t, lock, site, result, first);
	if (!result)
		t->spin->tries.n += count - 1;
	else if (count > 1)
		model_spin_try(m, t, lock, site, result, last);
	t->spin->tries.last = last;
}

void model_spin_done(struct model *m, struct thread *t)
{
	model_spin_end(m, t);
	if (t->spin)
		end_tries(m, t);
}

static void spin_sample(struct model *m, struct thread *t, const struct rec_SAMPLE *rec)
{
	int64_t ts = model_time(m, rec->head.ts), period = (int64_t)rec->period_ns;
	struct spin *s = t->spin;

	if (rec->where == SAMPLE_CALL || !rec->state) {
		model_spin_end(m, t);
		return;
	}
	if (!s)
		s = t->spin = xcalloc(1, sizeof *s);
	if (!is_known(s, rec->state)) {
		if (model_is_of_shim(m, t->proc, rec->ip))
			return;
		if (s->fresh++ == FRESH_MAX)
			model_spin_end(m, t);
		s->seen[s->n_seen++ % STATES] = rec->state;
	} else {
		/* What came before the first of them may have been work. */
		if (!s->repeats++)
			s->first = ts - period;
		s->fresh = 0;
		s->last = ts;
		s->cpu += period;
		remember_place(m, t, rec->ip);
	}
	s->samples++;
	s->yields += rec->where == SAMPLE_YIELD;
}

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
	row.site_id = t->proc->retired ? STORE_NULL : model_site(m, t->proc, t->sample.low, false);
	if (model_keeps(m, t, DETAIL_SAMPLES))
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
	if (!model_mpi_inside(t)) /* there the library asks, as it is meant to */
		spin_sample(m, t, rec);
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
