/* shim_wait.c - waits for children, descriptors, time and signals. */
/* SPDX-License-Identifier: MIT */
#include "probes/shim_wait.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/wait.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

#include "probes/shim_kind.h"
#include "probes/shim_sys.h"

REAL(wait4)
REAL(waitid)
REAL(ppoll)
REAL(poll)
REAL(select)
REAL(pselect)
REAL(epoll_wait)
REAL(epoll_pwait)
REAL(nanosleep)
REAL(clock_nanosleep)
REAL(usleep)
REAL(sleep)
REAL(thrd_sleep)
REAL(pause)
REAL(sigsuspend)
REAL(sigwait)
REAL(sigwaitinfo)
REAL(sigtimedwait)

/*
 * Where it can be done without changing anything, the call is made once so
 * that it does not wait: a wait is recorded only if there is something to
 * wait for, as the kernel side does.
 */

void wait_init(struct rec_WAIT_BEGIN *r, long nr, unsigned reason)
{
	memset(r, 0, sizeof *r);
	r->syscall = (uint64_t)nr;
	r->reason = reason;
	r->state = 1;
	sys4(SYS_rt_sigprocmask, SIG_BLOCK, NULL, &r->sigmask, 8);
}

void wait_end(void)
{
	struct rec_WAIT_END r;
	int keep = errno;

	memset(&r, 0, sizeof r);
	RECORD(WAIT_END, &r);
	errno = keep;
}

void wait_cancelled(void *unused)
{
	(void)unused;
	wait_end();
}

/* ---- Children ---- */

static void reaped(pid_t pid, int status, int options)
{
	struct rec_REAP r;
	int keep = errno;

	memset(&r, 0, sizeof r);
	r.child_pid = (uint64_t)pid;
	r.status = (uint64_t)(unsigned)status;
	r.options = (uint64_t)(unsigned)options;
	RECORD(REAP, &r);
	errno = keep;
}

WRAPPER(wait4) wait4;
pid_t wait4(pid_t pid, int *status, int options, struct rusage *usage)
{
	struct rec_WAIT_BEGIN r;
	int mine = 0;
	pid_t rc;

	if (!shim_everything())
		return real_wait4()(pid, status, options, usage);
	rc = real_wait4()(pid, &mine, options | WNOHANG, usage);
	if (rc == 0 && !(options & WNOHANG)) {
		wait_init(&r, SYS_wait4, WAIT_CHILD);
		r.arg0 = (uint64_t)(int64_t)pid;
		r.arg2 = (uint64_t)(unsigned)options;
		r.peer = pid > 0 ? (uint64_t)pid : 0;
		WAIT_CALL(&r, rc, real_wait4()(pid, &mine, options, usage));
	}
	if (rc > 0) {
		reaped(rc, mine, options);
		if (status)
			*status = mine;
	}
	return rc;
}

WRAPPER(waitpid) waitpid;
pid_t waitpid(pid_t pid, int *status, int options)
{
	return wait4(pid, status, options, NULL);
}

WRAPPER(wait) wait;
pid_t wait(int *status)
{
	return wait4(-1, status, 0, NULL);
}

WRAPPER(wait3) wait3;
pid_t wait3(int *status, int options, struct rusage *usage)
{
	return wait4(-1, status, options, usage);
}

static int status_of(const siginfo_t *info)
{
	switch (info->si_code) {
	case CLD_EXITED:
		return info->si_status << 8;
	case CLD_DUMPED:
		return info->si_status | 0x80;
	case CLD_KILLED:
		return info->si_status;
	case CLD_CONTINUED:
		return 0xffff;
	default:
		return info->si_status << 8 | 0x7f;
	}
}

WRAPPER(waitid) waitid;
int waitid(idtype_t type, id_t id, siginfo_t *info, int options)
{
	siginfo_t mine;
	struct rec_WAIT_BEGIN r;
	int rc;

	if (!shim_everything())
		return real_waitid()(type, id, info, options);
	memset(&mine, 0, sizeof mine);
	rc = real_waitid()(type, id, &mine, options | WNOHANG);
	if (rc == 0 && mine.si_pid == 0 && !(options & WNOHANG)) {
		wait_init(&r, SYS_waitid, WAIT_CHILD);
		r.arg0 = type;
		r.arg1 = id;
		r.arg3 = (uint64_t)(unsigned)options;
		r.peer = type == P_PID ? id : type == P_PIDFD ? fd_process((int)id) : 0;
		WAIT_CALL(&r, rc, real_waitid()(type, id, &mine, options));
	}
	if (rc == 0 && mine.si_pid)
		reaped(mine.si_pid, status_of(&mine), options);
	if (rc == 0 && info)
		*info = mine;
	return rc;
}

/* ---- Sets of descriptors ---- */

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
	item.inode = p.inode;
	memcpy(s->r.data + s->n * sizeof item, &item, sizeof item);
	if (++s->n == sizeof s->r.data / sizeof item)
		set_flush(s);
}

