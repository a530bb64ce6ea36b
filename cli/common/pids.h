/* pids.h - process IDs on the command line. */
/* SPDX-License-Identifier: MIT */
#ifndef CLI_COMMON_PIDS_H
#define CLI_COMMON_PIDS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct pids {
	pid_t *list;
	size_t n, cap;
};

/* Adds the numbers in text ("17" or "17,18"); false and a message if it is anything else, with the IDs of processes that have it for a name. */
bool pids_add(struct pids *p, const char *text);
void pids_done(struct pids *p);

#endif
