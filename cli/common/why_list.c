/* why_list.c - what each thread of some processes waits for, and for whom, as text. */
/* SPDX-License-Identifier: MIT */
#include "cli/common/why_list.h"

#include <sqlite3.h>
#include <stdint.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "cli/common/say.h"
#include "cli/common/why_rows.h"
#include "schema/query.h"
#include "schema/version.h"
#include "schema/waits.h"
#include "verdict/naming.h"
#include "verdict/place.h"

enum { COMMAND_SHOWN = 200 };

static const char set_sql[] =
	"SELECT kind, fd, mode, pipe_id, process_id, side FROM wait_on WHERE wait_id = ?1"
	" ORDER BY ordinal LIMIT 20";

static const char *text_at(sqlite3_stmt *stmt, int column)
{
	return (const char *)sqlite3_column_text(stmt, column);
}

static const char *reason_words(const char *reason)
{
	return strcmp(reason, "runs") ? wait_info(wait_find(reason))->words : "runs";
}

/*
 * Whose end ends a wait for any child. Of a shell that has just called why, that is why itself, which no snapshot contains.
 */
static void add_children(struct buf *out, const struct why_source *src, const struct why_row *r)
{
	enum { SHOWN = 5 };
	static const char children_sql[] =
		"SELECT c.id FROM thread t JOIN process c ON c.parent_id = t.process_id, moment m"
		" WHERE t.id = ?1 AND coalesce(c.start_ns, 0) <= m.ns"
		" AND (c.end_ns IS NULL OR c.end_ns > m.ns) ORDER BY c.id";
	static const char caller_sql[] =
		"SELECT p.pid FROM thread t JOIN process p ON p.id = t.process_id WHERE t.id = ?1"
		" AND (SELECT backend FROM trace) = 'snapshot'";
	_cleanup_stmt_ sqlite3_stmt *stmt = why_prepare(src, children_sql, r->thread_id);
	bool is_caller = query_number(src->db, caller_sql, r->thread_id, 0, src->why) == getppid();
	size_t n = 0;

	for (; why_next(src, stmt); n++) {
		if (n < SHOWN)
			buf_adds(out, n ? ", " : "waits for any of its children: ");
		if (n < SHOWN)
			naming_process_at(
				out, src->db, sqlite3_column_int64(stmt, 0), why_source_now(src));
	}
	if (n > SHOWN)
		buf_addf(out, " and %zu more", n - SHOWN);
	if (is_caller)
		buf_addf(out, "%spptrace[%d], which prints this", n ? ", " : "waits for its child ",
			(int)getpid());
	else if (!n)
		buf_adds(out, reason_words(r->state));
}

/* Of a thread without a wait: the preload library alone does not see all that threads wait for. */
static void add_running(struct buf *out, const struct why_source *src)
{
	buf_adds(out, "runs");
	if (query_number(src->db, "SELECT backend = 'shim' FROM trace", 0, 0, src->why))
		buf_adds(out, ", or waits where the preload library does not see it");
}

/* Adds "waits for the mutex a" or the like: the wait and its object, without its owner. */
void why_list_object(struct buf *out, const struct why_source *src, const struct why_row *r)
{
	bool is_stopped = why_is_stopped_in_wait(r);

	if (is_stopped)
		buf_adds(out, "is stopped; when continued it ");
	if (r->lock_id && wait_find(r->state) == WAIT_LOCK_POLL) {
		buf_addf(out, "%s the ", reason_words(r->state));
		naming_lock(out, src->db, r->lock_id);
	} else if (r->lock_id) {
		buf_adds(out, "waits for the ");
		naming_lock(out, src->db, r->lock_id);
	} else if (r->pipe_id) {
		/* What it is called says that it is a socket. */
		buf_addf(out, "%s ",
			wait_find(r->state) == WAIT_SOCKET ? "waits for the"
							   : reason_words(r->state));
		if (!strcmp(r->state, "stopped"))
			buf_addf(out, "while it %s ",
				r->mode && *r->mode == 'w' ? "writes to" : "reads from");
		naming_pipe(out, src->db, r->pipe_id);
	} else if (r->target_thread_id) {
		buf_adds(out, "waits to join ");
		naming_thread_at(out, src->db, r->target_thread_id, why_source_now(src));
	} else if (r->target_process_id && wait_find(r->state) == WAIT_FAULT) {
		buf_adds(out, "waits for a page of memory that the userfaultfd of ");
		naming_process_at(out, src->db, r->target_process_id, why_source_now(src));
		buf_adds(out, " is to supply");
	} else if (r->target_process_id) {
		bool is_vfork = !strcmp(r->state, "vfork"), is_child = !strcmp(r->state, "child");

		buf_adds(out, is_vfork || is_child ? "waits for its child " : "waits for ");
		naming_process_at(out, src->db, r->target_process_id, why_source_now(src));
		buf_adds(out, is_vfork ? " to exec or exit" : is_child ? " to exit" : "");
	} else if (wait_find(r->state) == WAIT_CHILD && !r->detail &&
		   query_number(src->db, "SELECT target_pgid IS NULL FROM wait WHERE id = ?1",
			   r->wait_id, 0, src->why)) {
		add_children(out, src, r);
	} else if (r->detail && *r->detail && wait_find(r->state) == WAIT_IPC) {
		buf_add_printable(out, r->detail, strlen(r->detail));
		return;
	} else if (!r->wait_id) {
		add_running(out, src);
	} else {
		buf_adds(out, reason_words(r->state));
	}
	if (r->detail && !is_stopped) {
		buf_adds(out, ": ");
		buf_add_printable(out, r->detail, strlen(r->detail));
	}
}

