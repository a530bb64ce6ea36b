/* store.c - tests of the store: rows, NULLs, texts, replacing, errors that stick. */
/* SPDX-License-Identifier: MIT */
#include "tests/unit/test.h"

#include "base/mem.h"
#include "schema/db.h"
#include "tracer/store/store.h"

#include <errno.h>
#include <sqlite3.h>
#include <sys/inotify.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char dir[] = "/tmp/pptrace-store-XXXXXX";

static char *new_path(void)
{
	ASSERT(mkdtemp(dir));
	return xasprintf("%s/t.db", dir);
}

static void remove_all(const char *path)
{
	static const char *const suffixes[] = {"", "-wal", "-shm", ".old", ".old-wal"};

	for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++) {
		_cleanup_free_ char *name = xasprintf("%s%s", path, suffixes[i]);

		(void)unlink(name);
	}
	(void)rmdir(dir);
}

static char *ask(sqlite3 *db, const char *sql)
{
	sqlite3_stmt *stmt = NULL;
	char *answer;

	ASSERT_INT(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL), SQLITE_OK);
	ASSERT_INT(sqlite3_step(stmt), SQLITE_ROW);
	answer = xstrdup((const char *)sqlite3_column_text(stmt, 0));
	(void)sqlite3_finalize(stmt);
	return answer;
}

#define ASSERT_ASK(db, sql, want)                                                                  \
	do {                                                                                       \
		_cleanup_free_ char *answer_ = ask(db, sql);                                       \
		ASSERT_STR(answer_, want);                                                         \
	} while (0)

static struct store *open_store(const char *path)
{
	struct store *st = NULL;
	char *why = NULL;

	ASSERT_INT(store_open(path, &st, &why), 0);
	return st;
}

static sqlite3 *open_reader(const char *path)
{
	sqlite3 *db = NULL;
	char *why = NULL;
	int rc = db_open_read(path, &db, &why);

	if (rc)
		test_fail(__FILE__, __LINE__, "%s", why);
	return db;
}

TEST(store_rows)
{
	_cleanup_free_ char *path = new_path();
	struct store *st = open_store(path);
	sqlite3 *db;
	struct stat info;

	for (int64_t i = 1; i <= 1000; i++) {
		struct row_lock_hold *row = store_room(st, STORE_LOCK_HOLD);

		*row = (struct row_lock_hold){.id = i,
			.lock_id = 1,
			.thread_id = 2,
			.request_ns = STORE_NULL,
			.acquire_ns = i,
			.release_ns = i == 1000 ? STORE_NULL : i + 1,
			.site_id = STORE_NULL,
			.release_site_id = STORE_NULL};
	}
	ASSERT_INT(store_commit(st), 0);
	db = open_reader(path);
	ASSERT_ASK(db,
		"SELECT count(*)||' '||count(release_ns)||' '||sum(acquire_ns) FROM lock_hold",
		"1000 999 500500");
	db_close(db);
	store_replace(st, STORE_LOCK_HOLD,
		&(struct row_lock_hold){.id = 1000, .lock_id = 1, .thread_id = 2, .release_ns = 5});
	ASSERT_INT(store_close(st), 0);
	db = open_reader(path);
	ASSERT_ASK(db, "SELECT count(*)||' '||count(release_ns) FROM lock_hold", "1000 1000");
	db_close(db);
	ASSERT_INT(stat(path, &info), 0);
	ASSERT_INT(info.st_mode & 0777, 0600);
	remove_all(path);
}

TEST(store_texts)
{
	_cleanup_free_ char *path = new_path();
	struct store *st = open_store(path);
	sqlite3 *db;

	for (int i = 1; i <= 20; i++) {
		char name[] = "a'\"\n\xff";

		name[0] = (char)('a' + i);
		store_put(st, STORE_SIGNAL,
			&(struct row_signal){.id = i, .signo = 15, .name = name, .source = "kill"});
	}
	store_put(st, STORE_PIPE_IO,
		&(struct row_pipe_io){.id = 1,
			.op = "read",
			.data = "x\0y",
			.data_len = 3,
			.errno_ = STORE_NULL,
			.call = NULL});
	ASSERT_INT(store_close(st), 0);
	db = open_reader(path);
	ASSERT_ASK(db, "SELECT hex(group_concat(name, '')) FROM signal WHERE id IN (1, 20)",
		"6227220AFF7527220AFF");
	ASSERT_ASK(db, "SELECT hex(data)||ifnull(errno,'-')||ifnull(call,'-') FROM pipe_io",
		"780079--");
	db_close(db);
	remove_all(path);
}

