/* tables.c - what is compared of a recording: who is who, and what each thread does, without numbers that change. */
/* SPDX-License-Identifier: MIT */
#include "viewer/diff/private.h"

#include "base/mem.h"
#include "schema/query.h"

/* A number after the name only where there are several: "cc", "cc #2". */
#define NTH(name, over)                                                                            \
	name " || iif(row_number() OVER (" over ") > 1, ' #' || row_number() OVER (" over "), '')"

/*
 * Process IDs, addresses and times differ from run to run. A process is the n-th child of its parent with that name, a
 * thread the n-th with that start routine (or name), a lock without a name the n-th of its kind in its process.
 */
static const char *const tables[] = {
	"PRAGMA query_only = 0",

	"CREATE TEMP TABLE family AS SELECT id, parent_id, " NTH("coalesce(program, name, '?')",
		"PARTITION BY parent_id, coalesce(program, name) ORDER BY coalesce(start_ns, 0), id") " AS name"
												      " FROM process",
	"CREATE TEMP TABLE path AS WITH RECURSIVE p(id, key, depth) AS (SELECT id, name, 0 FROM family"
	" WHERE parent_id IS NULL OR parent_id NOT IN (SELECT id FROM process)"
	" UNION ALL SELECT f.id, p.key || ' > ' || f.name, p.depth + 1 FROM family f JOIN p ON p.id = f.parent_id"
	" WHERE p.depth < 100) SELECT id, key FROM p",
	"CREATE TEMP TABLE task AS SELECT t.id AS thread_id, iif(t.is_main, p.key, p.key || ' : ' || " NTH(
		"n.name",
		"PARTITION BY t.process_id, t.is_main, n.name"
		" ORDER BY coalesce(t.start_ns, 0), t.id") ") AS key"
							   " FROM thread t JOIN path p ON p.id = t.process_id JOIN thread_name n ON n.thread_id = t.id",
	"CREATE INDEX temp.task_key ON task(key)",
	"CREATE INDEX temp.task_thread ON task(thread_id)",

	"CREATE TEMP TABLE lock_name AS SELECT id, kind || ' ' || coalesce(name, '#' || row_number() OVER"
	" (PARTITION BY process_id, kind, name IS NULL ORDER BY id)) AS name FROM lock",
	"CREATE INDEX temp.lock_name_id ON lock_name(id)",
	"CREATE TEMP TABLE pipe_name AS SELECT id, kind || ' ' || coalesce(path, row_number() OVER"
	" (PARTITION BY kind ORDER BY id)) AS name FROM pipe",
	"CREATE INDEX temp.pipe_name_id ON pipe_name(id)",

	/* After a row for several holds it depends on time which others have one. */
	"CREATE TEMP TABLE fold AS SELECT thread_id, min(id) AS id FROM lock_hold WHERE count IS NOT NULL GROUP BY 1",
	"CREATE TEMP VIEW hold AS SELECT h.* FROM lock_hold h LEFT JOIN temp.fold f ON f.thread_id = h.thread_id"
	" WHERE f.id IS NULL OR h.id < f.id",

	"CREATE TEMP TABLE io_fold AS SELECT thread_id, min(start_ns) AS ns FROM pipe_io WHERE count IS NOT NULL GROUP BY 1",

	"CREATE TEMP TABLE step AS SELECT thread_id, ts_ns, what, site_id FROM ("
	"SELECT h.thread_id, h.acquire_ns AS ts_ns, 'acquires the ' || l.name AS what, h.site_id, h.id * 2 AS nth"
	" FROM temp.hold h JOIN temp.lock_name l ON l.id = h.lock_id"
	" UNION ALL SELECT h.thread_id, h.release_ns, 'releases the ' || l.name, h.release_site_id, h.id * 2 + 1"
	" FROM temp.hold h JOIN temp.lock_name l ON l.id = h.lock_id WHERE h.release_ns IS NOT NULL"
	" UNION ALL SELECT o.thread_id, o.start_ns, iif(o.op = 'read', 'reads from ', 'writes to ') || n.name ||"
	" iif(o.op = 'read' AND o.bytes = 0, ': its end', '') || coalesce(': errno ' || o.errno, ''), NULL, o.id"
	" FROM pipe_io o JOIN temp.pipe_name n ON n.id = o.pipe_id LEFT JOIN temp.io_fold f ON f.thread_id = o.thread_id"
	" WHERE f.ns IS NULL OR o.start_ns < f.ns"
	" UNION ALL SELECT g.thread_id, g.delivered_ns, 'takes ' || g.name, g.handler_site_id, g.id"
	" FROM signal g WHERE g.delivered_ns IS NOT NULL AND g.thread_id IS NOT NULL"
	" UNION ALL SELECT t.id, p.end_ns, CASE p.end_kind WHEN 'exit' THEN 'exits with status ' || p.exit_code"
	" WHEN 'signal' THEN 'is killed by signal ' || p.exit_signal ELSE 'ends' END, NULL, p.id"
	" FROM process p JOIN thread t ON t.process_id = p.id AND t.is_main WHERE p.end_ns IS NOT NULL"
	/* What it waited for when it was ended, or is waiting for still. */
	" UNION ALL SELECT w.thread_id, w.start_ns, 'waits (' || w.reason || ') for ' ||"
	" coalesce('the ' || l.name, n.name,"
	" (SELECT 'the end of ' || key FROM temp.task WHERE thread_id = w.target_thread_id),"
	" (SELECT 'the end of ' || key FROM temp.path WHERE id = w.target_process_id),"
	" w.detail, 'something') || ', which never happens', w.site_id, w.id"
	" FROM wait w JOIN thread t ON t.id = w.thread_id LEFT JOIN temp.lock_name l ON l.id = w.lock_id"
	" LEFT JOIN temp.pipe_name n ON n.id = w.pipe_id"
	" WHERE w.end_ns IS NULL OR (t.cut_short = 1 AND w.waker_id IS NULL"
	" AND w.end_ns >= t.end_ns - 100000000 AND w.reason NOT IN ('stopped', 'sleep')"
	" AND NOT EXISTS (SELECT 1 FROM wait x WHERE x.thread_id = w.thread_id"
	" AND x.start_ns > w.start_ns AND x.reason <> 'stopped'))"
	") ORDER BY thread_id, ts_ns, nth",
	"CREATE INDEX temp.step_thread ON step(thread_id)",

	"CREATE TEMP TABLE waited AS SELECT k.key, w.reason || coalesce(': ' || l.name, ': ' || n.name, '') AS what,"
	" sum(coalesce(w.end_ns, (SELECT duration_ns FROM trace)) - w.start_ns) AS ns"
	" FROM wait w JOIN temp.task k ON k.thread_id = w.thread_id"
	" LEFT JOIN temp.lock_name l ON l.id = w.lock_id LEFT JOIN temp.pipe_name n ON n.id = w.pipe_id"
	" GROUP BY 1, 2",
	"CREATE INDEX temp.waited_key ON waited(key, what)",
};

int diff_tables(struct sqlite3 *db, struct buf *why)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < ARRAY_SIZE(tables); i++)
		rc = query_exec(db, tables[i], why);
	return rc;
}