static void add_line(struct buf *out, const char *lead, const struct buf *what)
{
	if (what->len)
		buf_addf(out, "              %s%s\n", lead, what->data);
}

/* The members of a poll set, one a line. */
static void add_set(struct buf *out, const struct why_source *src, const struct why_row *r)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = why_prepare(src, set_sql, r->wait_id);

	while (why_next(src, stmt)) {
		_cleanup_buf_ struct buf line = BUF_INIT, whom = BUF_INIT;
		const char *mode = text_at(stmt, 2);
		int64_t pipe = sqlite3_column_int64(stmt, 3);
		const char *kind = text_at(stmt, 0);

		buf_addf(&line, "%d: ", sqlite3_column_int(stmt, 1));
		if (pipe) {
			naming_pipe(&line, src->db, pipe);
			if (why_other_ends(&whom, src, pipe, mode, sqlite3_column_int64(stmt, 5)))
				buf_addf(&line, ", other end: %s", whom.data);
		} else {
			buf_adds(&line, kind ? kind : "?");
			buf_adds(&line, sqlite3_column_int64(stmt, 4) ? ", " : "");
			if (sqlite3_column_int64(stmt, 4))
				naming_process_at(&line, src->db, sqlite3_column_int64(stmt, 4),
					why_source_now(src));
		}
		add_line(out, "- descriptor ", &line);
	}
}

/* Where the thread is; in full, every frame of its stack. */
static void add_place(struct buf *out, const struct why_source *src, const struct why_row *r,
	struct places *places)
{
	_cleanup_buf_ struct buf site = BUF_INIT;

	if (say_is_verbose() && r->stack_id) {
		place_add_lines(out, src->db, r->stack_id, "              ");
		return;
	}
	places_describe(&site, places, r->site_id, r->stack_id);
	if (site.len)
		buf_addf(out, "             %s\n", site.data);
}

static void add_thread(struct buf *out, const struct why_source *src, const struct why_row *r,
	int64_t now, unsigned more, struct places *places)
{
	_cleanup_buf_ struct buf whom = BUF_INIT;

	/* A task of a language's runtime has no thread. */
	if (r->tid < RUNTIME_TASK_FIRST)
		buf_addf(out, "    %8lld  ", (long long)r->tid);
	else
		buf_addf(out, "    %8s  ", "");
	if (r->name)
		buf_add_printable(out, r->name, strlen(r->name));
	buf_adds(out, r->name ? ": " : "");
	why_list_object(out, src, r);
	/* What seems to have begun just now began at a time that is not known. */
	if (r->wait_id && r->tid < RUNTIME_TASK_FIRST && now - r->since_ns >= 1000000) {
		buf_adds(out, ", for ");
		buf_add_duration(out, now - r->since_ns);
	}
	if (r->timed && strcmp(r->state, "sleep") != 0 && wait_find(r->state) != WAIT_LOCK_POLL)
		buf_adds(out, ", with a timeout");
	if (r->syscall && (!strcmp(r->state, "other") || !strcmp(r->state, "futex")))
		buf_addf(out, " (%s)", r->syscall);
	if (more)
		buf_addf(
			out, "; and %u more thread%s in the same wait", more, more == 1 ? "" : "s");
	buf_addc(out, '\n');
	if (why_whom(&whom, src, r, ", "))
		add_line(out, r->lock_id ? "held by " : "other end: ", &whom);
	else if (!strcmp(r->state, "poll"))
		add_set(out, src, r);
	if (r->site_id || r->stack_id)
		add_place(out, src, r, places);
}

/* How much of a name stands before the number at its end: "pool-1-thread-" of "pool-1-thread-12". */
static size_t stem(const char *name)
{
	size_t len = strlen(name);

	while (len && name[len - 1] >= '0' && name[len - 1] <= '9')
		len--;
	return len;
}

