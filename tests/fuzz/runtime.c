/* runtime.c - fuzz the readers of languages: cores of Python, Java, Go, Ruby and Node whose memory the input changes while it is read. */
/* SPDX-License-Identifier: MIT */
/*
 * build/fuzz/runtime.cores holds the cores (runtime_cores.sh makes them). The first byte of the input chooses one; then
 * each eight bytes say after how many reads the next one is spoilt, how, and where in what was read.
 */
#include <dirent.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "schema/record.h"
#include "tracer/core/core.h"
#include "tracer/runtime/runtime.h"
#include "tracer/symbols/symbols.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
const char *__lsan_default_suppressions(void);
bool __wrap_core_read(void *core, uint64_t addr, void *to, size_t len);
bool __real_core_read(void *core, uint64_t addr, void *to, size_t len);
bool __wrap_memory_read(void *memory, uint64_t addr, void *to, size_t len);
bool __real_memory_read(void *memory, uint64_t addr, void *to, size_t len);
bool __wrap_memory_cached(void *memory, uint64_t addr, void *to, size_t len);
bool __real_memory_cached(void *memory, uint64_t addr, void *to, size_t len);
uint64_t __wrap_memory_pointer(void *memory, uint64_t addr);
uint64_t __real_memory_pointer(void *memory, uint64_t addr);
uint32_t __wrap_memory_u32(void *memory, uint64_t addr);
uint32_t __real_memory_u32(void *memory, uint64_t addr);

/* libelf and libdw cache what they have read. */
const char *__lsan_default_suppressions(void)
{
	return "leak:libelf\nleak:libdw\n";
}

enum { MAX_CORES = 16, MAX_THREADS = 100000 };

static struct subject {
	struct core *core;
	struct symbols *symbols;
} subjects[MAX_CORES];
static size_t n_subjects;

/* What is left of the input, and the reads until it is needed. */
static struct {
	const uint8_t *data;
	size_t size;
	unsigned skip;
	uint64_t last; /* what was read before, as a number */
} input;

static void spoil(const uint8_t *how, uint64_t addr, uint8_t *to, size_t len)
{
	size_t at = len > 8 ? how[3] * 8u % (len - 7) : 0, n = len < 8 ? len : 8;
	uint64_t value = 0;

	memcpy(&value, to + at, n);
	switch (how[2] % 8) {
	case 0:
		value = 0;
		break;
	case 1:
		value = addr;
		break;
	case 2:
		value = input.last;
		break;
	case 3:
		value = UINT64_MAX;
		break;
	case 4:
		value += (uint64_t)(int64_t)(int8_t)how[4];
		break;
	case 5:
		value ^= (uint64_t)how[4] << how[5] % 57;
		break;
	case 6:
		value = how[4] | how[5] << 8 | (uint64_t)how[6] << 16 | (uint64_t)how[7] << 24;
		break;
	default:
		memset(to, how[4], len);
		return;
	}
	memcpy(to + at, &value, n);
}

static void maybe_spoil(uint64_t addr, void *to, size_t len)
{
	if (input.size >= 8 && input.skip-- == 0) {
		spoil(input.data, addr, to, len);
		input.data += 8;
		input.size -= 8;
		if (input.size >= 8)
			memcpy(&input.skip, input.data, 2);
	}
	if (len >= 8)
		memcpy(&input.last, to, 8);
}

/*
 * In the place of these functions, for all other files that are linked (-Wl,--wrap): what a reader asks for is spoilt, and
 * not only something in the page that it lies in.
 */
bool __wrap_core_read(void *core, uint64_t addr, void *to, size_t len)
{
	bool is_there = __real_core_read(core, addr, to, len);

	if (is_there)
		maybe_spoil(addr, to, len);
	return is_there;
}

bool __wrap_memory_read(void *memory, uint64_t addr, void *to, size_t len)
{
	bool is_there = __real_memory_read(memory, addr, to, len);

	if (is_there && len)
		maybe_spoil(addr, to, len);
	return is_there;
}

bool __wrap_memory_cached(void *memory, uint64_t addr, void *to, size_t len)
{
	bool is_there = __real_memory_cached(memory, addr, to, len);

	if (is_there && len)
		maybe_spoil(addr, to, len);
	return is_there;
}

uint64_t __wrap_memory_pointer(void *memory, uint64_t addr)
{
	uint64_t value = __real_memory_pointer(memory, addr);

	maybe_spoil(addr, &value, sizeof value);
	return value;
}

uint32_t __wrap_memory_u32(void *memory, uint64_t addr)
{
	uint32_t value = __real_memory_u32(memory, addr);

	maybe_spoil(addr, &value, sizeof value);
	return value;
}

static void open_core(const char *path)
{
	struct buf blind = BUF_INIT, why = BUF_INIT;
	struct subject *s = &subjects[n_subjects];
	const struct core_process *p;

	if (core_open(path, NULL, &s->core, &blind, &why) == 0) {
		s->symbols = symbols_new();
		p = core_process(s->core);
		for (size_t i = 0; i < p->n_maps; i++)
			if (p->maps[i].is_code)
				symbols_map(s->symbols, 1, p->maps[i].start,
					p->maps[i].end - p->maps[i].start, p->maps[i].offset,
					p->maps[i].path);
		n_subjects++;
	}
	buf_done(&blind);
	buf_done(&why);
}

static void open_cores(void)
{
	const char *folder = "build/fuzz/runtime.cores";
	const struct dirent *e;
	DIR *dir = opendir(folder);
	char path[512];

	while (dir && n_subjects < MAX_CORES && (e = readdir(dir)) != NULL) {
		(void)snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
		if (strstr(e->d_name, ".core"))
			open_core(path);
	}
	if (dir)
		(void)closedir(dir);
}

/* The answer is bounded, whatever the memory contains. */
static void count(void *arg, const struct rec_head *rec)
{
	size_t *n = arg;

	if (rec->kind == REC_RUNTIME_NAME && ++*n > MAX_THREADS)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool opened;
	uint32_t tasks = 0;
	size_t n = 0;

	if (!opened)
		open_cores();
	opened = true;
	if (!n_subjects || size < 10)
		return 0;
	const struct subject *s = &subjects[data[0] % n_subjects];
	struct runtime_process p = {.pid = core_process(s->core)->pid,
		.key = 1,
		.symbols = s->symbols,
		.core = s->core,
		.tasks = &tasks};
	struct buf blind = BUF_INIT;

	input.data = data + 1;
	input.size = size - 1;
	memcpy(&input.skip, input.data, 2);
	(void)runtime_emit(&p, 1, count, &n, &blind);
	buf_done(&blind);
	return 0;
}
