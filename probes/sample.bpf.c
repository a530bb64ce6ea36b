/* sample.bpf.c - where running threads are, by the cpu clock. */
/* SPDX-License-Identifier: (MIT OR GPL-2.0-only) */
#include "probes/probe.h"

/* Places in struct bpf_perf_event_data, which begins with the registers as user space knows them. */
#if defined(__TARGET_ARCH_x86)
#define SAMPLE_IP 128 /* ip, then cs */
#define SAMPLE_IS_USER(word) ((word)&3)
#else
#define SAMPLE_IP 256 /* pc, then pstate */
#define SAMPLE_IS_USER(word) (((word)&0xf) == 0)
#endif

/* In assembly, because the context may only be read at a fixed distance from its begin and clang likes to add first. */
#define CTX_WORD(ctx, offset)                                                                      \
	({                                                                                         \
		u64 word_;                                                                         \
		asm volatile("%0 = *(u64 *)(%1 + %2)" : "=r"(word_) : "r"(ctx), "i"(offset));      \
		word_;                                                                             \
	})

/* In the clock's interrupt; a thread inside a system call is where it made the call. */
SEC("perf_event")
int on_sample(void *ctx)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct slot *slot = slot_get(task);
	struct rec_SAMPLE *rec;
	u64 ip = 0;

	if (!slot || (slot->flags & SLOT_FRESH))
		return 0;
	if (SAMPLE_IS_USER(CTX_WORD(ctx, SAMPLE_IP + 8)))
		ip = CTX_WORD(ctx, SAMPLE_IP);
	else if (HAS_HELPER(task_pt_regs))
		ip = REG_IP((struct pt_regs *)bpf_task_pt_regs(task));
	rec = EMIT_BEGIN(SAMPLE, slot);
	if (!rec)
		return 0;
	rec->ip = ip;
	rec->period_ns = config.sample_ns;
	EMIT_END(rec);
	return 0;
}
