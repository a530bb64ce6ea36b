/* words.c - the differences of two recordings as text and as JSON. */
/* SPDX-License-Identifier: MIT */
/*
 *	first difference: transfer : back, after 3 equal steps
 *	  good.db  0.101 s  acquires the mutex from at transfer.c:9 (back)
 *	  bad.db   0.100 s  waits (lock) for the mutex from, which never happens at transfer.c:9 (back)
 */
#include "viewer/diff/diff.h"

#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"
#include "schema/query.h"
#include "verdict/naming.h"

enum { SHOWN = 5 }; /* of each list, unless all */

static void add_plain(struct buf *out, const char *text)
{
	buf_add_printable(out, text, strlen(text));
}

static void add_step(struct buf *out, const struct diff *d, int side, const struct diff_step *s,
	const char *name, size_t width)
{
	buf_adds(out, "  ");
	add_plain(out, name);
	buf_addf(out, "%*s", (int)(width - text_width(name)), "");
	if (!s->what) {
		buf_adds(out, "  nothing more\n");
		return;
	}
	buf_addf(out, "  %.3f s  ", (double)s->ts_ns / 1e9);
	add_plain(out, s->what);
	if (s->site_id)
		naming_site(out, d->db[side], s->site_id);
	buf_addc(out, '\n');
}

static void add_thread(struct buf *out, const struct diff *d, const struct diff_thread *t,
	const char *const names[2], const char *lead)
{
	size_t a = text_width(names[0]), b = text_width(names[1]);

	buf_adds(out, lead);
	add_plain(out, t->key);
	buf_adds(out, ", after ");
	naming_count(out, (int64_t)t->same, "equal step");
	buf_addc(out, '\n');
	for (int i = 0; i < 2; i++)
		add_step(out, d, i, &t->side[i], names[i], a > b ? a : b);
}

static void add_more(struct buf *out, size_t n, size_t shown)
{
	if (n > shown)
		buf_addf(out, "  and %zu more (--all)\n", n - shown);
}

static void add_list(
	struct buf *out, const struct diff_list *l, const char *what, const char *name, bool all)
{
	size_t shown = all || l->n < SHOWN ? l->n : SHOWN;

	if (!l->n)
		return;
	buf_addf(out, "\n%s only in ", what);
	add_plain(out, name);
	buf_adds(out, ":\n");
	for (size_t i = 0; i < shown; i++) {
		buf_adds(out, "  ");
		add_plain(out, l->list[i]);
		buf_addc(out, '\n');
	}
	add_more(out, l->n, shown);
}

static void add_waits(struct buf *out, const struct diff *d, const char *const names[2], bool all)
{
	size_t shown = all || d->n_waits < SHOWN ? d->n_waits : SHOWN;

	if (!d->n_waits)
		return;
	buf_adds(out, "\nwaits that are longer in ");
	add_plain(out, names[1]);
	buf_adds(out, ":\n");
	for (size_t i = 0; i < shown; i++) {
		const struct diff_wait *w = &d->waits[i];

		buf_adds(out, "  ");
		add_plain(out, w->key);
		buf_adds(out, ", ");
		add_plain(out, w->what);
		buf_adds(out, ": ");
		buf_add_duration(out, w->ns[0]);
		buf_adds(out, " -> ");
		buf_add_duration(out, w->ns[1]);
		buf_addc(out, '\n');
	}
	add_more(out, d->n_waits, shown);
}

void diff_text(struct buf *out, const struct diff *d, const char *const names[2], bool all)
{
	size_t shown = all || d->n_threads < SHOWN ? d->n_threads : SHOWN;

	if (!d->n_threads) {
		buf_adds(out, "no difference in the order of locks, pipes, signals and ends in ");
		naming_count(out, (int64_t)d->compared, "thread");
		buf_addc(out, '\n');
	}
	for (size_t i = 0; i < shown; i++)
		add_thread(out, d, &d->threads[i], names, i ? "" : "first difference: ");
	add_more(out, d->n_threads, shown);
	for (int i = 0; i < 2; i++)
		add_list(out, &d->tasks[i], "processes and threads", names[i], all);
	for (int i = 0; i < 2; i++)
		add_list(out, &d->findings[i], "findings", names[i], all);
	add_waits(out, d, names, all);
}

/* ---- JSON ---- */

static void json_text(struct buf *out, const char *name, const char *text)
{
	buf_addf(out, "\"%s\":", name);
	buf_add_json(out, text, strlen(text));
}

static void json_step(struct buf *out, const struct diff *d, int side, const struct diff_step *s)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	_cleanup_buf_ struct buf why = BUF_INIT;

	if (!s->what) {
		buf_adds(out, "null");
		return;
	}
	buf_addf(out, "{\"ts_ns\":%lld,", (long long)s->ts_ns);
	json_text(out, "what", s->what);
	if (s->site_id &&
		query_one(d->db[side], "SELECT file, line, function FROM site WHERE id = ?1",
			s->site_id, &stmt, &why) == 1)
		for (int i = 0; i < 3; i++) {
			buf_addf(out, ",\"%s\":", sqlite3_column_name(stmt, i));
			query_json(out, stmt, i, "");
		}
	buf_addc(out, '}');
}

static void json_list(struct buf *out, const char *name, const struct diff_list lists[2])
{
	buf_addf(out, ",\n\"%s\":{", name);
	for (int i = 0; i < 2; i++) {
		buf_addf(out, "%s\"only_%c\":[", i ? "," : "", 'a' + i);
		for (size_t k = 0; k < lists[i].n; k++) {
			buf_adds(out, k ? "," : "");
			buf_add_json(out, lists[i].list[k], strlen(lists[i].list[k]));
		}
		buf_addc(out, ']');
	}
	buf_addc(out, '}');
}

void diff_json(struct buf *out, const struct diff *d, const char *const names[2])
{
	buf_addc(out, '{');
	json_text(out, "a", names[0]);
	buf_addc(out, ',');
	json_text(out, "b", names[1]);
	buf_addf(out, ",\"compared\":%zu,\n\"threads\":[", d->compared);
	for (size_t i = 0; i < d->n_threads; i++) {
		const struct diff_thread *t = &d->threads[i];

		buf_adds(out, i ? ",\n{" : "\n{");
		json_text(out, "thread", t->key);
		buf_addf(out, ",\"same\":%zu,\"a\":", t->same);
		json_step(out, d, 0, &t->side[0]);
		buf_adds(out, ",\"b\":");
		json_step(out, d, 1, &t->side[1]);
		buf_addc(out, '}');
	}
	buf_addc(out, ']');
	json_list(out, "tasks", d->tasks);
	json_list(out, "findings", d->findings);
	buf_adds(out, ",\n\"waits\":[");
	for (size_t i = 0; i < d->n_waits; i++) {
		buf_adds(out, i ? ",\n{" : "\n{");
		json_text(out, "thread", d->waits[i].key);
		buf_addc(out, ',');
		json_text(out, "what", d->waits[i].what);
		buf_addf(out, ",\"a_ns\":%lld,\"b_ns\":%lld}", (long long)d->waits[i].ns[0],
			(long long)d->waits[i].ns[1]);
	}
	buf_adds(out, "]}\n");
}
