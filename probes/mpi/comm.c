/* comm.c - communicators, and which ranks of MPI_COMM_WORLD their members are. */
/* SPDX-License-Identifier: MIT */
/*
 * All members of a communicator must call it by the same number, on whatever host they are, and no message may be sent for
 * that. Communicators are made by calls that all members of the parent make in the same order; so the number
 * is a hash of the parent's, of who the members are, and of how many with the same members the parent had before.
 */
#include "probes/mpi/mpi.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct comm {
	struct comm *next;
	handle handle;
	uint64_t key;
	uint64_t members; /* a hash of them */
	int size, rank;
	int *world; /* rank in MPI_COMM_WORLD of each member; NULL: the same */
	int64_t entered;
	struct birth { /* how often a communicator with these members was made from this one */
		struct birth *next;
		uint64_t members, n;
	} * births;
};

/* The most members that are told; of larger ones the messages are known, and who has not entered is not. */
enum { MEMBERS_MAX = 1 << 16, BUCKETS = 256 };

static struct comm *comms[BUCKETS];
static struct comm *world;
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

static uint64_t mix(uint64_t a, uint64_t b)
{
	a = (a ^ b) * 0x9e3779b97f4a7c15ull;
	a ^= a >> 32;
	a *= 0xd6e8feb86659fd93ull;
	return a ^ a >> 29;
}

/* A number of a communicator: never 0, and positive in SQLite. */
static uint64_t key_of(uint64_t hash)
{
	return (hash & INT64_MAX) | 1;
}

static struct comm **bucket(handle h)
{
	return &comms[mix(h, 1) % BUCKETS];
}

static struct comm *find(handle h)
{
	struct comm *c = *bucket(h);

	while (c && c->handle != h)
		c = c->next;
	return c;
}

static struct comm *add(handle h, int size, int rank)
{
	struct comm *c = calloc(1, sizeof *c);

	if (!c)
		return NULL;
	c->handle = h;
	c->size = size;
	c->rank = rank;
	c->next = *bucket(h);
	*bucket(h) = c;
	return c;
}

/* Fills in who the members are. */
static bool read_members(struct comm *c)
{
	handle group = 0, all = 0;
	int *own = malloc((size_t)c->size * sizeof *own);
	bool ok;

	c->world = malloc((size_t)c->size * sizeof *c->world);
	for (int i = 0; own && i < c->size; i++)
		own[i] = i;
	ok = own && c->world &&
	     PMPI("Comm_group", (handle, handle *), c->handle, &group) == MPI_OK &&
	     PMPI("Comm_group", (handle, handle *), abi()->world, &all) == MPI_OK &&
	     PMPI("Group_translate_ranks", (handle, int, const int *, handle, int *), group,
		     c->size, own, all, c->world) == MPI_OK;
	free(own);
	if (group)
		(void)PMPI("Group_free", (handle *), &group);
	if (all)
		(void)PMPI("Group_free", (handle *), &all);
	c->members = (uint64_t)c->size;
	for (int i = 0; ok && i < c->size; i++) {
		ok = c->world[i] >= 0; /* else a process of another MPI_COMM_WORLD */
		c->members = mix(c->members, (uint64_t)c->world[i]);
	}
	return ok;
}

/* Makes what is known of a communicator; NULL: it is one between two groups, or has processes that were started later. */
static struct comm *learn(handle h)
{
	int size = 0, rank = 0, inter = 1;
	struct comm *c;

	if (!abi()->known || h == abi()->comm_null ||
		PMPI("Comm_test_inter", (handle, int *), h, &inter) != MPI_OK || inter ||
		PMPI("Comm_size", (handle, int *), h, &size) != MPI_OK || size <= 0 ||
		PMPI("Comm_rank", (handle, int *), h, &rank) != MPI_OK)
		return NULL;
	c = add(h, size, rank);
	if (c && !read_members(c)) {
		*bucket(h) = c->next;
		free(c->world);
		free(c);
		return NULL;
	}
	return c;
}

struct comm *comm_of(handle h)
{
	struct comm *c;

	h = abi_handle(h);
	lock();
	c = find(h);
	if (!c)
		c = learn(h);
	unlock();
	return c;
}

static void tell(const struct comm *c, const char *name)
{
	if (c->key && c->size <= MEMBERS_MAX)
		record_comm(c->key, c->size, c->world, name);
}

void comm_begin(int rank, int size, const char *job)
{
	uint64_t hash = 1;
	struct comm *self;

	for (const char *s = job; *s; s++)
		hash = mix(hash, (unsigned char)*s);
	lock();
	world = add(abi()->world, size, rank);
	self = add(abi()->self, 1, 0);
	if (self) {
		self->world = malloc(sizeof *self->world);
		if (self->world)
			self->world[0] = rank;
	}
	unlock();
	/* Jobs without a name may be any: so may their communicators. */
	if (!world || !self || !self->world || !*job)
		return;
	world->key = key_of(mix(hash, (uint64_t)size));
	self->key = key_of(mix(world->key, (uint64_t)rank + 1));
	tell(world, "MPI_COMM_WORLD");
	tell(self, "MPI_COMM_SELF");
}

/* Counts one more with these members. */
static uint64_t count_birth(struct comm *parent, uint64_t members)
{
	struct birth *b = parent->births;

	while (b && b->members != members)
		b = b->next;
	if (!b) {
		b = calloc(1, sizeof *b);
		if (!b)
			return 0;
		b->members = members;
		b->next = parent->births;
		parent->births = b;
	}
	return ++b->n;
}

void comm_made(struct comm *parent, handle h)
{
	struct comm *c;
	char name[128] = ""; /* MPI_MAX_OBJECT_NAME, of both */
	int len = 0;

	h = abi_handle(h);
	if (!abi()->known || h == abi()->comm_null)
		return;
	comm_gone(h);
	c = comm_of(h);
	if (!c || !parent || !parent->key)
		return;
	lock();
	c->key = key_of(mix(mix(parent->key, c->members), count_birth(parent, c->members)));
	unlock();
	if (PMPI("Comm_get_name", (handle, char *, int *), h, name, &len) != MPI_OK)
		name[0] = '\0';
	tell(c, name);
}

void comm_gone(handle h)
{
	struct comm **at, *c;

	h = abi_handle(h);
	lock();
	for (at = bucket(h); *at && (*at)->handle != h;)
		at = &(*at)->next;
	c = *at;
	if (c)
		*at = c->next;
	unlock();
	/* A request may still lead to it: what is left of it is small. */
	if (c)
		c->handle = 0;
}

void comm_named(handle h, const char *name)
{
	const struct comm *c = comm_of(h);

	if (c)
		tell(c, name);
}

uint64_t comm_key(const struct comm *c)
{
	return c ? c->key : 0;
}

bool comm_rank(const struct comm *c, int rank, int64_t *ret)
{
	if (!c || rank == abi()->proc_null)
		return false;
	if (rank == abi()->any_source)
		*ret = MPI_ANY;
	else if (rank < 0 || rank >= c->size)
		return false;
	else
		*ret = c->world ? c->world[rank] : rank;
	return true;
}

bool comm_is_me(const struct comm *c, int rank)
{
	return c && c->rank == rank;
}

int64_t comm_enter(struct comm *c)
{
	return __atomic_add_fetch(&c->entered, 1, __ATOMIC_RELAXED);
}
