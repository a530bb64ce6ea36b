/* load.c - the small tables of all hosts of a run as one recording in memory. */
/* SPDX-License-Identifier: MIT */
/*
 * What fetch.c brings, with processes that have their host's name, "server@node1", reads as a recording that was never closed. Whether the
 * moments of the hosts fit together is for proof.c to say.
 */
#include "fleet/run/run.h"

#include "base/buf.h"
#include "base/mem.h"
#include "schema/db.h"
#include "schema/query.h"

#include <errno.h>

static void label_of(sqlite3_context *context, int n, sqlite3_value **values)
{
	const struct fleet_graph *g = sqlite3_user_data(context);
	size_t host = (size_t)(sqlite3_value_int64(values[0]) >> HOST_SHIFT) - 1;

	(void)n;
	if (host < g->hosts->n)
		sqlite3_result_text(context, g->hosts->list[host].label, -1, SQLITE_STATIC);
}

static int name_processes(struct fleet_graph *g, struct buf *why)
{
	if (sqlite3_create_function(g->db, "label_of", 1, SQLITE_UTF8 | SQLITE_DETERMINISTIC, g,
		    label_of, NULL, NULL))
		return -ENOMEM;
	return query_exec(g->db,
		"UPDATE thread SET name = NULL WHERE name = (SELECT p.name FROM process p WHERE p.id = process_id);"
		"UPDATE process SET name = coalesce(name, '?') || '@' || label_of(id), program = program || '@' || label_of(id),"
		" title = title || '@' || label_of(id)",
		why);
}

static int write_trace(struct fleet_graph *g, struct buf *why)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	const struct fleet_host *first = &g->hosts->list[0];
	int64_t duration_ns = 0;
	uint64_t lost = 0;
	bool attached = false;
	int rc = query_open(g->db,
		"INSERT INTO trace (id, command, host, backend, started_unix_ns, duration_ns, complete, lost, attached,"
		" blind_spots) VALUES (1, ?1, ?2, ?3, ?4, ?5, 0, ?6, ?7, '[]')",
		&stmt, why);

	for (size_t i = 0; i < g->hosts->n; i++) {
		const struct fleet_host *h = &g->hosts->list[i];

		if (g->cuts[i].at_ns > duration_ns)
			duration_ns = g->cuts[i].at_ns;
		lost += h->lost;
		attached = attached || h->attached;
	}
	if (rc)
		return rc;
	query_bind_text(stmt, 1, first->command);
	query_bind_text(stmt, 2, g->hosts->n == 1 ? first->host : "several");
	query_bind_text(stmt, 3, first->backend);
	query_bind_int(stmt, 4, g->start_unix_ns);
	query_bind_int(stmt, 5, duration_ns + 1);
	query_bind_int(stmt, 6, (int64_t)lost);
	query_bind_int(stmt, 7, attached);
	return query_run(stmt, why);
}

/* The rows of all hosts that tell what was lost have the same keys. */
static int prepare(struct fleet_graph *g, struct buf *why)
{
	_cleanup_free_ char *sentence = NULL;
	int rc;

	if (db_open_temp(&g->db, &sentence) < 0) {
		buf_adds(why, sentence);
		return -EIO;
	}
	rc = query_exec(g->db,
		"BEGIN; DROP TABLE lost; CREATE TABLE lost (source TEXT NOT NULL, kind TEXT NOT NULL, count INTEGER NOT NULL)",
		why);
	/* Of a table of what is open an index of what is open is no use. */
	if (!rc && g->extent == FLEET_VERDICT)
		rc = query_exec(g->db, "DROP INDEX pipe_end_open; DROP INDEX wait_open", why);
	return rc;
}

int load_more(struct server *s, const struct fleet_graph *g, const char *table,
	const char *condition, struct buf *why)
{
	struct fetching *f = NULL;
	int rc = fetch_new(&f, s, (struct fleet_graph *)g, why);

	if (!rc)
		rc = fetch_more(f, table, condition, why);
	fetch_free(f);
	return rc;
}

/* While the server looks for messages between the hosts, what needs no cut is read. */
static int load_rows(struct server *s, struct fleet_graph *g, struct buf *why)
{
	struct fetching *f = NULL;
	struct clocks *c = NULL;
	int rc = fetch_new(&f, s, g, why);

	if (!rc)
		rc = fetch_begin(f, why);
	if (!rc)
		rc = clocks_read(s, g, why);
	if (!rc)
		rc = clocks_ask(&c, s, g, why);
	if (!rc)
		rc = fetch_early(f, why);
	if (!rc)
		rc = clocks_bound(c, g, why);
	if (!rc)
		rc = fetch_rest(f, why);
	clocks_free(c);
	fetch_free(f);
	return rc;
}

int fleet_load(struct server *s, const struct fleet_hosts *hosts, enum fleet_extent extent,
	struct fleet_graph *ret, struct buf *why)
{
	static int (*const steps[])(struct fleet_graph *, struct buf *) = {
		name_processes, write_trace, join_sockets};
	int rc;

	*ret = (struct fleet_graph){
		.hosts = hosts, .extent = extent, .cuts = xcalloc(hosts->n + 1, sizeof *ret->cuts)};
	rc = prepare(ret, why);
	if (!rc)
		rc = load_rows(s, ret, why);
	for (size_t i = 0; !rc && i < ARRAY_SIZE(steps); i++)
		rc = steps[i](ret, why);
	if (!rc)
		rc = query_exec(ret->db, "COMMIT", why);
	if (!rc)
		rc = query_exec(ret->db, db_index_sql, why);
	if (rc)
		fleet_graph_done(ret);
	return rc;
}

/* db_create makes the name and the mode; the contents are copied page by page. */
int fleet_save(const struct fleet_graph *g, const char *path, struct buf *why)
{
	_cleanup_free_ char *sentence = NULL;
	struct sqlite3_backup *copy;
	struct sqlite3 *db = NULL;
	int rc = db_create(path, &db, &sentence);

	if (rc) {
		buf_adds(why, sentence);
		return rc;
	}
	rc = query_exec(db, "PRAGMA journal_mode = DELETE", why);
	copy = rc ? NULL : sqlite3_backup_init(db, "main", g->db, "main");
	if (copy) {
		(void)sqlite3_backup_step(copy, -1);
		(void)sqlite3_backup_finish(copy);
	}
	if (!rc && sqlite3_errcode(db) != SQLITE_OK) {
		buf_addf(why, "cannot write %s: %s", path, sqlite3_errmsg(db));
		rc = -EIO;
	}
	db_close(db);
	return rc;
}

void fleet_graph_done(struct fleet_graph *g)
{
	db_close(g->db);
	free(g->cuts);
	free(g->joined);
	*g = (struct fleet_graph){0};
}
