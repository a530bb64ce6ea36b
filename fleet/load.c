/* load.c - the small tables of all hosts of a run as one recording in memory. */
/* SPDX-License-Identifier: MIT */
/*
 * Ids get the host's number above their own, moments the difference between the starts, processes their host's name: "server@node1". Each host is cut
 * before somebody outside ended what ran there or elsewhere, else at its end. What was open then is open, and what
 * came later is not there, so that all of it reads as a recording that was never closed. Whether the moments fit together is
 * for join.c to say.
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

enum { HOST_SHIFT = 40 };

/* Not needed for a verdict on the graph, and not small or not of the recording. */
static const char *const left_out[] = {"trace", "finding", "finding_member", "lane", "sample",
	"sched", "pipe_io", "sync", "setting"};

struct loading {
	struct server *server;
	const struct fleet_hosts *hosts;
	struct fleet_graph *graph;
	struct tables tables;
	struct hash by_trace; /* number + 1 */
	int64_t start_unix_ns;
	bool whole; /* nothing is cut off */
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

static int64_t shift_of(const struct loading *l, size_t host)
{
	return l->hosts->list[host].started_unix_ns - l->start_unix_ns;
}

static int64_t change(void *arg, int host, const struct column *c, int64_t n)
{
	const struct loading *l = arg;

	if (c->meaning == COLUMN_ID && n > 0)
		return n + fleet_first_id((size_t)host);
	return c->meaning == COLUMN_MOMENT ? n + shift_of(l, (size_t)host) : n;
}

static int fetch(struct loading *l, const char *table, const char *condition, struct buf *why)
{
	return read_rows(l->server, l->graph->db,
		&(struct read_table){.table = columns_table(&l->tables, table),
			.condition = condition,
			.host_of = host_of,
			.change = change,
			.arg = l},
		why);
}

static bool is_left_out(const struct table *t)
{
	for (size_t i = 0; i < ARRAY_SIZE(left_out); i++)
		if (!strcmp(left_out[i], t->name))
			return true;
	return t->open_end != NULL;
}

static int fetch_small(struct loading *l, struct buf *why)
{
	_cleanup_buf_ struct buf condition = BUF_INIT;
	int rc = 0;

	buf_adds(&condition, "run = ");
	server_quote(&condition, l->hosts->list[0].run);
	for (size_t i = 0; !rc && i < l->tables.n; i++)
		if (!is_left_out(&l->tables.list[i]))
			rc = fetch(l, l->tables.list[i].name, condition.data, why);
	return rc;
}

/* ---- The cut ---- */

/* Before somebody outside ended what ran on the host; else its end. On the axis of all. */
static int find_cut(struct loading *l, size_t host, struct buf *why)
{
	struct fleet_cut *cut = &l->graph->cuts[host];
	const long long first = fleet_first_id(host), last = fleet_first_id(host + 1) - 1;
	_cleanup_free_ char *views = xasprintf(
		"CREATE TEMP VIEW process AS SELECT * FROM main.process WHERE id BETWEEN %lld AND %lld;"
		"CREATE TEMP VIEW signal AS SELECT * FROM main.signal WHERE id BETWEEN %lld AND %lld",
		first, last, first, last);
	int64_t ns = 0;
	int rc, signo;

	cut->end_ns = cut->at_ns = l->hosts->list[host].duration_ns + shift_of(l, host);
	if (l->whole)
		return 0;
	if (!query_number(l->graph->db,
		    "SELECT EXISTS (SELECT 1 FROM signal WHERE id >= ?1 AND id < ?1 + (1 << 40)"
		    " AND sender_id IS NULL)",
		    fleet_first_id(host), 0, why))
		return query_failed(0, why);
	rc = query_exec(l->graph->db, views, why);
	if (!rc)
		rc = verdict_interrupted(l->graph->db, &ns, &signo, why);
	if (rc > 0) {
		cut->at_ns = ns - 1;
		cut->signo = signo;
	}
	if (rc >= 0)
		rc = query_exec(l->graph->db, "DROP VIEW temp.process; DROP VIEW temp.signal", why);
	return rc;
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
static void cut_together(struct loading *l)
{
	const int64_t together_ns = 10000000000, clocks_ns = 50000000;
	_cleanup_free_ int64_t *ends = xcalloc(l->hosts->n + 1, sizeof *ends);
	struct fleet_cut *cuts = l->graph->cuts;
	size_t n = 0;

	for (size_t i = 0; i < l->hosts->n; i++)
		if (cuts[i].signo)
			ends[n++] = cuts[i].at_ns;
	if (!n)
		return;
	qsort(ends, n, sizeof *ends, compare_moments);
	while (n > 1 && ends[n - 1] - ends[n - 2] <= together_ns)
		n--;
	for (size_t i = 0; i < l->hosts->n; i++)
		if (cuts[i].at_ns > ends[n - 1] - clocks_ns)
			cuts[i].at_ns = ends[n - 1] - clocks_ns;
}

/* Conditions of some hosts, for what was open at the cut of each. */
static int fetch_open(
	struct loading *l, const char *table, const char *start, const char *end, struct buf *why)
{
	enum { AT_ONCE = 500 };
	int rc = 0;

	for (size_t i = 0; !rc && i < l->hosts->n; i += AT_ONCE) {
		_cleanup_buf_ struct buf condition = BUF_INIT;

		buf_adds(&condition, "run = ");
		server_quote(&condition, l->hosts->list[0].run);
		buf_adds(&condition, " AND (0");
		for (size_t k = i; k < l->hosts->n && k < i + AT_ONCE; k++) {
			long long at = (long long)(l->graph->cuts[k].at_ns - shift_of(l, k));

			buf_adds(&condition, " OR trace_id = ");
			server_quote(&condition, l->hosts->list[k].trace_id);
			buf_addf(&condition, " AND %s <= %lld AND (%s IS NULL OR %s > %lld)", start,
				at, end, end, at);
		}
		buf_addc(&condition, ')');
		rc = fetch(l, table, condition.data, why);
	}
	return rc;
}

/* A row that began after the cut is not there; a moment after it has not come. */
static int cut_table(struct loading *l, const struct table *t, size_t host, struct buf *why)
{
	static const char *const begins[] = {
		"start_ns", "open_ns", "created_ns", "armed_ns", "acquire_ns", "ts_ns"};
	const long long at = (long long)l->graph->cuts[host].at_ns;
	_cleanup_buf_ struct buf sql = BUF_INIT;
	const char *id = NULL;

	for (size_t i = 0; i < t->n; i++)
		if (!id && t->columns[i].meaning == COLUMN_ID)
			id = t->columns[i].name;
	if (!id)
		return 0;
	for (size_t i = 0; i < t->n; i++) {
		const struct column *c = &t->columns[i];
		bool begin = false;

		for (size_t k = 0; k < ARRAY_SIZE(begins); k++)
			begin = begin || !strcmp(c->name, begins[k]);
		if (c->meaning != COLUMN_MOMENT || (!begin && !c->nullable))
			continue;
		buf_addf(&sql, begin ? "DELETE FROM \"%s\"" : "UPDATE \"%s\" SET \"%s\" = NULL",
			t->name, c->name);
		buf_addf(&sql, " WHERE \"%s\" > %lld AND \"%s\" BETWEEN %lld AND %lld;", c->name,
			at, id, (long long)fleet_first_id(host),
			(long long)fleet_first_id(host + 1) - 1);
	}
	return query_exec(l->graph->db, sql.data, why);
}

static int cut_host(struct loading *l, size_t host, struct buf *why)
{
	const long long at = (long long)l->graph->cuts[host].at_ns;
	const long long first = fleet_first_id(host), last = fleet_first_id(host + 1) - 1;
	_cleanup_free_ char *before = xasprintf(
		"DELETE FROM signal WHERE id BETWEEN %lld AND %lld AND coalesce(sent_ns, delivered_ns) > %lld;"
		"INSERT INTO lock_open (lock_id, thread_id, process_id, mode, depth, acquire_ns, site_id, stack_id)"
		" SELECT h.lock_id, h.thread_id, t.process_id, coalesce(h.mode, 'x'), 1, h.acquire_ns, h.site_id, h.stack_id"
		" FROM lock_hold h JOIN thread t ON t.id = h.thread_id WHERE h.id BETWEEN %lld AND %lld AND h.release_ns > %lld",
		first, last, at, first, last, at);
	int rc = query_exec(l->graph->db, before, why);

	for (size_t i = 0; !rc && i < l->tables.n; i++)
		rc = cut_table(l, &l->tables.list[i], host, why);
	return rc;
}

static int cut_all(struct loading *l, struct buf *why)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < l->hosts->n; i++)
		rc = find_cut(l, i, why);
	cut_together(l);
	if (!rc)
		rc = fetch_open(l, "wait", "start_ns", "end_ns", why);
	if (!rc)
		rc = fetch_open(l, "lock_hold", "acquire_ns", "release_ns", why);
	/* The messages of ranks are counted at the end: who went on before that is not stuck, whatever was the case at the cut. */
	if (!rc)
		rc = query_exec(l->graph->db,
			"DELETE FROM wait WHERE reason = 'mpi' AND end_ns < (SELECT coalesce(t.end_ns, 1 << 62) - 100000000"
			" FROM thread t WHERE t.id = thread_id)",
			why);
	for (size_t i = 0; !rc && i < l->hosts->n; i++)
		if (l->graph->cuts[i].at_ns < l->graph->cuts[i].end_ns)
			rc = cut_host(l, i, why);
	/* Who has ended, how, is known of those that had ended. */
	return rc ? rc
		  : query_exec(l->graph->db,
			    "UPDATE process SET end_kind = NULL, exit_code = NULL, exit_signal = NULL, reaper_id = NULL"
			    " WHERE end_ns IS NULL; UPDATE thread SET cut_short = NULL WHERE end_ns IS NULL",
			    why);
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
	query_bind_int(stmt, 4, l->start_unix_ns);
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
		if (!i || l->hosts->list[i].started_unix_ns < l->start_unix_ns)
			l->start_unix_ns = l->hosts->list[i].started_unix_ns;
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
	number_hosts(l);
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

int fleet_load(struct server *s, const struct fleet_hosts *hosts, bool whole,
	struct fleet_graph *ret, struct buf *why)
{
	static int (*const steps[])(struct loading *, struct buf *) = {
		prepare, fetch_small, cut_all, name_processes, write_trace};
	struct loading l = {.server = s, .hosts = hosts, .graph = ret, .whole = whole};
	int rc = columns_load(&l.tables, why);

	*ret = (struct fleet_graph){
		.hosts = hosts, .whole = whole, .cuts = xcalloc(hosts->n + 1, sizeof *ret->cuts)};
	for (size_t i = 0; !rc && i < ARRAY_SIZE(steps); i++)
		rc = steps[i](&l, why);
	if (!rc)
		rc = query_exec(ret->db, "COMMIT", why);
	if (!rc)
		rc = join_sockets(ret, why);
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
