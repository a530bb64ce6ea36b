/* unjudged.c - what a verdict on running processes could not take into account. */
/* SPDX-License-Identifier: MIT */
/*
 * The one place where such notes are collected. A language whose locks become understood
 * loses its row here; so does a kind of wait whose other side is followed from then on.
 */
#include "verdict/verdict.h"

#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "schema/names.h"
#include "schema/query.h"
#include "verdict/naming.h"

enum { NAMED = 4 }; /* processes of one note */

/* Programs whose threads wait for objects that only their language knows, unless it has been read. exe: how the file's name begins. */
static const struct {
	const char *exe, *what;
	bool always;  /* its threads are read, but not that */
	bool on_wait; /* while it is recorded it is read when a thread waits as for a lock: else its language is not known */
} runtimes[] = {
	{"java", "the monitors and locks of Java (jstack shows them)", false, true},
	{"python", "the threads and locks of Python (py-spy shows where they are)", false, true},
	{"pypy", "the threads and locks of PyPy (faulthandler shows where they are)", false, false},
	{"ruby", "the mutexes and queues of Ruby (rbspy shows where its threads are)", false, true},
	{"node", "the promises and callbacks of Node.js (node --inspect shows them)", true, false},
	{"beam.smp", "the processes of Erlang (observer shows them)", false, false},
	{"dotnet", "the monitors of .NET (dotnet-stack shows who waits)", false, false},
	{"mono", "the monitors of Mono", false, false},
	{"postgres", "the locks of PostgreSQL (pg_locks shows them)", false, false},
};

#define IN_SNAPSHOT "(SELECT backend FROM trace) = 'snapshot'"

/* Waits (w) that somebody or something outside may end, as far as the verdict knows. */
static const struct {
	const char *is_one, *what;
} waits[] = {
	{"w.reason = 'socket' AND w.detail LIKE 'netlink%'",
		"what the kernel, or another process, will send over netlink"},
	/* Of a connection the other side, where somebody outside may have it. */
	{"w.reason = 'socket' OR p.kind IN ('unix', 'tcp') AND (p.outside >> (1 - coalesce(w.side, 0))) & 1",
		"who is at the other end of a socket"},
	{"w.reason = 'ipc'", "which outside processes use a System V or POSIX queue or semaphore"},
	{"w.reason = 'tty' OR p.kind = 'pty' AND p.outside <> 0", "what a terminal user will type"},
	{"w.reason = 'watch'", "who will change the files that are watched (inotify, fanotify)"},
	{"w.reason = 'poll' AND EXISTS (SELECT 1 FROM wait_on o WHERE o.wait_id = w.id AND o.kind = 'inotify')"
	 " AND NOT EXISTS (SELECT 1 FROM wait_on o WHERE o.wait_id = w.id"
	 "  AND o.kind NOT IN ('inotify', 'pipe', 'eventfd', 'signalfd'))",
		"who will change the files that are watched (inotify, fanotify)"},
	{"w.reason = 'uring'", "what the kernel still does for an io_uring"},
	{"w.reason = 'fault'", "whether the holder of a userfaultfd will supply a page"},
	{"w.reason = 'file' AND (w.detail LIKE '%lease on it' OR w.detail LIKE '%fanotify%')",
		"when somebody else will let a file be opened (leases, fanotify)"},
	{"p.kind = 'fifo' AND coalesce(p.path, '') NOT LIKE '% (deleted)'",
		"who will open a FIFO, or has written to it before"},
	{"w.reason = 'poll' AND " IN_SNAPSHOT
	 " AND EXISTS (SELECT 1 FROM wait_on o WHERE o.wait_id = w.id)"
	 " AND NOT EXISTS (SELECT 1 FROM wait_on o LEFT JOIN pipe q ON q.id = o.pipe_id WHERE o.wait_id = w.id"
	 "  AND (q.kind IS NOT 'pipe' OR NOT EXISTS (SELECT 1 FROM pipe_end e WHERE e.pipe_id = q.id"
	 "   AND e.process_id = t.process_id AND instr(e.mode, 'w'))))",
		"who has written before to a pipe of which a loop polls one end and has the other"},
	{"w.reason = 'pipe-read' AND p.kind IN ('unix', 'tcp') AND " IN_SNAPSHOT,
		"which thread is to answer what was asked through a connection"},
	{"w.reason = 'sem' AND w.timed = 0 AND EXISTS (SELECT 1 FROM lock l LEFT JOIN lock_stat s ON s.lock_id = l.id"
	 " WHERE l.id = w.lock_id AND l.type LIKE '%.Lock' AND s.last_taker_id IS NULL)",
		"who has a lock that does not say so (threading.Lock of Python)"},
	{"w.reason = 'lock' AND w.timed <> 0",
		"whether a wait for a lock that has a time-out is begun again each time"},
	{"w.syscall = 'io_getevents'",
		"what asynchronous input and output is under way (io_submit)"},
	{"w.reason = 'other'", "system calls that pptrace does not know"},
};

