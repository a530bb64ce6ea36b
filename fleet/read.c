/* read.c - rows of ClickHouse into a database of SQLite. */
/* SPDX-License-Identifier: MIT */
#include "fleet/private.h"

#include "base/buf.h"
#include "base/mem.h"
#include "schema/query.h"

#include <errno.h>

/* Rows as they come: the last one of a piece may be cut. */
struct reading {
	const struct read_table *table;
	sqlite3_stmt *insert;
	struct buf rest;
	struct buf *why;
	uint64_t n;
	int error;
};

enum { ROW_CUT_OFF = -1, ROW_LEFT_OUT = -2 };

/* Changes the number that was bound to that mark, of a recording. Returns false if the row is not to be there. */
static bool change(
	struct reading *r, int host, const struct column *c, int mark, const char *number)
{
	struct binary_reader b = {number, number + 8, false};
	int64_t n = (int64_t)binary_number(&b);

	switch (r->table->change(r->table->arg, host, c, &n)) {
	case READ_AS_IT_IS:
		(void)sqlite3_bind_int64(r->insert, mark, n);
		return true;
	case READ_AS_NULL:
		(void)sqlite3_bind_null(r->insert, mark);
		return true;
	case READ_NO_ROW:
		break;
	}
	return false;
}

/* Binds one row. Returns the number of its recording, or ROW_CUT_OFF if it has not come as a whole, or ROW_LEFT_OUT. */
static int bind_row(struct reading *r, struct binary_reader *b)
{
	const struct read_table *t = r->table;
	const char *trace_id;
	int host, mark = 1;
	bool wanted;
	size_t len;

	trace_id = binary_text(b, &len);
	host = b->bad ? -1 : t->host_of(t->arg, trace_id, len);
	wanted = host >= 0;
	if (t->table->rowid) {
		int64_t row = (int64_t)binary_number(b);

		/* Of several recordings the same one comes more than once: SQLite takes any other for NULL. */
		if (t->change)
			(void)sqlite3_bind_null(r->insert, mark++);
		else
			(void)sqlite3_bind_int64(r->insert, mark++, row);
	}
	for (size_t i = 0; i < t->table->n && !b->bad; i++, mark++) {
		const struct column *c = &t->table->columns[i];
		const char *at = b->at;

		binary_bind(b, c, r->insert, mark);
		if (!b->bad && wanted && t->change && c->type == COLUMN_NUMBER &&
			!(c->nullable && *at))
			wanted = change(r, host, c, mark, b->at - 8);
	}
	if (b->bad)
		return ROW_CUT_OFF;
	return wanted ? host : ROW_LEFT_OUT;
}

static int on_rows(void *arg, const char *data, size_t len)
{
	struct reading *r = arg;
	struct binary_reader b;
	const char *whole;

	buf_add(&r->rest, data, len);
	b = (struct binary_reader){r->rest.data, r->rest.data + r->rest.len, false};
	for (whole = b.at; b.at < b.end; whole = b.at) {
		int host = bind_row(r, &b);

		if (host == ROW_CUT_OFF)
			break;
		r->n++;
		if (host >= 0 && (r->error = query_run(r->insert, r->why)) < 0)
			return r->error;
	}
	len = r->rest.len - (size_t)(whole - r->rest.data);
	memmove(r->rest.data, whole, len);
	r->rest.len = len;
	r->rest.data[len] = '\0';
	return 0;
}

static int open_insert(
	struct sqlite3 *db, const struct table *t, sqlite3_stmt **ret, struct buf *why)
{
	_cleanup_buf_ struct buf sql = BUF_INIT;

	buf_addf(&sql, "INSERT INTO \"%s\" (%s", t->name, t->rowid ? "rowid, " : "");
	for (size_t i = 0; i < t->n; i++)
		buf_addf(&sql, "%s\"%s\"", i ? ", " : "", t->columns[i].name);
	buf_adds(&sql, t->rowid ? ") VALUES (?" : ") VALUES (");
	for (size_t i = 0; i < t->n; i++)
		buf_adds(&sql, i || t->rowid ? ", ?" : "?");
	buf_addc(&sql, ')');
	return query_open(db, sql.data, ret, why);
}

/* Those recordings that have a row twice, or those that have not. */
static void add_which(struct buf *sql, const struct fleet_hosts *hosts, bool twice)
{
	const char *comma = "";

	buf_addf(sql, " AND trace_id %sIN (", twice ? "" : "NOT ");
	for (size_t i = 0; i < hosts->n; i++) {
		if (hosts->list[i].once)
			continue;
		buf_adds(sql, comma);
		server_quote(sql, hosts->list[i].trace_id);
		comma = ", ";
	}
	buf_addc(sql, ')');
}

/*
 * The question for those rows that are there twice, or for the others; NULL: there are none. FINAL keeps one of them, and takes as long
 * again as reading does.
 */
static char *question(const struct server *s, const struct read_table *t, bool twice)
{
	size_t n = hosts_n_twice(t->hosts);
	_cleanup_buf_ struct buf sql = BUF_INIT;

	if (twice ? !n : n == t->hosts->n)
		return NULL;
	buf_addf(&sql, "SELECT `trace_id`, %s", t->table->rowid ? "`row`, " : "");
	format_own_columns(s, &sql, t->table);
	buf_addf(&sql, " FROM `%s_rows`%s", t->table->name, twice ? " FINAL" : "");
	/* Of other rows the other columns are not read; of two with one key that would be too early. */
	if (t->first && !twice)
		buf_addf(&sql, " PREWHERE %s", t->first);
	buf_addf(&sql, " WHERE `gone` = 0 AND (%s)", t->condition);
	if (n && n < t->hosts->n)
		add_which(&sql, t->hosts, twice);
	buf_adds(&sql, " FORMAT RowBinary");
	return buf_steal(&sql);
}

/* Reads one answer: of what was asked ahead, or to sql. */
static int read_part(struct server *s, struct ahead *a, const char *sql, struct reading *r)
{
	int rc = a ? ahead_read(a, on_rows, r, r->why) : server_read(s, sql, on_rows, r, r->why);

	if (r->error)
		rc = r->error;
	if (!rc && r->rest.len) {
		buf_addf(
			r->why, "the answer about the table %s was cut off", r->table->table->name);
		rc = -EIO;
	}
	return rc;
}

int read_rows(struct server *s, struct sqlite3 *db, const struct read_table *t, struct buf *why)
{
	struct reading r = {.table = t, .rest = BUF_INIT, .why = why};
	int rc = open_insert(db, t->table, &r.insert, why);

	for (int twice = 0; !rc && twice < 2; twice++) {
		_cleanup_free_ char *sql = question(s, t, twice);

		rc = sql ? read_part(s, NULL, sql, &r) : 0;
	}
	buf_done(&r.rest);
	query_cleanup(&r.insert);
	return rc;
}

void read_ask(struct ahead *a, const struct server *s, const struct read_table *t)
{
	for (int twice = 0; twice < 2; twice++) {
		char *sql = question(s, t, twice);

		if (sql)
			ahead_ask(a, sql);
	}
}

int read_take(struct ahead *a, struct sqlite3 *db, const struct read_table *t, struct buf *why)
{
	struct reading r = {.table = t, .rest = BUF_INIT, .why = why};
	size_t n = hosts_n_twice(t->hosts);
	int rc = open_insert(db, t->table, &r.insert, why);

	for (int left = (n > 0) + (n < t->hosts->n); !rc && left; left--)
		rc = read_part(NULL, a, NULL, &r);
	buf_done(&r.rest);
	query_cleanup(&r.insert);
	return rc;
}
