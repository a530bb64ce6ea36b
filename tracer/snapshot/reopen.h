/* reopen.h - find out whether a program could open the descriptors of another process. */
/* SPDX-License-Identifier: MIT */
#ifndef TRACER_SNAPSHOT_REOPEN_H
#define TRACER_SNAPSHOT_REOPEN_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct hash;

/*
 * Says whether the program that a process runs names /proc/PID/fd: its file
 * does (as a format or in parts), one of its arguments, or the script that one
 * of the first of them is. Through it the pipes of others can be opened anew.
 * argv: its arguments, each ended by a NUL, n bytes in all. seen keeps what is
 * known of files, between calls; done with hash_done.
 */
bool reopen_named(pid_t pid, const char *argv, size_t n, struct hash *seen);

#endif