/* Every wait that stands at the moment ?1, once: there may be millions of others. */
static const char standing_sql[] =
	"SELECT DISTINCT CASE %s END AS number, t.process_id FROM wait w JOIN thread t ON t.id = w.thread_id"
	" LEFT JOIN pipe p ON p.id = w.pipe_id WHERE %s AND (w.timed = 0 OR w.reason = 'file'"
	" OR (w.reason = 'lock' AND " IN_SNAPSHOT "))"
	" AND number IS NOT NULL ORDER BY 1, 2";

/* Threads that run, in programs whose locks a recording sees only by who sleeps in them; a language has its own. */
static const char runners_sql[] =
	"SELECT DISTINCT p.id FROM thread t JOIN process p ON p.id = t.process_id WHERE " IN_SNAPSHOT
	" AND p.start_ns <= ?1 AND p.end_ns IS NULL AND t.end_ns IS NULL AND p.language IS NULL"
	" AND NOT EXISTS (SELECT 1 FROM wait w WHERE w.thread_id = t.id AND w.end_ns IS NULL)"
	" AND (SELECT count(*) FROM thread o WHERE o.process_id = p.id AND o.end_ns IS NULL) > 1 ORDER BY 1";

/*
 * Java shows what a virtual thread waits for only while it runs on a thread: where there are such threads, or those that watch sockets
 * and the time for virtual ones.
 */
static const char virtual_sql[] =
	"SELECT DISTINCT t.process_id FROM thread t JOIN process p ON p.id = t.process_id WHERE p.language = 'java'"
	" AND t.start_ns <= ?1 AND (t.end_ns IS NULL OR t.end_ns > ?1) AND (t.runtime_name LIKE '%" RUNTIME_VIRTUAL
	"' OR t.runtime_name LIKE '%" RUNTIME_CARRIER
	"' OR t.runtime_name IN ('Read-Poller', 'Write-Poller')"
	" OR t.runtime_name LIKE 'VirtualThread-unparker%') ORDER BY 1";

/* SIGEV_THREAD, which the C library does by the first real-time signal. */
static const char callbacks_sql[] =
	"SELECT DISTINCT process_id FROM timer WHERE kind = 'posix' AND signo = 32 AND armed_ns <= ?1"
	" AND (disarmed_ns IS NULL OR disarmed_ns > ?1) ORDER BY 1";

static const char *file_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* Adds the process of the row to a note, which begins with the first. */
static void add_process(struct buf *out, struct sqlite3 *db, int64_t id, const char *what, size_t n)
{
	if (n == NAMED)
		buf_adds(out, " and others");
	if (n >= NAMED)
		return;
	if (n)
		buf_adds(out, ", ");
	else
		buf_addf(out, "  %s: ", what);
	naming_process(out, db, id);
}

