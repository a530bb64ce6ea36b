/* eval.c - the expressions in which unwind tables say where things are. */
/* SPDX-License-Identifier: MIT */
#include "tracer/symbols/eval.h"

#include <dwarf.h>

bool reg_get(const struct regs *r, uint64_t number, uint64_t *ret)
{
	if (number >= ARCH_REGS || !(r->valid & 1ull << number))
		return false;
	*ret = r->v[number];
	return true;
}

void reg_set(struct regs *r, unsigned number, uint64_t value)
{
	r->v[number] = value;
	r->valid |= 1ull << number;
}

static bool push(struct eval *e, uint64_t value)
{
	if (e->depth == EVAL_DEPTH)
		return false;
	e->stack[e->depth++] = value;
	return true;
}

static bool eval_binary(struct eval *e, unsigned atom)
{
	uint64_t a, b;

	if (e->depth < 2)
		return false;
	b = e->stack[--e->depth];
	a = e->stack[--e->depth];
	switch (atom) {
	case DW_OP_plus:
		return push(e, a + b);
	case DW_OP_minus:
		return push(e, a - b);
	case DW_OP_and:
		return push(e, a & b);
	case DW_OP_or:
		return push(e, a | b);
	case DW_OP_mul:
		return push(e, a * b);
	case DW_OP_shl:
		return push(e, b < 64 ? a << b : 0);
	case DW_OP_shr:
		return push(e, b < 64 ? a >> b : 0);
	case DW_OP_ge:
		return push(e, (int64_t)a >= (int64_t)b);
	case DW_OP_gt:
		return push(e, (int64_t)a > (int64_t)b);
	case DW_OP_le:
		return push(e, (int64_t)a <= (int64_t)b);
	case DW_OP_lt:
		return push(e, (int64_t)a < (int64_t)b);
	case DW_OP_eq:
		return push(e, a == b);
	case DW_OP_ne:
		return push(e, a != b);
	default:
		return false;
	}
}

static bool eval_constant(struct eval *e, const Dwarf_Op *op)
{
	switch (op->atom) {
	case DW_OP_addr:
	case DW_OP_const1u:
	case DW_OP_const1s:
	case DW_OP_const2u:
	case DW_OP_const2s:
	case DW_OP_const4u:
	case DW_OP_const4s:
	case DW_OP_const8u:
	case DW_OP_const8s:
	case DW_OP_constu:
	case DW_OP_consts:
		return push(e, op->number);
	default:
		return false;
	}
}

/* One operation of those that unwind tables contain in practice; any other makes the frame unknown. */
static bool eval_op(struct eval *e, const Dwarf_Op *op)
{
	uint64_t value;

	if (op->atom >= DW_OP_breg0 && op->atom <= DW_OP_breg31)
		return reg_get(e->regs, op->atom - DW_OP_breg0, &value) &&
		       push(e, value + op->number);
	if (op->atom >= DW_OP_lit0 && op->atom <= DW_OP_lit31)
		return push(e, op->atom - DW_OP_lit0);
	switch (op->atom) {
	case DW_OP_bregx:
		return reg_get(e->regs, op->number, &value) && push(e, value + op->number2);
	case DW_OP_call_frame_cfa:
		return e->cfa && push(e, *e->cfa);
	case DW_OP_plus_uconst:
		if (e->depth == 0)
			return false;
		e->stack[e->depth - 1] += op->number;
		return true;
	case DW_OP_deref:
		if (e->depth == 0 || !e->read(e->arg, e->stack[e->depth - 1], &value, 8))
			return false;
		e->stack[e->depth - 1] = value;
		return true;
	case DW_OP_dup:
		return e->depth > 0 && push(e, e->stack[e->depth - 1]);
	case DW_OP_drop:
		return e->depth > 0 && e->depth-- > 0;
	case DW_OP_nop:
		return true;
	default:
		return eval_constant(e, op) || eval_binary(e, op->atom);
	}
}

bool eval_ops(struct eval *e, const Dwarf_Op *ops, size_t n, uint64_t *ret)
{
	e->depth = 0;
	for (size_t i = 0; i < n; i++)
		if (!eval_op(e, &ops[i]))
			return false;
	if (e->depth == 0)
		return false;
	*ret = e->stack[e->depth - 1];
	return true;
}
