/* clocks.c - how far the clocks of the hosts are apart. */
/* SPDX-License-Identifier: MIT */
/*
 * Each recording has its host's time of day at moments through it, which puts all of them on one axis, as well as the clocks of
 * the hosts agree. What was sent bounds by how much they do not: a byte is not read before its write began. So every message
 * from a to b says that the clock of b is not further behind that of a than the message took, one back
 * says the opposite, and hosts that did not speak to each other are bounded through others that did. The first host is what
 * all are compared with. This is asked before anything else, of connections that may have been closed long before the end.
 */
#include "fleet/run/run.h"

#include "base/buf.h"
#include "base/mem.h"
#include "schema/query.h"

#include <errno.h>

#define UNKNOWN INT64_MAX

/* ---- Time of day ---- */

static ssize_t host_of(const struct fleet_graph *g, const char *trace_id)
{
	return hosts_find(g->hosts, trace_id, strlen(trace_id));
}

/* Of each recording the time of day of its start as its last look at the clocks has it, and how much that changed. */
static int read_line(struct fleet_graph *g, const char *line, int64_t *starts, struct buf *why)
{
	long long start, stepped;
	char trace_id[64];
	ssize_t host;

	if (sscanf(line, "%63s %lld %lld", trace_id, &start, &stepped) != 3)
		return server_odd(why);
	host = host_of(g, trace_id);
	if (host >= 0) {
		starts[host] = start;
		g->cuts[host].stepped_ns = stepped;
	}
	return 0;
}

int clocks_read(struct server *s, struct fleet_graph *g, struct buf *why)
{
	_cleanup_free_ int64_t *starts = xcalloc(g->hosts->n + 1, sizeof *starts);
	_cleanup_buf_ struct buf sql = BUF_INIT, out = BUF_INIT;
	char *rest;
	int rc = 0;

	for (size_t i = 0; i < g->hosts->n; i++)
		starts[i] = g->hosts->list[i].started_unix_ns;
	buf_adds(&sql,
		"SELECT trace_id, argMax(unix_ns - ts_ns, ts_ns), max(unix_ns - ts_ns) - min(unix_ns - ts_ns)");
	hosts_from(&sql, g->hosts, "clock");
	buf_adds(&sql, " GROUP BY trace_id");
	/* An older pptrace made the tables: the start is all that is known. */
	if (strstr(s->columns.data, " clock_rows.ts_ns "))
		rc = server_ask(s, sql.data, &out, why);
	rest = out.data;
	for (char *line; !rc && (line = server_line(&rest));)
		rc = read_line(g, line, starts, why);
	for (size_t i = 0; i < g->hosts->n; i++)
		if (!i || starts[i] < g->start_unix_ns)
			g->start_unix_ns = starts[i];
	for (size_t i = 0; i < g->hosts->n; i++)
		g->cuts[i].shift_ns = starts[i] - g->start_unix_ns;
	return rc;
}

/* ---- What messages say ---- */

/* The clock of host to is at most by so much ahead of that of host from. */
struct bound {
	size_t from, to;
	int64_t ns;
};

struct bounds {
	struct bound *list;
	size_t n, cap;
};

/* The first reads and writes of one side of a connection, in their order. */
struct side {
	int64_t *start_ns, *took_ns, *bytes; /* bytes: written; less than 0: read */
	size_t n, side;                      /* side: 0 or 1, as its recording has it */
};

/* A connection that two recordings have: the hosts, and what it is called there. */
struct connection {
	size_t host[2];
	int64_t id[2];
	bool is_mirrored; /* what is local in one of them is remote in the other */
	struct side sides[2];
};

struct connections {
	struct connection *list;
	size_t n, cap;
};

struct clocks {
	struct connections connections;
	struct hash by_side;
	struct ahead *ahead; /* asked about them; NULL: there are none */
};

static void side_done(struct side *side)
{
	free(side->start_ns);
	free(side->took_ns);
	free(side->bytes);
	*side = (struct side){0};
}

/* "12,34,..." into numbers. */
static size_t read_numbers(const char *text, int64_t **ret)
{
	size_t n = 0, cap = 0;

	*ret = NULL;
	for (char *end; *text; text = *end == ',' ? end + 1 : end) {
		long long number = strtoll(text, &end, 10);

		if (end == text)
			break;
		ARRAY_GROW(*ret, n, cap);
		(*ret)[n++] = number;
	}
	return n;
}

/* What of one side goes in that direction: bytes so far, and when. */
static void add_bound(
	struct bounds *b, const struct side *from, const struct side *to, size_t a, size_t z)
{
	int64_t written = 0, got = 0, least = UNKNOWN;
	size_t w = 0, last = 0;

