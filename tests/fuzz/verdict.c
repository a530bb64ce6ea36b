/* verdict.c - fuzz the verdict: rows that contradict each other in every way. */
/* SPDX-License-Identifier: MIT */
#include "base/buf.h"
#include "base/error.h"
#include "base/mem.h"
#include "schema/db.h"
#include "verdict/verdict.h"

#include <sqlite3.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/*
 * Each row takes a byte for its kind and one for each ?: small numbers, so
 * that ids meet; times are tenths of a second.
 */
static const char *const rows[] = {
	"INSERT OR IGNORE INTO process (id, pid, parent_id, start_ns, end_ns, reaped_ns, end_kind,"
	" exit_signal) VALUES (?1 % 8, ?2, ?3 % 8, ?4 * 100000000, nullif(?5, 0) * 100000000,"
	" nullif(?6, 0) * 100000000, iif(?2 % 2, 'signal', 'exit'), ?3 % 32)",
	"INSERT OR IGNORE INTO thread (id, tid, process_id, creator_id, start_ns, end_ns, is_main, cut_short)"
	" VALUES (?1 % 16, ?1, ?2 % 8, ?3 % 16, ?4 * 100000000, nullif(?5, 0) * 100000000, ?6 % 2,"
	" nullif(?6 % 3, 2))",
	"INSERT INTO wait (thread_id, start_ns, end_ns, reason, lock_id, pipe_id, target_process_id,"
	" target_thread_id, mode, side) VALUES (?1 % 16, ?2 * 100000000, nullif(?3, 0) * 100000000,"
	" (SELECT value FROM json_each('[\"lock\",\"cond\",\"sem\",\"barrier\",\"join\",\"child\",\"pipe-read\","
	"\"pipe-write\",\"fifo-open\",\"file-lock\",\"poll\",\"signal\",\"futex\",\"vfork\",\"once\",\"eventfd\","
	"\"sleep\"]') WHERE key = ?4 % 17), ?5 % 8, ?6 % 8, ?5 % 8, ?6 % 16, iif(?5 % 2, 's', 'x'), ?6 % 2)",
	"INSERT OR IGNORE INTO lock (id, kind, type, process_id, pshared, outside, initial, from_birth)"
	" VALUES (?1 % 8, (SELECT value FROM json_each('[\"mutex\",\"rwlock\",\"sem\",\"cond\",\"file\","
	"\"futex\",\"barrier\"]') WHERE key = ?2 % 7), iif(?3 % 3, 'normal', 'normal+robust'),"
	" nullif(?3 % 8, 0), ?4 % 2, ?5 % 2, ?6 % 3, ?6 % 5 > 0)",
	"INSERT INTO lock_open (lock_id, thread_id, process_id, mode, depth, acquire_ns, inferred)"
	" VALUES (?1 % 8, ?2 % 16, ?3 % 8, iif(?4 % 2, 's', 'x'), 1, ?5 * 100000000, ?6 % 4 = 0)",
	"INSERT OR IGNORE INTO lock_stat (lock_id, holds, contended, wait_ns, max_wait_ns, hold_ns,"
	" max_hold_ns, threads, foreign_posts, cycles, last_taker_id, value) VALUES (?1 % 8, ?2, ?2, ?3, 1,"
	" 1, 1, 1, ?4 % 2, ?5 % 3, ?6 % 16, ?5 % 2)",
	"INSERT OR IGNORE INTO pipe (id, kind, created_ns, outside) VALUES (?1 % 8,"
	" (SELECT value FROM json_each('[\"pipe\",\"fifo\",\"socketpair\"]') WHERE key = ?2 % 3),"
	" nullif(?3, 0), ?4 % 4)",
	"INSERT INTO pipe_end (pipe_id, process_id, fd, mode, side, open_ns, open_via, close_ns) VALUES"
	" (?1 % 8, ?2 % 8, ?3, iif(?4 % 3 = 0, 'r', iif(?4 % 3 = 1, 'w', 'rw')), ?5 % 2, ?5 * 100000000,"
	" 'inherit', nullif(?6, 0) * 100000000)",
	"INSERT INTO pipe_io (pipe_id, thread_id, fd, op, start_ns, end_ns, requested, bytes, errno, side)"
	" VALUES (?1 % 8, ?2 % 16, 1, iif(?3 % 2, 'read', 'write'), ?4 * 100000000, ?4 * 100000000 + ?5,"
	" ?6, ?6, iif(?6 % 9 = 0, 32, NULL), ?3 % 2)",
	"INSERT INTO signal (signo, name, source, sender_id, process_id, thread_id, sent_ns, result,"
	" delivered_ns, disposition, interrupted) VALUES (?1 % 32, 'SIG', 'kill', ?2 % 16, ?3 % 8, ?4 % 16,"
	" ?5 * 100000000, iif(?6 % 2, 'coalesced', 'queued'), ?5 * 100000000, 'handler', 'read')",
	"INSERT INTO handler (process_id, signo, disposition, start_ns, end_ns, flags) VALUES (?1 % 8,"
	" ?2 % 70, iif(?3 % 2, 'handler', 'ignored'), ?4 * 100000000, nullif(?5, 0) * 100000000, ?6)",
	"INSERT INTO timer (process_id, kind, signo, armed_ns, expires_ns, interval_ns) VALUES (?1 % 8,"
	" iif(?2 % 2, 'real', 'posix'), ?3 % 70, ?4 * 100000000, ?5 * 100000000, ?6)",
	"INSERT INTO lock_edge (from_lock_id, to_lock_id, thread_id, first_ns, last_ns, count, gates)"
	" VALUES (?1 % 8, ?2 % 8, ?3 % 16, ?4, ?5, 1, '[' || ?6 || ',')",
	"INSERT INTO sync (lock_id, thread_id, op, start_ns, end_ns, result, target_id, value) VALUES"
	" (?1 % 8, ?2 % 16, iif(?3 % 2, 'signal', 'join'), ?4, ?5, 0, ?6 % 16, 0)",
	"INSERT OR IGNORE INTO wait_on (wait_id, ordinal, kind, mode, pipe_id, side, process_id) VALUES"
	" (?1 % 16, ?2, (SELECT value FROM json_each('[\"pipe\",\"process\",\"eventfd\",\"signalfd\","
	"\"socket\"]') WHERE key = ?3 % 5), iif(?4 % 2, 'r', 'rw'), ?5 % 8, ?6 % 2, ?6 % 8)",
	"INSERT INTO lock_hold (lock_id, thread_id, mode, acquire_ns, release_ns) VALUES (?1 % 8, ?2 % 16,"
	" iif(?3 % 2, 's', 'x'), ?4 * 100000000, nullif(?5, 0) * 100000000)",
	"INSERT OR IGNORE INTO lock_user (lock_id, process_id, start_ns, end_ns) VALUES (?1 % 8, ?2 % 8,"
	" ?3 * 100000000, nullif(?4, 0) * 100000000)",
};

