/* make.c - the tables and views of a trace file. */
/* SPDX-License-Identifier: MIT */
#include "schema/image/image.h"

#include <sqlite3.h>

#include "base/mem.h"
#include "schema/db.h"
#include "schema/version.h"

int db_make_schema(struct sqlite3 *db)
{
	static const char *const texts[] = {
		"PRAGMA page_size = 8192; PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF;"
		"BEGIN",
		db_schema_sql, db_views_sql, "COMMIT; PRAGMA wal_checkpoint(TRUNCATE)"};
	_cleanup_free_ char *marks =
		xasprintf("PRAGMA application_id = %d; PRAGMA user_version = %d", DB_APPLICATION_ID,
			VERSION_NUMBER);
	int rc = SQLITE_OK;

	for (size_t i = 0; i < ARRAY_SIZE(texts) && rc == SQLITE_OK; i++) {
		rc = sqlite3_exec(db, texts[i], NULL, NULL, NULL);
		if (i == 0 && rc == SQLITE_OK)
			rc = sqlite3_exec(db, marks, NULL, NULL, NULL);
	}
	return rc;
}
