/* chrome.h - a recording as trace JSON for Perfetto and chrome://tracing. */
/* SPDX-License-Identifier: MIT */
#ifndef VIEWER_EXPORT_CHROME_H
#define VIEWER_EXPORT_CHROME_H

struct buf;
struct sqlite3;

/* Gets the next piece of output. Returns 0, or a negative errno that ends the export. */
typedef int export_sink(void *arg, const struct buf *piece);

/*
 * Writes the JSON object format of the Trace Event Format: processes and
 * threads with their names, lives, waits and pipe traffic as slices, lock holds
 * as asynchronous ones (they need not nest), execs, signals and findings as
 * instants, arrows for fork, write to read, signals and reaping. A pid that was
 * used again gets a number of its own. Returns 0, the sink's error, or -EIO
 * with one sentence in why. Makes a temporary table in db, the file stays as it is.
 */
int export_chrome(struct sqlite3 *db, export_sink *sink, void *arg, struct buf *why);

#endif
