/* filelock.c - flock, fcntl and lockf. */
/* SPDX-License-Identifier: MIT */
#include "probes/shim/calls/filelock.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "probes/shim/shim.h"
#include "probes/shim/sys.h"
#include "probes/shim/calls/ofd.h"
#include "probes/shim/calls/wait.h"

REAL(flock)
REAL(lockf)
REAL(lockf64)

static void fill_range(
	struct rec_FILE_LOCK *r, int fd, const struct flock *l, const struct stat *st)
{
	uint64_t begin = (uint64_t)l->l_start, len = (uint64_t)l->l_len;

	if (l->l_whence == SEEK_CUR)
		begin += (uint64_t)sys3(SYS_lseek, fd, 0, SEEK_CUR);
	else if (l->l_whence == SEEK_END)
		begin += (uint64_t)st->st_size;
	if (l->l_len < 0) {
		begin += len;
		len = 0 - len;
	}
	r->begin = begin;
	r->len = len;
}

static void fill(
	struct rec_FILE_LOCK *r, int fd, unsigned class, const struct flock *l, uint64_t site)
{
	struct stat st;

	memset(r, 0, sizeof *r);
	r->class = class;
	r->mode = l->l_type == F_RDLCK   ? LOCK_MODE_S
		  : l->l_type == F_WRLCK ? LOCK_MODE_X
					 : LOCK_MODE_NONE;
	r->fd = (uint64_t)fd;
	r->start = shim_now_early();
	r->site = site;
	if (sys2(SYS_fstat, fd, &st) < 0)
		return;
	r->dev = st.st_dev;
	r->inode = st.st_ino;
	fill_range(r, fd, l, &st);
	if (class != FLOCK_POSIX)
		r->file = ofd_identity(fd, r->dev, r->inode);
}

static void begin_wait(const struct rec_FILE_LOCK *l, long nr, int cmd)
{
	const struct flock range = {.l_type = (short)(l->mode == LOCK_MODE_S ? F_RDLCK : F_WRLCK),
		.l_whence = SEEK_SET,
		.l_start = (off_t)l->begin,
		.l_len = (off_t)l->len};
	struct rec_WAIT_BEGIN r;

	wait_init(&r, nr, WAIT_FILE_LOCK);
	r.arg0 = l->fd;
	r.arg1 = (uint64_t)cmd;
	r.file_kind = FILE_REG;
	r.dev = l->dev;
	r.inode = l->inode;
	r.peer = l->file;
	r.words_valid = sizeof range;
	memcpy(r.words, &range, sizeof range);
	r.ip = l->site;
	RECORD(WAIT_BEGIN, &r);
}

/* A release is recorded before it is made: the one that gets the lock then must not seem to be first. */
static void finish(struct rec_FILE_LOCK *r, int rc)
{
	int keep = errno;

	r->result = rc < 0 ? (uint64_t)keep : 0;
	RECORD(FILE_LOCK, r);
	errno = keep;
}

bool filelock_is(int cmd)
{
	return cmd == F_SETLK || cmd == F_SETLKW || cmd == F_OFD_SETLK || cmd == F_OFD_SETLKW;
}

int filelock_fcntl(int fd, int cmd, void *arg, uint64_t site, int (*real)(int fd, int cmd, ...))
{
	bool ofd = cmd == F_OFD_SETLK || cmd == F_OFD_SETLKW;
	const struct flock *l = arg;
	struct rec_FILE_LOCK r;
	int rc;

	fill(&r, fd, ofd ? FLOCK_OFD : FLOCK_POSIX, l, site);
	r.attempt = cmd == F_SETLK || cmd == F_OFD_SETLK ? LOCK_TRY : LOCK_PLAIN;
	if (l->l_type == F_UNLCK) {
		finish(&r, 0);
		return real(fd, cmd, arg);
	}
	rc = real(fd, ofd ? F_OFD_SETLK : F_SETLK, arg);
	if (rc < 0 && (errno == EAGAIN || errno == EACCES) &&
		(cmd == F_SETLKW || cmd == F_OFD_SETLKW)) {
		begin_wait(&r, SYS_fcntl, cmd);
		rc = real(fd, cmd, arg);
		wait_end();
	}
	finish(&r, rc);
	return rc;
}

WRAPPER(flock) flock;
int flock(int fd, int op)
{
	struct flock whole = {.l_type = (short)(op & LOCK_SH   ? F_RDLCK
						: op & LOCK_EX ? F_WRLCK
							       : F_UNLCK)};
	struct rec_FILE_LOCK r;
	int rc;

	if (!shim_everything())
		return real_flock()(fd, op);
	fill(&r, fd, FLOCK_FLOCK, &whole, SITE);
	r.attempt = op & LOCK_NB ? LOCK_TRY : LOCK_PLAIN;
	if (op & LOCK_UN) {
		finish(&r, 0);
		return real_flock()(fd, op);
	}
	rc = real_flock()(fd, op | LOCK_NB);
	if (rc < 0 && errno == EWOULDBLOCK && !(op & LOCK_NB)) {
		begin_wait(&r, SYS_flock, op);
		rc = real_flock()(fd, op);
		wait_end();
	}
	finish(&r, rc);
	return rc;
}

static int lock_region(
	int fd, int cmd, off_t len, uint64_t site, int (*real)(int fd, int cmd, off_t len))
{
	struct flock l = {.l_type = (short)(cmd == F_ULOCK ? F_UNLCK : F_WRLCK),
		.l_whence = SEEK_CUR,
		.l_len = len};
	struct rec_FILE_LOCK r;
	int rc;

	if (!shim_everything() || cmd == F_TEST)
		return real(fd, cmd, len);
	fill(&r, fd, FLOCK_POSIX, &l, site);
	r.attempt = cmd == F_LOCK ? LOCK_PLAIN : LOCK_TRY;
	if (cmd == F_ULOCK) {
		finish(&r, 0);
		return real(fd, cmd, len);
	}
	rc = real(fd, cmd == F_LOCK ? F_TLOCK : cmd, len);
	if (rc < 0 && (errno == EAGAIN || errno == EACCES) && cmd == F_LOCK) {
		begin_wait(&r, SYS_fcntl, F_SETLKW);
		rc = real(fd, cmd, len);
		wait_end();
	}
	finish(&r, rc);
	return rc;
}

WRAPPER(lockf) lockf;
int lockf(int fd, int cmd, off_t len)
{
	return lock_region(fd, cmd, len, SITE, real_lockf());
}

WRAPPER(lockf64) lockf64;
int lockf64(int fd, int cmd, off64_t len)
{
	return lock_region(fd, cmd, len, SITE, real_lockf64());
}
