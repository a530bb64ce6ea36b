/* tables.c - the tables of a page. */
/* SPDX-License-Identifier: MIT */
#include "viewer/page/tables.h"

#include <sqlite3.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"
#include "viewer/load/load.h"
#include "viewer/load/uses.h"
#include "viewer/load/waits.h"

/* Rows beyond the first ROWS_SHOWN are a text that the script takes in bit by bit: thousands of them at once take a second. */
enum { ROWS_MAX = 2000, ROWS_SHOWN = 100, CELL_SHORT = 32 /* columns */ };

void page_text(struct buf *out, const char *text)
{
	buf_add_html(out, text, strlen(text));
}

void page_time(struct buf *out, long long ns)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	buf_add_duration(&b, ns);
	page_text(out, b.data);
}

/* heads: names of columns, those of numbers with a leading '#'. */
static void table_begin(
	struct buf *out, const char *id, const char *title, size_t rows, const char *const *heads)
{
	buf_addf(out,
		"<section id=\"sec-%s\"><h2>%s <span class=\"sub\">%zu</span></h2>\n"
		"<div class=\"table\" tabindex=\"0\" role=\"region\" aria-label=\"%s\"><table><thead><tr>",
		id, title, rows, title);
	for (; *heads; heads++)
		buf_addf(out, "<th scope=\"col\"%s>%s</th>", **heads == '#' ? " class=\"n\"" : "",
			*heads + (**heads == '#'));
	buf_adds(out, "</tr></thead>\n<tbody>\n");
}

/* Begins row n, from 0 on. The rest of a long table is another one, seen where there are no scripts. */
static void row_begin(struct buf *out, size_t n)
{
	if (n == ROWS_SHOWN)
		buf_adds(out, "</tbody></table><noscript><table><tbody>\n");
}

static void table_end(struct buf *out, size_t rows, const char *table)
{
	buf_adds(out, "</tbody></table>");
	buf_adds(out, rows > ROWS_SHOWN ? "</noscript></div>\n" : "</div>\n");
	if (rows > ROWS_MAX)
		buf_addf(out,
			"<p class=\"note\">The first %d of %zu rows; all of them: <code>pptrace query "
			"'SELECT * FROM %s'</code></p>\n",
			ROWS_MAX, rows, table);
	buf_adds(out, "</section>\n");
}

static void cell_number(struct buf *out, long long n)
{
	buf_addf(out, "<td class=\"n\">%lld</td>", n);
}

/* Begins a cell of a class, which may be "": what is long is broken into lines, short texts stay on one. */
static void cell_begin(struct buf *out, const char *class, const char *text)
{
	bool folds = text_width(text) > CELL_SHORT;

	buf_adds(out, "<td");
	if (*class || folds)
		buf_addf(out, " class=\"%s%s%s\"", class, *class && folds ? " " : "",
			folds ? "long" : "");
	buf_addc(out, '>');
}

static void cell_text(struct buf *out, const char *class, const char *text)
{
	cell_begin(out, class, text);
	page_text(out, text);
	buf_adds(out, "</td>");
}

static void cell_time(struct buf *out, int64_t ns)
{
	buf_adds(out, "<td class=\"n\">");
	if (ns != TIME_NEVER)
		page_time(out, ns);
	buf_adds(out, "</td>");
}

static void cell_marks(struct buf *out, const struct trace *t, const struct proc_row *p)
{
	const struct proc_row *reaper = p->reaped != TIME_NEVER && p->reaper != NONE
						? &t->procs[t->threads[p->reaper].proc]
						: NULL;
	_cleanup_buf_ struct buf b = BUF_INIT;

	cell_begin(out, "", reaper ? reaper->name : "");
	if (p->stuck != STUCK_NOT)
		buf_adds(out, p->stuck == STUCK_CERTAIN
				      ? "<span class=\"bad\">\xe2\x9c\x96 deadlocked</span> "
				      : "<span class=\"warn\">\xe2\x9c\x96 stuck</span> ");
	if (p->orphan)
		buf_adds(out, "<span class=\"warn\">\xe2\x97\x87 orphan</span> ");
	if (p->never_reaped || p->zombie_to - p->end >= ZOMBIE_SHOWN_NS) {
		buf_adds(&b, "zombie for ");
		buf_add_duration(&b, p->zombie_to - p->end);
		buf_adds(&b, p->never_reaped ? ", never reaped" : "");
		page_text(out, b.data);
	} else if (reaper) {
		buf_addf(out, "reaped by <a href=\"#row-p%lld\">", (long long)reaper->id);
		page_text(out, reaper->name);
		buf_adds(out, "</a>");
	}
	buf_adds(out, "</td>");
}

