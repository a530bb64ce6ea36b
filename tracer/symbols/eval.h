/* eval.h - the expressions in which unwind tables say where things are. */
/* SPDX-License-Identifier: MIT */
#ifndef TRACER_SYMBOLS_EVAL_H
#define TRACER_SYMBOLS_EVAL_H

#include <elfutils/libdw.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arch.h"

enum { EVAL_DEPTH = 16 };

/* The registers of a frame, as far as they are known. */
struct regs {
	uint64_t v[ARCH_REGS]; /* by DWARF's numbers */
	uint64_t valid;        /* bit n: register n is known */
};

/* Sets *ret to a register, if it is known. */
bool reg_get(const struct regs *r, uint64_t number, uint64_t *ret);
void reg_set(struct regs *r, unsigned number, uint64_t value);

/* What an expression may ask for. */
struct eval {
	bool (*read)(void *arg, uint64_t addr, void *to, size_t len); /* the thread's memory */
	void *arg;
	const struct regs *regs;
	const uint64_t *cfa; /* the frame's address; NULL while that is being computed */
	uint64_t stack[EVAL_DEPTH];
	unsigned depth;
};

/* Evaluates n operations; false if one of them is not known or asks for what is not known. */
bool eval_ops(struct eval *e, const Dwarf_Op *ops, size_t n, uint64_t *ret);

#endif
