/* scratch.c - a file that is gone when the process ends, whatever ends it. */
/* SPDX-License-Identifier: MIT */
#include "cli/common/scratch.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "cli/common/say.h"

/* Empty: there is none. */
static char folder[64], file[128], journal[144];

/* Calls nothing that a signal handler may not call (signal-safety(7)). */
static void scratch_remove(void)
{
	if (*file)
		(void)unlink(file);
	/* SQLite's, where the end came while it was written. */
	if (*journal)
		(void)unlink(journal);
	if (*folder)
		(void)rmdir(folder);
}

static void on_end(int sig)
{
	scratch_remove();
	(void)raise(sig); /* SA_RESETHAND: this time it ends the process */
}

/* What the caller ignores stays ignored (nohup). */
static void handle(int sig)
{
	struct sigaction now, ours = {.sa_handler = on_end, .sa_flags = SA_RESETHAND | SA_NODEFER};

	if (sigaction(sig, NULL, &now) == 0 && now.sa_handler == SIG_DFL)
		(void)sigaction(sig, &ours, NULL);
}

const char *scratch_file(const char *name)
{
	static const int ends[] = {SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGPIPE};

	(void)snprintf(folder, sizeof folder, "/tmp/pptrace-scratch.XXXXXX");
	if (!mkdtemp(folder)) {
		folder[0] = '\0';
		die("cannot make a folder in /tmp:");
	}
	(void)snprintf(file, sizeof file, "%s/%s", folder, name);
	(void)snprintf(journal, sizeof journal, "%s-journal", file);
	(void)atexit(scratch_remove);
	for (size_t i = 0; i < ARRAY_SIZE(ends); i++)
		handle(ends[i]);
	return file;
}

bool scratch_is(const char *path)
{
	return *file && !strcmp(path, file);
}
