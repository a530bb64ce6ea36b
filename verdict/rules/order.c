/* order.c - locks that are taken in opposite orders, though nothing went wrong this time. */
/* SPDX-License-Identifier: MIT */
/*
 * The edges of lock_edge (a thread took B while it held A) make a graph of
 * locks. A cycle in it is a deadlock that could happen if each edge comes from
 * another thread (for a file lock, of another process), no lock was held
 * around all of them (a gate), the modes conflict, and no two of the edges are ordered in time by the creation and
 * the joining of threads. Cycles are searched by depth first from their lowest
 * lock, so that each is found once, up to CYCLE_MAX locks and STEPS_MAX steps.
 */
#include "verdict/rules/rules.h"

#include "base/clock.h"
#include "base/buf.h"
#include "base/hash.h"
#include "verdict/naming.h"
#include "schema/query.h"

enum { CYCLE_MAX = 8, STEPS_MAX = 200000, FINDINGS_MAX = 50 };

struct edge {
	int64_t from, to, thread_id, process_id, from_site, to_site, first_ns, last_ns;
	char *gates;
	bool from_shared, to_shared;
	bool to_file;
};

/* One fact about time: what thread a did up to at_ns happened before all that thread b does from at_ns on. */
struct order {
	int64_t a, b, at_ns;
};

struct search {
	struct rule_context *ctx;
	struct edge *edges; /* by from, then to */
	size_t n, cap;
	struct order *orders; /* by a */
	size_t n_orders, cap_orders;
	struct hash seen; /* sets of locks that were reported */
	const struct edge *path[CYCLE_MAX];
	size_t depth, steps, found;
};

static int load_edges(struct search *s)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	int rc = query_one(s->ctx->db,
		"SELECT from_lock_id, to_lock_id, thread_id, from_site_id, to_site_id, first_ns,"
		" last_ns, gates, from_mode, to_mode,"
		" (SELECT kind = 'file' FROM lock WHERE id = to_lock_id),"
		" (SELECT process_id FROM thread WHERE id = thread_id) FROM lock_edge"
		" WHERE tried = 0 AND from_lock_id <> to_lock_id AND first_ns <= ?1"
		" ORDER BY from_lock_id, to_lock_id, id",
		s->ctx->now_ns, &stmt, s->ctx->why);

	for (; rc > 0; rc = query_step(stmt, s->ctx->why)) {
		ARRAY_GROW(s->edges, s->n, s->cap);
		s->edges[s->n++] = (struct edge){.from = query_int(stmt, 0, 0),
			.to = query_int(stmt, 1, 0),
			.thread_id = query_int(stmt, 2, 0),
			.from_site = query_int(stmt, 3, 0),
			.to_site = query_int(stmt, 4, 0),
			.first_ns = query_int(stmt, 5, 0),
			.last_ns = query_int(stmt, 6, 0),
			.gates = xstrdup(query_text(stmt, 7)),
			.from_shared = !strcmp(query_text(stmt, 8), "s"),
			.to_shared = !strcmp(query_text(stmt, 9), "s"),
			.to_file = query_int(stmt, 10, 0) != 0,
			.process_id = query_int(stmt, 11, 0)};
	}
	return rc;
}

/* Creation of threads and processes; joins, from the library's calls and from blocked ones; reaping. */
static const char orders_sql[] =
	"SELECT creator_id, id, start_ns FROM thread WHERE creator_id IS NOT NULL"
	" UNION ALL SELECT target_id, thread_id, end_ns FROM sync"
	"  WHERE op = 'join' AND result = 0 AND target_id IS NOT NULL AND end_ns IS NOT NULL"
	" UNION ALL SELECT target_thread_id, thread_id, end_ns FROM wait"
	"  WHERE reason = 'join' AND target_thread_id IS NOT NULL AND end_ns IS NOT NULL"
	" UNION ALL SELECT t.id, p.reaper_id, p.reaped_ns FROM process p"
	"  JOIN thread t ON t.process_id = p.id WHERE p.reaper_id IS NOT NULL"
	" ORDER BY 1";

