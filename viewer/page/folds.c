/* folds.c - which lanes of the page's timeline stand together until somebody wants to see them. */
/* SPDX-License-Identifier: MIT */
#include "viewer/page/explore.h"

#include "base/buf.h"
#include "base/mem.h"
#include "viewer/load/load.h"
#include "viewer/page/tables.h"
#include "viewer/timeline/timeline.h"
#include "viewer/tree/tree.h"

/* So many boxes the tree may have before it folds more than it does anyway. */
enum { NODES_MAX = 400, DEPTH_MAX = 1000 };

struct folds {
	const struct trace *t;
	size_t *proc,
		*thread; /* of each process and thread: number of its fold, NONE: it has none */
	bool *is_known;  /* of each process */
};

static size_t of_proc(struct folds *f, size_t proc, unsigned depth)
{
	const struct proc_row *p = &f->t->procs[proc];
	size_t maker = p->creator != NONE ? f->t->threads[p->creator].proc : p->parent;

	/* What a fold hides besides its members was made by them. */
	if (!f->is_known[proc] && maker != NONE && depth < DEPTH_MAX)
		f->proc[proc] = of_proc(f, maker, depth + 1);
	f->is_known[proc] = true;
	return f->proc[proc];
}

static void add_tree(struct folds *f, struct buf *words, const struct tree *tree)
{
	size_t n = 0;

	for (size_t i = 0; i < tree->n; i++) {
		const struct tree_node *node = &tree->nodes[i];

		if (node->kind == TREE_PROC)
			f->is_known[node->row] = true;
		if (node->kind != TREE_FOLD)
			continue;
		buf_adds(words, n ? "," : "");
		buf_add_json(words, node->words, strlen(node->words));
		for (size_t m = 0; m < node->n_members; m++) {
			size_t e = node->members[m];

			if (e < f->t->n_procs) {
				f->proc[e] = n;
				f->is_known[e] = true;
			} else {
				f->thread[e - f->t->n_procs] = n;
			}
		}
		n++;
	}
}

void explore_folds(struct buf *words, const struct timeline *tl, int64_t *ret)
{
	const struct trace *t = tl->t;
	_cleanup_free_ size_t *proc = xcalloc(t->n_procs + 1, sizeof *proc);
	_cleanup_free_ size_t *thread = xcalloc(t->n_threads + 1, sizeof *thread);
	_cleanup_free_ bool *is_known = xcalloc(t->n_procs + 1, sizeof *is_known);
	struct tree *tree = tree_new(t, NODES_MAX);
	struct folds f = {t, proc, thread, is_known};

	for (size_t i = 0; i < t->n_procs; i++)
		proc[i] = NONE;
	for (size_t i = 0; i < t->n_threads; i++)
		thread[i] = NONE;
	add_tree(&f, words, tree);
	tree_free(tree);
	for (size_t i = 0; i < tl->n_lanes; i++) {
		const struct lane *l = &tl->lanes[i];
		size_t fold = l->thread != NONE ? thread[l->thread] : NONE;

		if (fold == NONE && !l->is_fold)
			fold = of_proc(&f, l->proc, 0);
		ret[i] = fold == NONE ? -1 : (int64_t)fold;
	}
}
