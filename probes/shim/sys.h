/* sys.h - system calls that do not go through the C library and keep errno. */
/* SPDX-License-Identifier: MIT */
#ifndef PROBES_SHIM_SYS_H
#define PROBES_SHIM_SYS_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>

/* Calls with these numbers and above are not known. */
enum { SYS_NUMBERS = 512 };

/* Set once the program has a filter for system calls. */
extern bool sys_filtered;

/* Says whether a call may end the process. Always true for a number that is not known. */
bool sys_forbids(long nr);

/* From now on the call of that number is not to be made, once sys_filtered is set. */
void sys_forbid(unsigned nr);

/* Returns the kernel's answer: -errno on failure. */
static inline long sys6(long nr, long a, long b, long c, long d, long e, long f)
{
	if (__builtin_expect(__atomic_load_n(&sys_filtered, __ATOMIC_RELAXED), 0) &&
		sys_forbids(nr))
		return -ENOSYS;
#if defined(__x86_64__)
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;
	long ret;

	__asm__ volatile("syscall"
			 : "=a"(ret)
			 : "0"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return ret;
#elif defined(__aarch64__)
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
#else
#error "this processor is not supported yet"
#endif
}

#define SYS_ARG(x) ((long)(x))
#define sys0(nr) sys6(nr, 0, 0, 0, 0, 0, 0)
#define sys1(nr, a) sys6(nr, SYS_ARG(a), 0, 0, 0, 0, 0)
#define sys2(nr, a, b) sys6(nr, SYS_ARG(a), SYS_ARG(b), 0, 0, 0, 0)
#define sys3(nr, a, b, c) sys6(nr, SYS_ARG(a), SYS_ARG(b), SYS_ARG(c), 0, 0, 0)
#define sys4(nr, a, b, c, d) sys6(nr, SYS_ARG(a), SYS_ARG(b), SYS_ARG(c), SYS_ARG(d), 0, 0)

/* Returns what the kernel does with a signal: (void *)SIG_DFL, (void *)SIG_IGN or the address of a handler. */
static inline void *sys_handler(int signo)
{
	/* The kernel's own struct sigaction, which is not the C library's. */
	struct {
		void *handler;
		unsigned long flags;
		void *restorer;
		uint64_t mask;
	} act = {0};

	sys4(SYS_rt_sigaction, signo, NULL, &act, sizeof act.mask);
	return act.handler;
}

#endif
