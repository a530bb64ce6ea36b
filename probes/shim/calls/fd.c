/* fd.c - descriptors of pipes: made, opened, copied, closed. */
/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "probes/shim/shim.h"
#include "probes/shim/sys.h"
#include "probes/shim/calls/fdlist.h"
#include "probes/shim/calls/filelock.h"
#include "probes/shim/calls/ofd.h"
#include "probes/shim/calls/wait.h"
#include "schema/compat.h"

REAL(pipe)
REAL(pipe2)
REAL(socketpair)
REAL(dup)
REAL(dup2)
REAL(dup3)
REAL(close)
REAL(close_range)
REAL(closefrom)
REAL(fcntl)
REAL(fcntl64)
REAL(open)
REAL(open64)
REAL(openat)
REAL(openat64)
REAL(creat)
REAL(creat64)
REAL(fopen)
REAL(fopen64)
REAL(pidfd_getfd)
REAL(syscall)

/* ---- Made ---- */

static void made(const int fds[2])
{
	struct pipe_fd a, b;
	int keep = errno;

	a = pipe_of(fds[0]);
	b = pipe_of(fds[1]);
	report_end(fds[0], &a, END_CREATE, a.kind == PIPE_SOCKETPAIR ? b.inode : 0, NULL);
	report_end(fds[1], &b, END_CREATE, a.kind == PIPE_SOCKETPAIR ? a.inode : 0, NULL);
	errno = keep;
}

WRAPPER(pipe) pipe;
int pipe(int fds[2])
{
	int rc = real_pipe()(fds);

	if (rc == 0 && shim_everything())
		made(fds);
	return rc;
}

WRAPPER(pipe2) pipe2;
int pipe2(int fds[2], int flags)
{
	int rc = real_pipe2()(fds, flags);

	if (rc == 0 && shim_everything())
		made(fds);
	return rc;
}

WRAPPER(socketpair) socketpair;
int socketpair(int domain, int type, int protocol, int fds[2])
{
	int rc = real_socketpair()(domain, type, protocol, fds);

	if (rc == 0 && shim_everything() && domain == AF_UNIX)
		made(fds);
	return rc;
}

/* ---- Copied ---- */

static void new_end(int fd, int via)
{
	struct pipe_fd p;
	int keep = errno;

	if (fd >= 0 && shim_everything()) {
		p = pipe_of(fd);
		if (p.kind)
			report_end(fd, &p, via, 0, NULL);
	}
	errno = keep;
}

static void copied(int fd)
{
	new_end(fd, END_DUP);
}

WRAPPER(pidfd_getfd) pidfd_getfd;
int pidfd_getfd(int pidfd, int fd, unsigned flags)
{
	int rc = real_pidfd_getfd() ? real_pidfd_getfd()(pidfd, fd, flags)
				    : (int)real_syscall()(SYS_pidfd_getfd, pidfd, fd, flags);

	new_end(rc, END_TAKEN);
	return rc;
}

WRAPPER(dup) dup;
int dup(int fd)
{
	int rc = real_dup()(fd);

	copied(rc);
	return rc;
}

/* What lay at the number before is closed by the same call. */
static struct pipe_fd replaced(int old, int new)
{
	struct pipe_fd none = {0};

	return shim_everything() && old != new ? pipe_of(new) : none;
}

static void replace(int rc, int old, int new, const struct pipe_fd *was)
{
	if (rc < 0 || old == new)
		return;
	ofd_forget(new);
	if (was->kind)
		report_close(new, was, END_REPLACED);
	copied(new);
}

void fd_prepare(void)
{
	(void)real_dup2();
	(void)real_close();
}

WRAPPER(dup2) dup2;
int dup2(int old, int new)
{
	struct pipe_fd was = replaced(old, new);
	int rc = real_dup2()(old, new);

	replace(rc, old, new, &was);
	return rc;
}

WRAPPER(dup3) dup3;
int dup3(int old, int new, int flags)
{
	struct pipe_fd was = replaced(old, new);
	int rc = real_dup3()(old, new, flags);

	replace(rc, old, new, &was);
	return rc;
}

