/* musl.c - what the words around a futex of musl say of who is joined, and who has a mutex. */
/* SPDX-License-Identifier: MIT */
#include "tracer/model/private.h"

#include <linux/futex.h>
#include <string.h>

#include "tests/unit/test.h"

enum { ADDRESS = 0x7000, TID = 1234, BUSY = 16 };

/* A wait on the fourth of these words, for the value that it has. */
static struct rec_WAIT_BEGIN wait_on(uint64_t addr, const uint32_t words[5])
{
	struct rec_WAIT_BEGIN rec = {.arg0 = addr,
		.arg1 = FUTEX_WAIT | FUTEX_PRIVATE_FLAG,
		.arg2 = words[3],
		.words_valid = 40};

	memcpy(rec.words, words, 5 * sizeof *words);
	return rec;
}

TEST(musl_joined)
{
	struct rec_WAIT_BEGIN rec = wait_on(ADDRESS, (const uint32_t[5]){7, TID, 0, 2, 0});

	ASSERT_INT(model_musl_joined(&rec), TID);
	/* Who waits for a condition waits for the same value, on a word of its stack. */
	rec.arg0 = ADDRESS + 4;
	ASSERT_INT(model_musl_joined(&rec), 0);
	/* The thread has ended meanwhile, or is another thing. */
	rec = wait_on(ADDRESS, (const uint32_t[5]){7, TID, 0, 1, 0});
	ASSERT_INT(model_musl_joined(&rec), 0);
	rec = wait_on(ADDRESS, (const uint32_t[5]){7, TID, 0, 2, 0});
	rec.arg2 = 3;
	ASSERT_INT(model_musl_joined(&rec), 0);
	rec.arg2 = 2;
	rec.words_valid = 12;
	ASSERT_INT(model_musl_joined(&rec), 0);
}

/* What is said of a mutex with this type and this lock word. */
static uint32_t owner(uint32_t type, uint32_t lock, unsigned *ret_type)
{
	struct rec_WAIT_BEGIN rec = wait_on(ADDRESS + 4, (const uint32_t[5]){0, 0, type, lock, 1});
	uint64_t mutex = 0;
	uint32_t tid = model_musl_owner(&rec, &mutex, ret_type);

	ASSERT(!tid || mutex == ADDRESS);
	return tid;
}

TEST(musl_owner)
{
	unsigned type = 0;

	ASSERT_INT(owner(1, FUTEX_WAITERS | TID, &type), TID);
	ASSERT_INT(type, LOCK_RECURSIVE);
	ASSERT_INT(owner(2 | 4, FUTEX_WAITERS | TID, &type), TID);
	ASSERT_INT(type, LOCK_ERRORCHECK | LOCK_ROBUST);
	/* A normal one says that it is taken, and no more. */
	ASSERT_INT(owner(0, FUTEX_WAITERS | BUSY, &type), 0);
	/* Nobody waits; it is shared and waited for as if it were not; it is of no known type. */
	ASSERT_INT(owner(1, TID, &type), 0);
	ASSERT_INT(owner(1 | 128, FUTEX_WAITERS | TID, &type), 0);
	ASSERT_INT(owner(3, FUTEX_WAITERS | TID, &type), 0);
	ASSERT_INT(owner(0x1001, FUTEX_WAITERS | TID, &type), 0);
}
