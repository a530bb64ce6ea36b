/* feed.c - feed hand-made records to a model and ask its database. */
/* SPDX-License-Identifier: MIT */
#include "tests/unit/tracer/model/feed.h"

#include "base/buf.h"
#include "base/mem.h"

#include <sqlite3.h>
#include <unistd.h>

void feed_open(struct feed *f)
{
	struct model_config config = {.t0 = FEED_T0, .tracer_pid = 1, .data_bytes = 32};
	char *why = NULL;

	*f = (struct feed){.dir = xstrdup("/tmp/pptrace-model-XXXXXX"), .pid = 10, .tid = 10};
	ASSERT(mkdtemp(f->dir));
	f->path = xasprintf("%s/t.db", f->dir);
	if (store_open(f->path, &f->store, &why))
		test_fail(__FILE__, __LINE__, "%s", why);
	ASSERT_INT(store_exec(f->store, "INSERT INTO trace(id, command) VALUES(1, '[]')"), 0);
	f->model = model_new(f->store, &config);
}

void feed_close(struct feed *f)
{
	model_free(f->model);
	ASSERT_INT(store_close(f->store), 0);
	(void)unlink(f->path);
	(void)rmdir(f->dir);
	free(f->path);
	free(f->dir);
}

void feed_at(struct feed *f, uint64_t ts, uint32_t pid, uint32_t tid)
{
	f->ts = FEED_T0 + ts;
	f->pid = pid;
	f->tid = tid;
}

void feed_send(struct feed *f, struct rec_head *head, unsigned kind, size_t size)
{
	*head = (struct rec_head){(uint16_t)kind, (uint16_t)size, f->flags, f->ts, f->pid, f->tid};
	model_feed(f->model, head);
}

void feed_fork(struct feed *f, uint32_t pid)
{
	FEED(f, FORK, .child_pid = pid, .child_tid = pid, .flags = 17, .comm = "child");
}

void feed_thread(struct feed *f, uint32_t tid)
{
	FEED(f, FORK, .child_pid = f->pid, .child_tid = tid, .flags = 0x10f00, .comm = "worker");
}

void feed_flush(struct feed *f, uint64_t ts)
{
	ASSERT_INT(model_flush(f->model, FEED_T0 + ts), 0);
	ASSERT_INT(store_commit(f->store), 0);
}

void feed_end(struct feed *f, uint64_t ts)
{
	ASSERT_INT(model_finish(f->model, FEED_T0 + ts), 0);
	ASSERT_INT(store_commit(f->store), 0);
}

void feed_expect(struct feed *f, const char *file, int line, const char *sql, const char *want)
{
	_cleanup_buf_ struct buf got = BUF_INIT;
	sqlite3_stmt *stmt = NULL;

	if (sqlite3_prepare_v2(store_db(f->store), sql, -1, &stmt, NULL) != SQLITE_OK)
		test_fail(file, line, "%s: %s", sql, sqlite3_errmsg(store_db(f->store)));
	while (sqlite3_step(stmt) == SQLITE_ROW) {
		if (got.len)
			buf_addc(&got, ' ');
		for (int i = 0; i < sqlite3_column_count(stmt); i++) {
			const char *text = (const char *)sqlite3_column_text(stmt, i);

			buf_addf(&got, "%s%s", i ? "|" : "", text ? text : "-");
		}
	}
	(void)sqlite3_finalize(stmt);
	if (strcmp(got.data, want))
		test_fail(file, line, "%s\n#  gives %s\n# wanted %s", sql, got.data, want);
}
