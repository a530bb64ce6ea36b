/* db.c - open a trace file, and refuse what is not one. */
/* SPDX-License-Identifier: MIT */
#include "schema/db.h"

#include "base/buf.h"
#include "base/mem.h"
#include "schema/guard.h"
#include "schema/image/image.h"
#include "schema/query.h"
#include "schema/version.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* The fixed part of an SQLite file: numbers are big-endian. */
enum {
	HEADER_SIZE = 100,
	HEADER_PAGE_SIZE = 16,
	HEADER_PAGES = 28,
	HEADER_USER_VERSION = 60,
	HEADER_APPLICATION_ID = 68
};

void db_close(struct sqlite3 *db)
{
	query_forget(db);
	(void)sqlite3_close(db);
}

/* The bytes that a connection to a database in WAL mode keeps locked (SHARED_FIRST of SQLite's file format). */
static const off_t shared_first = 0x40000002;
static const off_t shared_size = 510;

static int refuse(char **ret_why, int rc, char *why)
{
	*ret_why = why;
	return rc;
}

static unsigned header_u32(const unsigned char *h, int at)
{
	return (unsigned)h[at] << 24 | (unsigned)h[at + 1] << 16 | (unsigned)h[at + 2] << 8 |
	       h[at + 3];
}

/* Says whether the -wal of a file is there and holds something. */
static bool has_wal(const char *path)
{
	_cleanup_free_ char *wal = xasprintf("%s-wal", path);
	struct stat st;

	return stat(wal, &st) == 0 && st.st_size > 0;
}

/* A header that promises more pages than the file has: cut off. While it grows the rest may still be in the -wal. */
static bool is_cut(const unsigned char *h, const struct stat *st, const char *path)
{
	unsigned page = (unsigned)h[HEADER_PAGE_SIZE] << 8 | h[HEADER_PAGE_SIZE + 1];

	if (page == 1)
		page = 65536;
	return (uint64_t)st->st_size < (uint64_t)page * header_u32(h, HEADER_PAGES) &&
	       !has_wal(path);
}

/* Looks at the header before SQLite does: a foreign file is not opened at all. */
static int check_header(int fd, const char *path, char **ret_why)
{
	unsigned char h[HEADER_SIZE];
	struct stat st;
	unsigned version;

	if (fstat(fd, &st) < 0)
		return refuse(ret_why, -errno, xasprintf("cannot read %s: %m", path));
	if (S_ISDIR(st.st_mode))
		return refuse(ret_why, -EISDIR, xasprintf("%s is a directory", path));
	if (!S_ISREG(st.st_mode) || pread(fd, h, sizeof h, 0) != (ssize_t)sizeof h ||
		memcmp(h, "SQLite format 3", 16) != 0 ||
		header_u32(h, HEADER_APPLICATION_ID) != DB_APPLICATION_ID)
		return refuse(ret_why, -EMEDIUMTYPE, xasprintf("%s is not a pptrace file", path));
	version = header_u32(h, HEADER_USER_VERSION);
	if (version > INT32_MAX)
		return refuse(ret_why, -EMEDIUMTYPE,
			xasprintf("%s is damaged: its format has no version", path));
	if (version_major(version) > VERSION_MAJOR)
		return refuse(ret_why, -EPROTO,
			xasprintf(
				"%s was made by a newer pptrace: its format is %u.%u, and this one reads "
				"up to %d.x",
				path, version_major(version), version_minor(version),
				VERSION_MAJOR));
	if (is_cut(h, &st, path))
		return refuse(ret_why, -EMEDIUMTYPE,
			xasprintf("%s is damaged: its end is missing", path));
	return 0;
}

/* Says whether a connection in WAL mode, such as that of a run, has the file open. */
static bool is_in_use(int fd)
{
	struct flock lock = {.l_type = F_WRLCK,
		.l_whence = SEEK_SET,
		.l_start = shared_first,
		.l_len = shared_size};

	return fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

/* Checks a file and what lies beside it. Returns 0 and whether nobody can be writing it, or as db_open_read. */
static int check_path(const char *path, bool *ret_still, char **ret_why)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;
	int rc;

	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return refuse(ret_why, -ENOENT,
			*path ? xasprintf("there is no file %s", path)
			      : xstrdup("the name of the recording is empty"));
	if (fd < 0)
		return refuse(ret_why, errno == EPERM ? -EACCES : -errno,
			xasprintf("cannot open %s: %m", path));
	rc = check_header(fd, path, ret_why);
	if (rc)
		return rc;
	if (fstat(fd, &st) < 0)
		return refuse(ret_why, -errno, xasprintf("cannot read %s: %m", path));
	rc = guard_beside(path, &st, ret_why);
	*ret_still = rc == GUARD_ALONE && !is_in_use(fd);
	return rc < 0 ? rc : 0;
}

