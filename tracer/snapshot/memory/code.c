/* code.c - what the instructions around a call say about it. */
/* SPDX-License-Identifier: MIT */
#include "tracer/snapshot/memory/memory.h"

#include "base/mem.h"

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
