/* libc.h - functions of the C library by their oldest versions: what was built on a new system is preloaded on old ones too. */
/* SPDX-License-Identifier: MIT */
/*
 * glibc 2.32 and 2.34 gave what they moved from libpthread and libdl into libc new versions, which a program of an
 * older system would miss: it would not start. Both have the old ones. There they come from libraries that a
 * program need not have: whoever calls one asks first whether it is there. A program without libpthread has no
 * threads that could be cancelled.
 */
#ifndef PROBES_SHIM_LIBC_H
#define PROBES_SHIM_LIBC_H

#include <dlfcn.h>
#include <pthread.h>

#include "base/arch.h"

#if __GLIBC_PREREQ(2, 34)
#define LIBC_OLD(name, version)                                                                    \
	extern __typeof__(name) name __attribute__((weak));                                        \
	__asm__(".symver " #name "," #name "@" version)
#else
/* The system that it is built on is an old one. */
#define LIBC_OLD(name, version) extern __typeof__(name) name __attribute__((weak))
#endif

LIBC_OLD(dlopen, ARCH_LIBC_FIRST);
LIBC_OLD(dlsym, ARCH_LIBC_FIRST);
LIBC_OLD(pthread_getattr_np, ARCH_LIBC_FIRST);
LIBC_OLD(pthread_attr_getstack, ARCH_LIBC_FIRST);
LIBC_OLD(pthread_testcancel, ARCH_LIBC_FIRST);
LIBC_OLD(__pthread_register_cancel, ARCH_LIBC_CANCEL);
LIBC_OLD(__pthread_unregister_cancel, ARCH_LIBC_CANCEL);
LIBC_OLD(__pthread_unwind_next, ARCH_LIBC_CANCEL);

/* What pthread_cleanup_push and pthread_cleanup_pop call. */
#define __pthread_register_cancel(buf)                                                             \
	(__pthread_register_cancel ? __pthread_register_cancel(buf) : (void)0)
#define __pthread_unregister_cancel(buf)                                                           \
	(__pthread_unregister_cancel ? __pthread_unregister_cancel(buf) : (void)0)

#endif