static int after_fcntl(int cmd, int rc)
{
	if (cmd == F_DUPFD || cmd == F_DUPFD_CLOEXEC)
		copied(rc);
	return rc;
}

WRAPPER(fcntl) fcntl;
int fcntl(int fd, int cmd, ...)
{
	va_list ap;
	void *arg;

	va_start(ap, cmd);
	arg = va_arg(ap, void *);
	va_end(ap);
	if (shim_everything() && filelock_is(cmd))
		return filelock_fcntl(fd, cmd, arg, SITE, real_fcntl());
	return after_fcntl(cmd, real_fcntl()(fd, cmd, arg));
}

WRAPPER(fcntl64) fcntl64;
int fcntl64(int fd, int cmd, ...)
{
	va_list ap;
	void *arg;

	va_start(ap, cmd);
	arg = va_arg(ap, void *);
	va_end(ap);
	if (shim_everything() && filelock_is(cmd))
		return filelock_fcntl(fd, cmd, arg, SITE, real_fcntl64());
	return after_fcntl(cmd, real_fcntl64()(fd, cmd, arg));
}

/* ---- Closed: recorded first, because a waiter may go on before the call returns ---- */

static void closing(void *unused, int fd)
{
	struct pipe_fd p = pipe_of(fd);

	(void)unused;
	ofd_forget(fd);
	if (p.kind)
		report_close(fd, &p, END_CLOSE_CALL);
}

WRAPPER(close) close;
int close(int fd)
{
	if (shim_everything())
		closing(NULL, fd);
	return real_close()(fd);
}

WRAPPER(close_range) close_range;
int close_range(unsigned first, unsigned last, int flags)
{
	if (shim_everything() && first <= last && !(flags & CLOSE_RANGE_CLOEXEC))
		each_fd(first, last, closing, NULL);
	return real_close_range()(first, last, flags);
}

WRAPPER(closefrom) closefrom;
void closefrom(int first)
{
	if (shim_everything())
		each_fd(first < 0 ? 0 : (unsigned)first, ~0u, closing, NULL);
	real_closefrom()(first);
}

/* ---- Opened ---- */

struct opening {
	bool fifo, waits;
};

/* What the FIFO is called belongs to the wait that follows: it has no descriptor yet. */
static void record_path(const char *path)
{
	struct rec_MORE r;

	memset(&r, 0, sizeof r);
	r.what = MORE_PATH;
	r.len = strnlen(path, sizeof r.data);
	memcpy(r.data, path, r.len);
	RECORD(MORE, &r);
}

/* Opening one side of a FIFO waits for the other. */
static struct opening opening(int dir, const char *path, int flags)
{
	struct opening o = {false, false};
	struct rec_WAIT_BEGIN r;
	struct stat st;

	if (!shim_everything() || sys4(SYS_newfstatat, dir, path, &st, 0) < 0 ||
		!S_ISFIFO(st.st_mode))
		return o;
	o.fifo = true;
	if ((flags & (O_NONBLOCK | O_PATH)) || (flags & O_ACCMODE) == O_RDWR)
		return o;
	o.waits = true;
	wait_init(&r, SYS_openat, WAIT_FIFO_OPEN);
	r.arg0 = (uint64_t)dir;
	r.arg1 = ADDR(path);
	r.arg2 = (uint64_t)flags;
	r.file_kind = FILE_FIFO;
	r.dev = st.st_dev;
	r.inode = st.st_ino;
	record_path(path);
	RECORD(WAIT_BEGIN, &r);
	return o;
}

static int opened(const struct opening *o, int fd, const char *path)
{
	int keep = errno;

	if (o->waits)
		wait_end();
	if (o->fifo && fd >= 0) {
		struct pipe_fd p = pipe_of(fd);

		if (p.kind)
			report_end(fd, &p, END_OPENED, 0, path);
	}
	errno = keep;
	return fd;
}

