/* shim_io.c - reads and writes of pipes, FIFOs and socketpairs. */
/* SPDX-License-Identifier: MIT */
#include "probes/shim_io.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "probes/shim_private.h"
#include "probes/shim_sys.h"
#include "probes/shim_wait.h"

REAL(read)
REAL(write)
REAL(readv)
REAL(writev)
REAL(splice)
REAL(tee)
REAL(vmsplice)
REAL(sendfile)
REAL(send)
REAL(sendto)
REAL(sendmsg)
REAL(recv)
REAL(recvfrom)
REAL(recvmsg)

static bool is_write(unsigned op)
{
	return op == IO_WRITE || op == IO_WRITEV || op == IO_SPLICE_OUT || op == IO_TEE_OUT ||
	       op == IO_VMSPLICE || op == IO_SENDFILE || op == IO_SEND;
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

static bool will_block(const struct io_call *c, bool nonblocking)
{
	int events = ready(c->fd, is_write(c->op) ? POLLOUT : POLLIN);

	if (events & (POLLERR | POLLHUP | POLLNVAL))
		return false;
	if (events & POLLIN)
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
	struct {
		void *handler;
		unsigned long flags;
		void *restorer;
		uint64_t mask;
	} act = {0};
	struct rec_SIG_SEND r;

	memset(&r, 0, sizeof r);
	r.signo = SIGPIPE;
	r.code = SI_KERNEL;
	r.target_pid = (uint64_t)sys0(SYS_getpid);
	r.target_tid = (uint64_t)sys0(SYS_gettid);
	r.sender = SENDER_KERNEL;
	sys4(SYS_rt_sigaction, SIGPIPE, NULL, &act, 8);
	r.result = act.handler == (void *)SIG_IGN ? SIG_IGNORED_ : SIG_DELIVERED;
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

bool io_begin(struct io_call *c, int fd, unsigned op, size_t requested, bool nonblocking)
{
	struct rec_WAIT_BEGIN r;

	*c = (struct io_call){.pipe = pipe_of(fd), .fd = fd, .op = op, .requested = requested};
	if (c->pipe.file_kind == FILE_REG || c->pipe.file_kind == FILE_DIR ||
		c->pipe.file_kind == FILE_NONE)
		return false;
	c->start = shim_now_early();
	if (c->pipe.kind && is_write(op))
		hold_sigpipe(c);
	if (will_block(c, nonblocking)) {
		wait_init(&r, call_number(op), 0);
		r.arg0 = (uint64_t)fd;
		r.arg2 = requested;
		r.file_kind = c->pipe.file_kind;
		r.dev = c->pipe.dev;
		r.inode = c->pipe.inode;
		RECORD(WAIT_BEGIN, &r);
		c->waits = true;
	}
	return c->waits || c->pipe.kind;
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

void io_end_vec(struct io_call *c, ssize_t result, const struct iovec *iov, size_t n)
{
	struct payload p;
	size_t want;
	int keep = errno;

	if (c->waits)
		wait_end();
	/* An interrupted call did nothing; the signal tells of it. */
	if (!c->pipe.kind || (result < 0 && keep == EINTR)) {
		release_sigpipe(c);
		errno = keep;
		return;
	}
	memset(&p, 0, sizeof p);
	want = result > 0 ? (size_t)result : 0;
	if (want > shim_options.data_bytes)
		want = shim_options.data_bytes;
	for (size_t i = 0; i < n && want; i++) {
		size_t len = iov[i].iov_len < want ? iov[i].iov_len : want;

		payload_add(&p, iov[i].iov_base, len);
		want -= len;
	}
	if (p.more.len)
		RECORD(MORE, &p.more);
	record_io(c, result < 0 ? -(int64_t)keep : result, &p.io);
	if (result < 0 && keep == EPIPE)
		record_sigpipe();
	release_sigpipe(c);
	errno = keep;
}

/*
 * Makes the call between begin and end. A thread that is cancelled in it
 * leaves the wait open, which ends with the thread.
 */
#define IO(c, rc, fd, op, n, nonblocking, call, data)                                              \
	do {                                                                                       \
		if (!shim_everything() || !io_begin((c), (fd), (op), (n), (nonblocking)))          \
			return (call);                                                             \
		(rc) = (call);                                                                     \
		io_end((c), (rc), (data));                                                         \
	} while (0)

WRAPPER(read) read;
ssize_t read(int fd, void *buf, size_t n)
{
	struct io_call c;
	ssize_t rc;

	IO(&c, rc, fd, IO_READ, n, false, real_read()(fd, buf, n), buf);
	return rc;
}

WRAPPER(write) write;
ssize_t write(int fd, const void *buf, size_t n)
{
	struct io_call c;
	ssize_t rc;

	IO(&c, rc, fd, IO_WRITE, n, false, real_write()(fd, buf, n), buf);
	return rc;
}

static size_t iov_bytes(const struct iovec *iov, int n)
{
	size_t sum = 0;

	for (int i = 0; i < n; i++)
		sum += iov[i].iov_len;
	return sum;
}

WRAPPER(readv) readv;
ssize_t readv(int fd, const struct iovec *iov, int n)
{
	struct io_call c;
	ssize_t rc;

	if (!shim_everything() || !io_begin(&c, fd, IO_READV, iov_bytes(iov, n), false))
		return real_readv()(fd, iov, n);
	rc = real_readv()(fd, iov, n);
	io_end_vec(&c, rc, iov, n < 0 ? 0 : (size_t)n);
	return rc;
}

WRAPPER(writev) writev;
ssize_t writev(int fd, const struct iovec *iov, int n)
{
	struct io_call c;
	ssize_t rc;

	if (!shim_everything() || !io_begin(&c, fd, IO_WRITEV, iov_bytes(iov, n), false))
		return real_writev()(fd, iov, n);
	rc = real_writev()(fd, iov, n);
	io_end_vec(&c, rc, iov, n < 0 ? 0 : (size_t)n);
	return rc;
}

/* ---- Between two descriptors ---- */

static void end_both(struct io_call *in, struct io_call *out, bool one, bool two, ssize_t rc)
{
	if (one)
		io_end(in, rc, NULL);
	if (two)
		io_end(out, rc, NULL);
}

WRAPPER(splice) splice;
ssize_t splice(int in, off64_t *in_at, int out, off64_t *out_at, size_t n, unsigned flags)
{
	struct io_call a, b;
	bool one, two, now = flags & SPLICE_F_NONBLOCK;
	ssize_t rc;

	if (!shim_everything())
		return real_splice()(in, in_at, out, out_at, n, flags);
	one = io_begin(&a, in, IO_SPLICE_IN, n, now);
	two = io_begin(&b, out, IO_SPLICE_OUT, 1, now || a.waits);
	b.requested = n;
	rc = real_splice()(in, in_at, out, out_at, n, flags);
	end_both(&a, &b, one, two, rc);
	return rc;
}

WRAPPER(tee) tee;
ssize_t tee(int in, int out, size_t n, unsigned flags)
{
	struct io_call a, b;
	bool one, two, now = flags & SPLICE_F_NONBLOCK;
	ssize_t rc;

	if (!shim_everything())
		return real_tee()(in, out, n, flags);
	one = io_begin(&a, in, IO_TEE_IN, n, now);
	two = io_begin(&b, out, IO_TEE_OUT, 1, now || a.waits);
	b.requested = n;
	rc = real_tee()(in, out, n, flags);
	end_both(&a, &b, one, two, rc);
	return rc;
}

WRAPPER(vmsplice) vmsplice;
ssize_t vmsplice(int fd, const struct iovec *iov, size_t n, unsigned flags)
{
	struct io_call c;
	ssize_t rc;

	if (!shim_everything() ||
		!io_begin(&c, fd, IO_VMSPLICE, iov_bytes(iov, (int)n), flags & SPLICE_F_NONBLOCK))
		return real_vmsplice()(fd, iov, n, flags);
	rc = real_vmsplice()(fd, iov, n, flags);
	io_end_vec(&c, rc, iov, n);
	return rc;
}

WRAPPER(sendfile) sendfile;
ssize_t sendfile(int out, int in, off_t *at, size_t n)
{
	struct io_call c;
	ssize_t rc;

	IO(&c, rc, out, IO_SENDFILE, n, false, real_sendfile()(out, in, at, n), NULL);
	return rc;
}

WRAPPER(sendfile64) sendfile64;
ssize_t sendfile64(int out, int in, off64_t *at, size_t n)
{
	return sendfile(out, in, at, n);
}

/* ---- Sockets ---- */

WRAPPER(send) send;
ssize_t send(int fd, const void *buf, size_t n, int flags)
{
	struct io_call c;
	ssize_t rc;

	IO(&c, rc, fd, IO_SEND, n, flags & MSG_DONTWAIT, real_send()(fd, buf, n, flags), buf);
	return rc;
}

WRAPPER(sendto) sendto;
ssize_t sendto(
	int fd, const void *buf, size_t n, int flags, const struct sockaddr *to, socklen_t len)
{
	struct io_call c;
	ssize_t rc;

	IO(&c, rc, fd, IO_SEND, n, flags & MSG_DONTWAIT, real_sendto()(fd, buf, n, flags, to, len),
		buf);
	return rc;
}

WRAPPER(recv) recv;
ssize_t recv(int fd, void *buf, size_t n, int flags)
{
	struct io_call c;
	ssize_t rc;

	IO(&c, rc, fd, IO_RECV, n, flags & MSG_DONTWAIT, real_recv()(fd, buf, n, flags), buf);
	return rc;
}

WRAPPER(recvfrom) recvfrom;
ssize_t recvfrom(int fd, void *restrict buf, size_t n, int flags, struct sockaddr *restrict from,
	socklen_t *restrict len)
{
	struct io_call c;
	ssize_t rc;

	IO(&c, rc, fd, IO_RECV, n, flags & MSG_DONTWAIT,
		real_recvfrom()(fd, buf, n, flags, from, len), buf);
	return rc;
}

/* The ends among the descriptors that came with a message (END_SCM), or were sent with it (END_SENT). */
static void report_rights(const struct msghdr *m, enum end_via via)
{
	struct msghdr all = *m;

	for (struct cmsghdr *h = CMSG_FIRSTHDR(&all); h; h = CMSG_NXTHDR(&all, h)) {
		size_t n;

		if (h->cmsg_level != SOL_SOCKET || h->cmsg_type != SCM_RIGHTS ||
			h->cmsg_len < CMSG_LEN(0))
			continue;
		n = (h->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < n; i++) {
			struct pipe_fd p;
			int fd;

			memcpy(&fd, CMSG_DATA(h) + i * sizeof fd, sizeof fd);
			p = pipe_of(fd);
			if (p.kind)
				report_end(fd, &p, via, 0, NULL);
		}
	}
}

WRAPPER(sendmsg) sendmsg;
ssize_t sendmsg(int fd, const struct msghdr *m, int flags)
{
	struct io_call c;
	bool on;
	ssize_t rc;

	if (!shim_everything())
		return real_sendmsg()(fd, m, flags);
	on = io_begin(
		&c, fd, IO_SEND, iov_bytes(m->msg_iov, (int)m->msg_iovlen), flags & MSG_DONTWAIT);
	rc = real_sendmsg()(fd, m, flags);
	if (on)
		io_end_vec(&c, rc, m->msg_iov, m->msg_iovlen);
	if (rc >= 0 && m->msg_controllen)
		report_rights(m, END_SENT);
	return rc;
}

WRAPPER(recvmsg) recvmsg;
ssize_t recvmsg(int fd, struct msghdr *m, int flags)
{
	struct io_call c;
	bool on;
	ssize_t rc;

	if (!shim_everything())
		return real_recvmsg()(fd, m, flags);
	on = io_begin(
		&c, fd, IO_RECV, iov_bytes(m->msg_iov, (int)m->msg_iovlen), flags & MSG_DONTWAIT);
	rc = real_recvmsg()(fd, m, flags);
	if (on)
		io_end_vec(&c, rc, m->msg_iov, m->msg_iovlen);
	if (rc >= 0 && m->msg_controllen)
		report_rights(m, END_SCM);
	return rc;
}

/* ---- What _FORTIFY_SOURCE makes of them ---- */

ssize_t __read_chk(int fd, void *buf, size_t n, size_t size);
ssize_t __recv_chk(int fd, void *buf, size_t n, size_t size, int flags);
ssize_t __recvfrom_chk(int fd, void *restrict buf, size_t n, size_t size, int flags,
	struct sockaddr *restrict from, socklen_t *restrict len);
void __chk_fail(void) __attribute__((noreturn));

WRAPPER(__read_chk) __read_chk;
ssize_t __read_chk(int fd, void *buf, size_t n, size_t size)
{
	if (n > size)
		__chk_fail();
	return read(fd, buf, n);
}

WRAPPER(__recv_chk) __recv_chk;
ssize_t __recv_chk(int fd, void *buf, size_t n, size_t size, int flags)
{
	if (n > size)
		__chk_fail();
	return recv(fd, buf, n, flags);
}

WRAPPER(__recvfrom_chk) __recvfrom_chk;
ssize_t __recvfrom_chk(int fd, void *restrict buf, size_t n, size_t size, int flags,
	struct sockaddr *restrict from, socklen_t *restrict len)
{
	if (n > size)
		__chk_fail();
	return recvfrom(fd, buf, n, flags, from, len);
}
