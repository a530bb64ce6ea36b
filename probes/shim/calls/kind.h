/* kind.h - what a descriptor is that is neither a file nor a pipe. */
/* SPDX-License-Identifier: MIT */
#ifndef PROBES_SHIM_CALLS_KIND_H
#define PROBES_SHIM_CALLS_KIND_H

#include <stdint.h>

/* Writes folder and number one after the other into path, which has room for them. */
void fd_path(char path[64], const char *folder, int fd);

/* Returns the enum file_kind of a descriptor for which pipe_of said FILE_OTHER. Slow: for waits only. */
unsigned fd_kind(int fd);

/* Returns the signals that a signalfd takes, bit signo-1; 0: it is none, or they are not known. */
uint64_t fd_signals(int fd);

/* Returns the process that a pidfd stands for, 0: it is none, or the process is gone. */
uint32_t fd_process(int fd);

#endif
