/* filter.h - system calls that a filter of the program would punish. */
/* SPDX-License-Identifier: MIT */
#ifndef PROBES_SHIM_FILTER_H
#define PROBES_SHIM_FILTER_H

/* Gets ready what needs system calls: a filter may come soon, and from then on no file is opened. */
void filter_prepare(void);

/*
 * A filter is about to be installed: SECCOMP_MODE_FILTER with its struct
 * sock_fprog, or SECCOMP_MODE_STRICT. From now on the raw calls of sys.h
 * fail with -ENOSYS where it does more than to let them happen or fail. If
 * it does so with all calls that it does not name, only locks are recorded,
 * which takes none. In strict mode nothing is.
 */
void filter_comes(long mode, const void *prog);

#endif
