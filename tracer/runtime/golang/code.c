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

enum {
	MAX_CODE = 16384,
	RSP = 4,
	RAX = 0,
	RDX = 2,
	MAX_SLOTS = 16,
	MAX_UNKNOWN = 512,
	MAX_CHANGES = 256,
	TEST = 16
};

/* What a register holds: a number, 0: not known; or so much more than what is not known yet. */
struct value {
	uint64_t number;
	unsigned unknown; /* which of those; 0: none */
};

/* What was not known when a register got it, until the frame has it. */
struct unknown {
	uint64_t is; /* 0: still not known */
	bool is_two; /* two places contradict each other */
};

struct scan {
	struct golang *go;
	const uint8_t *code;
	size_t len, body; /* body: without the bytes that were put behind the code */
	size_t now; /* where it is: what is stored behind that, in slots of the frame, does not lie there yet */
	size_t tested; /* up to where a jump may depend on what a lock's instruction has found */
	uint64_t start, sp;
	unsigned n_slots, n_unknown;
	size_t n_changes;
	struct value regs[16];
	/* So many of these as are counted above are there; of the unknown also the first, which stands for none. */
	struct {
		uint64_t at;
		struct value value;
	} slots[MAX_SLOTS];
	struct unknown unknown[MAX_UNKNOWN];
	struct {
		struct value word;
		int by;
		size_t at;
	} changes[MAX_CHANGES]; /* of locks, in the order of the code */
};

static void change(struct scan *s, size_t at, struct value word, int by)
{
	if ((!word.number && !word.unknown) || s->n_changes == MAX_CHANGES)
		return;
	s->changes[s->n_changes].word = word;
	s->changes[s->n_changes].at = at;
	s->changes[s->n_changes++].by = by;
}

static uint64_t known(const struct scan *s, struct value v)
{
	const struct unknown *u = &s->unknown[v.unknown];

	return !v.unknown ? v.number : u->is && !u->is_two ? u->is + v.number : 0;
}

static struct value number(uint64_t n)
{
	return (struct value){n, 0};
}

static struct value something(struct scan *s)
{
	if (s->n_unknown + 1 == MAX_UNKNOWN)
		return number(0);
	s->unknown[++s->n_unknown] = (struct unknown){0};
	return (struct value){0, s->n_unknown};
}

/* The number, or something that is not known if that is 0. */
static struct value some(struct scan *s, uint64_t n)
{
	return n ? number(n) : something(s);
}

/* A call leaves nothing in the registers. */
static void forget(struct scan *s)
{
	for (unsigned r = 0; r < 16; r++)
		s->regs[r] = something(s);
}

/* What was put into the frame still lies there. */
static void stored(struct scan *s, unsigned reg, uint64_t at)
{
	struct value v = s->regs[reg];
	struct unknown *u = &s->unknown[v.unknown];
	uint64_t word = golang_u64(s->go, at, 0);

	if (!v.unknown && !v.number)
		s->regs[reg] = number(word);
	if (!v.unknown || !word)
		return;
	u->is_two |= u->is && u->is != word - v.number;
	u->is = word - v.number;
}

/* What will be put into the frame. */
static void will_store(struct scan *s, unsigned reg, uint64_t at)
{
	unsigned i = 0;

	while (i < s->n_slots && s->slots[i].at != at)
		i++;
	if (i == MAX_SLOTS)
		return;
	s->n_slots += i == s->n_slots;
	s->slots[i].at = at;
	s->slots[i].value = s->regs[reg];
}

/* What will lie at an address when it is read. */
static struct value loaded(struct scan *s, struct value at)
{
	for (unsigned i = 0; at.number && !at.unknown && i < s->n_slots; i++)
		if (s->slots[i].at == at.number)
			return s->slots[i].value;
	return some(s, golang_u64(s->go, known(s, at), 0));
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

/* The address of a memory operand. next: of the instruction behind. */
static struct value address_of(const struct scan *s, const struct operand *o, uint64_t next)
{
	struct value at = o->is_rip        ? number(next)
			  : o->base == RSP ? number(s->sp)
					   : s->regs[o->base];

	if (at.number || at.unknown)
		at.number += (uint64_t)o->displacement;
	return at;
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
	struct value at;