/* No row of a recording is longer: a program's arguments, at most some MiB, are the longest text. */
enum { ROW_MAX = 64 << 20 };

/* Texts of the schema must not run functions with effects, nor write to anything but tables, nor make rows that fill the memory. */
static void disarm(sqlite3 *db)
{
	(void)sqlite3_limit(db, SQLITE_LIMIT_LENGTH, ROW_MAX);
	(void)sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	(void)sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	(void)sqlite3_busy_timeout(db, 5000);
}

/* A name that begins with ':' or "file:" would mean something else to SQLite. */
static char *plain_name(const char *path)
{
	return path[0] == '/' ? xstrdup(path) : xasprintf("./%s", path);
}

/* Reads a row here and there, which finds damage and missing tables. */
static int probe(sqlite3 *db)
{
	return sqlite3_exec(db,
		"SELECT (SELECT count(*) FROM trace), (SELECT id FROM process LIMIT 1),"
		" (SELECT id FROM thread LIMIT 1), (SELECT lock_id FROM lock_hold LIMIT 1)",
		NULL, NULL, NULL);
}

static int open_probed(const char *name, int flags, sqlite3 **ret, char **ret_why)
{
	int rc = sqlite3_open_v2(
		name, ret, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX | flags, NULL);

	if (rc != SQLITE_OK)
		return rc;
	disarm(*ret);
	rc = guard_schema(*ret, ret_why);
	if (rc == SQLITE_OK)
		rc = probe(*ret);
	return rc == SQLITE_OK ? sqlite3_exec(*ret, "PRAGMA query_only = 1", NULL, NULL, NULL) : rc;
}

/* A URI that says that the file cannot change, so that SQLite needs no -shm beside it. */
static char *immutable_name(const char *name)
{
	_cleanup_buf_ struct buf uri = BUF_INIT;

	buf_adds(&uri, "file:");
	for (const char *p = name; *p; p++) {
		if (*p == '%' || *p == '?' || *p == '#')
			buf_addf(&uri, "%%%02x", (unsigned)(unsigned char)*p);
		else
			buf_addc(&uri, *p);
	}
	buf_adds(&uri, "?immutable=1");
	return buf_steal(&uri);
}

/* still: nobody can be writing the file. */
static int open_checked(const char *path, bool still, struct sqlite3 **ret_db, char **ret_why)
{
	_cleanup_free_ char *name = plain_name(path);
	sqlite3 *db = NULL;
	_cleanup_free_ char *uri = immutable_name(name), *hostile = NULL;
	char *why;
	int rc;

	/* Of a file that nobody writes SQLite needs to know no more: it neither looks for anything beside it nor leaves anything there. */
	if (still)
		rc = open_probed(uri, SQLITE_OPEN_URI, &db, &hostile);
	else
		rc = open_probed(name, 0, &db, &hostile);
	if (rc == SQLITE_CANTOPEN && !still && !has_wal(path)) {
		/* In WAL mode, all of it in the file, in a directory where no -shm can be made. */
		db_close(db);
		rc = open_probed(uri, SQLITE_OPEN_URI, &db, &hostile);
	}
	if (rc == SQLITE_OK) {
		*ret_db = db;
		return 0;
	}
	if (rc == SQLITE_CANTOPEN)
		why = xasprintf("cannot read %s: a recording that was cut off needs its -wal file "
				"and a directory that can be written",
			path);
	else if (hostile)
		why = xasprintf("%s is not a recording that pptrace made: %s", path, hostile);
	else
		why = xasprintf("%s is damaged: %s", path, sqlite3_errmsg(db));
	db_close(db);
	return refuse(ret_why, rc == SQLITE_CANTOPEN ? -EACCES : -EMEDIUMTYPE, why);
}

