/* output.h - write a picture to a file: whole or not at all. */
/* SPDX-License-Identifier: MIT */
#ifndef VIEWER_OUTPUT_H
#define VIEWER_OUTPUT_H

#include <stddef.h>

struct buf;

/*
 * Writes len bytes to path: to a new file beside it first, which then takes
 * its place, so that a full disk leaves the old one. A symbolic link is not
 * followed and not replaced; a device or FIFO is written to as it is. Returns
 * 0, or a negative errno with one sentence in why.
 */
int output_write(const char *path, const void *data, size_t len, struct buf *why);

#endif
