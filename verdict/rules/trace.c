/* trace.c - the trace itself is not complete. */
/* SPDX-License-Identifier: MIT */
#include "verdict/rules/rules.h"

#include "base/buf.h"
#include "verdict/naming.h"
#include "schema/query.h"

/* What a thread was writing when its process ended is as much the program's end as pptrace's loss. */
#define BROKEN_OFF                                                                                 \
	"(SELECT coalesce(sum(count), 0) FROM lost WHERE source = 'shim: interrupted for good')"

static int add_losses(struct rule_context *ctx, struct finding *f)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	_cleanup_buf_ struct buf b = BUF_INIT;
	int rc = query_one(ctx->db,
		"SELECT source, kind, count FROM lost WHERE count > 0 ORDER BY count DESC, source, kind",
		0, &stmt, ctx->why);

	for (; rc > 0; rc = query_step(stmt, ctx->why)) {
		buf_addf(&b, "%lld records of ", (long long)query_int(stmt, 2, 0));
		if (!strcmp(query_text(stmt, 1), "any")) {
			buf_adds(&b, "any kind");
		} else {
			buf_adds(&b, "kind ");
			buf_add_printable(&b, query_text(stmt, 1), strlen(query_text(stmt, 1)));
		}
		buf_adds(&b, " from ");
		buf_add_printable(&b, query_text(stmt, 0), strlen(query_text(stmt, 0)));
		rule_member(f, &b);
	}
	return rc;
}

int rule_data_loss(struct rule_context *ctx)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	_cleanup_buf_ struct buf b = BUF_INIT;
	bool is_short = query_number(ctx->db,
				"SELECT count(*) FROM lost WHERE source LIKE 'pptrace: memory%'", 0,
				0, ctx->why) > 0;
	bool is_nested =
		query_number(ctx->db,
			"SELECT count(*) FROM lost WHERE source LIKE 'shim: unidentified%'", 0, 0,
			ctx->why) > 0;
	struct finding *f;
	int rc = query_one(ctx->db, "SELECT lost - " BROKEN_OFF ", complete, backend FROM trace", 0,
		&stmt, ctx->why);

	if (rc <= 0)
		return rc;
	if (query_int(stmt, 0, 0) > 0) {
		naming_count(&b, query_int(stmt, 0, 0), "record");
		buf_adds(&b, query_int(stmt, 0, 0) == 1 ? " was" : " were");
		buf_adds(&b, " lost");
		f = rule_report(ctx, "data-loss", 0, &b, NULL,
			is_short
				? "Give the control group or the machine more memory, or record less (--locks=futex)."
			: is_nested
				? "Record with eBPF (--backend=auto, as root): short-lived processes of a PID namespace with a /proc of its own cannot be identified without it."
				: "Record less (--locks=futex, --data=0), or on a machine that is less busy.");
		rc = add_losses(ctx, f);
	} else if (!query_int(stmt, 1, 0) && strcmp(query_text(stmt, 2), "snapshot") != 0 &&
		   /* Whoever may write is closing it just now. */
		   sqlite3_db_readonly(ctx->db, "main") == 1) {
		buf_adds(
			&b, "the trace was not closed: it is still growing, or pptrace was killed");
		(void)rule_report(ctx, "data-loss", 0, &b, NULL,
			"What happened after the last commit is not in the file.");
		rc = 0;
	} else {
		rc = 0;
	}
	return rc;
}