int db_open_read(const char *path, struct sqlite3 **ret_db, char **ret_why)
{
	bool still = false;
	int rc = check_path(path, &still, ret_why);

	return rc ? rc : open_checked(path, still, ret_db, ret_why);
}

int db_open_own(const char *path, struct sqlite3 **ret_db, char **ret_why)
{
	return open_checked(path, false, ret_db, ret_why);
}

static long long cpu_seconds(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return ts.tv_sec;
}

/* The argument is not a pointer but the second of processor time at which to stop. */
static int is_enough(void *until)
{
	return cpu_seconds() >= (long long)(intptr_t)until;
}

void db_limit(struct sqlite3 *db, unsigned seconds)
{
	enum { STEPS = 100000 };

	sqlite3_progress_handler(db, STEPS, is_enough, (void *)(intptr_t)(cpu_seconds() + seconds));
}

/* Returns 0 if what is at path may be moved away: a trace that nobody is writing, or an empty file; else why not. */
static int check_replace(const char *path, char **ret_why)
{
	_cleanup_free_ char *why = NULL;
	_cleanup_close_ int fd = -1;
	struct stat st;

	/* Other commands take it for standard output, where no database can be written. */
	if (!strcmp(path, "-"))
		return refuse(ret_why, -ESPIPE,
			xstrdup("a recording cannot go to standard output: name a file with -o"));
	if (lstat(path, &st) < 0)
		return errno == ENOENT
			       ? -ENOENT
			       : refuse(ret_why, -errno, xasprintf("cannot create %s: %m", path));
	if (!S_ISREG(st.st_mode))
		return refuse(ret_why, -EEXIST,
			xasprintf("%s exists and is %s: choose another name with -o", path,
				S_ISDIR(st.st_mode)   ? "a directory"
				: S_ISLNK(st.st_mode) ? "a symbolic link"
						      : "not a plain file"));
	if (st.st_size == 0)
		return 0;
	fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return refuse(ret_why, -errno, xasprintf("cannot replace %s: %m", path));
	if (check_header(fd, path, &why) == -EMEDIUMTYPE && !(why && strstr(why, "damaged")))
		return refuse(ret_why, -EEXIST,
			xasprintf(
				"%s exists and is not a pptrace file: choose another name with -o",
				path));
	if (has_wal(path) && is_in_use(fd))
		return refuse(ret_why, -EBUSY,
			xasprintf("another pptrace is writing %s: choose another name with -o",
				path));
	return 0;
}

static void remove_with_suffix(const char *path, const char *suffix)
{
	_cleanup_free_ char *name = xasprintf("%s%s", path, suffix);

	(void)unlink(name);
}

static void move_with_suffix(const char *from, const char *to, const char *suffix)
{
	_cleanup_free_ char *a = xasprintf("%s%s", from, suffix);
	_cleanup_free_ char *b = xasprintf("%s%s", to, suffix);

	if (rename(a, b) < 0)
		(void)unlink(b); /* a stale one must not be taken for the new file's */
}

/* Keeps an older trace as path.old, with the -wal that belongs to it. */
static int move_away(const char *path, char **ret_why)
{
	_cleanup_free_ char *old = xasprintf("%s.old", path);
	int rc = check_replace(path, ret_why);

	if (rc)
		return rc == -ENOENT ? 0 : rc;
	rc = check_replace(old, ret_why);
	if (rc && rc != -ENOENT)
		return rc;
	if (rename(path, old) < 0)
		return refuse(ret_why, -errno, xasprintf("cannot rename %s to %s: %m", path, old));
	move_with_suffix(path, old, "-wal");
	return 0;
}

/*
 * Makes a file beside path itself: SQLite would follow a symbolic link and use the umask's mode. It is empty where there is
 * no image, or no room for it: SQLite has the better words for that.
 */
static int make_file(const char *path, char *beside, bool *ret_is_filled, char **ret_why)
{
	_cleanup_close_ int fd = mkostemp(beside, O_CLOEXEC);
	size_t size;
	const void *image = db_image(&size);

	if (fd < 0)
		return refuse(ret_why, -errno, xasprintf("cannot create %s: %m", path));
	*ret_is_filled = size && write(fd, image, size) == (ssize_t)size;
	if (!*ret_is_filled && ftruncate(fd, 0))
		return refuse(ret_why, -errno, xasprintf("cannot create %s: %m", path));
	return 0;
}

