/* load.c - the small tables of all hosts of a run as one recording in memory. */
/* SPDX-License-Identifier: MIT */
/*
 * Ids get the host's number above their own, moments the difference between the starts, processes their host's name: "server@node1". What
 * was open at the cut of its host is open, and what came later is not there, so that all of it reads as a recording that was
 * never closed. Whether the moments fit together is for proof.c to say.
 *
 * Tables that grow with everything that happens are not fetched, but for what was open at the cut.
 */
#include "fleet/private.h"

#include "base/buf.h"
#include "base/hash.h"
#include "base/mem.h"
#include "schema/db.h"
#include "schema/query.h"
#include "verdict/verdict.h"

#include <errno.h>

/* Not needed for a verdict on the graph, and not small or not of the recording. */
static const char *const left_out[] = {"trace", "finding", "finding_member", "lane", "sample",
	"sched", "pipe_io", "sync", "setting", "clock", "gap"};

/* Of no use for what is stuck. */
static const char *const not_for_verdict[] = {
	"lock_edge", "lock_error", "spin", "wait_hold", "stdio", "title"};

/*
 * What is fetched of a table, unless all of it: ClickHouse's SQL, in which @cut is the moment up to which the rows of that
 * host count (cut from there on), @waits the waits that were open then.
 */
static const struct {
	const char *table;
	enum fleet_extent extent; /* for this, and what wants less */
	const char *condition;
} narrow[] = {
	{"wait", FLEET_WHOLE, "start_ns <= @cut AND (end_ns IS NULL OR end_ns > cut)"},
	{"lock_hold", FLEET_WHOLE,
		"acquire_ns <= @cut AND (release_ns IS NULL OR release_ns > cut)"},
	{"wait_on", FLEET_CUT, "(trace_id, wait_id) IN (@waits)"},
	{"mpi_need", FLEET_CUT, "(trace_id, wait_id) IN (@waits)"},
	{"pipe_end", FLEET_VERDICT, "open_ns <= @cut AND (close_ns IS NULL OR close_ns > cut)"},
	{"timer", FLEET_VERDICT, "armed_ns <= @cut AND (disarmed_ns IS NULL OR disarmed_ns > cut)"},
	{"handler", FLEET_VERDICT, "start_ns <= @cut AND (end_ns IS NULL OR end_ns > cut)"},
	/* Those that were under way, and stops. */
	{"signal", FLEET_VERDICT,
		"signo BETWEEN 18 AND 22 OR sent_ns > toInt64(@cut) - 2000000000"},
	{"exec", FLEET_VERDICT, "errno IS NULL"},
	{"lock_stat", FLEET_VERDICT, "foreign_posts > 0"},
};

/* Of these what others that were fetched before name, if a verdict is all that is wanted: which column, and SQLite's SQL for which. */
static const struct {
	const char *table, *column, *ids;
	bool also; /* beside what the list above says */
} named[] = {
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
};

struct loading {
	struct server *server;
	const struct fleet_hosts *hosts;
	struct fleet_graph *graph;
	struct tables tables;
	struct hash by_trace; /* number + 1 */
	bool knows_cut;       /* what is read is cut */
};

int64_t fleet_first_id(size_t host)
{
	return (int64_t)(host + 1) << HOST_SHIFT;
}

static int host_of(void *arg, const char *trace_id, size_t len)
{
	const struct loading *l = arg;

	return (int)(intptr_t)hash_get(&l->by_trace, hash_bytes(trace_id, len)) - 1;
}

static enum read_change change(void *arg, int host, const struct column *c, int64_t *n)
{
	const struct loading *l = arg;
	const struct fleet_cut *cut = &l->graph->cuts[host];

	if (c->meaning == COLUMN_ID && *n > 0)
		*n += fleet_first_id((size_t)host);
	if (c->meaning != COLUMN_MOMENT)
		return READ_AS_IT_IS;
	*n += cut->shift_ns;
	if (!l->knows_cut || !cut_is_before_end(cut) || *n <= cut->at_ns)
		return READ_AS_IT_IS;
	return cut_is_begin(c) ? READ_NO_ROW : c->nullable ? READ_AS_NULL : READ_AS_IT_IS;
}

