/* proof.c - whether nothing was under way between the hosts of a set. */
/* SPDX-License-Identifier: MIT */
/*
 * The moments at which the hosts are cut are not the same, and their clocks differ. Still, a set that rests on a connection between
 * two hosts is certain if all that either side had written by its moment had been read on the other by that side's: then
 * nothing was under way between them, the cut is consistent (Chandy and Lamport), and what nobody else can wake was still
 * asleep when the later of the moments came.
 *
 * All connections from which anybody waits to read are asked for together, while the verdict is made.
 */
#include "fleet/run/run.h"

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

static size_t host_of_id(int64_t id)
{
	return (size_t)(id >> HOST_SHIFT) - 1;
}

/* The joined connections for which a wait is, and whether it is for reading: what a full one holds is under way by itself. */
static const char waited_sql[] =
	"SELECT p.id, x.mode FROM (SELECT pipe_id, iif(reason = 'pipe-read', 'r', 'w') AS mode FROM wait WHERE id = ?1"
	" UNION SELECT pipe_id, mode FROM wait_on WHERE wait_id = ?1) x JOIN pipe p ON p.id = x.pipe_id AND p.kind = 'tcp'";

/* Those that anybody waits to read from. */
static const char asked_sql[] =
	"SELECT p.id FROM pipe p WHERE p.kind = 'tcp' AND (EXISTS (SELECT 1 FROM wait w WHERE w.pipe_id = p.id AND w.end_ns IS NULL AND w.reason = 'pipe-read')"
	" OR EXISTS (SELECT 1 FROM wait_on o WHERE o.pipe_id = p.id AND o.mode = 'r'))";

static void number_joined(struct proof *p)
{
	for (size_t i = 0; i < p->graph->n_joined; i++)
		(void)hash_set(&p->by_pipe, (uint64_t)p->graph->joined[i].pipe_id,
			(void *)(uintptr_t)(i + 1));
}

/* Returns its place in the list; -1: it is none of them. */
static ssize_t find_joined(const struct proof *p, int64_t pipe_id)
{
	return (intptr_t)hash_get(&p->by_pipe, (uint64_t)pipe_id) - 1;
}

static int mark_asked(struct proof *p, struct buf *why)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	int rc = p->graph->n_joined ? query_one(p->graph->db, asked_sql, 0, &stmt, why) : 0;

	for (; rc > 0; rc = query_step(stmt, why)) {
		ssize_t joined = find_joined(p, query_int(stmt, 0, 0));

		if (joined >= 0)
			p->asked[joined] = true;
	}
	return rc;
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
static bool add_sides(const struct proof *p, struct buf *sql, size_t *at)
{
	const struct fleet_graph *g = p->graph;
	enum { AT_ONCE = 100000 };
	_cleanup_free_ int64_t *ids = xcalloc(2 * g->n_joined + 1, sizeof *ids);
	size_t n = 0;

	for (; *at < g->n_joined && n < AT_ONCE; (*at)++)
		for (size_t side = 0; p->asked[*at] && side < 2; side++)
			ids[n++] = side_id(&g->joined[*at], side);
	if (n)
		hosts_are_among(sql, g->hosts, "pipe_id", ids, n);
	return n > 0;
}

static struct traffic *find_side(struct proof *p, const char *trace_id, int64_t pipe_id)
{
	size_t i = (size_t)(uintptr_t)hash_get(&p->by_side, side_hash(trace_id, pipe_id));

	return i ? &p->traffic[i - 1] : NULL;
}

static int keep(void *arg, const char *data, size_t len)
{
	buf_add(arg, data, len);
	return 0;
}

/* Reads the next answer: lines of a recording's number, a pipe's, and two more numbers. */
static int each_line(struct proof *p,
	void (*take)(
		struct proof *p, const char *trace_id, int64_t pipe_id, uint64_t x, uint64_t y),
	struct buf *why)
{
	_cleanup_buf_ struct buf out = BUF_INIT;
	int rc = ahead_read(p->ahead, keep, &out, why);
	char *rest = out.data;

