/* db.c - tests of opening trace files, and of the names in them. */
/* SPDX-License-Identifier: MIT */
#include "tests/unit/test.h"

#include "base/buf.h"
#include "base/mem.h"
#include "schema/db.h"
#include "schema/image/image.h"
#include "schema/names.h"
#include "schema/query.h"
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
	query_forget(db);
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
	db_close(db);
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
		db_close(db);
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
		db_close(other);
		db_close(db);
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

/* Makes a recording and changes its schema as somebody hostile would. */
static void plant(const char *sql)
{
	sqlite3 *db = NULL;
	char *error = NULL;

	(void)unlink(path);
	make();
	ASSERT_INT(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
	if (sqlite3_exec(db, sql, NULL, NULL, &error) != SQLITE_OK)
		test_fail(__FILE__, __LINE__, "%s in: %s", error, sql);
	query_forget(db);
	ASSERT_INT(sqlite3_close(db), SQLITE_OK);
}

#define ENDLESS "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT "

TEST(db_refuses_views_for_tables)
{
	static const char *const tables[] = {
		"trace", "process", "thread", "wait", "finding", "lock_hold", "exec", "lost"};

	begin();
	for (size_t i = 0; i < ARRAY_SIZE(tables); i++) {
		_cleanup_free_ char *view =
			xasprintf("DROP TABLE %s; CREATE VIEW %s AS " ENDLESS "i AS id FROM n",
				tables[i], tables[i]);
		_cleanup_free_ char *word = xasprintf("its table %s is a view", tables[i]);

		plant(view);
		refuse(path, -EMEDIUMTYPE, word);
	}
	plant("DROP TABLE wait; CREATE VIEW WAIT AS " ENDLESS "zeroblob(1000000000) AS id FROM n");
	refuse(path, -EMEDIUMTYPE, "is a view");
	done();
}

TEST(db_refuses_tables_that_compute)
{
	begin();
	plant("DROP TABLE lost; CREATE TABLE lost (source, kind, count AS (zeroblob(900000000)))");
	refuse(path, -EMEDIUMTYPE, "its table lost has a generated column");
	plant("DROP TABLE lost; CREATE TABLE lost (source, kind, count AS (1) STORED)");
	refuse(path, -EMEDIUMTYPE, "its table lost has a generated column");
	plant("DROP TABLE lost; CREATE VIRTUAL TABLE lost USING fts5(source, kind, count)");
	refuse(path, -EMEDIUMTYPE, "its table lost is a virtual table");
	plant("CREATE TRIGGER t AFTER INSERT ON wait BEGIN DELETE FROM trace; END");
	refuse(path, -EMEDIUMTYPE, "its table wait has a trigger");
	done();
}

/* The text of a schema may say something else than its type and name. */
TEST(db_refuses_a_lying_schema)
{
	sqlite3 *db = NULL;
	char *why = NULL;

	begin();
	plant("PRAGMA writable_schema = 1; UPDATE sqlite_schema SET sql = 'CREATE VIEW wait AS " ENDLESS
	      "i AS id FROM n', rootpage = 0 WHERE name = 'wait'");
	ASSERT_INT(db_open_read(path, &db, &why), -EMEDIUMTYPE);
	free(why);
	done();
}

/* A view of ours is what we say, whatever the file says. */
TEST(db_views_are_our_own)
{
	sqlite3 *db = NULL;
	char *why = NULL;

	begin();
	plant("DROP VIEW zombie; CREATE VIEW zombie AS " ENDLESS "i AS process_id FROM n;"
	      "DROP VIEW event; CREATE TABLE event AS SELECT 1 AS ts_ns");
	ASSERT_INT(db_open_read(path, &db, &why), 0);
	ASSERT_INT(
		sqlite3_exec(db, "SELECT * FROM zombie; SELECT kind FROM event", NULL, NULL, NULL),
		SQLITE_OK);
	ASSERT_INT(sqlite3_exec(db, "CREATE TEMP TABLE t(a)", NULL, NULL, NULL), SQLITE_READONLY);
	db_close(db);
	done();
}

TEST(db_refuses_fifos_beside)
{
	static const char *const suffixes[] = {"-journal", "-wal", "-shm"};

	begin();
	for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++) {
		_cleanup_free_ char *beside = xasprintf("%s%s", path, suffixes[i]);

		(void)unlink(path);
		make();
		ASSERT_INT(mkfifo(beside, 0600), 0);
		refuse(path, -EACCES, "is not a regular file");
		ASSERT_INT(unlink(beside), 0);
		ASSERT_INT(symlink("/dev/zero", beside), 0);
		refuse(path, -EACCES, "is not a regular file");
		ASSERT_INT(unlink(beside), 0);
	}
	done();
}

