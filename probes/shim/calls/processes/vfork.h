/* vfork.h - what vfork.S calls. */
/* SPDX-License-Identifier: MIT */
#ifndef PROBES_SHIM_CALLS_PROCESSES_VFORK_H
#define PROBES_SHIM_CALLS_PROCESSES_VFORK_H

/* Before the system call. */
void shim_vfork_begin(void);

/* After it, first in the child and then in the parent; returns what vfork returns. */
int shim_vfork_end(long rc);

#endif
