/* diff.c - two recordings of one program: where they begin to differ. */
/* SPDX-License-Identifier: MIT */
#include "viewer/diff/private.h"

#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "schema/query.h"

#define GROWN_NS 1000000 /* less is noise */
enum { GROWN_TIMES = 2 };

/* ---- Threads ---- */

static const char steps_sql[] =
	"SELECT ts_ns, what, site_id FROM temp.step WHERE thread_id = ?1 ORDER BY rowid";

/* The steps of one thread in both recordings, side by side. */
struct pair {
	sqlite3_stmt *stmt[2];
};

static struct diff_step step_of(sqlite3_stmt *stmt, bool there)
{
	struct diff_step s = {0};

	if (!there)
		return s;
	s.ts_ns = query_int(stmt, 0, 0);
	s.what = xstrdup(query_text(stmt, 1));
	s.site_id = query_int(stmt, 2, 0);
	return s;
}

static void add_thread(
	struct diff *d, const char *key, size_t same, struct pair *p, const int there[2])
{
	struct diff_thread *t;

	ARRAY_GROW(d->threads, d->n_threads, d->cap_threads);
	t = &d->threads[d->n_threads++];
	*t = (struct diff_thread){.key = xstrdup(key), .same = same};
	for (int i = 0; i < 2; i++)
		t->side[i] = step_of(p->stmt[i], there[i] > 0);
}

/* Goes through both as long as they are the same. Returns 0 or -EIO. */
static int compare_steps(struct diff *d, const char *key, struct pair *p, struct buf *why)
{
	for (size_t same = 0;; same++) {
		int there[2] = {query_step(p->stmt[0], why), query_step(p->stmt[1], why)};

		if (there[0] < 0 || there[1] < 0)
			return -EIO;
		if (!there[0] && !there[1])
			return 0;
		if (there[0] && there[1] &&
			!strcmp(query_text(p->stmt[0], 1), query_text(p->stmt[1], 1)))
			continue;
		add_thread(d, key, same, p, there);
		return 0;
	}
}

static void add_text(struct diff_list *l, const char *text)
{
	ARRAY_GROW(l->list, l->n, l->cap);
	l->list[l->n++] = xstrdup(text);
}

/* Compares each thread of A with that of B, and notes which B lacks. */
static int compare_threads(struct diff *d, struct buf *why)
{
	_cleanup_stmt_ sqlite3_stmt *mine = NULL, *yours = NULL, *a = NULL, *b = NULL;
	struct pair p;
	int rc = query_open(
		d->db[0], "SELECT key, thread_id FROM temp.task ORDER BY thread_id", &mine, why);

	if (!rc)
		rc = query_open(
			d->db[1], "SELECT thread_id FROM temp.task WHERE key = ?1", &yours, why);
	if (!rc)
		rc = query_open(d->db[0], steps_sql, &a, why);
	if (!rc)
		rc = query_open(d->db[1], steps_sql, &b, why);
	p = (struct pair){{a, b}};
	while (!rc && (rc = query_step(mine, why)) > 0) {
		(void)sqlite3_reset(yours);
		query_bind_text(yours, 1, query_text(mine, 0));
		rc = query_step(yours, why);
		if (rc == 0)
			add_text(&d->tasks[0], query_text(mine, 0));
		if (rc <= 0)
			continue;
		d->compared++;
		(void)sqlite3_reset(a);
		(void)sqlite3_reset(b);
		query_bind_int(a, 1, query_int(mine, 1, 0));
		query_bind_int(b, 1, query_int(yours, 0, 0));
		rc = compare_steps(d, query_text(mine, 0), &p, why);
	}
	return rc;
}

/* ---- What is in one alone ---- */

/* Adds the rows of one recording's question that the other one's, asked for each, does not have. */
static int add_missing(struct sqlite3 *from, const char *all, struct sqlite3 *other,
	const char *one, struct diff_list *ret, struct buf *why)
{
	_cleanup_stmt_ sqlite3_stmt *rows = NULL, *row = NULL;
	int rc = query_open(from, all, &rows, why);

	if (!rc)
		rc = query_open(other, one, &row, why);
	while (!rc && (rc = query_step(rows, why)) > 0) {
		(void)sqlite3_reset(row);
		query_bind_text(row, 1, query_text(rows, 0));
		rc = query_step(row, why);
		if (rc == 0)
			add_text(ret, query_text(rows, 1));
		rc = rc < 0 ? rc : 0;
	}
	return rc;
}