/* What a call without time said is the answer unless it said "nothing yet" and may wait. */
WRAPPER(poll) poll;
int poll(struct pollfd *fds, nfds_t n, int timeout)
{
	struct rec_WAIT_BEGIN r;
	struct set set;
	int rc;

	if (!shim_everything() || timeout == 0)
		return real_poll()(fds, n, timeout);
	rc = real_poll()(fds, n, 0);
	if (rc)
		return rc;
	memset(&set, 0, sizeof set);
	for (nfds_t i = 0; i < n; i++)
		set_add(&set, fds[i].fd, fds[i].events);
	set_flush(&set);
	wait_init(&r, SYS_poll, n ? WAIT_POLL : timeout < 0 ? WAIT_SIGNAL : WAIT_SLEEP);
	r.arg1 = n;
	r.timed = timeout > 0;
	WAIT_CALL(&r, rc, real_poll()(fds, n, timeout));
	return rc;
}

WRAPPER(ppoll) ppoll;
int ppoll(struct pollfd *fds, nfds_t n, const struct timespec *timeout, const sigset_t *mask)
{
	struct timespec zero = {0, 0};
	struct rec_WAIT_BEGIN r;
	struct set set;
	int rc;

	if (!shim_everything())
		return real_ppoll()(fds, n, timeout, mask);
	rc = real_ppoll()(fds, n, &zero, mask);
	if (rc || (timeout && !timeout->tv_sec && !timeout->tv_nsec))
		return rc;
	memset(&set, 0, sizeof set);
	for (nfds_t i = 0; i < n; i++)
		set_add(&set, fds[i].fd, fds[i].events);
	set_flush(&set);
	wait_init(&r, SYS_ppoll, n ? WAIT_POLL : timeout ? WAIT_SLEEP : WAIT_SIGNAL);
	r.arg1 = n;
	r.timed = timeout != NULL;
	if (mask)
		memcpy(&r.sigmask, mask, sizeof r.sigmask);
	WAIT_CALL(&r, rc, real_ppoll()(fds, n, timeout, mask));
	return rc;
}

