/* schema_image.c - make a trace file without rows: `schema_image FILE`. Run by the build. */
/* SPDX-License-Identifier: MIT */
#include <sqlite3.h>
#include <stdio.h>

#include "schema/image/image.h"

int main(int argc, char **argv)
{
	sqlite3 *db = NULL;
	int rc = argc == 2 ? sqlite3_open(argv[1], &db) : SQLITE_MISUSE;

	if (rc == SQLITE_OK)
		rc = db_make_schema(db);
	if (rc != SQLITE_OK)
		(void)fprintf(
			stderr, "schema_image: %s\n", db ? sqlite3_errmsg(db) : "which file?");
	return sqlite3_close(db) != SQLITE_OK || rc != SQLITE_OK;
}
