/* arch.h - what differs between processors, for the eBPF programs; all else has base/arch.h. */
/* SPDX-License-Identifier: (MIT OR GPL-2.0-only) */
#ifndef PROBES_EBPF_ARCH_H
#define PROBES_EBPF_ARCH_H

#include "probes/ebpf/kernel/types.h"

/*
 * REG_...: of a system call, from the registers saved at its entry. COMPAT_...: of a call of a 32-bit program.
 * CALL_...: of a function, where it begins or returns. SAMPLE_...: places in struct bpf_perf_event_data, which
 * begins with the registers as user space knows them.
 */
#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
#if defined(__TARGET_ARCH_x86)
struct pt_regs {
	unsigned long r15;
	unsigned long r14;
	unsigned long r13;
	unsigned long r12;
	unsigned long bp;
	unsigned long bx;
	unsigned long r11;
	unsigned long r10;
	unsigned long r9;
	unsigned long r8;
	unsigned long ax;
	unsigned long cx;
	unsigned long dx;
	unsigned long si;
	unsigned long di;
	unsigned long orig_ax;
	unsigned long ip;
	unsigned long cs;
	unsigned long flags;
	unsigned long sp;
	unsigned long ss;
};

struct thread_info {
	unsigned long flags;
	u32 status;
};
#elif defined(__TARGET_ARCH_arm64)
struct user_pt_regs {
	u64 regs[31];
	u64 sp;
	u64 pc;
	u64 pstate;
};

struct pt_regs {
	union {
		struct user_pt_regs user_regs;
		struct {
			u64 regs[31];
			u64 sp;
			u64 pc;
			u64 pstate;
		};
	};
	u64 orig_x0;
};

struct thread_info {
	unsigned long flags;
	u64 preempt_count;
};
#else
#error "this processor is not known here: add its registers"
#endif
#pragma clang attribute pop

#if defined(__TARGET_ARCH_x86)

#define REG_ARG0(regs) REG_FIELD(regs, di)
#define REG_ARG1(regs) REG_FIELD(regs, si)
#define REG_ARG2(regs) REG_FIELD(regs, dx)
#define REG_ARG3(regs) REG_FIELD(regs, r10)
#define REG_ARG4(regs) REG_FIELD(regs, r8)
#define REG_ARG5(regs) REG_FIELD(regs, r9)
#define REG_IP(regs) REG_FIELD(regs, ip)
#define REG_SP(regs) REG_FIELD(regs, sp)
#define REG_NUMBER(regs) REG_FIELD(regs, orig_ax)
#define NR_EXIT 60
#define NR_EXIT_GROUP 231
#define TASK_IS_COMPAT(task) (TASK_FIELD(task, thread_info.status) & 2)
/* 32-bit calls (int 0x80, sysenter) pass theirs in other registers, of which only the lower halves count. */
#define COMPAT_ARG0(regs) ((u32)REG_FIELD(regs, bx))
#define COMPAT_ARG1(regs) ((u32)REG_FIELD(regs, cx))
#define COMPAT_ARG2(regs) ((u32)REG_FIELD(regs, dx))
#define COMPAT_ARG3(regs) ((u32)REG_FIELD(regs, si))
#define COMPAT_ARG4(regs) ((u32)REG_FIELD(regs, di))
#define COMPAT_ARG5(regs) ((u32)REG_FIELD(regs, bp))

#define CALL_ARG0(regs) ((regs)->di)
#define CALL_ARG1(regs) ((regs)->si)
#define CALL_ARG2(regs) ((regs)->dx)
#define CALL_RESULT(regs) ((int)(regs)->ax)
#define CALL_POINTER(regs) ((regs)->ax)
#define REG_CTX_IP(regs) ((regs)->ip)
/* The return address is on top of the stack, and taken off by the return. */
#define CALL_SITE(regs)                                                                            \
	({                                                                                         \
		u64 site_ = 0;                                                                     \
		bpf_probe_read_user(&site_, sizeof site_, (void *)(regs)->sp);                     \
		site_;                                                                             \
	})
