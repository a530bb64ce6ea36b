/* alike.c - of many boxes of a sketch that are alike only a few are shown, and one that says how many more there are. */
/* SPDX-License-Identifier: MIT */
/*
 * 370 processes that sleep are "367 more sleep"; 500 children of one parent are
 * three and "497 more true", with the arrow that leads to each; 20 pipes from a
 * cat to a wc are three and "17 more like these". What is marked is folded only
 * where it is alike many times, and the box that stands for it has the mark.
 */
#include "viewer/draw/sketch.h"

#include "base/buf.h"
#include "base/hash.h"
#include "base/mem.h"

/*
 * Of alike boxes so many are shown; a fold hides two at least, of what is marked nine. A group of more boxes than that
 * is not compared.
 */
enum { SHOWN = 3, HIDDEN_LEAST = 2, MARKED_LEAST = 9, GROUP_MAX = 6 };

struct group {
	size_t n,
		seen; /* how many are alike, and of how many it was decided whether they are shown */
	size_t node;  /* the box for the rest, or SKETCH_NONE */
	enum sketch_mark mark;
};

struct alike {
	struct sketch *sk;
	bool *hidden;      /* of each node */
	size_t *degree;    /* of each node: how many edges it has */
	size_t (*edge)[2]; /* of each node: the last two of them, or the only one */
	size_t *home;      /* of each node: the first of those that it is connected with */
	struct hash seen;  /* key of what is alike -> number of its group, plus 1 */
	struct group *groups;
	size_t n_groups, cap_groups;
};

/* Numbers differ where all else is the same: of a text its letters count, and of a duration what stands before it. */
static void add_letters(struct buf *b, const char *text)
{
	const char *end = strstr(text, ", for ");
	size_t len = end ? (size_t)(end - text) : strcspn(text, "\n");

	for (size_t i = 0; i < len; i++)
		if (text[i] < '0' || text[i] > '9')
			buf_addc(b, text[i]);
	buf_addc(b, '\n');
}

static void add_node(struct buf *b, const struct sketch_node *n)
{
	buf_addf(b, "%d %d ", (int)n->kind, (int)n->mark);
	add_letters(b, n->name);
	for (size_t i = 0; i < n->n_lines; i++)
		add_letters(b, n->lines[i]);
}

/* Returns the group of that key. */
static struct group *group_of(struct alike *a, const struct buf *key)
{
	uint64_t hash = hash_bytes(key->data, key->len);
	uintptr_t at = (uintptr_t)hash_get(&a->seen, hash);

	if (!at) {
		ARRAY_GROW(a->groups, a->n_groups, a->cap_groups);
		a->groups[a->n_groups] = (struct group){.node = SKETCH_NONE};
		at = ++a->n_groups;
		(void)hash_set(&a->seen, hash, (void *)at);
	}
	return &a->groups[at - 1];
}

/* Says whether the next of a group is hidden behind the box for the rest. */
static bool is_hidden(struct group *g)
{
	size_t least = g->mark == MARK_NONE ? HIDDEN_LEAST : MARKED_LEAST;

	return g->n >= SHOWN + least && g->seen++ >= SHOWN;
}

static void groups_clear(struct alike *a)
{
	hash_done(&a->seen);
	a->seen = (struct hash){0};
	a->n_groups = 0;
}

/* The name of many: "worker" of "worker-12". */
static char *common_name(const char *name)
{
	size_t len = strlen(name);

	while (len > 1 &&
		((name[len - 1] >= '0' && name[len - 1] <= '9') || strchr("-_ :#/", name[len - 1])))
		len--;
	return xstrndup(name, len);
}

/* Makes the box that stands for n more like a node. */
static size_t add_fold(struct sketch *sk, size_t like, size_t n, const char *words)
{
	_cleanup_free_ char *id = xasprintf("%s-fold%zu", sk->name, sk->n_nodes);
	_cleanup_free_ char *own = common_name(sk->nodes[like].name);
	_cleanup_free_ char *name = xasprintf("%zu more %s", n, words ? "like these" : own);
	enum sketch_kind kind = words ? SKETCH_SUBJECT : sk->nodes[like].kind;
	size_t node = sketch_node(sk, kind, id, name, "");

	sk->nodes[node].mark = MARK_FAINT;
	if (words)
		sketch_line(sk, node, "%s", words);
	for (size_t i = 0; !words && i < sk->nodes[like].n_lines; i++) {
		const char *line = sk->nodes[like].lines[i], *end = strstr(line, ", for ");

		sketch_line(sk, node, "%.*s", end ? (int)(end - line) : (int)strlen(line), line);
	}
	return node;
}

