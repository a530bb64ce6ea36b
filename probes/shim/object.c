/* object.c - first sights of objects, and what they are mapped from. */
/* SPDX-License-Identifier: MIT */
#include "probes/shim/shim.h"

#include <string.h>

#include "probes/shim/arena.h"
#include "probes/shim/maps.h"

struct place {
	uint64_t addr;
	struct rec_LOCK_INIT *r;
};

static bool visit_place(void *arg, const struct mapping *m)
{
	struct place *p = arg;

	if (p->addr < m->start || p->addr >= m->end)
		return true;
	/* The C library marks every robust mutex as shared; in private memory nobody else can reach it. */
	p->r->pshared = m->shared;
	if (!m->shared)
		return false;
	p->r->dev = m->dev;
	p->r->inode = m->inode;
	p->r->offset = m->offset + (p->addr - m->start);
	return false;
}

void object_place(const void *addr, uint64_t *ret_dev, uint64_t *ret_inode, uint64_t *ret_offset)
{
	struct rec_LOCK_INIT r;
	struct place p = {ADDR(addr), &r};

	memset(&r, 0, sizeof r);
	maps_walk(visit_place, &p);
	*ret_dev = r.dev;
	*ret_inode = r.inode;
	*ret_offset = r.offset;
}

bool object_is_new(const void *addr)
{
	struct shim_wiped *w = shim_wiped();
	uint64_t key = ADDR(addr), hash = key * 0x9e3779b97f4a7c15ull;
	uint64_t *set;

	if (!w)
		return true;
	set = w->seen[(hash >> 32) % OBJECT_SETS];
	for (unsigned i = 0; i < OBJECT_WAYS; i++) {
		uint64_t was = __atomic_load_n(&set[i], __ATOMIC_RELAXED);

		if (was == key)
			return false;
		if (!was) {
			__atomic_store_n(&set[i], key, __ATOMIC_RELAXED);
			return true;
		}
	}
	__atomic_store_n(&set[hash % OBJECT_WAYS], key, __ATOMIC_RELAXED);
	return true;
}

/* Of objects in this process: those in shared memory may be wanted by others. Each in a cache line of its own, which others read all the time. */
static struct {
	_Alignas(64) uint32_t times;
} wanted[64];

static uint32_t *wanted_at(uint64_t addr)
{
	return &wanted[addr * 0x9e3779b97f4a7c15ull >> 58].times;
}

const uint32_t *object_wanted(uint64_t addr)
{
	return wanted_at(addr);
}

void object_want(uint64_t addr)
{
	__atomic_fetch_add(wanted_at(addr), 1, __ATOMIC_ACQ_REL);
}

void object_init(const void *addr, unsigned kind, unsigned type, bool pshared, uint64_t value,
	uint64_t site, const char *name)
{
	struct rec_LOCK_INIT r;
	struct place p = {ADDR(addr), &r};

	memset(&r, 0, sizeof r);
	r.addr = ADDR(addr);
	r.kind = kind;
	r.type = type;
	r.pshared = pshared;
	r.value = value;
	r.site = site;
	if (name) {
		size_t len = strlen(name);

		memcpy(r.name, name, len < sizeof r.name ? len : sizeof r.name - 1);
	}
	if (pshared)
		maps_walk(visit_place, &p);
	object_want(r.addr);
	RECORD(LOCK_INIT, &r);
}

void object_destroy(const void *addr, unsigned kind)
{
	struct rec_LOCK_DESTROY r;

	memset(&r, 0, sizeof r);
	r.addr = ADDR(addr);
	r.kind = kind;
	object_want(r.addr);
	RECORD(LOCK_DESTROY, &r);
}