/* A file that is being written is not taken for one that stays as it is. */
TEST(db_reads_what_is_written)
{
	sqlite3 *writer = NULL, *reader = NULL;
	char *why = NULL;

	begin();
	ASSERT_INT(db_create(path, &writer, &why), 0);
	ASSERT_INT(
		sqlite3_exec(writer, "INSERT INTO lost VALUES ('a', 'b', 1)", NULL, NULL, NULL), 0);
	ASSERT_INT(db_open_read(path, &reader, &why), 0);
	ASSERT_INT(
		sqlite3_exec(writer, "INSERT INTO lost VALUES ('c', 'd', 1)", NULL, NULL, NULL), 0);
	{
		_cleanup_stmt_ sqlite3_stmt *stmt = NULL;

		ASSERT_INT(sqlite3_prepare_v2(reader, "SELECT count(*) FROM lost", -1, &stmt, NULL),
			0);
		ASSERT_INT(sqlite3_step(stmt), SQLITE_ROW);
		ASSERT_INT(sqlite3_column_int(stmt, 0), 2);
	}
	db_close(reader);
	db_close(writer);
	done();
}

/* A process that reads what it writes stays known as its writer. */
TEST(db_open_own_keeps_locks)
{
	sqlite3 *writer = NULL, *reader = NULL;
	char *why = NULL;
	int status = 0;
	pid_t other;

	begin();
	ASSERT_INT(db_create(path, &writer, &why), 0);
	ASSERT_INT(db_open_own(path, &reader, &why), 0);
	ASSERT_INT(
		sqlite3_exec(writer, "INSERT INTO lost VALUES ('a', 'b', 1)", NULL, NULL, NULL), 0);
	/* The last connection to close removes the -wal. */
	other = fork();
	if (other == 0) {
		execlp("sqlite3", "sqlite3", path, "SELECT count FROM lost WHERE count < 0",
			(char *)NULL);
		_exit(127);
	}
	ASSERT_INT(waitpid(other, &status, 0), other);
	ASSERT_INT(status, 0);
	{
		_cleanup_free_ char *wal = xasprintf("%s-wal", path);

		ASSERT_INT(access(wal, F_OK), 0);
	}
	db_close(reader);
	db_close(writer);
	done();
}

TEST(db_limit)
{
	sqlite3 *db = NULL;
	char *why = NULL;

	ASSERT_INT(db_open_temp(&db, &why), 0);
	ASSERT_INT(sqlite3_exec(db, "SELECT 1", NULL, NULL, NULL), SQLITE_OK);
	db_limit(db, 0);
	ASSERT_INT(sqlite3_exec(db, ENDLESS "max(i) FROM n", NULL, NULL, NULL), SQLITE_INTERRUPT);
	db_close(db);
}

TEST(db_open_temp)
{
	sqlite3 *db = NULL;
	char *why = NULL;

	ASSERT_INT(db_open_temp(&db, &why), 0);
	ASSERT_INT(sqlite3_exec(db, "SELECT * FROM event", NULL, NULL, NULL), SQLITE_OK);
	db_close(db);
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
	db_close(db);
	ASSERT(n >= 11);
}

