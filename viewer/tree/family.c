/* family.c - who created whom: the entities of a tree, as a forest. */
/* SPDX-License-Identifier: MIT */
#include "viewer/tree/family.h"

#include "base/hash.h"
#include "base/mem.h"
#include "viewer/load/load.h"

bool family_is_proc(const struct family *f, size_t e)
{
	return e < f->t->n_procs;
}

static const struct thread_row *thread_of(const struct family *f, size_t e)
{
	return &f->t->threads[e - f->t->n_procs];
}

size_t family_row(const struct family *f, size_t e)
{
	return family_is_proc(f, e) ? e : e - f->t->n_procs;
}

const char *family_name(const struct family *f, size_t e)
{
	if (family_is_proc(f, e))
		return f->t->procs[e].name;
	/* As its box says. */
	return trace_thread_name(f->t, e - f->t->n_procs);
}

/* Main threads are their process, unless the trace names no main thread. */
static bool is_entity(const struct family *f, size_t e)
{
	const struct thread_row *th;

	if (family_is_proc(f, e))
		return true;
	th = thread_of(f, e);
	return f->t->procs[th->proc].main_thread != e - f->t->n_procs;
}

static size_t entity_of_thread(const struct family *f, size_t thread)
{
	size_t e = f->t->n_procs + thread;

	return is_entity(f, e) ? e : f->t->threads[thread].proc;
}

static size_t parent_of(const struct family *f, size_t e)
{
	const struct trace *t = f->t;
	size_t up;

	if (family_is_proc(f, e)) {
		if (t->procs[e].creator != NONE)
			up = entity_of_thread(f, t->procs[e].creator);
		else
			up = t->procs[e].parent;
	} else {
		const struct thread_row *th = thread_of(f, e);

		up = th->proc;
		if (th->creator != NONE && t->threads[th->creator].proc == th->proc)
			up = entity_of_thread(f, th->creator);
	}
	return up == e ? NONE : up;
}

static int64_t birth(const struct family *f, size_t e)
{
	return family_is_proc(f, e) ? f->t->procs[e].start : thread_of(f, e)->start;
}

struct birth {
	size_t parent, entity;
	int64_t ns;
};

static int by_birth(const void *a, const void *b)
{
	const struct birth *x = a, *y = b;

	if (x->parent != y->parent)
		return x->parent < y->parent ? -1 : 1;
	if (x->ns != y->ns)
		return x->ns < y->ns ? -1 : 1;
	return x->entity < y->entity ? -1 : 1;
}

/* Groups the children by parent; NONE is the largest number, so the roots come last. */
static void sort_kids(struct family *f)
{
	struct birth *births = xcalloc(f->n + 1, sizeof *births);
	size_t n = 0;

	for (size_t e = 0; e < f->n; e++)
		if (is_entity(f, e))
			births[n++] = (struct birth){f->list[e].parent, e, birth(f, e)};
	qsort(births, n, sizeof *births, by_birth);
	f->kids = xcalloc(n + 1, sizeof *f->kids);
	f->first_root = n;
	for (size_t i = 0; i < n; i++) {
		size_t up = births[i].parent;

		f->kids[i] = births[i].entity;
		if (up == NONE && f->first_root == n)
			f->first_root = i;
		if (up != NONE && f->list[up].n++ == 0)
			f->list[up].first = i;
	}
	f->kids[n] = NONE;
	free(births);
}

/* A damaged file may hold a cycle of parents; it is cut where it is first seen. */
static void cut_circles(struct family *f)
{
	unsigned char *seen = xcalloc(f->n + 1, 1);

	for (size_t e = 0; e < f->n; e++) {
		size_t up;

		for (up = e; up != NONE && !seen[up]; up = f->list[up].parent) {
			seen[up] = 1;
			if (f->list[up].parent != NONE && seen[f->list[up].parent] == 1)
				f->list[up].parent = NONE;
		}
		for (up = e; up != NONE && seen[up] == 1; up = f->list[up].parent)
			seen[up] = 2;
	}
	free(seen);
}

/* Fills order: breadth first, hence parents before children. */
static void put_in_order(struct family *f)
{
	size_t n = 0;

	f->order = xcalloc(f->n + 1, sizeof *f->order);
	for (size_t i = f->first_root; f->kids[i] != NONE; i++)
		f->order[n++] = f->kids[i];
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < f->list[f->order[i]].n; k++)
			f->order[n++] = f->kids[f->list[f->order[i]].first + k];
	f->order[n] = NONE;
}

uint64_t family_own_key(const struct family *f, size_t e)
{
	const struct trace *t = f->t;
	const struct thread_row *th;

	if (family_is_proc(f, e)) {
		const struct proc_row *p = &t->procs[e];
		uint64_t marks = (uint64_t)p->orphan | (uint64_t)p->never_reaped << 1 |
				 (uint64_t)p->end_kind << 2 | (uint64_t)p->core_dumped << 5;

		return hash_mix(hash_bytes(p->name, strlen(p->name)), marks,
			(uint64_t)p->exit_code << 32 | (uint32_t)p->exit_signal);
	}
	th = thread_of(f, e);
	return hash_mix(hash_bytes(th->name, strlen(th->name)),
		hash_bytes(th->entry, strlen(th->entry)), th->end == TIME_NEVER ? 2 : 1);
}

/* Adds up the subtrees from the leaves on; the order walked backwards has children first. */
static void sum_up(struct family *f)
{
	size_t n = 0;

	while (f->order[n] != NONE)
		n++;
	while (n-- > 0) {
		size_t e = f->order[n];
		struct entity *it = &f->list[e];
		const char *name = family_name(f, e);
		enum stuck stuck =
			family_is_proc(f, e) ? f->t->procs[e].stuck : thread_of(f, e)->stuck;

		it->key[0] = hash_mix(family_own_key(f, e), stuck, 11);
		it->key[1] = hash_mix(hash_bytes(name, strlen(name)), family_is_proc(f, e), 7);
		it->procs = family_is_proc(f, e);
		it->threads = !family_is_proc(f, e);
		it->stuck = stuck != STUCK_NOT;
		for (size_t k = 0; k < it->n; k++) {
			const struct entity *kid = &f->list[f->kids[it->first + k]];

			it->key[0] = hash_mix(it->key[0], kid->key[0], k);
			it->procs += kid->procs;
			it->threads += kid->threads;
			it->stuck += kid->stuck;
		}
		/* What is stuck, or has a stuck one below it, is never alike to what goes on. */
		it->key[1] = hash_mix(it->key[1], stuck, it->stuck > 0);
	}
}

void family_init(struct family *f, const struct trace *t)
{
	*f = (struct family){.t = t, .n = t->n_procs + t->n_threads};
	f->list = xcalloc(f->n + 1, sizeof *f->list);
	for (size_t e = 0; e < f->n; e++)
		f->list[e].parent = is_entity(f, e) ? parent_of(f, e) : NONE;
	cut_circles(f);
	sort_kids(f);
	put_in_order(f);
	sum_up(f);
}

void family_done(struct family *f)
{
	free(f->list);
	free(f->kids);
	free(f->order);
}