static int load_orders(struct search *s)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	int rc = query_one(s->ctx->db, orders_sql, 0, &stmt, s->ctx->why);

	for (; rc > 0; rc = query_step(stmt, s->ctx->why)) {
		ARRAY_GROW(s->orders, s->n_orders, s->cap_orders);
		s->orders[s->n_orders++] = (struct order){
			query_int(stmt, 0, 0), query_int(stmt, 1, 0), query_int(stmt, 2, 0)};
	}
	return rc;
}

static size_t first_order(const struct search *s, int64_t thread)
{
	size_t low = 0, high = s->n_orders;

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (s->orders[mid].a < thread)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/* Says whether all that a is about was over before anything that b is about began. */
static bool happens_before(const struct search *s, const struct edge *a, const struct edge *b)
{
	struct hash reached = {0}; /* thread -> 1 + time from which on it comes after a */
	_cleanup_free_ int64_t *work = xcalloc(s->n_orders * 2 + 2, sizeof *work);
	size_t n = 0, steps = 0;
	uint64_t at;
	bool found;

	if (a->last_ns >= b->first_ns)
		return false;
	/* Not every join is seen: it returns at once if the thread has ended. */
	if (query_number(s->ctx->db, "SELECT end_ns FROM thread WHERE id = ?1", a->thread_id,
		    INT64_MAX, s->ctx->why) < query_number(s->ctx->db,
						      "SELECT start_ns FROM thread WHERE id = ?1",
						      b->thread_id, INT64_MIN, s->ctx->why))
		return true;
	if (!s->n_orders)
		return false;
	(void)hash_set(&reached, (uint64_t)a->thread_id, (void *)(uintptr_t)ns_add(a->last_ns, 1));
	work[n++] = a->thread_id;
	while (n && steps < s->n_orders * 2) {
		int64_t thread = work[--n];
		int64_t since = (int64_t)(uintptr_t)hash_get(&reached, (uint64_t)thread) - 1;

		for (size_t i = first_order(s, thread); i < s->n_orders && s->orders[i].a == thread;
			i++) {
			const struct order *o = &s->orders[i];
			uint64_t known = (uint64_t)(uintptr_t)hash_get(&reached, (uint64_t)o->b);

			if (o->at_ns < since || (known && (int64_t)known - 1 <= o->at_ns))
				continue;
			(void)hash_set(
				&reached, (uint64_t)o->b, (void *)(uintptr_t)ns_add(o->at_ns, 1));
			if (steps++ < s->n_orders * 2)
				work[n++] = o->b;
		}
	}
	at = (uint64_t)(uintptr_t)hash_get(&reached, (uint64_t)b->thread_id);
	found = at && (int64_t)at - 1 <= b->first_ns;
	hash_done(&reached);
	return found;
}

/* Says whether lock id is in a JSON array of numbers. */
static bool has_gate(const char *gates, long long id)
{
	while (*gates) {
		char *end;
		long long v = strtoll(gates, &end, 10);

		if (end == gates) {
			gates++;
			continue;
		}
		if (v == id)
			return true;
		gates = end;
	}
	return false;
}

/* Says whether some lock was held around every edge of the path. */
static bool is_gated(const struct search *s)
{
	const char *p = s->path[0]->gates;

	while (*p) {
		char *end;
		long long gate = strtoll(p, &end, 10);
		size_t i = 1;

		if (end == p) {
			p++;
			continue;
		}
		while (i < s->depth && has_gate(s->path[i]->gates, gate))
			i++;
		if (i == s->depth)
			return true;
		p = end;
	}
	return false;
}

static bool could_meet(const struct search *s)
{
	for (size_t i = 0; i < s->depth; i++) {
		const struct edge *e = s->path[i], *next = s->path[(i + 1) % s->depth];

		if (e->to_shared && next->from_shared)
			return false;
		/* A process gets at once what it has already, whichever of its threads asks. */
		if (e->to_file && e->process_id == next->process_id)
			return false;
		for (size_t k = 0; k < s->depth; k++)
			if (k != i && (s->path[k]->thread_id == e->thread_id ||
					      happens_before(s, e, s->path[k])))
				return false;
	}
	return !is_gated(s);
}

/* Says whether a deadlock over exactly these locks has really happened. */
static bool has_happened(const struct search *s)
{
	for (size_t i = 0; i < s->ctx->stuck->n; i++) {
		const struct finding *f = &s->ctx->stuck->list[i];
		size_t known = 0;

		for (size_t k = 0; k < s->depth; k++)
			for (size_t m = 0; m < f->n_members; m++)
				if (f->members[m].lock_id == s->path[k]->from) {
					known++;
					break;
				}
		if (known == s->depth)
			return true;
	}
	return false;
}

static void report(struct search *s)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct rule_context *ctx = s->ctx;
	int64_t first = s->path[0]->first_ns;
	struct finding *f;

	for (size_t i = 1; i < s->depth; i++)
		if (s->path[i]->first_ns > first)
			first = s->path[i]->first_ns;
	naming_count(&b, (int64_t)s->depth, "lock");
	buf_adds(&b, s->depth == 2 ? " are taken in opposite orders: "
				   : " are taken in a cyclic order: ");
	for (size_t i = 0; i < s->depth; i++) {
		buf_adds(&b, i ? ", " : "");
		naming_lock(&b, ctx->db, s->path[i]->from);
	}
	f = rule_report(ctx, "lock-order", first, &b, NULL,
		"It worked this time; with different timing it is a deadlock. Take these locks in the"
		" same order everywhere.");
	for (size_t i = 0; i < s->depth; i++) {
		const struct edge *e = s->path[i];
		struct finding_member *m;

		naming_thread(&b, ctx->db, e->thread_id);
		buf_adds(&b, " takes the ");
		naming_lock(&b, ctx->db, e->to);
		naming_site(&b, ctx->db, e->to_site);
		buf_adds(&b, " while it holds the ");
		naming_lock(&b, ctx->db, e->from);
		buf_adds(&b, ", taken");
		naming_site(&b, ctx->db, e->from_site);
		m = rule_member(f, &b);
		m->thread_id = e->thread_id;
		m->lock_id = e->to;
		m->site_id = e->to_site;
	}
}

