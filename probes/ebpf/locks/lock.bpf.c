/* lock.bpf.c - lock and synchronisation functions of the C library, by uprobes. */
/* SPDX-License-Identifier: (MIT OR GPL-2.0-only) */
/*
 * One program is put on all functions; its cookie says which one was called. On
 * kernels that have sessions (6.13) the same program sees the call and its
 * return and decides at the call whether the return matters; before that
 * (6.6) the returns have a link of their own. glibc's objects are read where
 * they lie, for whether the caller will have to wait and for their types.
 */
#include "probes/ebpf/locks/locks.h"

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct lock_calls);
} lock_calls SEC(".maps");

/* The argument that a record needs later: the mutex of a condition, the first value of a semaphore or barrier. */
static __always_inline u64 call_argument(struct pt_regs *regs, u64 cookie)
{
	if (LOCK_ACTION(cookie) == LOCK_DO_INIT &&
		(LOCK_KIND(cookie) == LOCK_SEM || LOCK_KIND(cookie) == LOCK_BARRIER))
		return (u32)CALL_ARG2(regs);
	if (LOCK_ACTION(cookie) == LOCK_DO_WAIT && LOCK_WHAT(cookie) == SYNC_COND_WAIT)
		return CALL_ARG1(regs);
	return 0;
}

/* The call at a place of the array; the mask is for the verifier, which must not depend on what clang makes of it. */
static __always_inline struct lock_call *call_at(struct lock_calls *calls, u64 i)
{
	asm volatile("%0 &= 3" : "+r"(i));
	return &calls->calls[i];
}

_Static_assert(LOCK_CALLS == 4, "call_at masks with 3");

/* Returns 1 if the return of this call is not to be seen. */
static __always_inline int lock_called(struct pt_regs *regs, void *ctx)
{
	struct task_struct *task = task_current();
	struct slot *slot = slot_get(task);
	struct lock_calls *calls;
	struct lock_call c = {}, *keep;
	u32 n;

	if (!slot)
		return 1;
	c.cookie = bpf_get_attach_cookie(ctx);
	c.addr = CALL_ARG0(regs);
	c.arg = call_argument(regs, c.cookie);
	c.site = CALL_SITE(regs);
	if (c.site >= slot->loader_start && c.site < slot->loader_end)
		return 1;
	c.sp = REG_SP(regs);
	c.start = bpf_ktime_get_ns();
	if (!call_begin(slot, &c))
		return 1;
	calls = bpf_task_storage_get(&lock_calls, task, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!calls) {
		lost_count(REC_LOCK_ACQUIRE);
		return 1;
	}
	/* Calls that were left by longjmp or a cancellation lie deeper in the stack than this one. */
	n = calls->n;
	for (u32 i = 0; i < LOCK_CALLS; i++)
		if (n && n <= LOCK_CALLS && call_at(calls, n - 1)->sp <= c.sp)
			n--;
	if (n >= LOCK_CALLS) {
		lost_count(REC_LOCK_ACQUIRE);
		return 1;
	}
	keep = call_at(calls, n);
	*keep = c;
	calls->n = n + 1;
	return 0;
}

static __always_inline int lock_returned(struct pt_regs *regs)
{
	struct task_struct *task = task_current();
	struct slot *slot = slot_get(task);
	struct lock_calls *calls;
	struct lock_call *c;
	u32 n;

	if (!slot)
		return 0;
	calls = bpf_task_storage_get(&lock_calls, task, NULL, 0);
	if (!calls)
		return 0;
	n = calls->n;
	if (!n || n > LOCK_CALLS)
		return 0;
	c = call_at(calls, n - 1);
	if (c->sp + CALL_POPS != REG_SP(regs))
		return 0;
	call_end(slot, c, CALL_RESULT(regs), CALL_POINTER(regs));
	calls->n = n - 1;
	return 0;
}

/*
 * In a session the function's own address is known at both ends, and the program
 * counter is there only at the call. (The kernel has a function that tells the
 * two apart; but it takes other arguments from one version to the next.)
 */
SEC("uprobe")
int on_lock_session(struct pt_regs *ctx)
{
	if (REG_CTX_IP(ctx) != bpf_get_func_ip(ctx))
		return lock_returned(ctx);
	return lock_called(ctx, ctx);
}

SEC("uprobe")
int on_lock_call(struct pt_regs *ctx)
{
	lock_called(ctx, ctx);
	return 0;
}

SEC("uprobe")
int on_lock_return(struct pt_regs *ctx)
{
	return lock_returned(ctx);
}