static bool is_plain(const struct sketch_node *n)
{
	return n->mark == MARK_NONE && !n->group;
}

/* Boxes one behind the other of which the first has no other neighbour; the last is one of those of the anchor. */
struct chain {
	size_t node[GROUP_MAX], edge[GROUP_MAX], n;
	size_t anchor;
	enum sketch_mark mark;
};

static size_t other_end(const struct sketch_edge *e, size_t node)
{
	return e->from == node ? e->to : e->from;
}

/* Follows the boxes from one that has a single neighbour; false if there is no chain of them, or it is too long. */
static bool chain_of(const struct alike *a, size_t node, struct chain *c)
{
	const struct sketch *sk = a->sk;
	size_t edge = a->edge[node][0];

	*c = (struct chain){.anchor = node};
	if (a->degree[node] != 1)
		return false;
	for (;;) {
		const struct sketch_edge *e = &sk->edges[edge];

		if (c->n == GROUP_MAX || sk->nodes[node].group || e->from == e->to ||
			sk->nodes[node].mark == MARK_FAINT)
			return false;
		if (sk->nodes[node].mark != MARK_NONE)
			c->mark = sk->nodes[node].mark;
		c->node[c->n] = node;
		c->edge[c->n++] = edge;
		c->anchor = node = other_end(e, node);
		if (a->degree[node] != 2)
			return true;
		edge = a->edge[node][a->edge[node][0] == edge];
	}
}

/* Chains that lead to the same other box with the same words. */
static bool chain_key(const struct alike *a, size_t node, struct chain *c, struct buf *key)
{
	if (!chain_of(a, node, c))
		return false;
	buf_reset(key);
	buf_addf(key, "%zu ", c->anchor);
	for (size_t i = 0; i < c->n; i++) {
		const struct sketch_edge *e = &a->sk->edges[c->edge[i]];

		buf_addf(key, "%d %d %s ", e->from == c->node[i], (int)e->mark, e->class);
		add_letters(key, e->label);
		add_node(key, &a->sk->nodes[c->node[i]]);
	}
	return true;
}

/* Adds an arrow like another one, without what is said of that alone. */
static void add_arrow(struct sketch *sk, const struct sketch_edge *like, size_t from, size_t to)
{
	_cleanup_free_ char *label = xstrndup(like->label, strcspn(like->label, "\n"));
	enum sketch_mark mark = like->mark;
	bool backwards = like->backwards;
	struct sketch_edge *e = sketch_edge(sk, from, to, like->class, label);

	e->mark = mark;
	e->backwards = backwards;
}

/* "cat, wc": the subjects of some boxes. */
static char *subjects(const struct sketch *sk, const size_t *nodes, size_t n)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	for (size_t i = 0; i < n; i++)
		if (sk->nodes[nodes[i]].kind == SKETCH_SUBJECT)
			buf_addf(&b, "%s%s", b.len ? ", " : "", sk->nodes[nodes[i]].name);
	return buf_steal(&b);
}

static void fold_chains(struct alike *a, size_t n)
{
	struct sketch *sk = a->sk;
	_cleanup_buf_ struct buf key = BUF_INIT;
	struct chain c;

	for (size_t i = 0; i < n; i++)
		if (chain_key(a, i, &c, &key)) {
			struct group *g = group_of(a, &key);

			g->n++;
			g->mark = c.mark;
		}
	for (size_t i = 0; i < n; i++) {
		struct group *g = chain_key(a, i, &c, &key) ? group_of(a, &key) : NULL;
		_cleanup_free_ char *words = NULL;
		size_t last = c.n ? c.n - 1 : 0;
		bool from;

		if (!g || !is_hidden(g))
			continue;
		for (size_t k = 0; k < c.n; k++)
			a->hidden[c.node[k]] = true;
		if (g->node != SKETCH_NONE)
			continue;
		words = c.n > 1 ? subjects(sk, c.node, c.n) : NULL;
		g->node = add_fold(sk, i, g->n - SHOWN, words);
		if (g->mark != MARK_NONE)
			sk->nodes[g->node].mark = g->mark;
		from = sk->edges[c.edge[last]].from == c.node[last];
		add_arrow(sk, &sk->edges[c.edge[last]], from ? g->node : c.anchor,
			from ? c.anchor : g->node);
	}
	groups_clear(a);
}

/* Of a longer row of alike boxes so many are shown at either end. */
enum { RUN_MOST = 60, RUN_SHOWN = 10 };

