/* code.c - what a Go function has locked on its way to where it is. */
/* SPDX-License-Identifier: MIT */
/*
 * A sync.Mutex does not say who locked it, nor an RWMutex who reads. The function that did is on some
 * stack: its instructions before the place where it is now lock the mutex, and do not
 * unlock it. They are read one behind the other, as the compiler has put them,
 * with what registers and the function's own frame hold. That is evidence, not
 * proof; whoever uses it says so.
 *
 * sync.(*Mutex).Lock is inlined as lock cmpxchg, Unlock as lock xadd, of the
 * mutex' address in a register; RLock and RUnlock as lock xadd of 1 and -1, of the count of
 * readers. Where they are not inlined the address of the object is in %rax.
 */
#include "tracer/runtime/golang/golang.h"

#include <string.h>

enum { MAX_CODE = 16384, RSP = 4, RAX = 0 };

struct scan {
	struct golang *go;
	const uint8_t *code;
	size_t len;
	uint64_t start, sp, word, tried;
	uint64_t regs[16]; /* 0: not known */
	int locked;
	bool has_tried; /* to lock the one that it waits for: */
	int before;     /* what it had locked then */
};

static void change(struct scan *s, uint64_t word, int by)
{
	if (by > 0 && s->tried && word == s->tried) {
		s->has_tried = true;
		s->before = s->locked;
	}
	if (word && word == s->word)
		s->locked += by;
}

static int32_t number32(const uint8_t *p)
{
	int32_t n;

	memcpy(&n, p, sizeof n);
	return n;
}

/* The operand of an instruction: its register, and its address where there is memory. */
struct operand {
	unsigned reg, base;
	bool is_register, is_rip, is_known;
	int64_t displacement;
	size_t len; /* of modrm and what follows; 0: not understood */
};

static struct operand operand_at(const uint8_t *p, size_t left, uint8_t rex)
{
	struct operand o = {0};
	unsigned mod, rm;

	if (left < 6)
		return o;
	mod = *p >> 6;
	rm = *p & 7;
	o.reg = (*p >> 3 & 7) | (rex & 4 ? 8u : 0);
	o.base = rm | (rex & 1 ? 8u : 0);
	o.len = 1;
	o.is_register = mod == 3;
	if (mod == 3)
		return o;
	if (rm == 4) {
		/* No index. */
		if ((p[1] & 0x38) != 0x20)
			return (struct operand){0};
		o.base = (p[1] & 7) | (rex & 1 ? 8u : 0);
		o.len++;
	}
	if (mod == 0 && rm == 5) {
		o.is_rip = true;
		o.displacement = number32(p + 1);
		o.len += 4;
	} else if (mod == 1) {
		o.displacement = (int8_t)p[o.len];
		o.len++;
	} else if (mod == 2) {
		if (left < o.len + 4)
			return (struct operand){0};
		o.displacement = number32(p + o.len);
		o.len += 4;
	}
	return o;
}

/* The address of a memory operand; 0: not known. next: of the instruction behind. */
static uint64_t address_of(const struct scan *s, const struct operand *o, uint64_t next)
{
	uint64_t base = o->is_rip ? next : o->base == RSP ? s->sp : s->regs[o->base];

	return base ? base + (uint64_t)o->displacement : 0;
}

static bool is_slot(const struct operand *o)
{
	return !o->is_register && !o->is_rip && o->base == RSP;
}

