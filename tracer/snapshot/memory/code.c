/* code.c - what the instructions around a call say about it. */
/* SPDX-License-Identifier: MIT */
#include "tracer/snapshot/memory/memory.h"

#include "base/mem.h"

#if defined(__x86_64__)
uint64_t code_first_argument(const struct snap_process *p, uint64_t site)
{
	/* lea X(%rip),%rdi; call, direct or through a table; the same by way of %rax; mov $X,%edi. */
	static const struct {
		unsigned char lead[3];
		uint8_t n_lead,
			behind; /* bytes of the opcode, and from the end of the operand to the site */
	} forms[] = {{{0x48, 0x8d, 0x3d}, 3, 5}, {{0x48, 0x8d, 0x3d}, 3, 6},
		{{0x48, 0x8d, 0x05}, 3, 8}, {{0xbf}, 1, 5}};
	unsigned char code[16];

	if (!proc_memory(p, site - sizeof code, code, sizeof code))
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		size_t at = sizeof code - forms[i].behind - sizeof(int32_t) - forms[i].n_lead;
		int32_t operand;

		if (memcmp(code + at, forms[i].lead, forms[i].n_lead) != 0)
			continue;
		memcpy(&operand, code + at + forms[i].n_lead, sizeof operand);
		return (forms[i].n_lead == 3 ? site - forms[i].behind : 0) +
		       (uint64_t)(int64_t)operand;
	}
	return 0;
}

/* The address in a slot that an instruction of 6 bytes at addr names: ff 15 or ff 25, and its distance. */
static uint64_t through_table(
	const struct snap_process *p, uint64_t addr, const unsigned char *code)
{
	int32_t distance;
	uint64_t target;

	memcpy(&distance, code + 2, sizeof distance);
	return proc_memory(p, addr + 6 + (uint64_t)(int64_t)distance, &target, sizeof target)
		       ? target
		       : 0;
}

uint64_t code_callee(const struct snap_process *p, uint64_t site)
{
	static const unsigned char endbr64[4] = {0xf3, 0x0f, 0x1e, 0xfa};
	unsigned char code[6], stub[16];
	uint64_t target;
	int32_t distance;
	size_t at = 0;

	if (!proc_memory(p, site - sizeof code, code, sizeof code))
		return 0;
	if (code[1] != 0xe8)
		return code[0] == 0xff && code[1] == 0x15
			       ? through_table(p, site - sizeof code, code)
			       : 0;
	memcpy(&distance, code + 2, sizeof distance);
	target = site + (uint64_t)(int64_t)distance;
	if (!proc_memory(p, target, stub, sizeof stub))
		return target;
	/* The linker's stub for a function of a library: a jump through a table. */
	at += memcmp(stub, endbr64, sizeof endbr64) == 0 ? sizeof endbr64 : 0;
	at += stub[at] == 0xf2;
	if (stub[at] == 0xff && stub[at + 1] == 0x25)
		return through_table(p, target + at, stub + at);
	return target;
}
#elif defined(__aarch64__)
/* Each instruction has 4 bytes. */
static bool instruction(const struct snap_process *p, uint64_t addr, uint32_t *ret)
{
	return proc_memory(p, addr, ret, sizeof *ret);
}

/* adrp Xn, page */
static bool is_adrp(uint32_t code, unsigned n)
{
	return (code & 0x9f00001f) == (0x90000000 | n);
}

/* The page that an adrp at addr names. */
static uint64_t page_of(uint32_t code, uint64_t addr)
{
	int64_t pages =
		(int64_t)((uint64_t)((code >> 5 & 0x7ffff) << 2 | (code >> 29 & 3)) << 43) >> 43;

	return (addr & ~0xfffull) + ((uint64_t)pages << 12);
}

uint64_t code_first_argument(const struct snap_process *p, uint64_t site)
{
	uint32_t page, offset;

	/* adrp x0, page; add x0, x0, #offset; bl */
	if (!instruction(p, site - 12, &page) || !instruction(p, site - 8, &offset) ||
		!is_adrp(page, 0) || (offset & 0xffc003ff) != 0x91000000)
		return 0;
	return page_of(page, site - 12) + (offset >> 10 & 0xfff);
}

uint64_t code_callee(const struct snap_process *p, uint64_t site)
{
	uint32_t call, page, load;
	uint64_t target, slot;

	if (!instruction(p, site - 4, &call) || call >> 26 != 0x25)
		return 0;
	target = site - 4 + (uint64_t)((int64_t)((uint64_t)call << 38) >> 36);
	if (!instruction(p, target, &page))
		return target;
	slot = target;
	if (page == 0xd503245f) { /* bti c */
		slot += 4;
		if (!instruction(p, slot, &page))
			return target;
	}
	/* The linker's stub for a function of a library: adrp x16, page; ldr x17, [x16, #offset]. */
	if (!is_adrp(page, 16) || !instruction(p, slot + 4, &load) ||
		(load & 0xffc003ff) != 0xf9400211)
		return target;
	slot = page_of(page, slot) + (load >> 10 & 0xfff) * 8;
	return proc_memory(p, slot, &target, sizeof target) ? target : 0;
}
#endif
