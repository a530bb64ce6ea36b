/* io_call.c - what is recorded of one read or write of a pipe, FIFO or socketpair. */
/* SPDX-License-Identifier: MIT */
#include "probes/shim/calls/io_call.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <unistd.h>

#include "probes/shim/shim.h"
#include "probes/shim/options.h"
#include "probes/shim/sys.h"
#include "probes/shim/task.h"
#include "probes/shim/calls/fdlist.h"
#include "probes/shim/calls/kind.h"
#include "probes/shim/calls/wait.h"

REAL(preadv2)
REAL(pwritev2)

static bool is_write(unsigned op)
{
	return op == IO_WRITE || op == IO_WRITEV || op == IO_SPLICE_OUT || op == IO_TEE_OUT ||
	       op == IO_VMSPLICE || op == IO_SENDFILE || op == IO_SEND;
}

static bool is_between(unsigned op)
{
	return op == IO_SPLICE_IN || op == IO_SPLICE_OUT || op == IO_TEE_IN || op == IO_TEE_OUT;
}

static long call_number(unsigned op)
{
	switch (op) {
	case IO_READ:
		return SYS_read;
	case IO_WRITE:
		return SYS_write;
	case IO_READV:
		return SYS_readv;
	case IO_WRITEV:
		return SYS_writev;
	case IO_SPLICE_IN:
	case IO_SPLICE_OUT:
		return SYS_splice;
	case IO_TEE_IN:
	case IO_TEE_OUT:
		return SYS_tee;
	case IO_VMSPLICE:
		return SYS_vmsplice;
	case IO_SENDFILE:
		return SYS_sendfile;
	case IO_SEND:
		return SYS_sendto;
	default:
		return SYS_recvfrom;
	}
}

static int ready(int fd, short events)
{
	struct pollfd p = {fd, events, 0};
	struct timespec zero = {0, 0};

	return sys6(SYS_ppoll, SYS_ARG(&p), 1, SYS_ARG(&zero), 0, 8, 0) > 0 ? p.revents : 0;
}

/* How many bytes a pipe still takes; it counts in pages, so this is what is surely there. */
static size_t pipe_room(int fd)
{
	int used = 0;
	long size = sys3(SYS_fcntl, fd, F_GETPIPE_SZ, 0);

	if (size < 0 || sys3(SYS_ioctl, fd, FIONREAD, &used) < 0)
		return (size_t)-1;
	return size > used ? (size_t)(size - used) : 0;
}

/* Says whether fewer bytes are there than are wanted: none are if the other side will send no more. */
static bool is_too_little(const struct io_call *c)
{
	int there = 0;

	return sys3(SYS_ioctl, c->fd, FIONREAD, &there) == 0 && there > 0 &&
	       (size_t)there < c->requested && !(ready(c->fd, POLLRDHUP) & POLLRDHUP);
}

static bool will_block(const struct io_call *c, bool nonblocking)
{
	int events = ready(c->fd, is_write(c->op) ? POLLOUT : POLLIN);

	if (events & (POLLERR | POLLHUP | POLLNVAL))
		return false;
	if (events & POLLIN && !(c->all && is_too_little(c)))
		return false;
	if (events & POLLOUT && (c->requested <= 4096 || c->pipe.kind == PIPE_SOCKETPAIR ||
					!c->pipe.kind || pipe_room(c->fd) >= c->requested))
		return false;
	return !nonblocking && !(sys3(SYS_fcntl, c->fd, F_GETFL, 0) & O_NONBLOCK);
}

static const uint64_t sigpipe_bit = 1ull << (SIGPIPE - 1);

/*
 * Writing to a pipe that nobody reads ends most programs inside the call. The
 * signal is for this thread alone, so it may wait until that is recorded.
 */
static void hold_sigpipe(struct io_call *c)
{
	uint64_t old;

	if (sys4(SYS_rt_sigprocmask, SIG_BLOCK, &sigpipe_bit, &old, 8) == 0)
		c->holds = !(old & sigpipe_bit);
}

static void record_sigpipe(void)
{
	struct rec_SIG_SEND r;

	memset(&r, 0, sizeof r);
	r.signo = SIGPIPE;
	r.code = SI_KERNEL;
	r.target_pid = shim_pid();
	r.target_tid = shim_tid();
	r.sender = SENDER_KERNEL;
	r.result = sys_handler(SIGPIPE) == (void *)SIG_IGN ? SIG_IGNORED_ : SIG_DELIVERED;
	RECORD(SIG_SEND, &r);
}

