/* why_json.c - what each thread of some processes waits for, and for whom, as JSON. */
/* SPDX-License-Identifier: MIT */
#include <sqlite3.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/mem.h"
#include "cli/common/why_list.h"
#include "cli/common/why_rows.h"
#include "schema/query.h"
#include "verdict/naming.h"
#include "verdict/place.h"

static const char *text_at(sqlite3_stmt *stmt, int column)
{
	return (const char *)sqlite3_column_text(stmt, column);
}

static void json_text(struct buf *out, const char *name, const char *text)
{
	buf_addf(out, ",\"%s\":", name);
	if (text)
		buf_add_json(out, text, strlen(text));
	else
		buf_adds(out, "null");
}

static void json_described(struct buf *out, const char *name, const struct why_source *src,
	int64_t id, void (*describe)(struct buf *, sqlite3 *, int64_t))
{
	_cleanup_buf_ struct buf text = BUF_INIT;

	if (!id)
		return;
	describe(&text, src->db, id);
	json_text(out, name, text.data);
}

static void json_whom(struct buf *out, const struct why_source *src, const struct why_row *r)
{
	_cleanup_buf_ struct buf whom = BUF_INIT;
	const char *at;

	if (!why_whom(&whom, src, r, "\n"))
		return;
	buf_adds(out, ",\"for\":[");
	for (at = whom.data; *at; at += strcspn(at, "\n"), at += *at == '\n') {
		if (at != whom.data)
			buf_addc(out, ',');
		buf_add_json(out, at, strcspn(at, "\n"));
	}
	buf_addc(out, ']');
}

static void json_site(struct buf *out, const struct why_source *src, int64_t id)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = why_prepare(
		src, "SELECT module, offset, function, file, line FROM site WHERE id = ?1", id);

	if (id && why_next(src, stmt)) {
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

static void json_thread(
	struct buf *out, const struct why_source *src, const struct why_row *r, int64_t now)
{
	buf_addf(out, "{\"tid\":%lld", (long long)r->tid);
	json_text(out, "name", r->name);
	json_text(out, "state", r->wait_id ? "waits" : "runs");
	if (r->is_housekeeping)
		buf_adds(out, ",\"housekeeping\":true");
	if (r->wait_id) {
		json_text(out, "reason", r->state);
		buf_addf(out, ",\"since_ns\":%lld,\"timed\":%s",
			(long long)(now > r->since_ns ? now - r->since_ns : 0),
			r->timed ? "true" : "false");
		json_text(out, "syscall", r->syscall);
		json_described(out, "lock", src, r->lock_id, naming_lock);
		json_described(out, "pipe", src, r->pipe_id, naming_pipe);
		json_described(out, "process", src, r->target_process_id, naming_process);
		json_described(out, "thread", src, r->target_thread_id, naming_thread);
		if (why_is_stopped_in_wait(r))
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

static void list_json(struct buf *out, const struct why_source *src)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = why_processes(src);
	int64_t now = why_source_now(src);
	bool first = true;

	buf_addc(out, '[');
	while (why_next(src, stmt)) {
		struct why_rows rows = {0};

		buf_addf(out, "%s{\"pid\":%lld", first ? "" : ",",
			(long long)sqlite3_column_int64(stmt, 1));
		json_text(out, "name", text_at(stmt, 2));
		buf_adds(out, ",\"command\":");
		query_json(out, stmt, 3, "command");
		buf_addf(out, ",\"zombie\":%s,\"threads\":[",
			sqlite3_column_int(stmt, 4) ? "true" : "false");
		why_rows_load(&rows, src, sqlite3_column_int64(stmt, 0));
		for (size_t i = 0; i < rows.n; i++) {
			if (i)
				buf_addc(out, ',');
			json_thread(out, src, &rows.list[i], now);
		}
		why_rows_done(&rows);
		buf_adds(out, "]}");
		first = false;
	}
	buf_addc(out, ']');
}

int why_list_json(struct buf *out, sqlite3 *db, int64_t at_ns, struct buf *why)
{
	struct why_source src = {db, at_ns, why};

	if (why_source_init(&src) == 0)
		list_json(out, &src);
	why_source_done(&src);
	return query_failed(naming_intact(db, why), why);
}
