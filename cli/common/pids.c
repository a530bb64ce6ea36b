/* pids.c - process IDs on the command line. */
/* SPDX-License-Identifier: MIT */
#include "cli/common/pids.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>

#include "base/mem.h"
#include "cli/common/say.h"

bool pids_add(struct pids *p, const char *text)
{
	const char *at = text;

	do {
		char *end;
		long n;

		errno = 0;
		n = isdigit((unsigned char)*at) ? strtol(at, &end, 10) : 0;
		if (n <= 0 || n > INT_MAX || errno || (*end && *end != ',')) {
			warn("'%s' is not a process ID", text);
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
