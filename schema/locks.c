/* locks.c - what is known of each kind of object that threads wait on, and of each call on one. */
/* SPDX-License-Identifier: MIT */
#include "schema/locks.h"

#include <string.h>

static const struct lock_info locks[LOCK_KIND_END] = {
#define LOCK(NAME, number, name, noun, reason, bytes) [number] = {name, noun, WAIT_##reason, bytes},
#include "schema/locks.def"
};

static const struct sync_info calls[SYNC_OP_END] = {
#define SYNC(NAME, number, name, object, reason) [number] = {name, LOCK_##object, WAIT_##reason},
#include "schema/locks.def"
};

const struct lock_info *lock_info(uint64_t kind)
{
	return &locks[kind < LOCK_KIND_END ? kind : LOCK_NONE];
}

enum lock_kind lock_find(const char *name)
{
	for (unsigned i = LOCK_NONE + 1; i < LOCK_KIND_END; i++)
		if (!strcmp(name, locks[i].name))
			return (enum lock_kind)i;
	return LOCK_FUTEX;
}

const struct sync_info *sync_info(uint64_t op)
{
	return &calls[op < SYNC_OP_END ? op : 0];
}
