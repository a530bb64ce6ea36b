/* glibc.h - what glibc's lock objects look like in the memory of the target. */
/* SPDX-License-Identifier: (MIT OR GPL-2.0-only) */
#ifndef PROBES_EBPF_LOCKS_GLIBC_H
#define PROBES_EBPF_LOCKS_GLIBC_H

#include "probes/ebpf/probe.h"

/* Places in glibc's objects (64 bits). */
#define MUTEX_OWNER 8
#define MUTEX_KIND 16
#define MUTEX_PSHARED 128
#define RWLOCK_WRITER 24
#define RWLOCK_SHARED 28
#define COND_WREFS 36
#define BARRIER_COUNT 8
#define BARRIER_SHARED 12
#define SEM_PRIVATE 8
#define PTHREAD_TID 0x2d0

static __always_inline u32 user_u32(u64 addr)
{
	u32 v = 0;

	bpf_probe_read_user(&v, sizeof v, (void *)addr);
	return v;
}

/* Type of a lock as the records say it, 0 if it has none or is not known. */
static __always_inline u32 lock_type_of(const struct lock_call *c)
{
	if (LOCK_KIND(c->cookie) != LOCK_MUTEX || !(c->cookie & LOCK_COOKIE_GLIBC))
		return LOCK_TYPE_UNKNOWN;
	return LOCK_TYPE_OF_KIND(user_u32(c->addr + MUTEX_KIND));
}

static __always_inline bool lock_is_shared(const struct lock_call *c)
{
	if (!(c->cookie & LOCK_COOKIE_GLIBC))
		return false;
	switch (LOCK_KIND(c->cookie)) {
	case LOCK_MUTEX:
		return user_u32(c->addr + MUTEX_KIND) & MUTEX_PSHARED;
	case LOCK_RWLOCK:
		return user_u32(c->addr + RWLOCK_SHARED) & 0xff;
	case LOCK_COND:
		return user_u32(c->addr + COND_WREFS) & 1;
	case LOCK_BARRIER:
		return user_u32(c->addr + BARRIER_SHARED);
	case LOCK_SEM:
		return user_u32(c->addr + SEM_PRIVATE);
	}
	return false;
}

/* Says whether the caller will have to wait, by what the lock looks like now. */
static __always_inline bool lock_is_taken(const struct lock_call *c, u32 type)
{
	u32 word = user_u32(c->addr);

	if (!(c->cookie & LOCK_COOKIE_GLIBC))
		return true;
	switch (LOCK_KIND(c->cookie)) {
	case LOCK_MUTEX:
		return word != 0 && (type & LOCK_TYPE_BASE) != LOCK_RECURSIVE;
	case LOCK_SPIN:
		return (s32)word <= 0;
	case LOCK_RWLOCK:
		if (user_u32(c->addr + RWLOCK_WRITER) || (word & 1))
			return true;
		return LOCK_WHAT(c->cookie) == LOCK_MODE_X && word >> 3;
	}
	return true;
}

#endif
