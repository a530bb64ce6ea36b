/* compat.h - what pptrace uses and older headers lack: Linux before 5.17, glibc before 2.34, SQLite before 3.38. */
/* SPDX-License-Identifier: MIT */
/*
 * Numbers of system calls from 424 on are the same on all architectures (the kernel's
 * scripts/syscall.tbl), as are the other numbers here (include/uapi/linux/futex.h, wait.h).
 */
#ifndef SCHEMA_COMPAT_H
#define SCHEMA_COMPAT_H

#include <linux/futex.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>

/* A C library may know fewer of them (SYS_...) than the kernel's headers beside it (__NR_...). */
#ifndef __NR_close_range
#define __NR_close_range 436
#endif
#ifndef __NR_openat2
#define __NR_openat2 437
#endif
#ifndef __NR_pidfd_getfd
#define __NR_pidfd_getfd 438
#endif
#ifndef __NR_faccessat2
#define __NR_faccessat2 439
#endif
#ifndef __NR_process_madvise
#define __NR_process_madvise 440
#endif
#ifndef __NR_epoll_pwait2
#define __NR_epoll_pwait2 441
#endif
#ifndef __NR_mount_setattr
#define __NR_mount_setattr 442
#endif
#ifndef __NR_quotactl_fd
#define __NR_quotactl_fd 443
#endif
#ifndef __NR_landlock_create_ruleset
#define __NR_landlock_create_ruleset 444
#endif
#ifndef __NR_landlock_add_rule
#define __NR_landlock_add_rule 445
#endif
#ifndef __NR_landlock_restrict_self
#define __NR_landlock_restrict_self 446
#endif
#ifndef __NR_memfd_secret
#define __NR_memfd_secret 447
#endif
#ifndef __NR_process_mrelease
#define __NR_process_mrelease 448
#endif
#ifndef __NR_futex_waitv
#define __NR_futex_waitv 449
#endif
#ifndef __NR_set_mempolicy_home_node
#define __NR_set_mempolicy_home_node 450
#endif
#ifndef SYS_close_range
#define SYS_close_range __NR_close_range
#endif
#ifndef SYS_openat2
#define SYS_openat2 __NR_openat2
#endif
#ifndef SYS_pidfd_getfd
#define SYS_pidfd_getfd __NR_pidfd_getfd
#endif
#ifndef SYS_faccessat2
#define SYS_faccessat2 __NR_faccessat2
#endif
#ifndef SYS_epoll_pwait2
#define SYS_epoll_pwait2 __NR_epoll_pwait2
#endif
/* What the C library calls where the processor has no such call of its own: the same, with more arguments. */
#ifdef SYS_poll
enum { LIBC_POLL = SYS_poll, LIBC_SELECT = SYS_select, LIBC_EPOLL_WAIT = SYS_epoll_wait };
#else
enum { LIBC_POLL = SYS_ppoll, LIBC_SELECT = SYS_pselect6, LIBC_EPOLL_WAIT = SYS_epoll_pwait };
#endif
#ifndef SYS_futex_waitv
#define SYS_futex_waitv __NR_futex_waitv
#endif

#ifndef FUTEX_LOCK_PI2
#define FUTEX_LOCK_PI2 13
#endif
#ifndef CLOSE_RANGE_CLOEXEC
#define CLOSE_RANGE_CLOEXEC (1U << 2)
#endif

#if defined __GLIBC__ && !__GLIBC_PREREQ(2, 36)
#define P_PIDFD ((idtype_t)3)
#endif
#if defined __GLIBC__ && !__GLIBC_PREREQ(2, 33)
#define mallinfo2 mallinfo
#endif
#if defined __GLIBC__ && !__GLIBC_PREREQ(2, 34)
/* Programs of a newer libc call them, and the preload library stands before that. */
int close_range(unsigned first, unsigned last, int flags);
void closefrom(int first);
int execveat(int dir, const char *path, char *const argv[], char *const envp[], int flags);
pid_t _Fork(void);
#endif
/* Of glibc 2.36, in a header of its own. */
int pidfd_getfd(int pidfd, int fd, unsigned flags);

#endif
