/* sys.c - which system calls this library may make. */
/* SPDX-License-Identifier: MIT */
#include "probes/shim/sys.h"

AT_HAND bool sys_filtered;
static uint64_t forbidden[SYS_NUMBERS / 64];

bool sys_forbids(long nr)
{
	return nr < 0 || nr >= SYS_NUMBERS ||
	       (__atomic_load_n(&forbidden[nr / 64], __ATOMIC_RELAXED) >> (nr % 64) & 1);
}

void sys_forbid(unsigned nr)
{
	__atomic_fetch_or(&forbidden[nr / 64], 1ull << (nr % 64), __ATOMIC_RELAXED);
}