	for (char *line; !rc && (line = server_line(&rest));) {
		unsigned long long x = 0, y = 0;
		long long pipe_id = 0;
		char trace_id[64];

		if (sscanf(line, "%63s %lld %llu %llu", trace_id, &pipe_id, &x, &y) != 4)
			return server_odd(why);
		take(p, trace_id, pipe_id, x, y);
	}
	return rc;
}

static void take_bytes(
	struct proof *p, const char *trace_id, int64_t pipe_id, uint64_t x, uint64_t y)
{
	struct traffic *t = find_side(p, trace_id, pipe_id);

	if (!t)
		return;
	t->read = x;
	t->written = y;
}

/* x: a process that has, or had, a descriptor of it. */
static void take_holder(
	struct proof *p, const char *trace_id, int64_t pipe_id, uint64_t x, uint64_t y)
{
	struct traffic *t = find_side(p, trace_id, pipe_id);
	_cleanup_buf_ struct buf why = BUF_INIT;
	size_t i;
	int64_t id;

	(void)y;
	if (!t || t->odd)
		return;
	i = (size_t)(t - p->traffic);
	id = side_id(&p->graph->joined[i / 2], i % 2);
	t->odd = query_number(p->graph->db,
			 "SELECT uring OR raw_calls OR reopens FROM process WHERE id = ?1",
			 fleet_first_id(host_of_id(id)) + (int64_t)x, 1, &why) != 0;
}

/* Asks select of those connections, of the table's rows for which the rest is true. Returns how many questions that were. */
static size_t ask(struct proof *p, const char *select, const char *table, const char *rest)
{
	size_t n = 0;

	for (size_t at = 0; at < p->graph->n_joined;) {
		_cleanup_buf_ struct buf sql = BUF_INIT;

		buf_adds(&sql, select);
		hosts_from(&sql, p->graph->hosts, table);
		buf_adds(&sql, " AND ");
		if (!add_sides(p, &sql, &at))
			break;
		buf_adds(&sql, rest);
		ahead_ask(p->ahead, buf_steal(&sql));
		n++;
	}
	return n;
}

static void ask_bytes(struct proof *p)
{
	_cleanup_buf_ struct buf rest = BUF_INIT;

	buf_adds(&rest, " AND end_ns <= ");
	cut_expression(&rest, p->graph);
	buf_adds(&rest, " GROUP BY trace_id, pipe_id");
	p->n_questions = ask(p,
		"SELECT trace_id, pipe_id, sumIf(ifNull(bytes, 0), op = 'read'), sumIf(ifNull(bytes, 0), op = 'write')",
		"pipe_io", rest.data);
}

static int read_bytes(struct proof *p, struct buf *why)
{
	int rc = 0;

	for (; !rc && p->n_questions; p->n_questions--)
		rc = each_line(p, take_bytes, why);
	return rc;
}

static int ask_holders(struct proof *p, struct buf *why)
{
	size_t n;
	int rc = 0;

	/* Usually there is no such process, and nothing to be asked. */
	if (!query_number(p->graph->db,
		    "SELECT EXISTS (SELECT 1 FROM process WHERE uring OR raw_calls OR reopens)", 0,
		    1, why))
		return query_failed(0, why);
	n = ask(p, "SELECT DISTINCT trace_id, pipe_id, process_id, 0", "pipe_end", "");
	for (; !rc && n; n--)
		rc = each_line(p, take_holder, why);
	return rc;
}

/* ---- What that proves ---- */

/* Says whether all that happens on a connection is sure to be in the recording of that host. */
static bool sees_all(const struct fleet_graph *g, size_t host)
{
	const struct fleet_host *h = &g->hosts->list[host];

	return h->whole && !h->lost && !h->attached && strncmp(h->backend, "snapshot", 8) != 0;
}

