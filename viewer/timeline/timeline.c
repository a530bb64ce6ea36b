/* timeline.c - lay a timeline out: lanes, and what is folded. */
/* SPDX-License-Identifier: MIT */
#include "viewer/timeline/private.h"

#include <sqlite3.h>

#include "base/buf.h"
#include "base/mem.h"
#include "viewer/load/load.h"
#include "viewer/path/path.h"
#include "viewer/tree/tree.h"

/* Lanes of one process stand together: itself, its threads, what is folded of them; processes as in the tree. */
struct place {
	size_t group, kind, node;
};

static int by_place(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	if (x->group != y->group)
		return x->group < y->group ? -1 : 1;
	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	return x->node < y->node ? -1 : x->node > y->node;
}

/* Returns the nodes of the tree in the order of lanes; the caller frees them. */
static struct place *place_nodes(const struct trace *t, const struct tree *tree)
{
	struct place *places = xcalloc(tree->n + 1, sizeof *places);
	size_t *node_of = xcalloc(t->n_procs + 1, sizeof *node_of);

	for (size_t i = 0; i < tree->n; i++)
		if (tree->nodes[i].kind == TREE_PROC)
			node_of[tree->nodes[i].row] = i + 1;
	for (size_t i = 0; i < tree->n; i++) {
		const struct tree_node *n = &tree->nodes[i];
		size_t group = i, kind = 0;

		if (n->kind == TREE_THREAD || tree_folds_threads(t, n)) {
			size_t home = node_of[tree_home(t, n)];

			group = home ? home - 1 : i;
			kind = n->kind == TREE_THREAD ? 1 : 2;
		}
		places[i] = (struct place){group, kind, i};
	}
	qsort(places, tree->n, sizeof *places, by_place);
	free(node_of);
	return places;
}

static bool is_wanted(const struct proc_row *p, const char *process)
{
	_cleanup_free_ char *pid = NULL;

	if (!process)
		return true;
	pid = xasprintf("%lld", (long long)p->pid);
	return !strcmp(process, pid) || !strcmp(process, p->name);
}

/* A fold shows when the processes or threads that it hides were alive, and how many at a time. */
struct turn {
	int64_t ts;
	int step;
};

static int by_turn(const void *a, const void *b)
{
	const struct turn *x = a, *y = b;

	if (x->ts != y->ts)
		return x->ts < y->ts ? -1 : 1;
	return y->step - x->step;
}

static void fill_fold(const struct timeline *tl, struct lane *l, const struct tree_node *n)
{
	const struct trace *t = tl->t;
	struct turn *turns = xcalloc(2 * n->n_members + 1, sizeof *turns);
	size_t alive = 0, most = 0;
	int64_t from = 0;

	l->from = TIME_NEVER;
	l->to = -TIME_LIMIT;
	for (size_t i = 0; i < n->n_members; i++) {
		size_t m = n->members[i];
		bool proc = m < t->n_procs;
		int64_t start = proc ? t->procs[m].start : t->threads[m - t->n_procs].start;
		int64_t end = trace_end(t, proc ? t->procs[m].end : t->threads[m - t->n_procs].end);

		turns[2 * i] = (struct turn){start, 1};
		turns[2 * i + 1] = (struct turn){end, -1};
		l->from = start < l->from ? start : l->from;
		l->to = end > l->to ? end : l->to;
	}
	qsort(turns, 2 * n->n_members, sizeof *turns, by_turn);
	for (size_t i = 0; i < 2 * n->n_members; i++) {
		if (turns[i].step > 0 && alive++ == 0) {
			from = turns[i].ts;
			most = 0;
		}
		most = alive > most ? alive : most;
		if (turns[i].step < 0 && --alive == 0 && turns[i].ts > tl->since &&
			from < tl->until)
			timeline_span(l, SPAN_ALIVE, from, turns[i].ts)->count = most;
	}
	free(turns);
}

