/* io.bpf.c - reads and writes of pipes, FIFOs and connected sockets. */
/* SPDX-License-Identifier: (MIT OR GPL-2.0-only) */
#include "probes/ebpf/calls.h"
#include "probes/ebpf/io.h"

#define DATA_STEPS 128
#define IOV_MAX_SUM 16

/* The buffers of one call, gone through until as many bytes are sent as were done and are wanted. */
struct data_walk {
	u64 iov;  /* next struct iovec in the target, 0 none */
	u64 n;    /* how many are left */
	u64 base; /* the buffer in hand */
	u64 len;
	u64 left; /* bytes still wanted */
	u64 first_base;
	u64 first_len;
	u32 pid;
	u32 tid;
	u32 cut; /* there is more than is wanted */
};

/*
 * In a map, not on the stack: the verifier then does not follow the numbers
 * through every round. Nothing else runs on the processor meanwhile.
 */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct data_walk);
} data_walks SEC(".maps");

static __always_inline struct data_walk *data_walk(void)
{
	u32 first = 0;

	return bpf_map_lookup_elem(&data_walks, &first);
}

/* Takes the next buffer; returns false at the end. */
static __always_inline bool data_next(struct data_walk *w)
{
	struct iovec v = {};

	if (!w->n || !w->iov)
		return false;
	if (bpf_probe_read_user(&v, sizeof v, (void *)w->iov))
		return false;
	w->iov += sizeof v;
	w->n--;
	w->base = v.base;
	w->len = v.len;
	return true;
}

/* One MORE record of up to 256 bytes. The first 32 bytes of all are left for PIPE_IO itself. */
static __noinline long data_step(u32 index, void *arg)
{
	struct data_walk *w = data_walk();
	struct rec_MORE *rec;
	u64 len;

	if (!w || !w->left)
		return 1;
	if (!w->len)
		return !data_next(w);
	len = w->len < w->left ? w->len : w->left;
	if (!w->first_len) {
		if (len > IO_DATA_FIRST)
			len = IO_DATA_FIRST;
		w->first_base = w->base;
		w->first_len = len;
	} else {
		if (len > sizeof rec->data)
			len = sizeof rec->data;
		rec = emit_begin(REC_MORE, sizeof *rec, w->pid, w->tid);
		if (!rec)
			return 1;
		rec->what = MORE_DATA;
		rec->len = len;
		rec->flags = w->cut && len == w->left ? MORE_CUT : 0;
		__builtin_memset(rec->data, 0, sizeof rec->data);
		if (len > sizeof rec->data)
			len = sizeof rec->data;
		if (bpf_probe_read_user(rec->data, len, (void *)w->base))
			rec->head.flags |= REC_UNREAD;
		emit_end(rec);
	}
	w->base += len;
	w->len -= len;
	w->left -= len;
	return 0;
}

WALK_STEP(data_step, SCRATCH_DATA)

static __always_inline void data_emit(void)
{
	WALK(DATA_STEPS, data_step, NULL);
}

/* How many of the bytes are wanted. */
static __always_inline u64 io_wanted(const struct slot *slot, const struct io *io)
{
	if (io->result <= 0 || !(io->base || io->iov) || (slot->flags & SLOT_NODATA))
		return 0;
	return io->result < config.data_bytes ? io->result : config.data_bytes;
}

/* Emits the record if the first bytes are all, else returns 1. */
static __always_inline int io_plain(struct slot *slot, const struct io *io)
{
	u64 len = io_wanted(slot, io);
	struct rec_PIPE_IO *rec;

	if (len && (io->iov || len > IO_DATA_FIRST))
		return 1;
	rec = EMIT_BEGIN(PIPE_IO, slot);
	if (!rec)
		return 0;
	io_fill(rec, slot, io, io->base, len);
	EMIT_END(rec);
	return 0;
}

int io_emit(u64 file_address, struct slot *slot, struct io *io)
{
	struct file *file = (struct file *)file_address;
	struct inode *inode;
	struct object obj;
	u32 type;

	if (!file || !slot || !io)
		return 0;
	inode = BPF_CORE_READ(file, f_inode);
	type = BPF_CORE_READ(inode, i_mode) & S_IFMT;
	if (type == S_IFIFO) {
		io->dev = dev_encode(BPF_CORE_READ(inode, i_sb, s_dev));
		io->inode = BPF_CORE_READ(inode, i_ino);
		return io_plain(slot, io);
	}
	if (type != S_IFSOCK)
		return 0;
	__builtin_memset(&obj, 0, sizeof obj);
	file_object((u64)file, &obj);
	if (!object_is_connected(&obj))
		return 0;
	io->dev = obj.dev;
	io->inode = obj.inode;
	return io_plain(slot, io);
}