/* The errno that fits what SQLite says. */
static int error_number(int rc)
{
	switch (rc & 0xff) {
	case SQLITE_FULL:
		return -ENOSPC;
	case SQLITE_READONLY:
	case SQLITE_PERM:
		return -EACCES;
	case SQLITE_NOMEM:
		return -ENOMEM;
	default:
		return -EIO;
	}
}

char *db_error_words(struct sqlite3 *db)
{
	int rc = sqlite3_errcode(db) & 0xff, error = sqlite3_system_errno(db);

	/* Of a failed call SQLite says "disk I/O error", whatever it was. */
	if ((rc != SQLITE_IOERR && rc != SQLITE_CANTOPEN) || !error)
		return xstrdup(sqlite3_errmsg(db));
	return xasprintf("%s: %s%s", sqlite3_errmsg(db), strerror(error),
		error == EFBIG ? " (ulimit -f)" : "");
}

static char *cannot_write(const char *path, struct sqlite3 *db)
{
	_cleanup_free_ char *words = db_error_words(db);

	return xasprintf("cannot write %s: %s", path, words);
}

/* Fills the file beside; nothing of it is left in a -wal afterwards. */
static int fill_file(const char *path, const char *beside, char **ret_why)
{
	_cleanup_free_ char *name = plain_name(beside);
	sqlite3 *db = NULL;
	int rc = sqlite3_open_v2(name, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);

	if (rc == SQLITE_OK)
		rc = db_make_schema(db);
	if (rc != SQLITE_OK)
		*ret_why = cannot_write(path, db);
	db_close(db);
	return rc == SQLITE_OK ? 0 : error_number(rc);
}

/* Gives the file its name, unless something else has taken that meanwhile. */
static int name_file(const char *path, const char *beside, char **ret_why)
{
	int rc = move_away(path, ret_why);

	if (rc)
		return rc;
	remove_with_suffix(path, "-wal");
	remove_with_suffix(path, "-shm");
	rc = renameat2(AT_FDCWD, beside, AT_FDCWD, path, RENAME_NOREPLACE);
	if (rc < 0 && (errno == EINVAL || errno == ENOSYS))
		rc = rename(beside, path); /* a file system without it */
	return rc < 0 ? refuse(ret_why, -errno, xasprintf("cannot create %s: %m", path)) : 0;
}

static int open_file(const char *path, struct sqlite3 **ret_db, char **ret_why)
{
	_cleanup_free_ char *name = plain_name(path);
	sqlite3 *db = NULL;
	int rc = sqlite3_open_v2(name, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_busy_timeout(db, 5000);
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(db, "PRAGMA synchronous = OFF", NULL, NULL, NULL);
	if (rc != SQLITE_OK) {
		*ret_why = cannot_write(path, db);
		db_close(db);
		return error_number(rc);
	}
	*ret_db = db;
	return 0;
}

int db_create(const char *path, struct sqlite3 **ret_db, char **ret_why)
{
	_cleanup_free_ char *beside = xasprintf("%s.XXXXXX", path);
	bool is_filled = false;
	int rc = check_replace(path, ret_why);

	if (rc && rc != -ENOENT)
		return rc;
	rc = make_file(path, beside, &is_filled, ret_why);
	if (rc)
		return rc;
	if (!is_filled)
		rc = fill_file(path, beside, ret_why);
	if (!rc)
		rc = name_file(path, beside, ret_why);
	if (rc) {
		remove_with_suffix(beside, "");
		remove_with_suffix(beside, "-wal");
		remove_with_suffix(beside, "-shm");
		return rc;
	}
	return open_file(path, ret_db, ret_why);
}

int db_open_temp(struct sqlite3 **ret_db, char **ret_why)
{
	sqlite3 *db = NULL;
	int rc = sqlite3_open_v2(":memory:", &db,
		SQLITE_OPEN_READWRITE | SQLITE_OPEN_MEMORY | SQLITE_OPEN_NOMUTEX, NULL);

	if (rc == SQLITE_OK)
		rc = db_make_schema(db);
	if (rc != SQLITE_OK) {
		*ret_why = xasprintf("cannot make a database in memory: %s", sqlite3_errmsg(db));
		db_close(db);
		return error_number(rc);
	}
	*ret_db = db;
	return 0;
}
