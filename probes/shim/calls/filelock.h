/* filelock.h - locks of files. */
/* SPDX-License-Identifier: MIT */
#ifndef PROBES_SHIM_CALLS_FILELOCK_H
#define PROBES_SHIM_CALLS_FILELOCK_H

#include <stdbool.h>
#include <stdint.h>

/* Says whether a command of fcntl sets a lock. */
bool filelock_is(int cmd);

/* Makes that call by real, the next function of the name that the program called, and records it. */
int filelock_fcntl(int fd, int cmd, void *arg, uint64_t site, int (*real)(int fd, int cmd, ...));

#endif