static void release_sigpipe(struct io_call *c)
{
	if (c->holds)
		sys4(SYS_rt_sigprocmask, SIG_UNBLOCK, &sigpipe_bit, NULL, 8);
	c->holds = false;
}

static void record_io(const struct io_call *c, int64_t result, struct rec_PIPE_IO *r)
{
	r->dev = c->pipe.dev;
	r->inode = c->pipe.inode;
	r->fd = (uint64_t)(int64_t)c->fd;
	r->op = c->op;
	r->start = c->start;
	r->requested = c->requested;
	r->result = (uint64_t)result;
	RECORD(PIPE_IO, r);
}

/* Looks at the descriptor; idle: neither a wait nor traffic can be there. */
static void look(struct io_call *c, int fd, unsigned op, size_t requested)
{
	*c = (struct io_call){.pipe = pipe_of(fd), .fd = fd, .op = op, .requested = requested};
	c->idle = c->pipe.file_kind == FILE_REG || c->pipe.file_kind == FILE_DIR ||
		  c->pipe.file_kind == FILE_NONE;
	if (!c->idle)
		c->start = shim_now_early();
}

/* A socket may have been told how long its calls wait at most (SO_RCVTIMEO). */
static bool is_timed(const struct io_call *c)
{
	struct timeval limit = {0, 0};
	socklen_t len = sizeof limit;

	return c->pipe.kind == PIPE_SOCKETPAIR &&
	       sys6(SYS_getsockopt, c->fd, SOL_SOCKET, is_write(c->op) ? SO_SNDTIMEO : SO_RCVTIMEO,
		       SYS_ARG(&limit), SYS_ARG(&len), 0) == 0 &&
	       (limit.tv_sec || limit.tv_usec);
}

bool io_begin_slow(struct io_call *c, bool nonblocking)
{
	struct rec_WAIT_BEGIN r;

	if (c->idle)
		return false;
	if (c->pipe.kind && is_write(c->op))
		hold_sigpipe(c);
	if (c->full ? !(sys3(SYS_fcntl, c->fd, F_GETFL, 0) & O_NONBLOCK)
		    : will_block(c, nonblocking)) {
		wait_init(&r, call_number(c->op), 0);
		r.arg0 = (uint64_t)c->fd;
		r.arg2 = c->requested;
		if (is_between(c->op)) {
			r.arg0 = (uint64_t)c->from;
			r.arg1 = r.arg2 = (uint64_t)c->to;
		}
		r.file_kind = c->pipe.file_kind == FILE_OTHER ? fd_kind(c->fd) : c->pipe.file_kind;
		r.dev = c->pipe.dev;
		r.inode = r.file_kind == FILE_SIGNALFD ? fd_signals(c->fd) : c->pipe.inode;
		r.timed = is_timed(c);
		RECORD(WAIT_BEGIN, &r);
		c->waits = true;
	}
	return c->waits || c->pipe.kind;
}

bool io_begin(struct io_call *c, int fd, unsigned op, size_t requested, bool nonblocking)
{
	look(c, fd, op, requested);
	return io_begin_slow(c, nonblocking);
}

bool io_begin_receive(struct io_call *c, int fd, size_t requested, int flags)
{
	look(c, fd, IO_RECV, requested);
	c->all = flags & MSG_WAITALL;
	return io_begin_slow(c, flags & MSG_DONTWAIT);
}

bool io_begin_between(
	struct io_call *c, int from, int to, unsigned op, size_t requested, bool nonblocking)
{
	look(c, is_write(op) ? to : from, op, requested);
	c->from = from;
	c->to = to;
	return io_begin_slow(c, nonblocking);
}

#ifndef RWF_NOSIGNAL
#define RWF_NOSIGNAL 0x100
#endif

/*
 * Whether calls are made as preadv2 and pwritev2, which can be told not to wait
 * for a pipe (Linux 6.4) and not to send SIGPIPE (6.18). A program that began
 * below a filter for system calls may not be allowed them; and what another
 * library has put in front of read and write is not passed by.
 */
