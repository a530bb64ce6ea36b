/* waits.c - the table wait in memory: read once, whatever is drawn of it. */
/* SPDX-License-Identifier: MIT */
#include "viewer/load/waits.h"

#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"

static uint32_t plus_one(size_t index)
{
	return index == NONE ? 0 : (uint32_t)index + 1;
}

/* The last word asked for is remembered: reasons come in runs, and names are compared one by one. */
struct word {
	char text[24];
	enum wait_reason reason;
};

static enum wait_reason reason_of(struct word *last, const char *text)
{
	if (!text)
		text = "";
	if (strcmp(text, last->text) != 0) {
		last->reason = wait_find(text);
		(void)snprintf(last->text, sizeof last->text, "%s", text);
	}
	return last->reason;
}

/* An id, which is never 0; NULL is 0. It is asked for millions of times. */
static int64_t id(struct rows *r, int col)
{
	return sqlite3_column_int64(r->stmt, col);
}

static uint32_t thread(const struct trace *t, struct rows *r, int col)
{
	int64_t n = id(r, col);

	return n ? plus_one(trace_thread(t, n)) : 0;
}

static void load_row(struct wait_rows *ws, const struct trace *t, struct rows *r, struct word *last)
{
	int64_t proc = id(r, 8);

	ARRAY_GROW(ws->list, ws->n, ws->cap);
	ws->list[ws->n++] = (struct wait_row){.id = id(r, 0),
		.thread = thread(t, r, 1),
		.from = rows_time(r, 2, 0),
		.to = rows_time(r, 3, TIME_NEVER),
		.reason = reason_of(last, (const char *)sqlite3_column_text(r->stmt, 4)),
		.waker = thread(t, r, 5),
		.lock_id = id(r, 6),
		.pipe_id = id(r, 7),
		.target_proc = proc ? plus_one(trace_proc(t, proc)) : 0,
		.target_thread = thread(t, r, 9),
		.stack_id = id(r, 10)};
}

#define WAITS_SQL(stack)                                                                           \
	"SELECT id, thread_id, start_ns, end_ns, reason, waker_id, lock_id, pipe_id,"              \
	" target_process_id, target_thread_id, " stack " FROM wait ORDER BY id"

const struct wait_rows *trace_waits(const struct trace *t, sqlite3 *db, char **ret_why)
{
	struct wait_rows *ws = t->waits;
	struct word last = {.reason = wait_find("")};
	struct rows r;

	if (ws->is_loaded)
		return ws;
	r = rows_begin(
		db, rows_has(db, "wait.stack_id") ? WAITS_SQL("stack_id") : WAITS_SQL("NULL"));
	while (rows_next(&r))
		load_row(ws, t, &r, &last);
	*ret_why = rows_end(&r);
	if (*ret_why) {
		ws->n = 0;
		return NULL;
	}
	ws->is_loaded = true;
	return ws;
}

void trace_free_waits(struct trace *t)
{
	if (t->waits)
		free(t->waits->list);
	free(t->waits);
}
