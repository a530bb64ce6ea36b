/* format.c - the tables in ClickHouse: made where they are missing, checked, never dropped. */
/* SPDX-License-Identifier: MIT */
/*
 * Every table of a recording, say wait, is a table wait_rows there and a view wait upon it.
 *
 * A row may come more than once: a request that broke off is sent again though the server may have taken it, a recording
 * that grows completes rows that were sent before. So the tables are ReplacingMergeTree, which keeps of rows
 * with the same key the one that was pushed last: when it merges parts in the background, and at once where FINAL asks for it, which
 * the views do. A row that is gone from the recording (a lock was released: lock_open) is replaced by one with gone = 1.
 *
 * Only what Debian's server, version 18.16, has is used: no codecs, no TTL in CREATE, no LowCardinality.
 */
#include "fleet/private.h"

#include "base/buf.h"
#include "base/mem.h"
#include "schema/version.h"

#include <errno.h>

bool format_has_host(const struct table *t)
{
	for (size_t i = 0; i < t->n; i++)
		if (!strcmp(t->columns[i].name, "host"))
			return true;
	return false;
}

static const char *type_of(const struct column *c)
{
	if (c->type == COLUMN_NUMBER)
		return c->nullable ? "Nullable(Int64)" : "Int64";
	return c->nullable ? "Nullable(String)" : "String";
}

void format_own_columns(const struct server *s, struct buf *sql, const struct table *t)
{
	for (size_t i = 0; i < t->n; i++) {
		const struct column *c = &t->columns[i];
		_cleanup_free_ char *word = xasprintf(" %s_rows.%s ", t->name, c->name);

		buf_adds(sql, i ? ", " : "");
		if (strstr(s->columns.data, word))
			buf_addf(sql, "`%s`", c->name);
		else if (c->nullable)
			buf_addf(sql, "CAST(NULL AS %s)", type_of(c));
		else
			buf_adds(sql, c->type == COLUMN_NUMBER ? "toInt64(0)" : "''");
	}
}

void format_columns(struct buf *sql, const struct table *t)
{
	buf_addf(sql, "`run`, `trace_id`%s%s, ", format_has_host(t) ? "" : ", `host`",
		t->rowid ? ", `row`" : "");
	for (size_t i = 0; i < t->n; i++)
		buf_addf(sql, "%s`%s`", i ? ", " : "", t->columns[i].name);
}

static void add_body(struct buf *sql, const struct table *t)
{
	buf_adds(sql, "(`run` String, `trace_id` String");
	if (!format_has_host(t))
		buf_adds(sql, ", `host` String");
	if (t->rowid)
		buf_adds(sql, ", `row` Int64");
	for (size_t i = 0; i < t->n; i++)
		buf_addf(sql, ", `%s` %s", t->columns[i].name, type_of(&t->columns[i]));
	buf_adds(sql,
		", `pushed` UInt64, `gone` UInt8) ENGINE = ReplacingMergeTree(`pushed`) PARTITION BY tuple()"
		" ORDER BY (`run`, `trace_id`");
	if (t->rowid)
		buf_adds(sql, ", `row`");
	for (size_t i = 0; i < t->n; i++)
		if (t->columns[i].is_key)
			buf_addf(sql, ", `%s`", t->columns[i].name);
	buf_adds(sql, ")");
}

static const char shard_by_trace[] = "cityHash64(trace_id)";

static int make_view(struct server *s, const struct table *t, struct buf *why)
{
	_cleanup_buf_ struct buf sql = BUF_INIT;

	buf_adds(&sql, "AS SELECT ");
	format_columns(&sql, t);
	buf_addf(&sql, " FROM `%s`.`%s_rows` FINAL WHERE `gone` = 0", s->address.database, t->name);
	return cluster_say(s, "CREATE VIEW IF NOT EXISTS", t->name, sql.data, why);
}

/* ---- Of an older pptrace ---- */

/* Adds the columns that a table of an older format lacks. Returns 1: some were, 0, or -EIO. */
static int add_columns(struct server *s, const struct table *t, struct buf *why)
{
	_cleanup_free_ char *table = xasprintf("%s_rows", t->name);
	_cleanup_buf_ struct buf names = BUF_INIT, sql = BUF_INIT;
	int rc, n = 0;

	buf_addf(&sql,
		"SELECT concat(' ', name, ' ') FROM system.columns WHERE database = '%s' AND table = '%s'",
		s->address.database, table);
	rc = server_ask(s, sql.data, &names, why);
	buf_reset(&sql);
	for (size_t i = 0; !rc && i < t->n; i++) {
		_cleanup_free_ char *word = xasprintf(" %s ", t->columns[i].name);

		if (strstr(names.data, word))
			continue;
		buf_addf(&sql, "%s ADD COLUMN `%s` %s%s%s", n++ ? "," : "", t->columns[i].name,
			type_of(&t->columns[i]), i ? " AFTER " : "",
			i ? t->columns[i - 1].name : "");
	}
	if (!rc && n)
		rc = cluster_alter(s, table, sql.data, why);
	if (!rc && n) /* the view, which is made anew */
		rc = cluster_say(s, "DROP TABLE IF EXISTS", t->name, "", why);
	return rc ? rc : n > 0;
}

/* ---- Versions ---- */

static const char push_body[] =
	"(run String, trace_id String, host String, state String, complete UInt8,"
	" pushed UInt64, once UInt8) ENGINE = ReplacingMergeTree(pushed) PARTITION BY tuple() ORDER BY (run, trace_id)";
static const char format_body[] =
	"(version UInt64, pptrace String, made DateTime)"
	" ENGINE = ReplacingMergeTree() PARTITION BY tuple() ORDER BY version";

