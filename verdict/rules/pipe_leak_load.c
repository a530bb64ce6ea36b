/* pipe_leak_load.c - read who waits for the other end of a pipe, who holds it, and who used it. */
/* SPDX-License-Identifier: MIT */
/* Ends and users are read once for all waits together, whatever indexes there are. */
#include "verdict/rules/pipe_leak.h"

#include "base/buf.h"
#include "base/mem.h"
#include "schema/query.h"

/* Of a connection to a server one process often greets, and leaves the rest to another one that it makes. */
#define KINDS "'pipe', 'fifo', 'socketpair'"
static const char waits_sql[] =
	"WITH long AS MATERIALIZED (SELECT w.*, t.process_id, p.end_kind AS how"
	"  FROM wait w JOIN thread t ON t.id = w.thread_id JOIN process p ON p.id = t.process_id"
	"  WHERE w.reason IN ('pipe-read', 'pipe-write', 'poll') AND (w.reason = 'poll') = (w.pipe_id IS NULL)"
	"  AND (w.reason <> 'poll' OR w.timed = 0)"
	"  AND w.start_ns < ?1 AND min(coalesce(w.end_ns, ?1), ?1) - w.start_ns >= ?2),"
	/* One pass over all that was read, for all waits together: most reads are not end-of-file. */
	" ended AS MATERIALIZED (SELECT w.id FROM pipe_io i CROSS JOIN long w ON w.thread_id = i.thread_id"
	/* A thread makes one call at a time: this one returned after the wait, and had begun before it, however long before. */
	"  WHERE EXISTS (SELECT 1 FROM long WHERE end_ns <= ?1) AND i.bytes = 0 AND i.op = 'read'"
	"   AND i.pipe_id = w.pipe_id AND i.start_ns <= w.end_ns AND i.end_ns >= w.end_ns),"
	/*
	 * Of each thread the last wait that a call of its began: after that it did nothing but die, where a signal killed its
	 * process. Who kills a whole tree stops it first, and a thread that dies may have to wait in the kernel.
	 */
	" last AS MATERIALIZED (SELECT thread_id, max(start_ns) AS start_ns FROM wait"
	"  WHERE reason NOT IN ('stopped', 'other') AND EXISTS (SELECT 1 FROM long WHERE how = 'signal' AND end_ns <= ?1) GROUP BY thread_id),"
	" found AS MATERIALIZED (SELECT w.* FROM long w LEFT JOIN last l ON l.thread_id = w.thread_id"
	"  WHERE w.end_ns IS NULL OR w.end_ns > ?1"
	"  OR (w.how = 'signal' AND w.start_ns = l.start_ns) OR w.id IN (SELECT id FROM ended))"
	"SELECT w.id, w.thread_id, w.process_id, w.pipe_id, w.reason = 'pipe-write', w.side,"
	" w.start_ns, min(coalesce(w.end_ns, ?1), ?1), w.site_id, p.kind = 'socketpair'"
	" FROM found w JOIN pipe p ON p.id = w.pipe_id AND p.kind IN (" KINDS ")"
	" UNION ALL"
	" SELECT w.id, w.thread_id, w.process_id, o.pipe_id, o.mode = 'w', o.side,"
	" w.start_ns, min(coalesce(w.end_ns, ?1), ?1), w.site_id, p.kind = 'socketpair'"
	" FROM found w JOIN wait_on o ON o.wait_id = w.id"
	" JOIN pipe p ON p.id = o.pipe_id AND p.kind IN (" KINDS ") WHERE w.reason = 'poll'"
	" ORDER BY 1";

/* Parameter: the pipes, as a JSON array. The last column: the process has executed a program since it inherited the end, or another way. */
static const char ends_sql[] =
	"SELECT e.pipe_id, e.process_id, e.fd, e.side, instr(e.mode, 'r'), instr(e.mode, 'w'), e.open_ns, e.close_ns,"
	" e.open_via = 'inherit', e.close_via, e.open_via IS NOT 'inherit'"
	"  OR coalesce(x.ts_ns < coalesce(e.close_ns, 9223372036854775807), 0)"
	" FROM pipe_end e LEFT JOIN (SELECT process_id, min(ts_ns) AS ts_ns FROM exec WHERE errno IS NULL"
	"  GROUP BY process_id) x ON x.process_id = e.process_id"
	" WHERE e.pipe_id IN (SELECT value FROM json_each(?1)) ORDER BY e.pipe_id, e.process_id, e.fd";
static const char users_sql[] =
	"SELECT i.pipe_id, i.op = 'write', i.side, t.process_id FROM"
	" (SELECT DISTINCT pipe_id, op, side, thread_id FROM pipe_io WHERE bytes > 0"
	"  AND pipe_id IN (SELECT value FROM json_each(?1))) i JOIN thread t ON t.id = i.thread_id";

void leaks_done(struct leaks *l)
{
	free(l->waits);
	free(l->ends);
	hash_done(&l->first);
	hash_done(&l->users);
	hash_done(&l->seen);
	hash_done(&l->told);
	hash_done(&l->parents);
}

