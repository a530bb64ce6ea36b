/* mpi.c - messages of MPI that nobody received, collective calls that do not fit together. */
/* SPDX-License-Identifier: MIT */
#include "verdict/rules/rules.h"

#include "base/buf.h"
#include "schema/query.h"
#include "schema/version.h"
#include "verdict/naming.h"

enum { MOST = 20 /* findings of a rule */ };

static bool has_mpi(struct rule_context *ctx)
{
	return version_has(ctx->db, "mpi_comm") &&
	       query_number(ctx->db, "SELECT EXISTS (SELECT 1 FROM mpi_comm)", 0, 0, ctx->why) > 0;
}

static void add_comm(struct buf *b, const char *name)
{
	buf_adds(b, " on ");
	if (*name)
		buf_add_printable(b, name, strlen(name));
	else
		buf_adds(b, "a communicator without a name");
}

static int64_t main_thread(struct rule_context *ctx, int64_t process)
{
	return query_number(ctx->db, "SELECT id FROM thread WHERE process_id = ?1 AND is_main",
		process, 0, ctx->why);
}

static struct finding_member *add_rank(
	struct rule_context *ctx, struct finding *f, struct buf *b, int64_t process, int64_t site)
{
	struct finding_member *m = rule_member(f, b);

	m->process_id = process;
	m->thread_id = main_thread(ctx, process);
	m->site_id = site;
	return m;
}

/* ---- Messages ---- */

/* Both ranks have come to their MPI_Finalize: nobody will receive any more. */
static const char unmatched_sql[] =
	"SELECT s.id, d.id, s.mpi_rank, d.mpi_rank, t.tag, coalesce(c.name, ''), t.site_id,"
	" t.sent - (SELECT coalesce(sum(r.received), 0) FROM mpi_traffic r JOIN mpi_comm x ON x.id = r.comm_id"
	"  WHERE r.process_id = d.id AND r.peer = s.mpi_rank AND r.tag = t.tag AND x.key = c.key) AS missing,"
	" max(s.mpi_end_ns, d.mpi_end_ns)"
	" FROM mpi_traffic t JOIN mpi_comm c ON c.id = t.comm_id"
	" JOIN process s ON s.id = t.process_id AND s.mpi_job <> '' AND s.mpi_end_ns <= ?1"
	" JOIN process d ON d.mpi_job = s.mpi_job AND d.mpi_rank = t.peer AND d.mpi_end_ns <= ?1"
	" WHERE t.sent > 0 AND missing > 0"
	/* Not where two jobs have one name. */
	" AND NOT EXISTS (SELECT 1 FROM process o WHERE o.mpi_job = s.mpi_job AND o.mpi_rank IN (s.mpi_rank, d.mpi_rank)"
	"  AND o.id NOT IN (s.id, d.id))"
	" ORDER BY s.mpi_rank, d.mpi_rank, t.tag LIMIT 20"; /* MOST */

static void report_unmatched(struct rule_context *ctx, sqlite3_stmt *row)
{
	long long from = query_int(row, 2, 0), to = query_int(row, 3, 0),
		  tag = query_int(row, 4, 0);
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct finding *f;

	naming_count(&b, query_int(row, 7, 0), "message");
	buf_addf(&b, " from rank %lld to rank %lld with tag %lld", from, to, tag);
	add_comm(&b, query_text(row, 5));
	buf_adds(&b, query_int(row, 7, 0) == 1 ? " was never received" : " were never received");
	f = rule_report(ctx, "mpi-unmatched-message", query_int(row, 8, 0), &b, NULL,
		"Receive what is sent, with the same tag and communicator, or do not send it.");
	buf_addf(&b, "rank %lld, ", from);
	naming_process(&b, ctx->db, query_int(row, 0, 0));
	buf_adds(&b, ", sent last");
	naming_site(&b, ctx->db, query_int(row, 6, 0));
	(void)add_rank(ctx, f, &b, query_int(row, 0, 0), query_int(row, 6, 0));
	buf_addf(&b, "rank %lld, ", to);
	naming_process(&b, ctx->db, query_int(row, 1, 0));
	buf_adds(&b, ", called MPI_Finalize without having received");
	(void)add_rank(ctx, f, &b, query_int(row, 1, 0), 0);
}

