/* tree_layout.c - no box overlaps another, and no edge crosses one. */
/* SPDX-License-Identifier: MIT */
#include "viewer/draw/tree_layout.h"

#include <math.h>

#include "base/mem.h"
#include "tests/unit/test.h"

/* Twice the same tree for the same seed. */
static unsigned seed;

static unsigned next_random(unsigned below)
{
	seed = seed * 1103515245u + 12345u;
	return (seed >> 16) % below;
}

static void assert_apart(const struct tree_box *a, const struct tree_box *b)
{
	if (a->depth == b->depth) {
		ASSERT(fabs(a->y - b->y) >= (a->height + b->height) / 2);
		ASSERT(a->x == b->x);
	} else {
		ASSERT(a->depth < b->depth ? a->turn < b->x : b->turn < a->x);
	}
}

/* Between two columns edges are curves of one kind, which cross where the order of their ends is reversed. */
static void assert_uncrossed(
	const struct tree_box *all, const struct tree_box *a, const struct tree_box *b)
{
	if (a->parent == TREE_ROOT || b->parent == TREE_ROOT || a->depth != b->depth)
		return;
	ASSERT((all[a->parent].y - all[b->parent].y) * (a->y - b->y) >= 0);
}

static void assert_tidy(const struct tree_box *b, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		ASSERT(b[i].y >= b[i].height / 2 - 1e-6);
		ASSERT(b[i].turn >= b[i].x + b[i].width);
		for (size_t j = 0; j < i; j++) {
			assert_apart(&b[i], &b[j]);
			assert_uncrossed(b, &b[i], &b[j]);
			/* Siblings stand in their order. */
			ASSERT(b[i].parent != b[j].parent || b[i].y > b[j].y);
		}
	}
}

TEST(tree_layout_of_any_tree_is_tidy)
{
	for (unsigned round = 0; round < 200; round++) {
		struct tree_box b[120];
		size_t n = 1 + (size_t)next_random(ARRAY_SIZE(b));

		seed += round;
		for (size_t i = 0; i < n; i++)
			b[i] = (struct tree_box){
				.parent =
					i && next_random(20) ? next_random((unsigned)i) : TREE_ROOT,
				.width = 10 + next_random(200),
				.height = 5 + next_random(80),
			};
		tree_layout(b, n);
		assert_tidy(b, n);
	}
}

TEST(tree_layout_stands_a_parent_in_the_middle)
{
	struct tree_box b[] = {{TREE_ROOT, 50, 20, 0, 0, 0, 0}, {0, 40, 20, 0, 0, 0, 0},
		{0, 60, 20, 0, 0, 0, 0}, {0, 40, 20, 0, 0, 0, 0}};

	tree_layout(b, ARRAY_SIZE(b));
	ASSERT(fabs(b[0].y - (b[1].y + b[3].y) / 2) < 1e-6);
	ASSERT(fabs(b[0].y - b[2].y) < 1e-6);
	ASSERT(b[1].turn == b[2].x + 60);
}

TEST(tree_layout_takes_a_long_chain_and_a_wide_fan)
{
	enum { N = 100000 };
	struct tree_box *b = xcalloc(N, sizeof *b);

	for (size_t i = 0; i < N; i++)
		b[i] = (struct tree_box){.parent = i ? i - 1 : TREE_ROOT, .width = 1, .height = 1};
	tree_layout(b, N);
	ASSERT(b[N - 1].depth == N - 1 && b[N - 1].y == b[0].y);
	for (size_t i = 0; i < N; i++)
		b[i] = (struct tree_box){.parent = i ? 0 : TREE_ROOT, .width = 1, .height = 1};
	tree_layout(b, N);
	ASSERT(b[N - 1].depth == 1 && b[N - 1].y > 100000);
	free(b);
}

TEST(tree_layout_of_nothing)
{
	tree_layout(NULL, 0);
}
