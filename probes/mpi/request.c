/* request.c - calls that do not wait, until somebody has waited for them. */
/* SPDX-License-Identifier: MIT */
#include "probes/mpi/mpi.h"

#include <sched.h>
#include <string.h>

/*
 * Open addressing. What finds no room is not known, and whoever waits for it waits for something that is not known. The
 * pages of it are touched when they are needed.
 */
enum { PLACES = 1 << 15, MOST = PLACES / 4 * 3 };

static struct request table[PLACES];
static unsigned used;
static int busy;

static void lock(void)
{
	while (__atomic_exchange_n(&busy, 1, __ATOMIC_ACQUIRE))
		(void)sched_yield();
}

static void unlock(void)
{
	__atomic_store_n(&busy, 0, __ATOMIC_RELEASE);
}

static unsigned place_of(handle h)
{
	return (unsigned)((h ^ h >> 17) * 0x9e3779b97f4a7c15ull >> 49);
}

static unsigned find(handle h)
{
	unsigned i = place_of(h);

	while (table[i].handle && table[i].handle != h)
		i = (i + 1) % PLACES;
	return i;
}

void request_add(const struct request *r)
{
	unsigned i;

	if (!r->handle || r->handle == abi()->request_null)
		return;
	lock();
	i = find(r->handle);
	if (table[i].handle || used < MOST) {
		used += !table[i].handle;
		table[i] = *r;
	}
	unlock();
}

bool request_get(handle h, struct request *ret)
{
	unsigned i;
	bool found;

	lock();
	i = find(h);
	found = h && table[i].handle == h;
	if (found)
		*ret = table[i];
	unlock();
	return found;
}

void request_flag(handle h, unsigned set, unsigned clear)
{
	unsigned i;

	lock();
	i = find(h);
	if (h && table[i].handle == h)
		table[i].flags = (table[i].flags | set) & ~clear;
	unlock();
}

/* Those behind it that would not be found any more move up. */
static void close_gap(unsigned gap)
{
	for (unsigned i = (gap + 1) % PLACES; table[i].handle; i = (i + 1) % PLACES) {
		unsigned home = place_of(table[i].handle);

		if ((i - home) % PLACES < (i - gap) % PLACES)
			continue;
		table[gap] = table[i];
		table[i].handle = 0;
		gap = i;
	}
}

void request_remove(handle h)
{
	unsigned i;

	lock();
	i = find(h);
	if (h && table[i].handle == h) {
		table[i].handle = 0;
		used--;
		close_gap(i);
	}
	unlock();
}
