/* tree.c - lay out the tree: what is shown and what is folded. */
/* SPDX-License-Identifier: MIT */
/*
 * The tree is built again with more folding until it has at most the wanted number of nodes.
 */
#include "viewer/tree/tree.h"

#include <limits.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"
#include "viewer/tree/family.h"
#include "viewer/load/load.h"

/* How strongly to fold. */
struct folding {
	size_t alike; /* more siblings than that which are alike are folded... */
	size_t shown; /* ...but for the first few */
	int by_name;  /* alike: the same name is enough */
	unsigned depth;
	size_t fan; /* children of one parent, or roots */
};

static const struct folding none = {SIZE_MAX, 0, 0, UINT_MAX, SIZE_MAX};

static const struct folding levels[] = {
	{12, 3, 0, UINT_MAX, SIZE_MAX},
	{4, 2, 0, UINT_MAX, SIZE_MAX},
	{1, 1, 0, UINT_MAX, SIZE_MAX},
	{1, 1, 1, UINT_MAX, SIZE_MAX},
	{1, 1, 1, 12, 100},
	{1, 1, 1, 8, 60},
	{1, 1, 1, 5, 30},
	{1, 1, 1, 4, 12},
	{1, 1, 1, 3, 8},
	{1, 1, 1, 2, 6},
	{1, 1, 1, 1, 6},
	{1, 1, 1, 0, 6},
};

/* The tree while it grows. */
struct growth {
	const struct family *f;
	const struct folding *how;
	struct tree *tree;
	size_t cap;
	size_t max;
};

static struct tree_node *add_node(struct growth *g, enum tree_kind kind, size_t row, size_t parent)
{
	struct tree_node *n;

	ARRAY_GROW(g->tree->nodes, g->tree->n, g->cap);
	n = &g->tree->nodes[g->tree->n++];
	*n = (struct tree_node){.kind = kind,
		.row = row,
		.parent = parent,
		.depth = parent == NONE ? 0 : g->tree->nodes[parent].depth + 1};
	return n;
}

/* One line of a fold: entities of one kind that share a parent. */
struct fold {
	uint64_t key;
	size_t members; /* of the sibling group, hidden or not */
	size_t shown;
	size_t first; /* hidden entity */
	size_t hidden;
	size_t procs, threads, stuck;
	size_t parents; /* of the hidden ones, how many have descendants */
	size_t *list;   /* the hidden ones */
	size_t cap;
	bool same; /* all hidden ones end alike */
	uint64_t end_key;
};

static void fold_add(struct fold *fold, const struct family *f, size_t e)
{
	const struct entity *it = &f->list[e];
	uint64_t end_key = family_own_key(f, e);

	ARRAY_GROW(fold->list, fold->hidden, fold->cap);
	fold->list[fold->hidden] = e;
	if (fold->hidden++ == 0) {
		fold->first = e;
		fold->same = true;
		fold->end_key = end_key;
	}
	fold->same = fold->same && fold->end_key == end_key;
	fold->procs += it->procs;
	fold->threads += it->threads;
	fold->stuck += it->stuck;
	fold->parents += it->procs + it->threads > 1;
}

static void add_count(struct buf *b, size_t procs, size_t threads)
{
	if (procs)
		buf_addf(b, "%zu process%s", procs, procs == 1 ? "" : "es");
	if (procs && threads)
		buf_adds(b, " and ");
	if (threads)
		buf_addf(b, "%zu thread%s", threads, threads == 1 ? "" : "s");
}

