/* output.h - a file that is written bit by bit and appears whole or not at all. */
/* SPDX-License-Identifier: MIT */
#ifndef VIEWER_DRAW_OUTPUT_H
#define VIEWER_DRAW_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/types.h>

struct buf;

struct output {
	FILE *f;
	char *path, *name; /* where it is to be, and where it is until then (NULL: already there) */
};

/*
 * Begins a file of that mode (less the umask) beside path, which takes its
 * place at the end, so that a full disk leaves the old one. A symbolic link is
 * not followed and not replaced, nor is a file that may not be written to; a
 * device or FIFO is written to as it is. Returns 0, or a negative errno with
 * one sentence in why and nothing to close.
 */
int output_open(struct output *o, const char *path, mode_t mode, struct buf *why);

/*
 * Ends it; good: puts it in its place, else removes it. Returns 0, or a
 * negative errno with one sentence in why if what was written is not there.
 */
int output_close(struct output *o, bool good, struct buf *why);

/* Writes len bytes to path in this way, for everybody to read. Returns what output_close does. */
int output_write(const char *path, const void *data, size_t len, struct buf *why);

#endif
