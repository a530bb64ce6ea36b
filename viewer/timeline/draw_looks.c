/* draw_looks.c - where things are in a drawn timeline, and which colours they have. */
/* SPDX-License-Identifier: MIT */
#include "viewer/timeline/private.h"

#include "base/mem.h"

/* Colours of holds: a lock keeps its colour; the name is in the bar where it fits, else in the tooltip. */
static const char *const lock_colors[] = {
	"#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#882255", "#999933"};

const char *draw_lock_color(const struct timeline *tl, int64_t lock_id)
{
	const struct lock_row *l = resources_lock(&tl->res, lock_id);

	return lock_colors[(l ? l->number : 0) % ARRAY_SIZE(lock_colors)];
}

const struct arrow_look arrow_looks[ARROW_KINDS] = {
	[ARROW_FORK] = {"fork", "fork", "#64748b", "solid"},
	[ARROW_CREATE] = {"create", "new thread", "#64748b", "dashed"},
	[ARROW_REAP] = {"reap", "exit, reaped", "#94a3b8", "dotted"},
	[ARROW_JOIN] = {"join", "end, joined", "#0072b2", "dotted"},
	[ARROW_DATA] = {"data", "write, read", "#009e73", "solid"},
	[ARROW_SIGNAL] = {"signal", "signal", "#882255", "solid"},
	[ARROW_LOCK] = {"handover", "unlock, lock", "#d55e00", "solid"},
};

double draw_x(const struct draw *d, int64_t ns)
{
	const struct timeline *tl = d->tl;
	double at = (double)(ns - tl->since) / (double)(tl->until - tl->since);

	at = at < 0 ? 0 : at > 1 ? 1 : at;
	return d->left + at * d->plot;
}
