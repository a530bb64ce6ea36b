/* wanted.c - which rows of the hosts of a run are fetched. */
/* SPDX-License-Identifier: MIT */
/*
 * Tables that grow with everything that happens are not fetched, but for what was open at the cut.
 */
#include "fleet/run/run.h"

#include "base/buf.h"
#include "base/mem.h"

/* Not needed for a verdict on the graph, and not small or not of the recording. */
static const char *const left_out[] = {"trace", "finding", "finding_member", "lane", "sample",
	"sched", "pipe_io", "sync", "setting", "clock", "gap"};

/* Of no use for what is stuck. */
static const char *const not_for_verdict[] = {
	"lock_edge", "lock_error", "spin", "wait_hold", "stdio", "title"};

/* What is fetched of a table, unless all of it. */
static const struct {
	const char *table;
	enum fleet_extent extent; /* for this, and what wants less */
	/* What was open at the cut: the columns of its begin and end; NULL: condition says which. */
	const char *begin, *end;
	/* ClickHouse's SQL, in which @cut is the moment up to which the rows of that host count, @waits the waits that were open then. */
	const char *condition;
} narrow[] = {
	{"wait", FLEET_WHOLE, "start_ns", "end_ns", NULL},
	{"lock_hold", FLEET_WHOLE, "acquire_ns", "release_ns", NULL},
	{"wait_on", FLEET_CUT, NULL, NULL, "(trace_id, wait_id) IN (@waits)"},
	{"mpi_need", FLEET_CUT, NULL, NULL, "(trace_id, wait_id) IN (@waits)"},
	{"pipe_end", FLEET_VERDICT, "open_ns", "close_ns", NULL},
	{"timer", FLEET_VERDICT, "armed_ns", "disarmed_ns", NULL},
	{"handler", FLEET_VERDICT, "start_ns", "end_ns", NULL},
	/* Those that were under way, and stops. */
	{"signal", FLEET_VERDICT, NULL, NULL,
		"signo BETWEEN 18 AND 22 OR sent_ns > toInt64(@cut) - 2000000000"},
	{"exec", FLEET_VERDICT, NULL, NULL, "errno IS NULL"},
	{"lock_stat", FLEET_VERDICT, NULL, NULL, "foreign_posts > 0"},
};

/* Of these what others that were fetched before name, if a verdict is all that is wanted: which column, and SQLite's SQL for which. */
static const struct wanted_named named[] = {
	{"lock", "id",
		"SELECT lock_id FROM wait UNION SELECT lock_id FROM lock_open UNION SELECT lock_id FROM lock_hold"
		" UNION SELECT lock_id FROM lock_stat",
		false},
	{"lock_stat", "lock_id", "SELECT id FROM lock EXCEPT SELECT lock_id FROM lock_stat", true},
	{"pipe", "id", "SELECT pipe_id FROM pipe_end UNION SELECT pipe_id FROM wait", false},
	{"frame", "stack_id", "SELECT stack_id FROM wait UNION SELECT stack_id FROM lock_open",
		false},
	{"site", "id",
		"SELECT site_id FROM wait UNION SELECT site_id FROM lock_open UNION SELECT site_id FROM frame"
		" UNION SELECT init_site_id FROM lock UNION SELECT entry_site_id FROM thread"
		" UNION SELECT site_id FROM mpi_member UNION SELECT site_id FROM mpi_traffic UNION SELECT site_id FROM handler",
		false},
	{NULL, NULL, NULL, false},
};

static bool is_in(const char *const *list, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(list[i], name))
			return true;
	return false;
}

static bool is_left_out(const struct fleet_graph *g, const struct table *t)
{
	if (is_in(left_out, ARRAY_SIZE(left_out), t->name))
		return true;
	if (t->open_end && strcmp(t->name, "wait") != 0 && strcmp(t->name, "lock_hold") != 0)
		return true;
	return g->extent == FLEET_VERDICT &&
	       is_in(not_for_verdict, ARRAY_SIZE(not_for_verdict), t->name);
}

