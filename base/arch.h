/* arch.h - what differs between processors, for all that runs outside of the kernel; the eBPF programs have probes/ebpf/kernel/arch.h. */
/* SPDX-License-Identifier: MIT */
/*
 * Constants and instructions only, so that the preload library may include it.
 * A processor that is added needs a branch here and there, its vfork in
 * probes/shim/calls/processes/vfork.S, and what its calls look like in probes/shim/outlined.c, tracer/symbols/frame_pointer.c
 * and tracer/snapshot/memory/code.c.
 */
#ifndef BASE_ARCH_H
#define BASE_ARCH_H

#include <stdbool.h>
#include <stdint.h>

#if defined(__x86_64__)

#include <cpuid.h>

#define ARCH_NAME "x86-64"
#define ARCH_ELF_MACHINE EM_X86_64
#define ARCH_AUDIT AUDIT_ARCH_X86_64
/* The first versions of glibc's symbols here: of all, of the condition variables in use, of those for cancelling. */
#define ARCH_LIBC_FIRST "GLIBC_2.2.5"
#define ARCH_LIBC_COND "GLIBC_2.3.2"
#define ARCH_LIBC_CANCEL "GLIBC_2.3.3"
/* glibc has condition variables of before 2.3.2, too: their functions have two versions. */
#define ARCH_HAS_OLD_COND 1
/* Its cores have all registers of a system call that was broken off. */
#define ARCH_HAS_CORES 1
/* Where struct pthread of glibc has the thread's ID: from 2.4 to 2.43 at least (nptl/descr.h). */
#define ARCH_PTHREAD_TID 720

/* DWARF's numbers of registers. The address to return to is on the stack: by the program counter's number. */
enum { ARCH_REG_FP = 6, ARCH_REG_SP = 7, ARCH_REG_RETURN = 16, ARCH_REG_PC = 16, ARCH_REGS = 17 };
/* The caller's stack pointer is that far above the frame pointer, where code keeps one. */
#define ARCH_FRAME_SIZE 16
/* Local variables of Go lie right below where the frame pointer points. */
#define ARCH_GO_LOCALS_BELOW 1
/* Those that a callee keeps for its caller and that rules are made of: rbx, rbp, r12 to r15. */
#define ARCH_KEPT                                                                                  \
	{                                                                                          \
		3, ARCH_REG_FP, 12, 13, 14, 15                                                     \
	}

/* What an address to return to says besides the place in the code. */
#define ARCH_CODE_ADDRESS(addr) (addr)

/* Of the ucontext_t that a handler of signals gets. */
#define ARCH_UC_PC(uc) ((uint64_t)(uc)->uc_mcontext.gregs[REG_RIP])
#define ARCH_UC_RESULT(uc) ((int64_t)(uc)->uc_mcontext.gregs[REG_RAX])
/* The instruction that makes a system call: a call that is to be made again is right before it. */
#define ARCH_CALL_CODE "\x0f\x05"
/* Code that makes 438 (pidfd_getfd) a function's first argument or the number of a system call, and what follows it then; with their lengths. */
#define ARCH_CODES_438                                                                             \
	{"\xbf\xb6\x01\0", 5, "\xe8", 1}, {"\xbf\xb6\x01\0", 5, "\xff\x15", 2},                    \
	{                                                                                          \
		"\xb8\xb6\x01\0", 5, ARCH_CALL_CODE, 2                                             \
	}

/* The processor's counter, and what the kernel calls its clock when it counts the same everywhere. */
#define ARCH_CLOCKS "tsc", "kvm-clock", "hyperv_clocksource_tsc"

static inline uint64_t arch_counter_early(void)
{
	uint32_t lo, hi;

	__asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi)::"memory");
	return (uint64_t)hi << 32 | lo;
}

/* Fetches a cache line that will be written soon. Any address will do: nothing faults, and processors that do not know it do nothing. */
static inline void arch_prefetch_write(const void *at)
{
	__asm__ volatile("prefetchw %0" ::"m"(*(const char *)at));
}

/* The same; no earlier instruction may happen after it. */
static inline uint64_t arch_counter(void)
{
	uint32_t lo, hi;

	__asm__ volatile("lfence\n\trdtsc" : "=a"(lo), "=d"(hi)::"memory");
	return (uint64_t)hi << 32 | lo;
}

