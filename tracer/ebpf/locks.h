/* locks.h - uprobes on the lock functions of the C libraries that traced processes use. */
/* SPDX-License-Identifier: MIT */
#ifndef TRACER_EBPF_LOCKS_H
#define TRACER_EBPF_LOCKS_H

#include <stdbool.h>
#include <stdint.h>

struct ebpf_locks;
struct rec_head;

/* The attach types of the kernel's interface for many uprobes at once; newer than the headers we build with. */
#define ATTACH_UPROBE_MULTI 48   /* from 6.6 on */
#define ATTACH_UPROBE_SESSION 57 /* from 6.13 on */

/*
 * Keeps links of the programs to files: session is one that sees calls and
 * returns, or -1; then call and ret are one for each. The descriptors stay the
 * caller's.
 */
struct ebpf_locks *ebpf_locks_new(int session, int call, int ret);

/* Detaches from all files. Accepts NULL. */
void ebpf_locks_free(struct ebpf_locks *l);

/*
 * Attaches to the functions of a file, unless that was done. pinned: stays
 * attached even while no traced process uses it. Returns 0, also if the file
 * has none of the functions; or -errno.
 */
int ebpf_locks_attach(struct ebpf_locks *l, const char *path, bool pinned);

/*
 * Looks at a record that passes: files mapped executable are attached to, and
 * detached from once the last process that maps them has ended or executed
 * something else.
 */
void ebpf_locks_see(struct ebpf_locks *l, const struct rec_head *rec);

/* Drops the links of files that nobody uses; called when records have been seen. */
void ebpf_locks_tidy(struct ebpf_locks *l);

/* Path of the C library that this process itself uses, into buf; -ENOENT if there is none. */
int ebpf_locks_own_libc(char *buf, unsigned size);

#endif
