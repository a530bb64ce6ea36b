/* command.c - a new command under the live view: it is recorded by a process of its own. */
/* SPDX-License-Identifier: MIT */
#include "cli/top/top.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"

enum { LOOK_MS = 20, GRACE_MS = 3000, STATUS_FAILED = 125, STATUS_SIGNAL = 128, BLOCK = 65536 };

/* In the recorder: the screen is top's, so nothing of the command may reach the terminal. */
static _Noreturn void record(const struct top_command *c, pid_t parent)
{
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent)
		_exit(STATUS_FAILED);
	/* Keys that are signals are for top, which passes its own end on. */
	(void)setpgid(0, 0);
	if (null < 0 || dup2(null, STDIN_FILENO) < 0 ||
		dup2(fileno(c->output[0]), STDOUT_FILENO) < 0 ||
		dup2(fileno(c->output[1]), STDERR_FILENO) < 0)
		_exit(STATUS_FAILED);
	optind = 0; /* getopt begins anew */
	exit(c->record(c->argc, c->argv));
}

static bool has_ended(struct top_command *c, int flags)
{
	int status;

	if (!c->has_ended && waitpid(c->pid, &status, flags) == c->pid) {
		c->has_ended = true;
		c->status =
			WIFEXITED(status) ? WEXITSTATUS(status) : STATUS_SIGNAL + WTERMSIG(status);
	}
	return c->has_ended;
}

/* The recording that was there before is renamed, not written to. */
static bool is_there(const struct top_command *c)
{
	struct stat st;

	return stat(c->path, &st) == 0 && (st.st_ino != c->old_inode || st.st_dev != c->old_dev);
}

int top_command_start(struct top_command *c)
{
	pid_t parent = getpid();
	struct stat st;

	if (stat(c->path, &st) == 0) {
		c->old_inode = st.st_ino;
		c->old_dev = st.st_dev;
	}
	c->output[0] = tmpfile();
	c->output[1] = tmpfile();
	if (!c->output[0] || !c->output[1])
		return -errno;
	(void)fflush(NULL);
	c->pid = fork();
	if (c->pid < 0)
		return -errno;
	if (c->pid == 0)
		record(c, parent);
	while (!is_there(c) && !has_ended(c, WNOHANG))
		(void)poll(NULL, 0, LOOK_MS);
	return is_there(c) ? 0 : -ENOENT;
}

const char *top_command_title(void *arg)
{
	struct top_command *c = arg;

	if (!has_ended(c, WNOHANG))
		return c->path;
	free(c->title);
	c->title = xasprintf("exit %d: %s", c->status, c->path);
	return c->title;
}

static void copy(FILE *from, FILE *to)
{
	char block[BLOCK];
	size_t n;

	if (!from)
		return;
	rewind(from);
	while ((n = fread(block, 1, sizeof block, from)) > 0)
		(void)fwrite(block, 1, n, to);
	(void)fclose(from);
}

/*
 * Ends all that the command started. Who left its process group lives on, and
 * a second signal within a second lets the recorder end without waiting for them.
 */
static void terminate(struct top_command *c)
{
	(void)kill(-c->pid, SIGTERM);
	for (int ms = 0; ms < GRACE_MS && !has_ended(c, WNOHANG); ms += LOOK_MS)
		(void)poll(NULL, 0, LOOK_MS);
	if (c->has_ended)
		return;
	(void)kill(c->pid, SIGTERM);
	(void)poll(NULL, 0, LOOK_MS);
	(void)kill(c->pid, SIGTERM);
	while (!has_ended(c, 0) && errno == EINTR)
		continue;
}

int top_command_end(struct top_command *c)
{
	if (c->pid > 0 && !has_ended(c, WNOHANG))
		terminate(c);
	copy(c->output[0], stdout);
	copy(c->output[1], stderr);
	free(c->title);
	return c->has_ended ? c->status : STATUS_FAILED;
}
