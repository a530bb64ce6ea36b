/* pull.c - a host's recording back into a file. */
/* SPDX-License-Identifier: MIT */
#include "fleet/private.h"

#include "base/buf.h"
#include "base/mem.h"
#include "schema/db.h"
#include "schema/query.h"

#include <errno.h>

static int only_host(void *arg, const char *trace_id, size_t len)
{
	(void)arg;
	(void)trace_id;
	(void)len;
	return 0;
}

static int pull_tables(struct server *s, const struct fleet_host *h, const struct tables *t,
	struct sqlite3 *db, struct buf *why)
{
	_cleanup_buf_ struct buf condition = BUF_INIT;
	int rc = query_exec(db, "BEGIN", why);

	buf_adds(&condition, "run = ");
	server_quote(&condition, h->run);
	buf_adds(&condition, " AND trace_id = ");
	server_quote(&condition, h->trace_id);
	for (size_t i = 0; !rc && i < t->n; i++)
		rc = read_rows(s, db,
			&(struct read_table){
				.hosts = &(struct fleet_hosts){(struct fleet_host *)h, 1, NULL},
				.table = &t->list[i],
				.condition = condition.data,
				.host_of = only_host},
			why);
	if (!rc)
		rc = query_exec(db, db_index_sql, why);
	return rc ? rc : query_exec(db, "COMMIT; PRAGMA journal_mode = MEMORY", why);
}

int fleet_pull(struct server *s, const struct fleet_host *h, const char *path, struct buf *why)
{
	_cleanup_free_ char *sentence = NULL;
	struct sqlite3 *db = NULL;
	struct tables t;
	int rc = columns_load(&t, why);

	if (!rc)
		rc = db_create(path, &db, &sentence);
	if (sentence)
		buf_adds(why, sentence);
	if (!rc)
		rc = pull_tables(s, h, &t, db, why);
	db_close(db);
	columns_done(&t);
	return rc;
}
