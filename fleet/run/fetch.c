/* fetch.c - rows of all hosts of a run, changed as they come. */
/* SPDX-License-Identifier: MIT */
/*
 * Ids get the host's number above their own, moments the difference between the starts. What was open at the cut of its host is open, and
 * what came later is not there. All is asked for as soon as it is known what is wanted, so that the server makes one answer while
 * another one is read.
 */
#include "fleet/run/run.h"

#include "base/buf.h"
#include "base/mem.h"
#include "schema/query.h"

#include <errno.h>

struct fetching {
	struct server *server;
	struct ahead *ahead;
	struct fleet_graph *graph;
	struct tables tables;
	const char **wanted; /* names of tables, up to NULL */
	const char **next;   /* of those that is read next */
	bool knows_cut;      /* what is read is cut */
};

static int host_of(void *arg, const char *trace_id, size_t len)
{
	const struct fetching *f = arg;

	return hosts_find(f->graph->hosts, trace_id, len);
}

static enum read_change change(void *arg, int host, const struct column *c, int64_t *n)
{
	const struct fetching *f = arg;
	const struct fleet_cut *cut = &f->graph->cuts[host];

	if (c->meaning == COLUMN_ID && *n > 0)
		*n += fleet_first_id((size_t)host);
	if (c->meaning != COLUMN_MOMENT)
		return READ_AS_IT_IS;
	*n += cut->shift_ns;
	if (!f->knows_cut || !cut_is_before_end(cut) || *n <= cut->at_ns)
		return READ_AS_IT_IS;
	return cut_is_begin(c) ? READ_NO_ROW : c->nullable ? READ_AS_NULL : READ_AS_IT_IS;
}

static struct read_table reading(struct fetching *f, const char *table, const char *condition)
{
	return (struct read_table){.hosts = f->graph->hosts,
		.table = columns_table(&f->tables, table),
		.condition = condition,
		.host_of = host_of,
		.change = change,
		.arg = f};
}

static int fetch(struct fetching *f, const char *table, const char *condition, struct buf *why)
{
	const struct read_table t = reading(f, table, condition);

	return read_rows(f->server, f->graph->db, &t, why);
}

/* first: as in struct read_table. */
static void ask(struct fetching *f, const char *table, const char *condition, const char *first)
{
	struct read_table t = reading(f, table, condition);

	t.first = first;
	read_ask(f->ahead, f->server, &t);
}

static int take(struct fetching *f, const char *table, struct buf *why)
{
	const struct read_table t = reading(f, table, NULL);

	return read_take(f->ahead, f->graph->db, &t, why);
}

static char *add_to(char *text, const char *more)
{
	char *all = xasprintf("%s%s", text, more);

	free(text);
	return all;
}

/* ---- What others name ---- */

/* Reads what an SQL of SQLite's selects, which the caller frees. Returns 0; 1: it is too much to be sent, or -EIO. */
static int read_ids(
	const struct fetching *f, const char *sql, int64_t **ret, size_t *ret_n, struct buf *why)
{
	enum { NAMED_MAX = 500000 };
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	int rc = query_one(f->graph->db, sql, 0, &stmt, why);
	size_t cap = 0;

	*ret = NULL;
	*ret_n = 0;
	for (; rc > 0 && *ret_n < NAMED_MAX; rc = query_step(stmt, why)) {
		int64_t id = query_int(stmt, 0, 0);

		if (id >> HOST_SHIFT < 1)
			continue;
		ARRAY_GROW(*ret, *ret_n, cap);
		(*ret)[(*ret_n)++] = id;
	}
	return rc;
}

static int fetch_named(struct fetching *f, const struct wanted_named *named, struct buf *why)
{
	_cleanup_buf_ struct buf sql = BUF_INIT;
	_cleanup_free_ int64_t *list = NULL;
	size_t n;
	int rc = read_ids(f, named->ids, &list, &n, why);

	if (rc < 0 || !n)
		return rc;
	wanted_add_run(&sql, f->graph);
	if (!rc) {
		buf_adds(&sql, " AND ");
		hosts_are_among(&sql, f->graph->hosts, named->column, list, n);
	}
	return fetch(f, named->table, sql.data, why);
}

/* ---- Steps ---- */

/* 0: asked for and read before it is known when hosts are cut, 1: asked for before that, 2: after it. */
static int turn_of(const struct fetching *f, const char *table)
{
	return wanted_names_cut(f->graph, table) ? 2 : cut_is_later(table) ? 0 : 1;
}

/*
 * Finds the tables of which rows are fetched by what they are, and which the run has any rows of: most have none, and to ask for those takes
 * its time. Those come first that are read before it is known when hosts are cut, then those that are asked for before that.
 */
static int list_wanted(struct fetching *f, struct buf *why)
{
	_cleanup_buf_ struct buf sql = BUF_INIT, out = BUF_INIT;
	size_t n = 0;
	int rc;

	for (size_t i = 0; i < f->tables.n; i++) {
		const char *name = f->tables.list[i].name;
		_cleanup_free_ char *word = xasprintf(" %s_rows.trace_id ", name);

		/* An older pptrace made the tables. */
		if (!wanted_is(f->graph, &f->tables.list[i]) ||
			!strstr(f->server->columns.data, word))
			continue;
		buf_addf(&sql, "%sSELECT ' %s ' AS t FROM %s_rows WHERE ",
			sql.len ? " UNION ALL " : "", name, name);
		wanted_add_run(&sql, f->graph);
		buf_adds(&sql, " LIMIT 1");
	}
	rc = server_ask(f->server, sql.data, &out, why);
	f->wanted = xcalloc(f->tables.n + 1, sizeof *f->wanted);
	for (int turn = 0; turn < 3; turn++)
		for (size_t i = 0; i < f->tables.n; i++) {
			const char *name = f->tables.list[i].name;
			_cleanup_free_ char *word = xasprintf(" %s ", name);

			if (strstr(out.data, word) && turn_of(f, name) == turn)
				f->wanted[n++] = name;
		}
	return rc;
}

