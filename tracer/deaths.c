/* deaths.c - notice the end of processes that cannot report it themselves. */
/* SPDX-License-Identifier: MIT */
#include "tracer/deaths.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/mem.h"
#include "schema/record.h"

enum { EVENTS_AT_ONCE = 64 };

struct life {
	pid_t pid;
	int pidfd;     /* -1: not watched any more */
	bool spare;    /* its status is not ours to take */
	bool reported; /* the model has got its EXIT */
};

struct deaths {
	int epoll;
	struct hash lives; /* by pid */
};

struct deaths *deaths_new(void)
{
	struct deaths *d = xcalloc(1, sizeof *d);

	d->epoll = epoll_create1(EPOLL_CLOEXEC);
	(void)prctl(PR_SET_CHILD_SUBREAPER, 1);
	return d;
}

static void life_end(struct life *l)
{
	if (l->pidfd >= 0)
		(void)close(steal_fd(&l->pidfd));
}

void deaths_free(struct deaths *d)
{
	struct hash_slot *slot;

	if (!d)
		return;
	for (size_t pos = 0; (slot = hash_next(&d->lives, &pos));) {
		life_end(slot->value);
		free(slot->value);
	}
	hash_done(&d->lives);
	if (d->epoll >= 0)
		(void)close(d->epoll);
	free(d);
}

void deaths_add(struct deaths *d, pid_t pid, bool spare)
{
	struct life *l = hash_get(&d->lives, (uint64_t)pid);
	struct epoll_event event = {.events = EPOLLIN};

	if (l && !l->reported)
		return;
	if (!l) {
		l = xcalloc(1, sizeof *l);
		(void)hash_set(&d->lives, (uint64_t)pid, l);
	} else {
		life_end(l);
	}
	*l = (struct life){.pid = pid, .spare = spare};
	l->pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	event.data.ptr = l;
	if (l->pidfd >= 0 && epoll_ctl(d->epoll, EPOLL_CTL_ADD, l->pidfd, &event) < 0)
		life_end(l);
}

int deaths_fd(const struct deaths *d)
{
	return d->epoll;
}

/* Reads the status of a zombie: the last field of /proc/PID/stat. */
static bool zombie_status(pid_t pid, int *ret)
{
	_cleanup_free_ char *path = xasprintf("/proc/%d/stat", (int)pid);
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	char line[1024];
	ssize_t n = fd >= 0 ? read(fd, line, sizeof line - 1) : -1;
	char *state, *last;

	if (n <= 0)
		return false;
	line[n] = '\0';
	state = strrchr(line, ')');
	last = strrchr(line, ' ');
	if (!state || state[1] != ' ' || state[2] != 'Z' || !last)
		return false;
	*ret = atoi(last + 1);
	return true;
}

/* As in linux/pidfd.h since Linux 6.15. */
struct pidfd_exit {
	uint64_t mask, cgroup;
	uint32_t ids[11];
	int32_t status;
};
#define PIDFD_GET _IOWR(0xFF, 11, struct pidfd_exit)
#define PIDFD_EXIT 8u

/*
 * A parent that is killed together with its child may still reap it, and never
 * tells: then the descriptor alone knows the status, from Linux 6.15 on.
 */
static bool kept_status(int pidfd, int *ret)
{
	struct pidfd_exit info = {.mask = PIDFD_EXIT};

	if (ioctl(pidfd, PIDFD_GET, &info) < 0 || !(info.mask & PIDFD_EXIT))
		return false;
	*ret = info.status;
	return true;
}

static bool status_of(const struct life *l, int *ret)
{
	return zombie_status(l->pid, ret) || kept_status(l->pidfd, ret);
}

static void emit_exit(pid_t pid, uint64_t ts, int status, source_emit *emit, void *arg)
{
	struct rec_EXIT rec = {.head = {REC_EXIT, sizeof rec, 0, ts, (rec_u32)pid, (rec_u32)pid},
		.status = (rec_u64)(unsigned)status,
		.last = 1,
		.by = WIFSIGNALED(status) ? EXIT_BY_OTHER : EXIT_BY_UNKNOWN,
		.group_status = (rec_u64)(unsigned)status};

	emit(arg, &rec.head);
}

static void emit_reap(pid_t pid, uint64_t ts, int status, source_emit *emit, void *arg)
{
	rec_u32 self = (rec_u32)getpid();
	struct rec_REAP rec = {.head = {REC_REAP, sizeof rec, 0, ts, self, self},
		.child_pid = (rec_u64)pid,
		.status = (rec_u64)(unsigned)status};

	emit(arg, &rec.head);
}

static uint64_t now_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void bury(struct life *l, bool is_known, int status, source_emit *emit, void *arg)
{
	uint64_t ts = now_ns();

	life_end(l);
	if (is_known)
		emit_exit(l->pid, ts, status, emit, arg);
	/* An orphan is ours to reap; another's child makes this fail. */
	if (!l->spare && waitpid(l->pid, &status, WNOHANG) == l->pid)
		emit_reap(l->pid, ts, status, emit, arg);
}

void deaths_poll(struct deaths *d, source_emit *emit, void *arg)
{
	struct epoll_event events[EVENTS_AT_ONCE];
	int n;

	do {
		n = epoll_wait(d->epoll, events, EVENTS_AT_ONCE, 0);
		for (int i = 0; i < n; i++) {
			struct life *l = events[i].data.ptr;
			int status = 0;
			bool is_known = status_of(l, &status);

			bury(l, is_known, status, emit, arg);
		}
	} while (n == EVENTS_AT_ONCE);
}

void deaths_settle(struct deaths *d, source_emit *emit, void *arg)
{
	struct hash_slot *slot;

	for (size_t pos = 0; (slot = hash_next(&d->lives, &pos));) {
		struct life *l = slot->value;
		int status;

		if (l->pidfd >= 0 && status_of(l, &status))
			bury(l, true, status, emit, arg);
	}
}

void deaths_ended(struct deaths *d, pid_t pid, int status, source_emit *emit, void *arg)
{
	struct life *l = hash_get(&d->lives, (uint64_t)pid);

	/* Not watched any more: deaths_poll was faster. */
	if (!l || l->pidfd < 0)
		return;
	life_end(l);
	emit_exit(pid, now_ns(), status, emit, arg);
}

bool deaths_filter(struct deaths *d, const struct rec_head *rec, source_emit *emit, void *arg)
{
	struct life *l;

	if (rec->kind == REC_FORK && rec->size == sizeof(struct rec_FORK)) {
		const struct rec_FORK *f = (const void *)rec;

		if (f->child_pid != rec->pid)
			deaths_add(d, (pid_t)f->child_pid, false);
	} else if (rec->kind == REC_EXIT && rec->size == sizeof(struct rec_EXIT)) {
		l = hash_get(&d->lives, rec->pid);
		if (l && l->reported)
			return false;
		if (l && ((const struct rec_EXIT *)(const void *)rec)->last)
			l->reported = true;
	} else if (rec->kind == REC_REAP && rec->size == sizeof(struct rec_REAP)) {
		const struct rec_REAP *r = (const void *)rec;
		int status = (int)r->status;

		l = hash_get(&d->lives, r->child_pid);
		if (l && !l->reported && (WIFEXITED(status) || WIFSIGNALED(status))) {
			l->reported = true;
			emit_exit(l->pid, rec->ts, status, emit, arg);
		}
	}
	return true;
}
