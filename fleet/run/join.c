/* join.c - connections whose two sides are in the recordings of two hosts become one. */
/* SPDX-License-Identifier: MIT */
/*
 * Of a TCP connection between hosts each recording has one side: what is local on one host is remote on the other. If exactly one open connection on
 * one host and one on another mirror each other they are the same; of a past that is loaded too, those that were open at any time. Where the addresses do not (NAT between them, several networks that
 * use the same ones) they stay apart, and the other side stays with somebody outside.
 */
#include "fleet/run/run.h"

#include "base/buf.h"
#include "base/mem.h"
#include "schema/query.h"

/* An IPv4 address that an IPv6 socket shows: "[::ffff:10.0.0.1]:80". Loopback is another machine on every host. */
#define PLAIN(address)                                                                             \
	"iif(" address " LIKE '[::ffff:%', replace(substr(" address ", 9), ']', ''), " address ")"

/* The side that is held on its host, if it is one. */
static const char sides_sql[] =
	"CREATE TEMP TABLE side AS SELECT p.id AS pipe_id, p.id >> 40 AS host, e.side AS side,"
	" iif(e.side, " PLAIN("p.remote") ", " PLAIN(
		"p.local") ") AS here,"
			   " iif(e.side, " PLAIN("p.local") ", " PLAIN(
				   "p.remote") ") AS there"
					       " FROM pipe p JOIN (SELECT pipe_id, min(side) AS side FROM pipe_end WHERE close_ns IS NULL OR (SELECT whole FROM range)"
					       "  GROUP BY pipe_id HAVING min(side) = max(side)) e ON e.pipe_id = p.id"
					       " WHERE p.kind = 'tcp' AND p.local IS NOT NULL AND p.remote IS NOT NULL;"
					       "DELETE FROM side WHERE here LIKE '127.%' OR here LIKE '[::1]%';"
					       "CREATE INDEX temp.side_by_here ON side(here, there);"
					       /* Two of one kind: addresses that are used in several networks. */
					       "CREATE TEMP TABLE doubtful AS SELECT here, there FROM side GROUP BY here, there HAVING count(*) > 1";

static const char pairs_sql[] =
	"CREATE TEMP TABLE pair AS SELECT a.pipe_id AS pipe_id, a.side AS side, b.pipe_id AS other_id, b.side AS other_side FROM side a"
	" JOIN side b ON b.here = a.there AND b.there = a.here AND b.host > a.host"
	" WHERE NOT EXISTS (SELECT 1 FROM doubtful d WHERE d.here = a.here AND d.there = a.there)"
	" AND NOT EXISTS (SELECT 1 FROM doubtful d WHERE d.here = b.here AND d.there = b.there)";

static int find_pairs(struct fleet_graph *g, struct buf *why)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	size_t cap = 0;
	int rc = query_exec(g->db,
		g->extent == FLEET_WHOLE ? "CREATE TEMP TABLE range AS SELECT 1 AS whole"
					 : "CREATE TEMP TABLE range AS SELECT 0 AS whole",
		why);

	if (!rc)
		rc = query_exec(g->db, sides_sql, why);
	if (!rc)
		rc = query_exec(g->db, pairs_sql, why);
	if (!rc)
		rc = query_one(g->db, "SELECT pipe_id, side, other_id, other_side FROM pair", 0,
			&stmt, why);
	for (; rc > 0; rc = query_step(stmt, why)) {
		ARRAY_GROW(g->joined, g->n_joined, cap);
		g->joined[g->n_joined++] = (struct fleet_joined){.pipe_id = query_int(stmt, 0, 0),
			.side = query_int(stmt, 1, 0) != 0,
			.other_id = query_int(stmt, 2, 0),
			.other_side = query_int(stmt, 3, 0) != 0};
	}
	return rc;
}

/* ?1 the first pipe, ?2 the second, ?3 and ?4 the sides that their hosts hold: the second one's rows become the first one's, on the side that was not held there. */
static const char *const join_sql[] = {
	"UPDATE pipe_end SET pipe_id = ?1, side = NOT ?3 WHERE pipe_id = ?2",
	"UPDATE wait SET pipe_id = ?1, side = NOT ?3 WHERE pipe_id = ?2",
	"UPDATE wait_on SET pipe_id = ?1, side = NOT ?3 WHERE pipe_id = ?2",
	"UPDATE pipe SET outside = ((outside >> ?3) & 1) << ?3 | (((SELECT o.outside FROM pipe o WHERE o.id = ?2) >> ?4) & 1) << (NOT ?3),"
	" inode2 = coalesce(inode2, 0), listener_id = NULL, name = 'tcp ' || local || ' -> ' || remote,"
	" sent_ns = coalesce(sent_ns, (SELECT o.sent_ns FROM pipe o WHERE o.id = ?2)) WHERE id = ?1",
	"DELETE FROM pipe WHERE id = ?2"};

static int join(struct fleet_graph *g, const char *sql, struct buf *why)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	int rc = query_open(g->db, sql, &stmt, why);

	for (size_t i = 0; !rc && i < g->n_joined; i++) {
		const struct fleet_joined *j = &g->joined[i];

		query_bind_int(stmt, 1, j->pipe_id);
		query_bind_int(stmt, 2, j->other_id);
		query_bind_int(stmt, 3, j->side);
		query_bind_int(stmt, 4, j->other_side);
		rc = query_run(stmt, why);
	}
	return rc;
}

/* Connections that mirror none, and on which somebody waits. They lead to a host that is not recorded, or there is NAT between. */
static const char apart_sql[] =
	"SELECT count(DISTINCT w.pipe_id) FROM side s JOIN wait w ON w.pipe_id = s.pipe_id WHERE w.end_ns IS NULL"
	" AND s.pipe_id NOT IN (SELECT pipe_id FROM pair UNION ALL SELECT other_id FROM pair)"
	" AND NOT EXISTS (SELECT 1 FROM doubtful d WHERE (d.here, d.there) IN ((s.here, s.there), (s.there, s.here)))";

int join_sockets(struct fleet_graph *g, struct buf *why)
{
	/* To be found by the pipe that is looked for; they are made at the end of a recording, which this is not. */
	int rc = query_exec(g->db,
		"CREATE INDEX pipe_end_by_pipe ON pipe_end(pipe_id); CREATE INDEX wait_by_pipe ON wait(pipe_id);"
		"CREATE INDEX wait_on_by_pipe ON wait_on(pipe_id); CREATE INDEX wait_by_thread ON wait(thread_id);"
		"CREATE INDEX thread_by_process ON thread(process_id)",
		why);

	if (!rc)
		rc = find_pairs(g, why);
	for (size_t i = 0; !rc && i < ARRAY_SIZE(join_sql); i++)
		rc = join(g, join_sql[i], why);
	if (!rc)
		g->n_doubtful =
			(size_t)query_number(g->db, "SELECT count(*) FROM doubtful", 0, 0, why);
	if (!rc)
		g->n_apart = (size_t)query_number(g->db, apart_sql, 0, 0, why);
	return query_failed(rc, why);
}
