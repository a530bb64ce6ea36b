/* timeline.c - tests of how a timeline is laid out. */
/* SPDX-License-Identifier: MIT */
#include "viewer/timeline/timeline.h"

#include <sqlite3.h>

#include "base/buf.h"
#include "base/mem.h"
#include "schema/db.h"
#include "tests/unit/test.h"
#include "tests/unit/viewer/recording.h"
#include "viewer/draw/graph.h"
#include "viewer/load/load.h"
#include "viewer/load/resource.h"

/* A recording with thread 1 of process 1 and what rows add, laid out in 100 columns. */
struct laid_out {
	sqlite3 *db;
	struct trace *t;
	struct timeline *tl;
};

static struct laid_out lay_out_merged(const char *rows, size_t max_merge)
{
	struct timeline_options opt = {.until = TIME_NEVER, .columns = 100, .max_merge = max_merge};
	_cleanup_free_ char *why = NULL;
	struct laid_out o = {
		.db = recording_of(TRACE_ROW
			"INSERT INTO process(id, pid, name, start_ns) VALUES (1, 1, 'x', 0);"
			"INSERT INTO thread(id, tid, process_id, start_ns, is_main)"
			" VALUES (1, 1, 1, 0, 1)")};

	ASSERT_INT(sqlite3_exec(o.db, rows, NULL, NULL, NULL), SQLITE_OK);
	o.t = recording_load(o.db);
	o.tl = timeline_new(o.t, o.db, &opt, &why);
	ASSERT_STR(why, NULL);
	return o;
}

static struct laid_out lay_out(const char *rows)
{
	return lay_out_merged(rows, 0);
}

static void done(struct laid_out *o)
{
	timeline_free(o->tl);
	trace_free(o->t);
	db_close(o->db);
}

TEST(timeline_folds_waits_below_a_column)
{
	struct laid_out o = lay_out(
		"WITH RECURSIVE c(i) AS (VALUES (0) UNION ALL SELECT i + 1 FROM c WHERE i < 99)"
		"INSERT INTO wait(thread_id, start_ns, end_ns, reason) SELECT 1, i * 5000, i * 5000 + 1000, 'sleep' FROM c;"
		"INSERT INTO wait(thread_id, start_ns, end_ns, reason) VALUES (1, 600000, 800000, 'lock')");
	const struct timeline *tl = o.tl;
	const struct lane *l = &tl->lanes[0];

	ASSERT_INT(tl->n_lanes, 1);
	ASSERT_INT(l->n, 2);
	ASSERT_INT(l->spans[0].kind, SPAN_WAIT);
	ASSERT_INT(l->spans[0].reason, WAIT_LOCK);
	ASSERT_INT(l->spans[1].kind, SPAN_WAITS);
	ASSERT_INT(l->spans[1].count, 100);
	ASSERT_INT(l->spans[1].sum, 100000);
	ASSERT_INT(tl->folded_waits, 100);
	done(&o);
}

TEST(timeline_keeps_how_dense_short_waits_are)
{
	struct laid_out o = lay_out_merged(
		"WITH RECURSIVE c(i) AS (VALUES (0) UNION ALL SELECT i + 1 FROM c WHERE i < 99)"
		"INSERT INTO wait(thread_id, start_ns, end_ns, reason) SELECT 1, i * 5000, i * 5000 + 1000 + i / 20, 'sleep' FROM c;"
		"INSERT INTO wait(thread_id, start_ns, end_ns, reason) VALUES (1, 600000, 600100, 'sleep')",
		10);
	const struct lane *l = &o.tl->lanes[0];

	ASSERT_INT(l->n, 6);
	for (int i = 0; i < 5; i++) {
		ASSERT_INT(l->spans[i].kind, SPAN_WAITS);
		ASSERT_INT(l->spans[i].from, i * 100000);
		ASSERT_INT(l->spans[i].to, (i + 1) * 100000);
		ASSERT_INT(l->spans[i].count, 20);
		ASSERT_INT(l->spans[i].sum, 20 * (1000 + i));
	}
	ASSERT_INT(l->spans[5].from, 600000);
	ASSERT_INT(l->spans[5].count, 1);
	done(&o);
}

/* Those that are closer than a column is wide are one, so that there are never more than columns. */
TEST(timeline_shows_when_events_were_lost)
{
	struct laid_out o = lay_out(
		"INSERT INTO gap(source, kind, start_ns, end_ns, count) VALUES ('shim', 'any', 100000, 200000, 5),"
		" ('ebpf', 'WAIT_BEGIN', 150000, 205000, 2), ('shim', 'any', 206000, 300000, 1),"
		" ('shim', 'any', 900000, 9000000, 9223372036854775807), ('shim', 'any', 400000, 300000, 4)");
	const struct timeline *tl = o.tl;

	ASSERT_INT(tl->n_gaps, 2);
	ASSERT_INT(tl->gaps[0].from, 100000);
	ASSERT_INT(tl->gaps[0].to, 300000);
	ASSERT_INT(tl->gaps[0].count, 8);
	ASSERT_INT(tl->gaps[1].from, 900000);
	ASSERT_INT(tl->gaps[1].to, tl->until);
	done(&o);
}

TEST(timeline_puts_overlapping_holds_on_levels)
{
	struct laid_out o =
		lay_out("INSERT INTO lock_hold(lock_id, thread_id, acquire_ns, release_ns) VALUES"
			" (1, 1, 0, 500000), (2, 1, 100000, 400000), (3, 1, 600000, NULL)");
	const struct timeline *tl = o.tl;
	const struct lane *l = &tl->lanes[0];

	ASSERT_INT(l->levels, 2);
	ASSERT_INT(l->spans[0].level, 0);
	ASSERT_INT(l->spans[1].level, 1);
	ASSERT_INT(l->spans[2].level, 0);
	ASSERT(l->spans[2].endless);
	ASSERT_INT(l->spans[2].to, 1000000);
	done(&o);
}

