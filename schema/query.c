/* query.c - short forms for reading rows with SQLite, and the statements that are kept for the next. */
/* SPDX-License-Identifier: MIT */
#include "schema/query.h"

#include "base/buf.h"
#include "base/hash.h"
#include "schema/version.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <pthread.h>
#include <string.h>

/* ---- Statements that are kept ---- */

enum { MOST_KEPT = 64 };

/*
 * SQLite parses and plans a text for some 20 to 100 us, which is more than most of our queries then take; the same few are
 * asked for each member of a set. So a query that is done with is kept for the next who asks the same of the same connection.
 */
struct kept {
	sqlite3_stmt *list[MOST_KEPT];
	size_t n;
	size_t oldest; /* when there are MOST_KEPT: the next that makes room */
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct hash connections; /* address to struct kept */

static uint64_t key_of(const struct sqlite3 *db)
{
	return (uint64_t)(uintptr_t)db;
}

/* Returns a statement of this very text, with nothing bound, or NULL. */
static sqlite3_stmt *kept_take(struct sqlite3 *db, const char *sql)
{
	sqlite3_stmt *found = NULL;
	struct kept *k;

	pthread_mutex_lock(&mutex);
	k = hash_get(&connections, key_of(db));
	for (size_t i = k ? k->n : 0; i-- && !found;)
		if (!strcmp(sqlite3_sql(k->list[i]), sql)) {
			found = k->list[i];
			k->list[i] = k->list[--k->n];
			k->oldest = 0;
		}
	pthread_mutex_unlock(&mutex);
	return found;
}

/* Says whether running a statement once more does what preparing and running it does: of some PRAGMAs preparing is what acts. */
static bool is_query(sqlite3_stmt *stmt)
{
	const char *sql = sqlite3_sql(stmt);

	return sqlite3_stmt_readonly(stmt) &&
	       (!strncmp(sql, "SELECT", 6) || !strncmp(sql, "WITH", 4));
}

/* Takes a statement that nobody uses any more: it ends what it was doing, and is kept or finalized. */
static void kept_give(sqlite3_stmt *stmt)
{
	struct sqlite3 *db = sqlite3_db_handle(stmt);
	sqlite3_stmt *unwanted = stmt;
	struct kept *k;

	if (stmt && is_query(stmt)) {
		(void)sqlite3_reset(stmt); /* says once more what the last step said */
		(void)sqlite3_clear_bindings(stmt);
		pthread_mutex_lock(&mutex);
		k = hash_get(&connections, key_of(db));
		if (!k) {
			k = xcalloc(1, sizeof *k);
			(void)hash_set(&connections, key_of(db), k);
		}
		if (k->n < MOST_KEPT) {
			unwanted = NULL;
			k->list[k->n++] = stmt;
		} else {
			unwanted = k->list[k->oldest];
			k->list[k->oldest] = stmt;
			k->oldest = (k->oldest + 1) % MOST_KEPT;
		}
		pthread_mutex_unlock(&mutex);
	}
	(void)sqlite3_finalize(unwanted);
}

void query_forget(struct sqlite3 *db)
{
	struct kept *k;

	pthread_mutex_lock(&mutex);
	k = hash_del(&connections, key_of(db));
	if (!connections.len)
		hash_done(&connections);
	pthread_mutex_unlock(&mutex);
	for (size_t i = 0; k && i < k->n; i++)
		(void)sqlite3_finalize(k->list[i]);
	free(k);
}

/* ---- Queries ---- */

void query_cleanup(sqlite3_stmt **stmt)
{
	kept_give(*stmt);
	*stmt = NULL;
}

static int fail(struct sqlite3 *db, struct buf *why)
{
	_cleanup_free_ char *text = xstrdup(sqlite3_errmsg(db));

	if (why->len)
		return -EIO;
	if (sqlite3_errcode(db) == SQLITE_INTERRUPT)
		buf_adds(why, "it took too long and was abandoned");
	else if ((strncmp(text, "no such column: ", 16) != 0 &&
			 strncmp(text, "no such table: ", 15) != 0) ||
		 !version_explain(db, strchr(text, ':') + 2, why))
		buf_adds(why, text);
	return -EIO;
}

#if SQLITE_VERSION_NUMBER < 3035000
/* The hint came with SQLite 3.35; without it the answer is the same, only later. */
static int prepare(struct sqlite3 *db, const char *sql, sqlite3_stmt **ret)
{
	static const char hint[] = "MATERIALIZED";
	_cleanup_free_ char *text = xstrdup(sql);

	for (char *at = text; (at = strstr(at, hint));)
		memset(at, ' ', sizeof hint - 1);
	return sqlite3_prepare_v2(db, text, -1, ret, NULL);
}
#else
static int prepare(struct sqlite3 *db, const char *sql, sqlite3_stmt **ret)
{
	return sqlite3_prepare_v2(db, sql, -1, ret, NULL);
}
#endif

int query_open(struct sqlite3 *db, const char *sql, sqlite3_stmt **ret, struct buf *why)
{
	*ret = kept_take(db, sql);
	return *ret || prepare(db, sql, ret) == SQLITE_OK ? 0 : fail(db, why);
}

int query_step(sqlite3_stmt *stmt, struct buf *why)
{
	int rc = sqlite3_step(stmt);

	if (rc == SQLITE_ROW)
		return 1;
	return rc == SQLITE_DONE ? 0 : fail(sqlite3_db_handle(stmt), why);
}

int query_exec(struct sqlite3 *db, const char *sql, struct buf *why)
{
	return sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : fail(db, why);
}

int query_select_all(struct sqlite3 *db, const char *name, char **ret, struct buf *why)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	int rc = query_open(db,
		"SELECT 'SELECT * FROM \"' || replace(name, '\"', '\"\"') || '\"' FROM sqlite_master"
		" WHERE type IN ('table', 'view') AND name = ?1",
		&stmt, why);