static void add_sets(struct set *set, int n, const fd_set *in, const fd_set *out, const fd_set *bad)
{
	for (int fd = 0; fd < n; fd++) {
		short events = 0;

		/* A set of more than FD_SETSIZE is the caller's own memory: no FD_ISSET of <fortify>. */
		if (in && in->fds_bits[fd / 64] & 1L << fd % 64)
			events |= POLLIN;
		if (out && out->fds_bits[fd / 64] & 1L << fd % 64)
			events |= POLLOUT;
		if (bad && bad->fds_bits[fd / 64] & 1L << fd % 64)
			events |= POLLPRI;
		if (events)
			set_add(set, fd, events);
	}
	set_flush(set);
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
	struct set set;
	int rc;

	if (!shim_everything() || n > FD_SETSIZE || n < 0 ||
		(timeout && (timeout->tv_sec < 0 || timeout->tv_usec < 0)))
		return real_select()(n, in, out, bad, timeout);
	keep_sets(sets, keep, n, false);
	rc = real_select()(n, in, out, bad, &zero);
	if (rc || (timeout && !timeout->tv_sec && !timeout->tv_usec))
		return rc;
	keep_sets(sets, keep, n, true);
	memset(&set, 0, sizeof set);
	add_sets(&set, n, in, out, bad);
	wait_init(&r, SYS_select, n ? WAIT_POLL : timeout ? WAIT_SLEEP : WAIT_SIGNAL);
	r.arg0 = (uint64_t)n;
	r.timed = timeout != NULL;
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
	struct set set;
	int rc;

	if (!shim_everything() || n > FD_SETSIZE || n < 0)
		return real_pselect()(n, in, out, bad, timeout, mask);
	keep_sets(sets, keep, n, false);
	rc = real_pselect()(n, in, out, bad, &zero, mask);
	if (rc || (timeout && !timeout->tv_sec && !timeout->tv_nsec))
		return rc;
	keep_sets(sets, keep, n, true);
	memset(&set, 0, sizeof set);
	add_sets(&set, n, in, out, bad);
	wait_init(&r, SYS_pselect6, n ? WAIT_POLL : timeout ? WAIT_SLEEP : WAIT_SIGNAL);
	r.arg0 = (uint64_t)n;
	r.timed = timeout != NULL;
	if (mask)
		memcpy(&r.sigmask, mask, sizeof r.sigmask);
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
	if (mask)
		memcpy(&r.sigmask, mask, sizeof r.sigmask);
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

/* ---- Time ---- */

static void begin_sleep(struct rec_WAIT_BEGIN *r, long nr)
{
	wait_init(r, nr, WAIT_SLEEP);
	r->timed = 1;
}

WRAPPER(nanosleep) nanosleep;
int nanosleep(const struct timespec *t, struct timespec *left)
{
	struct rec_WAIT_BEGIN r;
	int rc;

	if (!shim_everything())
		return real_nanosleep()(t, left);
	begin_sleep(&r, SYS_nanosleep);
	WAIT_CALL(&r, rc, real_nanosleep()(t, left));
	return rc;
}

WRAPPER(clock_nanosleep) clock_nanosleep;
int clock_nanosleep(clockid_t clock, int flags, const struct timespec *t, struct timespec *left)
{
	struct rec_WAIT_BEGIN r;
	int rc;

	if (!shim_everything())
		return real_clock_nanosleep()(clock, flags, t, left);
	begin_sleep(&r, SYS_clock_nanosleep);
	WAIT_CALL(&r, rc, real_clock_nanosleep()(clock, flags, t, left));
	return rc;
}

WRAPPER(usleep) usleep;
int usleep(useconds_t us)
{
	struct rec_WAIT_BEGIN r;
	int rc;

	if (!shim_everything())
		return real_usleep()(us);
	begin_sleep(&r, SYS_clock_nanosleep);
	WAIT_CALL(&r, rc, real_usleep()(us));
	return rc;
}

WRAPPER(sleep) sleep;
unsigned sleep(unsigned s)
{
	struct rec_WAIT_BEGIN r;
	unsigned rc;

	if (!shim_everything())
		return real_sleep()(s);
	begin_sleep(&r, SYS_clock_nanosleep);
	WAIT_CALL(&r, rc, real_sleep()(s));
	return rc;
}

WRAPPER(thrd_sleep) thrd_sleep;
int thrd_sleep(const struct timespec *t, struct timespec *left)
{
	struct rec_WAIT_BEGIN r;
	int rc;

	if (!shim_everything())
		return real_thrd_sleep()(t, left);
	begin_sleep(&r, SYS_clock_nanosleep);
	WAIT_CALL(&r, rc, real_thrd_sleep()(t, left));
	return rc;
}

/* ---- Signals ---- */

WRAPPER(pause) pause;
int pause(void)
{
	struct rec_WAIT_BEGIN r;
	int rc;

	if (!shim_everything())
		return real_pause()();
	wait_init(&r, SYS_rt_sigsuspend, WAIT_SIGNAL);
	WAIT_CALL(&r, rc, real_pause()());
	return rc;
}

WRAPPER(sigsuspend) sigsuspend;
int sigsuspend(const sigset_t *mask)
{
	struct rec_WAIT_BEGIN r;
	int rc;

	if (!shim_everything())
		return real_sigsuspend()(mask);
	wait_init(&r, SYS_rt_sigsuspend, WAIT_SIGNAL);
	memcpy(&r.sigmask, mask, sizeof r.sigmask);
	WAIT_CALL(&r, rc, real_sigsuspend()(mask));
	return rc;
}

/* A signal that a wait takes runs no handler: it is recorded here. */
static void taken(int signo, int code)
{
	struct rec_SIG_DELIVER r;
	int keep = errno;

	memset(&r, 0, sizeof r);
	r.signo = (uint64_t)signo;
	r.code = (uint64_t)(int64_t)code;
	r.syscall = SYS_rt_sigtimedwait;
	RECORD(SIG_DELIVER, &r);
	errno = keep;
}

static void begin_sigwait(struct rec_WAIT_BEGIN *r, const sigset_t *set, bool timed)
{
	uint64_t bits;

	memcpy(&bits, set, sizeof bits);
	wait_init(r, SYS_rt_sigtimedwait, WAIT_SIGNAL);
	r->arg0 = ADDR(set);
	r->sigmask &= ~bits;
	r->timed = timed;
}

WRAPPER(sigwait) sigwait;
int sigwait(const sigset_t *restrict set, int *restrict sig)
{
	struct rec_WAIT_BEGIN r;
	int rc;

	if (!shim_everything())
		return real_sigwait()(set, sig);
	begin_sigwait(&r, set, false);
	WAIT_CALL(&r, rc, real_sigwait()(set, sig));
	if (rc == 0)
		taken(*sig, 0);
	return rc;
}

WRAPPER(sigwaitinfo) sigwaitinfo;
int sigwaitinfo(const sigset_t *restrict set, siginfo_t *restrict info)
{
	struct rec_WAIT_BEGIN r;
	int rc;

	if (!shim_everything())
		return real_sigwaitinfo()(set, info);
	begin_sigwait(&r, set, false);
	WAIT_CALL(&r, rc, real_sigwaitinfo()(set, info));
	if (rc > 0)
		taken(rc, info ? info->si_code : 0);
	return rc;
}

WRAPPER(sigtimedwait) sigtimedwait;
int sigtimedwait(const sigset_t *restrict set, siginfo_t *restrict info,
	const struct timespec *restrict timeout)
{
	struct rec_WAIT_BEGIN r;
	int rc;

	if (!shim_everything())
		return real_sigtimedwait()(set, info, timeout);
	begin_sigwait(&r, set, timeout != NULL);
	WAIT_CALL(&r, rc, real_sigtimedwait()(set, info, timeout));
	if (rc > 0)
		taken(rc, info ? info->si_code : 0);
	return rc;
}
