/* deaths.c - tests of tracer/shim/deaths.c. */
/* SPDX-License-Identifier: MIT */
#include "tracer/shim/shim.h"

#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "schema/compat.h"
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
		.head = {REC_EXIT, sizeof own, REC_SHIM, 2, (rec_u32)pid, (rec_u32)pid}, .last = 1};

	ASSERT(deaths_filter(d, &fork_rec.head, collect, &s));
	ASSERT(deaths_filter(d, &own.head, collect, &s));
	(void)kill(pid, SIGKILL);
	wait_readable(deaths_fd(d));
	deaths_poll(d, collect, &s);
	ASSERT_INT(s.n, 0);
	ASSERT(!deaths_filter(d, &own.head, collect, &s));
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

/* A parent says that it ends at the time 2; its child is killed before it, and both are noticed later. Returns the child's time of end. */
static uint64_t end_of_earlier_child(uint64_t child_record)
{
	struct deaths *d = deaths_new();
	struct seen s = {.n = 0};
	pid_t parent = child(), pid = child();
	struct rec_FORK fork_rec = forked(pid), parent_rec = forked(parent);
	struct rec_EXEC exec = {.head = {REC_EXEC, sizeof exec, REC_SHIM, child_record,
					(rec_u32)pid, (rec_u32)pid}};
	struct rec_EXIT own = {
		.head = {REC_EXIT, sizeof own, REC_SHIM, 2, (rec_u32)parent, (rec_u32)parent},
		.last = 1};
	struct rec_EXIT noticed;
	struct pollfd gone = {.fd = -1};

	ASSERT(deaths_filter(d, &parent_rec.head, collect, &s));
	ASSERT(deaths_filter(d, &fork_rec.head, collect, &s));
	(void)kill(pid, SIGKILL);
	wait_readable(deaths_fd(d));
	deaths_poll(d, collect, &s);
	ASSERT_INT(s.n, 1);
	noticed = s.last;
	(void)kill(parent, SIGTERM);
	gone.fd = (int)syscall(SYS_pidfd_open, parent, 0);
	wait_readable(gone.fd);
	deaths_poll(d, collect, &s);
	ASSERT_INT(s.n, 2);
	ASSERT_INT(s.last.head.pid, parent);
	ASSERT(deaths_filter(d, &own.head, collect, &s));
	ASSERT_INT(s.n, 2);
	if (child_record)
		ASSERT(deaths_filter(d, &exec.head, collect, &s));
	/* Said before the end of the parent was: it is dropped for one with a better time. */
	ASSERT(!deaths_filter(d, &noticed.head, collect, &s));
	ASSERT_INT(s.n, 3);
	ASSERT_INT(s.last.head.pid, pid);
	ASSERT_INT(s.last.group_status, SIGKILL);
	ASSERT(!deaths_filter(d, &noticed.head, collect, &s));
	(void)close(gone.fd);
	deaths_free(d);
	return s.last.head.ts;
}

TEST(deaths_noticed_before_a_parent_that_tells_its_own_are_before_it)
{
	ASSERT_INT(end_of_earlier_child(0), 2);
}

/* The parent was held up between saying that it ends and ending. */
TEST(deaths_noticed_before_a_parent_are_not_before_their_own_records)
{
	ASSERT_INT(end_of_earlier_child(7), 7);
}

/* Both have ended when the child is heard of; the parent is noticed first. Returns the child's time of end. */
static uint64_t end_of_late_child(uint64_t parent_end, uint64_t child_record)
{
	struct deaths *d = deaths_new();
	struct seen s = {.n = 0};
	pid_t parent = child(), pid = child();
	struct rec_FORK fork_rec = forked(pid), parent_rec = forked(parent);
	struct rec_EXEC exec = {
		.head = {REC_EXEC, sizeof exec, 0, child_record, (rec_u32)pid, (rec_u32)pid}};
	struct rec_EXIT ended;
	struct pollfd gone = {.fd = (int)syscall(SYS_pidfd_open, pid, 0)};
	uint64_t ts;

	fork_rec.head.pid = (rec_u32)parent;
	ASSERT(deaths_filter(d, &parent_rec.head, collect, &s));
	(void)kill(pid, SIGKILL);
	wait_readable(gone.fd);
	(void)kill(parent, SIGTERM);
	wait_readable(deaths_fd(d));
	deaths_poll(d, collect, &s);
	ended = s.last;
	ended.head.ts = parent_end;
	ASSERT_INT(ended.head.pid, parent);
	ASSERT(deaths_filter(d, &fork_rec.head, collect, &s));
	ASSERT(deaths_filter(d, &ended.head, collect, &s));
	ASSERT(deaths_filter(d, &exec.head, collect, &s));
	deaths_poll(d, collect, &s);
	ended = s.last;
	ASSERT_INT(ended.head.pid, pid);
	ASSERT(!deaths_filter(d, &ended.head, collect, &s));
	ts = s.last.head.ts;
	ASSERT_INT(s.last.head.pid, pid);
	(void)close(gone.fd);
	deaths_free(d);
	return ts;
}

