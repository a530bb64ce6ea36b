/* locks.c - tests of what is known of lock kinds, of calls on them, and of the bits that rings carry. */
/* SPDX-License-Identifier: MIT */
#include "schema/locks.h"

#include "schema/arena.h"
#include "schema/names.h"
#include "schema/waits.h"
#include "tests/unit/test.h"

TEST(lock_kinds)
{
	for (unsigned kind = LOCK_NONE + 1; kind < LOCK_KIND_END; kind++) {
		ASSERT(lock_info(kind)->name && lock_info(kind)->noun);
		ASSERT_INT(lock_find(lock_info(kind)->name), kind);
		ASSERT(lock_info(kind)->reason != WAIT_NONE);
	}
	ASSERT_INT(lock_find("of a later version"), LOCK_FUTEX);
	ASSERT(!lock_info(LOCK_NONE)->name);
	ASSERT(!lock_info(LOCK_KIND_END)->name);
	ASSERT(!lock_info(1ull << 32 | LOCK_MUTEX)->name);
}

/* A call that blocks on an object does so for the reason for which threads sleep on such an object. */
TEST(sync_calls)
{
	for (unsigned op = 1; op < SYNC_OP_END; op++) {
		const struct sync_info *call = sync_info(op);

		ASSERT(call->name);
		if (call->object != LOCK_NONE && call->reason != WAIT_NONE)
			ASSERT_INT(call->reason, lock_info(call->object)->reason);
	}
	ASSERT(!sync_info(0)->name);
	ASSERT(!sync_info(SYNC_OP_END)->name);
	ASSERT(!sync_info(1ull << 32 | SYNC_JOIN)->name);
	ASSERT_INT(sync_info(SYNC_OP_END)->reason, WAIT_NONE);
}

TEST(arena_bits)
{
	for (unsigned type = 0; type < LOCK_TYPE_END; type++)
		if (names_lock_type(type))
			ASSERT_INT(arena_type(arena_aux(type) | ARENA_AUX_SHARED | ARENA_AUX_TRY),
				type);
	ASSERT_INT(arena_mode(arena_aux(LOCK_PI)), LOCK_MODE_X);
	ASSERT_INT(arena_mode(ARENA_AUX_SHARED), LOCK_MODE_S);
	ASSERT_INT(arena_attempt(arena_aux(LOCK_ROBUST)), LOCK_PLAIN);
	ASSERT_INT(arena_attempt(ARENA_AUX_TRY), LOCK_TRY);
	ASSERT_INT(arena_attempt(ARENA_AUX_TIMED), LOCK_TIMED);
	ASSERT_INT(LOCK_TYPE_OF_KIND(0u), LOCK_NORMAL);
	ASSERT_INT(LOCK_TYPE_OF_KIND(1u | 16u | 128u), LOCK_RECURSIVE | LOCK_ROBUST);
	ASSERT_INT(LOCK_TYPE_OF_KIND(2u | 32u), LOCK_ERRORCHECK | LOCK_PI);
}
