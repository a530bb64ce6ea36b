/* chrome.h - a recording as trace JSON for Perfetto and chrome://tracing. */
/* SPDX-License-Identifier: MIT */
#ifndef VIEWER_EXPORT_CHROME_H
#define VIEWER_EXPORT_CHROME_H

struct buf;
struct export_filter;
struct sqlite3;

/* Gets the next piece of output. Returns 0, or a negative errno that ends the export. */
typedef int export_sink(void *arg, const struct buf *piece);

/*
 * Writes the JSON object format of the Trace Event Format: processes and threads with their names, lives, waits, pipe
 * traffic and operations as slices that nest, lock holds as asynchronous ones, execs, signals and findings as
 * instants, arrows for creation, wake-ups, signals and reaping, each end inside of a slice. Only what the
 * filter wants. Returns 0, the sink's error, or -EIO with one sentence in why. Makes temporary tables in db, the file stays
 * as it is.
 */
int export_chrome(struct sqlite3 *db, const struct export_filter *filter, export_sink *sink,
	void *arg, struct buf *why);

#endif
