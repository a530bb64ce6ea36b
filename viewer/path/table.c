/* table.c - the critical path as a table of SQL. */
/* SPDX-License-Identifier: MIT */
/* An eponymous virtual table, https://www.sqlite.org/vtab.html#eponymous_only_virtual_tables */
#include "viewer/path/path.h"

#include <errno.h>
#include <sqlite3.h>

#include "base/buf.h"
#include "base/mem.h"
#include "viewer/load/load.h"

struct table {
	sqlite3_vtab base;
	sqlite3 *db;
};

struct cursor {
	sqlite3_vtab_cursor base;
	struct trace *t;
	struct path *p;
	size_t at;
};

enum { STEP, START, END, KIND, WHAT, THREAD, PROCESS, LINK, REASON, WAIT };

static int connect(
	sqlite3 *db, void *aux, int argc, const char *const *argv, sqlite3_vtab **ret, char **why)
{
	struct table *t;
	int rc = sqlite3_declare_vtab(db,
		"CREATE TABLE critical_path(step INTEGER, start_ns INTEGER, end_ns INTEGER, kind TEXT,"
		" what TEXT, thread_id INTEGER, process_id INTEGER, link TEXT, reason TEXT, wait_id INTEGER)");

	(void)aux;
	(void)argc;
	(void)argv;
	(void)why;
	if (rc != SQLITE_OK)
		return rc;
	/* A recording's own schema may not ask for it. */
	(void)sqlite3_vtab_config(db, SQLITE_VTAB_DIRECTONLY);
	t = xcalloc(1, sizeof *t);
	t->db = db;
	*ret = &t->base;
	return SQLITE_OK;
}

static int disconnect(sqlite3_vtab *t)
{
	free(t);
	return SQLITE_OK;
}

static int best_index(sqlite3_vtab *t, sqlite3_index_info *info)
{
	(void)t;
	info->estimatedCost = 1e6;
	return SQLITE_OK;
}

static int open_cursor(sqlite3_vtab *t, sqlite3_vtab_cursor **ret)
{
	struct cursor *c = xcalloc(1, sizeof *c);

	(void)t;
	*ret = &c->base;
	return SQLITE_OK;
}

static void empty(struct cursor *c)
{
	path_free(c->p);
	trace_free(c->t);
	c->p = NULL;
	c->t = NULL;
	c->at = 0;
}

static int close_cursor(sqlite3_vtab_cursor *base)
{
	empty((struct cursor *)base);
	free(base);
	return SQLITE_OK;
}

static int filter(
	sqlite3_vtab_cursor *base, int index, const char *text, int argc, sqlite3_value **argv)
{
	struct cursor *c = (struct cursor *)base;
	struct table *t = (struct table *)base->pVtab;
	_cleanup_free_ char *why = NULL;

	(void)index;
	(void)text;
	(void)argc;
	(void)argv;
	empty(c);
	c->t = trace_load(t->db, &why);
	c->p = c->t ? path_new(c->t, t->db, &why) : NULL;
	if (c->p)
		return SQLITE_OK;
	sqlite3_free(t->base.zErrMsg);
	t->base.zErrMsg = sqlite3_mprintf("%s", why);
	return SQLITE_ERROR;
}

static int next(sqlite3_vtab_cursor *base)
{
	((struct cursor *)base)->at++;
	return SQLITE_OK;
}

static int is_end(sqlite3_vtab_cursor *base)
{
	const struct cursor *c = (const struct cursor *)base;

	return !c->p || c->at >= c->p->n;
}

static void text_result(sqlite3_context *ctx, const struct buf *b)
{
	if (b->len)
		sqlite3_result_text(ctx, b->data, (int)b->len, SQLITE_TRANSIENT);
}

static int column(sqlite3_vtab_cursor *base, sqlite3_context *ctx, int col)
{
	static const char *const kinds[] = {
		[PATH_RUNS] = "runs", [PATH_WAITS] = "waits", [PATH_READY] = "ready"};
	const struct cursor *c = (const struct cursor *)base;
	const struct path_step *s = &c->p->steps[c->at];
	const struct path_wait *w = path_wait_of(c->p, s);
	const struct thread_row *th = &c->t->threads[s->thread];
	_cleanup_buf_ struct buf b = BUF_INIT;

	switch (col) {
	case STEP:
		sqlite3_result_int64(ctx, (int64_t)c->at + 1);
		break;
	case START:
		sqlite3_result_int64(ctx, s->from);
		break;
	case END:
		sqlite3_result_int64(ctx, s->to);
		break;
	case KIND:
		sqlite3_result_text(ctx, kinds[s->kind], -1, SQLITE_STATIC);
		break;
	case WHAT:
		path_add_what(&b, c->p, s);
		text_result(ctx, &b);
		break;
	case THREAD:
		sqlite3_result_int64(ctx, th->id);
		break;
	case PROCESS:
		sqlite3_result_int64(ctx, c->t->procs[th->proc].id);
		break;
	case LINK:
		path_add_link(&b, c->p, c->at);
		text_result(ctx, &b);
		break;
	case REASON:
		if (w)
			sqlite3_result_text(ctx, wait_info(w->reason)->name, -1, SQLITE_STATIC);
		break;
	default:
		if (w)
			sqlite3_result_int64(ctx, w->id);
		break;
	}
	return SQLITE_OK;
}

static int row_id(sqlite3_vtab_cursor *base, sqlite3_int64 *ret)
{
	*ret = (sqlite3_int64)((const struct cursor *)base)->at + 1;
	return SQLITE_OK;
}

int path_register(sqlite3 *db)
{
	static const sqlite3_module module = {
		.xConnect = connect,
		.xDisconnect = disconnect,
		.xBestIndex = best_index,
		.xOpen = open_cursor,
		.xClose = close_cursor,
		.xFilter = filter,
		.xNext = next,
		.xEof = is_end,
		.xColumn = column,
		.xRowid = row_id,
	};

	return sqlite3_create_module(db, "critical_path", &module, NULL) == SQLITE_OK ? 0 : -EIO;
}
