/* frame.c - the stacks of Ruby's threads, and the lines of their code. */
/* SPDX-License-Identifier: MIT */
/*
 * vm_core.h: a thread's control frames lie at the end of its stack, the innermost lowest. One of Ruby code has an
 * instruction sequence, whose program counter the line is found by; one of a C function has none.
 *
 * iseq.c: the places where lines begin are kept as a set of bits that answers how many are below a given one: six words of
 * nine numbers of seven bits for the first 54 instructions, then a block for each 512 (Jacobson's rank, "succinct").
 */
#include "tracer/runtime/ruby/ruby.h"

#include <string.h>

enum {
	MAX_CONTROL_FRAMES = 20000,
	IMMEDIATE = 54,
	PER_WORD = 9,
	BLOCK = 512,
	MAX_INSTRUCTIONS = 1 << 24
};

/* struct succ_dict_block */
struct block {
	uint32_t rank;
	uint64_t small_ranks;
	uint64_t bits[BLOCK / 64];
};

/* How many lines begin at or before instruction x. */
static uint64_t rank_of(struct ruby *r, uint64_t index, uint64_t x)
{
	struct block block;
	uint64_t bit, small, rank;

	if (x < IMMEDIATE)
		return ruby_pointer(r, index, (int64_t)(x / PER_WORD * 8)) >> (x % PER_WORD * 7) &
		       0x7f;
	x -= IMMEDIATE;
	if (!memory_cached(&r->memory, index + IMMEDIATE / PER_WORD * 8 + x / BLOCK * sizeof block,
		    &block, sizeof block))
		return 0;
	bit = x % BLOCK;
	small = bit / 64;
	rank = small ? block.small_ranks >> ((small - 1) * 9) & 0x1ff : 0;
	return block.rank + rank +
	       (uint64_t)__builtin_popcountll(block.bits[small] << (63 - bit % 64));
}

static int line_of(struct ruby *r, uint64_t body, uint64_t pc)
{
	const struct ruby_layout *l = r->layout;
	uint64_t encoded = ruby_pointer(r, body, l->body_encoded);
	uint64_t lines = ruby_pointer(r, body, l->body_lines);
	uint32_t n = memory_u32(&r->memory, body + (uint64_t)l->body_n_lines), line = 0;
	uint64_t x = pc >= encoded ? (pc - encoded) / 8 : 0, i;

	if (!encoded || !lines || !n || pc < encoded || x > MAX_INSTRUCTIONS)
		return 0;
	/* The counter is at the next one. */
	x -= x > 0;
	i = n == 1 ? 1 : rank_of(r, ruby_pointer(r, body, l->body_index), x);
	if (!i || i > n)
		return 0;
	line = memory_u32(&r->memory, lines + (i - 1) * (uint64_t)l->line_size);
	return line < INT32_MAX ? (int)line : 0;
}

/* Fills a frame; false if the sequence is none. */
static bool read_frame(struct ruby *r, uint64_t iseq, uint64_t pc, struct ruby_frame *ret)
{
	const struct ruby_layout *l = r->layout;
	uint64_t body = ruby_pointer(r, iseq, l->iseq_body);

	if (!body ||
		!ruby_path(r, ruby_pointer(r, body, l->body_path), ret->file, sizeof ret->file) ||
		!ruby_string(
			r, ruby_pointer(r, body, l->body_label), ret->label, sizeof ret->label))
		return false;
	ret->line = line_of(r, body, pc);
	return true;
}

/* Adds a frame. Returns true if it is none of the interpreter's own, whose C functions from 3.3 on are called by some Ruby code. */
static bool take_frame(struct ruby *r, struct ruby_thread *t, uint64_t iseq, uint64_t pc)
{
	struct ruby_frame *f = &t->frames[t->n_frames];

	if (!read_frame(r, iseq, pc, f))
		return false;
	t->n_frames++;
	return strncmp(f->file, "<internal:", 10) != 0;
}

void ruby_frames(struct ruby *r, struct ruby_thread *t)
{
	const struct ruby_layout *l = r->layout;
	uint64_t stack = ruby_pointer(r, t->ec, l->ec_stack);
	uint64_t size = ruby_pointer(r, t->ec, l->ec_stack_size) * 8;
	uint64_t at = ruby_pointer(r, t->ec, l->ec_cfp);
	bool is_own =
		false; /* a frame of the program, below which nothing is of the interpreter's own */

	for (unsigned i = 0; i < MAX_CONTROL_FRAMES && t->n_frames < RUBY_FRAMES; i++) {
		uint64_t iseq, pc;

		if (at < stack || at - stack >= size || at % 8)
			return;
		iseq = ruby_pointer(r, at, l->cfp_iseq);
		pc = ruby_pointer(r, at, l->cfp_pc);
		is_own |= iseq && pc && take_frame(r, t, iseq, pc);
		if (!is_own && t->n_selves < RUBY_CFUNCS)
			t->selves[t->n_selves++] = ruby_pointer(r, at, l->cfp_self);
		at += (uint64_t)l->cfp_size;
	}
}
