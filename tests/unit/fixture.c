/* fixture.c - hand-made recordings for tests of the verdict. */
/* SPDX-License-Identifier: MIT */
#include "tests/unit/fixture.h"

#include "base/buf.h"
#include "schema/db.h"
#include "tests/unit/test.h"
#include "verdict/verdict.h"

#include <stdarg.h>

void fixture_sql(sqlite3 *db, const char *fmt, ...)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	char *error = NULL;
	va_list ap;

	va_start(ap, fmt);
	buf_vaddf(&b, fmt, ap);
	va_end(ap);
	if (sqlite3_exec(db, b.data, NULL, NULL, &error) != SQLITE_OK)
		test_fail(__FILE__, __LINE__, "%s in: %s", error, b.data);
}

sqlite3 *fixture_open(void)
{
	sqlite3 *db;

	ASSERT(sqlite3_open(":memory:", &db) == SQLITE_OK);
	ASSERT(sqlite3_exec(db, db_schema_sql, NULL, NULL, NULL) == SQLITE_OK);
	ASSERT(sqlite3_exec(db, db_views_sql, NULL, NULL, NULL) == SQLITE_OK);
	fixture_sql(db, "INSERT INTO trace (id, command, backend, duration_ns, complete)"
			" VALUES (1, '[\"x\"]', 'ebpf+shim', 10000000000, 1)");
	return db;
}

void fixture_process(sqlite3 *db, int id, int parent)
{
	fixture_sql(db,
		"INSERT INTO process (id, pid, parent_id, creator_id, name, start_ns)"
		" VALUES (%d, %d, nullif(%d, 0), nullif(%d, 0), 'p%d', %d)",
		id, 1000 + id, parent, parent * 10, id, id);
	fixture_sql(db,
		"INSERT INTO thread (id, tid, process_id, creator_id, name, start_ns, is_main)"
		" VALUES (%d, %d, %d, nullif(%d, 0), 'p%d', %d, 1)",
		id * 10, 1000 + id, id, parent * 10, id, id);
}

void fixture_threads(sqlite3 *db, int process, int n)
{
	for (int i = 1; i <= n; i++)
		fixture_sql(db,
			"INSERT INTO thread (id, tid, process_id, creator_id, name, start_ns)"
			" VALUES (%d, %d, %d, %d, 'w%d', %d)",
			process * 10 + i, 2000 + process * 10 + i, process, process * 10, i,
			100 + i);
}

sqlite3 *fixture_program(int n)
{
	sqlite3 *db = fixture_open();

	fixture_process(db, 1, 0);
	fixture_threads(db, 1, n);
	return db;
}

sqlite3 *fixture_family(void)
{
	sqlite3 *db = fixture_open();

	fixture_process(db, 1, 0);
	fixture_process(db, 2, 1);
	return db;
}

void fixture_lock(sqlite3 *db, int id, const char *kind, int process)
{
	fixture_sql(db,
		"INSERT INTO lock (id, kind, type, process_id, pshared, address, name, created_ns, mappers_ns)"
		" VALUES (%d, '%s', 'normal', nullif(%d, 0), %d, %d, 'lock%d', 0, 1999999999)",
		id, kind, process, !process, 4096 + id * 64, id);
}

void fixture_hold(sqlite3 *db, int lock, int thread, const char *mode)
{
	fixture_sql(db,
		"INSERT INTO lock_open (lock_id, thread_id, process_id, mode, depth, acquire_ns)"
		" SELECT %d, id, process_id, '%s', 1, 500000000 FROM thread WHERE id = %d",
		lock, mode, thread);
}

void fixture_held(sqlite3 *db, int id, const char *kind, int process, int thread)
{
	fixture_lock(db, id, kind, process);
	fixture_hold(db, id, thread, "x");
}

void fixture_pipe(sqlite3 *db, int id, const char *kind)
{
	fixture_sql(db,
		"INSERT INTO pipe (id, kind, inode, created_ns, path) VALUES (%d, '%s', %d, 5, '/f%d')",
		id, kind, 900 + id, id);
}

void fixture_end(sqlite3 *db, int pipe, int process, const char *mode)
{
	fixture_sql(db,
		"INSERT INTO pipe_end (pipe_id, process_id, fd, mode, open_ns, open_via)"
		" VALUES (%d, %d, %d, '%s', 6, 'inherit')",
		pipe, process, *mode == 'r' ? 3 : 4, mode);
}

void fixture_own_pipe(sqlite3 *db, int id, int process)
{
	fixture_joined(db, id, "pipe", process, "r", process, "w");
}

void fixture_joined(sqlite3 *db, int id, const char *kind, int process1, const char *mode1,
	int process2, const char *mode2)
{
	fixture_pipe(db, id, kind);
	fixture_end(db, id, process1, mode1);
	fixture_end(db, id, process2, mode2);
}

void fixture_handler(sqlite3 *db, int process, int signo)
{
	fixture_sql(db,
		"INSERT INTO handler (process_id, signo, disposition, start_ns)"
		" VALUES (%d, %d, 'handler', 1)",
		process, signo);
}

void fixture_timer(sqlite3 *db, const char *kind, int signo)
{
	fixture_sql(db,
		"INSERT INTO timer (process_id, kind, signo, armed_ns, expires_ns, interval_ns)"
		" VALUES (1, '%s', %d, 1, 20000000000, 0)",
		kind, signo);
}

void fixture_wait(sqlite3 *db, int thread, const char *reason, const char *columns)
{
	fixture_sql(db,
		"INSERT INTO wait (id, thread_id, start_ns, reason) VALUES (%d, %d, 1000000000, '%s')",
		thread, thread, reason);
	if (*columns)
		fixture_sql(db, "UPDATE wait SET %s WHERE id = %d", columns, thread);
}

char *fixture_stuck(sqlite3 *db)
{
	_cleanup_buf_ struct buf why = BUF_INIT;
	struct buf b = BUF_INIT;
	struct findings fs = {0};

	if (verdict_stuck(db, INT64_MAX, false, &fs, &why) != 0)
		test_fail(__FILE__, __LINE__, "%s", why.data);
	for (size_t i = 0; i < fs.n; i++) {
		const struct finding *f = &fs.list[i];

		ASSERT(f->summary && *f->summary && f->explanation && f->remedy);
		buf_addf(&b, "%s%s %s", i ? "; " : "", f->rule, f->shape);
		for (size_t k = 0; k < f->n_members; k++)
			buf_addf(&b, " %lld", (long long)f->members[k].thread_id);
	}
	findings_free(&fs);
	return buf_steal(&b);
}

char *fixture_all(sqlite3 *db, const char *rule)
{
	_cleanup_buf_ struct buf why = BUF_INIT;
	struct buf b = BUF_INIT;
	struct findings fs = {0};

	if (verdict_all(db, INT64_MAX, rule, false, &fs, &why) != 0)
		test_fail(__FILE__, __LINE__, "%s", why.data);
	for (size_t i = 0; i < fs.n; i++) {
		_cleanup_buf_ struct buf text = BUF_INIT;

		buf_addf(&b, "%s%s", i ? " " : "", fs.list[i].rule);
		verdict_text(&text, db, &fs.list[i], false);
		ASSERT(strstr(text.data, fs.list[i].rule));
	}
	findings_free(&fs);
	return buf_steal(&b);
}
