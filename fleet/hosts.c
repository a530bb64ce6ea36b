/* hosts.c - which recordings a run has. */
/* SPDX-License-Identifier: MIT */
#include "fleet/private.h"

#include "base/buf.h"
#include "base/mem.h"

#include <errno.h>

/*
 * One line of trace and push_rows a recording, the texts in hexadecimal digits: names of hosts and runs are anybody's.
 * Ordered, so that a host has the same number whenever it is asked.
 */
static const char hosts_sql[] =
	"SELECT hex(run), trace_id, hex(ifNull(host, '?')), ifNull(started_unix_ns, 0), ifNull(duration_ns, 0), complete, lost,"
	" attached, hex(ifNull(backend, '')), hex(command), ifNull(exit_code, -1), ifNull(exit_signal, -1), state, pushed, once"
	" FROM (SELECT * FROM trace_rows FINAL WHERE gone = 0@where)"
	" ANY LEFT JOIN (SELECT run, trace_id, state, pushed, @once FROM push_rows FINAL) USING run, trace_id"
	" ORDER BY run, host, started_unix_ns, trace_id FORMAT TabSeparated";

static char *from_hex(const char *s)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	for (; s[0] && s[1]; s += 2) {
		char digits[3] = {s[0], s[1], '\0'};

		buf_addc(&b, (char)strtoul(digits, NULL, 16));
	}
	return buf_steal(&b);
}

enum { FIELDS = 15 };

static void add_host(struct fleet_hosts *hosts, char *f[FIELDS])
{
	struct fleet_host *h;

	hosts->list = xreallocarray(hosts->list, hosts->n + 1, sizeof *hosts->list);
	h = &hosts->list[hosts->n++];
	*h = (struct fleet_host){.run = from_hex(f[0]),
		.trace_id = xstrdup(f[1]),
		.host = from_hex(f[2]),
		.started_unix_ns = strtoll(f[3], NULL, 10),
		.duration_ns = strtoll(f[4], NULL, 10),
		.complete = f[5][0] == '1',
		.lost = strtoull(f[6], NULL, 10),
		.attached = f[7][0] == '1',
		.backend = from_hex(f[8]),
		.command = from_hex(f[9]),
		.exit_code = (int)strtol(f[10], NULL, 10),
		.exit_signal = (int)strtol(f[11], NULL, 10),
		.whole = !strcmp(f[12], "done"),
		.pushed = strtoull(f[13], NULL, 10),
		.once = f[14][0] == '1'};
}

/* What a host is called: its name, with the beginning of the recording's number where several have the same. */
static void name_hosts(struct fleet_hosts *hosts)
{
	for (size_t i = 0; i < hosts->n; i++) {
		struct fleet_host *h = &hosts->list[i];
		bool same = false;

		for (size_t k = i ? i - 1 : 0; k < hosts->n && k <= i + 1; k++)
			same = same || (k != i && !strcmp(hosts->list[k].host, h->host) &&
					       !strcmp(hosts->list[k].run, h->run));
		h->label = same ? xasprintf("%s/%.4s", h->host, h->trace_id) : xstrdup(h->host);
	}
}

static void index_hosts(struct fleet_hosts *hosts)
{
	hosts->by_trace = xcalloc(1, sizeof *hosts->by_trace);
	for (size_t i = 0; i < hosts->n; i++) {
		const char *id = hosts->list[i].trace_id;

		(void)hash_set(
			hosts->by_trace, hash_bytes(id, strlen(id)), (void *)(uintptr_t)(i + 1));
	}
}

int hosts_find(const struct fleet_hosts *hosts, const char *trace_id, size_t len)
{
	return (int)(intptr_t)hash_get(hosts->by_trace, hash_bytes(trace_id, len)) - 1;
}

