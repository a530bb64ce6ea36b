/* why_list.c - what each thread of some processes waits for, and for whom. */
/* SPDX-License-Identifier: MIT */
#include "cli/common/why_list.h"

#include <sqlite3.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/mem.h"
#include "cli/common/say.h"
#include "schema/query.h"
#include "schema/waits.h"
#include "verdict/describe.h"
#include "verdict/place.h"

enum { COMMAND_SHOWN = 200 };

/* One thread that has not ended, and its wait. */
struct row {
	int64_t thread_id, tid;
	const char *name, *state; /* state: the reason as in the database, "runs" or "ended" */
	int64_t wait_id, since_ns, lock_id, pipe_id, target_process_id, target_thread_id, site_id,
		stack_id;
	const char *syscall, *detail, *mode;
	int64_t side;
	bool timed;
};

static const char threads_sql[] =
	"SELECT t.id, t.tid, coalesce(t.runtime_name, t.name), w.id, w.reason, w.start_ns, w.lock_id, w.pipe_id,"
	" w.target_process_id, w.target_thread_id, w.site_id, w.syscall, w.detail, w.mode, w.side,"
	" w.timed, w.stack_id FROM thread t LEFT JOIN wait w ON w.thread_id = t.id AND w.end_ns IS NULL"
	" WHERE t.process_id = ?1 AND t.end_ns IS NULL GROUP BY t.id ORDER BY t.tid";

/* Whom a wait is for, by what it is on. Every query gives process and thread; a thread of 0 means all of them. */
static const char holders_sql[] =
	/* Who shares the description of a file lock since a fork is named without a thread. */
	"SELECT DISTINCT o.process_id, iif(l.kind = 'file' AND o.process_id <> t.process_id, 0,"
	" o.thread_id) FROM lock_open o JOIN lock l ON l.id = o.lock_id"
	" JOIN thread t ON t.id = o.thread_id WHERE o.lock_id = ?1 ORDER BY o.thread_id, 2 DESC";
static const char ends_sql[] =
	"SELECT DISTINCT e.process_id, 0 FROM pipe_end e JOIN pipe p ON p.id = e.pipe_id"
	" WHERE e.pipe_id = ?1 AND e.close_ns IS NULL AND (CASE WHEN p.kind = 'socketpair'"
	" THEN e.side <> ?3 ELSE (instr(?2, 'r') AND instr(e.mode, 'w'))"
	" OR (instr(?2, 'w') AND instr(e.mode, 'r')) END)"
	" ORDER BY 1";
static const char set_sql[] =
	"SELECT kind, fd, mode, pipe_id, process_id, side FROM wait_on WHERE wait_id = ?1"
	" ORDER BY ordinal LIMIT 20";

/* Where it is read from, and the first error. */
struct source {
	sqlite3 *db;
	struct buf *why;
};

/* Returns a statement for ?1 = id, or NULL after an error. */
static sqlite3_stmt *prepare(const struct source *src, const char *sql, int64_t id)
{
	sqlite3_stmt *stmt = NULL;

	if (query_open(src->db, sql, &stmt, src->why) == 0)
		query_bind_int(stmt, 1, id);
	return stmt;
}

static bool next(const struct source *src, sqlite3_stmt *stmt)
{
	return stmt && query_step(stmt, src->why) > 0;
}

static const char *text_at(sqlite3_stmt *stmt, int column)
{
	return (const char *)sqlite3_column_text(stmt, column);
}

static struct row row_at(sqlite3_stmt *stmt)
{
	struct row r = {.thread_id = sqlite3_column_int64(stmt, 0),
		.tid = sqlite3_column_int64(stmt, 1),
		.name = text_at(stmt, 2),
		.wait_id = sqlite3_column_int64(stmt, 3),
		.state = text_at(stmt, 4),
		.since_ns = sqlite3_column_int64(stmt, 5),
		.lock_id = sqlite3_column_int64(stmt, 6),
		.pipe_id = sqlite3_column_int64(stmt, 7),
		.target_process_id = sqlite3_column_int64(stmt, 8),
		.target_thread_id = sqlite3_column_int64(stmt, 9),
		.site_id = sqlite3_column_int64(stmt, 10),
		.syscall = text_at(stmt, 11),
		.detail = text_at(stmt, 12),
		.mode = text_at(stmt, 13),
		.side = sqlite3_column_int64(stmt, 14),
		.timed = sqlite3_column_int(stmt, 15),
		.stack_id = sqlite3_column_int64(stmt, 16)};

	if (!r.state)
		r.state = "runs";
	return r;
}

