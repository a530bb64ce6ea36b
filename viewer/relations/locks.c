/* locks.c - the order in which locks are taken, and contention, as a sketch. */
/* SPDX-License-Identifier: MIT */
#include <sqlite3.h>

#include "base/buf.h"
#include "base/mem.h"
#include "viewer/load/load.h"
#include "viewer/relations/relations.h"
#include "viewer/load/resource.h"
#include "viewer/draw/sketch.h"

/* Nobody could follow more arrows than that, and Graphviz takes minutes for some thousands. */
enum { LOCKS_MAX = 100, ORDERS_MAX = 150 };

static void add_stat(struct sketch *sk, size_t node, struct rows *r)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	int64_t holds = rows_int(r, 1, 0), contended = rows_int(r, 2, 0);

	sketch_line(sk, node, "taken %lld time%s by %lld thread%s", (long long)holds,
		holds == 1 ? "" : "s", (long long)rows_int(r, 7, 0),
		rows_int(r, 7, 0) == 1 ? "" : "s");
	if (contended > 0) {
		buf_addf(&b, "contended %lld time%s (%.0f%%)", (long long)contended,
			contended == 1 ? "" : "s",
			holds > 0 ? 100.0 * (double)contended / (double)holds : 100.0);
		sketch_line(sk, node, "%s", b.data);
		buf_reset(&b);
		buf_adds(&b, "waited for: ");
		buf_add_duration(&b, rows_time(r, 3, 0));
		buf_adds(&b, ", at most ");
		buf_add_duration(&b, rows_time(r, 4, 0));
		sketch_line(sk, node, "%s", b.data);
		buf_reset(&b);
	}
	buf_adds(&b, "held: ");
	buf_add_duration(&b, rows_time(r, 5, 0));
	buf_adds(&b, ", at most ");
	buf_add_duration(&b, rows_time(r, 6, 0));
	sketch_line(sk, node, "%s", b.data);
}

static size_t lock_node(struct sketch *sk, const struct trace *t, const struct lock_row *l)
{
	_cleanup_free_ char *id = xasprintf("locks-lock%lld", (long long)l->id);
	_cleanup_free_ char *detail = l->proc == NONE ? xasprintf("%s, shared", l->kind)
						      : xasprintf("%s of pid %lld", l->kind,
								(long long)t->procs[l->proc].pid);
	size_t node = sketch_find(sk, id);

	if (node != SKETCH_NONE || sk->n_nodes >= LOCKS_MAX)
		return node;
	node = sketch_node(sk, SKETCH_RESOURCE, id, l->name, detail);
	sk->nodes[node].row = xasprintf("row-lock%lld", (long long)l->id);
	return node;
}

/* Contended locks, and those that have an order, come first. */
static char *add_locks(struct sketch *sk, const struct trace *t, const struct resources *res,
	sqlite3 *db, size_t *ret_left)
{
	struct rows r = rows_begin(db,
		"SELECT lock_id, holds, contended, wait_ns, max_wait_ns, hold_ns, max_hold_ns, threads"
		" FROM lock_stat WHERE holds > 0 ORDER BY lock_id IN (SELECT from_lock_id FROM lock_edge"
		" UNION SELECT to_lock_id FROM lock_edge) DESC, wait_ns DESC, holds DESC, lock_id");

	while (rows_next(&r)) {
		const struct lock_row *l = resources_lock(res, rows_int(&r, 0, -1));

		if (l && sk->n_nodes < LOCKS_MAX)
			add_stat(sk, lock_node(sk, t, l), &r);
		else
			++*ret_left;
	}
	return rows_end(&r);
}

static void add_order_label(struct buf *b, struct rows *r)
{
	int64_t count = rows_int(r, 2, 0), threads = rows_int(r, 3, 0);
	_cleanup_free_ char *file = rows_text(r, 5);
	const char *slash = strrchr(file, '/');

	buf_addf(b, "%lld time%s", (long long)count, count == 1 ? "" : "s");
	if (threads > 1)
		buf_addf(b, " by %lld threads", (long long)threads);
	if (*file && !rows_is_null(r, 6))
		buf_addf(b, "\n%s:%lld", slash ? slash + 1 : file, (long long)rows_int(r, 6, 0));
	if (rows_int(r, 4, 0))
		buf_adds(b, "\nonly tried");
}

/*
 * One row for each ordered pair of locks; opposite: the other order was seen
 * too. Grouped before it is joined, so that SQLite joins the pairs by an index
 * of its own: lock_edge has a row for each thread and place, and no index.
 * Opposite orders come first, then what happened most.
 */
