/* rows.c - step through a query; make its texts fit to be shown. */
/* SPDX-License-Identifier: MIT */
#include "viewer/load/load.h"

#include <jansson.h>
#include <sqlite3.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"
#include "schema/query.h"
#include "schema/version.h"

/* Keeps the error as it may be shown. */
static void keep(struct rows *r, const struct buf *why)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	buf_add_printable(&b, why->data, why->len);
	r->why = buf_steal(&b);
}

bool rows_has(sqlite3 *db, const char *item)
{
	return version_has(db, item);
}

struct rows rows_begin(sqlite3 *db, const char *sql)
{
	_cleanup_buf_ struct buf why = BUF_INIT;
	struct rows r = {0};

	if (query_open(db, sql, &r.stmt, &why) < 0)
		keep(&r, &why);
	return r;
}

void rows_bind(struct rows *r, int index, int64_t value)
{
	query_bind_int(r->stmt, index, value);
}

bool rows_next(struct rows *r)
{
	_cleanup_buf_ struct buf why = BUF_INIT;
	int rc = r->why || r->ended ? 0 : query_step(r->stmt, &why);

	if (rc < 0)
		keep(r, &why);
	r->ended = rc <= 0;
	return rc > 0;
}

char *rows_end(struct rows *r)
{
	query_cleanup(&r->stmt);
	return r->why;
}

bool rows_is_null(struct rows *r, int col)
{
	return query_null(r->stmt, col);
}

int64_t rows_int(struct rows *r, int col, int64_t null_value)
{
	return query_int(r->stmt, col, null_value);
}

int64_t rows_time(struct rows *r, int col, int64_t null_value)
{
	int64_t t;

	if (rows_is_null(r, col))
		return null_value;
	t = sqlite3_column_int64(r->stmt, col);
	return t > TIME_LIMIT ? TIME_LIMIT : t < -TIME_LIMIT ? -TIME_LIMIT : t;
}

int64_t rows_number(sqlite3 *db, const char *sql, int64_t arg, int64_t null_value, char **why)
{
	struct rows r;
	int64_t n;

	if (*why)
		return null_value;
	r = rows_begin(db, sql);
	rows_bind(&r, 1, arg);
	n = rows_next(&r) ? rows_int(&r, 0, null_value) : null_value;
	*why = rows_end(&r);
	return n;
}

/* Nobody reads longer texts in a picture; query, events and export have them whole. In characters. */
enum { TEXT_MAX = 2000, PROSE_MAX = 20000 };

/* Returns the text of the buffer, cut, which the caller frees. */
static char *steal_fit(struct buf *b, size_t max)
{
	return b->len > max ? text_fit(b->data, max) : buf_steal(b);
}

char *rows_text(struct rows *r, int col)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	const char *s = (const char *)sqlite3_column_text(r->stmt, col);

	if (s)
		buf_add_printable(&b, s, (size_t)sqlite3_column_bytes(r->stmt, col));
	return steal_fit(&b, TEXT_MAX);
}

char *rows_prose(struct rows *r, int col, bool lines)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	const char *s = (const char *)sqlite3_column_text(r->stmt, col);

	if (s)
		buf_add_prose(&b, s, (size_t)sqlite3_column_bytes(r->stmt, col), lines);
	return steal_fit(&b, PROSE_MAX);
}

static bool is_shell_plain(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)s[i] < 0x21 || strchr("\"'`$&|;<>()*?[]{}#~!\\", s[i]))
			return false;
	return len > 0;
}

/* Says whether an argument can be shown as it is: nothing in it has to be made printable, unless as a backslash. */
static bool is_printable(const char *s, size_t len)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	buf_add_prose(&b, s, len, false);
	return b.len == len;
}

/*
 * Adds one argument as a shell takes it, so that the line can be copied: between single quotes a backslash is one;
 * what is made printable stands in $'...', whose escapes are those of buf_add_printable.
 */
static void add_argument(struct buf *b, const char *s, size_t len)
{
	bool printable = is_printable(s, len);

	if (b->len)
		buf_addc(b, ' ');
	if (printable && is_shell_plain(s, len)) {
		buf_add(b, s, len);
		return;
	}
	buf_adds(b, printable ? "'" : "$'");
	for (size_t i = 0, run; i <= len; i += run + 1) {
		const char *quote = memchr(s + i, '\'', len - i);

		run = quote ? (size_t)(quote - s) - i : len - i;
		if (printable)
			buf_add(b, s + i, run);
		else
			buf_add_printable(b, s + i, run);
		if (quote)
			buf_adds(b, printable ? "'\\''" : "\\'");
	}
	buf_addc(b, '\'');
}

char *rows_command(struct rows *r, int col)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	const char *s = (const char *)sqlite3_column_text(r->stmt, col);
	json_t *args;

	if (!s)
		return buf_steal(&b);
	args = json_loadb(s, (size_t)sqlite3_column_bytes(r->stmt, col), JSON_ALLOW_NUL, NULL);
	if (!json_is_array(args)) {
		json_decref(args);
		return rows_text(r, col);
	}
	for (size_t i = 0; i < json_array_size(args); i++) {
		const json_t *arg = json_array_get(args, i);

		if (json_is_string(arg))
			add_argument(&b, json_string_value(arg), json_string_length(arg));
	}
	json_decref(args);
	return steal_fit(&b, TEXT_MAX);
}