	for (size_t r = 0; r < to->n; r++) {
		int64_t took;

		if (to->bytes[r] >= 0)
			continue;
		got -= to->bytes[r];
		/* The write that brought the last of those bytes. */
		for (; written < got && w < from->n; w++)
			if (from->bytes[w] > 0) {
				written += from->bytes[w];
				last = w;
			}
		if (written < got)
			break;
		took = to->start_ns[r] + to->took_ns[r] - from->start_ns[last];
		least = took < least ? took : least;
	}
	if (least == UNKNOWN)
		return;
	ARRAY_GROW(b->list, b->n, b->cap);
	b->list[b->n++] = (struct bound){a, z, least};
}

static bool is_good(const struct fleet_host *h)
{
	return h->whole && !h->lost && !h->attached;
}

#define PLAIN(column) "replaceAll(replaceAll(assumeNotNull(" column "), '[::ffff:', ''), ']', '')"

/* A few of each two hosts are enough. Of one whose birth was not seen the first bytes are not known. */
static int find_connections(
	struct server *s, const struct fleet_graph *g, struct connections *ret, struct buf *why)
{
	_cleanup_buf_ struct buf sql = BUF_INIT, out = BUF_INIT;
	char *rest;
	int rc;

	buf_adds(&sql,
		"SELECT ts[1] AS t1, ts[2] AS t2, ids[1], ids[2], ls[1] <> ls[2] FROM (SELECT groupArray(trace_id) AS ts, groupArray(id) AS ids,"
		" groupArray(l) AS ls FROM (SELECT trace_id, id, " PLAIN("local") " AS l, " PLAIN(
			"remote") " AS r");
	hosts_from(&sql, g->hosts, "pipe");
	buf_adds(&sql,
		" AND kind = 'tcp' AND local IS NOT NULL AND remote IS NOT NULL AND created_ns IS NOT NULL)"
		" WHERE NOT startsWith(l, '127.') AND NOT startsWith(l, '[::1') GROUP BY if(l < r, concat(l, ' ', r), concat(r, ' ', l))"
		" HAVING length(ts) = 2 AND ts[1] <> ts[2]) LIMIT 8 BY t1, t2");
	rc = server_ask(s, sql.data, &out, why);
	rest = out.data;
	for (char *line; !rc && (line = server_line(&rest));) {
		char a[64], z[64];
		long long i, k;
		unsigned mirrored;
		ssize_t x, y;

		if (sscanf(line, "%63s %63s %lld %lld %u", a, z, &i, &k, &mirrored) != 5)
			return server_odd(why);
		x = host_of(g, a);
		y = host_of(g, z);
		if (x < 0 || y < 0 || !is_good(&g->hosts->list[x]) || !is_good(&g->hosts->list[y]))
			continue;
		ARRAY_GROW(ret->list, ret->n, ret->cap);
		ret->list[ret->n++] = (struct connection){
			.host = {(size_t)x, (size_t)y}, .id = {i, k}, .is_mirrored = mirrored != 0};
	}
	return rc;
}

static uint64_t side_key(const char *trace_id, int64_t id)
{
	return hash_mix(hash_bytes(trace_id, strlen(trace_id)), (uint64_t)id, 1);
}

/* A line: recording, connection, side, and of each read or write when it began, how long it took, and how many bytes it wrote; of a read less than 0. */
static int take_side(struct fleet_graph *g, char *line, const struct hash *by_side, struct buf *why)
{
	char *fields[6];
	struct side *side;
	int64_t shift;
	ssize_t host;
	int rc = server_fields(line, fields, ARRAY_SIZE(fields), why);

	if (rc)
		return rc;
	host = host_of(g, fields[0]);
	side = hash_get(by_side, side_key(fields[0], strtoll(fields[1], NULL, 10)));
	if (!side || side->n || host < 0)
		return 0;
	shift = g->cuts[host].shift_ns;
	side->side = fields[2][0] == '1';
	side->n = read_numbers(fields[3], &side->start_ns);
	if (read_numbers(fields[4], &side->took_ns) != side->n ||
		read_numbers(fields[5], &side->bytes) != side->n)
		return server_odd(why);
	for (size_t i = 0; i < side->n; i++)
		side->start_ns[i] += shift;
	return 0;
}

/*
 * The first of them are enough: what they took is near to what any takes. They are in the order in which they were made by their ids
 * within a recording; each group is sorted for itself, which takes half as long as sorting all.
 */
#define FIRST(what)                                                                                \
	"arraySlice(arraySort((x, i) -> i, groupArray(" what "), groupArray(id)), 1, 64)"
#define FIRST_NUMBERS(what) "arrayStringConcat(arrayMap(x -> toString(x), " FIRST(what) "), ',')"

static void add_question(
	struct buf *sql, const struct fleet_graph *g, struct connections *c, struct hash *by_side)
{
	_cleanup_free_ int64_t *ids = xcalloc(2 * c->n, sizeof *ids);

