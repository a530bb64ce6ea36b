/* io.h - the record of a read or write, with its first bytes. */
/* SPDX-License-Identifier: (MIT OR GPL-2.0-only) */
#ifndef PROBES_EBPF_IO_H
#define PROBES_EBPF_IO_H

#include "probes/ebpf/file.h"

struct iovec {
	u64 base;
	u64 len;
};

/* Bytes that an array of n struct iovec at an address of the target describes. */
GLOBAL u64 iov_sum(u64 iov, u64 n);

/*
 * If an open file (0: none) is a pipe, FIFO or socketpair, fills in which one
 * and, unless the bytes of the call are many, emits PIPE_IO. Returns 1 if
 * exit_data must be called to do so: it alone can go through many bytes, and
 * takes the verifier long.
 */
GLOBAL int io_emit(u64 file_address, struct slot *slot, struct io *io);

/* Hands an operation over to exit_data. */
#define IO_GO_ON(ctx, slot, what)                                                                  \
	do {                                                                                       \
		(slot)->io = *(what);                                                              \
		GO_ON(ctx, slot, exit_data);                                                       \
	} while (0)

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

/* A call that a signal interrupted and that will be made again has done nothing. */
static __always_inline bool io_is_broken_off(long ret)
{
	return ret <= -ERESTARTSYS && ret >= -ERESTART_RESTARTBLOCK;
}

#endif
