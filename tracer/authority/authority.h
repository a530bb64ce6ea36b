/* authority.h - what pptrace may do to a process or with a file, asked of the kernel and not of records. */
/* SPDX-License-Identifier: MIT */
#ifndef TRACER_AUTHORITY_AUTHORITY_H
#define TRACER_AUTHORITY_AUTHORITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * A record says which process and which file it is about, and whoever writes
 * records can say anything: the rings of the preload library are memory of the
 * program's own. pptrace may be more powerful than that program. So a record
 * only ever suggests; before pptrace signals a process, reads its memory or its
 * files in /proc, or opens a file by name, it asks here. doc/security.md
 * says what is granted and why.
 *
 * To be read in this order: authority.c (who belongs to the recording), descent.c (how that is
 * found out without the kernel's probes), file.c (files whose names come from a program).
 */
struct authority;

/* To be called before the command is forked: what are pptrace's children then do not belong to the recording. Never NULL. */
struct authority *authority_new(void);
void authority_free(struct authority *a);

/*
 * Names who knows from the kernel itself whether a process is traced: has gets
 * a pidfd. Without it, descent from the command decides.
 */
void authority_kernel(struct authority *a, bool (*has)(void *arg, int pidfd, pid_t pid), void *arg);

/* Names the command: a child of pptrace that has not been reaped. */
void authority_root(struct authority *a, pid_t pid);

/*
 * Holds a process, or a thread, that pptrace may act on: it belongs to the recording at this
 * moment, and is the user's own where pptrace has privileges that its user has
 * not. a NULL: the user named the process, it need not belong to a recording.
 * Returns a descriptor that means this one process even when its number is given
 * to another, closed by the caller; or -errno, -EPERM: it does not belong to the recording.
 */
int authority_hold(struct authority *a, pid_t pid);

/*
 * Says whether a held process is still there and still the user's. What was
 * read of it by its number, between holding it and asking this, is its own.
 */
bool authority_still(int held, pid_t pid);

/* Holds it for a moment: says whether pptrace may act on a process now. */
bool authority_covers(struct authority *a, pid_t pid);

/* Sends a signal to a process of the recording, and to no other. Returns 0 or -errno. */
int authority_signal(struct authority *a, pid_t pid, int signo);

/* ---- Files whose names come from a program ---- */

/* Programs, libraries and debugging information are not larger. */
#define AUTHORITY_MODULE_MAX (4ll << 30)

/*
 * Opens a regular file for reading, if it has at most that many bytes and the user of pptrace may read it. Nothing
 * else is even touched: opening a FIFO releases those that wait for its other side, opening a device may do
 * anything, and what lies in /proc, /sys and their like does not count as one. Returns a descriptor or -errno;
 * -EACCES: not such a file.
 */
int authority_open(const char *path, int64_t most);

/* The same of a path as a process sees it: below its root, which no symbolic link leaves. */
int authority_open_inside(pid_t pid, const char *path, int64_t most);

#endif
