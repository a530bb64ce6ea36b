/* deaths.c - tests of tracer/deaths.c. */
/* SPDX-License-Identifier: MIT */
#include "tracer/deaths.h"

#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "schema/record.h"
#include "tests/unit/test.h"

struct seen {
	struct rec_EXIT last;
	struct rec_REAP reap;
	int n, n_reaps;
};

static void collect(void *arg, const struct rec_head *rec)
{
	struct seen *s = arg;

	if (rec->kind == REC_REAP) {
		s->reap = *(const struct rec_REAP *)(const void *)rec;
		s->n_reaps++;
		return;
	}
	s->last = *(const struct rec_EXIT *)(const void *)rec;
	s->n++;
}

static pid_t child(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		(void)pause();
		_exit(0);
	}
	return pid;
}

static struct rec_FORK forked(pid_t pid)
{
	return (struct rec_FORK){.head = {REC_FORK, sizeof(struct rec_FORK), 0, 1, 1, 1},
		.child_pid = (rec_u64)pid,
		.child_tid = (rec_u64)pid};
}

static void wait_readable(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	ASSERT_INT(poll(&p, 1, 10000), 1);
}

TEST(deaths_by_signal_become_records)
{
	struct deaths *d = deaths_new();
	struct seen s = {.n = 0};
	pid_t pid = child();
	struct rec_FORK fork_rec = forked(pid);

	ASSERT(deaths_filter(d, &fork_rec.head, collect, &s));
	deaths_poll(d, collect, &s);
	ASSERT_INT(s.n, 0);
	(void)kill(pid, SIGKILL);
	wait_readable(deaths_fd(d));
	deaths_poll(d, collect, &s);
	ASSERT_INT(s.n, 1);
	ASSERT_INT(s.last.head.pid, pid);
	ASSERT_INT(s.last.group_status, SIGKILL);
	ASSERT_INT(s.last.last, 1);
	/* It was ours to reap. */
	ASSERT_INT(s.n_reaps, 1);
	ASSERT_INT(s.reap.head.pid, getpid());
	ASSERT_INT(s.reap.child_pid, pid);
	ASSERT_INT(waitpid(pid, NULL, WNOHANG), -1);
	deaths_free(d);
}

TEST(deaths_that_were_reported_are_not_said_twice)
{
	struct deaths *d = deaths_new();
	struct seen s = {.n = 0};
	pid_t pid = child();
	struct rec_FORK fork_rec = forked(pid);
	struct rec_EXIT own = {
		.head = {REC_EXIT, sizeof own, 0, 2, (rec_u32)pid, (rec_u32)pid}, .last = 1};

	ASSERT(deaths_filter(d, &fork_rec.head, collect, &s));
	ASSERT(deaths_filter(d, &own.head, collect, &s));
	(void)kill(pid, SIGKILL);
	wait_readable(deaths_fd(d));
	deaths_poll(d, collect, &s);
	ASSERT_INT(s.n, 1);
	ASSERT(!deaths_filter(d, &s.last.head, collect, &s));
	deaths_free(d);
}

TEST(deaths_come_before_the_reaping_that_tells_of_them)
{
	struct deaths *d = deaths_new();
	struct seen s = {.n = 0};
	pid_t pid = child();
	struct rec_FORK fork_rec = forked(pid);
	struct rec_REAP reap = {.head = {REC_REAP, sizeof reap, 0, 5, 1, 1},
		.child_pid = (rec_u64)pid,
		.status = SIGTERM};

	ASSERT(deaths_filter(d, &fork_rec.head, collect, &s));
	ASSERT(deaths_filter(d, &reap.head, collect, &s));
	ASSERT_INT(s.n, 1);
	ASSERT_INT(s.last.head.ts, 5);
	ASSERT_INT(s.last.group_status, SIGTERM);
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
	deaths_free(d);
}