static char *fold_words(const struct family *f, const struct fold *fold, bool alike)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	if (alike) {
		_cleanup_free_ char *name = text_fit(family_name(f, fold->first), 24);

		buf_addf(&b, "%zu more %s", fold->hidden, name);
		if (fold->same && family_is_proc(f, fold->first)) {
			buf_adds(&b, fold->hidden > 1 ? ", all " : ", ");
			trace_add_status(&b, &f->t->procs[fold->first]);
		}
		if (fold->parents == fold->hidden)
			buf_adds(&b, fold->hidden > 1 ? ", each with descendants"
						      : ", with descendants");
		else if (fold->parents)
			buf_addf(&b, ", %zu of them with descendants", fold->parents);
	} else {
		add_count(&b, fold->procs, fold->threads);
		buf_adds(&b, " more");
	}
	if (fold->stuck && fold->stuck == fold->procs + fold->threads)
		buf_adds(&b, fold->stuck > 1 ? ", all stuck" : ", stuck");
	else if (fold->stuck)
		buf_addf(&b, ", %zu of them stuck", fold->stuck);
	return buf_steal(&b);
}

static void add_fold(struct growth *g, struct fold *fold, size_t parent, bool alike)
{
	struct tree_node *n = add_node(g, TREE_FOLD, NONE, parent);

	n->procs = fold->procs;
	n->threads = fold->threads;
	n->words = fold_words(g->f, fold, alike);
	n->stuck = fold->stuck > 0;
	n->members = steal(&fold->list);
	n->n_members = fold->hidden;
	g->tree->hidden_procs += fold->procs;
	g->tree->hidden_threads += fold->threads;
}

static int by_key(const void *a, const void *b)
{
	const struct fold *x = a, *y = b;

	return x->key < y->key ? -1 : x->key > y->key;
}

/* Returns the groups of siblings that are alike, sorted by key; the caller frees them. */
static struct fold *group_siblings(
	const struct growth *g, const size_t *kids, size_t n, size_t *ret_n)
{
	struct fold *groups = xcalloc(n + 1, sizeof *groups);
	size_t m = 0;

	for (size_t i = 0; i < n; i++)
		groups[i] = (struct fold){.key = g->f->list[kids[i]].key[g->how->by_name]};
	qsort(groups, n, sizeof *groups, by_key);
	for (size_t i = 0; i < n; i++) {
		if (m == 0 || groups[m - 1].key != groups[i].key)
			groups[m++] = (struct fold){.key = groups[i].key};
		groups[m - 1].members++;
	}
	*ret_n = m;
	return groups;
}

/* What is still to be visited: a list of siblings below a node. */
struct todo {
	const size_t *kids;
	size_t n, at;
	size_t parent; /* node */
	struct fold *groups;
	size_t n_groups, shown;
	struct fold rest; /* beyond the fan */
};

static void todo_begin(struct growth *g, struct todo *td, const size_t *kids, size_t n, size_t up)
{
	*td = (struct todo){.kids = kids, .n = n, .parent = up};
	td->groups = group_siblings(g, kids, n, &td->n_groups);
}

/* At the end of a list of siblings: the boxes for those that were not shown. */
static void todo_end(struct growth *g, struct todo *td)
{
	for (size_t i = 0; i < td->n; i++) {
		struct fold key = {.key = g->f->list[td->kids[i]].key[g->how->by_name]};
		struct fold *group = bsearch(&key, td->groups, td->n_groups, sizeof key, by_key);

		/* Each group once, in the order of its first hidden member. */
		if (group->hidden && group->first == td->kids[i])
			add_fold(g, group, td->parent, true);
	}
	if (td->rest.hidden)
		add_fold(g, &td->rest, td->parent, false);
	free(td->groups);
}

/* Returns whether the sibling gets a box; else it is counted in one. */
static bool is_shown(struct growth *g, struct todo *td, size_t e)
{
	struct fold key = {.key = g->f->list[e].key[g->how->by_name]};
	struct fold *group = bsearch(&key, td->groups, td->n_groups, sizeof key, by_key);
	/* The few that are stuck are what the reader looks for, however little room there is. */
	const struct folding *how = g->f->list[e].stuck && g->how != &none ? levels : g->how;

	if (group->members > how->alike && group->shown >= how->shown) {
		fold_add(group, g->f, e);
		return false;
	}
	if (td->shown >= g->how->fan) {
		fold_add(&td->rest, g->f, e);
		return false;
	}
	group->shown++;
	td->shown++;
	return true;
}

