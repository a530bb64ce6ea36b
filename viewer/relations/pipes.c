/* pipes.c - who writes how much to whom, and which ends were left open, as a sketch. */
/* SPDX-License-Identifier: MIT */
#include <sqlite3.h>

#include "base/buf.h"
#include "base/mem.h"
#include "viewer/load/load.h"
#include "viewer/relations/relations.h"
#include "viewer/load/resource.h"
#include "viewer/load/uses.h"
#include "viewer/draw/sketch.h"

/* Nobody could follow more arrows than that, and Graphviz takes minutes for some thousands. More is read, since what is alike is folded. */
enum { BOXES_MAX = 200, ARROWS_MAX = 250, UNUSED_SHOWN = 24 };
enum { PIPES_READ = 2000, PROCS_READ = 2000, ARROWS_READ = 5000 };

struct pipes {
	const struct trace *t;
	struct resources res;
	const struct pipe_uses *uses;
	/* Ids of the pipes that carried something, or that a finding is about; the others are only counted. */
	struct hash interesting;
	struct sketch *sk;
	size_t shown;
	size_t arrows_left; /* bytes and ends that are not shown, since there are too many */
	size_t unused;      /* ends that are not shown */
	int64_t empty;      /* pipes that carried nothing */
};

static size_t proc_node(struct pipes *ps, size_t proc)
{
	const struct proc_row *p = &ps->t->procs[proc];
	_cleanup_free_ char *id = xasprintf("pipes-p%lld", (long long)p->id);
	_cleanup_free_ char *detail = xasprintf("pid %lld", (long long)p->pid);
	size_t node = sketch_find(ps->sk, id);

	if (node == SKETCH_NONE && ps->sk->n_nodes - ps->shown < PROCS_READ) {
		node = sketch_node(ps->sk, SKETCH_SUBJECT, id, p->name, detail);
		ps->sk->nodes[node].row = xasprintf("row-p%lld", (long long)p->id);
		if (p->stuck == STUCK_CERTAIN)
			ps->sk->nodes[node].mark = MARK_BAD;
	}
	return node;
}

static size_t pipe_node(struct pipes *ps, int64_t pipe_id)
{
	const struct pipe_row *row = resources_pipe(&ps->res, pipe_id);
	_cleanup_free_ char *id = xasprintf("pipes-pipe%lld", (long long)pipe_id);
	size_t node = sketch_find(ps->sk, id);

	if (node != SKETCH_NONE || !row)
		return node;
	if (ps->shown >= PIPES_READ)
		return SKETCH_NONE;
	ps->shown++;
	node = sketch_node(ps->sk, SKETCH_RESOURCE, id, row->name, "");
	ps->sk->nodes[node].row = xasprintf("row-pipe%lld", (long long)pipe_id);
	return node;
}

/* Returns the new arrow from or to a pipe; NULL if there are too many already. */
static struct sketch_edge *add_arrow(struct pipes *ps, size_t pipe, size_t proc, bool to_pipe,
	const char *class, const char *label)
{
	size_t node = ps->sk->n_edges < ARROWS_READ ? proc_node(ps, proc) : SKETCH_NONE;

	if (node == SKETCH_NONE) {
		ps->arrows_left++;
		return NULL;
	}
	return to_pipe ? sketch_edge(ps->sk, node, pipe, class, label)
		       : sketch_edge(ps->sk, pipe, node, class, label);
}

static void add_bytes(struct buf *b, int64_t n)
{
	static const char *const units[] = {"bytes", "KiB", "MiB", "GiB", "TiB"};
	double v = (double)n;
	size_t u = 0;

	for (; v >= 10240 && u + 1 < ARRAY_SIZE(units); u++)
		v /= 1024;
	if (u == 0)
		buf_addf(b, "%lld byte%s", (long long)n, n == 1 ? "" : "s");
	else
		buf_addf(b, "%.*f %s", v < 100 ? 1 : 0, v, units[u]);
}

