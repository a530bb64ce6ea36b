/* frame_pointer.c - the frame pointer of a function, where its register is not known. */
/* SPDX-License-Identifier: MIT */
/*
 * Code that was built without optimisation finds everything by the frame
 * pointer. How far that lies above the stack pointer is what the function's
 * first instructions say; and where it points, a return address must follow,
 * after a call. That may be one that an earlier call left there, if the function moves its stack pointer later on
 * too: so whoever can tell the register is asked for it. For a function that does not say how much it reserves, the
 * slot must lie below a return address whose call instruction calls this very function, be it through the linker's
 * table; for one that reserves its stack in another way the stack is searched for such a slot.
 */
#include "tracer/symbols/unwind.h"

#include "tracer/symbols/maps.h"

#if defined(__x86_64__)
enum {
	STACK_SEARCH = 8 * 1024, /* how far up a frame pointer is looked for */
	CALL_LENGTH = 5,         /* of a direct call instruction */
	CALL_LONGEST = 7,
	PROLOGUE = 40 /* bytes: the longest of those that are understood has 25 */
};

/* Says whether len bytes that end a piece of code are a call through a register or memory. */
static bool is_indirect_call(const unsigned char *end, size_t len)
{
	const unsigned char *code = end - len;
	unsigned mode = code[1] >> 6, base = code[1] & 7;
	size_t wanted = 2;

	if (code[0] != 0xff || (code[1] >> 3 & 7) != 2)
		return false;
	if (mode == 3)
		return len == wanted;
	wanted += base == 4;                                      /* SIB */
	wanted += mode == 1 ? 1 : mode == 2 || base == 5 ? 4 : 0; /* distance */
	return len == wanted || (mode == 0 && base == 4 && code[2] % 8 == 5 && len == wanted + 4);
}

bool frame_pointer_is_return(struct unwind *u, uint64_t addr)
{
	unsigned char code[CALL_LONGEST];

	if (!maps_is_code(u->maps, addr - 1) ||
		!unwind_read(u, addr - sizeof code, code, sizeof code))
		return false;
	if (code[sizeof code - CALL_LENGTH] == 0xe8)
		return true;
	for (size_t len = 2; len <= sizeof code; len++)
		if (is_indirect_call(code + sizeof code, len))
			return true;
	return false;
}

/* The address in a slot that lies at a distance, of 4 bytes, from the end of an instruction. */
static uint64_t through_slot(struct unwind *u, uint64_t end, const unsigned char *distance)
{
	int32_t n;
	uint64_t target;

	memcpy(&n, distance, sizeof n);
	return unwind_read(u, end + (uint64_t)(int64_t)n, &target, sizeof target) ? target : 0;
}

/* Where the linker's stub for a function of another file jumps to; 0: there is none at addr. */
static uint64_t through_stub(struct unwind *u, uint64_t addr)
{
	unsigned char code[16];
	size_t at = 0;

	if (!unwind_read(u, addr, code, sizeof code))
		return 0;
	at += memcmp(code, "\xf3\x0f\x1e\xfa", 4) == 0 ? 4 : 0; /* endbr64 */
	at += code[at] == 0xf2;
	return code[at] == 0xff && code[at + 1] == 0x25
		       ? through_slot(u, addr + at + 6, code + at + 2)
		       : 0;
}

/* Says whether the instruction before a return address calls target, directly or through the linker's table. */
static bool is_call_of(struct unwind *u, uint64_t ret_addr, uint64_t target)
{
	unsigned char code[1 + CALL_LENGTH];
	uint64_t called;
	int32_t distance;

	if (!maps_is_code(u->maps, ret_addr - 1) ||
		!unwind_read(u, ret_addr - sizeof code, code, sizeof code))
		return false;
	if (code[1] != 0xe8)
		return code[0] == 0xff && code[1] == 0x15 &&
		       through_slot(u, ret_addr, code + 2) == target;
	memcpy(&distance, code + 2, sizeof distance);
	called = ret_addr + (uint64_t)(int64_t)distance;
	return called == target || through_stub(u, called) == target;
}

static bool starts_with(const unsigned char *code, const char *bytes, size_t n)
{
	return memcmp(code, bytes, n) == 0;
}

/*
 * endbr64; push %rbp; mov %rsp,%rbp; push of other registers; sub $N,%rsp.
 * Sets *ret to how far the frame pointer is above the stack pointer afterwards, and whether the last one of these is there:
 * otherwise a compiler may have put something else between them.
 */
static bool read_prologue(const unsigned char *code, uint64_t *ret, bool *ret_whole)
{
	uint32_t size = 0;
	uint64_t n = 0;

	code += starts_with(code, "\xf3\x0f\x1e\xfa", 4) ? 4 : 0;
	if (!starts_with(code, "\x55\x48\x89\xe5", 4) && !starts_with(code, "\x55\x48\x8b\xec", 4))
		return false;
	code += 4;
	for (;; n += 8) {
		if (code[0] == 0x53)
			code += 1;
		else if (code[0] == 0x41 && code[1] >= 0x54 && code[1] <= 0x57)
			code += 2;
		else
			break;
		if (n == 5 * 8)
			return false;
	}
	if (starts_with(code, "\x48\x83\xec", 3) && code[3] < 0x80)
		size = code[3];
	else if (starts_with(code, "\x48\x81\xec", 3))
		memcpy(&size, code + 3, sizeof size);
	if (size > INT32_MAX)
		return false;
	*ret_whole = size > 0;
	*ret = n + size;
	return true;
}

/* Says whether the words where a function's first instructions put its frame pointer are a caller's and a place in its code. */
static bool find_by_prologue(struct unwind *u, uint64_t sp, uint64_t function, uint64_t *ret)
{
	unsigned char code[PROLOGUE];
	uint64_t pair[2], above;
	bool is_whole, is_proven;

	if (!unwind_read(u, function, code, sizeof code) || !read_prologue(code, &above, &is_whole))
		return false;
	*ret = sp + above;
	if (*ret % 8 || !unwind_read(u, *ret, pair, sizeof pair))
		return false;
	is_proven = is_call_of(u, pair[1], function);
	u->lacks |= !is_proven;
	return is_proven || (is_whole && frame_pointer_is_return(u, pair[1]));
}

bool frame_pointer_find(struct unwind *u, uint64_t sp, uint64_t function, uint64_t *ret)
{
	uint64_t pair[2];

	if (find_by_prologue(u, sp, function, ret))
		return true;
	for (uint64_t at = sp & ~7ull; at < sp + STACK_SEARCH; at += 8) {
		if (!unwind_read(u, at, pair, sizeof pair))
			return false;
		if (is_call_of(u, pair[1], function)) {
			*ret = at;
			return true;
		}
	}
	return false;
}
#else
/* A frame pointer says nothing of the stack pointer here, and rules are rarely made of it: without registers the walk ends. */
bool frame_pointer_is_return(struct unwind *u, uint64_t addr)
{
	(void)u;
	(void)addr;
	return false;
}

bool frame_pointer_find(struct unwind *u, uint64_t sp, uint64_t function, uint64_t *ret)
{
	(void)u;
	(void)sp;
	(void)function;
	(void)ret;
	return false;
}
#endif
