/* sample.bpf.c - where running threads are, by the cpu clock. */
/* SPDX-License-Identifier: (MIT OR GPL-2.0-only) */
#include "probes/ebpf/probe.h"

/* In assembly, because the context may only be read at a fixed distance from its begin and clang likes to add first. */
#define CTX_WORD(ctx, offset)                                                                      \
	({                                                                                         \
		u64 word_;                                                                         \
		asm volatile("%0 = *(u64 *)(%1 + %2)" : "=r"(word_) : "r"(ctx), "i"(offset));      \
		word_;                                                                             \
	})

enum { STACK_WORDS = 32, STACK_PARTS = 3 };

/* One step of a hash of 64-bit words. */
static __always_inline u64 mix(u64 hash, u64 word)
{
	return (hash ^ word) * 0x9e3779b97f4a7c15ull;
}

/* The innermost frames: a loop's counter may be kept there while a function runs that it calls. */
static __always_inline u64 stack_state(u64 hash, u64 sp)
{
	u64 words[STACK_WORDS];

	for (int part = 0; part < STACK_PARTS; part++) {
		if (bpf_probe_read_user(words, sizeof words, (void *)sp))
			break;
		for (int i = 0; i < STACK_WORDS; i++)
			hash = mix(hash ^ hash >> 29, words[i]);
		sp += sizeof words;
	}
	return hash;
}

/* The registers of user code that was interrupted, and its stack. */
#define MIX_WORD(n) hash = mix(hash ^ hash >> 29, CTX_WORD(ctx, (n)*8))
static __always_inline u64 user_state(void *ctx)
{
	u64 hash = mix(1, CTX_WORD(ctx, SAMPLE_IP));

	MIX_WORD(0);
	MIX_WORD(1);
	MIX_WORD(2);
	MIX_WORD(3);
	MIX_WORD(4);
	MIX_WORD(5);
	MIX_WORD(6);
	MIX_WORD(7);
	MIX_WORD(8);
	MIX_WORD(9);
	MIX_WORD(10);
	MIX_WORD(11);
	MIX_WORD(12);
	MIX_WORD(13);
	MIX_WORD(14);
#if SAMPLE_WORDS > 15
	MIX_WORD(15);
	MIX_WORD(19);
	MIX_WORD(20);
	MIX_WORD(21);
	MIX_WORD(22);
	MIX_WORD(29);
#endif
	return stack_state(hash, CTX_WORD(ctx, SAMPLE_SP)) | 1;
}

/* The same of a thread in sched_yield, whose registers are those of its call. */
static __always_inline u64 yield_state(struct pt_regs *regs)
{
	u64 hash = mix(2, REG_IP(regs));

	hash = mix(hash ^ hash >> 29, REG_ARG0(regs));
	hash = mix(hash ^ hash >> 29, REG_ARG1(regs));
	hash = mix(hash ^ hash >> 29, REG_ARG2(regs));
	return stack_state(hash, REG_SP(regs)) | 1;
}

/* In the clock's interrupt; a thread inside a system call is where it made the call. */
SEC("perf_event")
int on_sample(void *ctx)
{
	struct task_struct *task = task_current();
	struct slot *slot = slot_get(task);
	u64 ip = 0, where = SAMPLE_CALL, state = 0;
	struct rec_SAMPLE *rec;
	struct pt_regs *regs;

	if (!slot || (slot->flags & SLOT_FRESH))
		return 0;
	if (SAMPLE_IS_USER(CTX_WORD(ctx, SAMPLE_IP + 8))) {
		ip = CTX_WORD(ctx, SAMPLE_IP);
		where = SAMPLE_USER;
		state = user_state(ctx);
	} else {
		regs = task_regs(task);
		ip = REG_IP(regs);
		if (REG_NUMBER(regs) == NR_YIELD) {
			where = SAMPLE_YIELD;
			state = yield_state(regs);
		}
	}
	rec = EMIT_BEGIN(SAMPLE, slot);
	if (!rec)
		return 0;
	rec->ip = ip;
	rec->period_ns = config.sample_ns;
	rec->where = where;
	rec->state = state;
	EMIT_END(rec);
	return 0;
}