static int fetch(struct loading *l, const char *table, const char *condition, struct buf *why)
{
	return read_rows(l->server, l->graph->db,
		&(struct read_table){.hosts = l->hosts,
			.table = columns_table(&l->tables, table),
			.condition = condition,
			.host_of = host_of,
			.change = change,
			.arg = l},
		why);
}

static bool is_in(const char *const *list, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(list[i], name))
			return true;
	return false;
}

static bool is_left_out(const struct loading *l, const struct table *t)
{
	if (is_in(left_out, ARRAY_SIZE(left_out), t->name))
		return true;
	if (t->open_end && strcmp(t->name, "wait") != 0 && strcmp(t->name, "lock_hold") != 0)
		return true;
	return l->graph->extent == FLEET_VERDICT &&
	       is_in(not_for_verdict, ARRAY_SIZE(not_for_verdict), t->name);
}

static void add_run(struct buf *sql, const struct loading *l)
{
	buf_adds(sql, "run = ");
	server_quote(sql, l->hosts->list[0].run);
}

/* Adds a condition of the list above. */
static void add_condition(struct buf *sql, const struct loading *l, const char *text)
{
	for (; *text; text++) {
		if (!strncmp(text, "@cut", 4)) {
			buf_addc(sql, '(');
			cut_expression(sql, l->graph);
			buf_adds(sql, " AS cut)");
			text += 3;
		} else if (!strncmp(text, "@waits", 6)) {
			buf_adds(sql, "SELECT trace_id, id FROM wait_rows WHERE ");
			add_run(sql, l);
			buf_adds(sql, " AND ");
			add_condition(sql, l, narrow[0].condition);
			text += 5;
		} else {
			buf_addc(sql, *text);
		}
	}
}

/* Returns which rows of a table are wanted, which the caller frees. */
static char *condition_of(const struct loading *l, const char *table)
{
	_cleanup_buf_ struct buf sql = BUF_INIT;

	add_run(&sql, l);
	for (size_t i = 0; i < ARRAY_SIZE(narrow); i++) {
		if (strcmp(narrow[i].table, table) != 0 || l->graph->extent > narrow[i].extent)
			continue;
		buf_adds(&sql, " AND (");
		add_condition(&sql, l, narrow[i].condition);
		buf_addc(&sql, ')');
	}
	return buf_steal(&sql);
}

/* ---- What others name ---- */

/*
 * Adds the condition that a column is among the ids, which are those of several hosts. Returns 0; 1: they are too many to be
 * sent, or -EIO.
 */
static int add_named(struct buf *sql, const struct loading *l, const char *column, const char *ids,
	struct buf *why)
{
	enum { NAMED_MAX = 200000 };
	_cleanup_buf_ struct buf numbers = BUF_INIT;
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	int rc = query_one(l->graph->db, ids, 0, &stmt, why), n = 0;

	buf_addf(sql, " AND (trace_id, %s) IN (SELECT t, toInt64(i) FROM system.one ARRAY JOIN [",
		column);
	for (; rc > 0 && n < NAMED_MAX; rc = query_step(stmt, why)) {
		int64_t id = query_int(stmt, 0, 0);
		size_t host = (size_t)(id >> HOST_SHIFT) - 1;

		if (!id || host >= l->hosts->n)
			continue;
		buf_adds(sql, n ? "," : "");
		server_quote(sql, l->hosts->list[host].trace_id);
		buf_addf(&numbers, "%s%lld", n ? "," : "", (long long)(id - fleet_first_id(host)));
		n++;
	}
	buf_addf(sql, "] AS t, [%s] AS i)", numbers.data);
	return rc < 0 ? rc : n == NAMED_MAX ? 1 : n ? 0 : -ENODATA;
}

static int fetch_named(
	struct loading *l, const char *table, const char *column, const char *ids, struct buf *why)
{
	_cleanup_buf_ struct buf all = BUF_INIT, sql = BUF_INIT;
	int rc;