/* Says whether it counts at the same rate whatever the processor does. */
static inline bool arch_counter_steady(void)
{
	unsigned a, b, c, d = 0;

	return __get_cpuid(0x80000007, &a, &b, &c, &d) && (d & 1u << 8);
}

/* Says whether this task has a thread descriptor of the C library's. */
static inline bool arch_has_tls(void)
{
	const void *self;

	__asm__("movq %%fs:0, %0" : "=r"(self));
	return self != 0;
}

/* Adds with one instruction: whole against signal handlers of this thread. */
static inline uint64_t arch_add(uint64_t *to, uint64_t n)
{
	__asm__ volatile("xaddq %0, %1" : "+r"(n), "+m"(*to)::"memory");
	return n;
}

/* A system call; the kernel's answer: -errno on failure. */
static inline long arch_call(long nr, long a, long b, long c, long d, long e, long f)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;
	long ret;

	__asm__ volatile("syscall"
			 : "=a"(ret)
			 : "0"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return ret;
}

#elif defined(__aarch64__)

#define ARCH_NAME "AArch64"
#define ARCH_ELF_MACHINE EM_AARCH64
#define ARCH_AUDIT AUDIT_ARCH_AARCH64
#define ARCH_LIBC_FIRST "GLIBC_2.17"
#define ARCH_LIBC_COND "GLIBC_2.17"
#define ARCH_LIBC_CANCEL "GLIBC_2.17"
/* The first argument of a call that was broken off is not in a core: its register has the result. */
#define ARCH_HAS_CORES 0
#define ARCH_HAS_OLD_COND 0
#define ARCH_PTHREAD_TID 208

/* The return address is in x30 until a function keeps it on its stack. */
enum { ARCH_REG_FP = 29, ARCH_REG_RETURN = 30, ARCH_REG_SP = 31, ARCH_REG_PC = 32, ARCH_REGS = 33 };
/* 0: a frame pointer says nothing of the stack pointer. */
#define ARCH_FRAME_SIZE 0
#define ARCH_GO_LOCALS_BELOW 0
#define ARCH_KEPT                                                                                  \
	{                                                                                          \
		19, ARCH_REG_FP, 20, 21, 22, ARCH_REG_RETURN                                       \
	}

/* Code that is protected (pac-ret) signs it, in the bits that user space's addresses do not use. */
#define ARCH_CODE_ADDRESS(addr) ((addr)&0xffffffffffffull)

#define ARCH_UC_PC(uc) ((uint64_t)(uc)->uc_mcontext.pc)
#define ARCH_UC_RESULT(uc) ((int64_t)(uc)->uc_mcontext.regs[0])
#define ARCH_CALL_CODE "\x01\x00\x00\xd4" /* svc #0 */
/* As above; whatever function is called. */
#define ARCH_CODES_438                                                                             \
	{"\xc0\x36\x80\x52", 4, "", 0}, {"\xc0\x36\x80\xd2", 4, "", 0},                            \
	{                                                                                          \
		"\xc8\x36\x80\xd2", 4, ARCH_CALL_CODE, 4                                           \
	}

#define ARCH_CLOCKS "arch_sys_counter"

static inline uint64_t arch_counter_early(void)
{
	uint64_t n;

	__asm__ volatile("mrs %0, cntvct_el0" : "=r"(n)::"memory");
	return n;
}

static inline void arch_prefetch_write(const void *at)
{
	__builtin_prefetch(at, 1, 3);
}

static inline uint64_t arch_counter(void)
{
	uint64_t n;

	__asm__ volatile("isb\n\tmrs %0, cntvct_el0" : "=r"(n)::"memory");
	return n;
}

static inline bool arch_counter_steady(void)
{
	return true;
}

static inline bool arch_has_tls(void)
{
	const void *self;

	__asm__("mrs %0, tpidr_el0" : "=r"(self));
	return self != 0;
}

static inline uint64_t arch_add(uint64_t *to, uint64_t n)
{
	return __atomic_fetch_add(to, n, __ATOMIC_RELAXED);
}

static inline long arch_call(long nr, long a, long b, long c, long d, long e, long f)
{
	register long x8 __asm__("x8") = nr;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;
	register long x3 __asm__("x3") = d;
	register long x4 __asm__("x4") = e;
	register long x5 __asm__("x5") = f;

	__asm__ volatile("svc #0"
			 : "+r"(x0)
			 : "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5), "r"(x8)
			 : "memory");
	return x0;
}

#else
#error "this processor is not supported yet: add it here"
#endif

#endif