	buf_adds(sql,
		"SELECT trace_id, pipe_id, any(side), " FIRST_NUMBERS("start_ns") ", " FIRST_NUMBERS(
			"ifNull(end_ns, start_ns) - start_ns") ", " FIRST_NUMBERS("if(op = 'read', 0 - ifNull(bytes, 0), ifNull(bytes, 0))"));
	hosts_from(sql, g->hosts, "pipe_io");
	buf_adds(sql, " AND bytes > 0 AND id <= 20000 AND ");
	for (size_t i = 0; i < c->n; i++)
		for (size_t k = 0; k < 2; k++) {
			size_t host = c->list[i].host[k];

			ids[2 * i + k] = fleet_first_id(host) + c->list[i].id[k];
			(void)hash_set(by_side,
				side_key(g->hosts->list[host].trace_id, c->list[i].id[k]),
				&c->list[i].sides[k]);
		}
	hosts_are_among(sql, g->hosts, "pipe_id", ids, 2 * c->n);
	buf_adds(sql, " GROUP BY trace_id, pipe_id");
}

static int keep(void *arg, const char *data, size_t len)
{
	buf_add(arg, data, len);
	return 0;
}

static int read_bounds(struct clocks *c, struct fleet_graph *g, struct bounds *ret, struct buf *why)
{
	_cleanup_buf_ struct buf out = BUF_INIT;
	int rc = c->ahead ? ahead_read(c->ahead, keep, &out, why) : 0;
	char *rest = out.data;

	for (char *line; !rc && (line = server_line(&rest));)
		rc = take_side(g, line, &c->by_side, why);
	for (size_t i = 0; !rc && i < c->connections.n; i++) {
		const struct connection *x = &c->connections.list[i];

		/* Both have the same one as their own: networks that use the same addresses. */
		if ((x->sides[0].side == x->sides[1].side) != x->is_mirrored)
			continue;
		add_bound(ret, &x->sides[0], &x->sides[1], x->host[0], x->host[1]);
		add_bound(ret, &x->sides[1], &x->sides[0], x->host[1], x->host[0]);
	}
	return rc;
}

/* ---- All hosts ---- */

/*
 * How far each clock is ahead of the first one's at most; backwards: how far the first one's is ahead of it. Bellman and
 * Ford. Returns false if the bounds contradict each other.
 */
static bool spread(const struct bounds *b, size_t n, bool backwards, int64_t *ret)
{
	bool changed = true;

	for (size_t i = 0; i < n; i++)
		ret[i] = i ? UNKNOWN : 0;
	for (size_t round = 0; changed && round <= n; round++) {
		changed = false;
		for (size_t i = 0; i < b->n; i++) {
			size_t from = backwards ? b->list[i].to : b->list[i].from;
			size_t to = backwards ? b->list[i].from : b->list[i].to;

			if (ret[from] == UNKNOWN || ret[from] + b->list[i].ns >= ret[to])
				continue;
			ret[to] = ret[from] + b->list[i].ns;
			changed = true;
		}
	}
	return !changed;
}

int clocks_ask(struct clocks **ret, struct server *s, const struct fleet_graph *g, struct buf *why)
{
	struct clocks *c = xcalloc(1, sizeof *c);
	_cleanup_buf_ struct buf sql = BUF_INIT;
	int rc = g->hosts->n > 1 ? find_connections(s, g, &c->connections, why) : 0;

	if (!rc && c->connections.n) {
		add_question(&sql, g, &c->connections, &c->by_side);
		rc = ahead_new(&c->ahead, s, why);
	}
	if (c->ahead)
		ahead_ask(c->ahead, buf_steal(&sql));
	if (rc)
		clocks_free(c);
	else
		*ret = c;
	return rc;
}

void clocks_free(struct clocks *c)
{
	if (!c)
		return;
	ahead_free(c->ahead);
	for (size_t i = 0; i < c->connections.n; i++) {
		side_done(&c->connections.list[i].sides[0]);
		side_done(&c->connections.list[i].sides[1]);
	}
	free(c->connections.list);
	hash_done(&c->by_side);
	free(c);
}

int clocks_bound(struct clocks *c, struct fleet_graph *g, struct buf *why)
{
	_cleanup_free_ int64_t *ahead = xcalloc(g->hosts->n + 1, sizeof *ahead);
	_cleanup_free_ int64_t *behind = xcalloc(g->hosts->n + 1, sizeof *behind);
	struct bounds b = {0};
	int rc = read_bounds(c, g, &b, why);
	bool fits = !rc && spread(&b, g->hosts->n, false, ahead) &&
		    spread(&b, g->hosts->n, true, behind);

	for (size_t i = 0; !rc && i < g->hosts->n; i++) {
		struct fleet_cut *cut = &g->cuts[i];

		cut->apart_ns = -1;
		if (!fits || ahead[i] == UNKNOWN || behind[i] == UNKNOWN)
			continue;
		cut->apart_ns = (ahead[i] + behind[i]) / 2;
		/* Where they may agree they are left as they are. */
		if (ahead[i] < 0 || behind[i] < 0) {
			cut->ahead_ns += (ahead[i] - behind[i]) / 2;
			cut->shift_ns -= (ahead[i] - behind[i]) / 2;
		} else {
			cut->apart_ns = ahead[i] > behind[i] ? ahead[i] : behind[i];
		}
	}
	free(b.list);
	return rc;
}