static void cycle_found(struct search *s)
{
	uint64_t key = 0;

	for (size_t i = 0; i < s->depth; i++)
		key += hash_mix((uint64_t)s->path[i]->from, 0, 0);
	if (hash_get(&s->seen, key) || !could_meet(s) || has_happened(s))
		return;
	(void)hash_set(&s->seen, key, s);
	s->found++;
	report(s);
}

static size_t first_edge(const struct search *s, int64_t from)
{
	size_t low = 0, high = s->n;

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (s->edges[mid].from < from)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static bool on_path(const struct search *s, const struct edge *e)
{
	for (size_t i = 0; i < s->depth; i++)
		if (s->path[i]->from == e->to || s->path[i]->thread_id == e->thread_id)
			return true;
	return false;
}

/* Goes on from the last lock of the path; start is the lowest lock of the cycles searched now. */
static void extend(struct search *s, int64_t start, int64_t from)
{
	for (size_t i = first_edge(s, from); i < s->n && s->edges[i].from == from; i++) {
		const struct edge *e = &s->edges[i];

		if (s->found >= FINDINGS_MAX || ++s->steps > STEPS_MAX)
			return;
		if (e->to < start)
			continue;
		if (e->to == start) {
			s->path[s->depth++] = e;
			cycle_found(s);
			s->depth--;
		} else if (s->depth + 1 < CYCLE_MAX && !on_path(s, e)) {
			s->path[s->depth++] = e;
			extend(s, start, e->to);
			s->depth--;
		}
	}
}

int rule_lock_order(struct rule_context *ctx)
{
	struct search s = {.ctx = ctx};
	int rc = load_edges(&s);

	if (!rc && s.n)
		rc = load_orders(&s);
	for (size_t i = 0; !rc && i < s.n; i++)
		if (!i || s.edges[i].from != s.edges[i - 1].from) {
			s.steps = 0;
			extend(&s, s.edges[i].from, s.edges[i].from);
		}
	for (size_t i = 0; i < s.n; i++)
		free(s.edges[i].gates);
	free(s.edges);
	free(s.orders);
	hash_done(&s.seen);
	return rc;
}