	if (!o.len)
		return 0;
	at = o.is_register ? number(0) : address_of(s, &o, s->start + i + 2 + o.len);
	if (op == 0x8d) {
		s->regs[o.reg] = at;
	} else if (op == 0x8b) {
		s->regs[o.reg] = o.is_register ? s->regs[o.base] : loaded(s, at);
	} else if (op == 0x89 && o.is_register) {
		s->regs[o.base] = s->regs[o.reg];
	} else if (op == 0x89 && is_slot(&o)) {
		(i < s->now ? stored : will_store)(s, o.reg, at.number);
	} else if (op == 0x83 && o.is_register && (o.reg & 7) == 0) {
		if (s->regs[o.base].number || s->regs[o.base].unknown)
			s->regs[o.base].number += (uint64_t)(int8_t)s->code[i + 2 + o.len];
		return 3 + o.len;
	} else {
		return 0;
	}
	return 2 + o.len;
}

/* Says whether lock cmpxchg or lock xadd of 32 bits begins here: 0xf0 alone may be a part of an address. */
static bool is_atomic(const uint8_t *code)
{
	const uint8_t *op = (code[1] & 0xf0) == 0x40 ? code + 2 : code + 1;

	return code[0] == 0xf0 && op[0] == 0x0f && (op[1] == 0xb1 || op[1] == 0xc1);
}

/*
 * Behind a lock's instruction a jump at i may lead past the slow way, where a function is called. Unless that is where it is now
 * the slow way has not been gone: what it puts into the frame does not lie there. Returns how far the jump leads, 0: not past that.
 */
static size_t slow_way(const struct scan *s, size_t i)
{
	enum { LONGEST = 64 };
	size_t len = 2u + s->code[i + 1], to = i + len;
	bool calls = false;

	if (len > LONGEST || to >= s->body)
		return 0;
	for (size_t k = i + 2; k < to; k++) {
		if (is_atomic(s->code + k))
			return 0;
		calls |= s->code[k] == 0xe8;
	}
	return calls ? len : 0;
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
	change(s, i, address_of(s, &o, s->start + at),
		op == 0xb1 || known(s, s->regs[o.reg]) == 1 ? 1 : -1);
	if (op == 0xc1)
		s->regs[o.reg] = something(s);
	s->tested = at + TEST;
	return at - i;
}

static size_t call(struct scan *s, size_t i)
{
	uint64_t to = s->start + i + 5 + (uint64_t)(int64_t)number32(s->code + i + 1);

	for (size_t k = 0; k < GOLANG_CALLS; k++) {
		struct value word = s->regs[RAX];

		if (!s->go->calls[k] || to != s->go->calls[k])
			continue;
		if (word.number || word.unknown) {
			word.number += golang_calls[k].word;
			change(s, i, word, golang_calls[k].change);
		}
		forget(s);
		return 5;
	}
	if (golang_is_function(s->go, to))
		forget(s);
	return 0;
}

/* mov of 1 or -1, by which a count may be changed, into a register of 32 bits. */
static size_t set(struct scan *s, size_t i, unsigned high)
{
	int32_t n = number32(s->code + i + 1);

	s->regs[(s->code[i] & 7) | high] = n == 1 || n == -1 ? number((uint32_t)n) : something(s);
	return n == 1 || n == -1 ? 5 : 0;
}

/* xor of a register with itself. */
static void clear(struct scan *s, size_t i)
{
	uint8_t rex = s->code[i] & 0x40 ? s->code[i] : 0, operands = s->code[i + (rex ? 2 : 1)];

	if (operands >> 6 == 3 && (operands & 7) == (operands >> 3 & 7) &&
		(rex >> 2 & 1) == (rex & 1))
		s->regs[(operands & 7) | (rex & 1 ? 8u : 0)] = something(s);
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
		else if ((byte & 0xf0) == 0x70 && i < s->tested)
			len = slow_way(s, i);
		else if (byte == 0xe8)
			len = call(s, i);
		else if ((byte & 0xf8) == 0xb8)
			len = set(s, i, 0);
		else if (byte == 0x41 && (s->code[i + 1] & 0xf8) == 0xb8)
			len = set(s, i + 1, 8);
		else if (byte == 0x31 || ((byte & 0xf0) == 0x40 && s->code[i + 1] == 0x31))
			clear(s, i);
	}
}

