/* push.c - a recording into ClickHouse, so that every row is there once. */
/* SPDX-License-Identifier: MIT */
/*
 * A recording is read at one commit and sent table by table. Tables that stay small are sent as a whole if anything in
 * them changed since the last round; what was sent of them earlier and is not in them any more is marked as gone. Those
 * that grow with everything that happens are sent from where the last round ended, and with the rows that were not
 * complete then. Before and after a round the table push says so: who reads knows what is whole, and of which moment.
 */
#include "fleet/private.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/mem.h"
#include "schema/db.h"
#include "schema/query.h"

#include <errno.h>

/* What has been sent of a table. */
struct sent {
	uint64_t hash, rows; /* of a table that stays small: all of its rows, and how many */
	int64_t last;        /* of one that grows: the last row */
	int64_t *open;       /* and those rows up to there that were not complete */
	size_t n_open, cap_open;
};

struct push {
	struct server *server;
	struct tables tables;
	struct sent *sent; /* of each table */
	char *path, *run, *trace_id, *host;
	uint64_t pushed;    /* of this round */
	bool was_begun;     /* the server has rows of the recording from before this push */
	bool was_whole;     /* ... all of them, and the recording was complete */
	bool once;          /* no row of it is there twice, nor marked as gone */
	struct sqlite3 *db; /* during a round */
	size_t rounds;      /* that are over */
	bool complete;
};

/* A table on its way. */
struct sending {
	struct push *push;
	const struct table *table;
	struct sent *sent;
	struct batch *batch;
	struct buf prefix;    /* where every row is from */
	uint64_t hash, total; /* of all rows of the table */
};

/* ---- What it is ---- */

const char *push_job(void)
{
	static const char *const names[] = {"PPTRACE_RUN", "SLURM_JOB_ID",
		"OMPI_MCA_ess_base_jobid", "PMI_JOBID", "PBS_JOBID", "LSB_JOBID", "GITHUB_RUN_ID",
		"CI_PIPELINE_ID"};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		const char *value = getenv(names[i]);

		if (value && *value)
			return value;
	}
	return NULL;
}

const char *push_run(const struct push *p)
{
	return p->run;
}

/* What tells a recording from every other: it does not change while it grows. */
static int identify(struct push *p, struct sqlite3 *db, struct buf *why)
{
	_cleanup_stmt_ sqlite3_stmt *row = NULL;
	int rc = query_one(db,
		"SELECT coalesce(host, '?'), coalesce(host, '') || ' ' || coalesce(started_unix_ns, '') || ' ' ||"
		" command || ' ' || coalesce(cwd, '') || ' ' || coalesce(kernel, '') FROM trace",
		0, &row, why);
	const char *text;

	if (rc <= 0) {
		if (!rc)
			buf_adds(why, "it has no row in the table trace");
		return rc ? rc : -ENODATA;
	}
	text = query_text(row, 1);
	p->host = xstrdup(query_text(row, 0));
	p->trace_id = xasprintf("%016llx", (unsigned long long)hash_bytes(text, strlen(text)));
	return 0;
}

/* What the server has of it. */
static int look_there(struct push *p, struct buf *why)
{
	_cleanup_buf_ struct buf sql = BUF_INIT, out = BUF_INIT;
	unsigned long long pushed = 0;
	char state[16] = "";
	unsigned complete = 0;
	int rc;

	buf_adds(&sql, "SELECT pushed, complete, state FROM push_rows FINAL WHERE run = ");
	server_quote(&sql, p->run);
	buf_adds(&sql, " AND trace_id = ");
	server_quote(&sql, p->trace_id);
	rc = server_ask(p->server, sql.data, &out, why);
	if (rc)
		return rc;
	if (sscanf(out.data, "%llu %u %15s", &pushed, &complete, state) == 3) {
		p->was_begun = true;
		p->was_whole = complete && !strcmp(state, "done");
		p->pushed = pushed;
	}
	return 0;
}

int push_open(
	struct push **ret, struct server *s, const char *path, const char *run, struct buf *why)
{
	struct push *p = xcalloc(1, sizeof *p);
	_cleanup_free_ char *sentence = NULL;
	struct sqlite3 *db = NULL;
	int rc = columns_load(&p->tables, why);

