/* private.h - the temporary tables of a comparison. */
/* SPDX-License-Identifier: MIT */
#ifndef VIEWER_DIFF_PRIVATE_H
#define VIEWER_DIFF_PRIVATE_H

#include "viewer/diff/diff.h"

/*
 * Makes in db:
 *   task(thread_id, key)                    key: the same in another run of the program
 *   step(thread_id, ts_ns, what, site_id)   in order for each thread
 *   waited(key, what, ns)
 * Returns 0 or -EIO with a sentence in why.
 */
int diff_tables(struct sqlite3 *db, struct buf *why);

#endif
