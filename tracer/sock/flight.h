/* flight.h - whether bytes are under way in the TCP connections that a thread waits for. */
/* SPDX-License-Identifier: MIT */
#ifndef TRACER_SOCK_FLIGHT_H
#define TRACER_SOCK_FLIGHT_H

#include <stdbool.h>
#include <stdint.h>

struct buf;
struct sqlite3;

/*
 * What was written to a Unix socket is there at once; what was sent over TCP takes its time, be it for
 * the length of the way or because it was lost and is sent again. So whoever waits for bytes waits in vain
 * only if none are on their way to it: asks the kernel about both sides of each connection.
 *
 * Returns true if nothing is under way for this wait (row of the table wait), and adds to out what must
 * not change until one is sure; false also if that is not known. why: the first query that failed.
 */
bool flight_none(struct sqlite3 *db, int64_t wait_id, struct buf *out, struct buf *why);

#endif