	p->server = s;
	p->path = xstrdup(path);
	p->sent = xcalloc(p->tables.n + 1, sizeof *p->sent);
	if (!rc)
		rc = db_open_read(path, &db, &sentence);
	if (sentence)
		buf_adds(why, sentence);
	if (!rc)
		rc = identify(p, db, why);
	db_close(db);
	if (!rc) {
		if (!run)
			run = push_job();
		p->run = xstrdup(run ? run : p->trace_id);
		rc = format_make(s, &p->tables, why);
	}
	if (!rc)
		rc = look_there(p, why);
	if (rc)
		push_close(p);
	else
		*ret = p;
	return rc;
}

void push_close(struct push *p)
{
	if (!p)
		return;
	for (size_t i = 0; i < p->tables.n; i++)
		free(p->sent[i].open);
	free(p->sent);
	columns_done(&p->tables);
	free(p->path);
	free(p->run);
	free(p->trace_id);
	free(p->host);
	free(p);
}

/* ---- A row ---- */

static void sending_begin(
	struct sending *b, struct push *p, size_t table, struct push_counts *counts)
{
	_cleanup_buf_ struct buf sql = BUF_INIT;
	const struct table *t = &p->tables.list[table];

	*b = (struct sending){.push = p, .table = t, .sent = &p->sent[table], .prefix = BUF_INIT};
	binary_add_text(&b->prefix, p->run, strlen(p->run));
	binary_add_text(&b->prefix, p->trace_id, strlen(p->trace_id));
	if (!format_has_host(t))
		binary_add_text(&b->prefix, p->host, strlen(p->host));
	buf_addf(&sql, "INSERT INTO `%s_rows` (", t->name);
	format_columns(&sql, t);
	buf_adds(&sql, ", `pushed`, `gone`) FORMAT RowBinary");
	b->batch = batch_new(p->server, sql.data, counts);
}

static void sending_done(struct sending *b)
{
	buf_done(&b->prefix);
	batch_free(b->batch);
}

/* Columns of the row: SQLite's rowid, whether it is complete, and those of the table. */
enum { AT_ROWID, AT_OPEN, AT_COLUMNS };

/* Adds a row, and sends what is full. */
static int add_row(struct sending *b, sqlite3_stmt *row, struct buf *why)
{
	struct buf *rows = batch_rows(b->batch);
	const struct table *t = b->table;
	size_t start = rows->len;

	buf_add(rows, b->prefix.data, b->prefix.len);
	if (t->rowid)
		binary_add_number(rows, (uint64_t)sqlite3_column_int64(row, AT_ROWID));
	for (size_t i = 0; i < t->n; i++)
		binary_add_value(rows, &t->columns[i], row, AT_COLUMNS + (int)i);
	if (!t->open_end)
		b->hash = hash_mix(b->hash, hash_bytes(rows->data + start, rows->len - start), 1);
	binary_add_number(rows, b->push->pushed);
	buf_addc(rows, 0);
	b->total++;
	return batch_row(b->batch, why);
}

/* ---- Tables ---- */

/* Says whether the recording, which an older pptrace may have made, has that column (NULL: that table). */
static bool has(struct push *p, const char *table, const char *column)
{
	return sqlite3_table_column_metadata(
		       p->db, NULL, table, column, NULL, NULL, NULL, NULL, NULL) == SQLITE_OK;
}

/* What reads the rows; the condition may be "". WITHOUT ROWID there is none. */
static char *select_rows(struct push *p, const struct table *t, const char *condition)
{
	_cleanup_buf_ struct buf sql = BUF_INIT;

	buf_addf(&sql, "SELECT %s, ", t->open_end || t->rowid ? "rowid" : "0");
	if (t->open_end)
		buf_addf(&sql, "\"%s\" IS NULL", t->open_end);
	else
		buf_adds(&sql, "0");
	for (size_t i = 0; i < t->n; i++) {
		const char *name = t->columns[i].name;

		buf_addf(&sql, has(p, t->name, name) ? ", \"%s\"" : ", NULL", name);
	}
	buf_addf(&sql, " FROM \"%s\" %s", t->name, condition);
	return buf_steal(&sql);
}

