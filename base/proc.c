/* proc.c - what /proc says of a process. */
/* SPDX-License-Identifier: MIT */
#include "base/proc.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"

void proc_comm(uint32_t pid, char comm[static PROC_COMM])
{
	_cleanup_free_ char *path = xasprintf("/proc/%u/comm", pid);
	_cleanup_fclose_ FILE *f = fopen(path, "re");

	/* A name may have line feeds of its own: only the last one ends it. */
	comm[f ? fread(comm, 1, PROC_COMM - 1, f) : 0] = '\0';
	if (*comm && comm[strlen(comm) - 1] == '\n')
		comm[strlen(comm) - 1] = '\0';
}
