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

/* Binds one row. Returns the number of its recording, or -1 if it has not come as a whole, or -2 to leave it out. */
static int bind_row(struct reading *r, struct binary_reader *b)
{
	const struct read_table *t = r->table;
	const char *trace_id;
	int host, mark = 1;
	size_t len;

	trace_id = binary_text(b, &len);
	host = b->bad ? -1 : t->host_of(t->arg, trace_id, len);
	if (t->table->rowid)
		(void)sqlite3_bind_int64(r->insert, mark++, (int64_t)binary_number(b));
	for (size_t i = 0; i < t->table->n && !b->bad; i++, mark++) {
		const struct column *c = &t->table->columns[i];
		const char *at = b->at;

		binary_bind(b, c, r->insert, mark);
		if (!b->bad && host >= 0 && t->change && c->type == COLUMN_NUMBER &&
			!(c->nullable && *at))
			(void)sqlite3_bind_int64(r->insert, mark,
				t->change(t->arg, host, c,
					(int64_t)binary_number(
						&(struct binary_reader){b->at - 8, b->at, false})));
	}
	if (b->bad)
		return -1;
	return host < 0 ? -2 : host;
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

		if (host == -1)
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

int read_rows(struct server *s, struct sqlite3 *db, const struct read_table *t, struct buf *why)
{
	struct reading r = {.table = t, .rest = BUF_INIT, .why = why};
	_cleanup_buf_ struct buf sql = BUF_INIT;
	int rc = open_insert(db, t->table, &r.insert, why);

	buf_addf(&sql, "SELECT `trace_id`, %s", t->table->rowid ? "`row`, " : "");
	format_own_columns(s, &sql, t->table);
	buf_addf(&sql, " FROM `%s_rows` FINAL WHERE `gone` = 0 AND (%s) FORMAT RowBinary",
		t->table->name, t->condition);
	if (!rc)
		rc = server_read(s, sql.data, on_rows, &r, why);
	if (r.error)
		rc = r.error;
	if (!rc && r.rest.len) {
		buf_addf(why, "the answer about the table %s was cut off", t->table->name);
		rc = -EIO;
	}
	buf_done(&r.rest);
	query_cleanup(&r.insert);
	return rc;
}
