/* lock_symbols.c - fuzz the search for lock functions in files that traced programs map. */
/* SPDX-License-Identifier: MIT */
#include "base/mem.h"
#include "tracer/ebpf/symbols.h"

#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct lock_symbol symbols[64];
	_cleanup_close_ int fd = memfd_create("elf", MFD_CLOEXEC);

	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		return 0;
	(void)lock_symbols_find(fd, symbols, ARRAY_SIZE(symbols));
	return 0;
}