	add_run(&all, l);
	buf_adds(&sql, all.data);
	rc = add_named(&sql, l, column, ids, why);
	if (rc == -ENODATA)
		return 0;
	return rc < 0 ? rc : fetch(l, table, rc ? all.data : sql.data, why);
}

static bool is_named(const char *table)
{
	for (size_t i = 0; i < ARRAY_SIZE(named); i++)
		if (!strcmp(named[i].table, table) && !named[i].also)
			return true;
	return false;
}

/* ---- Steps ---- */

/* What tells when somebody ended it. */
static int fetch_ends(struct loading *l, struct buf *why)
{
	_cleanup_free_ char *all = condition_of(l, "process");
	_cleanup_free_ char *outside = xasprintf("%s AND sender_id IS NULL", all);
	int rc = fetch(l, "process", all, why);

	if (!rc)
		rc = fetch(l, "signal", outside, why);
	return rc ? rc : cut_find(l->graph, why);
}

static char *add_to(char *text, const char *more)
{
	char *all = xasprintf("%s%s", text, more);

	free(text);
	return all;
}

static int fetch_rest(struct loading *l, struct buf *why)
{
	bool verdict = l->graph->extent == FLEET_VERDICT;
	int rc = 0;

	for (size_t i = 0; !rc && i < l->tables.n; i++) {
		const char *name = l->tables.list[i].name;
		_cleanup_free_ char *condition = NULL;

		if (is_left_out(l, &l->tables.list[i]) || !strcmp(name, "process") ||
			(verdict && is_named(name)))
			continue;
		condition = condition_of(l, name);
		if (!strcmp(name, "signal")) /* the others */
			condition = add_to(condition, " AND sender_id IS NOT NULL");
		l->knows_cut = !cut_is_later(name);
		rc = fetch(l, name, condition, why);
	}
	l->knows_cut = true;
	for (size_t i = 0; !rc && verdict && i < ARRAY_SIZE(named); i++)
		rc = fetch_named(l, named[i].table, named[i].column, named[i].ids, why);
	l->knows_cut = false;
	return rc ? rc : cut_apply(l->graph, &l->tables, why);
}

/* ---- The recording of all ---- */

static int name_processes(struct loading *l, struct buf *why)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	int rc = query_open(l->graph->db,
		"UPDATE process SET name = coalesce(name, '?') || '@' || ?2, program = program || '@' || ?2,"
		" title = title || '@' || ?2"
		" WHERE id >= ?1 AND id < ?1 + (1 << 40)",
		&stmt, why);

	if (!rc)
		rc = query_exec(l->graph->db,
			"UPDATE thread SET name = NULL WHERE name = (SELECT p.name FROM process p WHERE p.id = process_id)",
			why);
	for (size_t i = 0; !rc && i < l->hosts->n; i++) {
		query_bind_int(stmt, 1, fleet_first_id(i));
		query_bind_text(stmt, 2, l->hosts->list[i].label);
		rc = query_run(stmt, why);
	}
	return rc;
}

static int write_trace(struct loading *l, struct buf *why)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	const struct fleet_host *first = &l->hosts->list[0];
	int64_t duration_ns = 0;
	uint64_t lost = 0;
	bool attached = false;
	int rc = query_open(l->graph->db,
		"INSERT INTO trace (id, command, host, backend, started_unix_ns, duration_ns, complete, lost, attached,"
		" blind_spots) VALUES (1, ?1, ?2, ?3, ?4, ?5, 0, ?6, ?7, '[]')",
		&stmt, why);

	for (size_t i = 0; i < l->hosts->n; i++) {
		const struct fleet_host *h = &l->hosts->list[i];

		if (l->graph->cuts[i].at_ns > duration_ns)
			duration_ns = l->graph->cuts[i].at_ns;
		lost += h->lost;
		attached = attached || h->attached;
	}
	if (rc)
		return rc;
	query_bind_text(stmt, 1, first->command);
	query_bind_text(stmt, 2, l->hosts->n == 1 ? first->host : "several");
	query_bind_text(stmt, 3, first->backend);
	query_bind_int(stmt, 4, l->graph->start_unix_ns);
	query_bind_int(stmt, 5, duration_ns + 1);
	query_bind_int(stmt, 6, (int64_t)lost);
	query_bind_int(stmt, 7, attached);
	return query_run(stmt, why);
}