/* Boxes one behind the other that have two neighbours each: a ring, or what is between two others. */
struct run {
	size_t *node, *edge, n; /* edge[i] leads from node[i] to the next one */
};

static bool is_between(const struct alike *a, size_t node)
{
	const struct sketch_node *n = &a->sk->nodes[node];
	const struct sketch_edge *e = a->sk->edges + a->edge[node][0],
				 *f = a->sk->edges + a->edge[node][1];

	return a->degree[node] == 2 && !a->hidden[node] && !n->group && n->mark != MARK_FAINT &&
	       e->from != e->to && f->from != f->to;
}

/* Follows boxes from node through edge as far as they have two neighbours; of a ring, once around. */
static void follow(const struct alike *a, size_t node, size_t edge, struct run *r)
{
	size_t start = node;

	r->n = 0;
	do {
		r->node[r->n] = node;
		r->edge[r->n++] = edge;
		node = other_end(&a->sk->edges[edge], node);
		edge = a->edge[node][a->edge[node][0] == edge];
	} while (node != start && is_between(a, node));
}

/* Says whether of the boxes that would be hidden each is like the one before, or like the one before that. */
static bool is_regular(const struct alike *a, const struct run *r)
{
	_cleanup_buf_ struct buf key = BUF_INIT, other = BUF_INIT;

	for (size_t i = RUN_SHOWN + 2; i + RUN_SHOWN < r->n; i++) {
		buf_reset(&key);
		buf_reset(&other);
		add_node(&key, &a->sk->nodes[r->node[i]]);
		add_node(&other, &a->sk->nodes[r->node[i - 2]]);
		if (strcmp(key.data, other.data) != 0)
			return false;
	}
	return true;
}

/* One box takes the place of those in the middle. */
static void fold_run(struct alike *a, const struct run *r)
{
	struct sketch *sk = a->sk;
	size_t first = RUN_SHOWN, last = r->n - RUN_SHOWN - 1, n = 0, node;
	_cleanup_free_ char *words = subjects(sk, &r->node[first], 2);
	enum sketch_mark mark = MARK_FAINT;
	struct sketch_edge in, out;

	for (size_t i = first; i <= last; i++) {
		a->hidden[r->node[i]] = true;
		n += sk->nodes[r->node[i]].kind == SKETCH_SUBJECT;
		if (sk->nodes[r->node[i]].mark != MARK_NONE)
			mark = sk->nodes[r->node[i]].mark;
	}
	node = add_fold(sk, r->node[first], n, words);
	sk->nodes[node].mark = mark;
	in = sk->edges[r->edge[first - 1]];
	add_arrow(sk, &in, in.to == r->node[first] ? in.from : node,
		in.to == r->node[first] ? node : in.to);
	out = sk->edges[r->edge[last]];
	add_arrow(sk, &out, out.from == r->node[last] ? node : out.from,
		out.from == r->node[last] ? out.to : node);
}

/* A ring of hundreds, or a long chain, is as regular in its middle as at its ends. */
static void fold_runs(struct alike *a, size_t n)
{
	_cleanup_free_ bool *seen = xcalloc(n + 1, sizeof *seen);
	struct run r = {
		.node = xcalloc(n + 1, sizeof *r.node), .edge = xcalloc(n + 1, sizeof *r.edge)};

	for (size_t i = 0; i < n; i++) {
		if (seen[i] || !is_between(a, i))
			continue;
		/* To its end, and from there back to the other one. */
		follow(a, i, a->edge[i][0], &r);
		follow(a, r.node[r.n - 1],
			a->edge[r.node[r.n - 1]][a->edge[r.node[r.n - 1]][0] == r.edge[r.n - 1]],
			&r);
		for (size_t k = 0; k < r.n; k++)
			seen[r.node[k]] = true;
		if (r.n > RUN_MOST && is_regular(a, &r))
			fold_run(a, &r);
	}
	free(r.node);
	free(r.edge);
}

/* Boxes that are connected with each other, in the order of their nodes. */
struct cluster {
	size_t node[GROUP_MAX], n; /* more than GROUP_MAX: not compared */
	struct buf edges;
	bool is_plain;
};

static size_t place_in(const struct cluster *c, size_t node)
{
	size_t i = 0;

	while (i < c->n && c->node[i] != node)
		i++;
	return i;
}

static struct cluster *clusters_new(struct alike *a, size_t n)
{
	struct cluster *list = xcalloc(n + 1, sizeof *list);

