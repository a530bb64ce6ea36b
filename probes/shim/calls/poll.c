/* poll.c - waits for sets of descriptors. */
/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <time.h>

#include "probes/shim/shim.h"
#include "probes/shim/sys.h"
#include "probes/shim/calls/fdlist.h"
#include "probes/shim/calls/kind.h"
#include "probes/shim/calls/wait.h"
#include "schema/compat.h"

REAL(ppoll)
REAL(poll)
REAL(select)
REAL(pselect)
REAL(epoll_wait)
REAL(epoll_pwait)

/* The set of a poll in the records before the wait. */
struct set {
	struct rec_MORE r;
	size_t n;
};

static void set_flush(struct set *s)
{
	if (s->n) {
		s->r.what = MORE_POLL;
		s->r.len = s->n * sizeof(struct rec_poll_item);
		RECORD(MORE, &s->r);
	}
	memset(s, 0, sizeof *s);
}

static void set_add(struct set *s, int fd, short events)
{
	struct rec_poll_item item = {0};
	struct pipe_fd p;

	if (fd < 0)
		return;
	p = pipe_of(fd);
	item.fd = (rec_u32)fd;
	item.events = (rec_u16)events;
	item.file_kind = (rec_u16)(p.file_kind == FILE_OTHER ? fd_kind(fd) : p.file_kind);
	item.peer = item.file_kind == FILE_PIDFD ? fd_process(fd) : 0;
	item.dev = (rec_u32)p.dev;
	item.inode = item.file_kind == FILE_SIGNALFD ? fd_signals(fd) : p.inode;
	memcpy(s->r.data + s->n * sizeof item, &item, sizeof item);
	if (++s->n == sizeof s->r.data / sizeof item)
		set_flush(s);
}

/* A wait for the descriptors of a poll: they come first. */
static void begin_poll(
	struct rec_WAIT_BEGIN *r, long nr, const struct pollfd *fds, nfds_t n, bool timed)
{
	struct set set;

	memset(&set, 0, sizeof set);
	for (nfds_t i = 0; i < n; i++)
		set_add(&set, fds[i].fd, fds[i].events);
	set_flush(&set);
	wait_init(r, nr, n ? WAIT_POLL : timed ? WAIT_SLEEP : WAIT_SIGNAL);
	r->arg1 = n;
	r->timed = timed;
}

/* The signals that are blocked meanwhile; NULL: no others. */
static void set_mask(struct rec_WAIT_BEGIN *r, const sigset_t *mask)
{
	if (mask)
		memcpy(&r->sigmask, mask, sizeof r->sigmask);
}

/* What a call without time said is the answer unless it said "nothing yet" and may wait. */
WRAPPER(poll) poll;
int poll(struct pollfd *fds, nfds_t n, int timeout)
{
	struct rec_WAIT_BEGIN r;
	int rc;

	if (!shim_everything() || timeout == 0)
		return real_poll()(fds, n, timeout);
	rc = real_poll()(fds, n, 0);
	if (rc)
		return rc;
	begin_poll(&r, LIBC_POLL, fds, n, timeout > 0);
	WAIT_CALL(&r, rc, real_poll()(fds, n, timeout));
	return rc;
}

WRAPPER(ppoll) ppoll;
int ppoll(struct pollfd *fds, nfds_t n, const struct timespec *timeout, const sigset_t *mask)
{
	struct timespec zero = {0, 0};
	struct rec_WAIT_BEGIN r;
	int rc;

	if (!shim_everything())
		return real_ppoll()(fds, n, timeout, mask);
	rc = real_ppoll()(fds, n, &zero, mask);
	if (rc || (timeout && !timeout->tv_sec && !timeout->tv_nsec))
		return rc;
	begin_poll(&r, SYS_ppoll, fds, n, timeout != NULL);
	set_mask(&r, mask);
	WAIT_CALL(&r, rc, real_ppoll()(fds, n, timeout, mask));
	return rc;
}

/* The same for a select: those to be read, to be written, and of urgent news. */
static void begin_select(struct rec_WAIT_BEGIN *r, long nr, fd_set *const *sets, int n, bool timed)
{
	static const short events_of[3] = {POLLIN, POLLOUT, POLLPRI};
	struct set set;

	memset(&set, 0, sizeof set);
	for (int fd = 0; fd < n; fd++) {
		short events = 0;

		/* A set of more than FD_SETSIZE is the caller's own memory: no FD_ISSET of <fortify>. */
		for (int i = 0; i < 3; i++)
			if (sets[i] && sets[i]->fds_bits[fd / 64] & 1L << fd % 64)
				events |= events_of[i];
		if (events)
			set_add(&set, fd, events);
	}
	set_flush(&set);
	wait_init(r, nr, n ? WAIT_POLL : timed ? WAIT_SLEEP : WAIT_SIGNAL);
	r->arg0 = (uint64_t)n;
	r->timed = timed;
}

/* The sets are the kernel's to change: a call that finds nothing leaves them empty. */
static void keep_sets(fd_set *const *from, fd_set *keep, int n, bool back)
{
	size_t bytes = (size_t)(n < FD_SETSIZE ? n + 63 : FD_SETSIZE) / 64 * 8;

	for (int i = 0; i < 3; i++)
		if (from[i] && back)
			memcpy(from[i], &keep[i], bytes);
		else if (from[i])
			memcpy(&keep[i], from[i], bytes);
}

