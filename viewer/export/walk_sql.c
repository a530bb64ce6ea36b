/* walk_sql.c - the statements of the walk. */
/* SPDX-License-Identifier: MIT */
#include "viewer/export/private.h"

#include "base/mem.h"

/*
 * Numbers as others see them; a pid that was used before gets a number that no kernel gives. Threads are called as
 * everywhere. A main thread lives as long as its
 * process, whatever is told of that after it has ended itself. A life lasts at least 1 ns, so that an arrow has room in it.
 */
const char walk_who_sql[] =
	"PRAGMA query_only = 0;" /* for this table of our own: the file itself is opened for reading */
	"DROP TABLE IF EXISTS temp.who;"
	"CREATE TEMP TABLE who AS SELECT t.id AS thread_id, t.process_id, t.is_main,"
	" iif(p.again = 1, p.pid, 100000000 + p.id) AS pid,"
	" iif(t.again = 1, t.tid, 100000000 + t.id) AS tid,"
	" n.name,"
	" coalesce(t.start_ns, p.start_ns, 0) AS begin_ns,"
	" max(coalesce(iif(t.is_main, p.end_ns, t.end_ns), (SELECT duration_ns FROM trace), 0),"
	" coalesce(t.start_ns, p.start_ns, 0) + 1) AS end_ns"
	" FROM (SELECT *, row_number() OVER (PARTITION BY tid ORDER BY id) AS again FROM thread) t"
	" JOIN (SELECT *, row_number() OVER (PARTITION BY pid ORDER BY id) AS again FROM process) p"
	" ON p.id = t.process_id JOIN thread_name n ON n.thread_id = t.id;"
	"CREATE INDEX temp.who_thread ON who(thread_id);"
	"CREATE INDEX temp.who_process ON who(process_id, is_main)";

const char walk_life_sql[] =
	"SELECT w.name, w.pid, w.tid, w.begin_ns, w.end_ns, NULL,"
	" 'command', p.command, 'ended', p.end_kind, 'status', coalesce(p.exit_code, p.exit_signal)"
	" FROM who w JOIN process p ON p.id = w.process_id WHERE w.thread_id = ?1";

const char walk_order_sql[] =
	"SELECT x.thread_id, x.kind, x.id, x.start_ns, coalesce(x.end_ns, w.end_ns), w.begin_ns FROM ("
	"SELECT thread_id, -1 AS kind, 0 AS id, begin_ns AS start_ns, end_ns FROM who"
	" UNION ALL SELECT thread_id, 0, id, start_ns, end_ns FROM sync"
	/* What several calls share would not lie within one another. */
	" UNION ALL SELECT thread_id, 1, id, start_ns, end_ns FROM pipe_io WHERE count IS NULL"
	" UNION ALL SELECT thread_id, 2, id, start_ns, end_ns FROM wait) x"
	" JOIN who w ON w.thread_id = x.thread_id"
	" ORDER BY x.thread_id, x.start_ns, coalesce(x.end_ns, w.end_ns) DESC, x.kind, x.id";

#define LOCK_NAME "coalesce(l.name, iif(l.address, printf('0x%x', l.address), '#' || l.id))"
#define PIPE_NAME "coalesce(i.name, i.kind || ' ' || i.id)"
#define PLACE "s.function || ' ' || s.file || ':' || s.line"
#define NO_TIME ", NULL, NULL, NULL"

const struct walk_query walk_slices[WALK_SLICES] = {
	{EXPORT_SLICE, "sync", "sync",
		"SELECT y.op || coalesce(' ' || " LOCK_NAME ", ''), w.pid, w.tid" NO_TIME ","
		" 'result', y.result, 'place', " PLACE
		" FROM sync y JOIN who w ON w.thread_id = y.thread_id LEFT JOIN lock l ON l.id = y.lock_id"
		" LEFT JOIN site s ON s.id = y.site_id WHERE y.id = ?1"},
	{EXPORT_SLICE, "pipe", "io pipe",
		"SELECT coalesce(o.call, o.op) || ' ' || " PIPE_NAME ", w.pid, w.tid" NO_TIME ","
		" 'fd', o.fd, 'bytes', o.bytes, 'errno', o.errno, 'data', o.data"
		" FROM pipe_io o JOIN who w ON w.thread_id = o.thread_id JOIN pipe i ON i.id = o.pipe_id"
		" WHERE o.id = ?1"},
	{EXPORT_SLICE, "wait", "wait",
		"SELECT x.reason, w.pid, w.tid" NO_TIME ","
		" 'for', coalesce(" LOCK_NAME ", i.name, x.detail), 'syscall', x.syscall,"
		" 'ended_by', k.tid, 'place', " PLACE
		" FROM wait x JOIN who w ON w.thread_id = x.thread_id"
		" LEFT JOIN lock l ON l.id = x.lock_id LEFT JOIN pipe i ON i.id = x.pipe_id"
		" LEFT JOIN who k ON k.thread_id = x.waker_id LEFT JOIN site s ON s.id = x.site_id"
		" WHERE x.id = ?1"},
};

