/* diagnose.c - what is stuck across hosts. */
/* SPDX-License-Identifier: MIT */
/*
 * The moments at which the hosts are cut are not the same, and their clocks differ. Still, a set that rests on a connection between
 * two hosts is certain if all that either side had written by its moment had been read on the other by that side's: then
 * nothing was under way between them, the cut is consistent (Chandy and Lamport), and what nobody else can wake was still
 * asleep when the later of the moments came.
 */
#include "fleet/private.h"

#include "base/buf.h"
#include "base/mem.h"
#include "schema/query.h"
#include "verdict/finding.h"

#include <errno.h>

/* What a side of a connection has read and written by the cut of its host. */
struct traffic {
	uint64_t read, written;
};

static size_t host_of_id(int64_t id)
{
	return (size_t)(id >> 40) - 1;
}

static int64_t shift_of(const struct fleet_graph *g, size_t host)
{
	int64_t start = g->hosts->list[0].started_unix_ns;

	for (size_t i = 0; i < g->hosts->n; i++)
		if (g->hosts->list[i].started_unix_ns < start)
			start = g->hosts->list[i].started_unix_ns;
	return g->hosts->list[host].started_unix_ns - start;
}

static int ask_traffic(struct server *s, const struct fleet_graph *g, int64_t pipe_id,
	struct traffic *ret, struct buf *why)
{
	size_t host = host_of_id(pipe_id);
	const struct fleet_host *h = &g->hosts->list[host];
	_cleanup_buf_ struct buf sql = BUF_INIT, out = BUF_INIT;
	unsigned long long got = 0, put = 0;
	int rc;

	buf_adds(&sql,
		"SELECT sumIf(ifNull(bytes, 0), op = 'read'), sumIf(ifNull(bytes, 0), op = 'write') FROM pipe_io_rows FINAL"
		" WHERE gone = 0 AND run = ");
	server_quote(&sql, h->run);
	buf_adds(&sql, " AND trace_id = ");
	server_quote(&sql, h->trace_id);
	buf_addf(&sql, " AND pipe_id = %lld AND end_ns <= %lld",
		(long long)(pipe_id - fleet_first_id(host)),
		(long long)(g->cuts[host].at_ns - shift_of(g, host)));
	rc = server_ask(s, sql.data, &out, why);
	if (!rc && sscanf(out.data, "%llu %llu", &got, &put) != 2) {
		buf_adds(why, "the server answered something else than was asked for");
		rc = -EIO;
	}
	*ret = (struct traffic){got, put};
	return rc;
}

/* Says whether all that happens on a connection is sure to be in the recording of that host. */
static bool sees_all(
	const struct fleet_graph *g, size_t host, const struct fleet_joined *j, struct buf *why)
{
	const struct fleet_host *h = &g->hosts->list[host];
	static const char odd_sql[] =
		"SELECT EXISTS (SELECT 1 FROM pipe_end e JOIN process p ON p.id = e.process_id WHERE e.pipe_id = ?1"
		" AND (p.uring OR p.raw_calls OR p.reopens) AND p.id >> 40 = ?2)";

	return h->whole && !h->lost && !h->attached && strncmp(h->backend, "snapshot", 8) != 0 &&
	       !query_pair(g->db, odd_sql, j->pipe_id, (int64_t)host + 1, 1, why);
}

/* Says whether nothing is under way on a joined connection. Returns 1, 0, or -EIO. */
static int is_empty(struct server *s, const struct fleet_graph *g, const struct fleet_joined *j,
	struct buf *why)
{
	struct traffic a, b;
	int rc;

	if (!sees_all(g, host_of_id(j->pipe_id), j, why) ||
		!sees_all(g, host_of_id(j->other_id), j, why))
		return query_failed(0, why);
	/* From the first byte on. */
	if (query_number(
		    g->db, "SELECT created_ns IS NULL FROM pipe WHERE id = ?1", j->pipe_id, 1, why))
		return query_failed(0, why);
	rc = ask_traffic(s, g, j->pipe_id, &a, why);
	if (!rc)
		rc = ask_traffic(s, g, j->other_id, &b, why);
	return rc ? rc : a.read == b.written && b.read == a.written;
}

/* The joined connections for which a wait is, and whether it is for reading: what a full one holds is under way by itself. */
static const char waited_sql[] =
	"SELECT p.id, x.mode FROM (SELECT pipe_id, iif(reason = 'pipe-read', 'r', 'w') AS mode FROM wait WHERE id = ?1"
	" UNION SELECT pipe_id, mode FROM wait_on WHERE wait_id = ?1) x JOIN pipe p ON p.id = x.pipe_id AND p.kind = 'tcp'";

static const struct fleet_joined *joined_of(const struct fleet_graph *g, int64_t pipe_id)
{
	for (size_t i = 0; i < g->n_joined; i++)
		if (g->joined[i].pipe_id == pipe_id)
			return &g->joined[i];
	return NULL;
}

static int is_wait_empty(
	struct server *s, const struct fleet_graph *g, int64_t wait_id, struct buf *why)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	int rc = query_one(g->db, waited_sql, wait_id, &stmt, why), empty = 1;

	for (; rc > 0 && empty > 0; rc = query_step(stmt, why)) {
		const struct fleet_joined *j = joined_of(g, query_int(stmt, 0, 0));

		if (strcmp(query_text(stmt, 1), "r") != 0 || !j)
			empty = 0; /* of a connection within one host a recording does not tell */
		else
			empty = is_empty(s, g, j, why);
	}
	return rc < 0 ? rc : empty;
}

