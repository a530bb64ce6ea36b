/* file.h - from a descriptor to what is behind it. */
/* SPDX-License-Identifier: (MIT OR GPL-2.0-only) */
#ifndef PROBES_EBPF_FILE_H
#define PROBES_EBPF_FILE_H

#include "probes/ebpf/probe.h"

#define S_IFMT 0xf000
#define S_IFIFO 0x1000
#define S_IFCHR 0x2000
#define S_IFDIR 0x4000
#define S_IFREG 0x8000
#define S_IFSOCK 0xc000

/*
 * Fills in what an open file (the address of a struct file) is. A function of
 * its own, known to the linker: the verifier then looks at it once in each
 * program and not again wherever it is called, which is most of the time that loading takes.
 */
GLOBAL int file_object(u64 address, struct object *o);

/* Returns the open file behind a descriptor of a task, or NULL. */
static __always_inline struct file *file_of_fd(struct task_struct *task, u32 fd)
{
	struct fdtable *fdt = BPF_CORE_READ(task, files, fdt);
	struct file **table;
	struct file *file = NULL;

	if (!fdt || fd >= BPF_CORE_READ(fdt, max_fds))
		return NULL;
	table = BPF_CORE_READ(fdt, fd);
	bpf_probe_read_kernel(&file, sizeof file, table + fd);
	return file;
}

/* Returns i_mode & S_IFMT of an open file: enough to leave early. */
static __always_inline u32 file_type(struct file *file)
{
	return BPF_CORE_READ(file, f_inode, i_mode) & S_IFMT;
}

static __always_inline bool object_is_pipe(const struct object *o)
{
	return o->kind == FILE_PIPE || o->kind == FILE_FIFO || o->kind == FILE_SOCKETPAIR;
}

/* Looks up a descriptor and fills in o if it may be a pipe, FIFO or socketpair; returns whether it is one. */
static __always_inline bool file_pipe_of_fd(struct task_struct *task, u32 fd, struct object *o)
{
	struct file *file = file_of_fd(task, fd);
	u32 type;

	if (!file)
		return false;
	type = file_type(file);
	if (type != S_IFIFO && type != S_IFSOCK)
		return false;
	__builtin_memset(o, 0, sizeof *o);
	file_object((u64)file, o);
	return object_is_pipe(o);
}

#endif