const struct walk_query walk_names[] = {
	{EXPORT_PROCESS, NULL, "process",
		"SELECT coalesce(p.title, p.program, p.name), w.pid, w.tid, NULL, NULL, p.id"
		" FROM process p JOIN who w ON w.process_id = p.id AND w.is_main ORDER BY p.id"},
	{EXPORT_THREAD, NULL, "thread",
		"SELECT name, pid, tid, NULL, NULL, thread_id FROM who ORDER BY thread_id"},
};
const size_t walk_names_n = ARRAY_SIZE(walk_names);

/* An arrow begins and ends while the threads live: a parent reaps a child that is gone. */
#define WITHIN(w, time) "max(" w ".begin_ns, min(" time ", " w ".end_ns - 1))"
#define ARROW(name, from, from_ns, to, to_ns, id)                                                  \
	"SELECT " name ", " from ".pid, " from                                                     \
	".tid, " WITHIN(from, from_ns) ", " WITHIN(to, to_ns) ", " id ", " to ".pid, " to ".tid"

const struct walk_query walk_events[] = {
	{EXPORT_HOLD, "lock", "lock",
		"SELECT l.kind || ' ' || " LOCK_NAME ", w.pid, w.tid, h.acquire_ns,"
		" min(coalesce(h.release_ns, w.end_ns), w.end_ns), h.id,"
		" 'count', h.count, 'held_ns', h.held_ns, 'asked_for', h.request_ns, 'place', " PLACE
		" FROM lock_hold h JOIN who w ON w.thread_id = h.thread_id JOIN lock l ON l.id = h.lock_id"
		" LEFT JOIN site s ON s.id = h.site_id"},
	{EXPORT_INSTANT, "exec", "exec",
		"SELECT 'exec ' || coalesce(x.path, '?'), w.pid, w.tid, x.ts_ns, NULL, NULL,"
		" 'argv', x.argv, 'errno', x.errno"
		" FROM exec x JOIN who w ON w.thread_id = coalesce(x.thread_id,"
		" (SELECT thread_id FROM who m WHERE m.process_id = x.process_id AND m.is_main))"
		" ORDER BY x.ts_ns, x.id"},
	{EXPORT_INSTANT, "signal", "signal handler",
		"SELECT g.name, w.pid, w.tid, g.delivered_ns, NULL, NULL,"
		" 'disposition', g.disposition, 'interrupted', g.interrupted"
		" FROM signal g JOIN who w ON w.thread_id = g.thread_id WHERE g.delivered_ns IS NOT NULL"
		" ORDER BY g.delivered_ns, g.id"},
	/* Those that were merged with one that was pending, were ignored or failed, or have not been taken. */
	{EXPORT_INSTANT, "signal", "signal",
		"SELECT g.name || ' (' || coalesce(nullif(g.result, 'queued'), 'not taken') || ')',"
		" w.pid, w.tid, g.sent_ns, NULL, NULL, 'result', g.result, 'sender', k.tid"
		" FROM signal g JOIN who w ON w.thread_id = coalesce(g.thread_id,"
		" (SELECT thread_id FROM who m WHERE m.process_id = g.process_id AND m.is_main))"
		" LEFT JOIN who k ON k.thread_id = g.sender_id"
		" WHERE g.delivered_ns IS NULL AND g.sent_ns IS NOT NULL ORDER BY g.sent_ns, g.id"},
	{EXPORT_INSTANT, "finding", "finding",
		"SELECT f.rule, w.pid, w.tid, f.ts_ns, NULL, NULL, 'severity', f.severity,"
		" 'summary', f.summary FROM finding f"
		" JOIN finding_member m ON m.finding_id = f.id JOIN who w ON w.thread_id = m.thread_id"
		" WHERE f.ts_ns IS NOT NULL ORDER BY f.ts_ns, f.id, m.ordinal"},
	{EXPORT_ARROW, "fork", "process thread",
		ARROW("'create'", "k", "t.start_ns", "w", "t.start_ns",
			"t.id") " FROM thread t JOIN who k ON k.thread_id = t.creator_id JOIN who w ON w.thread_id = t.id"
				" WHERE t.start_ns IS NOT NULL ORDER BY t.id"},
	{EXPORT_ARROW, "wake", "wait",
		ARROW("'wake'", "k", "x.end_ns", "w", "x.end_ns",
			"x.id") " FROM wait x JOIN who k ON k.thread_id = x.waker_id JOIN who w ON w.thread_id = x.thread_id"
				" WHERE x.end_ns IS NOT NULL ORDER BY x.id"},
	{EXPORT_ARROW, "signal", "signal",
		ARROW("g.name", "k", "g.sent_ns", "w", "g.delivered_ns",
			"g.id") " FROM signal g JOIN who k ON k.thread_id = g.sender_id JOIN who w ON w.thread_id = g.thread_id"
				" WHERE g.sent_ns IS NOT NULL AND g.delivered_ns IS NOT NULL ORDER BY g.id"},
	{EXPORT_ARROW, "reap", "reap",
		ARROW("'reap'", "w", "p.end_ns", "k", "p.reaped_ns",
			"p.id") " FROM process p JOIN who w ON w.process_id = p.id AND w.is_main"
				" JOIN who k ON k.thread_id = p.reaper_id"
				" WHERE p.reaped_ns IS NOT NULL AND p.end_ns IS NOT NULL ORDER BY p.id"},
};
const size_t walk_events_n = ARRAY_SIZE(walk_events);