static void remember_open(struct sent *s, int64_t row)
{
	ARRAY_GROW(s->open, s->n_open, s->cap_open);
	s->open[s->n_open++] = row;
}

/* The rows that were not complete when they were sent. */
static int send_open(struct sending *b, struct buf *why)
{
	_cleanup_free_ char *sql = select_rows(b->push, b->table, "WHERE rowid = ?1");
	_cleanup_stmt_ sqlite3_stmt *row = NULL;
	struct sent *s = b->sent;
	size_t n = s->n_open;
	int rc = n ? query_open(b->push->db, sql, &row, why) : 0;

	s->n_open = 0;
	for (size_t i = 0; !rc && i < n; i++) {
		int64_t id = s->open[i];

		(void)sqlite3_reset(row);
		query_bind_int(row, 1, id);
		rc = query_step(row, why);
		if (rc <= 0)
			continue;
		if (query_int(row, AT_OPEN, 0))
			s->open[s->n_open++] = id;
		rc = add_row(b, row, why);
	}
	return rc;
}

/* A table that grows: what was added, and what was not complete. */
static int send_growing(struct sending *b, struct buf *why)
{
	_cleanup_free_ char *sql =
		select_rows(b->push, b->table, "WHERE rowid > ?1 ORDER BY rowid");
	_cleanup_stmt_ sqlite3_stmt *row = NULL;
	int rc = send_open(b, why);

	if (!rc)
		rc = query_one(b->push->db, sql, b->sent->last, &row, why);
	for (; rc > 0; rc = query_step(row, why)) {
		b->sent->last = query_int(row, AT_ROWID, 0);
		if (query_int(row, AT_OPEN, 0))
			remember_open(b->sent, b->sent->last);
		if (add_row(b, row, why) < 0)
			return -EIO;
	}
	return rc ? rc : batch_end(b->batch, why);
}

/* Rows of that recording that were pushed before this round are gone: this round has sent all that are there. */
static int mark_gone(struct sending *b, struct buf *why)
{
	struct push *p = b->push;
	_cleanup_buf_ struct buf sql = BUF_INIT;

	buf_addf(&sql, "INSERT INTO `%s_rows` (", b->table->name);
	format_columns(&sql, b->table);
	buf_adds(&sql, ", `pushed`, `gone`) SELECT ");
	format_columns(&sql, b->table);
	buf_addf(&sql, ", toUInt64(%llu), toUInt8(1) FROM `%s_rows` FINAL WHERE `run` = ",
		(unsigned long long)p->pushed, b->table->name);
	server_quote(&sql, p->run);
	buf_adds(&sql, " AND `trace_id` = ");
	server_quote(&sql, p->trace_id);
	buf_addf(&sql, " AND `pushed` < %llu AND `gone` = 0", (unsigned long long)p->pushed);
	return server_ask(p->server, sql.data, NULL, why);
}

/* A table that stays small: all of it, if anything changed. */
static int send_small(struct sending *b, struct buf *why)
{
	_cleanup_free_ char *sql = select_rows(b->push, b->table, "");
	_cleanup_stmt_ sqlite3_stmt *row = NULL;
	struct sent *s = b->sent;
	int rc = query_one(b->push->db, sql, 0, &row, why);

	for (; rc > 0; rc = query_step(row, why))
		if (add_row(b, row, why) < 0)
			return -EIO;
	if (rc || (b->push->rounds && batch_kept(b->batch) == b->total && b->hash == s->hash &&
			  b->total == s->rows))
		return rc;
	rc = batch_end(b->batch, why);
	if (!rc && (s->rows || (b->push->was_begun && !b->push->rounds)))
		rc = mark_gone(b, why);
	s->hash = b->hash;
	s->rows = b->total;
	return rc;
}