/* A thread is called by the function that it starts in, unless a language's runtime starts all of its threads there. */
TEST(db_thread_names)
{
	static const struct {
		const char *module, *function, *name, *file;
	} rows[] = {{"/usr/bin/worker", "work", "work", NULL},
		{"/usr/lib/plugin.so", "thread_start", "thread_start", NULL},
		{"/usr/bin/python3.11", "pythread_wrapper", "app", NULL},
		{"/opt/frozen/tool", "pythread_wrapper", "app", NULL},
		{"/usr/lib/libpython3.13.so.1.0", "thread_run", "app", NULL},
		{"/usr/lib/jvm/lib/server/libjvm.so", "thread_native_entry(Thread*)", "app", NULL},
		{"/usr/lib/jvm/lib/libjli.so", "ThreadJavaMain", "app", NULL},
		{"/usr/lib/x86_64-linux-gnu/libruby-3.3.so.3.3.0", "nt_start", "app", NULL},
		{"/usr/bin/node", "node::worker::Worker::StartThread(int)", "app", NULL},
		{"/srv/server", "threadentry", "app", "/usr/lib/go/src/runtime/cgo/gcc_util.c"},
		{"/srv/server", "threadentry", "app", NULL},
		{"/srv/server", "threadentry", "threadentry", "server.c"},
		{"/srv/server", "runtime.mstart", "app", NULL},
		{"/usr/lib/x86_64-linux-gnu/libgomp.so.1.0.0", "", "app", NULL},
		{"/srv/server", "gomp_thread_start", "app", NULL}};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
		_cleanup_free_ char *sql = xasprintf(
			"INSERT INTO process (id, pid, name) VALUES (1, 1, 'app');"
			"INSERT INTO site (id, module, offset, function, file) VALUES (1, '%s', 0, '%s', nullif('%s', ''));"
			"INSERT INTO thread (id, tid, process_id, name, creator_id, is_main) VALUES (1, 1, 1, 'app', NULL, 1);"
			"INSERT INTO thread (id, tid, process_id, name, creator_id, entry_site_id) VALUES (2, 2, 1, 'app', 1, 1)",
			rows[i].module, rows[i].function, rows[i].file ? rows[i].file : "");
		sqlite3 *db = NULL;
		char *why = NULL;

		ASSERT_INT(db_open_temp(&db, &why), 0);
		ASSERT_INT(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
		ASSERT_INT(
			sqlite3_prepare_v2(db, "SELECT name FROM thread_name WHERE thread_id = 2",
				-1, &stmt, NULL),
			SQLITE_OK);
		ASSERT_INT(sqlite3_step(stmt), SQLITE_ROW);
		ASSERT_STR((const char *)sqlite3_column_text(stmt, 0), rows[i].name);
		(void)sqlite3_finalize(steal(&stmt));
		db_close(db);
	}
}

/* The names and texts of all tables and views, one after the other. */
static char *schema_of(sqlite3 *db)
{
	sqlite3_stmt *all = NULL;
	char *text;

	ASSERT_INT(
		sqlite3_prepare_v2(db,
			"SELECT group_concat(type || ' ' || name || ': ' || coalesce(sql, ''), x'0a')"
			" FROM (SELECT * FROM sqlite_schema ORDER BY name)",
			-1, &all, NULL),
		SQLITE_OK);
	ASSERT_INT(sqlite3_step(all), SQLITE_ROW);
	text = xstrdup((const char *)sqlite3_column_text(all, 0));
	(void)sqlite3_finalize(all);
	return text;
}

/* What the build made is what would be made now, and the file is complete. */
TEST(db_image)
{
	_cleanup_free_ char *from_image = NULL, *from_sql = NULL;
	_cleanup_buf_ struct buf error = BUF_INIT;
	sqlite3 *db = NULL, *made = NULL;
	char *why = NULL;
	size_t size;

	(void)db_image(&size);
	if (!size)
		SKIP("built for another processor");
	begin();
	ASSERT_INT(db_create(path, &db, &why), 0);
	ASSERT_INT(db_open_temp(&made, &why), 0);
	from_image = schema_of(db);
	from_sql = schema_of(made);
	ASSERT_STR(from_image, from_sql);
	ASSERT_INT(query_number(db, "PRAGMA page_size", 0, 0, &error), 8192);
	ASSERT_INT(
		query_number(db,
			"SELECT count(*) FROM pragma_integrity_check WHERE integrity_check <> 'ok'",
			0, 1, &error),
		0);
	db_close(made);
	db_close(db);
	done();
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
