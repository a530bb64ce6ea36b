/* memory.c - read the memory of a process that may change or lie at any moment. */
/* SPDX-License-Identifier: MIT */
#include "tracer/runtime/memory.h"

#include <string.h>
#include <sys/uio.h>

bool memory_read(struct memory *m, uint64_t addr, void *ret, size_t len)
{
	struct iovec local = {ret, len};
	struct iovec remote = {(void *)(uintptr_t)addr, len};

	if (!addr || !m->budget)
		return false;
	m->budget--;
	return process_vm_readv(m->pid, &local, 1, &remote, 1, 0) == (ssize_t)len;
}

uint64_t memory_pointer(struct memory *m, uint64_t addr)
{
	uint64_t value;

	return memory_read(m, addr, &value, sizeof value) ? value : 0;
}

uint32_t memory_u32(struct memory *m, uint64_t addr)
{
	uint32_t value;

	return memory_read(m, addr, &value, sizeof value) ? value : 0;
}

void memory_string(struct memory *m, uint64_t addr, char *ret, size_t size)
{
	size_t done = 0;

	/* A piece at a time, none across a page: the next one may not be there. */
	while (done < size - 1) {
		size_t piece = 64 - (addr + done) % 64;

		if (piece > size - 1 - done)
			piece = size - 1 - done;
		if (!memory_read(m, addr + done, ret + done, piece))
			break;
		if (memchr(ret + done, '\0', piece))
			return;
		done += piece;
	}
	ret[done] = '\0';
}