static void number_hosts(struct loading *l)
{
	for (size_t i = 0; i < l->hosts->n; i++) {
		const char *id = l->hosts->list[i].trace_id;

		(void)hash_set(
			&l->by_trace, hash_bytes(id, strlen(id)), (void *)(uintptr_t)(i + 1));
	}
}

/* The rows of all hosts that tell what was lost have the same keys. */
static int prepare(struct loading *l, struct buf *why)
{
	_cleanup_free_ char *sentence = NULL;

	if (db_open_temp(&l->graph->db, &sentence) < 0) {
		buf_adds(why, sentence);
		return -EIO;
	}
	return query_exec(l->graph->db,
		"BEGIN; DROP TABLE lost; CREATE TABLE lost (source TEXT NOT NULL, kind TEXT NOT NULL, count INTEGER NOT NULL)",
		why);
}

int load_more(struct server *s, const struct fleet_graph *g, const char *table,
	const char *condition, struct buf *why)
{
	struct loading l = {.server = s, .hosts = g->hosts, .graph = (struct fleet_graph *)g};
	int rc = columns_load(&l.tables, why);

	number_hosts(&l);
	if (!rc)
		rc = fetch(&l, table, condition, why);
	columns_done(&l.tables);
	hash_done(&l.by_trace);
	return rc;
}

int fleet_load(struct server *s, const struct fleet_hosts *hosts, enum fleet_extent extent,
	struct fleet_graph *ret, struct buf *why)
{
	static int (*const steps[])(struct loading *, struct buf *) = {
		prepare, fetch_ends, fetch_rest, name_processes, write_trace};
	struct loading l = {.server = s, .hosts = hosts, .graph = ret};
	int rc = columns_load(&l.tables, why);

	*ret = (struct fleet_graph){
		.hosts = hosts, .extent = extent, .cuts = xcalloc(hosts->n + 1, sizeof *ret->cuts)};
	number_hosts(&l);
	if (!rc)
		rc = clocks_read(s, ret, why);
	if (!rc)
		rc = clocks_bound(s, ret, why);
	for (size_t i = 0; !rc && i < ARRAY_SIZE(steps); i++)
		rc = steps[i](&l, why);
	if (!rc)
		rc = join_sockets(ret, why);
	if (!rc)
		rc = query_exec(ret->db, "COMMIT", why);
	if (!rc)
		rc = query_exec(ret->db, db_index_sql, why);
	columns_done(&l.tables);
	hash_done(&l.by_trace);
	if (rc)
		fleet_graph_done(ret);
	return rc;
}

/* db_create makes the name and the mode; the contents are copied page by page. */
int fleet_save(const struct fleet_graph *g, const char *path, struct buf *why)
{
	_cleanup_free_ char *sentence = NULL;
	struct sqlite3_backup *copy;
	struct sqlite3 *db = NULL;
	int rc = db_create(path, &db, &sentence);

	if (rc) {
		buf_adds(why, sentence);
		return rc;
	}
	rc = query_exec(db, "PRAGMA journal_mode = DELETE", why);
	copy = rc ? NULL : sqlite3_backup_init(db, "main", g->db, "main");
	if (copy) {
		(void)sqlite3_backup_step(copy, -1);
		(void)sqlite3_backup_finish(copy);
	}
	if (!rc && sqlite3_errcode(db) != SQLITE_OK) {
		buf_addf(why, "cannot write %s: %s", path, sqlite3_errmsg(db));
		rc = -EIO;
	}
	(void)sqlite3_close(db);
	return rc;
}

void fleet_graph_done(struct fleet_graph *g)
{
	(void)sqlite3_close(g->db);
	free(g->cuts);
	free(g->joined);
	*g = (struct fleet_graph){0};
}