static bool is_empty(const struct proof *p, size_t joined, struct buf *why)
{
	const struct fleet_joined *j = &p->graph->joined[joined];
	const struct traffic *x = &p->traffic[2 * joined], *y = x + 1;

	return sees_all(p->graph, host_of_id(j->pipe_id)) &&
	       sees_all(p->graph, host_of_id(j->other_id)) && !x->odd && !y->odd &&
	       /* From the first byte on. */
	       !query_number(p->graph->db, "SELECT created_ns IS NULL FROM pipe WHERE id = ?1",
		       j->pipe_id, 1, why) &&
	       x->read == y->written && y->read == x->written;
}

static void number_sides(struct proof *p)
{
	const struct fleet_graph *g = p->graph;

	for (size_t i = 0; i < g->n_joined; i++)
		for (size_t side = 0; p->asked[i] && side < 2; side++) {
			int64_t id = side_id(&g->joined[i], side);
			size_t host = host_of_id(id);

			(void)hash_set(&p->by_side,
				side_hash(g->hosts->list[host].trace_id, id - fleet_first_id(host)),
				(void *)(uintptr_t)(2 * i + side + 1));
		}
}

int proof_ask(
	struct proof *ret, const struct server *s, const struct fleet_graph *g, struct buf *why)
{
	int rc;

	*ret = (struct proof){.graph = g,
		.asked = xcalloc(g->n_joined + 1, sizeof *ret->asked),
		.empty = xcalloc(g->n_joined + 1, sizeof *ret->empty),
		.traffic = xcalloc(2 * g->n_joined + 1, sizeof *ret->traffic)};
	number_joined(ret);
	rc = mark_asked(ret, why);
	number_sides(ret);
	if (!rc)
		rc = ahead_new(&ret->ahead, s, why);
	if (rc)
		proof_done(ret);
	else
		ask_bytes(ret);
	return rc;
}

int proof_read(struct proof *p, struct buf *why)
{
	int rc = read_bytes(p, why);

	if (!rc)
		rc = ask_holders(p, why);
	for (size_t i = 0; !rc && i < p->graph->n_joined; i++)
		p->empty[i] = p->asked[i] && is_empty(p, i, why);
	return query_failed(rc, why);
}

void proof_done(struct proof *p)
{
	ahead_free(p->ahead);
	hash_done(&p->by_pipe);
	hash_done(&p->by_side);
	free(p->traffic);
	free(p->asked);
	free(p->empty);
	*p = (struct proof){0};
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

/* Says whether it is known that nothing was under way on the connections for which a wait is. Returns 1, 0 or -EIO. */
static int is_wait_proved(
	const struct proof *p, sqlite3_stmt *stmt, int64_t wait_id, struct buf *why)
{
	int rc;

	query_bind_int(stmt, 1, wait_id);
	while ((rc = query_step(stmt, why)) > 0) {
		ssize_t joined = find_joined(p, query_int(stmt, 0, 0));

		/* Of a connection within one host a recording does not tell. */
		if (strcmp(query_text(stmt, 1), "r") != 0 || joined < 0 || !p->empty[joined])
			break;
	}
	(void)sqlite3_reset(stmt);
	return rc < 0 ? rc : !rc;
}

int proof_holds(const struct proof *p, const struct finding *f, struct buf *why)
{
	const struct fleet_graph *g = p->graph;
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	int holds = reaches(g, f);

	if (holds && query_open(g->db, waited_sql, &stmt, why) < 0)
		return -EIO;
	for (size_t i = 0; holds > 0 && i < f->n_members; i++) {
		int64_t id = f->members[i].thread_id;

		/* Of a rank that waits the messages count, all of them. */
		if (id && !g->hosts->list[host_of_id(id)].whole)
			return 0;
		if (f->members[i].wait_id)
			holds = is_wait_proved(p, stmt, f->members[i].wait_id, why);
	}
	return holds;
}
