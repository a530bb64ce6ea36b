/* pids.c - process IDs on the command line. */
/* SPDX-License-Identifier: MIT */
#include "cli/common/pids.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/proc.h"
#include "cli/common/say.h"

enum { CALLED_MAX = 10 };

/* Says whether the process with that number, a folder of /proc, is called so. */
static bool is_called(const char *number, const char *name)
{
	char comm[PROC_COMM];

	proc_comm((uint32_t)strtoul(number, NULL, 10), comm);
	return *comm && !strncmp(comm, name, sizeof comm - 1);
}

/* Adds the IDs of processes that are called so, as "17,18". */
static void add_called(struct buf *b, const char *name)
{
	DIR *proc = opendir("/proc");
	const struct dirent *e;
	size_t n = 0;

	while (proc && n < CALLED_MAX && (e = readdir(proc)) != NULL)
		if (isdigit((unsigned char)e->d_name[0]) && is_called(e->d_name, name))
			buf_addf(b, "%s%s", n++ ? "," : "", e->d_name);
	if (proc)
		(void)closedir(proc);
}

static void refuse(const char *text)
{
	_cleanup_buf_ struct buf called = BUF_INIT;

	if (*text)
		add_called(&called, text);
	if (called.len)
		warn("'%s' is not a process ID, but a process is called so: %s", text, called.data);
	else
		warn("'%s' is not a process ID", text);
}

bool pids_add(struct pids *p, const char *text)
{
	const char *at = text;

	do {
		char *end;
		long n;

		errno = 0;
		n = isdigit((unsigned char)*at) ? strtol(at, &end, 10) : 0;
		if (n <= 0 || n > INT_MAX || errno || (*end && *end != ',')) {
			refuse(text);
			return false;
		}
		ARRAY_GROW(p->list, p->n, p->cap);
		p->list[p->n++] = (pid_t)n;
		at = *end ? end + 1 : end;
	} while (*at);
	return true;
}

void pids_done(struct pids *p)
{
	free(p->list);
	*p = (struct pids){0};
}