static int send_table(struct push *p, size_t i, struct push_counts *counts, struct buf *why)
{
	const struct table *t = &p->tables.list[i];
	struct sending b;
	int rc;

	if (!has(p, t->name, NULL))
		return 0;
	sending_begin(&b, p, i, counts);
	rc = t->open_end ? send_growing(&b, why) : send_small(&b, why);
	if (!rc && t->open_end && p->was_begun && !p->rounds)
		rc = mark_gone(&b, why);
	sending_done(&b);
	return rc;
}

/* ---- A round ---- */

/* Says there how far this push is: "begun" or "done". */
static int tell(struct push *p, const char *state, struct buf *why)
{
	_cleanup_buf_ struct buf row = BUF_INIT;

	binary_add_text(&row, p->run, strlen(p->run));
	binary_add_text(&row, p->trace_id, strlen(p->trace_id));
	binary_add_text(&row, p->host, strlen(p->host));
	binary_add_text(&row, state, strlen(state));
	buf_addc(&row, p->complete);
	binary_add_number(&row, p->pushed);
	buf_addc(&row, p->once);
	return server_insert(p->server,
		"INSERT INTO push_rows (run, trace_id, host, state, complete, pushed, once) FORMAT RowBinary",
		row.data, row.len, why);
}

/* Says whether another push of the same recording is under way, which began at the same time as this one. */
static int is_alone(struct push *p, struct buf *why)
{
	_cleanup_buf_ struct buf sql = BUF_INIT;
	uint64_t last = 0;
	int rc;

	buf_adds(&sql, "SELECT max(pushed) FROM push_rows WHERE run = ");
	server_quote(&sql, p->run);
	buf_adds(&sql, " AND trace_id = ");
	server_quote(&sql, p->trace_id);
	buf_addf(&sql, " AND pushed <> %llu", (unsigned long long)p->pushed);
	rc = server_number(p->server, sql.data, &last, why);
	/* It says later than the other one that rows may be there twice. */
	if (last >= p->pushed)
		p->pushed = last + 2;
	return rc ? rc : !last;
}

static int send_all(struct push *p, struct push_counts *counts, struct buf *why)
{
	uint64_t now = clock_ns(CLOCK_REALTIME), retries = p->server->retries;
	bool first = !p->was_begun && !p->rounds;
	int rc, alone = 0;

	/* Always later than what was there, whatever the clocks of two hosts say. "done" is later than "begun". */
	p->pushed = now > p->pushed + 2 ? now : p->pushed + 2;
	p->complete = query_number(p->db, "SELECT complete FROM trace", 0, 0, why) == 1;
	p->once = false;
	rc = query_failed(tell(p, "begun", why), why);
	if (!rc && first)
		alone = is_alone(p, why);
	if (alone < 0)
		rc = alone;
	for (size_t i = 0; !rc && i < p->tables.n; i++)
		rc = send_table(p, i, counts, why);
	p->pushed++;
	/* What was sent again may have been taken twice. */
	p->once = first && alone > 0 && p->server->retries == retries;
	if (!rc)
		rc = tell(p, "done", why);
	if (!rc)
		p->rounds++;
	return rc;
}

int push_round(struct push *p, struct push_counts *counts, struct buf *why)
{
	_cleanup_free_ char *sentence = NULL;
	uint64_t retries = p->server->retries;
	int rc = db_open_read(p->path, &p->db, &sentence);

	if (rc) {
		buf_adds(why, sentence);
		return rc;
	}
	if (p->was_whole) {
		counts->was_there = counts->complete = true;
	} else {
		rc = query_exec(p->db, "BEGIN", why);
		if (!rc)
			rc = send_all(p, counts, why);
		counts->complete = p->complete;
	}
	db_close(p->db);
	p->db = NULL;
	counts->retries += p->server->retries - retries;
	return rc;
}

bool push_is_closed(const struct push *p)
{
	_cleanup_free_ char *sentence = NULL;
	_cleanup_buf_ struct buf why = BUF_INIT;
	struct sqlite3 *db = NULL;
	bool closed;

	if (db_open_read(p->path, &db, &sentence) < 0)
		return true;
	closed = query_number(db, "SELECT complete FROM trace", 0, 1, &why) != 0;
	db_close(db);
	return closed;
}