static void judge(sqlite3 *db, int64_t at_ns)
{
	struct buf why = BUF_INIT, text = BUF_INIT;
	struct findings fs = {0};

	if (verdict_all(db, at_ns, NULL, true, &fs, &why) != 0)
		BUG("a verdict over sound tables failed");
	for (size_t i = 0; i < fs.n; i++)
		verdict_text(&text, db, &fs.list[i], false);
	findings_free(&fs);
	buf_done(&text);
	buf_done(&why);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	sqlite3 *db;

	if (size > 7 * 200 || sqlite3_open(":memory:", &db) != SQLITE_OK)
		return 0;
	(void)sqlite3_exec(db, db_schema_sql, NULL, NULL, NULL);
	(void)sqlite3_exec(db, db_views_sql, NULL, NULL, NULL);
	(void)sqlite3_exec(db,
		"INSERT INTO trace (id, command, backend, duration_ns, complete)"
		" VALUES (1, '[]', 'ebpf', 25000000000, 1)",
		NULL, NULL, NULL);
	for (; size >= 7; data += 7, size -= 7) {
		sqlite3_stmt *stmt = NULL;

		BUG_ON(sqlite3_prepare_v2(db, rows[data[0] % ARRAY_SIZE(rows)], -1, &stmt, NULL) !=
			SQLITE_OK);
		for (int i = 1; i <= 6; i++)
			(void)sqlite3_bind_int64(stmt, i, data[i]);
		(void)sqlite3_step(stmt); /* a row that a constraint refuses is left out */
		(void)sqlite3_finalize(stmt);
	}
	judge(db, INT64_MAX);
	judge(db, 12000000000);
	db_close(db);
	return 0;
}
