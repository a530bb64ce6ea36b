/* place.c - a ring is drawn as one, a tree in columns, a long path in rows, as Graphviz sees it. */
/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "tests/unit/test.h"
#include "viewer/draw/graph.h"
#include "viewer/draw/sketch.h"

enum { MOST = 64 };

struct seen {
	double x[MOST], y[MOST], w[MOST], h[MOST];
	double label_x[MOST], label_y[MOST];
	int n, labels;
};

/* Renders in the format "plain": a line for each node and edge, in inches. */
static struct seen render(struct graph *g, const char *engine)
{
	_cleanup_buf_ struct buf out = BUF_INIT, why = BUF_INIT;
	struct seen s = {.n = 0};

	ASSERT_INT(graph_render(g, engine, "plain", &out, &why), 0);
	for (char *line = out.data, *next; line && *line; line = next) {
		int i;

		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		if (sscanf(line, "node n%d", &i) == 1 && i < MOST) {
			ASSERT_INT(sscanf(line, "node n%*d %lf %lf %lf %lf", &s.x[i], &s.y[i],
					   &s.w[i], &s.h[i]),
				4);
			s.n++;
		} else if (!strncmp(line, "edge", 4)) {
			const char *label = strstr(line, " held ");

			ASSERT(label && s.labels < MOST);
			ASSERT_INT(sscanf(label, " held %lf %lf", &s.label_x[s.labels],
					   &s.label_y[s.labels]),
				2);
			s.labels++;
		}
	}
	return s;
}

static void add_edge(struct graph *g, struct graph_item *from, struct graph_item *to, int i)
{
	char id[16];

	(void)snprintf(id, sizeof id, "e%d", i);
	graph_set(graph_edge(g, from, to, id), "label", "held");
}

/* A ring of n boxes; with a tail one more box leads into it. */
static struct graph *ring(int n, bool tail)
{
	struct graph *g = graph_new("ring");
	struct graph_item *items[MOST];

	graph_node_default(g, "shape", "box");
	for (int i = 0; i < n + tail; i++) {
		char id[16];

		(void)snprintf(id, sizeof id, "n%d", i);
		items[i] = graph_node(g, id);
		graph_set(items[i], "label", i % 2 ? "lock" : "a thread with a long name");
	}
	for (int i = 0; i < n; i++)
		add_edge(g, items[i], items[(i + 1) % n], i);
	if (tail)
		add_edge(g, items[n], items[n / 2], n);
	return g;
}

static bool overlap(const struct seen *s, int i, double x, double y, double w, double h)
{
	return fabs(s->x[i] - x) < (s->w[i] + w) / 2 && fabs(s->y[i] - y) < (s->h[i] + h) / 2;
}

TEST(place_ring_is_a_circle_or_a_flat_one)
{
	for (int n = 3; n < MOST; n++) {
		struct graph *g = ring(n, false);
		struct seen s = render(g, "ring");
		double x = 0, y = 0, across, up;

		ASSERT_INT(s.n, n);
		ASSERT_INT(s.labels, n);
		for (int i = 0; i < n; i++) {
			x += s.x[i] / n;
			y += s.y[i] / n;
		}
		up = fabs(s.y[0] - y);
		across = fabs(s.x[1] - x) / sin(2 * M_PI / n);
		ASSERT(fabs(up / across - 0.7) < 0.01 || fabs(up / across - 1) < 0.01);
		ASSERT(n < 5 || up < across - 0.01);
		for (int i = 0; i < n; i++) {
			ASSERT(fabs(hypot((s.x[i] - x) / across, (s.y[i] - y) / up) - 1) < 0.01);
			for (int k = 0; k < n; k++) {
				ASSERT(k == i || !overlap(&s, i, s.x[k], s.y[k], s.w[k], s.h[k]));
				ASSERT(!overlap(&s, i, s.label_x[k], s.label_y[k], 0.3, 0.1));
				ASSERT(k == i || fabs(s.label_x[i] - s.label_x[k]) > 0.3 ||
					fabs(s.label_y[i] - s.label_y[k]) > 0.1);
			}
		}
		graph_free(g);
	}
}

