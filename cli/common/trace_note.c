/* trace_note.c - say what a recording lacks before anybody trusts it. */
/* SPDX-License-Identifier: MIT */
#include "cli/common/trace_note.h"

#include <errno.h>
#include <inttypes.h>
#include <sqlite3.h>

#include "base/buf.h"
#include "base/mem.h"
#include "cli/common/say.h"
#include "schema/db.h"

static sqlite3_stmt *prepare(sqlite3 *db, const char *sql)
{
	sqlite3_stmt *st = NULL;

	/* A table that is missing was missed by db_open_read as well; then there is nothing to say. */
	return sqlite3_prepare_v2(db, sql, -1, &st, NULL) == SQLITE_OK ? st : NULL;
}

static int64_t number(sqlite3 *db, const char *sql)
{
	sqlite3_stmt *st = prepare(db, sql);
	int64_t v = sqlite3_step(st) == SQLITE_ROW ? sqlite3_column_int64(st, 0) : 0;

	(void)sqlite3_finalize(st);
	return v;
}

/* "12 events lost (10 LOCK_ACQUIRE from shim, 2 from ebpf)". */
static void note_lost(sqlite3 *db)
{
	_cleanup_buf_ struct buf kinds = BUF_INIT;
	int64_t lost = number(db, "SELECT lost FROM trace");
	sqlite3_stmt *st;

	if (lost <= 0)
		return;
	st = prepare(db, "SELECT count, kind, source FROM lost ORDER BY count DESC, source, kind");
	for (int n = 0; sqlite3_step(st) == SQLITE_ROW; n++) {
		const char *kind = (const char *)sqlite3_column_text(st, 1);

		buf_addf(&kinds, "%s%" PRId64, n ? ", " : " (",
			(int64_t)sqlite3_column_int64(st, 0));
		if (kind && strcmp(kind, "any") != 0)
			buf_addf(&kinds, " %s", kind);
		buf_addf(&kinds, " from %s", (const char *)sqlite3_column_text(st, 2));
	}
	if (kinds.len)
		buf_addc(&kinds, ')');
	note("%" PRId64 " event%s lost%s: what happened then is missing here", lost,
		lost == 1 ? "" : "s", kinds.data);
	(void)sqlite3_finalize(st);
}

static void detail_blind_spots(sqlite3 *db)
{
	sqlite3_stmt *st = prepare(db,
		"SELECT value FROM trace, json_each(iif(json_valid(blind_spots), blind_spots, '[]'))");

	while (sqlite3_step(st) == SQLITE_ROW)
		detail("blind spot: %s", (const char *)sqlite3_column_text(st, 0));
	(void)sqlite3_finalize(st);
}

void trace_note(sqlite3 *db, const char *path)
{
	if (number(db, "SELECT count(*) FROM trace WHERE complete = 0"))
		note("%s is not complete: it is still being recorded, or pptrace was killed", path);
	note_lost(db);
	detail_blind_spots(db);
}

sqlite3 *trace_open(const char *path)
{
	_cleanup_free_ char *why = NULL;
	sqlite3 *db = NULL;

	switch (db_open_read(path, &db, &why)) {
	case 0:
		break;
	case -ENOENT:
		if (!strcmp(path, "pptrace.db"))
			die("%s here; 'pptrace run COMMAND' makes one, and others can be named",
				why);
		/* fall through */
	default:
		die("%s", why);
	}
	trace_note(db, path);
	return db;
}

const char *trace_operand(const char *command, int argc, char **argv)
{
	if (argc > 1) {
		warn("%s: only one recording can be given; '%s' is one too many", command, argv[1]);
		return NULL;
	}
	return argc ? argv[0] : "pptrace.db";
}