static void ask_wanted(struct fetching *f, bool with_cut)
{
	for (const char **name = f->wanted; *name; name++) {
		_cleanup_free_ char *condition = NULL, *first = NULL;

		if (wanted_names_cut(f->graph, *name) != with_cut)
			continue;
		condition = wanted_condition(f->graph, *name);
		if (!strcmp(*name, "signal")) /* the others */
			condition = add_to(condition, " AND sender_id IS NOT NULL");
		first = wanted_first(f->graph, *name);
		ask(f, *name, condition, first);
	}
}

int fetch_new(struct fetching **ret, struct server *s, struct fleet_graph *g, struct buf *why)
{
	struct fetching *f = xcalloc(1, sizeof *f);
	int rc = columns_load(&f->tables, why);

	f->server = s;
	f->graph = g;
	if (rc)
		fetch_free(f);
	else
		*ret = f;
	return rc;
}

void fetch_free(struct fetching *f)
{
	if (!f)
		return;
	ahead_free(f->ahead);
	free(f->wanted);
	columns_done(&f->tables);
	free(f);
}

int fetch_begin(struct fetching *f, struct buf *why)
{
	_cleanup_free_ char *all = wanted_condition(f->graph, "process");
	_cleanup_free_ char *outside = xasprintf("%s AND sender_id IS NULL", all);
	int rc = ahead_new(&f->ahead, f->server, why);

	if (rc)
		return rc;
	ask(f, "process", all, NULL);
	ask(f, "signal", outside, NULL);
	rc = list_wanted(f, why);
	if (!rc)
		ask_wanted(f, false);
	return rc;
}

int fetch_early(struct fetching *f, struct buf *why)
{
	int rc = take(f, "process", why);

	if (!rc)
		rc = take(f, "signal", why);
	for (f->next = f->wanted; !rc && *f->next && !turn_of(f, *f->next); f->next++)
		rc = take(f, *f->next, why);
	return rc;
}

static void ahead_of(sqlite3_context *context, int n, sqlite3_value **values)
{
	const struct fleet_graph *g = sqlite3_user_data(context);
	size_t host = (size_t)(sqlite3_value_int64(values[0]) >> HOST_SHIFT) - 1;

	(void)n;
	sqlite3_result_int64(context, host < g->hosts->n ? g->cuts[host].ahead_ns : 0);
}

/* Moves the moments of a table's rows by what shift_ns was corrected since they were read. */
static int correct(const struct fetching *f, const char *name, struct buf *why)
{
	const struct table *t = columns_table(&f->tables, name);
	_cleanup_buf_ struct buf sql = BUF_INIT;
	const char *id = NULL;

	for (size_t i = 0; i < t->n; i++) {
		if (!id && t->columns[i].meaning == COLUMN_ID && !t->columns[i].nullable)
			id = t->columns[i].name;
		if (id && t->columns[i].meaning == COLUMN_MOMENT)
			buf_addf(&sql, "%s\"%s\" = \"%s\" - ahead_of(\"%s\")", sql.len ? ", " : "",
				t->columns[i].name, t->columns[i].name, id);
	}
	if (sql.len) {
		_cleanup_free_ char *update = xasprintf("UPDATE \"%s\" SET %s", name, sql.data);

		return query_exec(f->graph->db, update, why);
	}
	return 0;
}

static int correct_clocks(const struct fetching *f, struct buf *why)
{
	bool any = false;
	int rc;

	for (size_t i = 0; i < f->graph->hosts->n; i++)
		any = any || f->graph->cuts[i].ahead_ns;
	if (!any)
		return 0;
	if (sqlite3_create_function(f->graph->db, "ahead_of", 1, SQLITE_UTF8 | SQLITE_DETERMINISTIC,
		    f->graph, ahead_of, NULL, NULL))
		return -ENOMEM;
	rc = correct(f, "process", why);
	if (!rc)
		rc = correct(f, "signal", why);
	for (const char **name = f->wanted; !rc && name < f->next; name++)
		rc = correct(f, *name, why);
	return rc;
}

int fetch_rest(struct fetching *f, struct buf *why)
{
	int rc = correct_clocks(f, why);

	if (!rc)
		rc = cut_find(f->graph, why);
	if (rc)
		return rc;
	ask_wanted(f, true);
	for (; !rc && *f->next; f->next++) {
		f->knows_cut = !cut_is_later(*f->next);
		rc = take(f, *f->next, why);
	}
	f->knows_cut = true;
	for (const struct wanted_named *n = wanted_named(f->graph); !rc && n->table; n++)
		rc = fetch_named(f, n, why);
	f->knows_cut = false;
	return rc ? rc : cut_apply(f->graph, &f->tables, why);
}

int fetch_more(struct fetching *f, const char *table, const char *condition, struct buf *why)
{
	return fetch(f, table, condition, why);
}
