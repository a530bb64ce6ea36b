/* module.c - fuzz the reader of ELF files: symbols, source lines, unwind tables. */
/* SPDX-License-Identifier: MIT */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tracer/symbols/line.h"
#include "tracer/symbols/module.h"

enum { PLACES = 16 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
const char *__lsan_default_suppressions(void);
const char *__asan_default_options(void);

/* libdw 0.188 reads names in damaged line tables beyond the end of the section. */
const char *__asan_default_options(void)
{
	return "intercept_strlen=0:replace_str=0";
}

/* libelf leaks some memory on damaged files. */
const char *__lsan_default_suppressions(void)
{
	return "leak:libelf\nleak:libdw\n";
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd = memfd_create("module", MFD_CLOEXEC);
	uint64_t vaddr = 0, start, forks = 0;
	struct line_place places[PLACES];
	struct module *m;
	const char *file;
	bool any;
	int line;

	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		return 0;
	m = module_new(fd, "/fuzz");
	(void)module_vaddr(m, 0x1000, &vaddr);
	/* A variable of the seed, which is the demo of the philosophers. */
	(void)module_lookup(m, "forks", &forks);
	for (unsigned i = 0; i < 8; i++) {
		uint64_t at = i < 4 ? vaddr + i * 64 : 0x1000 * i;

		(void)module_function(m, at, &start);
		free(module_variable(m, at));
		free(module_variable(m, forks + i * 20));
		(void)module_line(m, at, &file, &line);
		(void)module_places(m, at, places, PLACES);
		(void)module_has_debug(m, at, &any);
		(void)module_covers(m, at);
	}
	(void)module_lookup(m, "_IO_list_all", &start);
	(void)module_is_static(m);
	(void)module_cfi(m);
	module_free(m);
	return 0;
}