u64 iov_sum(u64 iov, u64 n)
{
	u64 sum = 0;

	_Pragma("clang loop unroll(disable)") for (u32 i = 0; i < IOV_MAX_SUM; i++)
	{
		struct iovec v = {};

		if (i >= n || bpf_probe_read_user(&v, sizeof v, (void *)(iov + i * sizeof v)))
			break;
		sum += v.len;
	}
	return sum;
}

/* After io_emit returned 1: PIPE_IO with all the bytes that are wanted, those beyond the first in MORE records. */
HANDLER_EXIT(exit_data)
{
	struct data_walk *w = data_walk();
	struct rec_PIPE_IO *rec;
	u64 len;

	if (!w)
		return 0;
	len = io_wanted(slot, &slot->io);
	w->iov = slot->io.iov;
	w->n = slot->io.iov_n;
	w->base = slot->io.base;
	w->len = slot->io.iov ? 0 : len;
	w->left = len;
	w->first_base = 0;
	w->first_len = 0;
	w->pid = slot->pid;
	w->tid = slot->tid;
	w->cut = slot->io.result > config.data_bytes;
	data_emit();
	rec = EMIT_BEGIN(PIPE_IO, slot);
	if (!rec)
		return 0;
	io_fill(rec, slot, &slot->io, w->first_base, w->first_len);
	EMIT_END(rec);
	return 0;
}

/* read, write, readv, writev, sendto, recvfrom */
HANDLER_EXIT(exit_io)
{
	struct io io = {};
	struct file *file;
	u32 type;

	if (io_is_broken_off(ret))
		return 0;
	io.fd = REG_ARG0(regs);
	io.result = ret;
	io.base = REG_ARG1(regs);
	io.requested = REG_ARG2(regs);
	switch (slot->call) {
	case CALL_READ:
		io.op = IO_READ;
		break;
	case CALL_WRITE:
		io.op = IO_WRITE;
		break;
	case CALL_SEND:
		io.op = IO_SEND;
		break;
	case CALL_RECV:
		io.op = IO_RECV;
		break;
	default:
		io.op = slot->call == CALL_READV ? IO_READV : IO_WRITEV;
		io.iov = io.base;
		io.iov_n = io.requested;
		io.requested = 0;
		break;
	}
	file = file_of_fd(task, io.fd);
	if (!file)
		return 0;
	type = file_type(file);
	if (type != S_IFIFO && type != S_IFSOCK)
		return 0;
	if (io.iov)
		io.requested = iov_sum(io.iov, io.iov_n);
	if (io_emit((u64)file, slot, &io))
		IO_GO_ON(ctx, slot, &io);
	return 0;
}

/* splice, tee, vmsplice, sendfile: up to two pipes, and no bytes that pass through the caller's memory */
HANDLER_EXIT(exit_splice)
{
	struct io in = {}, out = {};
	struct file *file;

	if (io_is_broken_off(ret))
		return 0;
	in.result = out.result = ret;
	in.fd = out.fd = -1;
	switch (slot->call) {
	case CALL_SPLICE:
		in.fd = REG_ARG0(regs);
		out.fd = REG_ARG2(regs);
		in.requested = REG_ARG4(regs);
		in.op = IO_SPLICE_IN;
		out.op = IO_SPLICE_OUT;
		break;
	case CALL_TEE:
		in.fd = REG_ARG0(regs);
		out.fd = REG_ARG1(regs);
		in.requested = REG_ARG2(regs);
		in.op = IO_TEE_IN;
		out.op = IO_TEE_OUT;
		break;
	case CALL_SENDFILE:
		out.fd = REG_ARG0(regs);
		in.requested = REG_ARG3(regs);
		out.op = IO_SENDFILE;
		break;
	default:
		out.fd = REG_ARG0(regs);
		in.requested = iov_sum(REG_ARG1(regs), REG_ARG2(regs));
		out.op = IO_VMSPLICE;
		/* From a pipe into memory it reads. */
		file = file_of_fd(task, out.fd);
		if (file && !(BPF_CORE_READ(file, f_mode) & END_WRITE))
			out.op = IO_READV;
		break;
	}
	out.requested = in.requested;
	if (in.fd >= 0)
		io_emit((u64)file_of_fd(task, in.fd), slot, &in);
	if (out.fd >= 0)
		io_emit((u64)file_of_fd(task, out.fd), slot, &out);
	return 0;
}