TEST(deaths_found_late_outlive_a_parent_only_by_their_records)
{
	ASSERT_INT(end_of_late_child(100, 50), 100);
	ASSERT_INT(end_of_late_child(100, 150), 150);
}

TEST(deaths_found_late_say_nothing_about_others)
{
	struct deaths *d = deaths_new();
	struct seen s = {.n = 0};
	pid_t parent = child(), pid = child();
	struct rec_FORK fork_rec = forked(pid), parent_rec = forked(parent);
	struct rec_EXIT own = {
		.head = {REC_EXIT, sizeof own, REC_SHIM, 2, (rec_u32)pid, (rec_u32)pid}, .last = 1};

	ASSERT(deaths_filter(d, &parent_rec.head, collect, &s));
	(void)kill(pid, SIGKILL);
	ASSERT_INT(waitpid(pid, NULL, 0), pid);
	(void)kill(parent, SIGKILL);
	wait_readable(deaths_fd(d));
	/* Its number is gone, and it had told its end itself. */
	ASSERT(deaths_filter(d, &fork_rec.head, collect, &s));
	ASSERT(deaths_filter(d, &own.head, collect, &s));
	ASSERT_INT(s.n, 0);
	deaths_poll(d, collect, &s);
	ASSERT_INT(s.n, 1);
	ASSERT_INT(s.last.head.pid, parent);
	deaths_free(d);
}

TEST(deaths_of_those_who_are_gone_are_without_status)
{
	struct deaths *d = deaths_new();
	struct seen s = {.n = 0};
	pid_t pid = child();
	struct rec_FORK fork_rec = forked(pid);

	(void)kill(pid, SIGKILL);
	ASSERT_INT(waitpid(pid, NULL, 0), pid);
	ASSERT(deaths_filter(d, &fork_rec.head, collect, &s));
	deaths_poll(d, collect, &s);
	ASSERT_INT(s.n, 1);
	ASSERT_INT(s.last.head.pid, pid);
	ASSERT_INT(s.last.last, 1);
	ASSERT(!WIFEXITED((int)s.last.group_status) && !WIFSIGNALED((int)s.last.group_status));
	deaths_free(d);
}

TEST(deaths_leave_the_command_to_the_caller_whatever_is_recorded)
{
	struct deaths *d = deaths_new();
	struct seen s = {.n = 0};
	pid_t pid = child();
	struct rec_FORK fork_rec = forked(pid);
	struct rec_EXIT lie = {
		.head = {REC_EXIT, sizeof lie, REC_SHIM, 2, (rec_u32)pid, (rec_u32)pid}, .last = 1};

	deaths_add(d, pid, true);
	/* It says that it has ended and is born again. */
	(void)deaths_filter(d, &lie.head, collect, &s);
	(void)deaths_filter(d, &fork_rec.head, collect, &s);
	(void)kill(pid, SIGKILL);
	wait_readable(deaths_fd(d));
	deaths_poll(d, collect, &s);
	ASSERT_INT(waitpid(pid, NULL, 0), pid);
	deaths_free(d);
}

/* No process has such a number. */
enum { FIRST_PID = 5000000 };

static void ignore(void *arg, const struct rec_head *rec)
{
	(void)arg;
	(void)rec;
}

/* A child is born, ends and is reaped, as its records say. */
static void live(struct deaths *d, uint32_t pid, uint64_t ts)
{
	uint32_t self = FIRST_PID - 1;
	struct rec_FORK fork = {.head = {REC_FORK, sizeof fork, 0, ts, self, self},
		.child_pid = pid,
		.child_tid = pid};
	struct rec_EXIT end = {.head = {REC_EXIT, sizeof end, 0, ts + 1, pid, pid}, .last = 1};
	struct rec_REAP reap = {
		.head = {REC_REAP, sizeof reap, 0, ts + 2, self, self}, .child_pid = pid};

	(void)deaths_filter(d, &fork.head, ignore, NULL);
	(void)deaths_filter(d, &end.head, ignore, NULL);
	(void)deaths_filter(d, &reap.head, ignore, NULL);
	deaths_poll(d, ignore, NULL);
}

/* A recording that lasts for weeks sees millions of processes. */
TEST(deaths_forgets_who_is_over)
{
	struct deaths *d = deaths_new();
	size_t before, after;
	uint32_t i;

	for (i = 0; i < 4000; i++)
		live(d, FIRST_PID + i, i * 10);
	before = mallinfo2().uordblks;
	for (; i < 24000; i++)
		live(d, FIRST_PID + i, i * 10);
	after = mallinfo2().uordblks;
	ASSERT(after < before + 65536);
	/* A number that is used again is another's. */
	for (i = 23900; i < 24000; i++)
		live(d, FIRST_PID + i, 1000000 + i * 10);
	deaths_free(d);
}
