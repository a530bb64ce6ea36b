/* ends.h - who holds which end of a pipe: records for descriptors, and the walk over a table of them. */
/* SPDX-License-Identifier: (MIT OR GPL-2.0-only) */
#ifndef PROBES_ENDS_H
#define PROBES_ENDS_H

#include "probes/file.h"

_Static_assert(FILE_PIPE - PIPE_PIPE == 2 && FILE_FIFO - PIPE_FIFO == 2 &&
		       FILE_SOCKETPAIR - PIPE_SOCKETPAIR == 2,
	"pipe kinds are file kinds less two");

/* Says that a process holds an end. path: address of its name in the target, 0 none. */
static __noinline int ends_open(u32 pid, u32 tid, const struct object *o, u64 fd_via, u64 path)
{
	struct rec_END_OPEN *rec = emit_begin(REC_END_OPEN, sizeof *rec, pid, tid);

	if (!rec)
		return 0;
	rec->kind = o->kind - 2;
	rec->dev = o->dev;
	rec->inode = o->inode;
	rec->inode2 = o->inode2;
	rec->file = o->file;
	rec->fd = (u32)fd_via;
	rec->mode = o->mode;
	rec->via = (fd_via >> 32) & 0xff;
	rec->cloexec = fd_via >> 63;
	__builtin_memset(rec->path, 0, sizeof rec->path);
	if (path) {
		long n = bpf_probe_read_user_str(rec->path, sizeof rec->path, (void *)path);

		if (n < 0)
			rec->head.flags |= REC_UNREAD;
		else if (n == sizeof rec->path)
			rec->head.flags |= REC_CUT;
	}
	emit_end(rec);
	return 0;
}

#define FD_VIA(fd, via, cloexec) ((u32)(fd) | (u64)(via) << 32 | (u64) !!(cloexec) << 63)

/* Says that a process gave up a descriptor of an end. */
static __always_inline void ends_close(struct slot *slot, u64 inode, u32 fd, u32 via)
{
	struct rec_END_CLOSE *rec = EMIT_BEGIN(END_CLOSE, slot);

	if (!rec)
		return;
	rec->inode = inode;
	rec->fd = fd;
	rec->via = via;
	EMIT_END(rec);
}

static __always_inline bool fd_is_cloexec(struct task_struct *task, u32 fd)
{
	unsigned long *bits = BPF_CORE_READ(task, files, fdt, close_on_exec), word = 0;

	bpf_probe_read_kernel(&word, sizeof word, bits + fd / 64);
	return word >> (fd & 63) & 1;
}

/* A walk over the descriptors of a task: the words of the bitmap of open ones, bit by bit. */
struct ends_walk {
	unsigned long *open_fds;
	unsigned long *cloexec;
	struct file **table;
	u64 word;
	u64 cloexec_word;
	u32 words; /* in the bitmap */
	u32 next;  /* word to read next */
	u32 first; /* descriptors to report */
	u32 last;
	u32 pid;
	u32 tid;
	u32 via;
	struct object obj;
};

#define WALK_STEPS_OLD 512
#define WALK_STEPS 66000

static __always_inline u32 lowest_bit(u64 w)
{
	u32 n = 0;

	if (!(w & 0xffffffff))
		n += 32, w >>= 32;
	if (!(w & 0xffff))
		n += 16, w >>= 16;
	if (!(w & 0xff))
		n += 8, w >>= 8;
	if (!(w & 0xf))
		n += 4, w >>= 4;
	if (!(w & 3))
		n += 2, w >>= 2;
	return n + !(w & 1);
}

/* One step: the next open descriptor, or the next word of the bitmap. Returns 1 at the end. */
static __noinline long ends_step(u32 index, void *arg)
{
	struct ends_walk *walk = arg;
	struct file *file = NULL;
	u32 fd, type;
	bool cloexec;

	if (!walk->word) {
		if (walk->next >= walk->words)
			return 1;
		bpf_probe_read_kernel(&walk->word, 8, walk->open_fds + walk->next);
		bpf_probe_read_kernel(&walk->cloexec_word, 8, walk->cloexec + walk->next);
		walk->next++;
		return 0;
	}
	fd = lowest_bit(walk->word);
	cloexec = walk->cloexec_word >> (fd & 63) & 1;
	walk->word &= walk->word - 1;
	fd += (walk->next - 1) * 64;
	if (fd < walk->first || fd > walk->last)
		return 0;
	bpf_probe_read_kernel(&file, sizeof file, walk->table + fd);
	if (!file)
		return 0;
	type = file_type(file);
	if (type != S_IFIFO && type != S_IFSOCK)
		return 0;
	file_object(file, &walk->obj);
	if (!object_is_pipe(&walk->obj))
		return 0;
	if (walk->via == END_CLOSE_CALL) {
		struct rec_END_CLOSE *rec =
			emit_begin(REC_END_CLOSE, sizeof *rec, walk->pid, walk->tid);

		if (!rec)
			return 0;
		rec->inode = walk->obj.inode;
		rec->fd = fd;
		rec->via = END_CLOSE_CALL;
		emit_end(rec);
		return 0;
	}
	ends_open(walk->pid, walk->tid, &walk->obj, FD_VIA(fd, walk->via, cloexec), 0);
	return 0;
}

/*
 * Reports all ends among the descriptors first to last of a task that is the
 * holder pid, tid: END_CLOSE if via is END_CLOSE_CALL, END_OPEN otherwise.
 */
static __always_inline void ends_walk(
	struct task_struct *task, u32 pid, u32 tid, u32 via, u32 first, u32 last)
{
	struct fdtable *fdt = BPF_CORE_READ(task, files, fdt);
	struct ends_walk walk;

	if (!fdt)
		return;
	__builtin_memset(&walk, 0, sizeof walk);
	walk.open_fds = BPF_CORE_READ(fdt, open_fds);
	walk.cloexec = BPF_CORE_READ(fdt, close_on_exec);
	walk.table = BPF_CORE_READ(fdt, fd);
	walk.words = BPF_CORE_READ(fdt, max_fds) / 64;
	walk.next = first / 64;
	walk.first = first;
	walk.last = last;
	walk.pid = pid;
	walk.tid = tid;
	walk.via = via;
	if (HAS_HELPER(loop)) {
		bpf_loop(WALK_STEPS, ends_step, &walk, 0);
	} else {
		_Pragma("clang loop unroll(disable)") for (u32 i = 0; i < WALK_STEPS_OLD;
							   i++) if (ends_step(i, &walk)) break;
	}
}

#endif