	for (size_t i = 0; i < n; i++)
		list[i].edges = BUF_INIT;
	sketch_homes(a->sk, n, a->home);
	for (size_t i = 0; i < n; i++) {
		struct cluster *c = &list[a->home[i]];

		c->is_plain = (!c->n || c->is_plain) && is_plain(&a->sk->nodes[i]) && !a->hidden[i];
		if (c->n < GROUP_MAX)
			c->node[c->n] = i;
		c->n++;
	}
	for (size_t i = 0; i < a->sk->n_edges; i++) {
		const struct sketch_edge *e = &a->sk->edges[i];
		struct cluster *c = &list[a->home[e->from < n ? e->from : e->to]];

		if (c->n > GROUP_MAX)
			continue;
		/* An arrow to the box of a fold: no longer comparable. */
		c->is_plain = c->is_plain && e->from < n && e->to < n &&
			      (e->mark == MARK_NONE || e->mark == MARK_FAINT);
		buf_addf(&c->edges, "%zu %zu %s\n", place_in(c, e->from), place_in(c, e->to),
			e->class);
	}
	return list;
}

static bool cluster_key(const struct alike *a, const struct cluster *c, struct buf *key)
{
	if (!c->n || c->n > GROUP_MAX || !c->is_plain)
		return false;
	buf_reset(key);
	for (size_t i = 0; i < c->n; i++)
		add_node(key, &a->sk->nodes[c->node[i]]);
	buf_add(key, c->edges.data, c->edges.len);
	return true;
}

static void fold_clusters(struct alike *a, size_t n)
{
	struct cluster *list = clusters_new(a, n);
	_cleanup_buf_ struct buf key = BUF_INIT;

	for (size_t i = 0; i < n; i++)
		if (cluster_key(a, &list[i], &key))
			group_of(a, &key)->n++;
	for (size_t i = 0; i < n; i++) {
		struct group *g = cluster_key(a, &list[i], &key) ? group_of(a, &key) : NULL;

		if (!g || !is_hidden(g))
			continue;
		for (size_t k = 0; k < list[i].n; k++)
			a->hidden[list[i].node[k]] = true;
		if (g->node == SKETCH_NONE) {
			_cleanup_free_ char *words =
				list[i].n > 1 ? subjects(a->sk, list[i].node, list[i].n) : NULL;

			g->node = add_fold(a->sk, list[i].node[0], g->n - SHOWN, words);
		}
	}
	for (size_t i = 0; i < n; i++)
		buf_done(&list[i].edges);
	free(list);
	groups_clear(a);
}

static void note_edge(struct alike *a, size_t node, size_t edge)
{
	a->edge[node][1] = a->edge[node][0];
	a->edge[node][0] = edge;
	a->degree[node]++;
}

void sketch_fold(struct sketch *sk)
{
	size_t n = sk->n_nodes, n_edges = sk->n_edges;
	struct alike a = {.sk = sk, .hidden = xcalloc(2 * n + 1, sizeof *a.hidden)};

	a.degree = xcalloc(n + 1, sizeof *a.degree);
	a.edge = xcalloc(n + 1, sizeof *a.edge);
	a.home = xcalloc(n + 1, sizeof *a.home);
	for (size_t i = 0; i < n_edges; i++) {
		note_edge(&a, sk->edges[i].from, i);
		note_edge(&a, sk->edges[i].to, i);
	}
	if (n_edges) {
		fold_chains(&a, n);
		fold_runs(&a, n);
	}
	fold_clusters(&a, n);
	sketch_drop(sk, a.hidden);
	free(a.hidden);
	free(a.degree);
	free(a.edge);
	free(a.home);
	free(a.groups);
}

void sketch_limit(
	struct sketch *sk, size_t nodes, size_t edges, size_t *ret_nodes, size_t *ret_edges)
{
	bool *dropped = xcalloc(sk->n_nodes + 1, sizeof *dropped);
	size_t left = sk->n_nodes, all_edges = sk->n_edges;

	/* From the end, but not what is marked, nor folds: these say how many there are. */
	for (size_t i = sk->n_nodes; i-- > 0 && left > nodes;) {
		dropped[i] = sk->nodes[i].mark == MARK_NONE;
		left -= dropped[i];
	}
	*ret_nodes = sk->n_nodes - left;
	sketch_drop(sk, dropped);
	free(dropped);
	while (sk->n_edges > edges)
		free(sk->edges[--sk->n_edges].label);
	*ret_edges = all_edges - sk->n_edges;
}
