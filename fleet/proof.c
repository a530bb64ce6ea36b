/* proof.c - whether nothing was under way between the hosts of a set. */
/* SPDX-License-Identifier: MIT */
/*
 * The moments at which the hosts are cut are not the same, and their clocks differ. Still, a set that rests on a connection between
 * two hosts is certain if all that either side had written by its moment had been read on the other by that side's: then
 * nothing was under way between them, the cut is consistent (Chandy and Lamport), and what nobody else can wake was still
 * asleep when the later of the moments came.
 *
 * The connections of all sets are asked for together.
 */
#include "fleet/private.h"

#include "base/buf.h"
#include "base/hash.h"
#include "base/mem.h"
#include "schema/query.h"
#include "verdict/finding.h"

#include <errno.h>

/* What a side of a connection has read and written by the cut of its host. */
struct traffic {
	uint64_t read, written;
	bool odd; /* who had it may do so in ways that are not recorded */
};

struct asking {
	const struct fleet_graph *graph;
	struct server *server;
	struct proof *proof;
	struct hash by_side;     /* of each recording: place in traffic, + 1 */
	struct traffic *traffic; /* two of each connection */
};

static size_t host_of_id(int64_t id)
{
	return (size_t)(id >> HOST_SHIFT) - 1;
}

/* The joined connections for which a wait is, and whether it is for reading: what a full one holds is under way by itself. */
static const char waited_sql[] =
	"SELECT p.id, x.mode FROM (SELECT pipe_id, iif(reason = 'pipe-read', 'r', 'w') AS mode FROM wait WHERE id = ?1"
	" UNION SELECT pipe_id, mode FROM wait_on WHERE wait_id = ?1) x JOIN pipe p ON p.id = x.pipe_id AND p.kind = 'tcp'";

static void number_joined(const struct fleet_graph *g, struct hash *by_pipe)
{
	for (size_t i = 0; i < g->n_joined; i++)
		(void)hash_set(by_pipe, (uint64_t)g->joined[i].pipe_id, (void *)(uintptr_t)(i + 1));
}

/* Calls seen for each joined connection that a wait is for; -1: one of which a recording does not tell, or a full one. Returns 0 or -EIO. */
static int each_waited(const struct fleet_graph *g, const struct hash *by_pipe, int64_t wait_id,
	void (*seen)(void *arg, ssize_t joined), void *arg, struct buf *why)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	int rc = wait_id ? query_one(g->db, waited_sql, wait_id, &stmt, why) : 0;

	for (; rc > 0; rc = query_step(stmt, why)) {
		ssize_t j = (intptr_t)hash_get(by_pipe, (uint64_t)query_int(stmt, 0, 0)) - 1;

		seen(arg, strcmp(query_text(stmt, 1), "r") ? -1 : j);
	}
	return rc;
}

static void mark_asked(void *arg, ssize_t joined)
{
	if (joined >= 0)
		((bool *)arg)[joined] = true;
}

/* ---- What the recordings say ---- */

/* The two sides of a connection as their recordings have them. */
static int64_t side_id(const struct fleet_joined *j, size_t side)
{
	return side ? j->other_id : j->pipe_id;
}

static uint64_t side_hash(const char *trace_id, int64_t pipe_id)
{
	return hash_mix(hash_bytes(trace_id, strlen(trace_id)), (uint64_t)pipe_id, 1);
}

/* Adds those connections from *at on that are asked for, as many as one question may name. Returns false: there are none. */
static bool add_sides(struct asking *a, struct buf *sql, size_t *at)
{
	enum { AT_ONCE = 20000 };
	_cleanup_buf_ struct buf numbers = BUF_INIT;
	size_t n = 0;

	buf_adds(sql, "(trace_id, pipe_id) IN (SELECT t, toInt64(i) FROM system.one ARRAY JOIN [");
	for (; *at < a->graph->n_joined && n < AT_ONCE; (*at)++) {
		for (size_t side = 0; a->proof->asked[*at] && side < 2; side++, n++) {
			int64_t id = side_id(&a->graph->joined[*at], side);
			size_t host = host_of_id(id);

			buf_adds(sql, n ? "," : "");
			server_quote(sql, a->graph->hosts->list[host].trace_id);
			buf_addf(&numbers, "%s%lld", n ? "," : "",
				(long long)(id - fleet_first_id(host)));
		}
	}
	buf_addf(sql, "] AS t, [%s] AS i)", numbers.data);
	return n > 0;
}

