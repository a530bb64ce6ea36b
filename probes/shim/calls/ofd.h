/* ofd.h - which descriptors share an open file description. */
/* SPDX-License-Identifier: MIT */
#ifndef PROBES_SHIM_CALLS_OFD_H
#define PROBES_SHIM_CALLS_OFD_H

#include <stdint.h>

/*
 * Returns a number for the open file description behind a descriptor of the
 * file dev, inode: the same for its copies, in this process and in those that
 * inherit it. Slow: for file locks only.
 */
uint64_t ofd_identity(int fd, uint64_t dev, uint64_t inode);

/* A descriptor is closed or replaced. */
void ofd_forget(int fd);

#endif
