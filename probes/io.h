/* io.h - the record of a read or write, with its first bytes. */
/* SPDX-License-Identifier: (MIT OR GPL-2.0-only) */
#ifndef PROBES_IO_H
#define PROBES_IO_H

#include "probes/file.h"

struct iovec {
	u64 base;
	u64 len;
};

/* What a call did to a pipe, before it is known where its bytes are. */
struct io {
	s32 fd;
	u32 op;
	u64 requested;
	s64 result;
	u64 base; /* one buffer ... */
	u64 iov;  /* ... or several */
	u64 iov_n;
	u64 inode; /* the pipe */
	u32 dev;
	u32 pad;
};

/* Emits PIPE_IO, and what the caller wants to see of the bytes. */
int io_record(struct slot *slot, const struct io *io);

/* Bytes that an array of n struct iovec at an address of the target describes. */
u64 iov_sum(u64 iov, u64 n);

/* The same if an open file (0: none) is a pipe, FIFO or socketpair. */
int io_emit(u64 file_address, struct slot *slot, struct io *io);

#define IO_DATA_FIRST 32

/* Fills in the record of an operation whose first bytes are at base. */
static __always_inline void io_fill(
	struct rec_PIPE_IO *rec, const struct slot *slot, const struct io *io, u64 base, u64 len)
{
	rec->dev = io->dev;
	rec->inode = io->inode;
	rec->fd = (s64)io->fd;
	rec->op = io->op;
	rec->start = slot->enter_ts;
	rec->requested = io->requested;
	rec->result = io->result;
	__builtin_memset(rec->data, 0, sizeof rec->data);
	if (len > IO_DATA_FIRST)
		len = IO_DATA_FIRST;
	rec->data_len = len;
	if (len && bpf_probe_read_user(rec->data, len, (void *)base)) {
		rec->data_len = 0;
		rec->head.flags |= REC_UNREAD;
	}
}

/* A call that a signal broke off and that will be made again has done nothing. */
static __always_inline bool io_is_broken_off(long ret)
{
	return ret <= -ERESTARTSYS && ret >= -ERESTART_RESTARTBLOCK;
}

#endif