static void fill_lane(struct timeline *tl, struct lane *l, const struct tree_node *n)
{
	const struct trace *t = tl->t;

	*l = (struct lane){
		.thread = NONE, .is_first = n->kind == TREE_PROC, .proc = tree_home(t, n)};
	if (n->kind == TREE_FOLD) {
		l->is_fold = true;
		l->fold_node = (size_t)(n - tl->tree->nodes);
		fill_fold(tl, l, n);
		return;
	}
	l->thread = n->kind == TREE_PROC ? t->procs[n->row].main_thread : n->row;
	l->from = n->kind == TREE_PROC ? t->procs[n->row].start : t->threads[n->row].start;
	l->to = trace_end(t, l->thread == NONE ? t->procs[l->proc].end : t->threads[l->thread].end);
	if (l->thread != NONE)
		tl->lane_of[l->thread] = (size_t)(l - tl->lanes);
}

/* Says whether the path goes through a thread, or through one that a fold hides; on: as of timeline_path_lanes. */
static bool is_on_path(
	const struct trace *t, const struct lane *l, const struct tree_node *n, const bool *on)
{
	for (size_t i = 0; l->is_fold && i < n->n_members; i++) {
		size_t m = n->members[i],
		       th = m < t->n_procs ? t->procs[m].main_thread : m - t->n_procs;

		if (th != NONE && on[th])
			return true;
	}
	return l->thread != NONE && on[l->thread];
}

static void make_lanes(struct timeline *tl, const struct timeline_options *opt)
{
	const struct trace *t = tl->t;
	_cleanup_free_ struct place *places = NULL;
	_cleanup_free_ bool *on = opt->only_path ? timeline_path_lanes(t, opt->path) : NULL;
	bool few = opt->process || (on && opt->path->n_threads <= opt->max_lanes);

	tl->tree = tree_new(t, few ? 0 : opt->max_lanes);
	places = place_nodes(t, tl->tree);
	tl->lanes = xcalloc(tl->tree->n + 1, sizeof *tl->lanes);
	tl->lane_of = xcalloc(t->n_threads + 1, sizeof *tl->lane_of);
	for (size_t i = 0; i < t->n_threads; i++)
		tl->lane_of[i] = NONE;
	for (size_t i = 0; i < tl->tree->n; i++) {
		const struct tree_node *n = &tl->tree->nodes[places[i].node];
		struct lane *l = &tl->lanes[tl->n_lanes];
		const struct proc_row *p;

		fill_lane(tl, l, n);
		p = &t->procs[l->proc];
		if (is_wanted(p, opt->process) && (!on || is_on_path(t, l, n, on)) &&
			l->from < tl->until && (l->to >= tl->since || p->zombie_to > tl->since)) {
			tl->n_lanes++;
		} else {
			free(l->spans);
			if (l->thread != NONE)
				tl->lane_of[l->thread] = NONE;
		}
	}
}

static void add_zombies(struct timeline *tl)
{
	for (size_t i = 0; i < tl->n_lanes; i++) {
		struct lane *l = &tl->lanes[i];
		const struct proc_row *p = &tl->t->procs[l->proc];

		if (!l->is_first || p->end == TIME_NEVER || p->zombie_to <= p->end)
			continue;
		if (timeline_column(tl, p->zombie_to) > timeline_column(tl, p->end) ||
			p->never_reaped)
			timeline_span(l, SPAN_ZOMBIE, p->end, p->zombie_to)->endless =
				p->never_reaped;
	}
}

/* Bins become spans: neighbouring columns that are not empty become one, as far as is wanted. */
static void bins_to_spans(struct timeline *tl, struct lane *l, const struct bin *bins,
	enum span_kind kind, size_t *folded)
{
	double ns = (double)(tl->until - tl->since) / (double)tl->columns;
	size_t most = tl->max_merge ? tl->max_merge : SIZE_MAX;

	for (size_t i = 0, next; bins && i < l->n_bins; i = next) {
		struct span *s;
		int64_t longest = -1;

		next = i + 1;
		if (!bins[i].count)
			continue;
		s = timeline_span(
			l, kind, tl->since + (int64_t)((double)(l->first_bin + i) * ns), 0);
		s->count = 0;
		s->sum = 0;
		for (next = i; next < l->n_bins && bins[next].count && next - i < most; next++) {
			s->count += bins[next].count;
			s->sum += bins[next].sum;
			if (bins[next].longest > longest) {
				longest = bins[next].longest;
				s->reason = bins[next].reason;
				s->lock_id = bins[next].lock_id;
			}
		}
		s->to = tl->since + (int64_t)((double)(l->first_bin + next) * ns);
		if (s->sum > s->to - s->from)
			s->sum = s->to - s->from;
		*folded += s->count;
	}
}