	if (rc)
		return rc;
	query_bind_text(stmt, 1, name);
	rc = query_step(stmt, why);
	*ret = rc > 0 ? xstrdup(query_text(stmt, 0)) : NULL;
	return rc < 0 ? rc : 0;
}

int query_run(sqlite3_stmt *stmt, struct buf *why)
{
	int rc = query_step(stmt, why);

	(void)sqlite3_reset(stmt); /* says the same error once more */
	return rc < 0 ? rc : 0;
}

void query_bind_int(sqlite3_stmt *stmt, int index, int64_t value)
{
	(void)sqlite3_bind_int64(stmt, index, value);
}

void query_bind_text(sqlite3_stmt *stmt, int index, const char *text)
{
	(void)sqlite3_bind_text(stmt, index, text, -1, SQLITE_TRANSIENT);
}

void query_bind_bytes(sqlite3_stmt *stmt, int index, const char *text, size_t len)
{
	(void)sqlite3_bind_text64(stmt, index, text, len, SQLITE_TRANSIENT, SQLITE_UTF8);
}

int query_one(struct sqlite3 *db, const char *sql, int64_t arg, sqlite3_stmt **ret, struct buf *why)
{
	int rc = query_open(db, sql, ret, why);

	if (rc)
		return rc;
	(void)sqlite3_bind_int64(*ret, 1, arg); /* fails only where the query has no ?1 */
	return query_step(*ret, why);
}

int64_t query_number(
	struct sqlite3 *db, const char *sql, int64_t arg, int64_t fallback, struct buf *why)
{
	return query_pair(
		db, sql, arg, 0, fallback, why); /* where there is no ?2 its value is refused */
}

int64_t query_pair(struct sqlite3 *db, const char *sql, int64_t a, int64_t b, int64_t fallback,
	struct buf *why)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;

	if (query_open(db, sql, &stmt, why) != 0)
		return fallback;
	query_bind_int(stmt, 1, a);
	query_bind_int(stmt, 2, b);
	return query_step(stmt, why) == 1 ? query_int(stmt, 0, fallback) : fallback;
}

int query_check(struct sqlite3 *db, const char *const *sql, size_t n, struct buf *why)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < n; i++) {
		_cleanup_stmt_ sqlite3_stmt *stmt = NULL;

		rc = query_open(db, sql[i], &stmt, why);
	}
	return rc;
}

bool query_is_snapshot(struct sqlite3 *db, struct buf *why)
{
	return query_number(db, "SELECT backend = 'snapshot' FROM trace", 0, 0, why) != 0;
}

int query_failed(int rc, const struct buf *why)
{
	return why->len ? -EIO : rc;
}

const char *query_text(sqlite3_stmt *stmt, int col)
{
	const unsigned char *s = sqlite3_column_text(stmt, col);

	return s ? (const char *)s : "";
}

void query_add_text(struct buf *b, sqlite3_stmt *stmt, int col)
{
	const char *text = query_text(stmt, col);

	buf_add_printable(b, text, strlen(text));
}

int64_t query_int(sqlite3_stmt *stmt, int col, int64_t fallback)
{
	return query_null(stmt, col) ? fallback : sqlite3_column_int64(stmt, col);
}

bool query_null(sqlite3_stmt *stmt, int col)
{
	return sqlite3_column_type(stmt, col) == SQLITE_NULL;
}

/* ---- JSON ---- */

/* The columns of schema.sql whose comment says that they are JSON. */
static const char *const documents[] = {"argv", "blind_spots", "command", "gates", "options"};

static bool is_document(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(documents); i++)
		if (!strcmp(documents[i], name))
			return true;
	return false;
}

/* Returns false, and adds nothing, if the text is neither an array nor an object. */
static bool add_document(struct buf *b, const char *text, size_t len)
{
	json_t *value = json_loadb(text, len, JSON_ALLOW_NUL, NULL);
	char *line = json_is_array(value) || json_is_object(value) ? json_dumps(value, JSON_COMPACT)
								   : NULL;

	if (line)
		buf_adds(b, line);
	json_decref(value);
	free(line);
	return line != NULL;
}

static void add_real(struct buf *b, double v)
{
	if (isfinite(v))
		buf_addf(b, "%.15g", v);
	else
		buf_adds(b, "null");
}

void query_json(struct buf *b, sqlite3_stmt *stmt, int column, const char *name)
{
	const char *s;
	size_t len;

	switch (sqlite3_column_type(stmt, column)) {
	case SQLITE_NULL:
		buf_adds(b, "null");
		return;
	case SQLITE_INTEGER:
		buf_addf(b, "%" PRId64, (int64_t)sqlite3_column_int64(stmt, column));
		return;
	case SQLITE_FLOAT:
		add_real(b, sqlite3_column_double(stmt, column));
		return;
	default:
		break;
	}
	s = sqlite3_column_blob(stmt, column); /* comes first, its length after it */
	len = (size_t)sqlite3_column_bytes(stmt, column);
	s = s ? s : "";
	if (!is_document(name) || !add_document(b, s, len))
		buf_add_json(b, s, len);
}
