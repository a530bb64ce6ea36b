/* frame.c - the Java frames on a thread's stack. */
/* SPDX-License-Identifier: MIT */
/*
 * A thread that is not running Java code has left where its last Java frame is
 * (JavaFrameAnchor). An interpreted frame says itself where the next one is; of
 * compiled code the size of its frame is known. Where Java was called from
 * native code (the call stub), the anchor of the frames before lies in the
 * stub's frame. A frame that does not lie further up the stack ends the walk.
 */
#include "tracer/runtime/hotspot/hotspot.h"

#include "base/mem.h"

enum {
	MAX_STEPS = 4096,
	/* Words from the frame pointer (src/hotspot/cpu/x86/frame_x86.hpp, the same from 9 on). */
	SENDER_SP = -1,
	METHOD = -3,
	LOCALS = -7,
	BCP = -8,
	CALL_WRAPPER = -6
};

/* Where the walk is. unextended: the stack pointer without what the called method put below it. */
struct cursor {
	uint64_t sp, fp, pc, unextended;
};

static bool on_stack(const struct hotspot_thread *t, uint64_t addr)
{
	return addr >= t->stack_low && addr < t->stack_high && !(addr & 7);
}

static uint64_t word(struct hotspot *h, const struct hotspot_thread *t, uint64_t addr, int words)
{
	uint64_t at = addr + (uint64_t)(int64_t)words * 8;

	return on_stack(t, at) ? hotspot_u64(h, at, 0) : 0;
}

/* Sets the cursor to where an anchor says that Java was left; false: it was not. */
static bool set_anchor(
	struct hotspot *h, const struct hotspot_thread *t, uint64_t anchor, struct cursor *c)
{
	const struct hotspot_vm *vm = &h->vm;

	c->sp = c->unextended = hotspot_u64(h, anchor, vm->anchor_sp);
	c->fp = hotspot_u64(h, anchor, vm->anchor_fp);
	c->pc = hotspot_u64(h, anchor, vm->anchor_pc);
	if (!c->pc)
		c->pc = word(h, t, c->sp, -1);
	return on_stack(t, c->sp) && c->pc;
}

/* The address of local variable 0: from 21 on in words from the frame pointer. */
static uint64_t locals_of(struct hotspot *h, const struct hotspot_thread *t, uint64_t fp)
{
	uint64_t at = word(h, t, fp, LOCALS);

	if (!on_stack(t, at))
		at = fp + 8 * at;
	return on_stack(t, at) ? at : 0;
}

static bool interpreted(struct hotspot *h, const struct hotspot_thread *t, struct cursor *c,
	struct hotspot_frame *ret)
{
	uint64_t bcp = word(h, t, c->fp, BCP), fp = c->fp;
	const struct hotspot_method *m;

	if (!on_stack(t, fp) || fp < c->sp)
		return false;
	m = hotspot_method(h, word(h, t, fp, METHOD));
	if (!m || (!m->is_native && bcp - m->code >= m->code_size))
		return false;
	*ret = (struct hotspot_frame){.method = m,
		.bci = m->is_native ? -1 : (int)(bcp - m->code),
		.locals = locals_of(h, t, fp)};
	c->sp = fp + 16;
	c->unextended = word(h, t, fp, SENDER_SP);
	c->fp = word(h, t, fp, 0);
	c->pc = word(h, t, fp, 1);
	return true;
}

static bool compiled(struct hotspot *h, const struct hotspot_thread *t, struct cursor *c,
	struct hotspot_frame *ret, size_t max, size_t *n)
{
	uint64_t size = hotspot_code(h, c->pc, ret, max, n), sender = c->unextended + size;

	if (!size || !on_stack(t, sender))
		return false;
	c->pc = word(h, t, sender, -1);
	c->fp = word(h, t, sender, -2);
	c->sp = c->unextended = sender;
	return true;
}

/*
 * An interpreter goes on to the next instruction before it asks for a monitor: as it stands in the frame, a thread that waits for
 * one would be at the first line of what it is to do then.
 */
static void step_back(struct hotspot *h, const struct hotspot_thread *t, struct hotspot_frame *f)
{
	enum { MONITORENTER = 0xc2 };
	uint8_t code = 0;

	if (f->method && f->bci > 0 && hotspot_u64(h, t->addr, h->vm.thread_pending) &&
		memory_cached(
			&h->memory, f->method->code + (uint64_t)f->bci - 1, &code, sizeof code) &&
		code == MONITORENTER)
		f->bci--;
}

size_t hotspot_frames(
	struct hotspot *h, const struct hotspot_thread *t, struct hotspot_frame *ret, size_t max)
{
	struct cursor c;
	size_t n = 0;

	if (h->vm.thread_anchor == HOTSPOT_NONE ||
		!set_anchor(h, t, t->addr + h->vm.thread_anchor, &c))
		return 0;
	for (unsigned i = 0; i < MAX_STEPS && n < max; i++) {
		uint64_t before = c.sp;
		bool more;

		if (c.pc == h->call_stub)
			more = set_anchor(
				h, t, word(h, t, c.fp, CALL_WRAPPER) + h->vm.wrapper_anchor, &c);
		else if (c.pc >= h->interpreter && c.pc < h->interpreter_end) {
			more = interpreted(h, t, &c, &ret[n]);
			if (more && !n)
				step_back(h, t, ret);
			n += more;
		} else
			more = compiled(h, t, &c, ret + n, max - n, &n);
		if (!more || c.sp <= before)
			break;
	}
	return n;
}
