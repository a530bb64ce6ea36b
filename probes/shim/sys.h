/* sys.h - system calls that do not go through the C library and keep errno. */
/* SPDX-License-Identifier: MIT */
#ifndef PROBES_SHIM_SYS_H
#define PROBES_SHIM_SYS_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>

#include "base/arch.h"

/* Calls with these numbers and above are not known. */
enum { SYS_NUMBERS = 512 };

/*
 * For what is asked between fork and exec: it lies where the loader itself has written. A child has such a page as it is,
 * any other it must first be given by the kernel, which takes longer than all that is done with it.
 */
#define AT_HAND __attribute__((section(".data")))

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
	return arch_call(nr, a, b, c, d, e, f);
}

#define SYS_ARG(x) ((long)(x))
#define sys0(nr) sys6(nr, 0, 0, 0, 0, 0, 0)
#define sys1(nr, a) sys6(nr, SYS_ARG(a), 0, 0, 0, 0, 0)
#define sys2(nr, a, b) sys6(nr, SYS_ARG(a), SYS_ARG(b), 0, 0, 0, 0)
#define sys3(nr, a, b, c) sys6(nr, SYS_ARG(a), SYS_ARG(b), SYS_ARG(c), 0, 0, 0)
#define sys4(nr, a, b, c, d) sys6(nr, SYS_ARG(a), SYS_ARG(b), SYS_ARG(c), SYS_ARG(d), 0, 0)
#define sys5(nr, a, b, c, d, e)                                                                    \
	sys6(nr, SYS_ARG(a), SYS_ARG(b), SYS_ARG(c), SYS_ARG(d), SYS_ARG(e), 0)

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
