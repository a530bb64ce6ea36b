/* chrome.c - a recording as trace JSON for Perfetto and chrome://tracing. */
/* SPDX-License-Identifier: MIT */
/*
 * Each statement below gives rows of one shape; `phase` is the Trace Event
 * Format's "ph". Times are in microseconds there, with decimals:
 *
 *	{"ph":"X","name":"pipe-read","cat":"wait","pid":7,"tid":7,"ts":3.5,"dur":0.9,"args":{...}},
 *
 * What is not ended lasts until the end of the recording.
 */
#include "viewer/export/chrome.h"

#include <inttypes.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "schema/query.h"

/* Numbers as others see them; a pid that was used before gets a number that no kernel gives. */
static const char who_sql[] =
	"PRAGMA query_only = 0;" /* for this table of our own: the file itself is opened for reading */
	"CREATE TEMP TABLE who AS SELECT t.id AS thread_id, t.process_id, t.is_main,"
	" iif(p.again = 1, p.pid, 100000000 + p.id) AS pid,"
	" iif(t.again = 1, t.tid, 100000000 + t.id) AS tid"
	" FROM (SELECT *, row_number() OVER (PARTITION BY tid ORDER BY id) AS again FROM thread) t"
	" JOIN (SELECT *, row_number() OVER (PARTITION BY pid ORDER BY id) AS again FROM process) p"
	" ON p.id = t.process_id;"
	"CREATE INDEX temp.who_thread ON who(thread_id);"
	"CREATE INDEX temp.who_process ON who(process_id, is_main)";

enum {
	COL_PHASE,
	COL_NAME,
	COL_CATEGORY,
	COL_PID,
	COL_TID,
	COL_TS,
	COL_DURATION,
	COL_ID,
	COL_ARGS
};

#define OR_END ", (SELECT duration_ns FROM trace))"
#define LOCK_NAME "coalesce(l.name, iif(l.address, printf('0x%x', l.address), '#' || l.id))"
#define PIPE_NAME "coalesce(i.name, i.kind || ' ' || i.id)"
#define PLACE "s.function || ' ' || s.file || ':' || s.line"