/* Adds a number that leads to a box, if there is one. */
static void cell_link(struct buf *out, bool shown, char kind, int64_t id, int64_t number)
{
	if (shown)
		buf_addf(out, "<td class=\"n\"><a href=\"#%c%lld\">%lld</a></td>", kind,
			(long long)id, (long long)number);
	else
		cell_number(out, number);
}

static void proc_row(struct buf *out, const struct trace *t, const struct proc_row *p, bool shown)
{
	_cleanup_buf_ struct buf status = BUF_INIT;
	bool bad = p->end_kind == LIFE_SIGNAL || p->exit_code != 0;

	buf_addf(out, "<tr id=\"row-p%lld\" data-els=\"p%lld pipes-p%lld", (long long)p->id,
		(long long)p->id, (long long)p->id);
	if (p->main_thread != NONE)
		buf_addf(out, " tl-t%lld wait-t%lld", (long long)t->threads[p->main_thread].id,
			(long long)t->threads[p->main_thread].id);
	buf_adds(out, "\">");
	cell_link(out, shown, 'p', p->id, p->pid);
	cell_text(out, "", p->name);
	cell_text(out, "cmd", p->n_execs || p->parent == NONE ? p->command : "");
	buf_adds(out, "<td class=\"n\">");
	if (p->parent != NONE)
		buf_addf(out, "<a href=\"#row-p%lld\">%lld</a>", (long long)t->procs[p->parent].id,
			(long long)t->procs[p->parent].pid);
	buf_adds(out, "</td>");
	cell_time(out, p->start);
	cell_time(out, trace_end(t, p->end) - p->start);
	trace_add_status(&status, p);
	cell_text(out, bad ? "bad" : p->end_kind == LIFE_EXIT ? "good" : "", status.data);
	cell_marks(out, t, p);
	buf_adds(out, "</tr>\n");
}

void page_processes(struct buf *out, const struct trace *t, const struct page_shown *shown)
{
	static const char *const heads[] = {"#pid", "name", "command", "#parent", "#started at",
		"#lasted", "ended", "marks", NULL};

	table_begin(out, "processes", "Processes", t->n_procs, heads);
	for (size_t i = 0; i < t->n_procs && i < ROWS_MAX; i++) {
		row_begin(out, i);
		proc_row(out, t, &t->procs[i], shown->procs[i]);
	}
	table_end(out, t->n_procs, "process");
}

static void thread_row(
	struct buf *out, const struct trace *t, const struct thread_row *th, bool shown)
{
	const struct proc_row *p = &t->procs[th->proc];

	buf_addf(out, "<tr id=\"row-t%lld\" data-els=\"t%lld tl-t%lld wait-t%lld\">",
		(long long)th->id, (long long)th->id, (long long)th->id, (long long)th->id);
	cell_link(out, shown, 't', th->id, th->tid);
	cell_text(out, "", trace_thread_name(t, (size_t)(th - t->threads)));
	cell_text(out, "cmd", th->entry);
	cell_begin(out, "", p->name);
	buf_addf(out, "<a href=\"#row-p%lld\">", (long long)p->id);
	page_text(out, p->name);
	buf_addf(out, "</a> %lld</td>", (long long)p->pid);
	cell_time(out, th->start);
	cell_time(out, trace_end(t, th->end) - th->start);
	buf_addf(out, "<td>%s%s</td></tr>\n", th->end == TIME_NEVER ? "still running" : "ended",
		th->stuck == STUCK_CERTAIN ? " <span class=\"bad\">\xe2\x9c\x96 deadlocked</span>"
		: th->stuck                ? " <span class=\"warn\">\xe2\x9c\x96 stuck</span>"
					   : "");
}

void page_threads(struct buf *out, const struct trace *t, const struct page_shown *shown)
{
	static const char *const heads[] = {
		"#tid", "name", "starts in", "process", "#started at", "#lasted", "state", NULL};
	size_t n = 0, rows = 0;

	for (size_t i = 0; i < t->n_threads; i++)
		n += !t->threads[i].is_main;
	if (!n)
		return;
	table_begin(out, "threads", "Threads", n, heads);
	for (size_t i = 0; i < t->n_threads && rows < ROWS_MAX; i++)
		if (!t->threads[i].is_main) {
			row_begin(out, rows++);
			thread_row(out, t, &t->threads[i], shown->threads[i]);
		}
	table_end(out, n, "thread");
}