/* Says whether a thread of a process waits as for a lock at a moment; always when it still runs. */
static bool any_wants_lock(struct sqlite3 *db, int64_t process_id, int64_t at_ns, struct buf *why)
{
	static const char sql[] =
		"SELECT EXISTS (SELECT 1 FROM thread t JOIN wait w ON w.thread_id = t.id WHERE t.process_id = ?1"
		" AND w.start_ns <= ?2 AND (w.end_ns IS NULL OR w.end_ns > ?2)"
		" AND w.reason IN ('cond', 'futex', 'sem', 'lock', 'join', 'child'))";

	return at_ns == INT64_MAX || query_pair(db, sql, process_id, at_ns, 0, why);
}

static int add_runtime(
	struct sqlite3 *db, int64_t at_ns, size_t i, struct buf *out, struct buf *why)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	const char *exe = runtimes[i].exe;
	size_t n = 0;
	int rc = query_one(db,
		"SELECT id, " QUERY_INTERPRETER(
			"process") ", language IS NULL FROM process WHERE (end_ns IS NULL OR end_ns > ?1)"
				   " AND exe IS NOT NULL ORDER BY id",
		at_ns, &stmt, why);

	for (; rc > 0; rc = query_step(stmt, why))
		if ((runtimes[i].always || query_int(stmt, 2, 0)) &&
			!strncmp(file_name(query_text(stmt, 1)), exe, strlen(exe)) &&
			(!runtimes[i].on_wait ||
				any_wants_lock(db, query_int(stmt, 0, 0), at_ns, why)))
			add_process(out, db, query_int(stmt, 0, 0), runtimes[i].what, n++);
	if (n)
		buf_addc(out, '\n');
	return rc;
}

static int add_waits(struct sqlite3 *db, int64_t at_ns, struct buf *out, struct buf *why)
{
	_cleanup_free_ char *sql = NULL;
	_cleanup_buf_ struct buf kinds = BUF_INIT;
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	size_t n = 0, last = ARRAY_SIZE(waits);
	int rc;

	for (size_t i = 0; i < ARRAY_SIZE(waits); i++)
		buf_addf(&kinds, " WHEN %s THEN %zu", waits[i].is_one, i);
	/* What stands now is found by index. */
	sql = xasprintf(standing_sql, kinds.data,
		at_ns == INT64_MAX ? "w.end_ns IS NULL"
				   : "w.start_ns <= ?1 AND (w.end_ns IS NULL OR w.end_ns > ?1)");
	rc = query_one(db, sql, at_ns, &stmt, why);
	for (; rc > 0; rc = query_step(stmt, why)) {
		size_t kind = (size_t)query_int(stmt, 0, 0);

		if (n && kind != last)
			buf_addc(out, '\n');
		n = kind == last ? n : 0;
		last = kind;
		add_process(out, db, query_int(stmt, 1, 0), waits[kind].what, n++);
	}
	if (n)
		buf_addc(out, '\n');
	return rc;
}

/* A note about the processes that a query finds for the moment. */
static int add_those(struct sqlite3 *db, int64_t at_ns, const char *sql, const char *what,
	struct buf *out, struct buf *why)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	int rc = query_one(db, sql, at_ns, &stmt, why);
	size_t n = 0;

	for (; rc > 0; rc = query_step(stmt, why))
		add_process(out, db, query_int(stmt, 0, 0), what, n++);
	if (n)
		buf_addc(out, '\n');
	return rc;
}

int verdict_unjudged(struct sqlite3 *db, int64_t at_ns, struct buf *out, struct buf *why)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < ARRAY_SIZE(runtimes); i++)
		rc = add_runtime(db, at_ns, i, out, why);
	if (!rc)
		rc = add_waits(db, at_ns, out, why);
	if (!rc)
		rc = add_those(db, at_ns, virtual_sql,
			"virtual threads of Java that do not run (jcmd's Thread.dump_to_file shows them)",
			out, why);
	if (!rc)
		rc = add_those(db, at_ns, runners_sql,
			"whether a thread that runs spins for a lock that another one has", out,
			why);
	return rc ? rc
		  : add_those(db, at_ns, callbacks_sql,
			    "what a POSIX timer that starts a thread will do (SIGEV_THREAD)", out,
			    why);
}