int rule_mpi_unmatched(struct rule_context *ctx)
{
	_cleanup_stmt_ sqlite3_stmt *row = NULL;
	int rc = has_mpi(ctx) ? query_one(ctx->db, unmatched_sql, ctx->now_ns, &row, ctx->why) : 0;

	for (; rc > 0; rc = query_step(row, ctx->why))
		report_unmatched(ctx, row);
	return rc;
}

/* ---- Collective calls ---- */

/* A place in the order at which the members made calls that do not fit together; of each call the first who made it. */
static const char order_sql[] =
	"WITH made AS MATERIALIZED (SELECT c.key AS key, y.seq AS seq, y.op AS op, iif(y.peer >= 0, y.peer, NULL) AS root,"
	"  y.start_ns AS at, y.thread_id AS thread, y.site_id AS site, max(c.name) AS name, min(y.start_ns), count(*) AS n"
	"  FROM sync y JOIN mpi_comm c ON c.id = y.comm_id WHERE y.seq IS NOT NULL AND y.start_ns <= ?1"
	"  GROUP BY 1, 2, 3, 4),"
	" wrong AS (SELECT key, seq, min(at) AS at FROM made GROUP BY key, seq HAVING count(*) > 1)"
	/* Of one communicator the first: what follows does so from that. */
	" SELECT w.key, w.seq, coalesce(m.name, ''), m.op, m.root, m.at, m.thread, m.site, m.n,"
	" t.process_id, p.mpi_rank FROM (SELECT key, min(seq) AS seq FROM wrong GROUP BY key) w"
	" JOIN made m ON m.key = w.key AND m.seq = w.seq JOIN thread t ON t.id = m.thread"
	" JOIN process p ON p.id = t.process_id ORDER BY w.key, m.n DESC, m.at";

/* "MPI_Bcast with root 2" */
static void add_call(struct buf *b, sqlite3_stmt *row)
{
	query_add_text(b, row, 3);
	if (!query_null(row, 4))
		buf_addf(b, " with root %lld", (long long)query_int(row, 4, 0));
}

/* Adds who made the call, and begins a finding with the first of them. */
static void report_call(struct rule_context *ctx, sqlite3_stmt *row, struct finding **f)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	int64_t others = query_int(row, 8, 1) - 1;
	struct finding_member *m;

	if (!*f) {
		buf_addf(&b, "collective call no. %lld", (long long)query_int(row, 1, 0));
		add_comm(&b, query_text(row, 2));
		buf_adds(&b, " is not the same on all ranks");
		*f = rule_report(ctx, "mpi-collective-order", query_int(row, 5, 0), &b, NULL,
			"Make the same collective calls in the same order, with the same root, on all members.");
	}
	buf_addf(&b, "rank %lld, ", (long long)query_int(row, 10, 0));
	naming_thread(&b, ctx->db, query_int(row, 6, 0));
	if (others)
		buf_addf(&b, ", and %lld more", (long long)others);
	buf_adds(&b, others ? ", call " : ", calls ");
	add_call(&b, row);
	naming_site(&b, ctx->db, query_int(row, 7, 0));
	m = add_rank(ctx, *f, &b, query_int(row, 9, 0), query_int(row, 7, 0));
	m->thread_id = query_int(row, 6, 0);
}

int rule_mpi_order(struct rule_context *ctx)
{
	_cleanup_stmt_ sqlite3_stmt *row = NULL;
	struct finding *f = NULL;
	int64_t key = 0;
	int n = 0,
	    rc = has_mpi(ctx) ? query_one(ctx->db, order_sql, ctx->now_ns, &row, ctx->why) : 0;

	for (; rc > 0; rc = query_step(row, ctx->why)) {
		if (query_int(row, 0, 0) != key) {
			f = NULL;
			key = query_int(row, 0, 0);
			if (n++ == MOST)
				return 0;
		}
		report_call(ctx, row, &f);
	}
	return rc;
}