static bool too_deep(const struct growth *g, size_t node)
{
	return g->tree->nodes[node].depth >= g->how->depth;
}

/* The whole subtree below a node becomes one box. */
static void fold_subtree(struct growth *g, size_t e, size_t node)
{
	struct fold fold = {0};

	for (size_t k = 0; k < g->f->list[e].n; k++)
		fold_add(&fold, g->f, g->f->kids[g->f->list[e].first + k]);
	add_fold(g, &fold, node, false);
}

/* Walks with a stack of its own: a file may hold a chain of any depth. Returns false when there are too many nodes. */
static bool grow(struct growth *g)
{
	const struct family *f = g->f;
	struct todo *stack = NULL;
	size_t n = 0, cap = 0, roots = 0;
	bool fits = true;

	while (f->kids[f->first_root + roots] != NONE)
		roots++;
	ARRAY_GROW(stack, n, cap);
	todo_begin(g, &stack[n++], f->kids + f->first_root, roots, NONE);
	while (n > 0) {
		struct todo *td = &stack[n - 1];
		size_t e, node;

		if (td->at == td->n || !fits) {
			todo_end(g, td);
			n--;
			continue;
		}
		e = td->kids[td->at++];
		if (!is_shown(g, td, e))
			continue;
		(void)add_node(g, family_is_proc(f, e) ? TREE_PROC : TREE_THREAD, family_row(f, e),
			td->parent);
		node = g->tree->n - 1;
		fits = g->tree->n <= g->max;
		if (f->list[e].n && too_deep(g, node)) {
			fold_subtree(g, e, node);
		} else if (f->list[e].n) {
			ARRAY_GROW(stack, n, cap);
			todo_begin(g, &stack[n++], f->kids + f->list[e].first, f->list[e].n, node);
		}
	}
	free(stack);
	return g->tree->n <= g->max;
}

/* The last box of a list of siblings is only known once all are there. */
static void mark_last(struct tree *tree)
{
	size_t *last = xcalloc(tree->n + 1, sizeof *last);

	/* last[0] is for the roots. */
	for (size_t i = 0; i < tree->n; i++) {
		size_t up = tree->nodes[i].parent;

		last[up == NONE ? 0 : up + 1] = i + 1;
	}
	for (size_t i = 0; i <= tree->n; i++)
		if (last[i])
			tree->nodes[last[i] - 1].is_last = true;
	free(last);
}

struct tree *tree_new(const struct trace *t, size_t max)
{
	struct growth g = {.how = max ? levels : &none, .max = max ? max : SIZE_MAX};
	struct family f;

	family_init(&f, t);
	g.f = &f;
	for (;;) {
		g.tree = xcalloc(1, sizeof *g.tree);
		g.cap = 0;
		if (grow(&g) || g.how == &levels[ARRAY_SIZE(levels) - 1])
			break;
		tree_free(g.tree);
		g.how++;
	}
	mark_last(g.tree);
	family_done(&f);
	return g.tree;
}

void tree_free(struct tree *tree)
{
	if (!tree)
		return;
	for (size_t i = 0; i < tree->n; i++) {
		free(tree->nodes[i].words);
		free(tree->nodes[i].members);
	}
	free(tree->nodes);
	free(tree);
}

bool tree_folds_threads(const struct trace *t, const struct tree_node *n)
{
	return n->kind == TREE_FOLD && n->members[0] >= t->n_procs;
}

size_t tree_home(const struct trace *t, const struct tree_node *n)
{
	switch (n->kind) {
	case TREE_PROC:
		return n->row;
	case TREE_THREAD:
		return t->threads[n->row].proc;
	case TREE_FOLD:
		break;
	}
	return tree_folds_threads(t, n) ? t->threads[n->members[0] - t->n_procs].proc
					: n->members[0];
}

void tree_add_folded(struct buf *b, const struct tree *tree)
{
	if (!tree->hidden_procs && !tree->hidden_threads)
		return;
	buf_adds(b, "folded: ");
	add_count(b, tree->hidden_procs, tree->hidden_threads);
}
