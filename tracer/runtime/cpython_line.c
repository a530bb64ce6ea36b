/* cpython_line.c - from an instruction to its source line. */
/* SPDX-License-Identifier: MIT */
#include "tracer/runtime/cpython.h"

/*
 * A signed number of the location table: six bits a byte, the lowest is the sign
 * (Objects/locations.md of CPython). Lines are counted without a sign, as hostile
 * memory can make them overflow.
 */
static uint32_t read_svarint(const uint8_t *p, const uint8_t *end)
{
	uint64_t value = 0;
	unsigned shift = 0;

	for (; p < end && shift < 60; p++, shift += 6) {
		value |= (uint64_t)(*p & 63) << shift;
		if (!(*p & 64))
			break;
	}
	return (uint32_t)(value & 1 ? 0 - (value >> 1) : value >> 1);
}

/*
 * From 3.11 on: an entry begins with a byte whose highest bit is set, then four
 * bits of kind and three of length; the kind says how the line changes.
 */
static int from_locations(const struct cpython_code *code, uint64_t offset)
{
	enum { KIND_ONE_LINE = 10, KIND_NO_COLUMNS = 13, KIND_LONG = 14, KIND_NONE = 15 };
	const uint8_t *p = code->lines, *end = p + code->n_lines;
	uint64_t at = 0;
	uint32_t line = (uint32_t)code->first_line;

	while (p < end) {
		unsigned kind = *p >> 3 & 15;
		uint64_t len = ((uint64_t)(*p & 7) + 1) * 2;

		p++;
		if (kind == KIND_NO_COLUMNS || kind == KIND_LONG)
			line += read_svarint(p, end);
		else if (kind >= KIND_ONE_LINE && kind < KIND_NO_COLUMNS)
			line += kind - KIND_ONE_LINE;
		if (offset < at + len)
			return kind == KIND_NONE ? 0 : (int)line;
		at += len;
		while (p < end && !(*p & 128))
			p++;
	}
	return 0;
}

/* Up to 3.9: pairs of bytes, how far the instruction and, signed, the line goes on (Objects/lnotab_notes.txt). */
static int from_lnotab(const struct cpython_code *code, uint64_t offset)
{
	uint64_t at = 0;
	uint32_t line = (uint32_t)code->first_line;

	for (size_t i = 0; i + 1 < code->n_lines; i += 2) {
		at += code->lines[i];
		if (at > offset)
			break;
		line += (uint32_t)(int8_t)code->lines[i + 1];
	}
	return (int)line;
}

/* In 3.10: pairs of bytes, how long a range of instructions is, and how far, signed, its line goes on (PEP 626); -128: it has none. */
static int from_ranges(const struct cpython_code *code, uint64_t offset)
{
	uint64_t end = 0;
	uint32_t line = (uint32_t)code->first_line;

	for (size_t i = 0; i + 1 < code->n_lines; i += 2) {
		int8_t step = (int8_t)code->lines[i + 1];

		end += code->lines[i];
		line += step == INT8_MIN ? 0 : (uint32_t)step;
		if (offset < end)
			return step == INT8_MIN ? 0 : (int)line;
	}
	return 0;
}

int cpython_line(const struct cpython_code *code, uint64_t instr)
{
	/* Instructions are counted there, of two bytes each. */
	if (code->has_ranges)
		return from_ranges(code, 2 * instr);
	if (!code->bytes)
		return from_lnotab(code, instr);
	if (instr < code->bytes)
		return code->first_line; /* a frame that has not begun */
	return from_locations(code, instr - code->bytes);
}
