/* ebpf_calls.c - which system calls the eBPF programs look at. */
/* SPDX-License-Identifier: MIT */
#include "tracer/ebpf_calls.h"

#include <stddef.h>
#include <sys/syscall.h>

#include "base/mem.h"

struct row {
	int nr;
	struct call_info info;
};

#define TIME CALL_TAKES_TIME
static const struct row rows[] = {
#define CALL(name, call, enter, exit, flags)                                                       \
	{SYS_##name, {CALL_##call, HANDLE_##enter, HANDLE_##exit, flags}},
#include "tracer/ebpf_calls.def"
#undef CALL
};

void ebpf_calls_fill(struct call_info *calls)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (rows[i].nr < CALLS_MAX)
			calls[rows[i].nr] = rows[i].info;
}

void ebpf_calls_fill_compat(uint16_t *numbers)
{
	memset(numbers, 0, CALLS_MAX * sizeof *numbers);
}
