/* unjudged.c - what a verdict on running processes could not take into account. */
/* SPDX-License-Identifier: MIT */
/*
 * The one place where such notes are collected. A language whose locks become understood
 * loses its row here; so does a kind of wait whose other side is followed from then on.
 */
#include "verdict/verdict.h"

#include <string.h>

#include "base/buf.h"
#include "schema/query.h"
#include "verdict/naming.h"

enum { NAMED = 4 }; /* processes of one note */

/* Programs whose threads wait for objects that only their language knows, unless it has been read. exe: how the file's name begins. */
static const struct {
	const char *exe, *what;
	bool always; /* its threads are read, but not that */
} runtimes[] = {
	{"java", "the monitors and locks of Java (jstack shows them)", false},
	{"python", "the threads and locks of Python (py-spy shows where they are)", false},
	{"pypy", "the threads and locks of PyPy (faulthandler shows where they are)", false},
	{"ruby", "the mutexes and queues of Ruby (rbspy shows where its threads are)", false},
	{"node", "the promises and callbacks of Node.js (node --inspect shows them)", true},
	{"beam.smp", "the processes of Erlang (observer shows them)", false},
	{"dotnet", "the monitors of .NET (dotnet-stack shows who waits)", false},
	{"mono", "the monitors of Mono", false},
	{"postgres", "the locks of PostgreSQL (pg_locks shows them)", false},
};

/* Waits that the outside may end, as far as the verdict knows. */
static const struct {
	const char *reason, *what;
} waits[] = {
	{"socket", "who is at the other end of a socket"},
	{"ipc", "which outside processes use a System V or POSIX queue or semaphore"},
	{"tty", "what a terminal user will type"},
	{"other", "system calls that pptrace does not know"},
};

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

static int add_runtime(struct sqlite3 *db, size_t i, struct buf *out, struct buf *why)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	const char *exe = runtimes[i].exe;
	size_t n = 0;
	int rc = query_one(db,
		"SELECT id, exe FROM process WHERE end_ns IS NULL AND exe IS NOT NULL"
		" AND (language IS NULL OR ?1) ORDER BY id",
		runtimes[i].always, &stmt, why);

	for (; rc > 0; rc = query_step(stmt, why))
		if (!strncmp(file_name(query_text(stmt, 1)), exe, strlen(exe)))
			add_process(out, db, query_int(stmt, 0, 0), runtimes[i].what, n++);
	if (n)
		buf_addc(out, '\n');
	return rc;
}

static int add_waits(struct sqlite3 *db, size_t i, struct buf *out, struct buf *why)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	size_t n = 0;
	int rc = query_open(db,
		"SELECT DISTINCT t.process_id FROM wait w JOIN thread t ON t.id = w.thread_id"
		" WHERE w.end_ns IS NULL AND w.timed = 0"
		/* Of a connection the other side, where somebody outside may have it. */
		" AND (w.reason = ?1 OR (?1 = 'socket' AND EXISTS (SELECT 1 FROM pipe p WHERE p.id = w.pipe_id"
		"  AND p.kind IN ('unix', 'tcp') AND (p.outside >> (1 - coalesce(w.side, 0))) & 1))"
		" OR (?1 = 'tty' AND EXISTS (SELECT 1 FROM pipe p WHERE p.id = w.pipe_id AND p.kind = 'pty'"
		"  AND p.outside <> 0))) ORDER BY 1",
		&stmt, why);

	if (rc)
		return rc;
	(void)sqlite3_bind_text(stmt, 1, waits[i].reason, -1, SQLITE_STATIC);
	while ((rc = query_step(stmt, why)) > 0)
		add_process(out, db, query_int(stmt, 0, 0), waits[i].what, n++);
	if (n)
		buf_addc(out, '\n');
	return rc;
}

int verdict_unjudged(struct sqlite3 *db, struct buf *out, struct buf *why)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < ARRAY_SIZE(runtimes); i++)
		rc = add_runtime(db, i, out, why);
	for (size_t i = 0; !rc && i < ARRAY_SIZE(waits); i++)
		rc = add_waits(db, i, out, why);
	return rc;
}
