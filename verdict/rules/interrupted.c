/* interrupted.c - when somebody outside interrupted or killed a program. */
/* SPDX-License-Identifier: MIT */
#include "verdict/rules/interrupted.h"

#include "base/buf.h"
#include "base/mem.h"
#include "schema/query.h"
#include "verdict/naming.h"

/*
 * A signal that is sent to end a program (HUP, INT, QUIT, ABRT, KILL, ALRM, TERM and the two of the user's) by
 * nobody in the trace, and that its process did not long outlive: it died of it, or its handler cleaned up.
 * Of several to one process the first counts. One that nobody saw being sent was noticed late.
 */
#define CAME                                                                                                                   \
	"SELECT min(coalesce(s.sent_ns, coalesce(s.delivered_ns, q.end_ns) - 100000000)) AS at, s.signo AS signo, q.id AS id," \
	" s.source = 'pptrace' AS own"                                                                                         \
	" FROM signal s JOIN process q ON q.id = s.process_id"                                                                 \
	" WHERE s.sender_id IS NULL AND s.source IN ('kill', 'tty', 'queue', 'pptrace', 'unknown')"                            \
	"  AND s.signo IN (1, 2, 3, 6, 9, 10, 12, 14, 15) AND s.result IS NOT 'ignored'"                                       \
	"  AND q.end_ns - coalesce(s.sent_ns, coalesce(s.delivered_ns, q.end_ns) - 100000000) BETWEEN 0 AND 5000000000"        \
	" GROUP BY q.id"

static const char sql[] = CAME " ORDER BY at LIMIT 64";

/* Of each group of processes the first that came at most 5 s before the end of the last of them: SQLite takes signo and own from the row of the minimum. */
static const char groups_sql[] =
	"WITH last AS (SELECT id >> ?1 AS g, max(end_ns) AS e FROM process GROUP BY 1)"
	" SELECT l.g, min(c.at), c.signo, c.own FROM (" CAME ") c JOIN last l ON l.g = c.id >> ?1"
	" WHERE l.e - c.at <= 5000000000 GROUP BY l.g";

int interruptions_find(struct sqlite3 *db, struct interruptions *ret, struct buf *why)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	int rc = query_one(db, sql, 0, &stmt, why);

	ret->n = 0;
	for (; rc > 0 && ret->n < ARRAY_SIZE(ret->list); rc = query_step(stmt, why))
		ret->list[ret->n++] = (struct interruption){.at_ns = query_int(stmt, 0, 0),
			.signo = (int)query_int(stmt, 1, 0),
			.by_pptrace = query_int(stmt, 3, 0) != 0};
	return rc < 0 ? rc : 0;
}

int verdict_interrupted_groups(struct sqlite3 *db, int bits,
	void (*found)(void *arg, int64_t group, const struct interruption *in), void *arg,
	struct buf *why)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	int rc = query_one(db, groups_sql, bits, &stmt, why);

	for (; rc > 0; rc = query_step(stmt, why)) {
		const struct interruption in = {.at_ns = query_int(stmt, 1, 0),
			.signo = (int)query_int(stmt, 2, 0),
			.by_pptrace = query_int(stmt, 3, 0) != 0};

		found(arg, query_int(stmt, 0, 0), &in);
	}
	return rc;
}

static void keep(void *arg, int64_t group, const struct interruption *in)
{
	(void)group;
	*(struct interruption *)arg = *in;
}

int verdict_interrupted(struct sqlite3 *db, struct interruption *ret, struct buf *why)
{
	struct interruption in = {0};
	int rc = verdict_interrupted_groups(db, 62, keep, &in, why);

	if (rc || !in.signo)
		return rc;
	*ret = in;
	return 1;
}

const struct interruption *interruptions_between(
	const struct interruptions *in, int64_t from_ns, int64_t to_ns)
{
	const struct interruption *last = NULL;

	for (size_t i = 0; i < in->n; i++)
		if (in->list[i].at_ns >= from_ns && in->list[i].at_ns <= to_ns)
			last = &in->list[i];
	return last;
}

const char interruption_words[] = "it lasted until ";

void interruption_note(struct finding *f, const struct interruption *in)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	if (f->explanation)
		buf_adds(&b, f->explanation);
	if (b.len && b.data[b.len - 1] != '\n')
		buf_addc(&b, '\n');
	buf_adds(&b, interruption_words);
	naming_signal(&b, in->signo);
	buf_adds(&b, " at ");
	naming_time(&b, in->at_ns);
	buf_adds(&b, in->by_pptrace ? ", sent by pptrace\n" : ", sent from outside the trace\n");
	finding_set(&f->explanation, &b);
}
