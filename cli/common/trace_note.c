/* trace_note.c - say what a recording lacks before anybody trusts it. */
/* SPDX-License-Identifier: MIT */
#include "cli/common/trace_note.h"

#include <errno.h>
#include <inttypes.h>
#include <sqlite3.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/mem.h"
#include "cli/common/say.h"
#include "cli/common/scratch.h"
#include "schema/db.h"
#include "schema/query.h"
#include "schema/version.h"
#include "tracer/target/target.h"

/* "12 events lost (10 LOCK_ACQUIRE from shim, 2 from ebpf)". */
static void note_lost(sqlite3 *db, struct buf *why)
{
	_cleanup_stmt_ sqlite3_stmt *st = NULL;
	_cleanup_buf_ struct buf kinds = BUF_INIT;
	int64_t lost = query_number(db, "SELECT lost FROM trace", 0, 0, why);
	int n = 0;

	if (lost <= 0 ||
		query_open(db,
			"SELECT count, kind, source FROM lost ORDER BY count DESC, source, kind",
			&st, why) < 0)
		return;
	for (; query_step(st, why) > 0; n++) {
		buf_addf(&kinds, "%s%" PRId64, n ? ", " : " (", query_int(st, 0, 0));
		if (*query_text(st, 1) && strcmp(query_text(st, 1), "any") != 0)
			buf_addf(&kinds, " %s", query_text(st, 1));
		buf_addf(&kinds, " from %s", query_text(st, 2));
	}
	if (kinds.len)
		buf_addc(&kinds, ')');
	note("%" PRId64 " event%s lost%s: the recording has gaps", lost, lost == 1 ? "" : "s",
		kinds.data);
}

/* What a recording that was kept small has only totals of. */
static void note_removed(sqlite3 *db, struct buf *why)
{
	_cleanup_buf_ struct buf since = BUF_INIT;
	int64_t ns = version_has(db, "trace.detail_since_ns")
			     ? query_number(db, "SELECT detail_since_ns FROM trace", 0, 0, why)
			     : 0;

	if (ns <= 0)
		return;
	buf_add_duration(&since, ns);
	note("only totals were kept for what ended before %s (run --last, --max-size)", since.data);
}

static void detail_blind_spots(sqlite3 *db, struct buf *why)
{
	_cleanup_stmt_ sqlite3_stmt *st = NULL;

	if (query_open(db,
		    "SELECT value FROM trace, json_each(iif(json_valid(blind_spots), blind_spots, '[]'))",
		    &st, why) < 0)
		return;
	while (query_step(st, why) > 0)
		detail("blind spot: %s", query_text(st, 0));
}

void trace_note(sqlite3 *db, const char *path)
{
	_cleanup_buf_ struct buf why = BUF_INIT;

	/* Of what was put together a moment ago, who did that says what it lacks. */
	if (!scratch_is(path) &&
		query_number(db, "SELECT count(*) FROM trace WHERE complete = 0", 0, 0, &why))
		note("%s is not complete: it is still being recorded, or pptrace was killed", path);
	note_lost(db, &why);
	note_removed(db, &why);
	detail_blind_spots(db, &why);
	if (why.len)
		die("%s: %s", path, why.data);
}

/* Seconds of processor time in which a file of that size is read, however slow the machine. */
static unsigned time_for(const char *path)
{
	enum { LEAST = 60, MEGABYTE = 1 << 20, MOST = 1 << 20 };
	struct stat st;

	if (stat(path, &st) < 0)
		return LEAST;
	return st.st_size / MEGABYTE < MOST ? LEAST + 2 * (unsigned)(st.st_size / MEGABYTE) : MOST;
}

/* Somebody may name a process or a program where a recording is wanted: says what deals with that, or "". The caller frees it. */
static char *what_was_meant(const char *path, const char *of_process, const char *of_program)
{
	_cleanup_free_ char *program = NULL;

	if (*path && !path[strspn(path, "0123456789")])
		return xasprintf(
			"; 'pptrace %s %s' looks at the process of that number", of_process, path);
	if (target_find(path, &program) == 0)
		return xasprintf("; 'pptrace %s %s' runs that program", of_program, path);
	return xstrdup("");
}

sqlite3 *trace_open_or(const char *path, const char *of_process, const char *of_program)
{
	_cleanup_free_ char *why = NULL, *meant = NULL;
	_cleanup_buf_ struct buf unread = BUF_INIT; /* told by those who want more of it */
	sqlite3 *db = NULL;
	int rc = db_open_read(path, &db, &why);

	if (rc == -ENOENT && !strcmp(path, "pptrace.db"))
		die("%s here; create one with 'pptrace run COMMAND', or name another file", why);
	if (rc) {
		meant = rc == -ENOENT || rc == -EMEDIUMTYPE
				? what_was_meant(path, of_process, of_program)
				: xstrdup("");
		die("%s%s", why, meant);
	}
	db_limit(db, time_for(path));
	if (query_number(db, "SELECT count(*) FROM trace", 0, 1, &unread) == 0)
		die("cannot read %s: the table trace is empty", path);
	trace_note(db, path);
	return db;
}

sqlite3 *trace_open(const char *path)
{
	return trace_open_or(path, "why", "run");
}

const char *trace_operand(const char *command, int argc, char **argv)
{
	if (argc > 1) {
		warn("%s: only one recording can be given; unexpected '%s'", command, argv[1]);
		return NULL;
	}
	return argc ? argv[0] : "pptrace.db";
}