/* Reads so many bytes of the function's code, and goes through them; false: they cannot be read. */
static bool walk(struct scan *s, uint8_t code[MAX_CODE + 16], size_t len)
{
	s->code = code;
	s->body = len;
	if (!memory_cached(&s->go->memory, s->start, code, len))
		return false;
	memset(code + len, 0x90, 16);
	s->len = len + 16;
	step_all(s);
	return true;
}

/* Of a function that begins at an address, of which nothing is known. */
static void begin(struct scan *s, struct golang *go, uint64_t start)
{
	/* The lists are larger than what most functions need. */
	memset(s, 0, offsetof(struct scan, slots));
	s->unknown[0] = (struct unknown){0};
	s->go = go;
	s->start = start;
	forget(s);
}

/* Of the function of a frame; false: where it begins is not known, or is too far from where it is now. */
static bool begin_frame(struct scan *s, struct golang *go, const struct golang_frame *f)
{
	begin(s, go, golang_place(go, f->pc)->start);
	s->sp = f->low;
	s->now = (size_t)(f->pc - s->start);
	return s->start && f->pc >= s->start && s->now <= MAX_CODE;
}

/* How many of the changes stand before the last attempt to lock this word; without one none of them do. */
static size_t before(const struct scan *s, uint64_t tried)
{
	size_t i = s->n_changes;

	while (i && !(s->changes[i - 1].by > 0 && known(s, s->changes[i - 1].word) == tried))
		i--;
	return i ? i - 1 : 0;
}

static void tell(const struct scan *s, size_t i, golang_change *each, void *arg)
{
	uint64_t word = known(s, s->changes[i].word);

	if (word)
		each(arg, word, s->changes[i].by);
}

void golang_changes(struct golang *go, const struct golang_frame *f, uint64_t tried,
	golang_change *each, void *arg)
{
	uint8_t code[MAX_CODE + 16];
	struct scan s;
	size_t n;

	/* The call that it is in counts, if it is a lock's. */
	if (!begin_frame(&s, go, f) || !walk(&s, code, s.now))
		return;
	n = tried ? before(&s, tried) : s.n_changes;
	for (size_t i = 0; i < n; i++)
		tell(&s, i, each, arg);
}

/* Tells what is done behind where it is now. */
static void tell_next(struct scan *s, golang_change *each, void *arg)
{
	uint64_t end = golang_function_end(s->go, s->start);
	uint8_t code[MAX_CODE + 16];

	if (end <= s->start + s->now || end - s->start > MAX_CODE ||
		!walk(s, code, (size_t)(end - s->start)))
		return;
	for (size_t i = 0; i < s->n_changes; i++)
		if (s->changes[i].at >= s->now)
			tell(s, i, each, arg);
}

void golang_next_changes(
	struct golang *go, const struct golang_frame *f, golang_change *each, void *arg)
{
	struct scan s;

	if (begin_frame(&s, go, f))
		tell_next(&s, each, arg);
}

void golang_function_changes(
	struct golang *go, uint64_t function, uint64_t closure, golang_change *each, void *arg)
{
	struct scan s;

	begin(&s, go, function);
	/* By this register a function finds its own variables. */
	s.regs[RDX] = number(closure);
	tell_next(&s, each, arg);
}

/* ---- Which functions need not be gone through ---- */

/* Whether some instruction changes a lock, wherever one may begin. */
static bool has_change(const struct golang *go, uint64_t start, const uint8_t *code, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		uint64_t to = start + i + 5 + (uint64_t)(int64_t)number32(code + i + 1);

		if (is_atomic(code + i))
			return true;
		for (size_t k = 0; code[i] == 0xe8 && k < GOLANG_CALLS; k++)
			if (go->calls[k] && to == go->calls[k])
				return true;
	}
	return false;
}

bool golang_may_change(struct golang *go, uint64_t start)
{
	const void *known = hash_get(&go->changing, start);
	uint8_t code[MAX_CODE + 16];
	uint64_t end;
	size_t len;

	if (known)
		return known == go;
	end = golang_function_end(go, start);
	if (end <= start || end - start > MAX_CODE)
		return true;
	len = (size_t)(end - start);
	if (!memory_cached(&go->memory, start, code, len))
		return true;
	memset(code + len, 0x90, 16);
	known = has_change(go, start, code, len) ? (void *)go : &go->changing;
	if (++go->n_places <= GOLANG_PLACES)
		(void)hash_set(&go->changing, start, (void *)(uintptr_t)known);
	return known == go;
}
