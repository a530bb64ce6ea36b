/* fdlist.h - which descriptors there are, and records of those that are pipes. */
/* SPDX-License-Identifier: MIT */
#ifndef PROBES_SHIM_CALLS_FDLIST_H
#define PROBES_SHIM_CALLS_FDLIST_H

#include <stdint.h>

/* What a descriptor is, seen from pipes. */
struct pipe_fd {
	unsigned kind; /* enum pipe_kind, 0: something else */
	unsigned file_kind;
	uint64_t dev, inode;
};
struct pipe_fd pipe_of(int fd);

/* A descriptor of a pipe was opened or closed. path may be NULL; inode2 0. */
void report_end(int fd, const struct pipe_fd *p, unsigned via, uint64_t inode2, const char *path);
void report_close(int fd, const struct pipe_fd *p, unsigned via);

/* The same as report_end for one that was opened at that time. Other descriptors are passed over. */
void report_end_at(int fd, unsigned via, uint64_t ts);

/* Records for all pipe descriptors of this process: for a child (pid, ts not 0) or for itself. */
void report_ends(unsigned via, uint32_t pid, uint64_t ts);

/* Calls visit for every open descriptor from first to last. */
void each_fd(unsigned first, unsigned last, void (*visit)(void *arg, int fd), void *arg);

#endif