/* Says whether a thread is a worker of a pool that has nothing to do. */
static bool is_idle_worker(const struct why_source *src, const struct why_row *r)
{
	return r->name && r->lock_id &&
	       naming_runtime_kind(src->db, r->lock_id) == RUNTIME_KIND_POOL;
}

static bool is_same_stem(const char *a, const char *b)
{
	return a && b && stem(a) == stem(b) && !strncmp(a, b, stem(a));
}

/* Says whether two threads wait for the same at the same place, whatever their locks are. */
static bool is_same_wait(const struct why_row *a, const struct why_row *b)
{
	return a->wait_id && b->wait_id && !strcmp(a->state, b->state) &&
	       a->pipe_id == b->pipe_id && a->site_id == b->site_id &&
	       a->target_thread_id == b->target_thread_id &&
	       a->target_process_id == b->target_process_id && a->timed == b->timed;
}

/*
 * Threads are alike if they wait for the same at the same place; is_idle: what is_idle_worker says of a. From Python 3.13 on each of a pool's
 * workers sleeps on a word of its own: they are known by their names, which differ in a number. The database is asked last: there may be
 * a million of such pairs.
 */
static bool is_alike(const struct why_source *src, const struct why_row *a, const struct why_row *b,
	bool is_idle)
{
	return is_same_wait(a, b) &&
	       (a->lock_id == b->lock_id ||
		       (is_idle && is_same_stem(a->name, b->name) && is_idle_worker(src, b)));
}

/* Says whether a process is a rank of an MPI job. */
static bool is_rank(const struct why_source *src, int64_t id)
{
	_cleanup_buf_ struct buf why = BUF_INIT;

	return version_has(src->db, "process.mpi_job") &&
	       query_number(src->db, "SELECT mpi_job IS NOT NULL FROM process WHERE id = ?1", id, 0,
		       &why) > 0;
}

static void add_process(
	struct buf *out, const struct why_source *src, int64_t id, int64_t now, bool all)
{
	struct places *places = places_new(src->db);
	struct why_rows rows = {0};
	unsigned n_housekeeping = 0;
	bool *shown;

	why_rows_load(&rows, src, id);
	for (size_t i = 0; i < rows.n; i++)
		places_add(places, rows.list[i].site_id, rows.list[i].stack_id);
	shown = xcalloc(rows.n, sizeof *shown);
	for (size_t i = 0; i < rows.n; i++) {
		unsigned more = 0;
		bool is_idle;

		n_housekeeping += rows.list[i].is_housekeeping;
		if (shown[i] || (rows.list[i].is_housekeeping && !all))
			continue;
		is_idle = !all && is_idle_worker(src, &rows.list[i]);
		for (size_t k = i + 1; k < rows.n && !all; k++)
			if (!shown[k] && is_alike(src, &rows.list[i], &rows.list[k], is_idle)) {
				shown[k] = true;
				more++;
			}
		add_thread(out, src, &rows.list[i], now, more, places);
	}
	if (n_housekeeping && !all)
		buf_addf(out, "              and %u thread%s of its %s\n", n_housekeeping,
			n_housekeeping == 1 ? "" : "s",
			is_rank(src, id) ? "MPI library" : "language's runtime");
	free(shown);
	places_free(places);
	why_rows_done(&rows);
}

static void list_text(struct buf *out, const struct why_source *src, bool all, bool colour)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = why_processes(src);
	int64_t now = why_source_now(src);

	while (why_next(src, stmt)) {
		const char *command = text_at(stmt, 5);

		buf_adds(out, colour ? "\033[1m" : "");
		naming_process_at(out, src->db, sqlite3_column_int64(stmt, 0), now);
		buf_adds(out, colour ? "\033[0m" : "");
		if (sqlite3_column_int(stmt, 4)) {
			buf_adds(out, " has ended and has not been reaped: a zombie\n");
			continue;
		}
		if (command) {
			buf_addc(out, ' ');
			size_t len = strnlen(command, COMMAND_SHOWN);

			/* Not in the middle of a character. */
			while (len == COMMAND_SHOWN && len > 0 && (command[len] & 0xc0) == 0x80)
				len--;
			buf_add_printable(out, command, len);
			if (command[len])
				buf_adds(out, "...");
		}
		buf_addc(out, '\n');
		add_process(out, src, sqlite3_column_int64(stmt, 0), now, all);
	}
}

int why_list_text(
	struct buf *out, sqlite3 *db, int64_t at_ns, bool all, bool colour, struct buf *why)
{
	struct why_source src = {db, at_ns, why};

	if (why_source_init(&src) == 0)
		list_text(out, &src, all, colour);
	why_source_done(&src);
	return query_failed(naming_intact(db, why), why);
}
