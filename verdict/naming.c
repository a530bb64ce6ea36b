/* naming.c - names of threads, locks, pipes and places, for people. */
/* SPDX-License-Identifier: MIT */
#include "verdict/naming.h"

#include "base/buf.h"
#include "base/source.h"
#include "schema/locks.h"
#include "schema/names.h"
#include "schema/query.h"
#include "verdict/runtime_words.h"

#include <signal.h>

static const char process_sql[] = "SELECT coalesce(program, name), pid FROM process WHERE id = ?1";
/* A recording of an older version has no titles. */
static const char title_sql[] = "SELECT title FROM title WHERE process_id = ?1 AND ts_ns <= ?2"
				" ORDER BY ts_ns DESC, id DESC LIMIT 1";
static const char thread_sql[] =
	"SELECT t.tid, iif(instr(coalesce(p.name, ''), n.name) = 1, NULL, n.name), t.is_main, p.id,"
	" t.runtime_name,"
	" EXISTS (SELECT 1 FROM thread o WHERE o.process_id = p.id AND o.id <> t.id),"
	" EXISTS (SELECT 1 FROM thread o WHERE o.process_id = p.id AND o.id <> t.id AND o.runtime_name = t.runtime_name)"
	" FROM thread t JOIN process p ON p.id = t.process_id"
	" JOIN thread_name n ON n.thread_id = t.id WHERE t.id = ?1";
static const char lock_sql[] =
	"SELECT iif(kind = 'file', coalesce(type, kind), kind), name, address, inode,"
	" iif(kind = 'file', offset, 0),"
	" iif(type LIKE '%.%' OR kind IN ('monitor', 'object'), type, '') FROM lock WHERE id = ?1";
static const char runtime_lock_sql[] = "SELECT type, kind = 'monitor' FROM lock WHERE id = ?1"
				       " AND (type LIKE '%.%' OR kind IN ('monitor', 'object'))";
static const char site_sql[] =
	"SELECT module, offset, function, file, line FROM site WHERE id = ?1";

int naming_check(struct sqlite3 *db, struct buf *why)
{
	static const char *const names[] = {
		process_sql, thread_sql, lock_sql, runtime_lock_sql, site_sql};
	int rc = query_check(db, names, ARRAY_SIZE(names), why);

	return rc ? rc : naming_check_pipes(db, why);
}

int naming_intact(struct sqlite3 *db, struct buf *why)
{
	static const char *const tables[] = {
		"SELECT sum(length(name) + length(program)) FROM process",
		"SELECT sum(length(name) + length(runtime_name)) FROM thread",
		"SELECT sum(length(name) + length(type)) FROM lock",
		"SELECT sum(length(name) + length(path)) FROM pipe",
		"SELECT sum(length(module) + length(function) + length(file)) FROM site"};
	int rc = 0;

	for (size_t i = 0; !rc && i < ARRAY_SIZE(tables); i++) {
		(void)query_number(db, tables[i], 0, 0, why);
		rc = query_failed(0, why);
	}
	return rc;
}

static void add_name(struct buf *b, const char *name)
{
	buf_add_printable(b, name, strlen(name));
}

/* Adds what a process called itself at a time; false: nothing. */
static bool add_title(struct buf *b, struct sqlite3 *db, int64_t id, int64_t at_ns)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	_cleanup_buf_ struct buf why = BUF_INIT;

	if (query_open(db, title_sql, &stmt, &why))
		return false;
	query_bind_int(stmt, 1, id);
	query_bind_int(stmt, 2, at_ns);
	if (query_step(stmt, &why) <= 0 || query_null(stmt, 0))
		return false;
	add_name(b, query_text(stmt, 0));
	return true;
}

void naming_process(struct buf *b, struct sqlite3 *db, int64_t id)
{
	naming_process_at(b, db, id, INT64_MAX);
}

void naming_process_at(struct buf *b, struct sqlite3 *db, int64_t id, int64_t at_ns)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	_cleanup_buf_ struct buf why = BUF_INIT;

	if (query_one(db, process_sql, id, &stmt, &why) != 1) {
		buf_adds(b, "?");
		return;
	}
	if (!add_title(b, db, id, at_ns))
		add_name(b, query_text(stmt, 0));
	buf_addf(b, "[%lld]", (long long)query_int(stmt, 1, 0));
}

