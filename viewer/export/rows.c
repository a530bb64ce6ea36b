/* rows.c - the rows of any SQL statement as a table, CSV or JSON. */
/* SPDX-License-Identifier: MIT */
#include "viewer/export/rows.h"

#include <errno.h>
#include <inttypes.h>
#include <sqlite3.h>

#include "base/buf.h"
#include "base/mem.h"
#include "schema/query.h"

/*
 * A table's first rows decide how wide its columns are; the rest follows as it
 * comes, so that memory stays bounded. A cell wider than MAX_WIDTH pushes the
 * rest of its line aside instead of making every line long.
 */
enum { SAMPLE_ROWS = 500, MAX_WIDTH = 60, GAP = 2 };

struct export_rows {
	sqlite3_stmt *st;
	enum export_format format;
	bool printable, begun;
	int columns;
	char **cells; /* the sample, row by row, and whether each is a number */
	bool *numbers;
	size_t n, cap, cap_numbers;
	size_t *widths;
	bool *right; /* columns of numbers */
};

struct export_rows *export_rows_new(sqlite3_stmt *st, enum export_format format, bool printable)
{
	struct export_rows *e = xcalloc(1, sizeof *e);

	e->st = st;
	e->format = format;
	e->printable = printable;
	e->columns = sqlite3_column_count(st);
	e->widths = xcalloc((size_t)e->columns + 1, sizeof *e->widths);
	e->right = xcalloc((size_t)e->columns + 1, sizeof *e->right);
	return e;
}

static void drop_sample(struct export_rows *e)
{
	for (size_t i = 0; i < e->n; i++)
		free(e->cells[i]);
	e->n = 0;
}

void export_rows_free(struct export_rows *e)
{
	if (!e)
		return;
	drop_sample(e);
	free(e->cells);
	free(e->numbers);
	free(e->widths);
	free(e->right);
	free(e);
}

static bool is_number(sqlite3_stmt *st, int column)
{
	int type = sqlite3_column_type(st, column);

	return type == SQLITE_INTEGER || type == SQLITE_FLOAT;
}

/* A column's value: text or bytes. sqlite3_column_blob comes first, its length after it. */
static const char *value(sqlite3_stmt *st, int column, size_t *ret_len)
{
	const char *s = sqlite3_column_blob(st, column);

	*ret_len = (size_t)sqlite3_column_bytes(st, column);
	return s ? s : "";
}

/* Whole numbers as they are; others with as few digits as tell them apart. */
static void add_number(struct buf *out, sqlite3_stmt *st, int column)
{
	double v = sqlite3_column_double(st, column);

	if (sqlite3_column_type(st, column) == SQLITE_INTEGER)
		buf_addf(out, "%" PRId64, (int64_t)sqlite3_column_int64(st, column));
	else
		buf_addf(out, "%.15g", v);
}

static void add_plain(struct buf *out, sqlite3_stmt *st, int column)
{
	size_t len;
	const char *s;

	if (is_number(st, column)) {
		add_number(out, st, column);
		return;
	}
	s = value(st, column, &len);
	buf_add_printable(out, s, len);
}

static void add_object(struct export_rows *e, struct buf *out)
{
	buf_addc(out, '{');
	for (int i = 0; i < e->columns; i++) {
		const char *name = sqlite3_column_name(e->st, i);

		if (i)
			buf_addc(out, ',');
		buf_add_json(out, name, strlen(name));
		buf_addc(out, ':');
		query_json(out, e->st, i, name);
	}
	buf_addc(out, '}');
}

static void add_csv_text(struct export_rows *e, struct buf *out, const char *s, size_t len)
{
	_cleanup_buf_ struct buf shown = BUF_INIT;

	if (e->printable) {
		buf_add_printable(&shown, s, len);
		s = shown.data;
		len = shown.len;
	}
	if (!memchr(s, ',', len) && !memchr(s, '"', len) && !memchr(s, '\n', len) &&
		!memchr(s, '\r', len)) {
		buf_add(out, s, len);
		return;
	}
	buf_addc(out, '"');
	for (size_t i = 0; i < len; i++) {
		if (s[i] == '"')
			buf_addc(out, '"');
		buf_addc(out, s[i]);
	}
	buf_addc(out, '"');
}

static void add_csv_row(struct export_rows *e, struct buf *out, bool names)
{
	for (int i = 0; i < e->columns; i++) {
		size_t len = 0;
		const char *s = names ? sqlite3_column_name(e->st, i) : NULL;

		if (i)
			buf_addc(out, ',');
		if (!names && is_number(e->st, i)) {
			add_number(out, e->st, i);
			continue;
		}
		if (names)
			len = strlen(s);
		else
			s = value(e->st, i, &len);
		add_csv_text(e, out, s, len);
	}
	buf_addc(out, '\n');
}

