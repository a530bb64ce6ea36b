/* findings.c - what the recordings of the hosts say alone. */
/* SPDX-License-Identifier: MIT */
#include "fleet/run/run.h"

#include "base/buf.h"
#include "base/mem.h"
#include "schema/query.h"
#include "verdict/verdict.h"

#include <errno.h>

struct own {
	const struct fleet_graph *graph;
};

static int host_of(void *arg, const char *trace_id, size_t len)
{
	const struct own *own = arg;

	return hosts_find(own->graph->hosts, trace_id, len);
}

static enum read_change change(void *arg, int host, const struct column *c, int64_t *n)
{
	(void)arg;
	if (c->meaning == COLUMN_ID && *n > 0)
		*n += fleet_first_id((size_t)host);
	return READ_AS_IT_IS;
}

static int name_host(const struct fleet_graph *g, struct buf *why)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	int rc = query_open(g->db,
		"UPDATE finding SET summary = ?2 || ': ' || summary WHERE id BETWEEN ?1 AND ?1 + (1 << 40) - 1",
		&stmt, why);

	for (size_t i = 0; !rc && i < g->hosts->n; i++) {
		query_bind_int(stmt, 1, fleet_first_id(i));
		query_bind_text(stmt, 2, g->hosts->list[i].label);
		rc = query_run(stmt, why);
	}
	return rc;
}

int fleet_findings(
	struct server *s, const struct fleet_graph *g, struct findings *ret, struct buf *why)
{
	static const char *const names[] = {"finding", "finding_member"};
	_cleanup_buf_ struct buf condition = BUF_INIT;
	struct own own = {g};
	struct tables t;
	int rc = columns_load(&t, why);

	buf_adds(&condition, "run = ");
	server_quote(&condition, g->hosts->list[0].run);
	for (size_t i = 0; !rc && i < ARRAY_SIZE(names); i++)
		rc = read_rows(s, g->db,
			&(struct read_table){.hosts = g->hosts,
				.table = columns_table(&t, names[i]),
				.condition = condition.data,
				.host_of = host_of,
				.change = change,
				.arg = &own},
			why);
	columns_done(&t);
	if (!rc)
		rc = name_host(g, why);
	if (!rc)
		rc = query_exec(g->db, "DELETE FROM finding WHERE severity = 'info'", why);
	return rc ? rc : verdict_load(g->db, ret, why);
}
