/* maps.c - which file is mapped where in a process. */
/* SPDX-License-Identifier: MIT */
#include "tracer/symbols/maps.h"

#include "base/mem.h"

struct maps *maps_ref(struct maps *m)
{
	m->refs++;
	return m;
}

void maps_unref(struct maps *m)
{
	if (!m || --m->refs)
		return;
	free(m->list);
	free(m->made);
	free(m);
}

struct maps *maps_own(struct maps *m)
{
	struct maps *own;

	if (m && m->refs == 1)
		return m;
	own = xcalloc(1, sizeof *own);
	own->refs = 1;
	if (m && m->len) {
		own->len = own->cap = m->len;
		own->list = xreallocarray(NULL, own->cap, sizeof *own->list);
		memcpy(own->list, m->list, m->len * sizeof *m->list);
	}
	for (size_t i = 0; m && i < m->n_made; i++)
		maps_add_made(own, m->made[i].start, m->made[i].len);
	maps_unref(m);
	return own;
}

/* Returns the index of the first mapping that begins above addr. */
static size_t above(const struct maps *m, uint64_t addr)
{
	size_t lo = 0, hi = m->len;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (m->list[mid].start <= addr)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

void maps_add(struct maps *m, uint64_t start, uint64_t len, uint64_t offset, struct module *module)
{
	uint64_t end = start + len;
	size_t at = 0;

	if (end <= start)
		return;
	for (size_t i = 0; i < m->len; i++) {
		const struct map *old = &m->list[i];

		if (old->start >= end || old->start + old->len <= start)
			m->list[at++] = *old;
	}
	m->len = at;
	ARRAY_GROW(m->list, m->len, m->cap);
	at = above(m, start);
	memmove(m->list + at + 1, m->list + at, (m->len - at) * sizeof *m->list);
	m->list[at] = (struct map){.start = start, .len = len, .offset = offset, .module = module};
	m->len++;
}

void maps_set_inode(struct maps *m, uint64_t start, uint64_t inode)
{
	size_t i = above(m, start);

	if (i > 0 && m->list[i - 1].start == start)
		m->list[i - 1].inode = inode;
}

const struct map *maps_find(const struct maps *m, uint64_t addr)
{
	size_t i = above(m, addr);

	return i > 0 && addr - m->list[i - 1].start < m->list[i - 1].len ? &m->list[i - 1] : NULL;
}

void maps_forget_made(struct maps *m)
{
	m->n_made = 0;
}

void maps_add_made(struct maps *m, uint64_t start, uint64_t len)
{
	ARRAY_GROW(m->made, m->n_made, m->cap_made);
	m->made[m->n_made++] = (struct made_code){start, len};
}

bool maps_is_made(const struct maps *m, uint64_t addr)
{
	for (size_t i = 0; i < m->n_made; i++)
		if (addr - m->made[i].start < m->made[i].len)
			return true;
	return false;
}

bool maps_is_code(const struct maps *m, uint64_t addr)
{
	return maps_find(m, addr) || maps_is_made(m, addr);
}