WRAPPER(select) select;
int select(int n, fd_set *restrict in, fd_set *restrict out, fd_set *restrict bad,
	struct timeval *restrict timeout)
{
	fd_set *sets[3] = {in, out, bad}, keep[3];
	struct timeval zero = {0, 0};
	struct rec_WAIT_BEGIN r;
	int rc;

	if (!shim_everything() || n > FD_SETSIZE || n < 0 ||
		(timeout && (timeout->tv_sec < 0 || timeout->tv_usec < 0)))
		return real_select()(n, in, out, bad, timeout);
	keep_sets(sets, keep, n, false);
	rc = real_select()(n, in, out, bad, &zero);
	if (rc || (timeout && !timeout->tv_sec && !timeout->tv_usec))
		return rc;
	keep_sets(sets, keep, n, true);
	begin_select(&r, LIBC_SELECT, sets, n, timeout != NULL);
	WAIT_CALL(&r, rc, real_select()(n, in, out, bad, timeout));
	return rc;
}

WRAPPER(pselect) pselect;
int pselect(int n, fd_set *restrict in, fd_set *restrict out, fd_set *restrict bad,
	const struct timespec *restrict timeout, const sigset_t *restrict mask)
{
	fd_set *sets[3] = {in, out, bad}, keep[3];
	struct timespec zero = {0, 0};
	struct rec_WAIT_BEGIN r;
	int rc;

	if (!shim_everything() || n > FD_SETSIZE || n < 0)
		return real_pselect()(n, in, out, bad, timeout, mask);
	keep_sets(sets, keep, n, false);
	rc = real_pselect()(n, in, out, bad, &zero, mask);
	if (rc || (timeout && !timeout->tv_sec && !timeout->tv_nsec))
		return rc;
	keep_sets(sets, keep, n, true);
	begin_select(&r, SYS_pselect6, sets, n, timeout != NULL);
	set_mask(&r, mask);
	WAIT_CALL(&r, rc, real_pselect()(n, in, out, bad, timeout, mask));
	return rc;
}

/* What an epoll descriptor watches stands in its fdinfo: "tfd:        5 events:       19 ...". */
static void add_epoll(struct set *set, int epoll)
{
	char buf[2048], path[64] = "/proc/self/fdinfo/", *to = path + strlen(path);
	unsigned div = 1;
	long n, fd;

	while ((unsigned)epoll / div >= 10)
		div *= 10;
	for (; div; div /= 10)
		*to++ = (char)('0' + (unsigned)epoll / div % 10);
	*to = '\0';
	fd = sys4(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
	n = fd < 0 ? -1 : sys3(SYS_read, fd, buf, sizeof buf - 1);
	if (fd >= 0)
		sys1(SYS_close, fd);
	if (n <= 0)
		return;
	buf[n] = '\0';
	for (char *p = buf; (p = strstr(p, "tfd:"));) {
		unsigned watched = 0, events = 0;

		for (p += 4; *p == ' ';)
			p++;
		for (; *p >= '0' && *p <= '9'; p++)
			watched = watched * 10 + (unsigned)(*p - '0');
		p = strstr(p, "events:");
		if (!p)
			return;
		for (p += 7; *p == ' ';)
			p++;
		for (;; p++) {
			if (*p >= '0' && *p <= '9')
				events = events * 16 + (unsigned)(*p - '0');
			else if (*p >= 'a' && *p <= 'f')
				events = events * 16 + (unsigned)(*p - 'a') + 10;
			else
				break;
		}
		set_add(set, (int)watched, (short)(events & 0x3ff));
	}
	set_flush(set);
}

static int epoll_common(
	int fd, struct epoll_event *events, int n, int timeout, const sigset_t *mask)
{
	struct rec_WAIT_BEGIN r;
	struct set set;
	int rc = real_epoll_pwait()(fd, events, n, 0, mask);

	if (rc || timeout == 0)
		return rc;
	memset(&set, 0, sizeof set);
	add_epoll(&set, fd);
	wait_init(&r, SYS_epoll_pwait, WAIT_POLL);
	r.arg0 = (uint64_t)fd;
	r.timed = timeout > 0;
	set_mask(&r, mask);
	WAIT_CALL(&r, rc, real_epoll_pwait()(fd, events, n, timeout, mask));
	return rc;
}

WRAPPER(epoll_wait) epoll_wait;
int epoll_wait(int fd, struct epoll_event *events, int n, int timeout)
{
	if (!shim_everything())
		return real_epoll_wait()(fd, events, n, timeout);
	return epoll_common(fd, events, n, timeout, NULL);
}

WRAPPER(epoll_pwait) epoll_pwait;
int epoll_pwait(int fd, struct epoll_event *events, int n, int timeout, const sigset_t *mask)
{
	if (!shim_everything())
		return real_epoll_pwait()(fd, events, n, timeout, mask);
	return epoll_common(fd, events, n, timeout, mask);
}