#define CALL_POPS 8

#define REG_PC_NAME ip
/* In the order of ARCH_KEPT: rbx, rbp, r12 to r15. */
#define REGS_KEPT(regs, to)                                                                        \
	({                                                                                         \
		(to)[0] = BPF_CORE_READ(regs, bx);                                                 \
		(to)[1] = BPF_CORE_READ(regs, bp);                                                 \
		(to)[2] = BPF_CORE_READ(regs, r12);                                                \
		(to)[3] = BPF_CORE_READ(regs, r13);                                                \
		(to)[4] = BPF_CORE_READ(regs, r14);                                                \
		(to)[5] = BPF_CORE_READ(regs, r15);                                                \
	})

#define SAMPLE_IP 128 /* ip, then cs */
#define SAMPLE_SP 152
#define SAMPLE_IS_USER(word) ((word)&3)
#define SAMPLE_WORDS 15
#define NR_YIELD 24

#define CLONE_TLS(regs) REG_ARG4(regs)
/* The thread pointer points to glibc's descriptor of the thread, which has its own address here. */
#define GLIBC_SELF 16
/* The function that a thread runs; or, in some versions (2.31, 2.43), its priority and policy, and then that. */
#define GLIBC_START 0x638

#elif defined(__TARGET_ARCH_arm64)

#define REG_ARG0(r) REG_FIELD(r, orig_x0)
#define REG_ARG1(r) REG_FIELD(r, regs[1])
#define REG_ARG2(r) REG_FIELD(r, regs[2])
#define REG_ARG3(r) REG_FIELD(r, regs[3])
#define REG_ARG4(r) REG_FIELD(r, regs[4])
#define REG_ARG5(r) REG_FIELD(r, regs[5])
#define REG_IP(r) REG_FIELD(r, pc)
#define REG_SP(r) REG_FIELD(r, sp)
#define REG_NUMBER(r) REG_FIELD(r, regs[8])
#define NR_EXIT 93
#define NR_EXIT_GROUP 94
#define TASK_IS_COMPAT(task) (TASK_FIELD(task, thread_info.flags) & (1ul << 22))
#define COMPAT_ARG0(r) ((u32)REG_FIELD(r, orig_x0))
#define COMPAT_ARG1(r) ((u32)REG_FIELD(r, regs[1]))
#define COMPAT_ARG2(r) ((u32)REG_FIELD(r, regs[2]))
#define COMPAT_ARG3(r) ((u32)REG_FIELD(r, regs[3]))
#define COMPAT_ARG4(r) ((u32)REG_FIELD(r, regs[4]))
#define COMPAT_ARG5(r) ((u32)REG_FIELD(r, regs[5]))

#define CALL_ARG0(r) ((r)->regs[0])
#define CALL_ARG1(r) ((r)->regs[1])
#define CALL_ARG2(r) ((r)->regs[2])
#define CALL_RESULT(r) ((int)(r)->regs[0])
#define CALL_POINTER(r) ((r)->regs[0])
#define REG_CTX_IP(r) ((r)->pc)
#define CALL_SITE(r) ((r)->regs[30])
#define CALL_POPS 0

#define REG_PC_NAME pc
#define REGS_KEPT(r, to)                                                                           \
	({                                                                                         \
		(to)[0] = BPF_CORE_READ(r, regs[19]);                                              \
		(to)[1] = BPF_CORE_READ(r, regs[29]);                                              \
		(to)[2] = BPF_CORE_READ(r, regs[20]);                                              \
		(to)[3] = BPF_CORE_READ(r, regs[21]);                                              \
		(to)[4] = BPF_CORE_READ(r, regs[22]);                                              \
		(to)[5] = BPF_CORE_READ(r, regs[30]);                                              \
	})

#define SAMPLE_IP 256 /* pc, then pstate */
#define SAMPLE_SP 248
#define SAMPLE_IS_USER(word) (((word)&0xf) == 0)
#define SAMPLE_WORDS 31
#define NR_YIELD 124

#define CLONE_TLS(r) REG_ARG3(r)

#endif

#endif
