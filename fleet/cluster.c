/* cluster.c - tables on one server, or on all servers of a cluster. */
/* SPDX-License-Identifier: MIT */
/*
 * In a cluster, say of two shards, each server has a part of wait_rows in its table wait_rows_shard, and wait_rows itself
 * is a Distributed table upon all of them: whichever server is asked, it asks the others. All rows of a recording lie
 * in one shard, so that of two rows with the same key one replaces the other there.
 *
 * ON CLUSTER makes them everywhere, for which the cluster needs a ZooKeeper or Keeper. Without one they are made on the server
 * that is asked; the first push to each of them makes its own, and nothing is pushed before all have theirs. So do columns that a newer pptrace
 * adds.
 */
#include "fleet/private.h"

#include "base/buf.h"
#include "base/mem.h"

#include <ctype.h>
#include <errno.h>

int server_set_cluster(struct server *s, const char *name, struct buf *why)
{
	for (const char *c = name; *c; c++)
		if (!isalnum((unsigned char)*c) && !strchr("_-.", *c)) {
			buf_adds(
				why, "the name of a cluster has letters, digits, '_', '-' and '.'");
			return -EINVAL;
		}
	free(s->cluster);
	s->cluster = *name ? xstrdup(name) : NULL;
	return 0;
}

/* ---- Which cluster ---- */

/* Finds on which cluster the tables that are there lie: a text to be freed, "" for one server, NULL: there are none. */
static int find_there(struct server *s, char **ret, struct buf *why)
{
	_cleanup_buf_ struct buf sql = BUF_INIT, out = BUF_INIT;
	static const char engine[] = "Distributed(";
	const char *name;
	int rc;

	/* "Distributed(two, traces, push_rows_shard, ...)" */
	buf_addf(&sql,
		"SELECT engine_full FROM system.tables WHERE database = '%s' AND name = 'push_rows' FORMAT TabSeparatedRaw",
		s->address.database);
	rc = server_ask(s, sql.data, &out, why);
	*ret = NULL;
	if (rc || !out.len)
		return rc;
	name = out.data;
	if (strncmp(name, engine, strlen(engine)) != 0) {
		*ret = xstrdup("");
		return 0;
	}
	name += strlen(engine);
	name += strspn(name, "'`\\");
	*ret = xstrndup(name, strcspn(name, "'`\\,)"));
	return 0;
}

static int check_exists(struct server *s, struct buf *why)
{
	_cleanup_buf_ struct buf sql = BUF_INIT;
	uint64_t shards = 0;
	int rc;

	buf_adds(&sql, "SELECT uniqExact(shard_num) FROM system.clusters WHERE cluster = ");
	server_quote(&sql, s->cluster);
	rc = server_number(s, sql.data, &shards, why);
	if (rc || shards)
		return rc;
	buf_addf(why, "%s knows no cluster '%s' (SELECT cluster FROM system.clusters)",
		s->address.base, s->cluster);
	return -EPROTO;
}

int cluster_find(struct server *s, struct buf *why)
{
	_cleanup_free_ char *there = NULL;
	int rc = find_there(s, &there, why);

	if (rc)
		return rc;
	if (there && s->cluster && strcmp(there, s->cluster) != 0) {
		buf_addf(why, "the tables of the database %s lie on %s%s: choose another database",
			s->address.database, *there ? "the cluster " : "one server",
			*there ? there : "");
		return -EPROTO;
	}
	if (!s->cluster && there && *there)
		s->cluster = xstrdup(there);
	return s->cluster ? check_exists(s, why) : 0;
}

/* ---- Tables ---- */

/* Errors of ClickHouse's: nobody is configured who would take such statements (18.16 calls that 49), no ZooKeeper is, or none answers. */
static bool is_without_keeper(const struct server *s, const struct buf *why)
{
	return s->code == 139 || s->code == 225 || s->code == 999 ||
	       (s->code == 49 && strstr(why->data, "DDL background thread"));
}

/*
 * Runs a statement on all servers of the cluster: before and after stand around "ON CLUSTER". Where the cluster has nobody who would
 * pass it on, or there is no cluster, it is run here, without those words.
 */
static int say(struct server *s, const char *before, const char *after, struct buf *why)
{
	_cleanup_free_ char *here = xasprintf("%s %s", before, after);

	if (s->cluster && !s->is_each_alone) {
		_cleanup_free_ char *everywhere =
			xasprintf("%s ON CLUSTER `%s` %s", before, s->cluster, after);
		int64_t patience_ns = s->patience_ns;
		int rc;

		s->patience_ns = 0; /* a ZooKeeper that is missing does not come later */
		rc = server_ask(s, everywhere, NULL, why);
		s->patience_ns = patience_ns;
		if (!rc || !is_without_keeper(s, why))
			return rc;
		s->is_each_alone = true;
		buf_reset(why);
	}
	return server_ask(s, here, NULL, why);
}

int cluster_say(
	struct server *s, const char *verb, const char *name, const char *rest, struct buf *why)
{
	_cleanup_free_ char *before = xasprintf("%s `%s`.`%s`", verb, s->address.database, name);

	return say(s, before, rest, why);
}

int cluster_make_database(struct server *s, struct buf *why)
{
	_cleanup_free_ char *before =
		xasprintf("CREATE DATABASE IF NOT EXISTS `%s`", s->address.database);
	int rc;

	s->nowhere = true;
	rc = say(s, before, "", why);
	s->nowhere = false;
	return rc;
}

int cluster_make_table(
	struct server *s, const char *name, const char *body, const char *shard_by, struct buf *why)
{
	_cleanup_free_ char *part = xasprintf("%s_shard", name), *all = NULL;
	int rc = cluster_say(s, "CREATE TABLE IF NOT EXISTS", s->cluster ? part : name, body, why);

	if (rc || !s->cluster)
		return rc;
	all = xasprintf("AS `%s`.`%s` ENGINE = Distributed('%s', '%s', '%s', %s)",
		s->address.database, part, s->cluster, s->address.database, part, shard_by);
	return cluster_say(s, "CREATE TABLE IF NOT EXISTS", name, all, why);
}

int cluster_alter(struct server *s, const char *name, const char *change, struct buf *why)
{
	_cleanup_free_ char *part = xasprintf("%s_shard", name);
	int rc = s->cluster ? cluster_say(s, "ALTER TABLE", part, change, why) : 0;

	return rc ? rc : cluster_say(s, "ALTER TABLE", name, change, why);
}

int cluster_check(struct server *s, struct buf *why)
{
	_cleanup_buf_ struct buf sql = BUF_INIT, sentence = BUF_INIT;
	uint64_t n = 0;
	int rc;

	if (!s->cluster)
		return 0;
	/* A server that has none of them refuses; one that has older ones lacks columns. */
	rc = server_number(s, "SELECT count() FROM pptrace_format", &n, &sentence);
	buf_addf(&sql,
		"SELECT count() FROM (SELECT table, name FROM cluster('%s', system, columns)"
		" WHERE database = '%s' AND endsWith(table, '_shard') GROUP BY table, name"
		" HAVING count() < (SELECT uniqExact(shard_num) FROM system.clusters WHERE cluster = '%s'))",
		s->cluster, s->address.database, s->cluster);
	if (!rc)
		rc = server_number(s, sql.data, &n, &sentence);
	if (!rc && !n)
		return 0;
	buf_addf(why,
		"%s has its tables now; the cluster '%s' has no ZooKeeper that would make them on the other servers: push to each of them once, then again",
		s->address.base, s->cluster);
	return -EIO;
}
