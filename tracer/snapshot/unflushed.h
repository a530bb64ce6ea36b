/* unflushed.h - output that sits in a program's buffers while others wait for it. */
/* SPDX-License-Identifier: MIT */
#ifndef TRACER_SNAPSHOT_UNFLUSHED_H
#define TRACER_SNAPSHOT_UNFLUSHED_H

#include "tracer/source.h"

struct symbols;

/*
 * Looks through the stdio streams of a process that runs or is blocked, by
 * reading its memory from outside: glibc keeps them in a list that starts at
 * _IO_list_all, in libc.so or in a static program with symbols. Emits a STDIO
 * record (when STDIO_STUCK) for each stream on a pipe, FIFO or socket that
 * holds unwritten bytes; what does not look like glibc's streams in every
 * point is left out. key is the process in symbols, whose mappings are read if
 * they are not known yet; pid may be any live thread of it.
 * Returns how many were emitted, or -errno: -EPERM if the memory may not be
 * read, -ENOENT if there is no such list (no glibc, or a static program without symbols).
 */
int unflushed_find(struct symbols *s, int64_t key, pid_t pid, source_emit *emit, void *arg);

#endif
