/* calls.c - what is known of each system call that can block. */
/* SPDX-License-Identifier: MIT */
#include "schema/calls.h"

#include <stddef.h>
#include <sys/syscall.h>

#include "base/mem.h"
#include "schema/compat.h"

#define FD(n) .has_fd = true, .fd = n
#define NO_FD .has_fd = false
#define POINTER(n) .limit = LIMIT_POINTER, .limit_arg = n
#define MS(n) .limit = LIMIT_MS, .limit_arg = n
#define NO_LIMIT .limit = LIMIT_NONE

static const struct call_waits calls[] = {
#define CALL(name, kind, enter, exit, flags, blocks, fd, limit)                                    \
	[SYS_##name] = {.family = FAMILY_##blocks, fd, limit},
#include "schema/calls.def"
#include "schema/compat.h"
};

const struct call_waits *call_waits(int64_t nr)
{
	static const struct call_waits other = {.family = FAMILY_OTHER};

	return nr >= 0 && (size_t)nr < ARRAY_SIZE(calls) ? &calls[nr] : &other;
}

bool call_is_limited(int64_t nr, const uint64_t *args)
{
	const struct call_waits *c = call_waits(nr);

	switch (c->limit) {
	case LIMIT_POINTER:
		return args[c->limit_arg] != 0;
	case LIMIT_MS:
		return (int)args[c->limit_arg] >= 0;
	case LIMIT_NONE:
		break;
	}
	return false;
}
