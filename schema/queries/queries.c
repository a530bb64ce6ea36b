/* queries.c - the prepared queries that `pptrace query` knows, and the views of a trace. */
/* SPDX-License-Identifier: MIT */
#include "schema/queries/queries.h"

#include <errno.h>
#include <stdbool.h>

#include "base/embed.h"
#include "base/mem.h"
#include "schema/db.h"

#define QUERY(name)                                                                                \
	EMBED("query_" #name "_sql", EMBED_FILE("schema/queries/" #name ".sql"));                  \
	extern const char query_##name##_sql[];
#include "schema/queries/queries.def"
#undef QUERY

static const struct {
	const char *name;
	const char *sql;
} queries[] = {
#define QUERY(name) {#name, query_##name##_sql},
#include "schema/queries/queries.def"
#undef QUERY
};

/* Returns the text of a comment line, without its dashes. */
static char *comment(const char *line)
{
	line += strspn(line, "- ");
	return xstrndup(line, strcspn(line, "\n"));
}

int query_next(size_t *pos, struct query *ret)
{
	if (*pos >= ARRAY_SIZE(queries))
		return 0;
	ret->name = xstrdup(queries[*pos].name);
	ret->sql = queries[*pos].sql;
	ret->about = comment(ret->sql);
	(*pos)++;
	return 1;
}

void query_done(struct query *q)
{
	free(q->name);
	free(q->about);
	q->name = q->about = NULL;
}

static bool same_name(const char *a, const char *b)
{
	for (; *a && *b; a++, b++)
		if (*a != *b && !(*a == '-' && *b == '_'))
			return false;
	return *a == *b;
}

int query_find(const char *name, struct query *ret)
{
	for (size_t pos = 0; query_next(&pos, ret); query_done(ret))
		if (same_name(name, ret->name))
			return 0;
	return -ENOENT;
}

/* "CREATE VIEW name AS -- what it shows": the comment in the view's first line. */
int query_next_view(size_t *pos, struct query *ret)
{
	static const char create[] = "CREATE VIEW ";
	const char *view = strstr(db_views_sql + *pos, create), *dashes;
	size_t line;

	if (!view)
		return 0;
	view += sizeof create - 1;
	*pos = (size_t)(view - db_views_sql);
	line = strcspn(view, "\n");
	dashes = memmem(view, line, "--", 2);
	ret->name = xstrndup(view, strcspn(view, " (\n"));
	ret->sql = NULL;
	ret->about = dashes ? comment(dashes) : xstrdup("");
	return 1;
}