/* Returns how many rows a query has, which must be a count. */
static size_t count(sqlite3 *db, const char *sql, char **ret_why)
{
	struct rows r = rows_begin(db, sql);
	size_t n = rows_next(&r) ? (size_t)rows_int(&r, 0, 0) : 0;

	*ret_why = rows_end(&r);
	return n;
}

/* Adds the ids of locks that were waited for, each once, as a JSON array. Returns NULL or what went wrong. */
static char *add_wanted(struct buf *b, const struct trace *t, sqlite3 *db)
{
	char *why = NULL;
	const struct wait_rows *ws = trace_waits(t, db, &why);
	struct hash seen = {0};
	int64_t last = 0;

	buf_addc(b, '[');
	for (size_t i = 0; ws && i < ws->n; i++) {
		int64_t id = ws->list[i].lock_id;

		if (!id || id == last || hash_set(&seen, (uint64_t)id, b))
			continue;
		buf_addf(b, "%s%lld", b->len > 1 ? "," : "", (long long)id);
		last = id;
	}
	buf_addc(b, ']');
	hash_done(&seen);
	return why;
}

/* Locks that were taken, or waited for, as add_wanted lists them. */
#define LOCKS_WANTED " WHERE st.holds > 0 OR l.id IN (SELECT value FROM json_each(?1))"

static struct rows ask(sqlite3 *db, const char *sql, const struct buf *wanted)
{
	struct rows r = rows_begin(db, sql);

	if (!r.why)
		(void)sqlite3_bind_text(r.stmt, 1, wanted->data, -1, SQLITE_STATIC);
	return r;
}

static size_t count_locks(sqlite3 *db, const struct buf *wanted, char **ret_why)
{
	struct rows r = ask(db,
		"SELECT count(*) FROM lock l LEFT JOIN lock_stat st ON st.lock_id = l.id" LOCKS_WANTED,
		wanted);
	size_t n = rows_next(&r) ? (size_t)rows_int(&r, 0, 0) : 0;

	*ret_why = rows_end(&r);
	return n;
}

char *page_locks(struct buf *out, const struct trace *t, sqlite3 *db)
{
	static const char *const heads[] = {"lock", "kind", "process", "#taken", "#contended",
		"#waited for", "#longest wait", "#longest hold", "held longest from", NULL};
	_cleanup_buf_ struct buf wanted = BUF_INIT;
	size_t seen = 0, n = 0;
	struct rows r;
	char *why = add_wanted(&wanted, t, db);

	if (!why)
		n = count_locks(db, &wanted, &why);
	if (why || !n)
		return why;
	table_begin(out, "locktable", "Locks", n, heads);
	r = ask(db,
		"SELECT l.id, coalesce(l.name, l.kind || ' ' || l.id), l.kind, l.process_id, st.holds,"
		" st.contended, st.wait_ns, st.max_wait_ns, st.max_hold_ns, s.function || ' (' || s.file || ':' || s.line || ')'"
		" FROM lock l LEFT JOIN lock_stat st ON st.lock_id = l.id"
		" LEFT JOIN site s ON s.id = st.max_hold_site_id" LOCKS_WANTED
		" ORDER BY st.wait_ns DESC, st.holds DESC, l.id LIMIT 2000",
		&wanted);
	while (rows_next(&r)) {
		size_t p = trace_proc(t, rows_int(&r, 3, -1));
		_cleanup_free_ char *name = rows_text(&r, 1), *kind = rows_text(&r, 2);
		_cleanup_free_ char *site = rows_text(&r, 9);

		row_begin(out, seen++);
		buf_addf(out, "<tr id=\"row-lock%lld\" data-els=\"locks-lock%lld wait-lock%lld\">",
			(long long)rows_int(&r, 0, 0), (long long)rows_int(&r, 0, 0),
			(long long)rows_int(&r, 0, 0));
		cell_text(out, "", name);
		cell_text(out, "", kind);
		if (p == NONE)
			cell_text(out, "", "shared");
		else
			buf_addf(out, "<td><a href=\"#row-p%lld\">%lld</a></td>",
				(long long)t->procs[p].id, (long long)t->procs[p].pid);
		cell_number(out, rows_int(&r, 4, 0));
		cell_number(out, rows_int(&r, 5, 0));
		for (int i = 6; i <= 8; i++)
			cell_time(out, rows_time(&r, i, 0));
		cell_text(out, "cmd", site);
		buf_adds(out, "</tr>\n");
	}
	table_end(out, n, "lock_contention");
	return rows_end(&r);
}