void wanted_add_run(struct buf *sql, const struct fleet_graph *g)
{
	buf_adds(sql, "run = ");
	server_quote(sql, g->hosts->list[0].run);
}

static void add_cut(struct buf *sql, const struct fleet_graph *g)
{
	buf_addc(sql, '(');
	cut_expression(sql, g);
	buf_adds(sql, " AS cut)");
}

/* Adds what was open when the host was cut. */
static void add_open(struct buf *sql, const struct fleet_graph *g, size_t i)
{
	buf_addf(sql, "%s <= ", narrow[i].begin);
	add_cut(sql, g);
	buf_addf(sql, " AND (%s IS NULL OR %s > cut)", narrow[i].end, narrow[i].end);
}

/* Adds what holds of all that was open when its host was cut, and is asked of one number: since the first of those moments. */
static void add_open_since(struct buf *sql, const struct fleet_graph *g, size_t i)
{
	buf_addf(sql, "ifNull(%s, toInt64(%lld)) > %lld", narrow[i].end, (long long)INT64_MAX,
		(long long)cut_first(g));
}

/* Adds a condition of the list above. */
static void add_condition(struct buf *sql, const struct fleet_graph *g, const char *text)
{
	for (; *text; text++) {
		if (!strncmp(text, "@cut", 4)) {
			add_cut(sql, g);
			text += 3;
		} else if (!strncmp(text, "@waits", 6)) {
			buf_adds(sql, "SELECT trace_id, id FROM wait_rows PREWHERE ");
			add_open_since(sql, g, 0);
			buf_adds(sql, " WHERE ");
			wanted_add_run(sql, g);
			buf_adds(sql, " AND ");
			add_open(sql, g, 0);
			text += 5;
		} else {
			buf_addc(sql, *text);
		}
	}
}

/* Returns the place in the list above; -1: all rows are wanted. */
static int find_narrow(const struct fleet_graph *g, const char *table)
{
	for (size_t i = 0; i < ARRAY_SIZE(narrow); i++)
		if (!strcmp(narrow[i].table, table) && g->extent <= narrow[i].extent)
			return (int)i;
	return -1;
}

char *wanted_condition(const struct fleet_graph *g, const char *table)
{
	_cleanup_buf_ struct buf sql = BUF_INIT;
	int i = find_narrow(g, table);

	wanted_add_run(&sql, g);
	if (i >= 0) {
		buf_adds(&sql, " AND (");
		if (narrow[i].begin)
			add_open(&sql, g, (size_t)i);
		else
			add_condition(&sql, g, narrow[i].condition);
		buf_addc(&sql, ')');
	}
	return buf_steal(&sql);
}

char *wanted_first(const struct fleet_graph *g, const char *table)
{
	_cleanup_buf_ struct buf sql = BUF_INIT;
	int i = find_narrow(g, table);

	if (i < 0 || !narrow[i].begin)
		return NULL;
	add_open_since(&sql, g, (size_t)i);
	return buf_steal(&sql);
}

bool wanted_names_cut(const struct fleet_graph *g, const char *table)
{
	int i = find_narrow(g, table);

	return i >= 0 && (narrow[i].begin || strchr(narrow[i].condition, '@'));
}

static bool is_named(const char *table)
{
	for (const struct wanted_named *n = named; n->table; n++)
		if (!strcmp(n->table, table) && !n->also)
			return true;
	return false;
}

bool wanted_is(const struct fleet_graph *g, const struct table *t)
{
	return !is_left_out(g, t) && strcmp(t->name, "process") != 0 &&
	       !(g->extent == FLEET_VERDICT && is_named(t->name));
}

const struct wanted_named *wanted_named(const struct fleet_graph *g)
{
	return g->extent == FLEET_VERDICT ? named : named + ARRAY_SIZE(named) - 1;
}