static const char *reason_words(const char *reason)
{
	return strcmp(reason, "runs") ? wait_info(wait_find(reason))->words : "runs";
}

static int64_t now_ns(const struct source *src)
{
	return query_number(src->db, "SELECT duration_ns FROM trace", 0, 0, src->why);
}

/* Says whether a thread was stopped inside a wait that it goes back to. */
static bool is_stopped_in_wait(const struct row *r)
{
	return r->detail && !strcmp(r->detail, "stopped");
}

/* Adds "waits for the mutex a" or the like: the wait and its object, without whom that belongs to. */
static void add_object(struct buf *out, const struct source *src, const struct row *r)
{
	bool is_stopped = is_stopped_in_wait(r);

	if (is_stopped)
		buf_adds(out, "is stopped, and once it resumes it ");
	if (r->lock_id) {
		buf_adds(out, "waits for the ");
		describe_lock(out, src->db, r->lock_id);
	} else if (r->pipe_id) {
		buf_addf(out, "%s ", reason_words(r->state));
		if (!strcmp(r->state, "stopped"))
			buf_addf(out, "while it %s ",
				r->mode && *r->mode == 'w' ? "writes to" : "reads from");
		describe_pipe(out, src->db, r->pipe_id);
	} else if (r->target_thread_id) {
		buf_adds(out, "waits for the end of ");
		describe_thread(out, src->db, r->target_thread_id);
	} else if (r->target_process_id) {
		buf_adds(out, !strcmp(r->state, "child") ? "waits for the end of its child "
			      : !strcmp(r->state, "vfork")
				      ? "waits for the exec or end of its child "
				      : "waits for ");
		describe_process(out, src->db, r->target_process_id);
	} else {
		buf_adds(out, reason_words(r->state));
	}
	if (r->detail && !is_stopped) {
		buf_adds(out, ": ");
		buf_add_printable(out, r->detail, strlen(r->detail));
	}
}

/* Adds those who could end the wait, separated by commas; returns how many. */
static int add_whom(struct buf *out, const struct source *src, const char *sql, int64_t id,
	const char *mode, int64_t side, const char *between)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = prepare(src, sql, id);
	int n = 0;

	if (stmt && mode)
		(void)sqlite3_bind_text(stmt, 2, mode, -1, SQLITE_TRANSIENT);
	if (stmt && sqlite3_bind_parameter_count(stmt) >= 3)
		(void)sqlite3_bind_int64(stmt, 3, side);
	while (next(src, stmt)) {
		if (n++)
			buf_adds(out, between);
		if (sqlite3_column_int64(stmt, 1))
			describe_thread(out, src->db, sqlite3_column_int64(stmt, 1));
		else
			describe_process(out, src->db, sqlite3_column_int64(stmt, 0));
	}
	return n;
}

static void add_line(struct buf *out, const char *lead, const struct buf *what)
{
	if (what->len)
		buf_addf(out, "              %s%s\n", lead, what->data);
}

/* The members of a poll set, one a line. */
static void add_set(struct buf *out, const struct source *src, const struct row *r)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = prepare(src, set_sql, r->wait_id);

	while (next(src, stmt)) {
		_cleanup_buf_ struct buf line = BUF_INIT, whom = BUF_INIT;
		const char *mode = text_at(stmt, 2);
		int64_t pipe = sqlite3_column_int64(stmt, 3);
		const char *kind = text_at(stmt, 0);

		buf_addf(&line, "%d: ", sqlite3_column_int(stmt, 1));
		if (pipe) {
			describe_pipe(&line, src->db, pipe);
			if (add_whom(&whom, src, ends_sql, pipe, mode,
				    sqlite3_column_int64(stmt, 5), ", "))
				buf_addf(&line, ", other end: %s", whom.data);
		} else {
			buf_adds(&line, kind ? kind : "?");
			buf_adds(&line, sqlite3_column_int64(stmt, 4) ? ", " : "");
			if (sqlite3_column_int64(stmt, 4))
				describe_process(&line, src->db, sqlite3_column_int64(stmt, 4));
		}
		add_line(out, "- descriptor ", &line);
	}
}

/* Where the thread is; in full, every frame of its stack. */
static void add_place(
	struct buf *out, const struct source *src, const struct row *r, struct places *places)
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

