/* record_dump.h - records as lines of text, made from the list of their kinds. */
/* SPDX-License-Identifier: MIT */
#ifndef SCHEMA_RECORD_DUMP_H
#define SCHEMA_RECORD_DUMP_H

#include <stddef.h>

struct buf;
struct rec_head;

/* Returns the name of a kind ("FORK"), or "UNKNOWN". */
const char *record_name(unsigned kind);

/* Returns the size that records of a kind have, or 0 if there is no such kind. */
size_t record_size(unsigned kind);

/*
 * Adds one line without its newline: time, pid, tid, kind, then name=value for
 * each field that is not 0 or empty. Texts are escaped. A record shorter than
 * its kind demands is dumped as far as its size goes.
 */
void record_dump(struct buf *b, const struct rec_head *rec);

#endif