static int by_span(const void *a, const void *b)
{
	const struct span *x = a, *y = b;

	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	if (x->from != y->from)
		return x->from < y->from ? -1 : 1;
	if (x->to != y->to)
		return x->to > y->to ? -1 : 1;
	return x->lock_id < y->lock_id ? -1 : x->lock_id > y->lock_id;
}

enum { LEVELS_MAX = 3 };

/* Holds that overlap in time get different levels, as far as there are any. */
static void set_levels(struct lane *l)
{
	int64_t busy_to[LEVELS_MAX] = {INT64_MIN, INT64_MIN, INT64_MIN};

	for (size_t i = 0; i < l->n; i++) {
		struct span *s = &l->spans[i];
		unsigned level = 0;

		if (s->kind != SPAN_HOLD && s->kind != SPAN_HOLDS)
			continue;
		while (level < LEVELS_MAX - 1 && busy_to[level] > s->from)
			level++;
		if (s->to > busy_to[level])
			busy_to[level] = s->to;
		s->level = level;
		if (level + 1 > l->levels)
			l->levels = level + 1;
	}
}

static void finish_lanes(struct timeline *tl)
{
	size_t ran = 0;

	for (size_t i = 0; i < tl->n_lanes; i++) {
		struct lane *l = &tl->lanes[i];

		bins_to_spans(tl, l, l->waits, SPAN_WAITS, &tl->folded_waits);
		bins_to_spans(tl, l, l->holds, SPAN_HOLDS, &tl->folded_holds);
		bins_to_spans(tl, l, l->ran, SPAN_RAN, &ran);
		free(l->waits);
		free(l->holds);
		free(l->ran);
		l->waits = l->holds = l->ran = NULL;
		if (l->n)
			qsort(l->spans, l->n, sizeof *l->spans, by_span);
		set_levels(l);
	}
}

struct timeline *timeline_new(
	const struct trace *t, sqlite3 *db, const struct timeline_options *opt, char **ret_why)
{
	struct timeline *tl = xcalloc(1, sizeof *tl);
	char *why;

	tl->t = t;
	tl->path = opt->path;
	tl->max_merge = opt->max_merge;
	tl->max_arrows = opt->max_arrows;
	tl->since = opt->since > -TIME_LIMIT ? opt->since : trace_begin(t);
	tl->until = opt->until < t->duration   ? opt->until
		    : opt->until == TIME_NEVER ? trace_last(t)
					       : t->duration;
	if (tl->until <= tl->since)
		tl->until = tl->since + 1;
	tl->columns = opt->columns ? opt->columns : 1;
	make_lanes(tl, opt);
	add_zombies(tl);
	why = resources_load(&tl->res, db, t);
	if (!why)
		why = timeline_load_waits(tl, db);
	timeline_load_stacks(tl, db);
	if (!why)
		why = timeline_load_holds(tl, db);
	if (!why)
		why = timeline_load_sched(tl, db);
	if (!why)
		why = timeline_load_gaps(tl, db);
	if (!why)
		why = timeline_load_arrows(tl, db);
	finish_lanes(tl);
	if (why) {
		*ret_why = why;
		timeline_free(tl);
		return NULL;
	}
	return tl;
}

void timeline_free(struct timeline *tl)
{
	struct hash_slot *slot;

	if (!tl)
		return;
	for (size_t i = 0; i < tl->n_lanes; i++)
		free(tl->lanes[i].spans);
	free(tl->lanes);
	free(tl->lane_of);
	free(tl->arrows);
	free(tl->marks);
	free(tl->gaps);
	for (size_t pos = 0; (slot = hash_next(&tl->stacks, &pos)) != NULL;)
		free(slot->value);
	hash_done(&tl->stacks);
	resources_done(&tl->res);
	tree_free(tl->tree);
	free(tl);
}