/* lea, mov and add of 64 bits. Returns the instruction's length, 0 if it is none of these. */
static size_t move(struct scan *s, size_t i)
{
	uint8_t rex = s->code[i], op = s->code[i + 1];
	struct operand o = operand_at(s->code + i + 2, s->len - i - 2, rex);
	uint64_t at;

	if (!o.len)
		return 0;
	at = o.is_register ? 0 : address_of(s, &o, s->start + i + 2 + o.len);
	if (op == 0x8d) {
		s->regs[o.reg] = at;
	} else if (op == 0x8b) {
		s->regs[o.reg] = o.is_register ? s->regs[o.base] : golang_u64(s->go, at, 0);
	} else if (op == 0x89 && o.is_register) {
		s->regs[o.base] = s->regs[o.reg];
	} else if (op == 0x89 && is_slot(&o)) {
		/* What it puts into its frame still lies there. */
		if (!s->regs[o.reg])
			s->regs[o.reg] = golang_u64(s->go, at, 0);
	} else if (op == 0x83 && o.is_register && (o.reg & 7) == 0) {
		if (s->regs[o.base])
			s->regs[o.base] += (uint64_t)(int8_t)s->code[i + 2 + o.len];
		return 3 + o.len;
	} else {
		return 0;
	}
	return 2 + o.len;
}

/* lock cmpxchg and lock xadd of 32 bits. */
static size_t atomic(struct scan *s, size_t i)
{
	size_t at = i + 1;
	uint8_t rex = 0, op;
	struct operand o;

	if ((s->code[at] & 0xf0) == 0x40)
		rex = s->code[at++];
	if (s->code[at] != 0x0f)
		return 0;
	op = s->code[at + 1];
	if (op != 0xb1 && op != 0xc1)
		return 0;
	at += 2;
	o = operand_at(s->code + at, s->len - at, rex);
	if (!o.len || o.is_register)
		return 0;
	at += o.len;
	change(s, address_of(s, &o, s->start + at), op == 0xb1 || s->regs[o.reg] == 1 ? 1 : -1);
	if (op == 0xc1)
		s->regs[o.reg] = 0;
	return at - i;
}

static size_t call(struct scan *s, size_t i)
{
	uint64_t to = s->start + i + 5 + (uint64_t)(int64_t)number32(s->code + i + 1);

	for (size_t k = 0; k < GOLANG_CALLS; k++) {
		if (!s->go->calls[k] || to != s->go->calls[k])
			continue;
		if (s->regs[RAX])
			change(s, s->regs[RAX] + golang_calls[k].word, golang_calls[k].change);
		memset(s->regs, 0, sizeof s->regs);
		return 5;
	}
	return 0;
}

/* mov of 1 or -1, by which a count may be changed, into a register of 32 bits. */
static size_t set(struct scan *s, size_t i, unsigned high)
{
	int32_t n = number32(s->code + i + 1);

	if (n != 1 && n != -1)
		return 0;
	s->regs[(s->code[i] & 7) | high] = (uint32_t)n;
	return 5;
}

static void step_all(struct scan *s)
{
	enum { LONGEST = 16 };

	for (size_t i = 0, len; i + LONGEST < s->len; i += len ? len : 1) {
		uint8_t byte = s->code[i];

		len = 0;
		if (byte == 0xf0)
			len = atomic(s, i);
		else if ((byte & 0xf8) == 0x48)
			len = move(s, i);
		else if (byte == 0xe8)
			len = call(s, i);
		else if ((byte & 0xf8) == 0xb8)
			len = set(s, i, 0);
		else if (byte == 0x41 && (s->code[i + 1] & 0xf8) == 0xb8)
			len = set(s, i + 1, 8);
	}
}

int golang_locked(struct golang *go, const struct golang_frame *f, uint64_t word, uint64_t tried)
{
	const struct golang_place *place = golang_place(go, f->pc);
	uint8_t code[MAX_CODE + 16];
	struct scan s = {.go = go,
		.code = code,
		.start = place->start,
		.sp = f->low,
		.word = word,
		.tried = tried};

	if (!place->start || f->pc < place->start || f->pc - place->start > MAX_CODE)
		return 0;
	/* The call that it is in counts, if it is a lock's. */
	s.len = (size_t)(f->pc - place->start);
	if (!memory_cached(&go->memory, place->start, code, s.len))
		return 0;
	memset(code + s.len, 0x90, 16);
	s.len += 16;
	step_all(&s);
	if (!tried)
		return s.locked;
	return s.has_tried ? s.before : 0;
}