static struct traffic *find_side(struct asking *a, const char *trace_id, int64_t pipe_id)
{
	size_t i = (size_t)(uintptr_t)hash_get(&a->by_side, side_hash(trace_id, pipe_id));

	return i ? &a->traffic[i - 1] : NULL;
}

/* Reads lines of a recording's number, a pipe's, and two more numbers. */
static int each_line(struct asking *a, const char *sql,
	void (*take)(
		struct asking *a, const char *trace_id, int64_t pipe_id, uint64_t x, uint64_t y),
	struct buf *why)
{
	_cleanup_buf_ struct buf out = BUF_INIT;
	int rc = server_ask(a->server, sql, &out, why);
	char *rest = out.data;

	for (char *line; !rc && (line = server_line(&rest));) {
		unsigned long long x = 0, y = 0;
		long long pipe_id = 0;
		char trace_id[64];

		if (sscanf(line, "%63s %lld %llu %llu", trace_id, &pipe_id, &x, &y) != 4)
			return server_odd(why);
		take(a, trace_id, pipe_id, x, y);
	}
	return rc;
}

static void take_bytes(
	struct asking *a, const char *trace_id, int64_t pipe_id, uint64_t x, uint64_t y)
{
	struct traffic *t = find_side(a, trace_id, pipe_id);

	if (!t)
		return;
	t->read = x;
	t->written = y;
}

/* x: a process that has, or had, a descriptor of it. */
static void take_holder(
	struct asking *a, const char *trace_id, int64_t pipe_id, uint64_t x, uint64_t y)
{
	struct traffic *t = find_side(a, trace_id, pipe_id);
	_cleanup_buf_ struct buf why = BUF_INIT;
	size_t i;
	int64_t id;

	(void)y;
	if (!t || t->odd)
		return;
	i = (size_t)(t - a->traffic);
	id = side_id(&a->graph->joined[i / 2], i % 2);
	t->odd = query_number(a->graph->db,
			 "SELECT uring OR raw_calls OR reopens FROM process WHERE id = ?1",
			 fleet_first_id(host_of_id(id)) + (int64_t)x, 1, &why) != 0;
}

static int ask_holders(struct asking *a, struct buf *why)
{
	int rc = 0;

	/* Usually there is no such process, and nothing to be asked. */
	if (!query_number(a->graph->db,
		    "SELECT EXISTS (SELECT 1 FROM process WHERE uring OR raw_calls OR reopens)", 0,
		    1, why))
		return query_failed(0, why);
	for (size_t at = 0; !rc && at < a->graph->n_joined;) {
		_cleanup_buf_ struct buf sql = BUF_INIT;

		buf_adds(&sql, "SELECT DISTINCT trace_id, pipe_id, process_id, 0");
		hosts_from(&sql, a->graph->hosts, "pipe_end");
		buf_adds(&sql, " AND ");
		if (add_sides(a, &sql, &at))
			rc = each_line(a, sql.data, take_holder, why);
	}
	return rc;
}

static int ask_bytes(struct asking *a, struct buf *why)
{
	int rc = 0;

	for (size_t at = 0; !rc && at < a->graph->n_joined;) {
		_cleanup_buf_ struct buf sql = BUF_INIT;

		buf_adds(&sql,
			"SELECT trace_id, pipe_id, sumIf(ifNull(bytes, 0), op = 'read'), sumIf(ifNull(bytes, 0), op = 'write')");
		hosts_from(&sql, a->graph->hosts, "pipe_io");
		buf_adds(&sql, " AND ");
		if (!add_sides(a, &sql, &at))
			break;
		buf_adds(&sql, " AND end_ns <= ");
		cut_expression(&sql, a->graph);
		buf_adds(&sql, " GROUP BY trace_id, pipe_id");
		rc = each_line(a, sql.data, take_bytes, why);
	}
	return rc;
}

/* ---- What that proves ---- */

/* Says whether all that happens on a connection is sure to be in the recording of that host. */
static bool sees_all(const struct fleet_graph *g, size_t host)
{
	const struct fleet_host *h = &g->hosts->list[host];

	return h->whole && !h->lost && !h->attached && strncmp(h->backend, "snapshot", 8) != 0;
}

