/* musl.c - the objects of another C library, musl's, by the words around a futex. */
/* SPDX-License-Identifier: MIT */
/*
 * musl's objects (since 1.1, 64-bit; the record's words begin 12 bytes before the futex, so words[3] is that):
 *   mutex   +0 type (0 normal, 1 recursive, 2 error-checking; 4 robust, 8 PI, 128 shared), +4 lock, +8 waiters; waits on +4 for the value
 *           with the top bit set that it has found there: the owner's tid, but of a normal mutex EBUSY, which says nothing of who has it
 *   thread  struct pthread: tid, errno, detach_state one behind the other, at an address that 8 divides; who joins waits on the last,
 *           for DT_JOINABLE. (Who waits for a condition does so on a word of its own stack that 8 does not divide, with the same value.)
 */
#include "tracer/model/private.h"

#include <linux/futex.h>
#include <string.h>

enum { TYPE = -1, TID = -2 };
enum { ROBUST = 4, SHARED = 128, TYPES = 3, JOINABLE = 2 };

/* A word so many words behind the one that is waited on. */
static uint32_t word(const struct rec_WAIT_BEGIN *rec, int at)
{
	enum { FUTEX_WORD = 3 };
	uint32_t w;

	memcpy(&w, (const char *)rec->words + (FUTEX_WORD + at) * (int)sizeof w, sizeof w);
	return w;
}

static bool is_plain_wait(const struct rec_WAIT_BEGIN *rec)
{
	return ((uint32_t)rec->arg1 & FUTEX_CMD_MASK) == FUTEX_WAIT && rec->words_valid >= 20 &&
	       word(rec, 0) == (uint32_t)rec->arg2;
}

uint32_t model_musl_joined(const struct rec_WAIT_BEGIN *rec)
{
	return is_plain_wait(rec) && rec->arg1 & FUTEX_PRIVATE_FLAG && rec->arg0 % 8 == 0 &&
			       word(rec, 0) == JOINABLE
		       ? word(rec, TID)
		       : 0;
}

uint32_t model_musl_owner(const struct rec_WAIT_BEGIN *rec, uint64_t *ret_mutex, unsigned *ret_type)
{
	uint32_t type = word(rec, TYPE), lock = word(rec, 0);

	if (!is_plain_wait(rec) || type & ~(uint32_t)(SHARED | ROBUST | TYPES) ||
		(type & TYPES) == TYPES || !(type & (ROBUST | TYPES)) || !(lock & FUTEX_WAITERS) ||
		!(type & SHARED) != !!(rec->arg1 & FUTEX_PRIVATE_FLAG))
		return 0;
	*ret_mutex = rec->arg0 - sizeof type;
	*ret_type = (LOCK_NORMAL + (type & TYPES)) | (type & ROBUST ? LOCK_ROBUST : 0);
	return lock & FUTEX_TID_MASK;
}