void naming_thread(struct buf *b, struct sqlite3 *db, int64_t id)
{
	naming_thread_at(b, db, id, INT64_MAX);
}

void naming_thread_at(struct buf *b, struct sqlite3 *db, int64_t id, int64_t at_ns)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	_cleanup_buf_ struct buf why = BUF_INIT;
	const char *name;

	if (query_one(db, thread_sql, id, &stmt, &why) != 1) {
		buf_adds(b, "?");
		return;
	}
	name = query_text(stmt, 1);
	if (query_int(stmt, 5, 0)) {
		if (!strncmp(query_text(stmt, 4), "goroutine ", 10)) {
			add_name(b, query_text(stmt, 4));
		} else if (query_int(stmt, 2, 0)) {
			buf_adds(b, "main thread");
		} else if (*query_text(stmt, 4)) {
			buf_adds(b, "thread \"");
			add_name(b, query_text(stmt, 4));
			buf_addc(b, '"');
			if (query_int(stmt, 6, 0)) /* as all Workers of Node.js are called */
				buf_addf(b, " (%lld)", (long long)query_int(stmt, 0, 0));
		} else {
			buf_addf(b, "thread %lld", (long long)query_int(stmt, 0, 0));
			if (*name) {
				buf_adds(b, " (");
				add_name(b, name);
				buf_addc(b, ')');
			}
		}
		buf_adds(b, " of ");
	}
	naming_process_at(b, db, query_int(stmt, 3, 0), at_ns);
}

/* "lock `audit` (threading.Lock)"; "queue 0x7f... (queue.Queue)" where no variable has it. */
static void add_runtime_lock(struct buf *b, const char *type, const char *name, uint64_t address)
{
	buf_adds(b, runtime_words(type)->noun);
	if (*name && runtime_words(type)->kind == RUNTIME_KIND_THREAD) {
		buf_adds(b, " \"");
		add_name(b, name);
		buf_addc(b, '"');
		return;
	}
	if (*name) {
		buf_adds(b, " `");
		add_name(b, name);
		buf_addc(b, '`');
	} else if (address && runtime_words(type)->kind != RUNTIME_KIND_NEVER) {
		buf_addf(b, " 0x%llx", (unsigned long long)address);
	}
	buf_adds(b, " (");
	add_name(b, type);
	buf_addc(b, ')');
}

/* "monitor of the java.lang.Object `Bank.audit`" */
static void add_monitor(struct buf *b, const char *type, const char *name, uint64_t address)
{
	buf_adds(b, "monitor of the ");
	add_name(b, *type ? type : "object");
	if (*name) {
		buf_adds(b, " `");
		add_name(b, name);
		buf_addc(b, '`');
	} else {
		buf_addf(b, " 0x%llx", (unsigned long long)address);
	}
}

void naming_lock(struct buf *b, struct sqlite3 *db, int64_t id)
{
	static const struct {
		const char *kind, *words;
	} rows[] = {{"flock", "flock on"}, {"posix", "POSIX lock on"}, {"ofd", "OFD lock on"}};
	const struct lock_info *info;
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	_cleanup_buf_ struct buf why = BUF_INIT;
	const char *kind, *name;

	if (query_one(db, lock_sql, id, &stmt, &why) != 1) {
		buf_adds(b, "lock ?");
		return;
	}
	kind = query_text(stmt, 0);
	name = query_text(stmt, 1);
	if (!strcmp(kind, "monitor")) {
		add_monitor(b, query_text(stmt, 5), name, (uint64_t)query_int(stmt, 2, 0));
		return;
	}
	if (*query_text(stmt, 5)) {
		/* A semaphore on which a thread sleeps meanwhile is not the object: its address says nothing. */
		add_runtime_lock(b, query_text(stmt, 5), name,
			!strcmp(kind, "sem") ? 0 : (uint64_t)query_int(stmt, 2, 0));
		return;
	}
	info = lock_info(lock_find(kind));
	if (!strcmp(kind, info->name))
		kind = info->noun;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (!strcmp(kind, rows[i].kind))
			kind = rows[i].words;
	add_name(b, kind);
	buf_addc(b, ' ');
	if (*name)
		add_name(b, name);
	else if (!query_null(stmt, 2))
		buf_addf(b, "0x%llx", (unsigned long long)query_int(stmt, 2, 0));
	else
		buf_addf(b, "(inode %lld)", (long long)query_int(stmt, 3, 0));
	if (query_int(stmt, 4, 0) > 0)
		buf_addf(b, " from byte %lld", (long long)query_int(stmt, 4, 0));
}