static bool is_interesting(const struct pipes *ps, int64_t pipe_id)
{
	return hash_get(&ps->interesting, (uint64_t)pipe_id) != NULL;
}

static char *find_interesting(struct pipes *ps, sqlite3 *db)
{
	struct rows r = rows_begin(
		db, "SELECT DISTINCT pipe_id FROM finding_member WHERE pipe_id IS NOT NULL");

	while (rows_next(&r))
		(void)hash_set(&ps->interesting, (uint64_t)rows_int(&r, 0, 0), ps);
	for (size_t i = 0; i < ps->uses->n; i++)
		if (ps->uses->list[i].bytes > 0)
			(void)hash_set(&ps->interesting, (uint64_t)ps->uses->list[i].pipe_id, ps);
	return rows_end(&r);
}

static void add_use(struct pipes *ps, const struct pipe_use *u)
{
	const char *op = u->writes ? "write" : "read";
	size_t pipe = pipe_node(ps, u->pipe_id);
	_cleanup_buf_ struct buf b = BUF_INIT;

	if (pipe == SKETCH_NONE) {
		ps->arrows_left++;
		return;
	}
	add_bytes(&b, u->bytes < (double)TIME_LIMIT ? (int64_t)u->bytes : TIME_LIMIT);
	buf_addf(&b, "\nin %lld %s%s", (long long)u->calls, op, u->calls == 1 ? "" : "s");
	if (u->failed)
		buf_addf(&b, ", %lld failed", (long long)u->failed);
	else if (u->ends)
		buf_adds(&b, ", then end of file");
	(void)add_arrow(ps, pipe, u->proc, u->writes, op, b.data);
}

static void add_flow(struct pipes *ps)
{
	for (size_t i = 0; i < ps->uses->n; i++) {
		const struct pipe_use *u = &ps->uses->list[i];

		if (u->proc != NONE && is_interesting(ps, u->pipe_id))
			add_use(ps, u);
	}
}

/* Says whether a process did with a pipe what the end of that mode is for. */
static bool is_used(const struct pipes *ps, int64_t pipe_id, size_t proc, const char *mode)
{
	bool reads = pipe_uses_find(ps->uses, pipe_id, proc, false) != NULL;
	bool writes = pipe_uses_find(ps->uses, pipe_id, proc, true) != NULL;

	return !strcmp(mode, "rw") ? reads || writes : !strcmp(mode, "r") ? reads : writes;
}

/*
 * Ends that a process kept to its end and never used. They are shown in
 * warning colours if a finding says that they did harm.
 */
static char *add_unused(struct pipes *ps, sqlite3 *db)
{
	struct rows r = rows_begin(db,
		"WITH leak AS MATERIALIZED (SELECT DISTINCT m.pipe_id AS pipe, coalesce(m.process_id, -1) AS process FROM finding f"
		" JOIN finding_member m ON m.finding_id = f.id WHERE f.rule = 'pipe-end-leak' AND m.pipe_id IS NOT NULL)"
		" SELECT e.pipe_id, e.process_id, e.mode, min(e.fd), max(e.close_ns IS NULL),"
		" (e.pipe_id, e.process_id) IN leak OR (e.pipe_id, -1) IN leak FROM pipe_end e"
		" WHERE (e.close_ns IS NULL OR e.close_via = 'exit')"
		/* What everybody was given is nobody's to close. */
		" AND NOT EXISTS (SELECT 1 FROM pipe g WHERE g.id = e.pipe_id AND substr(g.name, 1, length(g.kind) + 4) = g.kind || ' at ' AND g.path IS NULL)"
		" GROUP BY e.pipe_id, e.process_id, e.mode ORDER BY e.pipe_id, e.process_id, e.mode");

	while (rows_next(&r)) {
		int64_t pipe_id = rows_int(&r, 0, -1);
		size_t proc = trace_proc(ps->t, rows_int(&r, 1, -1)), pipe;
		_cleanup_free_ char *mode = rows_text(&r, 2);
		_cleanup_buf_ struct buf b = BUF_INIT;
		bool harmful = rows_int(&r, 5, 0) != 0;
		struct sketch_edge *e;

		if (proc == NONE || is_used(ps, pipe_id, proc, mode) ||
			!is_interesting(ps, pipe_id))
			continue;
		pipe = pipe_node(ps, pipe_id);
		if (pipe == SKETCH_NONE)
			continue;
		/* In a large picture those that do no harm would hide the rest. */
		if (!harmful && ps->sk->n_nodes > UNUSED_SHOWN) {
			ps->unused++;
			continue;
		}
		buf_addf(&b, "%s end open,\nnever used",
			!strcmp(mode, "r")   ? "read"
			: !strcmp(mode, "w") ? "write"
					     : "one");
		if (!rows_is_null(&r, 3))
			buf_addf(&b, " (fd %lld)", (long long)rows_int(&r, 3, 0));
		e = add_arrow(ps, pipe, proc, strcmp(mode, "r") != 0, "unused", b.data);
		if (e)
			e->mark = harmful ? MARK_WARN : MARK_FAINT;
	}
	return rows_end(&r);
}