TEST(timeline_pairs_writes_with_reads)
{
	struct laid_out o = lay_out(
		"INSERT INTO process(id, pid, name, start_ns) VALUES (2, 2, 'r', 0);"
		"INSERT INTO thread(id, tid, process_id, start_ns, is_main) VALUES (2, 2, 2, 0, 1);"
		"INSERT INTO pipe(id, kind) VALUES (1, 'pipe');"
		"INSERT INTO pipe_io(pipe_id, thread_id, op, start_ns, end_ns, bytes) VALUES"
		" (1, 1, 'write', 100000, 110000, 5), (1, 1, 'write', 200000, 210000, 5),"
		" (1, 2, 'read', 300000, 310000, 7), (1, 2, 'read', 500000, 510000, 3)");
	const struct timeline *tl = o.tl;

	/* Both reads end with bytes of the second write. */
	ASSERT_INT(tl->n_arrows, 2);
	ASSERT_INT(tl->arrows[0].kind, ARROW_DATA);
	ASSERT_INT(tl->arrows[0].t_from, 200000);
	ASSERT_INT(tl->arrows[0].t_to, 310000);
	ASSERT_INT(tl->arrows[1].t_from, 200000);
	ASSERT_INT(tl->arrows[1].bytes, 3);
	done(&o);
}

TEST(timeline_shows_when_threads_really_ran)
{
	struct laid_out o = lay_out(
		"INSERT INTO sched(thread_id, start_ns, end_ns, cpu) VALUES (1, 0, 500000, 0),"
		" (1, 700000, 701000, 0), (1, 702000, 703000, 1)");
	const struct timeline *tl = o.tl;
	const struct lane *l = &tl->lanes[0];

	ASSERT(tl->has_sched);
	ASSERT_INT(l->n, 2);
	ASSERT_INT(l->spans[0].kind, SPAN_RAN);
	ASSERT_INT(l->spans[0].to, 500000);
	ASSERT_INT(l->spans[1].count, 2);
	ASSERT_INT(l->spans[1].sum, 2000);
	done(&o);
}

/* What of a picture in the format "plain", in inches: the texts that begin with a word, and the arrows, each once. */
struct seen {
	struct {
		double x, y, w, h;
	} texts[64];
	struct {
		double x1, y1, x2, y2;
	} arrows[64];
	size_t n_texts, n_arrows;
};

static void see(struct seen *s, const char *line, const char *word)
{
	double x, y, w, h, x1, y1;
	int at = 0, n;

	if (s->n_texts < 64 && strstr(line, word) &&
		sscanf(line, "node %*s %lf %lf %lf %lf", &x, &y, &w, &h) == 4) {
		s->texts[s->n_texts].x = x;
		s->texts[s->n_texts].y = y;
		s->texts[s->n_texts].w = w;
		s->texts[s->n_texts++].h = h;
	}
	if (s->n_arrows == 64 || sscanf(line, "edge %*s %*s %d %lf %lf%n", &n, &x1, &y1, &at) != 3)
		return;
	line += at;
	for (int i = 1; i < n; i++, line += at)
		if (sscanf(line, " %lf %lf%n", &x, &y, &at) != 2)
			return;
	s->arrows[s->n_arrows].x1 = x1;
	s->arrows[s->n_arrows].y1 = y1;
	s->arrows[s->n_arrows].x2 = x;
	s->arrows[s->n_arrows++].y2 = y;
}

/* Children that end and are reaped one shortly after the other: each arrow crosses the lanes of those who ended before. */
TEST(timeline_ends_are_not_crossed_by_arrows)
{
	struct laid_out o = lay_out(
		"WITH RECURSIVE c(i) AS (VALUES (2) UNION ALL SELECT i + 1 FROM c WHERE i < 9)"
		"INSERT INTO process(id, pid, parent_id, creator_id, name, start_ns, end_ns, end_kind, exit_code,"
		" reaped_ns, reaper_id) SELECT i, i, 1, 1, 'kid' || i, i, 500000 + i * 9000, 'exit', i,"
		" 500000 + i * 9000 + 100, 1 FROM c;"
		"INSERT INTO thread(id, tid, process_id, start_ns, end_ns, is_main)"
		" SELECT id, pid, id, start_ns, end_ns, 1 FROM process WHERE id > 1");
	_cleanup_buf_ struct buf out = BUF_INIT, why = BUF_INIT;
	struct graph *g = timeline_graph(o.tl, 1280, false);
	struct seen s = {0};

	ASSERT_INT(graph_render(g, "nop2", "plain", &out, &why), 0);
	for (char *rest = out.data, *line; (line = strsep(&rest, "\n")) != NULL;)
		see(&s, line, "exit ");
	ASSERT_INT(s.n_texts, 8);
	ASSERT(s.n_arrows >= 16);
	for (size_t i = 0; i < s.n_texts; i++)
		for (size_t k = 0; k < s.n_arrows; k++) {
			double low =
				s.arrows[k].y1 < s.arrows[k].y2 ? s.arrows[k].y1 : s.arrows[k].y2;
			double high = s.arrows[k].y1 + s.arrows[k].y2 - low;

			if (s.texts[i].y < low || s.texts[i].y > high)
				continue;
			ASSERT(s.arrows[k].x1 < s.texts[i].x - s.texts[i].w / 2 ||
				s.arrows[k].x1 > s.texts[i].x + s.texts[i].w / 2);
		}
	graph_free(g);
	done(&o);
}