static void add_thread(struct buf *out, const struct source *src, const struct row *r, int64_t now,
	unsigned more, struct places *places)
{
	_cleanup_buf_ struct buf whom = BUF_INIT;

	buf_addf(out, "    %8lld  ", (long long)r->tid);
	if (r->name)
		buf_add_printable(out, r->name, strlen(r->name));
	buf_adds(out, r->name ? ": " : "");
	add_object(out, src, r);
	/* What seems to have begun just now began at a time that is not known. */
	if (r->wait_id && now - r->since_ns >= 1000000) {
		buf_adds(out, ", for ");
		buf_add_duration(out, now - r->since_ns);
	}
	if (r->timed && strcmp(r->state, "sleep") != 0)
		buf_adds(out, ", with a time-out");
	if (r->syscall && (!strcmp(r->state, "other") || !strcmp(r->state, "futex")))
		buf_addf(out, " (%s)", r->syscall);
	if (more)
		buf_addf(out, "; and %u more threads like it", more);
	buf_addc(out, '\n');
	if (r->lock_id && add_whom(&whom, src, holders_sql, r->lock_id, NULL, 0, ", "))
		add_line(out, "held by ", &whom);
	else if (r->pipe_id && add_whom(&whom, src, ends_sql, r->pipe_id, r->mode, r->side, ", "))
		add_line(out, "other end: ", &whom);
	else if (!strcmp(r->state, "poll"))
		add_set(out, src, r);
	if (r->site_id || r->stack_id)
		add_place(out, src, r, places);
}

/* Threads are alike if they wait for the same at the same place. */
static bool is_alike(const struct row *a, const struct row *b)
{
	return a->wait_id && b->wait_id && !strcmp(a->state, b->state) &&
	       a->lock_id == b->lock_id && a->pipe_id == b->pipe_id && a->site_id == b->site_id &&
	       a->target_thread_id == b->target_thread_id &&
	       a->target_process_id == b->target_process_id && a->timed == b->timed;
}

/* Rows of one process; the texts are the rows' own. */
struct row_list {
	struct row *list;
	size_t n, cap;
};

static void load_rows(struct row_list *rows, const struct source *src, int64_t process)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = prepare(src, threads_sql, process);

	while (next(src, stmt)) {
		struct row r = row_at(stmt);

		r.name = xstrdup(r.name);
		r.state = xstrdup(r.state);
		r.syscall = xstrdup(r.syscall);
		r.detail = xstrdup(r.detail);
		r.mode = xstrdup(r.mode);
		ARRAY_GROW(rows->list, rows->n, rows->cap);
		rows->list[rows->n++] = r;
	}
}

static void rows_done(struct row_list *rows)
{
	for (size_t i = 0; i < rows->n; i++) {
		free((char *)rows->list[i].name);
		free((char *)rows->list[i].state);
		free((char *)rows->list[i].syscall);
		free((char *)rows->list[i].detail);
		free((char *)rows->list[i].mode);
	}
	free(rows->list);
}

static void add_process(
	struct buf *out, const struct source *src, int64_t id, int64_t now, bool all)
{
	struct places *places = places_new(src->db);
	struct row_list rows = {0};
	bool *shown;

	load_rows(&rows, src, id);
	for (size_t i = 0; i < rows.n; i++)
		places_add(places, rows.list[i].site_id, rows.list[i].stack_id);
	shown = xcalloc(rows.n, sizeof *shown);
	for (size_t i = 0; i < rows.n; i++) {
		unsigned more = 0;

		if (shown[i])
			continue;
		for (size_t k = i + 1; k < rows.n && !all; k++)
			if (!shown[k] && is_alike(&rows.list[i], &rows.list[k])) {
				shown[k] = true;
				more++;
			}
		add_thread(out, src, &rows.list[i], now, more, places);
	}
	free(shown);
	places_free(places);
	rows_done(&rows);
}

static const char processes_sql[] =
	"SELECT id, pid, name, (SELECT rtrim(group_concat(value, ' ')) FROM json_each(command)),"
	" end_ns IS NOT NULL FROM process"
	" WHERE end_ns IS NULL OR (reaped_ns IS NULL AND parent_id IS NOT NULL) ORDER BY id";