int fleet_hosts(struct server *s, const char *run, struct fleet_hosts *ret, struct buf *why)
{
	_cleanup_buf_ struct buf sql = BUF_INIT, out = BUF_INIT;
	const char *at = strstr(hosts_sql, "@where"), *once = strstr(hosts_sql, "@once");
	char *fields[FIELDS], *rest;
	int rc = format_check(s, why);

	*ret = (struct fleet_hosts){0};
	if (rc)
		return rc;
	buf_add(&sql, hosts_sql, (size_t)(at - hosts_sql));
	if (run) {
		buf_adds(&sql, " AND run = ");
		server_quote(&sql, run);
	}
	buf_add(&sql, at + strlen("@where"), (size_t)(once - at) - strlen("@where"));
	buf_adds(&sql, strstr(s->columns.data, " push_rows.once ") ? "once" : "0 AS once");
	buf_adds(&sql, once + strlen("@once"));
	rc = server_ask(s, sql.data, &out, why);
	rest = out.data;
	for (char *line; !rc && (line = server_line(&rest));) {
		rc = server_fields(line, fields, FIELDS, why);
		if (!rc)
			add_host(ret, fields);
	}
	if (!rc && run && !ret->n) {
		buf_addf(why, "the database %s has no run that is called %s", s->address.database,
			run);
		rc = -ENOENT;
	}
	name_hosts(ret);
	index_hosts(ret);
	if (rc)
		fleet_hosts_done(ret);
	return rc;
}

size_t hosts_n_twice(const struct fleet_hosts *hosts)
{
	size_t n = 0;

	for (size_t i = 0; i < hosts->n; i++)
		n += !hosts->list[i].once;
	return n;
}

void hosts_from(struct buf *sql, const struct fleet_hosts *hosts, const char *table)
{
	buf_addf(sql, " FROM `%s_rows`%s WHERE `gone` = 0 AND `run` = ", table,
		hosts_n_twice(hosts) ? " FINAL" : "");
	server_quote(sql, hosts->list[0].run);
}

int64_t fleet_first_id(size_t host)
{
	return (int64_t)(host + 1) << HOST_SHIFT;
}

static int compare_ids(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

/* The numbers of each recording are one text: the server reads that ten times as fast as a list of numbers. */
void hosts_are_among(struct buf *sql, const struct fleet_hosts *hosts, const char *column,
	int64_t *ids, size_t n)
{
	_cleanup_buf_ struct buf numbers = BUF_INIT;
	size_t last = SIZE_MAX;

	qsort(ids, n, sizeof *ids, compare_ids);
	buf_addf(sql,
		"(trace_id, %s) IN (SELECT t, toInt64(arrayJoin(splitByChar(',', s))) FROM system.one ARRAY JOIN [",
		column);
	for (size_t i = 0; i < n; i++) {
		size_t host = (size_t)(ids[i] >> HOST_SHIFT) - 1;

		if (host >= hosts->n)
			continue;
		if (host != last) {
			buf_adds(sql, last == SIZE_MAX ? "" : ",");
			server_quote(sql, hosts->list[host].trace_id);
			buf_adds(&numbers, last == SIZE_MAX ? "'" : "','");
		} else {
			buf_addc(&numbers, ',');
		}
		buf_addf(&numbers, "%lld", (long long)(ids[i] - fleet_first_id(host)));
		last = host;
	}
	buf_addf(sql, "] AS t, [%s%s] AS s)", numbers.data, numbers.len ? "'" : "");
}

void fleet_hosts_done(struct fleet_hosts *hosts)
{
	for (size_t i = 0; i < hosts->n; i++) {
		struct fleet_host *h = &hosts->list[i];

		free(h->run);
		free(h->trace_id);
		free(h->host);
		free(h->label);
		free(h->backend);
		free(h->command);
	}
	free(hosts->list);
	if (hosts->by_trace)
		hash_done(hosts->by_trace);
	free(hosts->by_trace);
	*hosts = (struct fleet_hosts){0};
}
