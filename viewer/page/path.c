/* path.c - the critical path as data, for the script of the page. */
/* SPDX-License-Identifier: MIT */
#include "viewer/page/explore.h"

#include "base/buf.h"
#include "base/mem.h"
#include "viewer/load/load.h"
#include "viewer/path/path.h"
#include "viewer/timeline/timeline.h"

/* A step shorter than this part of the run is added to the one before it on the same lane. */
enum { PARTS = 20000 };

struct stay {
	size_t lane;
	int64_t from, to;
};

/* Returns where the path is over time, in order; *ret_n: how many. The caller frees it. */
static struct stay *collect(const struct timeline *tl, const struct path *p, size_t *ret_n)
{
	int64_t part = (tl->until - tl->since) / PARTS;
	_cleanup_free_ size_t *last = xcalloc(tl->n_lanes + 1, sizeof *last);
	struct stay *list = NULL;
	size_t n = 0, cap = 0;

	for (size_t i = 0; i < p->n; i++) {
		const struct path_step *s = &p->steps[i];
		size_t lane = tl->lane_of[s->thread];
		struct stay *same = lane == NONE || !last[lane] ? NULL : &list[last[lane] - 1];

		if (lane == NONE)
			continue;
		if (same && (last[lane] == n ||
				    (s->from - same->to <= part && s->to - s->from <= part))) {
			same->to = s->to;
			continue;
		}
		ARRAY_GROW(list, n, cap);
		list[n++] = (struct stay){lane, s->from, s->to};
		last[lane] = n;
	}
	*ret_n = n;
	return list;
}

char *explore_add_path(
	struct buf *b, const struct timeline *tl, struct sqlite3 *db, struct buf *ret_sentence)
{
	char *why = NULL;
	struct path *p = path_new(tl->t, db, &why);
	size_t n = 0;
	struct stay *list = p ? collect(tl, p, &n) : NULL;

	for (size_t i = 0; i < n; i++)
		buf_addf(b, "%s[%zu,%lld,%lld]", i ? "," : "", list[i].lane,
			(long long)list[i].from, (long long)list[i].to);
	free(list);
	if (p)
		path_sentence(ret_sentence, p);
	path_free(p);
	return why;
}
