/* transfers.h - which read got what which write had put into a pipe. */
/* SPDX-License-Identifier: MIT */
#ifndef VIEWER_LOAD_TRANSFERS_H
#define VIEWER_LOAD_TRANSFERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sqlite3;
struct trace;

/* A read, and the last write whose bytes it took. */
struct transfer {
	size_t from, to; /* threads; NONE: that the recording does not have */
	int64_t written, read, bytes;
};

/* In the order of pipes, and of reads from one. */
struct transfers {
	struct transfer *list;
	size_t n, cap;
	size_t left_out; /* about how many there are, where there are more than anybody waits for */
	bool is_loaded;
};

/*
 * Returns those of a trace, which reads them when it is asked first and keeps them; or NULL after an error, of which
 * *ret_why is a text that the caller frees.
 */
const struct transfers *trace_transfers(const struct trace *t, struct sqlite3 *db, char **ret_why);
void trace_free_transfers(struct trace *t);

#endif