/* Adds how many bytes were written to, or read from, a pipe, and in how many calls; first: its first use. Returns the place of the next one. */
static size_t cells_use(
	struct buf *out, const struct pipe_uses *us, size_t first, int64_t pipe_id, bool writes)
{
	double bytes = 0;
	int64_t calls = 0;
	size_t i = first;

	for (; i < us->n && us->list[i].pipe_id == pipe_id && us->list[i].writes == writes; i++) {
		bytes += us->list[i].bytes;
		calls += us->list[i].calls;
	}
	cell_number(out, bytes < (double)TIME_LIMIT ? (int64_t)bytes : TIME_LIMIT);
	cell_number(out, calls);
	return i;
}

static void pipe_rows(struct buf *out, struct rows *r, const struct pipe_uses *us)
{
	size_t seen = 0, use = 0;

	while (rows_next(r)) {
		int64_t id = rows_int(r, 0, 0);
		_cleanup_free_ char *name = rows_text(r, 1), *kind = rows_text(r, 2);

		/* Both are in the order of pipes. */
		while (use < us->n && us->list[use].pipe_id < id)
			use++;
		row_begin(out, seen++);
		buf_addf(out, "<tr id=\"row-pipe%lld\" data-els=\"pipes-pipe%lld wait-pipe%lld\">",
			(long long)id, (long long)id, (long long)id);
		cell_text(out, "", name);
		cell_text(out, "", kind);
		use = cells_use(out, us, use, id, true);
		use = cells_use(out, us, use, id, false);
		cell_time(out, rows_time(r, 3, TIME_NEVER));
		buf_adds(out, "</tr>\n");
	}
}

char *page_pipes(struct buf *out, const struct pipe_uses *uses, sqlite3 *db)
{
	static const char *const heads[] = {"pipe", "kind", "#written", "#in writes", "#read",
		"#in reads", "#created at", NULL};
	struct rows r;
	char *why;
	size_t n = count(db, "SELECT count(*) FROM pipe", &why);

	if (why || !n)
		return why;
	table_begin(out, "pipetable", "Pipes", n, heads);
	r = rows_begin(db,
		"SELECT id, coalesce(name, kind || ' ' || id), kind, created_ns FROM pipe"
		" ORDER BY id LIMIT 2000");
	pipe_rows(out, &r, uses);
	table_end(out, n, "pipe_flow");
	return rows_end(&r);
}

/* Adds a link to the process of a thread, or of itself. */
static void cell_actor(struct buf *out, const struct trace *t, int64_t thread_id, int64_t proc_id,
	const char *otherwise)
{
	size_t th = trace_thread(t, thread_id);
	size_t p = th == NONE ? trace_proc(t, proc_id) : t->threads[th].proc;

	if (p == NONE) {
		cell_text(out, "", otherwise);
		return;
	}
	cell_begin(out, "", t->procs[p].name);
	buf_addf(out, "<a href=\"#row-p%lld\">", (long long)t->procs[p].id);
	page_text(out, t->procs[p].name);
	buf_addf(out, "</a> %lld</td>", (long long)t->procs[p].pid);
}

char *page_signals(struct buf *out, const struct trace *t, sqlite3 *db)
{
	static const char *const heads[] = {
		"signal", "from", "to", "#sent at", "#delivered at", "effect", "interrupted", NULL};
	size_t seen = 0;
	struct rows r;
	char *why;
	size_t n = count(db, "SELECT count(*) FROM signal", &why);

	if (why || !n)
		return why;
	table_begin(out, "signals", "Signals", n, heads);
	r = rows_begin(db,
		"SELECT name, source, sender_id, process_id, thread_id, sent_ns, delivered_ns,"
		" coalesce(disposition, result), interrupted FROM signal"
		" ORDER BY coalesce(sent_ns, delivered_ns), id LIMIT 2000");
	while (rows_next(&r)) {
		_cleanup_free_ char *name = rows_text(&r, 0), *source = rows_text(&r, 1);
		_cleanup_free_ char *effect = rows_text(&r, 7), *call = rows_text(&r, 8);

		row_begin(out, seen++);
		buf_adds(out, "<tr>");
		cell_text(out, "", name);
		cell_actor(out, t, rows_int(&r, 2, -1), -1, source);
		cell_actor(out, t, rows_int(&r, 4, -1), rows_int(&r, 3, -1), "outside");
		cell_time(out, rows_time(&r, 5, TIME_NEVER));
		cell_time(out, rows_time(&r, 6, TIME_NEVER));
		cell_text(out, "", effect);
		cell_text(out, "", call);
		buf_adds(out, "</tr>\n");
	}
	table_end(out, n, "signal");
	return rows_end(&r);
}
