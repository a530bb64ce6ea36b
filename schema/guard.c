/* guard.c - what a recording may not be or contain, since anybody may have written it. */
/* SPDX-License-Identifier: MIT */
#include "schema/guard.h"

#include "base/buf.h"
#include "base/mem.h"
#include "schema/db.h"
#include "schema/query.h"
#include "schema/version.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_trusted(const struct stat *file, const struct stat *beside)
{
	return S_ISREG(beside->st_mode) && (beside->st_uid == file->st_uid || beside->st_uid == 0 ||
						   beside->st_uid == geteuid());
}

int guard_beside(const char *path, const struct stat *st, char **ret_why)
{
	static const char *const suffixes[] = {"-wal", "-shm", "-journal"};
	int found = GUARD_ALONE;

	for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++) {
		_cleanup_free_ char *name = xasprintf("%s%s", path, suffixes[i]);
		struct stat beside;

		if (lstat(name, &beside) < 0)
			continue;
		if (!is_trusted(st, &beside)) {
			*ret_why = xasprintf(
				"%s is not a regular file that belongs to the owner of %s: remove it",
				name, path);
			return -EACCES;
		}
		found = GUARD_HAS_FILES;
	}
	return found;
}

/* Returns the next name after a keyword in the text of our schema, which the caller frees, or NULL; moves *at behind it. */
static char *next_name(const char **at, const char *keyword)
{
	const char *found = strstr(*at, keyword), *name;

	if (!found)
		return NULL;
	name = found + strlen(keyword);
	*at = name + strcspn(name, " (");
	return xstrndup(name, (size_t)(*at - name));
}

/* What is wrong with whatever has the name ?1, of which SQLite has checked that its text makes what type and name say. */
static const char check_sql[] =
	"SELECT CASE WHEN type <> 'table' THEN 'is a ' || type"
	" WHEN sql LIKE 'CREATE VIRTUAL%' THEN 'is a virtual table'"
	" ELSE (SELECT 'has a generated column' FROM pragma_table_xinfo(?1, 'main') WHERE hidden <> 0) END"
	" FROM main.sqlite_schema WHERE name = ?1 COLLATE NOCASE AND type <> 'trigger'"
	" UNION ALL SELECT 'has a trigger' FROM main.sqlite_schema WHERE tbl_name = ?1 COLLATE NOCASE AND type = 'trigger'";

static int check_table(sqlite3 *db, sqlite3_stmt *stmt, const char *name, char **ret_why)
{
	_cleanup_buf_ struct buf error = BUF_INIT;
	int rc;

	query_bind_text(stmt, 1, name);
	while ((rc = query_step(stmt, &error)) > 0)
		if (!query_null(stmt, 0)) {
			*ret_why = xasprintf("its table %s %s", name, query_text(stmt, 0));
			return SQLITE_AUTH;
		}
	if (rc < 0)
		return sqlite3_errcode(db);
	(void)sqlite3_reset(stmt);
	return SQLITE_OK;
}

static int check_tables(sqlite3 *db, char **ret_why)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	_cleanup_buf_ struct buf error = BUF_INIT;
	const char *at = db_schema_sql;
	int rc = query_open(db, check_sql, &stmt, &error) ? sqlite3_errcode(db) : SQLITE_OK;

	while (rc == SQLITE_OK) {
		_cleanup_free_ char *name = next_name(&at, "CREATE TABLE ");

		if (!name)
			break;
		rc = check_table(db, stmt, name, ret_why);
	}
	return rc;
}

static int make_views(sqlite3 *db)
{
	static const char create[] = "CREATE VIEW ";
	_cleanup_buf_ struct buf sql = BUF_INIT;
	const char *at = db_views_sql, *next;

	for (; (next = strstr(at, create)); at = next + strlen(create)) {
		buf_add(&sql, at, (size_t)(next - at));
		buf_adds(&sql, "CREATE TEMP VIEW ");
	}
	buf_adds(&sql, at);
	return sqlite3_exec(db, sql.data, NULL, NULL, NULL);
}

/* A recording of before 1.5 can be read all the same: its processes have no titles; nor, before 1.8, hooks. */
static int make_columns(sqlite3 *db)
{
	bool has_title = version_has(db, "process.title"),
	     has_hooks = version_has(db, "process.hooks");
	_cleanup_buf_ struct buf sql = BUF_INIT;

	if (has_title && has_hooks)
		return SQLITE_OK;
	buf_addf(&sql, "CREATE TEMP VIEW process AS SELECT *%s%s FROM main.process;",
		has_hooks ? "" : ", 0 AS hooks", has_title ? "" : ", NULL AS title");
	if (!has_title)
		buf_adds(&sql,
			"CREATE TEMP TABLE title (id INTEGER PRIMARY KEY, process_id, ts_ns, title)");
	return sqlite3_exec(db, sql.data, NULL, NULL, NULL);
}

int guard_schema(struct sqlite3 *db, char **ret_why)
{
	int rc = check_tables(db, ret_why);

	if (rc == SQLITE_OK)
		rc = make_columns(db);

	return rc == SQLITE_OK ? make_views(db) : rc;
}