TEST(store_keeps_older)
{
	_cleanup_free_ char *path = new_path();
	_cleanup_free_ char *old = xasprintf("%s.old", path);
	struct store *st = open_store(path), *second = NULL;
	char *why = NULL;

	store_put(st, STORE_LOST, &(struct row_lost){.source = "old", .kind = "any", .count = 1});
	ASSERT_INT(store_commit(st), 0);
	/* The file is being written: neither moved nor touched. */
	if (fork() == 0)
		_exit(store_open(path, &second, &why) == -EBUSY ? 0 : 1);
	else {
		int status = 0;

		(void)!wait4(-1, &status, 0, NULL);
		ASSERT_INT(status, 0);
	}
	ASSERT_INT(store_close(st), 0);
	st = open_store(path);
	ASSERT_INT(store_close(st), 0);
	sqlite3 *db = open_reader(old);
	ASSERT_ASK(db, "SELECT source FROM lost", "old");
	db_close(db);
	remove_all(path);
}

/* Killed while it closes, it must not leave a journal that a reader would have to roll back. */
TEST(store_closes_without_a_journal)
{
	_cleanup_free_ char *path = new_path();
	_cleanup_close_ int seen = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	struct store *st = open_store(path);
	char events[4096] __attribute__((aligned(8)));
	ssize_t n;
	sqlite3 *db;

	store_put(st, STORE_LOST, &(struct row_lost){"shim", "any", 1});
	ASSERT_INT(store_commit(st), 0);
	ASSERT(inotify_add_watch(seen, dir, IN_CREATE | IN_DELETE) >= 0);
	ASSERT_INT(store_close(st), 0);
	n = read(seen, events, sizeof events);
	ASSERT(n > 0);
	for (ssize_t at = 0; at < n;) {
		const struct inotify_event *e = (const void *)(events + at);

		ASSERT(!strstr(e->name, "-journal"));
		at += (ssize_t)sizeof *e + (ssize_t)e->len;
	}
	db = open_reader(path);
	ASSERT_ASK(db, "PRAGMA journal_mode", "delete");
	db_close(db);
	remove_all(path);
}

TEST(store_leaves_foreign)
{
	_cleanup_free_ char *path = new_path();
	struct store *st = NULL;
	char *why = NULL;
	FILE *f = fopen(path, "w");

	ASSERT(f);
	(void)fputs("precious", f);
	(void)fclose(f);
	ASSERT_INT(store_open(path, &st, &why), -EEXIST);
	ASSERT(strstr(why, "not a pptrace file"));
	free(why);
	(void)unlink(path);
	ASSERT_INT(symlink("/tmp/pptrace-no-such", path), 0);
	ASSERT_INT(store_open(path, &st, &why), -EEXIST);
	free(why);
	remove_all(path);
}

TEST(store_error_sticks)
{
	_cleanup_free_ char *path = new_path();
	struct store *st = open_store(path);

	ASSERT_INT(sqlite3_exec(store_db(st), "PRAGMA max_page_count = 80", NULL, NULL, NULL), 0);
	for (int64_t i = 1; i <= 100000; i++) {
		struct row_sched *row = store_room(st, STORE_SCHED);

		*row = (struct row_sched){.thread_id = i, .start_ns = i, .end_ns = i, .cpu = 0};
	}
	ASSERT_INT(store_commit(st), -ENOSPC);
	ASSERT_INT(store_commit(st), -ENOSPC);
	ASSERT(strstr(store_error(st), "full"));
	ASSERT_INT(store_close(st), -ENOSPC);
	/* What was committed before is still readable. */
	db_close(open_reader(path));
	remove_all(path);
}
