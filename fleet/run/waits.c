/* waits.c - what the threads of a host wait for. */
/* SPDX-License-Identifier: MIT */
#include "fleet/run/run.h"

#include "base/buf.h"
#include "schema/query.h"
#include "schema/waits.h"
#include "verdict/naming.h"

static const char waits_sql[] =
	"SELECT w.thread_id, w.reason, w.start_ns, w.lock_id, w.pipe_id, w.site_id, w.detail, w.side FROM wait w"
	" JOIN thread t ON t.id = w.thread_id WHERE w.end_ns IS NULL AND t.end_ns IS NULL AND NOT t.housekeeping"
	" AND w.thread_id BETWEEN ?1 AND ?1 + (1 << 40) - 1 AND w.reason <> 'sleep' ORDER BY w.thread_id, w.start_ns";

/* Who has the other side of a connection, on whatever host. */
static int add_others(const struct fleet_graph *g, int64_t pipe_id, int64_t side, struct buf *out,
	struct buf *why)
{
	enum { MOST = 4 };
	_cleanup_stmt_ sqlite3_stmt *row = NULL;
	int rc = query_open(g->db,
		"SELECT DISTINCT process_id FROM pipe_end WHERE pipe_id = ?1 AND side <> ?2 AND close_ns IS NULL LIMIT 5",
		&row, why);

	if (rc)
		return rc;
	query_bind_int(row, 1, pipe_id);
	query_bind_int(row, 2, side);
	for (int n = 0; (rc = query_step(row, why)) > 0; n++) {
		if (n == MOST) {
			buf_adds(out, " and others");
			return 0;
		}
		buf_adds(out, n ? ", " : ", the other side is open in ");
		naming_process(out, g->db, query_int(row, 0, 0));
	}
	return rc;
}

static int add_wait(
	const struct fleet_graph *g, sqlite3_stmt *row, struct buf *out, struct buf *why)
{
	enum wait_reason reason = wait_find(query_text(row, 1));
	const char *detail = query_text(row, 6);
	bool is_lock = !query_null(row, 3);
	int rc = 0;

	buf_adds(out, "  ");
	naming_thread(out, g->db, query_int(row, 0, 0));
	/* A lock's name begins with its kind, which the words of most reasons say too. */
	buf_addf(out, " %s",
		is_lock && reason != WAIT_LOCK_POLL ? "waits for" : wait_info(reason)->words);
	if (is_lock) {
		buf_adds(out, " the ");
		naming_lock(out, g->db, query_int(row, 3, 0));
	} else if (!query_null(row, 4)) {
		buf_addc(out, ' ');
		naming_pipe(out, g->db, query_int(row, 4, 0));
	} else if (*detail) {
		buf_adds(out, ": ");
		buf_add_printable(out, detail, strlen(detail));
	}
	buf_adds(out, " since ");
	naming_time(out, query_int(row, 2, 0));
	naming_site(out, g->db, query_int(row, 5, 0));
	if (!query_null(row, 4) && !query_null(row, 7))
		rc = add_others(g, query_int(row, 4, 0), query_int(row, 7, 0), out, why);
	buf_addc(out, '\n');
	return rc;
}

int fleet_waits(const struct fleet_graph *g, size_t host, struct buf *out, struct buf *why)
{
	_cleanup_stmt_ sqlite3_stmt *row = NULL;
	int rc = query_one(g->db, waits_sql, fleet_first_id(host), &row, why);

	if (!rc)
		buf_adds(out, "  nobody waits\n");
	while (rc > 0) {
		rc = add_wait(g, row, out, why);
		if (!rc)
			rc = query_step(row, why);
	}
	return query_failed(rc, why);
}