static int is_proved(
	struct server *s, const struct fleet_graph *g, const struct finding *f, struct buf *why)
{
	for (size_t i = 0; i < f->n_members; i++) {
		int64_t id = f->members[i].thread_id;

		/* Of a rank that waits the messages count, all of them. */
		if (id && !g->hosts->list[host_of_id(id)].whole)
			return 0;

		int rc =
			f->members[i].wait_id ? is_wait_empty(s, g, f->members[i].wait_id, why) : 1;

		if (rc <= 0)
			return rc;
	}
	return 1;
}

static bool share_wait(const struct finding *a, const struct finding *b)
{
	for (size_t i = 0; i < a->n_members; i++)
		for (size_t k = 0; k < b->n_members; k++)
			if (a->members[i].wait_id && a->members[i].wait_id == b->members[k].wait_id)
				return true;
	return false;
}

/* Says whether the members of a finding are of several hosts. */
static bool crosses(const struct finding *f)
{
	size_t first = 0;
	bool any = false;

	for (size_t i = 0; i < f->n_members; i++) {
		int64_t id = f->members[i].thread_id;

		if (!id)
			continue;
		if (any && host_of_id(id) != first)
			return true;
		first = host_of_id(id);
		any = true;
	}
	return false;
}

/* ---- MPI ---- */

/* The places in the order of collective calls at which the ranks of the run did not make the same one. */
static int ask_order(struct server *s, const char *run, struct buf *ret, struct buf *why)
{
	_cleanup_buf_ struct buf sql = BUF_INIT;

	buf_adds(&sql,
		"SELECT arrayStringConcat(groupArray(toString(seq)), ',') FROM (SELECT DISTINCT seq FROM"
		" (SELECT trace_id, ifNull(comm_id, 0) AS comm, ifNull(seq, 0) AS seq, op, if(ifNull(peer, -1) >= 0, ifNull(peer, -1), -1) AS root"
		"  FROM sync_rows FINAL WHERE gone = 0 AND seq IS NOT NULL AND run = ");
	server_quote(&sql, run);
	buf_adds(&sql,
		") ANY INNER JOIN (SELECT trace_id, id AS comm, key FROM mpi_comm_rows FINAL WHERE gone = 0 AND run = ");
	server_quote(&sql, run);
	buf_adds(&sql, ") USING trace_id, comm GROUP BY key, seq HAVING uniqExact(op, root) > 1"
		       " ORDER BY seq LIMIT 100) FORMAT TabSeparated");
	return server_ask(s, sql.data, ret, why);
}

static int add_rule(
	const struct fleet_graph *g, const char *rule, struct findings *ret, struct buf *why)
{
	struct findings more = {0};
	int rc = verdict_all(g->db, INT64_MAX, rule, false, &more, why);

	for (size_t i = 0; !rc && i < more.n; i++)
		if (crosses(&more.list[i]))
			finding_copy(ret, &more.list[i]);
	findings_free(&more);
	return rc;
}

int fleet_mpi(struct server *s, const struct fleet_graph *g, struct findings *ret, struct buf *why)
{
	_cleanup_buf_ struct buf condition = BUF_INIT, seqs = BUF_INIT;
	const char *run = g->hosts->list[0].run;
	int rc = 0;

	*ret = (struct findings){0};
	if (!query_number(g->db, "SELECT EXISTS (SELECT 1 FROM mpi_comm)", 0, 0, why))
		return query_failed(0, why);
	rc = ask_order(s, run, &seqs, why);
	if (!rc && seqs.len > 1) {
		buf_adds(&condition, "run = ");
		server_quote(&condition, run);
		buf_addf(
			&condition, " AND seq IN (%.*s)", (int)strcspn(seqs.data, "\n"), seqs.data);
		rc = load_more(s, g, "sync", condition.data, why);
	}
	if (!rc)
		rc = add_rule(g, "mpi-collective-order", ret, why);
	if (!rc)
		rc = add_rule(g, "mpi-unmatched-message", ret, why);
	if (rc)
		findings_free(ret);
	return rc;
}

/*
 * Of what is certain if nothing is under way: certain where that is proved, else what is said without that proof. What
 * one host's recording says alone is its own findings', which looked while it ran.
 */
int fleet_stuck(
	struct server *s, const struct fleet_graph *g, struct findings *ret, struct buf *why)
{
	struct findings sure = {0}, careful = {0};
	int rc = verdict_stuck(g->db, INT64_MAX, false, &sure, why);

	*ret = (struct findings){0};
	if (!rc)
		rc = verdict_all(g->db, INT64_MAX, "stuck", true, &careful, why);
	for (size_t i = 0; !rc && i < sure.n; i++) {
		const struct finding *f = &sure.list[i];
		int proved = !f->certain;

		if (!crosses(f))
			continue;
		if (f->certain)
			proved = is_proved(s, g, f, why);
		if (proved < 0)
			rc = proved;
		if (proved)
			finding_copy(ret, f);
		for (size_t k = 0; !proved && k < careful.n; k++)
			if (share_wait(f, &careful.list[k])) {
				finding_copy(ret, &careful.list[k]);
				break;
			}
	}
	findings_free(&sure);
	findings_free(&careful);
	if (rc)
		findings_free(ret);
	return rc;
}