static int load_waits(struct leaks *l)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	struct rule_context *ctx = l->ctx;
	int rc = query_open(ctx->db, waits_sql, &stmt, ctx->why);

	if (rc)
		return rc;
	query_bind_int(stmt, 1, ctx->now_ns);
	query_bind_int(stmt, 2, ctx->live_ns ? ctx->live_ns : ctx->instant ? 0 : LEAK_LEAST_NS);
	while ((rc = query_step(stmt, ctx->why)) > 0) {
		ARRAY_GROW(l->waits, l->n_waits, l->cap_waits);
		l->waits[l->n_waits++] = (struct leak_wait){.wait = query_int(stmt, 0, 0),
			.thread = query_int(stmt, 1, 0),
			.process = query_int(stmt, 2, 0),
			.pipe = query_int(stmt, 3, 0),
			.writes = query_int(stmt, 4, 0) != 0,
			.side = query_int(stmt, 5, 0) != 0,
			.start_ns = query_int(stmt, 6, 0),
			.end_ns = query_int(stmt, 7, 0),
			.site = query_int(stmt, 8, 0),
			.is_socketpair = query_int(stmt, 9, 0) != 0};
	}
	return rc;
}

/* The pipes that are waited for, as a JSON array. */
static void list_pipes(const struct leaks *l, struct buf *json)
{
	struct hash seen = {0};

	buf_addc(json, '[');
	for (size_t i = 0; i < l->n_waits; i++)
		if (!hash_set(&seen, (uint64_t)l->waits[i].pipe, json))
			buf_addf(json, "%s%lld", json->len > 1 ? "," : "",
				(long long)l->waits[i].pipe);
	buf_addc(json, ']');
	hash_done(&seen);
}

static int load_ends(struct leaks *l, const struct buf *pipes)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	struct rule_context *ctx = l->ctx;
	int rc = query_open(ctx->db, ends_sql, &stmt, ctx->why);

	if (rc)
		return rc;
	query_bind_bytes(stmt, 1, pipes->data, pipes->len);
	while ((rc = query_step(stmt, ctx->why)) > 0) {
		struct leak_end e = {.pipe = query_int(stmt, 0, 0),
			.process = query_int(stmt, 1, 0),
			.fd = query_int(stmt, 2, -1),
			.side = query_int(stmt, 3, 0) != 0,
			.reads = query_int(stmt, 4, 0) != 0,
			.writes = query_int(stmt, 5, 0) != 0,
			.open_ns = query_int(stmt, 6, 0),
			.close_ns = query_int(stmt, 7, INT64_MAX),
			.inherited = query_int(stmt, 8, 0) != 0,
			.is_settled = query_int(stmt, 10, 0) != 0};
		const char *via = query_text(stmt, 9);

		e.is_given_up =
			!strcmp(via, "exec") ||
			(!e.is_settled && (!strcmp(via, "close") || !strcmp(via, "replaced")));
		for (int writes = 0; writes < 2; writes++)
			if (writes ? e.writes : e.reads)
				(void)hash_set(&l->users,
					hash_mix(leak_direction(e.pipe, writes, e.side),
						(uint64_t)e.process, 2),
					l);
		if (!hash_get(&l->first, (uint64_t)e.pipe))
			(void)hash_set(&l->first, (uint64_t)e.pipe, (void *)(l->n_ends + 1));
		ARRAY_GROW(l->ends, l->n_ends, l->cap_ends);
		l->ends[l->n_ends++] = e;
	}
	return rc;
}

static int load_users(struct leaks *l, const struct buf *pipes)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	struct rule_context *ctx = l->ctx;
	int rc = query_open(ctx->db, users_sql, &stmt, ctx->why);

	if (rc)
		return rc;
	query_bind_bytes(stmt, 1, pipes->data, pipes->len);
	while ((rc = query_step(stmt, ctx->why)) > 0) {
		uint64_t key = leak_direction(query_int(stmt, 0, 0), query_int(stmt, 1, 0) != 0,
			query_int(stmt, 2, 0) != 0);

		(void)hash_set(&l->users, hash_mix(key, (uint64_t)query_int(stmt, 3, 0), 1), l);
	}
	return rc;
}

static int load_parents(struct leaks *l)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	struct rule_context *ctx = l->ctx;
	int rc = query_open(ctx->db,
		"SELECT id, parent_id FROM process WHERE parent_id IS NOT NULL", &stmt, ctx->why);

	while (!rc && (rc = query_step(stmt, ctx->why)) > 0) {
		(void)hash_set(&l->parents, (uint64_t)query_int(stmt, 0, 0),
			(void *)(uintptr_t)query_int(stmt, 1, 0));
		rc = 0;
	}
	return rc;
}

int leaks_load(struct leaks *l)
{
	_cleanup_buf_ struct buf pipes = BUF_INIT;
	int rc = load_waits(l);

	if (rc || !l->n_waits)
		return rc;
	list_pipes(l, &pipes);
	rc = load_ends(l, &pipes);
	if (!rc)
		rc = load_users(l, &pipes);
	if (!rc)
		rc = load_parents(l);
	return rc;
}
