/* alike.c - what is alike in a sketch is folded, and what is marked only where it is so many times. */
/* SPDX-License-Identifier: MIT */
#include "base/buf.h"
#include "base/mem.h"
#include "tests/unit/test.h"
#include "viewer/draw/sketch.h"

static size_t subject(struct sketch *sk, const char *name, size_t number)
{
	_cleanup_free_ char *id = xasprintf("%s%zu", name, number);

	return sketch_node(sk, SKETCH_SUBJECT, id, name, "");
}

static bool has(const struct sketch *sk, const char *name)
{
	for (size_t i = 0; i < sk->n_nodes; i++)
		if (!strcmp(sk->nodes[i].name, name))
			return true;
	return false;
}

TEST(sketch_fold_singles)
{
	struct sketch *sk = sketch_new("s", "t");

	for (size_t i = 0; i < 100; i++)
		sketch_line(sk, subject(sk, i % 2 ? "sleep" : "cat", i), "sleeps, for %zu ms", i);
	sketch_fold(sk);
	ASSERT_INT(sk->n_nodes, 8);
	ASSERT(has(sk, "47 more sleep"));
	ASSERT(has(sk, "47 more cat"));
	ASSERT_STR(sk->nodes[7].lines[0], "sleeps");
	ASSERT_INT(sketch_find(sk, "sleep1"), 1);
	ASSERT_INT(sketch_find(sk, "sleep99"), SKETCH_NONE);
	sketch_free(sk);
}

TEST(sketch_fold_of_few_or_marked_ones_is_none)
{
	struct sketch *sk = sketch_new("s", "t");

	for (size_t i = 0; i < 4; i++)
		(void)subject(sk, "few", i);
	for (size_t i = 0; i < 50; i++) {
		size_t node = subject(sk, "stuck", i);

		sk->nodes[node].mark = MARK_BAD;
	}
	sketch_fold(sk);
	ASSERT_INT(sk->n_nodes, 54);
	sketch_free(sk);
}

/* Those that have one arrow to the same box, with the same words, in the same direction. */
TEST(sketch_fold_leaves)
{
	struct sketch *sk = sketch_new("s", "t");
	size_t lock = sketch_node(sk, SKETCH_RESOURCE, "m", "m", ""),
	       owner = subject(sk, "main", 0);

	for (size_t i = 0; i < 20; i++) {
		_cleanup_free_ char *label = xasprintf("waits for the lock\nfor %zu ms", i);

		(void)sketch_edge(sk, subject(sk, "worker", i), lock, "waits", label);
	}
	(void)sketch_edge(sk, lock, owner, "held", "held by");
	sketch_fold(sk);
	ASSERT_INT(sk->n_nodes, 6);
	ASSERT_INT(sk->n_edges, 5);
	ASSERT(has(sk, "17 more worker"));
	ASSERT(has(sk, "main"));
	ASSERT_STR(sk->edges[4].label, "waits for the lock");
	ASSERT_INT(sk->edges[4].from, 5);
	ASSERT_INT(sk->edges[4].to, 0);
	sketch_free(sk);
}

/* What is marked keeps its mark, and few of it are all shown. */
TEST(sketch_fold_marked_leaves_where_they_are_many)
{
	for (size_t n = 11; n <= 12; n++) {
		struct sketch *sk = sketch_new("s", "t");
		size_t lock = sketch_node(sk, SKETCH_RESOURCE, "m", "m", "");

		for (size_t i = 0; i < n; i++) {
			size_t node = subject(sk, "worker", i);

			sk->nodes[node].mark = MARK_BAD;
			sketch_edge(sk, node, lock, "waits", "waits for the lock")->mark = MARK_BAD;
		}
		sketch_fold(sk);
		ASSERT_INT(sk->n_nodes, n == 11 ? 12 : 5);
		if (n == 12) {
			ASSERT_STR(sk->nodes[4].name, "9 more worker");
			ASSERT_INT(sk->nodes[4].mark, MARK_BAD);
			ASSERT_INT(sk->edges[3].mark, MARK_BAD);
		}
		sketch_free(sk);
	}
}

