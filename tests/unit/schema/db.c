/* db.c - tests of opening trace files, and of the names in them. */
/* SPDX-License-Identifier: MIT */
#include "tests/unit/test.h"

#include "base/mem.h"
#include "schema/db.h"
#include "schema/names.h"
#include "schema/record.h"

#include <asm/unistd.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char dir[] = "/tmp/pptrace-db-XXXXXX";
static char *path;

static void begin(void)
{
	ASSERT(mkdtemp(dir));
	path = xasprintf("%s/a %%?#'\".db", dir);
}

static void done(void)
{
	_cleanup_free_ char *wal = xasprintf("%s-wal", path);
	_cleanup_free_ char *shm = xasprintf("%s-shm", path);

	(void)unlink(path);
	(void)unlink(wal);
	(void)unlink(shm);
	(void)rmdir(dir);
	free(path);
}

static void make(void)
{
	sqlite3 *db = NULL;
	char *why = NULL;

	ASSERT_INT(db_create(path, &db, &why), 0);
	ASSERT_INT(sqlite3_exec(db, "PRAGMA journal_mode = DELETE", NULL, NULL, NULL), 0);
	ASSERT_INT(sqlite3_close(db), 0);
}

/* Fails unless opening gives this error with this word in its text. */
static void refuse(const char *name, int rc, const char *word)
{
	sqlite3 *db = NULL;
	char *why = NULL;

	ASSERT_INT(db_open_read(name, &db, &why), rc);
	if (!strstr(why, word))
		test_fail(__FILE__, __LINE__, "%s", why);
	free(why);
}

/* Writes bytes into the file, from a place on. */
static void patch(off_t at, const char *bytes, size_t n)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	ASSERT(fd >= 0);
	ASSERT_INT(pwrite(fd, bytes, n, at), n);
	(void)close(fd);
}

TEST(db_open_read)
{
	sqlite3 *db = NULL;
	char *why = NULL;

	begin();
	make();
	ASSERT_INT(db_open_read(path, &db, &why), 0);
	ASSERT_INT(sqlite3_exec(db, "SELECT * FROM process_tree", NULL, NULL, NULL), SQLITE_OK);
	ASSERT_INT(sqlite3_exec(db, "DELETE FROM trace", NULL, NULL, NULL), SQLITE_READONLY);
	(void)sqlite3_close(db);
	done();
}

/* Opens the file again and again, as one who waits for a recording to begin does. */
static _Noreturn void read_for_ever(void)
{
	for (;;) {
		sqlite3 *db = NULL;

		if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL) == SQLITE_OK &&
			sqlite3_exec(db, "SELECT count(*) FROM trace", NULL, NULL, NULL) ==
				SQLITE_ERROR &&
			strstr(sqlite3_errmsg(db), "no such table"))
			_exit(1);
		(void)sqlite3_close(db);
	}
}

TEST(db_create_read_at_once)
{
	int status = 0;
	pid_t reader;

	begin();
	reader = fork();
	if (reader == 0)
		read_for_ever();
	for (int i = 0; i < 30; i++) {
		sqlite3 *db = NULL, *other = NULL;
		char *why = NULL;

		ASSERT_INT(db_create(path, &db, &why), 0);
		ASSERT_INT(db_open_read(path, &other, &why), 0);
		(void)sqlite3_close(other);
		(void)sqlite3_close(db);
		(void)unlink(path);
	}
	/* Killed here, so it never met a file without tables. */
	(void)kill(reader, SIGKILL);
	ASSERT_INT(waitpid(reader, &status, 0), reader);
	ASSERT(WIFSIGNALED(status));
	done();
}

TEST(db_refuses_missing)
{
	refuse("/nowhere/at/all.db", -ENOENT, "no file");
	refuse("/", -EISDIR, "directory");
}

TEST(db_refuses_foreign)
{
	begin();
	patch(0, "hello", 5);
	refuse(path, -EMEDIUMTYPE, "not a pptrace file");
	(void)unlink(path);
	make();
	patch(68, "xxxx", 4);
	refuse(path, -EMEDIUMTYPE, "not a pptrace file");
	done();
}

TEST(db_refuses_newer)
{
	begin();
	make();
	patch(60, "\0\0\0\x63", 4);
	refuse(path, -EPROTO, "newer");
	done();
}

TEST(db_refuses_damaged)
{
	begin();
	make();
	ASSERT_INT(truncate(path, 20000), 0);
	refuse(path, -EMEDIUMTYPE, "damaged");
	(void)unlink(path);
	make();
	patch(100, "\xff\xff\xff\xff\xff\xff\xff\xff", 8);
	refuse(path, -EMEDIUMTYPE, "damaged");
	done();
}

TEST(db_open_temp)
{
	sqlite3 *db = NULL;
	char *why = NULL;

	ASSERT_INT(db_open_temp(&db, &why), 0);
	ASSERT_INT(sqlite3_exec(db, "SELECT * FROM event", NULL, NULL, NULL), SQLITE_OK);
	(void)sqlite3_close(db);
}

/* Every statement of the views can be prepared: a misspelt column would show only when it is asked. */
TEST(db_views)
{
	sqlite3 *db = NULL;
	sqlite3_stmt *names = NULL;
	char *why = NULL;
	int n = 0;

	ASSERT_INT(db_open_temp(&db, &why), 0);
	ASSERT_INT(sqlite3_prepare_v2(db, "SELECT name FROM sqlite_schema WHERE type = 'view'", -1,
			   &names, NULL),
		SQLITE_OK);
	while (sqlite3_step(names) == SQLITE_ROW) {
		_cleanup_free_ char *sql = xasprintf(
			"SELECT * FROM \"%s\"", (const char *)sqlite3_column_text(names, 0));

		ASSERT_INT(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
		n++;
	}
	(void)sqlite3_finalize(names);
	(void)sqlite3_close(db);
	ASSERT(n >= 11);
}

TEST(names)
{
	char buf[NAME_MAX_LEN];

	ASSERT_STR(names_signal(SIGTERM, buf), "SIGTERM");
	ASSERT_STR(names_signal(SIGRTMIN, buf), "SIGRTMIN");
	ASSERT_STR(names_signal(SIGRTMIN + 2, buf), "SIGRTMIN+2");
	ASSERT_STR(names_signal(SIGRTMAX, buf), "SIGRTMAX");
	ASSERT_STR(names_signal(-5, buf), "SIG-5");
	ASSERT_STR(names_syscall(__NR_futex), "futex");
	ASSERT_STR(names_syscall(-1), NULL);
	ASSERT_STR(names_syscall(99999), NULL);
	ASSERT_STR(names_wait_reason(WAIT_PIPE_READ), "pipe-read");
	ASSERT_STR(names_wait_reason(1000), NULL);
	ASSERT_STR(names_lock_type(LOCK_RECURSIVE | LOCK_ROBUST), "recursive+robust");
	ASSERT_STR(names_lock_type(0), NULL);
	ASSERT_STR(names_lock_type(1000), NULL);
	ASSERT_STR(names_end_mode(END_READ | END_WRITE), "rw");
	ASSERT_STR(names_record(REC_PIPE_IO), "PIPE_IO");
	ASSERT_STR(names_record(0), "any");
}