/* Whoever waits behind the ring stands outside it, beyond the one that it waits for. */
TEST(place_ring_has_others_behind_it)
{
	for (int n = 3; n < MOST - 1; n++) {
		struct graph *g = ring(n, true);
		struct seen s = render(g, "ring");

		ASSERT_INT(s.n, n + 1);
		ASSERT(fabs(s.x[n] - s.x[n / 2]) < 0.01);
		ASSERT(s.y[n] > s.y[n / 2]);
		for (int i = 0; i < n; i++)
			ASSERT(s.y[i] <= s.y[n / 2] + 0.01);
		graph_free(g);
	}
}

/* Returns how far the boxes are from one circle, in inches. */
static double off_circle(const struct seen *s)
{
	double x = 0, y = 0, most = 0;

	for (int i = 0; i < s->n; i++) {
		x += s->x[i] / s->n;
		y += s->y[i] / s->n;
	}
	for (int i = 0; i < s->n; i++)
		most = fmax(most,
			fabs(hypot(s->x[i] - x, s->y[i] - y) - hypot(s->x[0] - x, s->y[0] - y)));
	return most;
}

TEST(place_ring_leaves_other_graphs_to_dot)
{
	struct graph *g = ring(6, false), *pair = ring(2, false);
	struct seen s;

	add_edge(g, graph_node(g, "n0"), graph_node(g, "n3"), 99); /* one that waits for two */
	s = render(g, "ring");
	ASSERT_INT(s.n, 6);
	ASSERT_INT(s.labels, 7);
	ASSERT(off_circle(&s) > 0.1);
	s = render(pair, "ring");
	ASSERT_INT(s.n, 2);
	graph_free(g);
	graph_free(pair);
}

/* Whichever way its arrows lead; Graphviz would make a strip of it. */
TEST(place_path_is_in_rows)
{
	enum { N = 40 };
	struct graph *g = graph_new("path");
	struct graph_item *nodes[N];
	struct seen s;
	double low = 0, high = 0, left = 0, right = 0;

	for (int i = 0; i < N; i++) {
		char id[16];

		(void)snprintf(id, sizeof id, "n%d", i);
		nodes[i] = graph_node(g, id);
	}
	for (int i = 0; i + 1 < N; i++)
		add_edge(g, nodes[i % 3 ? i : i + 1], nodes[i % 3 ? i + 1 : i], i);
	s = render(g, "ring");
	ASSERT_INT(s.n, N);
	ASSERT_INT(s.labels, N - 1);
	for (int i = 0; i < N; i++) {
		low = fmin(low, s.y[i] - s.y[0]);
		high = fmax(high, s.y[i] - s.y[0]);
		left = fmin(left, s.x[i] - s.x[0]);
		right = fmax(right, s.x[i] - s.x[0]);
		for (int k = 0; k < i; k++)
			ASSERT(fabs(s.x[i] - s.x[k]) >= (s.w[i] + s.w[k]) / 2 ||
				fabs(s.y[i] - s.y[k]) >= (s.h[i] + s.h[k]) / 2);
		for (int k = 0; k < s.labels; k++)
			ASSERT(fabs(s.x[i] - s.label_x[k]) >= s.w[i] / 2 ||
				fabs(s.y[i] - s.label_y[k]) >= s.h[i] / 2);
	}
	ASSERT((right - left) / (high - low) > 1 && (right - left) / (high - low) < 3);
	graph_free(g);
}

/* Thirty pairs that have nothing to do with each other do not stand in one line. */
TEST(sketch_parts_stand_in_rows)
{
	struct sketch *sk = sketch_new("s", "t");
	_cleanup_buf_ struct buf out = BUF_INIT, why = BUF_INIT;
	struct graph *g;
	double w, h;

	for (size_t i = 0; i < 60; i++) {
		_cleanup_free_ char *id = xasprintf("n%zu", i);
		size_t node = sketch_node(sk, SKETCH_SUBJECT, id, "pair", "");

		if (i % 2)
			(void)sketch_edge(sk, node - 1, node, "waits", "waits");
	}
	sk->down = true;
	g = sketch_graph(sk, false);
	ASSERT_INT(graph_render(g, "ring", "plain", &out, &why), 0);
	ASSERT_INT(sscanf(out.data, "graph %*f %lf %lf", &w, &h), 2);
	ASSERT(w / h > 0.5 && w / h < 3);
	graph_free(g);
	sketch_free(sk);
}