static bool is_empty(struct asking *a, size_t joined, struct buf *why)
{
	const struct fleet_joined *j = &a->graph->joined[joined];
	const struct traffic *x = &a->traffic[2 * joined], *y = x + 1;

	return sees_all(a->graph, host_of_id(j->pipe_id)) &&
	       sees_all(a->graph, host_of_id(j->other_id)) && !x->odd && !y->odd &&
	       /* From the first byte on. */
	       !query_number(a->graph->db, "SELECT created_ns IS NULL FROM pipe WHERE id = ?1",
		       j->pipe_id, 1, why) &&
	       x->read == y->written && y->read == x->written;
}

static int ask_all(struct asking *a, struct buf *why)
{
	const struct fleet_graph *g = a->graph;
	int rc;

	for (size_t i = 0; i < g->n_joined; i++)
		for (size_t side = 0; a->proof->asked[i] && side < 2; side++) {
			int64_t id = side_id(&g->joined[i], side);
			size_t host = host_of_id(id);

			(void)hash_set(&a->by_side,
				side_hash(g->hosts->list[host].trace_id, id - fleet_first_id(host)),
				(void *)(uintptr_t)(2 * i + side + 1));
		}
	rc = ask_bytes(a, why);
	if (!rc)
		rc = ask_holders(a, why);
	for (size_t i = 0; !rc && i < g->n_joined; i++)
		a->proof->empty[i] = a->proof->asked[i] && is_empty(a, i, why);
	return query_failed(rc, why);
}

int proof_ask(struct server *s, const struct fleet_graph *g, const struct findings *fs,
	struct proof *ret, struct buf *why)
{
	struct asking a = {.graph = g, .server = s, .proof = ret};
	int rc = 0;

	*ret = (struct proof){.asked = xcalloc(g->n_joined + 1, sizeof *ret->asked),
		.empty = xcalloc(g->n_joined + 1, sizeof *ret->empty)};
	a.traffic = xcalloc(2 * g->n_joined + 1, sizeof *a.traffic);
	number_joined(g, &ret->by_pipe);
	for (size_t i = 0; !rc && i < fs->n; i++)
		for (size_t k = 0; !rc && fs->list[i].certain && k < fs->list[i].n_members; k++)
			rc = each_waited(g, &ret->by_pipe, fs->list[i].members[k].wait_id,
				mark_asked, ret->asked, why);
	if (!rc)
		rc = ask_all(&a, why);
	hash_done(&a.by_side);
	free(a.traffic);
	if (rc)
		proof_done(ret);
	return rc;
}

void proof_done(struct proof *p)
{
	hash_done(&p->by_pipe);
	free(p->asked);
	free(p->empty);
	*p = (struct proof){0};
}

struct holding {
	const struct proof *proof;
	bool holds;
};

static void mark_holding(void *arg, ssize_t joined)
{
	struct holding *h = arg;

	/* Of a connection within one host a recording does not tell. */
	if (joined < 0 || !h->proof->empty[joined])
		h->holds = false;
}

/* Says whether the recordings of all hosts of a set reach the moment from which on it stood, as far as their clocks tell. */
static bool reaches(const struct fleet_graph *g, const struct finding *f)
{
	for (size_t i = 0; i < f->n_members; i++) {
		const struct fleet_cut *cut;

		if (!f->members[i].thread_id)
			continue;
		cut = &g->cuts[host_of_id(f->members[i].thread_id)];
		if (cut->at_ns + (cut->apart_ns > 0 ? cut->apart_ns : 0) < f->ts_ns)
			return false;
	}
	return true;
}

int proof_holds(const struct proof *p, const struct fleet_graph *g, const struct finding *f,
	struct buf *why)
{
	struct holding h = {p, true};
	int rc = 0;

	if (!reaches(g, f))
		return 0;
	for (size_t i = 0; !rc && h.holds && i < f->n_members; i++) {
		int64_t id = f->members[i].thread_id;

		/* Of a rank that waits the messages count, all of them. */
		if (id && !g->hosts->list[host_of_id(id)].whole)
			return 0;
		rc = each_waited(g, &p->by_pipe, f->members[i].wait_id, mark_holding, &h, why);
	}
	return rc ? rc : h.holds;
}
