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
};

/* Bytes that an array of n struct iovec at an address of the target describes. */
u64 iov_sum(u64 iov, u64 n);

/* Emits the record if an open file (0: none) is a pipe, FIFO or socketpair. */
int io_emit(u64 file_address, struct slot *slot, const struct io *io);

/* A call that a signal broke off and that will be made again has done nothing. */
static __always_inline bool io_is_broken_off(long ret)
{
	return ret <= -ERESTARTSYS && ret >= -ERESTART_RESTARTBLOCK;
}

#endif
