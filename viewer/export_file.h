/* export_file.h - a file that is written bit by bit and appears whole or not at all. */
/* SPDX-License-Identifier: MIT */
#ifndef VIEWER_EXPORT_FILE_H
#define VIEWER_EXPORT_FILE_H

#include <stdbool.h>
#include <stdio.h>

struct buf;

struct export_file {
	FILE *f;
	char *path, *name; /* where it shall be, and where it is until then (NULL: already there) */
};

/*
 * Begins a file of mode 0600 beside path, which takes its place at the end, so
 * that a full disk leaves the old one. A symbolic link is not followed and not
 * replaced; a device or FIFO is written to as it is. Returns 0, or a negative
 * errno with one sentence in why and nothing to close.
 */
int export_file_open(struct export_file *e, const char *path, struct buf *why);

/*
 * Ends it; good: puts it in its place, else removes it. Returns 0, or a
 * negative errno with one sentence in why if what was written is not there.
 */
int export_file_close(struct export_file *e, bool good, struct buf *why);

#endif
