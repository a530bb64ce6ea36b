/* share.c - push a recording that this process makes: at its end, or while it grows. */
/* SPDX-License-Identifier: MIT */
#include "cli/common/share.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "cli/common/say.h"
#include "fleet/fleet.h"

static pid_t sender;

bool share_option(const char *command, const char *argument, enum share_mode *ret)
{
	_cleanup_buf_ struct buf why = BUF_INIT;
	struct server *s = NULL;

	if (argument && strcmp(argument, "live") != 0) {
		warn("%s: --push takes no argument or 'live', not '%s'", command, argument);
		return false;
	}
	if (server_open(&s, NULL, NULL, 0, &why) < 0) {
		warn("%s: --push: %s", command, why.data);
		return false;
	}
	server_close(s);
	*ret = argument ? SHARE_LIVE : SHARE_AT_END;
	return true;
}

/* A process of its own, so that nothing that is slow or breaks there touches this one. */
static pid_t start(const char *path, bool follow)
{
	const char *argv[] = {"pptrace", "push", say_is_quiet() ? "-q" : "--color=never",
		follow ? "--follow" : "--color=never", "--", path, NULL};
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	/* Whoever interrupts the recording wants it all the more. */
	(void)signal(SIGINT, SIG_IGN);
	(void)signal(SIGTERM, SIG_IGN);
	(void)signal(SIGHUP, SIG_IGN);
	(void)execv("/proc/self/exe", (char *const *)argv);
	_exit(127);
}

void share_begin(enum share_mode mode, const char *path)
{
	if (mode == SHARE_LIVE)
		sender = start(path, true);
}

void share_end(enum share_mode mode, const char *path)
{
	const uint64_t patience_ns = 60000000000u;
	const struct timespec pause = {.tv_nsec = 20000000};
	uint64_t end = clock_now() + patience_ns;
	int status = 0;
	pid_t ended;

	if (mode == SHARE_OFF)
		return;
	if (mode == SHARE_AT_END)
		sender = start(path, false);
	while ((ended = waitpid(sender, &status, WNOHANG)) == 0 && clock_now() < end)
		(void)nanosleep(&pause, NULL);
	if (!ended)
		note("%s is still being pushed; if that fails, run 'pptrace push %s' again", path,
			path);
	else if (sender < 0 || (ended == sender && status != 0))
		warn("%s was not pushed completely; nothing is lost: 'pptrace push %s' sends the rest",
			path, path);
}