/* Boxes behind one another that lead to the same other box. */
TEST(sketch_fold_chains)
{
	struct sketch *sk = sketch_new("s", "t");
	size_t owner = subject(sk, "main", 0);

	for (size_t i = 0; i < 20; i++) {
		_cleanup_free_ char *id = xasprintf("pipe%zu", i), *name = xasprintf("pipe %zu", i);
		size_t pipe = sketch_node(sk, SKETCH_RESOURCE, id, name, "");

		(void)sketch_edge(sk, subject(sk, "reader", i), pipe, "waits", "reads");
		(void)sketch_edge(sk, pipe, owner, "held", "can be written by");
	}
	sketch_fold(sk);
	ASSERT_INT(sk->n_nodes, 1 + 3 * 2 + 1);
	ASSERT_INT(sk->n_edges, 3 * 2 + 1);
	ASSERT(has(sk, "17 more like these"));
	ASSERT_STR(sk->nodes[7].lines[0], "reader");
	ASSERT_STR(sk->edges[6].label, "can be written by");
	ASSERT_INT(sk->edges[6].to, 0);
	sketch_free(sk);
}

/* A ring, or a chain, of n threads, each of which waits for a lock that the next one has. */
static struct sketch *long_run(size_t n, bool ring)
{
	struct sketch *sk = sketch_new("s", "t");

	for (size_t i = 0; i < n; i++) {
		_cleanup_free_ char *id = xasprintf("lock%zu", i);
		size_t node = subject(sk, "left", i);

		sk->nodes[node].mark = MARK_BAD;
		(void)sketch_node(sk, SKETCH_RESOURCE, id, "lock", "");
		(void)sketch_edge(sk, 2 * i, 2 * i + 1, "waits", "waits for the lock");
	}
	for (size_t i = 0; i + !ring < n; i++)
		(void)sketch_edge(
			sk, 2 * i + 1, 2 * i + 2 < 2 * n ? 2 * i + 2 : 0, "held", "held by");
	return sk;
}

TEST(sketch_fold_the_middle_of_long_runs)
{
	for (int ring = 0; ring <= 1; ring++) {
		struct sketch *sk = long_run(30, ring);
		size_t degree[64] = {0}, ends = 0;

		sketch_fold(sk);
		ASSERT_INT(sk->n_nodes, 60);
		sketch_free(sk);
		sk = long_run(500, ring);
		sketch_fold(sk);
		ASSERT_INT(sk->n_nodes, ring ? 21 : 23);
		ASSERT_INT(sk->n_edges, sk->n_nodes - !ring);
		ASSERT_STR(sk->nodes[sk->n_nodes - 1].name,
			ring ? "490 more like these" : "489 more like these");
		ASSERT_INT(sk->nodes[sk->n_nodes - 1].mark, MARK_BAD);
		for (size_t i = 0; i < sk->n_edges; i++) {
			degree[sk->edges[i].from]++;
			degree[sk->edges[i].to]++;
		}
		for (size_t i = 0; i < sk->n_nodes; i++) {
			ASSERT(degree[i] == 1 || degree[i] == 2);
			ends += degree[i] == 1;
		}
		ASSERT_INT(ends, ring ? 0 : 2);
		sketch_free(sk);
	}
}

TEST(sketch_fold_groups)
{
	struct sketch *sk = sketch_new("s", "t");

	for (size_t i = 0; i < 10; i++) {
		_cleanup_free_ char *id = xasprintf("pipe%zu", i), *name = xasprintf("pipe %zu", i);
		size_t pipe = sketch_node(sk, SKETCH_RESOURCE, id, name, "");

		(void)sketch_edge(sk, subject(sk, "cat", i), pipe, "write", "3 bytes");
		(void)sketch_edge(
			sk, pipe, subject(sk, i == 9 ? "tr" : "wc", i), "read", "3 bytes");
	}
	sketch_fold(sk);
	ASSERT_INT(sk->n_nodes, 3 * 4 + 1);
	ASSERT_INT(sk->n_edges, 2 * 4);
	ASSERT(has(sk, "6 more like these"));
	ASSERT(has(sk, "tr"));
	ASSERT_STR(sk->nodes[12].lines[0], "cat, wc");
	sketch_free(sk);
}

TEST(sketch_limit_keeps_what_is_marked)
{
	struct sketch *sk = sketch_new("s", "t");
	size_t nodes, edges;

	for (size_t i = 0; i < 10; i++)
		(void)subject(sk, "p", i);
	sk->nodes[9].mark = MARK_BAD;
	for (size_t i = 1; i < 10; i++)
		(void)sketch_edge(sk, 0, i, "waits", "");
	sketch_limit(sk, 4, 2, &nodes, &edges);
	ASSERT_INT(sk->n_nodes, 4);
	ASSERT_INT(nodes, 6);
	ASSERT_INT(sk->n_edges, 2);
	ASSERT_INT(edges, 7);
	ASSERT_INT(sk->nodes[3].mark, MARK_BAD);
	sketch_free(sk);
}