static char *count_empty(struct pipes *ps, sqlite3 *db)
{
	struct rows r = rows_begin(db, "SELECT id FROM pipe WHERE created_ns IS NOT NULL");

	while (rows_next(&r))
		ps->empty += !is_interesting(ps, rows_int(&r, 0, 0));
	return rows_end(&r);
}

static void add_notes(struct pipes *ps)
{
	bool leaks = false;

	for (size_t i = 0; i < ps->sk->n_edges; i++)
		leaks = leaks || ps->sk->edges[i].mark == MARK_WARN;
	sketch_note(ps->sk, ps->sk->n_nodes ? "pipes: who writes to whom"
			    : ps->empty     ? "no pipe carried anything"
					    : "no pipe was seen");
	if (leaks)
		sketch_note(ps->sk, "\xe2\x97\x87 marks ends left open that keep others waiting");
	if (ps->empty && ps->sk->n_nodes) {
		_cleanup_free_ char *note = xasprintf("not shown: %lld pipe%s that carried nothing",
			(long long)ps->empty, ps->empty == 1 ? "" : "s");

		sketch_note(ps->sk, note);
	}
	if (ps->unused) {
		_cleanup_free_ char *note =
			xasprintf("not shown: %zu unused end%s kept open without harm", ps->unused,
				ps->unused == 1 ? "" : "s");

		sketch_note(ps->sk, note);
	}
	if (ps->arrows_left) {
		_cleanup_free_ char *note =
			xasprintf("folded: %zu more arrows; 'pptrace query pipe_flow' lists all",
				ps->arrows_left);

		sketch_note(ps->sk, note);
	}
}

static void fold(struct pipes *ps)
{
	size_t nodes, edges;

	sketch_fold(ps->sk);
	sketch_limit(ps->sk, BOXES_MAX, ARROWS_MAX, &nodes, &edges);
	ps->arrows_left += edges;
}

struct sketch *pipes_sketch(const struct relations_input *in, char **ret_why)
{
	const struct trace *t = in->trace;
	struct pipe_uses own = {0};
	struct pipes ps = {
		.t = t, .uses = in->uses ? in->uses : &own, .sk = sketch_new("pipes", t->title)};
	char *why = resources_load(&ps.res, in->db, t);

	if (!why && !in->uses)
		why = pipe_uses_load(&own, t, in->db);
	if (!why)
		why = find_interesting(&ps, in->db);
	if (!why)
		add_flow(&ps);
	if (!why)
		why = add_unused(&ps, in->db);
	if (!why)
		why = count_empty(&ps, in->db);
	if (!why)
		why = relations_add_unwritten(ps.sk, t, in->db, "pipes-p", false);
	resources_done(&ps.res);
	pipe_uses_done(&own);
	hash_done(&ps.interesting);
	if (why) {
		*ret_why = why;
		sketch_free(ps.sk);
		return NULL;
	}
	fold(&ps);
	add_notes(&ps);
	return ps.sk;
}