void naming_release(struct buf *b, struct sqlite3 *db, int64_t id)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	_cleanup_buf_ struct buf why = BUF_INIT;
	bool is_runtime = query_one(db, runtime_lock_sql, id, &stmt, &why) == 1;

	buf_adds(b, !is_runtime             ? "post it"
		    : query_int(stmt, 1, 0) ? "notify it"
					    : runtime_words(query_text(stmt, 0))->release);
}

enum runtime_kind naming_type_kind(const char *type)
{
	return runtime_words(type)->kind;
}

enum runtime_kind naming_runtime_kind(struct sqlite3 *db, int64_t id)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	_cleanup_buf_ struct buf why = BUF_INIT;

	if (query_one(db, runtime_lock_sql, id, &stmt, &why) != 1)
		return RUNTIME_KIND_NONE;
	return query_int(stmt, 1, 0) ? RUNTIME_KIND_MONITOR
				     : runtime_words(query_text(stmt, 0))->kind;
}

void naming_site(struct buf *b, struct sqlite3 *db, int64_t id)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	_cleanup_buf_ struct buf why = BUF_INIT;
	const char *file, *slash;

	if (!id || query_one(db, site_sql, id, &stmt, &why) != 1)
		return;
	file = query_text(stmt, 3);
	if (!*file)
		file = query_text(stmt, 0);
	if (!*file && !*query_text(stmt, 2))
		return;
	slash = strrchr(file, '/');
	buf_adds(b, " at ");
	/* What a language's runtime has made itself: there is no source of it. */
	if (!strcmp(file, "?") && *query_text(stmt, 2)) {
		add_name(b, query_text(stmt, 2));
		return;
	}
	add_name(b, slash ? slash + 1 : file);
	if (query_int(stmt, 4, 0) > 0)
		buf_addf(b, ":%lld", (long long)query_int(stmt, 4, 0));
	else if (!*query_text(stmt, 3))
		buf_addf(b, "+0x%llx", (unsigned long long)query_int(stmt, 1, 0));
	if (*query_text(stmt, 2)) {
		buf_adds(b, " (");
		add_name(b, query_text(stmt, 2));
		buf_addc(b, ')');
	}
}

bool naming_is_in_header(struct sqlite3 *db, int64_t id)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	_cleanup_buf_ struct buf why = BUF_INIT;

	return query_one(db, "SELECT coalesce(file, '') FROM site WHERE id = ?1", id, &stmt,
		       &why) == 1 &&
	       source_is_header(query_text(stmt, 0));
}

void naming_time(struct buf *b, int64_t ns)
{
	buf_addf(b, "%.3f s", (double)ns / 1e9);
}

void naming_signal(struct buf *b, int signo)
{
	char name[NAME_MAX_LEN];

	buf_adds(b, names_signal(signo, name));
}

void naming_signals(struct buf *b, uint64_t set)
{
	static const int usual[] = {SIGHUP, SIGINT, SIGTERM, SIGUSR1, SIGUSR2};
	enum { NAMED = 4, ALL = 6 }; /* so many, if there are more than this */
	int total = __builtin_popcountll(set), most = total > ALL ? NAMED : total, n = 0;
	uint64_t named = 0;

	for (size_t i = 0; i < ARRAY_SIZE(usual) && n < most; i++)
		if (total > ALL && set >> (usual[i] - 1) & 1) {
			named |= UINT64_C(1) << (usual[i] - 1);
			n++;
		}
	for (int signo = 1; signo <= 64 && n < most; signo++)
		if (set >> (signo - 1) & 1 && !(named >> (signo - 1) & 1)) {
			named |= UINT64_C(1) << (signo - 1);
			n++;
		}
	n = 0;
	for (int signo = 1; signo <= 64; signo++) {
		if (!(named >> (signo - 1) & 1))
			continue;
		buf_adds(b, n++ ? ", " : "");
		naming_signal(b, signo);
	}
	if (total > n)
		buf_addf(b, " and %d others", total - n);
}

void naming_count(struct buf *b, int64_t n, const char *what)
{
	buf_addf(b, "%lld %s%s", (long long)n, what, n == 1 ? "" : "s");
}
