/* cpython_frame.c - CPython's code objects and frames. */
/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/mem.h"
#include "tracer/runtime/cpython.h"

enum {
	/* frames of a thread that are walked through; the outermost tells whose it is */
	MAX_STACK = 2048,
	MAX_LINES = 64 * 1024 /* bytes of a line table */
};

/* ---- Code ---- */

static void read_lines(struct cpython *c, uint64_t bytes, struct cpython_code *code)
{
	uint64_t n =
		bytes ? memory_pointer(&c->memory, bytes + (uint64_t)c->layout->sized_length) : 0;

	if (!n || n > MAX_LINES)
		return;
	code->lines = xmalloc((size_t)n);
	code->n_lines = (size_t)n;
	if (!memory_read(
		    &c->memory, bytes + (uint64_t)c->layout->bytes_data, code->lines, (size_t)n))
		code->n_lines = 0;
}

static const struct cpython_code *read_code(struct cpython *c, uint64_t addr)
{
	const struct cpython_layout *l = c->layout;
	struct cpython_code *code = hash_get(&c->codes, addr);

	if (code)
		return code;
	if (strcmp(cpython_type(c, addr), "code") != 0)
		return NULL;
	code = xcalloc(1, sizeof *code);
	(void)cpython_string(
		c, cpython_pointer(c, addr, l->code_file), code->file, sizeof code->file);
	(void)cpython_string(
		c, cpython_pointer(c, addr, l->code_name), code->name, sizeof code->name);
	code->first_line = (int)memory_u32(&c->memory, addr + (uint64_t)l->code_first_line);
	code->bytes = l->code_bytes == -1 ? 0 : addr + (uint64_t)l->code_bytes;
	code->is_library = cpython_is_library(code->file);
	code->has_ranges = l->minor == 10;
	read_lines(c, cpython_pointer(c, addr, l->code_lines), code);
	(void)hash_set(&c->codes, addr, code);
	return code;
}

/* ---- Frames ---- */

static uint64_t first_frame(struct cpython *c, uint64_t thread)
{
	const struct cpython_layout *l = c->layout;
	uint64_t frame = cpython_pointer(c, thread, l->thread_frame);

	return l->cframe_frame == -1 ? frame : cpython_pointer(c, frame, l->cframe_frame);
}

/* In 3.12 the interpreter's own frames have code too, of no program (FRAME_OWNED_BY_CSTACK, pycore_frame.h). */
static bool is_entry(const struct cpython_layout *l, const uint64_t *words)
{
	enum { OWNED_BY_CSTACK = 3 };

	return l->minor == 12 && ((const uint8_t *)words)[l->frame_owner] == OWNED_BY_CSTACK;
}

bool cpython_frame_at(
	struct cpython *c, uint64_t addr, struct cpython_frame *ret, uint64_t *ret_back)
{
	const struct cpython_layout *l = c->layout;
	uint64_t words[16] = {0}; /* the members that are wanted lie near the beginning */

	*ret = (struct cpython_frame){.addr = addr};
	if (!memory_read(&c->memory, addr, words, (size_t)l->frame_instr + 16))
		return false;
	ret->code_addr = words[l->frame_code / 8] & ~(uint64_t)3;
	ret->code = ret->code_addr && !is_entry(l, words) ? read_code(c, ret->code_addr) : NULL;
	ret->instr = words[l->frame_instr / 8];
	if (l->code_bytes == -1)
		ret->instr = (uint32_t)ret->instr; /* a number, and something else behind it */
	*ret_back = words[l->frame_back / 8];
	return true;
}

size_t cpython_frames(struct cpython *c, uint64_t thread, struct cpython_frame *ret, size_t max)
{
	size_t n = 0, walked = 0;

	for (uint64_t at = first_frame(c, thread); at && walked < MAX_STACK; walked++) {
		struct cpython_frame f;

		if (!cpython_frame_at(c, at, &f, &at))
			break;
		if (f.code)
			ret[n < max ? n++ : max - 1] = f;
	}
	return n;
}

bool cpython_is_in(const struct cpython_frame *f, const char *end, const char *function)
{
	size_t len = strlen(f->code->file), n = strlen(end);
	const char *name = strrchr(f->code->name, '.');

	return f->code->is_library && len >= n && !strcmp(f->code->file + len - n, end) &&
	       !strcmp(name ? name + 1 : f->code->name, function);
}

struct runtime_frame cpython_shown(const struct cpython_frame *f)
{
	return (struct runtime_frame){.function = f->code->name,
		.file = f->code->file,
		.line = cpython_line(f->code, f->instr),
		.is_library = f->code->is_library};
}
