/* limits.c - limits and signals that pptrace changes for itself and that the command must not inherit. */
/* SPDX-License-Identifier: MIT */
#include "tracer/target/limits.h"

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/mem.h"

/* Enough for the maps and programs, the database and a few rings and pipes. */
enum { FILES_WANTED = 1024 };

/* Kept for the child, which has only what the fork left it. */
static struct {
	int which;
	rlim_t wanted;
	bool saved;
	struct rlimit was;
} limits[] = {
	{.which = RLIMIT_NOFILE, .wanted = FILES_WANTED},
	{.which = RLIMIT_MEMLOCK, .wanted = RLIM_INFINITY},
	{.which = RLIMIT_FSIZE, .wanted = RLIM_INFINITY},
	{.which = RLIMIT_CPU, .wanted = RLIM_INFINITY},
};

static struct {
	bool saved;
	struct sigaction was;
} too_large;

/*
 * Once there is a thread glibc has a handler for this signal (SIGSETXID, nptl/pthread_create.c), which its own sigaction
 * neither shows nor sets: the kernel is asked. A command for which somebody ignored it must find it ignored.
 */
enum { SETXID = 33, SIGNAL_SET_BYTES = 8 };
static struct {
	void (*handler)(int);
	char rest[56]; /* flags and what else the kernel has there, on any processor: 0 */
} setxid;

static void setxid_keep(void)
{
	if (syscall(SYS_rt_sigaction, SETXID, NULL, &setxid, SIGNAL_SET_BYTES) < 0)
		setxid.handler = SIG_DFL;
}

static void setxid_restore(void)
{
	if (setxid.handler == SIG_IGN)
		(void)syscall(SYS_rt_sigaction, SETXID, &setxid, NULL, SIGNAL_SET_BYTES);
}

void limits_raise(void)
{
	const struct sigaction ignore = {.sa_handler = SIG_IGN};

	if (!too_large.saved) {
		setxid_keep();
		too_large.saved = sigaction(SIGXFSZ, &ignore, &too_large.was) == 0;
	}
	for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
		struct rlimit to;

		if (limits[i].saved || getrlimit(limits[i].which, &limits[i].was) < 0)
			continue;
		limits[i].saved = true;
		to = limits[i].was;
		if (to.rlim_max < limits[i].wanted)
			to.rlim_max = limits[i].wanted;
		to.rlim_cur = to.rlim_max;
		if (setrlimit(limits[i].which, &to) == 0)
			continue;
		/* Only a privileged process may raise the upper one. */
		to.rlim_cur = to.rlim_max = limits[i].was.rlim_max;
		(void)setrlimit(limits[i].which, &to);
	}
}

void limits_restore(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(limits); i++)
		if (limits[i].saved)
			(void)setrlimit(limits[i].which, &limits[i].was);
	if (too_large.saved)
		(void)sigaction(SIGXFSZ, &too_large.was, NULL);
	setxid_restore();
}

void limits_die_first(void)
{
	static const char most[] = "1000";
	_cleanup_close_ int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	/* Where it may not be raised the kernel chooses by size alone. */
	if (fd >= 0 && write(fd, most, sizeof most - 1) < 0)
		return;
}
