/* stack.c - fuzz the walk over a stack: whatever registers and memory a thread has, in the code of this very program. */
/* SPDX-License-Identifier: MIT */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tracer/symbols/symbols.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { FRAMES = 32 };

/* Where the input lies in the thread's memory; what is not in it is this program's own. */
static const uint64_t stack_at = 0x10000;

struct input {
	const uint8_t *data;
	size_t size;
};

static bool read_memory(void *arg, uint64_t addr, void *to, size_t len)
{
	const struct input *in = arg;

	if (addr >= stack_at && addr - stack_at < in->size && len <= in->size - (addr - stack_at)) {
		memcpy(to, in->data + (addr - stack_at), len);
		return true;
	}
	return false;
}

/* Addresses of code in the input are offsets from here, so that it meets real functions. */
static uint64_t code_near(uint64_t n)
{
	return (uint64_t)(uintptr_t)&LLVMFuzzerTestOneInput + (n & 0xfffff) - 0x80000;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct symbols *symbols;
	struct symbols_frame frames[FRAMES];
	struct symbols_registers at = {.nr = -1};
	uint64_t copy[512] = {0};
	struct input in = {(const uint8_t *)copy, sizeof copy};
	int n;

	if (!symbols) {
		symbols = symbols_new();
		if (symbols_map_proc(symbols, 1, getpid()) != 0)
			abort();
	}
	if (size < sizeof at)
		return 0;
	memcpy(&at.nr, data, 2);
	memcpy(at.kept, data, sizeof at.kept);
	at.has_kept = data[0] & 1;
	at.sp = stack_at + data[1] * 8u;
	memcpy(&at.pc, data + 2, sizeof at.pc);
	at.pc = code_near(at.pc);
	memcpy(copy, data + 16, size - 16 < sizeof copy ? size - 16 : sizeof copy);
	/* Every other word may lead into code: the input decides. */
	for (size_t i = 0; i < sizeof copy / sizeof *copy; i++)
		if (copy[i] & 1)
			copy[i] = copy[i] & 2 ? code_near(copy[i] >> 8)
					      : stack_at + (copy[i] >> 8) % sizeof copy;
	n = symbols_unwind_memory(symbols, 1, &at, read_memory, &in, frames, FRAMES);
	if (n > FRAMES)
		abort();
	for (int i = 0; i < n; i++) {
		struct symbol places[SYMBOLS_INLINED];

		(void)symbols_inlined(
			symbols, 1, frames[i].addr, frames[i].is_return, places, SYMBOLS_INLINED);
		(void)symbols_is_library(symbols, 1, frames[i].addr + !frames[i].is_return);
	}
	return 0;
}
