/* columns.c - columns of time, and the spans that a lane is filled with. */
/* SPDX-License-Identifier: MIT */
#include "viewer/timeline/private.h"

#include "base/mem.h"
#include "viewer/load/load.h"

size_t timeline_column(const struct timeline *tl, int64_t ns)
{
	double at =
		(double)(ns - tl->since) / (double)(tl->until - tl->since) * (double)tl->columns;

	if (at <= 0)
		return 0;
	return at >= (double)tl->columns ? tl->columns - 1 : (size_t)at;
}

struct span *timeline_span(struct lane *l, enum span_kind kind, int64_t from, int64_t to)
{
	ARRAY_GROW(l->spans, l->n, l->cap);
	l->spans[l->n] = (struct span){.kind = kind,
		.from = from,
		.to = to,
		.target_proc = NONE,
		.target_thread = NONE,
		.count = 1,
		.sum = to - from};
	return &l->spans[l->n++];
}

struct bin *timeline_bin(
	const struct timeline *tl, struct lane *l, struct bin **bins, size_t column)
{
	size_t first = timeline_column(tl, l->from), last = timeline_column(tl, l->to);

	if (last < first)
		last = first;
	if (!*bins) {
		l->first_bin = first;
		l->n_bins = last - first + 1;
		*bins = xcalloc(l->n_bins, sizeof **bins);
	}
	return &(*bins)[column < first ? 0 : column > last ? l->n_bins - 1 : column - first];
}