static void list_text(struct buf *out, const struct source *src, bool all, bool colour)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = prepare(src, processes_sql, 0);
	int64_t now = now_ns(src);

	while (next(src, stmt)) {
		const char *command = text_at(stmt, 3);

		buf_adds(out, colour ? "\033[1m" : "");
		describe_process(out, src->db, sqlite3_column_int64(stmt, 0));
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

/* ---- JSON ---- */

static void json_text(struct buf *out, const char *name, const char *text)
{
	buf_addf(out, ",\"%s\":", name);
	if (text)
		buf_add_json(out, text, strlen(text));
	else
		buf_adds(out, "null");
}

static void json_described(struct buf *out, const char *name, const struct source *src, int64_t id,
	void (*describe)(struct buf *, sqlite3 *, int64_t))
{
	_cleanup_buf_ struct buf text = BUF_INIT;

	if (!id)
		return;
	describe(&text, src->db, id);
	json_text(out, name, text.data);
}

static void json_whom(struct buf *out, const struct source *src, const struct row *r)
{
	_cleanup_buf_ struct buf whom = BUF_INIT;
	const char *at;
	int n = 0;

	if (r->lock_id)
		n = add_whom(&whom, src, holders_sql, r->lock_id, NULL, 0, "\n");
	else if (r->pipe_id)
		n = add_whom(&whom, src, ends_sql, r->pipe_id, r->mode, r->side, "\n");
	if (!n)
		return;
	buf_adds(out, ",\"for\":[");
	for (at = whom.data; *at; at += strcspn(at, "\n"), at += *at == '\n') {
		if (at != whom.data)
			buf_addc(out, ',');
		buf_add_json(out, at, strcspn(at, "\n"));
	}
	buf_addc(out, ']');
}

static void json_site(struct buf *out, const struct source *src, int64_t id)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = prepare(
		src, "SELECT module, offset, function, file, line FROM site WHERE id = ?1", id);

	if (id && next(src, stmt)) {
		buf_addf(out, ",\"site\":{\"offset\":%lld",
			(long long)sqlite3_column_int64(stmt, 1));
		json_text(out, "module", text_at(stmt, 0));
		json_text(out, "function", text_at(stmt, 2));
		json_text(out, "file", text_at(stmt, 3));
		if (sqlite3_column_type(stmt, 4) != SQLITE_NULL)
			buf_addf(out, ",\"line\":%d", sqlite3_column_int(stmt, 4));
		buf_addc(out, '}');
	}
}

static void json_thread(struct buf *out, const struct source *src, const struct row *r, int64_t now)
{
	buf_addf(out, "{\"tid\":%lld", (long long)r->tid);
	json_text(out, "name", r->name);
	json_text(out, "state", r->wait_id ? "waits" : "runs");
	if (r->wait_id) {
		json_text(out, "reason", r->state);
		buf_addf(out, ",\"since_ns\":%lld,\"timed\":%s",
			(long long)(now > r->since_ns ? now - r->since_ns : 0),
			r->timed ? "true" : "false");
		json_text(out, "syscall", r->syscall);
		json_described(out, "lock", src, r->lock_id, describe_lock);
		json_described(out, "pipe", src, r->pipe_id, describe_pipe);
		json_described(out, "process", src, r->target_process_id, describe_process);
		json_described(out, "thread", src, r->target_thread_id, describe_thread);
		if (is_stopped_in_wait(r))
			buf_adds(out, ",\"stopped\":true");
		else if (r->detail)
			json_text(out, "detail", r->detail);
		json_whom(out, src, r);
		json_site(out, src, r->site_id);
		if (r->stack_id) {
			buf_adds(out, ",\"frames\":");
			place_add_json(out, src->db, r->stack_id);
		}
	}
	buf_addc(out, '}');
}

static void list_json(struct buf *out, const struct source *src)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = prepare(src, processes_sql, 0);
	int64_t now = now_ns(src);
	bool first = true;

	buf_addc(out, '[');
	while (next(src, stmt)) {
		struct row_list rows = {0};

		buf_addf(out, "%s{\"pid\":%lld", first ? "" : ",",
			(long long)sqlite3_column_int64(stmt, 1));
		json_text(out, "name", text_at(stmt, 2));
		json_text(out, "command", text_at(stmt, 3));
		buf_addf(out, ",\"zombie\":%s,\"threads\":[",
			sqlite3_column_int(stmt, 4) ? "true" : "false");
		load_rows(&rows, src, sqlite3_column_int64(stmt, 0));
		for (size_t i = 0; i < rows.n; i++) {
			if (i)
				buf_addc(out, ',');
			json_thread(out, src, &rows.list[i], now);
		}
		rows_done(&rows);
		buf_adds(out, "]}");
		first = false;
	}
	buf_addc(out, ']');
}

int why_list_text(struct buf *out, sqlite3 *db, bool all, bool colour, struct buf *why)
{
	list_text(out, &(struct source){db, why}, all, colour);
	return query_failed(describe_intact(db, why), why);
}

int why_list_json(struct buf *out, sqlite3 *db, struct buf *why)
{
	list_json(out, &(struct source){db, why});
	return query_failed(describe_intact(db, why), why);
}