/* Columns that a text takes: its characters, wide ones counted as one. */
static size_t width(const char *s)
{
	size_t n = 0;

	for (; *s; s++)
		n += ((unsigned char)*s & 0xc0) != 0x80;
	return n;
}

static void add_cell(struct export_rows *e, struct buf *out, int column, const char *s, bool right)
{
	size_t w = width(s), pad = e->widths[column] > w ? e->widths[column] - w : 0;
	bool last = column == e->columns - 1;

	for (size_t i = 0; right && i < pad; i++)
		buf_addc(out, ' ');
	buf_adds(out, s);
	for (size_t i = 0; !right && !last && i < pad; i++)
		buf_addc(out, ' ');
	for (size_t i = 0; !last && i < GAP; i++)
		buf_addc(out, ' ');
	if (last)
		buf_addc(out, '\n');
}

static void sample_cell(struct export_rows *e, char *text, bool number)
{
	ARRAY_GROW(e->cells, e->n, e->cap);
	if (e->cap_numbers < e->cap) {
		e->cap_numbers = e->cap;
		e->numbers = xreallocarray(e->numbers, e->cap, sizeof *e->numbers);
	}
	e->cells[e->n] = text;
	e->numbers[e->n++] = number;
}

static void sample_row(struct export_rows *e, bool names)
{
	for (int i = 0; i < e->columns; i++) {
		_cleanup_buf_ struct buf text = BUF_INIT;
		bool number = !names && is_number(e->st, i);
		const char *name = sqlite3_column_name(e->st, i);
		size_t w;

		if (names)
			buf_add_printable(&text, name, strlen(name));
		else
			add_plain(&text, e->st, i);
		w = width(text.data);
		if (w > e->widths[i] && w <= MAX_WIDTH)
			e->widths[i] = w;
		e->right[i] = e->right[i] || number;
		sample_cell(e, buf_steal(&text), number);
	}
}

/* Reads the first rows, then writes them. Returns 1 if more may come, 0 at the end, or -EIO. */
static int begin_table(struct export_rows *e, struct buf *out)
{
	int rc = SQLITE_ROW;

	sample_row(e, true);
	for (int rows = 0; rows < SAMPLE_ROWS; rows++) {
		rc = sqlite3_step(e->st);
		if (rc != SQLITE_ROW)
			break;
		sample_row(e, false);
	}
	for (size_t i = 0; i < e->n; i++) {
		int column = (int)(i % (size_t)e->columns);

		add_cell(e, out, column, e->cells[i],
			e->numbers[i] || (i < (size_t)e->columns && e->right[column]));
		if (i + 1 != (size_t)e->columns)
			continue;
		for (column = 0; column < e->columns; column++) {
			_cleanup_buf_ struct buf line = BUF_INIT;

			for (size_t k = 0; k < e->widths[column]; k++)
				buf_addc(&line, '-');
			add_cell(e, out, column, line.data, false);
		}
	}
	drop_sample(e);
	return rc == SQLITE_ROW ? 1 : rc == SQLITE_DONE ? 0 : -EIO;
}

static void begin(struct export_rows *e, struct buf *out)
{
	if (e->format == EXPORT_CSV)
		add_csv_row(e, out, true);
	else if (e->format == EXPORT_JSON)
		buf_addc(out, '[');
}

static void add_row(struct export_rows *e, struct buf *out)
{
	if (e->format == EXPORT_CSV) {
		add_csv_row(e, out, false);
	} else if (e->format == EXPORT_TABLE) {
		for (int i = 0; i < e->columns; i++) {
			_cleanup_buf_ struct buf cell = BUF_INIT;

			add_plain(&cell, e->st, i);
			add_cell(e, out, i, cell.data, is_number(e->st, i));
		}
	} else {
		add_object(e, out);
		if (e->format == EXPORT_JSONL)
			buf_addc(out, '\n');
	}
}

int export_rows_next(struct export_rows *e, struct buf *out)
{
	bool first = !e->begun;
	int rc;

	e->begun = true;
	if (e->columns == 0) { /* a statement without an answer: it is only run */
		rc = sqlite3_step(e->st);
		return rc == SQLITE_DONE || rc == SQLITE_ROW ? 0 : -EIO;
	}
	if (first && e->format == EXPORT_TABLE)
		return begin_table(e, out);
	rc = sqlite3_step(e->st);
	if (rc != SQLITE_ROW && rc != SQLITE_DONE)
		return -EIO;
	if (first)
		begin(e, out);
	if (rc == SQLITE_DONE) {
		if (e->format == EXPORT_JSON)
			buf_adds(out, "]\n");
		return 0;
	}
	if (e->format == EXPORT_JSON && !first)
		buf_adds(out, ",\n");
	add_row(e, out);
	return 1;
}
