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

/* fcntl and lockf say so in one of two ways (fcntl(2)). */
static bool is_refused(void)
{
	return errno == EAGAIN || errno == EACCES;
}

/*
 * Makes a call that locks or unlocks, records it, and returns what it does: first as attempt, which does not wait, and if that fails and
 * waits is true then, as the program made it. r (struct rec_FILE_LOCK *) is filled; the wait is recorded as one in the
 * system call nr, with command cmd.
 */
#define LOCK_CALL(r, unlocks, attempt, waits, nr, cmd, call)                                       \
	do {                                                                                       \
		int rc_;                                                                           \
                                                                                                   \
		if (unlocks) {                                                                     \
			finish((r), 0);                                                            \
			return (call);                                                             \
		}                                                                                  \
		rc_ = (attempt);                                                                   \
		if (rc_ < 0 && (waits)) {                                                          \
			begin_wait((r), (nr), (cmd));                                              \
			rc_ = (call);                                                              \
			wait_end();                                                                \
		}                                                                                  \
		finish((r), rc_);                                                                  \
		return rc_;                                                                        \
	} while (0)

int filelock_fcntl(int fd, int cmd, void *arg, uint64_t site, int (*real)(int fd, int cmd, ...))
{
	bool ofd = cmd == F_OFD_SETLK || cmd == F_OFD_SETLKW;
	bool waits = cmd == F_SETLKW || cmd == F_OFD_SETLKW;
	const struct flock *l = arg;
	struct rec_FILE_LOCK r;

	fill(&r, fd, ofd ? FLOCK_OFD : FLOCK_POSIX, l, site);
	r.attempt = waits ? LOCK_PLAIN : LOCK_TRY;
	LOCK_CALL(&r, l->l_type == F_UNLCK, real(fd, ofd ? F_OFD_SETLK : F_SETLK, arg),
		waits && is_refused(), SYS_fcntl, cmd, real(fd, cmd, arg));
}

WRAPPER(flock) flock;
int flock(int fd, int op)
{
	struct flock whole = {.l_type = (short)(op & LOCK_SH   ? F_RDLCK
						: op & LOCK_EX ? F_WRLCK
							       : F_UNLCK)};
	bool waits = !(op & LOCK_NB);
	struct rec_FILE_LOCK r;

	if (!shim_everything())
		return real_flock()(fd, op);
	fill(&r, fd, FLOCK_FLOCK, &whole, SITE);
	r.attempt = waits ? LOCK_PLAIN : LOCK_TRY;
	LOCK_CALL(&r, op & LOCK_UN, real_flock()(fd, op | LOCK_NB), waits && errno == EWOULDBLOCK,
		SYS_flock, op, real_flock()(fd, op));
}

static int lock_region(
	int fd, int cmd, off_t len, uint64_t site, int (*real)(int fd, int cmd, off_t len))
{
	struct flock l = {.l_type = (short)(cmd == F_ULOCK ? F_UNLCK : F_WRLCK),
		.l_whence = SEEK_CUR,
		.l_len = len};
	bool waits = cmd == F_LOCK;
	struct rec_FILE_LOCK r;

	if (!shim_everything() || cmd == F_TEST)
		return real(fd, cmd, len);
	fill(&r, fd, FLOCK_POSIX, &l, site);
	r.attempt = waits ? LOCK_PLAIN : LOCK_TRY;
	LOCK_CALL(&r, cmd == F_ULOCK, real(fd, waits ? F_TLOCK : cmd, len), waits && is_refused(),
		SYS_fcntl, F_SETLKW, real(fd, cmd, len));
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