#define ORDER_SQL                                                                                       \
	"WITH pair AS MATERIALIZED (SELECT from_lock_id AS a, to_lock_id AS b, sum(count) AS n,"        \
	" count(DISTINCT thread_id) AS threads, min(tried) AS tried, min(to_site_id) AS site_id"        \
	" FROM lock_edge GROUP BY 1, 2)"                                                                \
	" SELECT p.a, p.b, p.n, p.threads, p.tried, s.file, s.line, o.a IS NOT NULL AS opposite"        \
	" FROM pair p LEFT JOIN pair o ON o.a = p.b AND o.b = p.a LEFT JOIN site s ON s.id = p.site_id" \
	" ORDER BY p.tried, opposite DESC, p.n DESC, p.a, p.b"

static void add_pair(struct sketch *sk, size_t from, size_t to, struct rows *r)
{
	_cleanup_buf_ struct buf label = BUF_INIT;
	struct sketch_edge *e;

	add_order_label(&label, r);
	e = sketch_edge(sk, from, to, "order", label.data);
	if (rows_int(r, 4, 0))
		e->mark = MARK_FAINT;
}

/* Marks in reached the nodes to which arrows lead from one; tried locks keep nobody waiting. */
static void reach(const struct sketch *sk, size_t from, bool *reached)
{
	bool more = true;

	memset(reached, 0, sk->n_nodes * sizeof *reached);
	reached[from] = true;
	while (more) {
		more = false;
		for (size_t i = 0; i < sk->n_edges; i++) {
			const struct sketch_edge *e = &sk->edges[i];

			if (e->mark == MARK_FAINT || !reached[e->from] || reached[e->to])
				continue;
			reached[e->to] = more = true;
		}
	}
}

/* Marks the arrows that form a cycle: of two locks in opposite orders, or of five. */
static void mark_circles(struct sketch *sk)
{
	bool *reached = xcalloc(sk->n_nodes + 1, sizeof *reached);

	for (size_t i = 0; i < sk->n_edges; i++) {
		struct sketch_edge *e = &sk->edges[i];

		if (e->mark == MARK_FAINT)
			continue;
		reach(sk, e->to, reached);
		if (!reached[e->from])
			continue;
		e->mark = MARK_BAD;
		sk->nodes[e->from].mark = sk->nodes[e->to].mark = MARK_BAD;
	}
	free(reached);
}

static char *add_order(struct sketch *sk, const struct trace *t, const struct resources *res,
	sqlite3 *db, size_t *ret_left)
{
	struct rows r = rows_begin(db, ORDER_SQL);

	while (rows_next(&r)) {
		const struct lock_row *a = resources_lock(res, rows_int(&r, 0, -1));
		const struct lock_row *b = resources_lock(res, rows_int(&r, 1, -1));
		bool fits = a && b && sk->n_edges < ORDERS_MAX;
		size_t from = fits ? lock_node(sk, t, a) : SKETCH_NONE;
		size_t to = fits ? lock_node(sk, t, b) : SKETCH_NONE;

		if (from != SKETCH_NONE && to != SKETCH_NONE)
			add_pair(sk, from, to, &r);
		else
			++*ret_left;
	}
	return rows_end(&r);
}

static void add_notes(struct sketch *sk, size_t left, size_t orders_left)
{
	bool circle = false;

	for (size_t i = 0; i < sk->n_edges; i++)
		circle = circle || sk->edges[i].mark == MARK_BAD;
	if (!sk->n_nodes)
		sketch_note(sk, "no lock was seen");
	else if (!sk->n_edges)
		sketch_note(sk, "locks; none was taken while another was held");
	else
		sketch_note(sk,
			"locks; an arrow leads from a lock that is held to one that is then taken");
	if (circle)
		sketch_note(sk, "\xe2\x9c\x96 marks locks that are taken in conflicting orders: "
				"the arrows form a cycle");
	if (left) {
		_cleanup_free_ char *note = xasprintf(
			"folded: %zu lock%s with less contention", left, left == 1 ? "" : "s");

		sketch_note(sk, note);
	}
	if (orders_left) {
		_cleanup_free_ char *note =
			xasprintf("folded: %zu pair%s of locks; 'pptrace query lock_order' "
				  "lists all",
				orders_left, orders_left == 1 ? "" : "s");

		sketch_note(sk, note);
	}
}

struct sketch *locks_sketch(const struct relations_input *in, char **ret_why)
{
	const struct trace *t = in->trace;
	struct sketch *sk = sketch_new("locks", t->title);
	struct resources res = {0};
	size_t left = 0, orders_left = 0;
	char *why = resources_load(&res, in->db, t);

	sk->down = true;
	if (!why)
		why = add_locks(sk, t, &res, in->db, &left);
	if (!why)
		why = add_order(sk, t, &res, in->db, &orders_left);
	resources_done(&res);
	if (why) {
		*ret_why = why;
		sketch_free(sk);
		return NULL;
	}
	mark_circles(sk);
	add_notes(sk, left, orders_left);
	return sk;
}