/* phase, name, category, pid, tid, start ns, duration ns, id, then pairs of an argument's name and value. */
static const char *const rows_sql[] = {
	"SELECT 'M', 'process_name', NULL, w.pid, w.tid, NULL, NULL, NULL, 'name', coalesce(p.program, p.name)"
	" FROM process p JOIN who w ON w.process_id = p.id AND w.is_main ORDER BY p.id",
	"SELECT 'M', 'process_sort_index', NULL, w.pid, w.tid, NULL, NULL, NULL, 'sort_index', p.id"
	" FROM process p JOIN who w ON w.process_id = p.id AND w.is_main ORDER BY p.id",
	"SELECT 'M', 'thread_name', NULL, w.pid, w.tid, NULL, NULL, NULL, 'name', coalesce(t.runtime_name, t.name)"
	" FROM thread t JOIN who w ON w.thread_id = t.id ORDER BY t.id",

	/* A life is the slice around all others of its thread. */
	"SELECT 'X', coalesce(t.runtime_name, t.name, 'thread'), 'life', w.pid, w.tid, t.start_ns,"
	" coalesce(t.end_ns" OR_END " - t.start_ns, NULL,"
	" 'command', p.command, 'ended', p.end_kind, 'status', coalesce(p.exit_code, p.exit_signal)"
	" FROM thread t JOIN who w ON w.thread_id = t.id JOIN process p ON p.id = t.process_id"
	" WHERE t.start_ns IS NOT NULL ORDER BY t.start_ns, t.id",
	"SELECT 'X', coalesce(o.call, o.op) || ' ' || " PIPE_NAME
	", 'pipe', w.pid, w.tid, o.start_ns,"
	" coalesce(o.end_ns" OR_END " - o.start_ns, NULL,"
	" 'fd', o.fd, 'bytes', o.bytes, 'errno', o.errno, 'data', o.data"
	" FROM pipe_io o JOIN who w ON w.thread_id = o.thread_id JOIN pipe i ON i.id = o.pipe_id"
	" ORDER BY o.start_ns, o.id",
	"SELECT 'X', x.reason, 'wait', w.pid, w.tid, x.start_ns,"
	" coalesce(x.end_ns" OR_END " - x.start_ns, NULL,"
	" 'for', coalesce(" LOCK_NAME ", i.name, x.detail), 'syscall', x.syscall,"
	" 'ended_by', k.tid, 'place', " PLACE " FROM wait x JOIN who w ON w.thread_id = x.thread_id"
	" LEFT JOIN lock l ON l.id = x.lock_id LEFT JOIN pipe i ON i.id = x.pipe_id"
	" LEFT JOIN who k ON k.thread_id = x.waker_id LEFT JOIN site s ON s.id = x.site_id"
	" ORDER BY x.start_ns, x.id",
	"SELECT 'b', l.kind || ' ' || " LOCK_NAME
	", 'lock', w.pid, w.tid, h.acquire_ns, NULL, h.id,"
	" 'asked_for', h.request_ns, 'place', " PLACE
	" FROM lock_hold h JOIN who w ON w.thread_id = h.thread_id JOIN lock l ON l.id = h.lock_id"
	" LEFT JOIN site s ON s.id = h.site_id",
	"SELECT 'e', l.kind || ' ' || " LOCK_NAME ", 'lock', w.pid, w.tid,"
	" coalesce(h.release_ns" OR_END ", NULL, h.id"
	" FROM lock_hold h JOIN who w ON w.thread_id = h.thread_id JOIN lock l ON l.id = h.lock_id",
	"SELECT 'X', y.op || coalesce(' ' || " LOCK_NAME ", ''), 'sync', w.pid, w.tid, y.start_ns,"
	" coalesce(y.end_ns" OR_END " - y.start_ns, NULL,"
	" 'result', y.result, 'place', " PLACE
	" FROM sync y JOIN who w ON w.thread_id = y.thread_id LEFT JOIN lock l ON l.id = y.lock_id"
	" LEFT JOIN site s ON s.id = y.site_id ORDER BY y.start_ns, y.id",

	"SELECT 'i', 'exec ' || coalesce(x.path, '?'), 'exec', w.pid, w.tid, x.ts_ns, NULL, NULL,"
	" 'argv', x.argv, 'errno', x.errno"
	" FROM exec x JOIN who w ON w.thread_id = coalesce(x.thread_id,"
	" (SELECT thread_id FROM who m WHERE m.process_id = x.process_id AND m.is_main))"
	" ORDER BY x.ts_ns, x.id",
	"SELECT 'i', g.name, 'signal', w.pid, w.tid, g.delivered_ns, NULL, NULL,"
	" 'disposition', g.disposition, 'interrupted', g.interrupted"
	" FROM signal g JOIN who w ON w.thread_id = g.thread_id WHERE g.delivered_ns IS NOT NULL"
	" ORDER BY g.delivered_ns, g.id",
	"SELECT 'i', f.rule, 'finding', w.pid, w.tid, f.ts_ns, NULL, NULL, 'severity', f.severity,"
	" 'summary', f.summary FROM finding f"
	" JOIN finding_member m ON m.finding_id = f.id JOIN who w ON w.thread_id = m.thread_id"
	" WHERE f.ts_ns IS NOT NULL ORDER BY f.ts_ns, f.id, m.ordinal",

	/* Arrows: 's' where they begin, 'f' where they end, the same id on both. */
	"SELECT 's', 'create', 'fork', w.pid, w.tid, t.start_ns, NULL, t.id FROM thread t"
	" JOIN who w ON w.thread_id = t.creator_id WHERE t.start_ns IS NOT NULL ORDER BY t.id",
	"SELECT 'f', 'create', 'fork', w.pid, w.tid, t.start_ns, NULL, t.id FROM thread t"
	" JOIN who w ON w.thread_id = t.id"
	" WHERE t.creator_id IS NOT NULL AND t.start_ns IS NOT NULL ORDER BY t.id",
	"SELECT 's', 'wake', 'wake', k.pid, k.tid, x.end_ns, NULL, x.id FROM wait x"
	" JOIN who k ON k.thread_id = x.waker_id WHERE x.end_ns IS NOT NULL ORDER BY x.id",
	"SELECT 'f', 'wake', 'wake', w.pid, w.tid, x.end_ns, NULL, x.id FROM wait x"
	" JOIN who k ON k.thread_id = x.waker_id JOIN who w ON w.thread_id = x.thread_id"
	" WHERE x.end_ns IS NOT NULL ORDER BY x.id",
	"SELECT 's', g.name, 'signal', k.pid, k.tid, g.sent_ns, NULL, g.id FROM signal g"
	" JOIN who k ON k.thread_id = g.sender_id JOIN who w ON w.thread_id = g.thread_id"
	" WHERE g.sent_ns IS NOT NULL AND g.delivered_ns IS NOT NULL ORDER BY g.id",
	"SELECT 'f', g.name, 'signal', w.pid, w.tid, g.delivered_ns, NULL, g.id FROM signal g"
	" JOIN who k ON k.thread_id = g.sender_id JOIN who w ON w.thread_id = g.thread_id"
	" WHERE g.sent_ns IS NOT NULL AND g.delivered_ns IS NOT NULL ORDER BY g.id",
	"SELECT 's', 'reap', 'reap', w.pid, w.tid, p.end_ns, NULL, p.id FROM process p"
	" JOIN who w ON w.process_id = p.id AND w.is_main JOIN who k ON k.thread_id = p.reaper_id"
	" WHERE p.reaped_ns IS NOT NULL AND p.end_ns IS NOT NULL ORDER BY p.id",
	"SELECT 'f', 'reap', 'reap', k.pid, k.tid, p.reaped_ns, NULL, p.id FROM process p"
	" JOIN who k ON k.thread_id = p.reaper_id"
	" WHERE p.reaped_ns IS NOT NULL AND p.end_ns IS NOT NULL ORDER BY p.id",
};

static void add_text(struct buf *out, sqlite3_stmt *st, int column)
{
	const char *s = sqlite3_column_blob(st, column);

	buf_add_json(out, s ? s : "", (size_t)sqlite3_column_bytes(st, column));
}