#define MODE_OF(flags)                                                                             \
	__extension__({                                                                            \
		mode_t mode_ = 0;                                                                  \
		if ((flags) & (O_CREAT | __O_TMPFILE)) {                                           \
			va_list ap_;                                                               \
			va_start(ap_, flags);                                                      \
			mode_ = va_arg(ap_, mode_t);                                               \
			va_end(ap_);                                                               \
		}                                                                                  \
		mode_;                                                                             \
	})

WRAPPER(open) open;
int open(const char *path, int flags, ...)
{
	mode_t mode = MODE_OF(flags);
	struct opening o = opening(AT_FDCWD, path, flags);

	return opened(&o, real_open()(path, flags, mode), path);
}

WRAPPER(open64) open64;
int open64(const char *path, int flags, ...)
{
	mode_t mode = MODE_OF(flags);
	struct opening o = opening(AT_FDCWD, path, flags);

	return opened(&o, real_open64()(path, flags, mode), path);
}

WRAPPER(openat) openat;
int openat(int dir, const char *path, int flags, ...)
{
	mode_t mode = MODE_OF(flags);
	struct opening o = opening(dir, path, flags);

	return opened(&o, real_openat()(dir, path, flags, mode), path);
}

WRAPPER(openat64) openat64;
int openat64(int dir, const char *path, int flags, ...)
{
	mode_t mode = MODE_OF(flags);
	struct opening o = opening(dir, path, flags);

	return opened(&o, real_openat64()(dir, path, flags, mode), path);
}

WRAPPER(creat) creat;
int creat(const char *path, mode_t mode)
{
	struct opening o = opening(AT_FDCWD, path, O_WRONLY);

	return opened(&o, real_creat()(path, mode), path);
}

WRAPPER(creat64) creat64;
int creat64(const char *path, mode_t mode)
{
	struct opening o = opening(AT_FDCWD, path, O_WRONLY);

	return opened(&o, real_creat64()(path, mode), path);
}

/* The forms that _FORTIFY_SOURCE uses where no mode is given. */
int __open_2(const char *path, int flags);
int __open64_2(const char *path, int flags);
int __openat_2(int dir, const char *path, int flags);
int __openat64_2(int dir, const char *path, int flags);
REAL(__open_2)
REAL(__open64_2)
REAL(__openat_2)
REAL(__openat64_2)

WRAPPER(__open_2) __open_2;
int __open_2(const char *path, int flags)
{
	struct opening o = opening(AT_FDCWD, path, flags);

	return opened(&o, real___open_2()(path, flags), path);
}

WRAPPER(__open64_2) __open64_2;
int __open64_2(const char *path, int flags)
{
	struct opening o = opening(AT_FDCWD, path, flags);

	return opened(&o, real___open64_2()(path, flags), path);
}

WRAPPER(__openat_2) __openat_2;
int __openat_2(int dir, const char *path, int flags)
{
	struct opening o = opening(dir, path, flags);

	return opened(&o, real___openat_2()(dir, path, flags), path);
}

WRAPPER(__openat64_2) __openat64_2;
int __openat64_2(int dir, const char *path, int flags)
{
	struct opening o = opening(dir, path, flags);

	return opened(&o, real___openat64_2()(dir, path, flags), path);
}

/* The flags of a stream's mode, as far as waiting is concerned. */
static int mode_flags(const char *mode)
{
	return strchr(mode, '+') ? O_RDWR : *mode == 'r' ? O_RDONLY : O_WRONLY;
}

WRAPPER(fopen) fopen;
FILE *fopen(const char *restrict path, const char *restrict mode)
{
	struct opening o = opening(AT_FDCWD, path, mode_flags(mode));
	FILE *f = real_fopen()(path, mode);

	opened(&o, f ? f->_fileno : -1, path);
	return f;
}

WRAPPER(fopen64) fopen64;
FILE *fopen64(const char *restrict path, const char *restrict mode)
{
	struct opening o = opening(AT_FDCWD, path, mode_flags(mode));
	FILE *f = real_fopen64()(path, mode);

	opened(&o, f ? f->_fileno : -1, path);
	return f;
}
