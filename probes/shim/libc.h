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

#if defined(__x86_64__)
#define LIBC_FIRST "GLIBC_2.2.5"
#define LIBC_CANCEL "GLIBC_2.3.3"
#elif defined(__aarch64__)
#define LIBC_FIRST "GLIBC_2.17"
#define LIBC_CANCEL "GLIBC_2.17"
#endif

#if __GLIBC_PREREQ(2, 34)
#define LIBC_OLD(name, version)                                                                    \
	extern __typeof__(name) name __attribute__((weak));                                        \
	__asm__(".symver " #name "," #name "@" version)
#else
/* The system that it is built on is an old one. */
#define LIBC_OLD(name, version) extern __typeof__(name) name __attribute__((weak))
#endif

LIBC_OLD(dlopen, LIBC_FIRST);
LIBC_OLD(dlsym, LIBC_FIRST);
LIBC_OLD(pthread_getattr_np, LIBC_FIRST);
LIBC_OLD(pthread_attr_getstack, LIBC_FIRST);
LIBC_OLD(pthread_testcancel, LIBC_FIRST);
LIBC_OLD(__pthread_register_cancel, LIBC_CANCEL);
LIBC_OLD(__pthread_unregister_cancel, LIBC_CANCEL);
LIBC_OLD(__pthread_unwind_next, LIBC_CANCEL);

/* What pthread_cleanup_push and pthread_cleanup_pop call. */
#define __pthread_register_cancel(buf)                                                             \
	(__pthread_register_cancel ? __pthread_register_cancel(buf) : (void)0)
#define __pthread_unregister_cancel(buf)                                                           \
	(__pthread_unregister_cancel ? __pthread_unregister_cancel(buf) : (void)0)

#endif