/* Finds the version of the tables that are there, 0: there are none. */
static int find_version(struct server *s, uint64_t *ret, struct buf *why)
{
	_cleanup_buf_ struct buf sql = BUF_INIT;
	uint64_t n = 0, trace = 0;
	int rc;

	buf_addf(&sql,
		"SELECT count() FROM system.tables WHERE database = '%s' AND name = 'pptrace_format'",
		s->address.database);
	rc = server_number(s, sql.data, &n, why);
	*ret = 0;
	if (!rc && n)
		rc = server_number(s, "SELECT max(version) FROM pptrace_format", ret, why);
	if (rc || *ret)
		return rc;
	buf_reset(&sql);
	buf_addf(&sql,
		"SELECT count() FROM system.tables WHERE database = '%s' AND name IN ('trace', 'trace_rows')",
		s->address.database);
	rc = server_number(s, sql.data, &trace, why);
	/* Made a moment ago by another push, or by one that broke off: the line that says so is the first. */
	if (rc || !trace || n)
		return rc;
	buf_addf(why,
		"the database %s has a table called trace that pptrace did not make: choose another database",
		s->address.database);
	return -EIO;
}

static int check_version(const struct server *s, uint64_t version, struct buf *why)
{
	if (version_major((unsigned)version) <= VERSION_MAJOR)
		return 0;
	buf_addf(why,
		"a newer pptrace made the tables of the database %s: their format is %u.%u, and this one knows %d.x",
		s->address.database, version_major((unsigned)version),
		version_minor((unsigned)version), VERSION_MAJOR);
	return -EPROTO;
}

static int make_table(struct server *s, const struct table *t, bool is_older, struct buf *why)
{
	_cleanup_free_ char *name = xasprintf("%s_rows", t->name);
	_cleanup_buf_ struct buf body = BUF_INIT;
	int rc;

	add_body(&body, t);
	rc = cluster_make_table(s, name, body.data, shard_by_trace, why);
	if (!rc && is_older)
		rc = add_columns(s, t, why);
	return rc < 0 ? rc : make_view(s, t, why);
}

/* Tables of before 1.7 lack the column. */
static int add_once(struct server *s, struct buf *why)
{
	_cleanup_free_ char *sql = xasprintf(
		"SELECT count() FROM system.columns WHERE database = '%s' AND table = 'push_rows' AND name = 'once'",
		s->address.database);
	uint64_t n = 0;
	int rc = server_number(s, sql, &n, why);

	return rc || n ? rc : cluster_alter(s, "push_rows", "ADD COLUMN once UInt8", why);
}

/* The version is written when all tables are there: whoever reads it finds them. */
static int write_version(struct server *s, struct buf *why)
{
	_cleanup_free_ char *sql = xasprintf("INSERT INTO pptrace_format SELECT %d, '%s', now()",
		VERSION_NUMBER, PPTRACE_VERSION);

	return server_ask(s, sql, NULL, why);
}

/* What is there already: on which cluster, and of which version. */
static int look(struct server *s, uint64_t *ret_version, struct buf *why)
{
	int rc = cluster_find(s, why);

	return rc ? rc : find_version(s, ret_version, why);
}

static int find_columns(struct server *s, struct buf *why)
{
	_cleanup_free_ char *sql = xasprintf(
		"SELECT concat(' ', table, '.', name, ' ') FROM system.columns WHERE database = '%s'",
		s->address.database);

	buf_reset(&s->columns);
	return server_ask(s, sql, &s->columns, why);
}

/*
 * Says whether the server that is asked has all columns. In a cluster without a ZooKeeper the version may have come from
 * another one.
 */
static bool has_all_columns(const struct server *s, const struct tables *t)
{
	for (size_t i = 0; i < t->n; i++)
		for (size_t k = 0; k < t->list[i].n; k++) {
			_cleanup_free_ char *word = xasprintf(
				" %s_rows_shard.%s ", t->list[i].name, t->list[i].columns[k].name);

			if (!strstr(s->columns.data, word))
				return false;
		}
	return true;
}

int format_make(struct server *s, const struct tables *t, struct buf *why)
{
	uint64_t version = 0;
	int rc = look(s, &version, why);

	/* No such database: one that may only use what is there is not asked to make it. */
	if (rc == -EIO) {
		rc = cluster_make_database(s, why);
		if (rc)
			return rc;
		rc = look(s, &version, why);
		/* Some servers of the cluster have no tables yet. */
		if (rc == -EIO && s->cluster)
			rc = 0;
	}
	if (!rc)
		rc = check_version(s, version, why);
	if (!rc && s->cluster)
		rc = find_columns(s, why);
	if (rc)
		return rc;
	if (version >= VERSION_NUMBER && (!s->cluster || has_all_columns(s, t)))
		return cluster_check(s, why);
	rc = cluster_make_table(s, "pptrace_format", format_body, "version", why);
	if (!rc)
		rc = cluster_make_table(s, "push_rows", push_body, shard_by_trace, why);
	if (!rc && version)
		rc = add_once(s, why);
	for (size_t i = 0; !rc && i < t->n; i++)
		rc = make_table(s, &t->list[i], version != 0, why);
	if (!rc)
		rc = cluster_check(s, why);
	return rc ? rc : write_version(s, why);
}

int format_check(struct server *s, struct buf *why)
{
	uint64_t version = 0;
	int rc = find_version(s, &version, why);

	if (!rc)
		rc = check_version(s, version, why);
	if (!rc && !version) {
		buf_addf(why, "nothing has been pushed to the database %s of %s",
			s->address.database, s->address.base);
		rc = -EIO;
	}
	return rc ? rc : find_columns(s, why);
}
