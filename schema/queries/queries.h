/* queries.h - the prepared queries that `pptrace query` knows, and the views of a trace. */
/* SPDX-License-Identifier: MIT */
#ifndef SCHEMA_QUERIES_QUERIES_H
#define SCHEMA_QUERIES_QUERIES_H

#include <stddef.h>

/*
 * A query is a file schema/queries/<name>.sql, embedded by the build, and a
 * line in queries.def. Its first line is a comment that says what it answers. To be read in this order:
 * queries.def, queries.c.
 */
struct query {
	char *name;
	const char *sql;
	char *about; /* one line, may be empty */
};

/* Fills in the query of that name ('-' and '_' are the same); -ENOENT if there is none. Freed with query_done. */
int query_find(const char *name, struct query *ret);

/* Walks the queries: *pos starts at 0; returns 0 at the end. Freed with query_done. */
int query_next(size_t *pos, struct query *ret);
void query_done(struct query *q);

/* Walks the views that every trace has; sql is NULL. Otherwise as query_next. */
int query_next_view(size_t *pos, struct query *ret);

#endif
