/* version.c - the version of the file format, and what older files lack. */
/* SPDX-License-Identifier: MIT */
#include "schema/version.h"

#include "base/buf.h"
#include "base/mem.h"

#include <sqlite3.h>
#include <stdbool.h>
#include <stdlib.h>

static const char *const added[VERSION_MINOR + 1] = {
#define MINOR(number, columns) [number] = columns,
#include "schema/versions.def"
#undef MINOR
};

unsigned version_major(unsigned number)
{
	return number < 1000 ? number : number / 1000;
}

unsigned version_minor(unsigned number)
{
	return number < 1000 ? 0 : number % 1000;
}

static int keep_number(void *arg, int n, char **values, char **names)
{
	(void)names;
	*(unsigned *)arg = n && values[0] ? (unsigned)strtoul(values[0], NULL, 10) : 0;
	return 0;
}

bool version_has(struct sqlite3 *db, const char *item)
{
	const char *dot = strchr(item, '.');
	_cleanup_free_ char *table = dot ? xstrndup(item, (size_t)(dot - item)) : xstrdup(item);

	return sqlite3_table_column_metadata(db, NULL, table, dot ? dot + 1 : NULL, NULL, NULL,
		       NULL, NULL, NULL) == SQLITE_OK;
}

/* Finds name among the items of a version that the file lacks; returns a copy of the item. */
static char *find(struct sqlite3 *db, const char *items, const char *name)
{
	for (size_t len; *items; items += len + strspn(items + len, " ")) {
		_cleanup_free_ char *item = xstrndup(items, len = strcspn(items, " "));
		const char *dot = strchr(item, '.');

		if (!strcmp(dot ? dot + 1 : item, name) && !version_has(db, item))
			return steal(&item);
	}
	return NULL;
}

int version_explain(struct sqlite3 *db, const char *name, struct buf *out)
{
	const char *alias = strrchr(name, '.');
	unsigned number = 0;

	(void)sqlite3_exec(db, "PRAGMA user_version", keep_number, &number, NULL);
	for (unsigned i = 1; i <= VERSION_MINOR; i++) {
		_cleanup_free_ char *item = find(db, added[i], alias ? alias + 1 : name);

		if (!item)
			continue;
		buf_addf(out,
			"an older pptrace made the recording: its format is %u.%u, and %s came with %d.%u; "
			"record it again",
			version_major(number), version_minor(number), item, VERSION_MAJOR, i);
		return 1;
	}
	return 0;
}
