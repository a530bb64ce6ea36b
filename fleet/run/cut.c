/* cut.c - up to when what each host recorded counts. */
/* SPDX-License-Identifier: MIT */
/*
 * Each host is cut before somebody outside ended what ran there or elsewhere, else at its end. Most rows are
 * cut as they are read; those of a few tables say by what came later what was the case before, and are cut afterwards.
 */
#include "fleet/run/run.h"

#include "base/buf.h"
#include "base/mem.h"
#include "schema/query.h"
#include "verdict/verdict.h"

#include <errno.h>

/* What was the case at the cut is said by what came later in these. */
static const char *const later[] = {"process", "thread", "wait", "lock_hold", "signal"};

bool cut_is_later(const char *table)
{
	for (size_t i = 0; i < ARRAY_SIZE(later); i++)
		if (!strcmp(table, later[i]))
			return true;
	return false;
}

static void found(void *arg, int64_t group, const struct interruption *in)
{
	struct fleet_graph *g = arg;
	size_t host = (size_t)group - 1;

	if (group < 1 || host >= g->hosts->n)
		return;
	g->cuts[host].at_ns = in->at_ns - 1;
	g->cuts[host].signo = in->signo;
}

static int compare_moments(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

/*
 * Who ends a program on many hosts does so on one after the other, and what is ended first wakes others: their moment is
 * before the first of those that came together, with something left for clocks that differ.
 */
static void cut_together(struct fleet_graph *g)
{
	const int64_t together_ns = 10000000000, clocks_ns = 50000000;
	_cleanup_free_ int64_t *ends = xcalloc(g->hosts->n + 1, sizeof *ends);
	struct fleet_cut *cuts = g->cuts;
	size_t n = 0;

	for (size_t i = 0; i < g->hosts->n; i++)
		if (cuts[i].signo)
			ends[n++] = cuts[i].at_ns;
	if (!n)
		return;
	qsort(ends, n, sizeof *ends, compare_moments);
	while (n > 1 && ends[n - 1] - ends[n - 2] <= together_ns)
		n--;
	for (size_t i = 0; i < g->hosts->n; i++)
		if (cuts[i].at_ns > ends[n - 1] - clocks_ns)
			cuts[i].at_ns = ends[n - 1] - clocks_ns;
}

int cut_find(struct fleet_graph *g, struct buf *why)
{
	int rc = 0;

	for (size_t i = 0; i < g->hosts->n; i++)
		g->cuts[i].end_ns = g->cuts[i].at_ns =
			g->hosts->list[i].duration_ns + g->cuts[i].shift_ns;
	if (g->extent != FLEET_WHOLE)
		rc = verdict_interrupted_groups(g->db, HOST_SHIFT, found, g, why);
	cut_together(g);
	return rc;
}

/* Negative ones are earlier than all that a recording has. */
static int64_t own_moment(const struct fleet_cut *cut)
{
	int64_t at = cut->at_ns - cut->shift_ns;

	return at < 0 ? 0 : at;
}

int64_t cut_first(const struct fleet_graph *g)
{
	int64_t first = INT64_MAX;

	for (size_t i = 0; i < g->hosts->n; i++)
		if (own_moment(&g->cuts[i]) < first)
			first = own_moment(&g->cuts[i]);
	return first;
}

void cut_expression(struct buf *sql, const struct fleet_graph *g)
{
	buf_adds(sql, "transform(trace_id, [");
	for (size_t i = 0; i < g->hosts->n; i++) {
		buf_adds(sql, i ? "," : "");
		server_quote(sql, g->hosts->list[i].trace_id);
	}
	buf_adds(sql, "], [");
	for (size_t i = 0; i < g->hosts->n; i++)
		buf_addf(sql, "%s%lld", i ? "," : "", (long long)own_moment(&g->cuts[i]));
	buf_adds(sql, "], toUInt64(0))");
}

bool cut_is_begin(const struct column *c)
{
	static const char *const begins[] = {
		"start_ns", "open_ns", "created_ns", "armed_ns", "acquire_ns", "ts_ns"};

	for (size_t i = 0; i < ARRAY_SIZE(begins); i++)
		if (!strcmp(c->name, begins[i]))
			return true;
	return false;
}

bool cut_is_before_end(const struct fleet_cut *cut)
{
	return cut->at_ns < cut->end_ns;
}

/* Up to when the host of a row counts; NULL: there is nothing to cut off. */
#define CUT "cut_of(id)"

static void cut_of(sqlite3_context *context, int n, sqlite3_value **values)
{
	const struct fleet_graph *g = sqlite3_user_data(context);
	size_t host = (size_t)(sqlite3_value_int64(values[0]) >> HOST_SHIFT) - 1;

	(void)n;
	if (host < g->hosts->n && cut_is_before_end(&g->cuts[host]))
		sqlite3_result_int64(context, g->cuts[host].at_ns);
}

/* A row that began after the cut is not there; a moment after it has not come. */
static int cut_table(const struct fleet_graph *g, const struct table *t, struct buf *why)
{
	_cleanup_buf_ struct buf sql = BUF_INIT, sets = BUF_INIT, wheres = BUF_INIT;

	for (size_t i = 0; i < t->n; i++) {
		const char *name = t->columns[i].name;

		if (t->columns[i].meaning != COLUMN_MOMENT)
			continue;
		if (cut_is_begin(&t->columns[i])) {
			buf_addf(&sql, "DELETE FROM \"%s\" WHERE \"%s\" > " CUT ";", t->name, name);
		} else if (t->columns[i].nullable) {
			buf_addf(&sets, "%s\"%s\" = iif(\"%s\" > " CUT ", NULL, \"%s\")",
				sets.len ? ", " : "", name, name, name);
			buf_addf(&wheres, "%s\"%s\" > " CUT, wheres.len ? " OR " : "", name);
		}
	}
	buf_addf(&sql, "UPDATE \"%s\" SET %s WHERE %s", t->name, sets.data, wheres.data);
	return query_exec(g->db, sql.data, why);
}

static const char before_sql[] =
	"DELETE FROM signal WHERE coalesce(sent_ns, delivered_ns) > " CUT ";"
	/* The messages of ranks are counted at the end: who went on before that is not stuck, whatever was the case at the cut. */
	"DELETE FROM wait WHERE reason = 'mpi' AND end_ns < (SELECT coalesce(t.end_ns, 1 << 62) - 100000000"
	" FROM thread t WHERE t.id = thread_id);"
	/* What was held at the cut and released later is not among what was held at the end. */
	"INSERT INTO lock_open (lock_id, thread_id, process_id, mode, depth, acquire_ns, site_id, stack_id)"
	" SELECT h.lock_id, h.thread_id, t.process_id, coalesce(h.mode, 'x'), 1, h.acquire_ns, h.site_id, h.stack_id"
	" FROM lock_hold h JOIN thread t ON t.id = h.thread_id"
	" WHERE h.release_ns > cut_of(h.id)";

/* Who has ended, how, is known of those that had ended. */
static const char after_sql[] =
	"UPDATE process SET end_kind = NULL, exit_code = NULL, exit_signal = NULL, reaper_id = NULL"
	" WHERE end_ns IS NULL AND (end_kind IS NOT NULL OR reaper_id IS NOT NULL);"
	"UPDATE thread SET cut_short = NULL WHERE end_ns IS NULL AND cut_short IS NOT NULL";

int cut_apply(const struct fleet_graph *g, const struct tables *tables, struct buf *why)
{
	int rc = sqlite3_create_function(g->db, "cut_of", 1, SQLITE_UTF8 | SQLITE_DETERMINISTIC,
			 (void *)g, cut_of, NULL, NULL)
			 ? -ENOMEM
			 : query_exec(g->db, before_sql, why);

	for (size_t i = 0; !rc && i < ARRAY_SIZE(later); i++)
		rc = cut_table(g, columns_table(tables, later[i]), why);
	return rc ? rc : query_exec(g->db, after_sql, why);
}