/* Of findings the rule is compared: their words have numbers that change. */
static int compare_lists(struct diff *d, struct buf *why)
{
	int rc = add_missing(d->db[1], "SELECT key, key FROM temp.task ORDER BY thread_id",
		d->db[0], "SELECT 1 FROM temp.task WHERE key = ?1", &d->tasks[1], why);

	for (int i = 0; !rc && i < 2; i++)
		rc = add_missing(d->db[i],
			"SELECT rule, severity || ': ' || rule || ': ' || summary FROM finding ORDER BY id",
			d->db[!i], "SELECT 1 FROM finding WHERE rule = ?1", &d->findings[i], why);
	return rc;
}

/* ---- Waits ---- */

static void add_wait(struct diff *d, sqlite3_stmt *row, int64_t before)
{
	ARRAY_GROW(d->waits, d->n_waits, d->cap_waits);
	d->waits[d->n_waits++] = (struct diff_wait){xstrdup(query_text(row, 0)),
		xstrdup(query_text(row, 1)), {before, query_int(row, 2, 0)}};
}

/* Those of B that are long, and much longer than A's. */
static int compare_waits(struct diff *d, struct buf *why)
{
	_cleanup_stmt_ sqlite3_stmt *rows = NULL, *row = NULL;
	int rc = query_open(d->db[1],
		"SELECT key, what, ns FROM temp.waited WHERE what <> 'sleep' ORDER BY ns DESC, key, what",
		&rows, why);

	if (!rc)
		rc = query_open(d->db[0], "SELECT ns FROM temp.waited WHERE key = ?1 AND what = ?2",
			&row, why);
	while (!rc && (rc = query_step(rows, why)) > 0) {
		int64_t before;

		(void)sqlite3_reset(row);
		query_bind_text(row, 1, query_text(rows, 0));
		query_bind_text(row, 2, query_text(rows, 1));
		rc = query_step(row, why);
		before = rc > 0 ? query_int(row, 0, 0) : 0;
		if (rc >= 0 && query_int(rows, 2, 0) - before > GROWN_NS &&
			query_int(rows, 2, 0) / GROWN_TIMES > before)
			add_wait(d, rows, before);
		rc = rc < 0 ? rc : 0;
	}
	return rc;
}

/* ---- All of it ---- */

/* When a thread began to differ: in B, where something goes wrong, or where B has no more in A. */
static int64_t moment(const struct diff_thread *t)
{
	return t->side[1].what ? t->side[1].ts_ns : t->side[0].ts_ns;
}

static int by_moment(const void *a, const void *b)
{
	int64_t x = moment(a), y = moment(b);

	return (x > y) - (x < y);
}

int diff_make(struct sqlite3 *a, struct sqlite3 *b, struct diff **ret, struct buf *why)
{
	struct diff *d = xcalloc(1, sizeof *d);
	int rc = diff_tables(a, why);

	d->db[0] = a;
	d->db[1] = b;
	if (!rc)
		rc = diff_tables(b, why);
	if (!rc)
		rc = compare_threads(d, why);
	if (!rc)
		rc = compare_lists(d, why);
	if (!rc)
		rc = compare_waits(d, why);
	if (rc) {
		diff_free(d);
		return rc;
	}
	if (d->n_threads)
		qsort(d->threads, d->n_threads, sizeof *d->threads, by_moment);
	*ret = d;
	return 0;
}

static void list_done(struct diff_list *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->list[i]);
	free(l->list);
}

void diff_free(struct diff *d)
{
	if (!d)
		return;
	for (size_t i = 0; i < d->n_threads; i++) {
		free(d->threads[i].key);
		free(d->threads[i].side[0].what);
		free(d->threads[i].side[1].what);
	}
	for (size_t i = 0; i < d->n_waits; i++) {
		free(d->waits[i].key);
		free(d->waits[i].what);
	}
	for (int i = 0; i < 2; i++) {
		list_done(&d->tasks[i]);
		list_done(&d->findings[i]);
	}
	free(d->threads);
	free(d->waits);
	free(d);
}

bool diff_differs(const struct diff *d)
{
	return d->n_threads || d->tasks[0].n || d->tasks[1].n || d->findings[0].n ||
	       d->findings[1].n;
}