/* Nanoseconds as microseconds with three decimals. */
static void add_time(struct buf *out, const char *name, int64_t ns)
{
	uint64_t abs = ns < 0 ? (uint64_t)0 - (uint64_t)ns : (uint64_t)ns;

	buf_addf(out, ",\"%s\":%s%" PRIu64 ".%03u", name, ns < 0 ? "-" : "", abs / 1000,
		(unsigned)(abs % 1000));
}

/* Arguments without a value are left out. */
static void add_args(struct buf *out, sqlite3_stmt *st)
{
	bool any = false;

	for (int i = COL_ARGS; i + 1 < sqlite3_column_count(st); i += 2) {
		if (sqlite3_column_type(st, i + 1) == SQLITE_NULL)
			continue;
		buf_adds(out, any ? "," : ",\"args\":{");
		any = true;
		add_text(out, st, i);
		buf_addc(out, ':');
		query_json(out, st, i + 1, query_text(st, i));
	}
	if (any)
		buf_addc(out, '}');
}

static void add_event(struct buf *out, sqlite3_stmt *st)
{
	const char *phase = (const char *)sqlite3_column_text(st, COL_PHASE);
	int64_t duration = sqlite3_column_int64(st, COL_DURATION);

	buf_addf(out, "{\"ph\":\"%s\",\"name\":", phase);
	add_text(out, st, COL_NAME);
	if (sqlite3_column_type(st, COL_CATEGORY) != SQLITE_NULL) {
		buf_adds(out, ",\"cat\":");
		add_text(out, st, COL_CATEGORY);
	}
	buf_addf(out, ",\"pid\":%" PRId64 ",\"tid\":%" PRId64,
		(int64_t)sqlite3_column_int64(st, COL_PID),
		(int64_t)sqlite3_column_int64(st, COL_TID));
	if (*phase != 'M')
		add_time(out, "ts", sqlite3_column_int64(st, COL_TS));
	if (*phase == 'X')
		add_time(out, "dur", duration > 0 ? duration : 0);
	if (*phase == 'i')
		buf_adds(out, ",\"s\":\"t\"");
	if (*phase == 'f')
		buf_adds(out, ",\"bp\":\"e\"");
	if (sqlite3_column_type(st, COL_ID) != SQLITE_NULL)
		buf_addf(out, ",\"id\":%" PRId64, (int64_t)sqlite3_column_int64(st, COL_ID));
	add_args(out, st);
	buf_addc(out, '}');
}

static int export_statement(
	sqlite3 *db, const char *sql, bool *any, export_sink *sink, void *arg, struct buf *why)
{
	_cleanup_stmt_ sqlite3_stmt *st = NULL;
	_cleanup_buf_ struct buf out = BUF_INIT;
	int rc = query_open(db, sql, &st, why);

	while (!rc && (rc = query_step(st, why)) > 0) {
		buf_reset(&out);
		buf_adds(&out, *any ? ",\n" : "\n");
		*any = true;
		add_event(&out, st);
		rc = sink(arg, &out);
	}
	return rc;
}

/* What the recording is and what it lacks. */
static int export_end(sqlite3 *db, export_sink *sink, void *arg, struct buf *why)
{
	_cleanup_buf_ struct buf out = BUF_INIT;
	_cleanup_stmt_ sqlite3_stmt *st = NULL;
	int rc = query_one(db,
		"SELECT 'command', command, 'host', host, 'kernel', kernel, 'backend', backend,"
		" 'complete', complete, 'lost', lost FROM trace",
		0, &st, why);

	if (rc < 0)
		return rc;
	buf_adds(&out, "\n],\"displayTimeUnit\":\"ns\",\"otherData\":{\"made by\":\"pptrace\"");
	for (int i = 0; i + 1 < sqlite3_data_count(st); i += 2) {
		buf_addc(&out, ',');
		add_text(&out, st, i);
		buf_addc(&out, ':');
		/* Numbers are texts here, as the format has it. */
		if (sqlite3_column_type(st, i + 1) == SQLITE_INTEGER)
			add_text(&out, st, i + 1);
		else
			query_json(&out, st, i + 1, query_text(st, i));
	}
	buf_adds(&out, "}}\n");
	return sink(arg, &out);
}

int export_chrome(sqlite3 *db, export_sink *sink, void *arg, struct buf *why)
{
	_cleanup_buf_ struct buf begin = BUF_INIT;
	bool any = false;
	int rc = query_exec(db, "PRAGMA temp_store = memory", why);

	if (!rc)
		rc = query_exec(db, who_sql, why);
	if (rc)
		return rc;
	buf_adds(&begin, "{\"traceEvents\":[");
	rc = sink(arg, &begin);
	for (size_t i = 0; !rc && i < ARRAY_SIZE(rows_sql); i++)
		rc = export_statement(db, rows_sql[i], &any, sink, arg, why);
	if (!rc)
		rc = export_end(db, sink, arg, why);
	(void)sqlite3_exec(db, "DROP TABLE temp.who", NULL, NULL, NULL);
	return rc;
}
