/* io.c - the calls that read and write pipes, FIFOs and socketpairs. */
/* SPDX-License-Identifier: MIT */
#include "probes/shim/shim.h"
#include "probes/shim/calls/fdlist.h"
#include "probes/shim/calls/io_call.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

REAL(read)
REAL(write)
REAL(readv)
REAL(writev)
REAL(splice)
REAL(tee)
REAL(vmsplice)
REAL(sendfile)
REAL(sendfile64)
REAL(send)
REAL(sendto)
REAL(sendmsg)
REAL(recv)
REAL(recvfrom)
REAL(recvmsg)
REAL(sendmmsg)
REAL(recvmmsg)

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

/* The same for a receiving call with these flags. */
#define RECEIVE(c, rc, fd, n, flags, call, data)                                                   \
	do {                                                                                       \
		if (!shim_everything() || !io_begin_receive((c), (fd), (n), (flags)))              \
			return (call);                                                             \
		(rc) = (call);                                                                     \
		io_end((c), (rc), (data));                                                         \
	} while (0)

WRAPPER(read) read;
ssize_t read(int fd, void *buf, size_t n)
{
	struct io_call c;
	ssize_t rc;

	struct iovec iov = {buf, n};

	if (!shim_everything())
		return real_read()(fd, buf, n);
	if (!io_try(&c, fd, IO_READ, &iov, 1, &rc)) {
		if (!io_begin_slow(&c, false))
			return real_read()(fd, buf, n);
		rc = real_read()(fd, buf, n);
	}
	io_end(&c, rc, buf);
	return rc;
}

WRAPPER(write) write;
ssize_t write(int fd, const void *buf, size_t n)
{
	struct io_call c;
	ssize_t rc;

	struct iovec iov = {(void *)buf, n};

	if (!shim_everything())
		return real_write()(fd, buf, n);
	if (!io_try(&c, fd, IO_WRITE, &iov, 1, &rc)) {
		if (!io_begin_slow(&c, false))
			return real_write()(fd, buf, n);
		rc = real_write()(fd, buf, n);
	}
	io_end(&c, rc, buf);
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
	one = io_begin_between(&a, in, out, IO_SPLICE_IN, n, now);
	two = io_begin_between(&b, in, out, IO_SPLICE_OUT, 1, now || a.waits);
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
	one = io_begin_between(&a, in, out, IO_TEE_IN, n, now);
	two = io_begin_between(&b, in, out, IO_TEE_OUT, 1, now || a.waits);
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
	struct io_call c;
	ssize_t rc;

	IO(&c, rc, out, IO_SENDFILE, n, false, real_sendfile64()(out, in, at, n), NULL);
	return rc;
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

	RECEIVE(&c, rc, fd, n, flags, real_recv()(fd, buf, n, flags), buf);
	return rc;
}

WRAPPER(recvfrom) recvfrom;
ssize_t recvfrom(int fd, void *restrict buf, size_t n, int flags, struct sockaddr *restrict from,
	socklen_t *restrict len)
{
	struct io_call c;
	ssize_t rc;

	RECEIVE(&c, rc, fd, n, flags, real_recvfrom()(fd, buf, n, flags, from, len), buf);
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
	on = io_begin_receive(&c, fd, iov_bytes(m->msg_iov, (int)m->msg_iovlen), flags);
	rc = real_recvmsg()(fd, m, flags);
	if (on)
		io_end_vec(&c, rc, m->msg_iov, m->msg_iovlen);
	if (rc >= 0 && m->msg_controllen)
		report_rights(m, END_SCM);
	return rc;
}

/* Several messages at once: the wait is for the first one, and each is recorded. */
static void end_many(struct io_call *c, struct mmsghdr *m, int n, int rc)
{
	bool holds = c->holds;
	int keep = errno;

	if (rc <= 0) {
		errno = keep;
		io_end(c, rc, NULL);
		return;
	}
	for (int i = 0; i < rc && i < n; i++) {
		struct msghdr *h = &m[i].msg_hdr;

		c->requested = iov_bytes(h->msg_iov, (int)h->msg_iovlen);
		c->holds = holds && i == rc - 1;
		io_end_vec(c, m[i].msg_len, h->msg_iov, h->msg_iovlen);
		c->waits = false;
	}
	errno = keep;
}

WRAPPER(sendmmsg) sendmmsg;
int sendmmsg(int fd, struct mmsghdr *m, unsigned n, int flags)
{
	struct io_call c;
	bool on;
	int rc;

	if (!shim_everything() || !n)
		return real_sendmmsg()(fd, m, n, flags);
	on = io_begin(&c, fd, IO_SEND, 1, flags & MSG_DONTWAIT);
	rc = real_sendmmsg()(fd, m, n, flags);
	if (on)
		end_many(&c, m, (int)n, rc);
	for (int i = 0; i < rc; i++)
		if (m[i].msg_hdr.msg_controllen)
			report_rights(&m[i].msg_hdr, END_SENT);
	return rc;
}

WRAPPER(recvmmsg) recvmmsg;
int recvmmsg(int fd, struct mmsghdr *m, unsigned n, int flags, struct timespec *timeout)
{
	struct io_call c;
	bool on;
	int rc;

	if (!shim_everything() || !n)
		return real_recvmmsg()(fd, m, n, flags, timeout);
	on = io_begin(&c, fd, IO_RECV, 1, flags & MSG_DONTWAIT);
	rc = real_recvmmsg()(fd, m, n, flags, timeout);
	if (on)
		end_many(&c, m, (int)n, rc);
	for (int i = 0; i < rc; i++)
		if (m[i].msg_hdr.msg_controllen)
			report_rights(&m[i].msg_hdr, END_SCM);
	return rc;
}

/* ---- What _FORTIFY_SOURCE makes of them ---- */

ssize_t __read_chk(int fd, void *buf, size_t n, size_t size);
ssize_t __recv_chk(int fd, void *buf, size_t n, size_t size, int flags);
ssize_t __recvfrom_chk(int fd, void *restrict buf, size_t n, size_t size, int flags,
	struct sockaddr *restrict from, socklen_t *restrict len);
REAL(__read_chk)
REAL(__recv_chk)
REAL(__recvfrom_chk)

WRAPPER(__read_chk) __read_chk;
ssize_t __read_chk(int fd, void *buf, size_t n, size_t size)
{
	struct io_call c;
	ssize_t rc;

	IO(&c, rc, fd, IO_READ, n, n > size, real___read_chk()(fd, buf, n, size), buf);
	return rc;
}

WRAPPER(__recv_chk) __recv_chk;
ssize_t __recv_chk(int fd, void *buf, size_t n, size_t size, int flags)
{
	struct io_call c;
	ssize_t rc;

	RECEIVE(&c, rc, fd, n, n > size ? MSG_DONTWAIT : flags,
		real___recv_chk()(fd, buf, n, size, flags), buf);
	return rc;
}

WRAPPER(__recvfrom_chk) __recvfrom_chk;
ssize_t __recvfrom_chk(int fd, void *restrict buf, size_t n, size_t size, int flags,
	struct sockaddr *restrict from, socklen_t *restrict len)
{
	struct io_call c;
	ssize_t rc;

	RECEIVE(&c, rc, fd, n, n > size ? MSG_DONTWAIT : flags,
		real___recvfrom_chk()(fd, buf, n, size, flags, from, len), buf);
	return rc;
}
