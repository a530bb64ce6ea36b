/* binary.c - rows as ClickHouse's RowBinary. */
/* SPDX-License-Identifier: MIT */
/*
 * https://clickhouse.com/docs/interfaces/formats#rowbinary: numbers as they lie in memory, texts after their length in
 * groups of seven bits, a nullable value after a byte that is 1 where it is NULL; nothing in between.
 */
#include "fleet/private.h"

#include "base/buf.h"
#include "schema/query.h"

#include <endian.h>

void binary_add_number(struct buf *b, uint64_t n)
{
	n = htole64(n);
	buf_add(b, &n, sizeof n);
}

void binary_add_text(struct buf *b, const void *text, size_t len)
{
	size_t n = len;

	for (; n >= 128; n >>= 7)
		buf_addc(b, (char)(n | 128));
	buf_addc(b, (char)n);
	buf_add(b, text, len);
}

void binary_add_value(struct buf *b, const struct column *c, sqlite3_stmt *row, int i)
{
	bool is_null = i < 0 || sqlite3_column_type(row, i) == SQLITE_NULL;
	const void *bytes;

	if (c->nullable)
		buf_addc(b, is_null);
	if (c->nullable && is_null)
		return;
	if (c->type == COLUMN_NUMBER) {
		binary_add_number(b, is_null ? 0 : (uint64_t)sqlite3_column_int64(row, i));
		return;
	}
	bytes = is_null                  ? ""
		: c->type == COLUMN_TEXT ? (const void *)sqlite3_column_text(row, i)
					 : sqlite3_column_blob(row, i);
	binary_add_text(b, bytes ? bytes : "", is_null ? 0 : (size_t)sqlite3_column_bytes(row, i));
}

static bool has(struct binary_reader *r, size_t len)
{
	if ((size_t)(r->end - r->at) < len)
		r->bad = true;
	return !r->bad;
}

uint64_t binary_number(struct binary_reader *r)
{
	uint64_t n = 0;

	if (!has(r, 8))
		return 0;
	memcpy(&n, r->at, sizeof n);
	r->at += sizeof n;
	return le64toh(n);
}

const char *binary_text(struct binary_reader *r, size_t *ret_len)
{
	size_t len = 0;
	const char *text;

	*ret_len = 0;
	for (unsigned shift = 0;; shift += 7) {
		unsigned char c;

		if (shift > 28 || !has(r, 1)) {
			r->bad = true;
			return "";
		}
		c = (unsigned char)*r->at++;
		len |= (size_t)(c & 127) << shift;
		if (c < 128)
			break;
	}
	if (!has(r, len))
		return "";
	text = r->at;
	r->at += len;
	*ret_len = len;
	return text;
}

void binary_bind(struct binary_reader *r, const struct column *c, sqlite3_stmt *stmt, int i)
{
	const char *text;
	size_t len;

	if (c->nullable && has(r, 1) && *r->at++) {
		(void)sqlite3_bind_null(stmt, i);
		return;
	}
	if (c->type == COLUMN_NUMBER) {
		(void)sqlite3_bind_int64(stmt, i, (int64_t)binary_number(r));
		return;
	}
	text = binary_text(r, &len);
	if (c->type == COLUMN_TEXT)
		(void)sqlite3_bind_text(stmt, i, text, (int)len, SQLITE_TRANSIENT);
	else
		(void)sqlite3_bind_blob(stmt, i, text, (int)len, SQLITE_TRANSIENT);
}
