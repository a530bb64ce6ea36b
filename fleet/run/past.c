/* past.c - what happened on the hosts of a run, for pictures: the longest waits and holds, the messages between hosts. */
/* SPDX-License-Identifier: MIT */
/*
 * The big tables are asked where they are for so many rows as a picture can show. What the hosts have sent each other are the
 * reads and writes of the connections between them, which become those of one connection, as the ends did.
 */
#include "fleet/run/run.h"

#include "base/buf.h"
#include "schema/query.h"

enum { MOST = 20000 /* rows of a table */ };

/* Returns in *ret the least of how long the longest lasted, in nanoseconds. */
static int ask_least(struct server *s, const char *run, const char *table, const char *length,
	uint64_t *ret, struct buf *why)
{
	_cleanup_buf_ struct buf sql = BUF_INIT;

	buf_addf(&sql,
		"SELECT toUInt64(min(d)) FROM (SELECT greatest(%s, 0) AS d FROM %s_rows FINAL WHERE gone = 0 AND run = ",
		length, table);
	server_quote(&sql, run);
	buf_addf(&sql, " ORDER BY d DESC LIMIT %d)", MOST);
	return server_number(s, sql.data, ret, why);
}

static int load_longest(struct server *s, const struct fleet_graph *g, const char *table,
	const char *start, const char *end, struct buf *why)
{
	const char *run = g->hosts->list[0].run;
	_cleanup_buf_ struct buf length = BUF_INIT, condition = BUF_INIT;
	uint64_t least = 0;
	int rc;

	buf_addf(&length, "ifNull(%s, 0) - ifNull(%s, 0)", end, start);
	rc = ask_least(s, run, table, length.data, &least, why);
	buf_adds(&condition, "run = ");
	server_quote(&condition, run);
	buf_addf(&condition, " AND %s IS NOT NULL AND %s >= %llu", end, length.data,
		(unsigned long long)least);
	return rc ? rc : load_more(s, g, table, condition.data, why);
}

/* One side of a connection, as ClickHouse's SQL. */
static void add_side(struct buf *sql, const struct fleet_graph *g, int64_t pipe_id)
{
	size_t host = (size_t)(pipe_id >> 40) - 1;

	buf_adds(sql, " OR trace_id = ");
	server_quote(sql, g->hosts->list[host].trace_id);
	buf_addf(sql, " AND pipe_id = %lld", (long long)(pipe_id - fleet_first_id(host)));
}

static int load_messages(struct server *s, const struct fleet_graph *g, struct buf *why)
{
	enum { CONNECTIONS = 500 }; /* so many are asked for */
	_cleanup_buf_ struct buf condition = BUF_INIT, sql = BUF_INIT;
	int rc = 0;

	buf_adds(&condition, "run = ");
	server_quote(&condition, g->hosts->list[0].run);
	buf_adds(&condition, " AND bytes > 0 AND (0");
	for (size_t i = 0; i < g->n_joined && i < CONNECTIONS; i++) {
		const struct fleet_joined *j = &g->joined[i];

		add_side(&condition, g, j->pipe_id);
		add_side(&condition, g, j->other_id);
		buf_addf(&sql, "UPDATE pipe_io SET pipe_id = %lld, side = %d WHERE pipe_id = %lld;",
			(long long)j->pipe_id, !j->side, (long long)j->other_id);
	}
	buf_adds(&condition, ")");
	if (g->n_joined)
		rc = load_more(s, g, "pipe_io", condition.data, why);
	/* Pictures take the highest id for how many there are. */
	buf_adds(&sql,
		"CREATE TEMP TABLE io AS SELECT * FROM pipe_io ORDER BY start_ns; UPDATE io SET id = rowid; DELETE FROM pipe_io;"
		" INSERT INTO pipe_io SELECT * FROM io; DROP TABLE io");
	return rc ? rc : query_exec(g->db, sql.data, why);
}

int fleet_past(struct server *s, const struct fleet_graph *g, struct buf *why)
{
	int rc = load_longest(s, g, "wait", "start_ns", "end_ns", why);

	if (!rc)
		rc = load_longest(s, g, "lock_hold", "acquire_ns", "release_ns", why);
	return rc ? rc : load_messages(s, g, why);
}