static bool can_try(unsigned op)
{
	static int8_t state[2]; /* reads, writes; 0: not known, -1: no */
	int8_t *s = &state[is_write(op)];

	if (*s < 0 || shim_options.sandboxed)
		return false;
	if (*s == 0) {
		struct iovec none = {NULL, 0};
		int keep = errno, fds[2] = {-1, -1};

		*s = -1;
		if (sys4(SYS_prctl, PR_GET_SECCOMP, 0, 0, 0) == 0 && real_preadv2() &&
			real_pwritev2() && shim_next_is_libc(is_write(op) ? "write" : "read") &&
			sys2(SYS_pipe2, fds, O_CLOEXEC) == 0) {
			if (is_write(op) ? sys6(SYS_pwritev2, fds[1], SYS_ARG(&none), 1, -1, -1,
						   RWF_NOWAIT | RWF_NOSIGNAL) == 0
					 : sys6(SYS_preadv2, fds[0], SYS_ARG(&none), 1, -1, -1,
						   RWF_NOWAIT) == 0)
				*s = 1;
			sys1(SYS_close, fds[0]);
			sys1(SYS_close, fds[1]);
		}
		errno = keep;
	}
	return *s > 0;
}

/* A pipe may take more than this in parts, between which another process may write. */
enum { WHOLE = 4096 };

bool io_try(
	struct io_call *c, int fd, unsigned op, const struct iovec *iov, size_t n, ssize_t *ret_rc)
{
	int keep = errno;
	size_t bytes = 0;
	ssize_t rc;

	for (size_t i = 0; i < n; i++)
		bytes += iov[i].iov_len;
	look(c, fd, op, bytes);
	if ((c->pipe.kind != PIPE_PIPE && c->pipe.kind != PIPE_FIFO) ||
		(is_write(op) && bytes > WHOLE) || !can_try(op))
		return false;
	rc = is_write(op) ? real_pwritev2()(fd, iov, (int)n, -1, RWF_NOWAIT | RWF_NOSIGNAL)
			  : real_preadv2()(fd, iov, (int)n, -1, RWF_NOWAIT);
	*ret_rc = rc;
	if (rc >= 0)
		return true;
	/* The call itself finds out what is wrong, and lets the signal come. */
	c->full = errno == EAGAIN;
	errno = keep;
	return false;
}

void io_end(struct io_call *c, ssize_t result, const void *data)
{
	struct iovec iov = {(void *)data, result > 0 ? (size_t)result : 0};

	io_end_vec(c, result, &iov, data ? 1 : 0);
}

/* Collects the first bytes and those beyond them, which go ahead in records of their own. */
struct payload {
	struct rec_PIPE_IO io;
	struct rec_MORE more;
	size_t taken;
};

static void payload_add(struct payload *p, const char *from, size_t n)
{
	size_t first = p->taken < sizeof p->io.data ? sizeof p->io.data - p->taken : 0;

	if (first > n)
		first = n;
	memcpy(p->io.data + p->taken, from, first);
	p->io.data_len += first;
	p->taken += first;
	from += first;
	n -= first;
	while (n) {
		size_t room = sizeof p->more.data - p->more.len;
		size_t now = n < room ? n : room;

		memcpy(p->more.data + p->more.len, from, now);
		p->more.len += now;
		p->more.what = MORE_DATA;
		p->taken += now;
		from += now;
		n -= now;
		if (p->more.len == sizeof p->more.data) {
			RECORD(MORE, &p->more);
			memset(&p->more, 0, sizeof p->more);
		}
	}
}

static void payload_pieces(struct payload *p, const struct iovec *iov, size_t n, size_t want)
{
	for (size_t i = 0; i < n && want; i++) {
		size_t len = iov[i].iov_len < want ? iov[i].iov_len : want;

		payload_add(p, iov[i].iov_base, len);
		want -= len;
	}
	if (p->more.len)
		RECORD(MORE, &p->more);
}

void io_end_vec(struct io_call *c, ssize_t result, const struct iovec *iov, size_t n)
{
	struct payload p;
	size_t want;
	int keep = errno;

	if (c->waits)
		wait_end();
	/* An interrupted call did nothing; the signal's record shows it. */
	if (!c->pipe.kind || (result < 0 && keep == EINTR)) {
		release_sigpipe(c);
		errno = keep;
		return;
	}
	want = result > 0 ? (size_t)result : 0;
	if (want > shim_options.data_bytes)
		want = shim_options.data_bytes;
	if (want <= sizeof p.io.data && n <= 1) {
		memset(&p.io, 0, sizeof p.io);
		if (n && want)
			memcpy(p.io.data, iov->iov_base, want);
		p.io.data_len = n ? want : 0;
	} else {
		memset(&p, 0, sizeof p);
		payload_pieces(&p, iov, n, want);
	}
	record_io(c, result < 0 ? -(int64_t)keep : result, &p.io);
	if (result < 0 && keep == EPIPE)
		record_sigpipe();
	release_sigpipe(c);
	errno = keep;
}
