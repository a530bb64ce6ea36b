/* load.c - what every picture needs of a trace, as plain structs. */
/* SPDX-License-Identifier: MIT */
#include "viewer/load/load.h"

#include <signal.h>
#include <sqlite3.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"
#include "viewer/load/holds.h"
#include "viewer/load/transfers.h"
#include "viewer/load/waits.h"

enum { TITLE_MAX = 72 };

/* Reads an end time, clamped to the start. */
static int64_t end_time(struct rows *r, int col, int64_t start)
{
	int64_t end = rows_time(r, col, TIME_NEVER);

	return end < start ? start : end;
}

static char *local_date(int64_t unix_ns)
{
	time_t sec = (time_t)(unix_ns / 1000000000);
	char text[64] = "";
	struct tm tm;

	if (unix_ns > 0 && localtime_r(&sec, &tm))
		(void)strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S %Z", &tm);
	return xstrdup(text);
}

/* "/usr/bin/make -j2" is shown as "make -j2". */
static char *make_title(const char *command)
{
	size_t first = strcspn(command, " ");
	const char *s = command;

	for (size_t i = 0; i < first; i++)
		if (command[i] == '/' && i + 1 < first)
			s = command + i + 1;
	if (*command == '\'' || *command == '$')
		s = command;
	return text_fit(*s ? s : "(no command)", TITLE_MAX);
}

static void load_meta(struct trace *t, struct rows *r)
{
	t->command = rows_command(r, 0);
	t->title = make_title(t->command);
	t->cwd = rows_text(r, 1);
	t->host = rows_text(r, 2);
	t->kernel = rows_text(r, 3);
	t->version = rows_text(r, 4);
	t->backend = rows_text(r, 5);
	t->started_unix_ns = rows_int(r, 6, 0);
	t->duration = rows_time(r, 7, 0);
	t->exit_code = rows_int(r, 8, -1);
	t->exit_signal = (int)rows_int(r, 9, 0);
	t->complete = rows_int(r, 10, 0) != 0;
	t->lost = rows_int(r, 11, 0);
	t->attached = rows_int(r, 12, 0) != 0;
	t->date = local_date(t->started_unix_ns);
}

static char *load_trace_row(struct trace *t, sqlite3 *db)
{
	struct rows r = rows_begin(db,
		"SELECT command, cwd, host, kernel, version, backend, started_unix_ns, duration_ns,"
		" exit_code, exit_signal, complete, lost, attached FROM trace LIMIT 1");
	bool found = rows_next(&r);
	char *why;

	if (found)
		load_meta(t, &r);
	why = rows_end(&r);
	if (!found && !why)
		why = xstrdup("the table trace is empty");
	return why;
}

static char *load_blind_spots(struct trace *t, sqlite3 *db)
{
	struct rows r = rows_begin(db, "SELECT value FROM trace, json_each(trace.blind_spots)"
				       " WHERE json_valid(trace.blind_spots) ORDER BY key");
	size_t cap = 0;

	while (rows_next(&r)) {
		ARRAY_GROW(t->blind_spots, t->n_blind_spots, cap);
		t->blind_spots[t->n_blind_spots++] = rows_text(&r, 0);
	}
	return rows_end(&r);
}

static enum life_end end_kind(const char *word, int64_t end)
{
	if (!strcmp(word, "exit"))
		return LIFE_EXIT;
	if (!strcmp(word, "signal"))
		return LIFE_SIGNAL;
	return end == TIME_NEVER ? LIFE_RUNNING : LIFE_UNKNOWN;
}

static void load_proc(struct proc_row *p, struct rows *r)
{
	_cleanup_free_ char *kind = rows_text(r, 9);

	*p = (struct proc_row){
		.id = rows_int(r, 0, 0),
		.pid = rows_int(r, 1, 0),
		.parent = NONE,
		.creator = NONE,
		.main_thread = NONE,
		.reaper = NONE,
		.program = rows_text(r, 4),
		.command = rows_command(r, 5),
		.exe = rows_text(r, 6),
		.start = rows_time(r, 7, 0),
		.exit_code = (int)rows_int(r, 10, 0),
		.exit_signal = (int)rows_int(r, 11, 0),
		.killed = TIME_NEVER,
		.core_dumped = rows_int(r, 12, 0) != 0,
		.reaped = rows_time(r, 13, TIME_NEVER),
		.autoreap = rows_int(r, 15, 0) != 0,
		.created_by = rows_text(r, 16),
	};
	p->name = xstrdup(p->program);
	p->end = end_time(r, 8, p->start);
	p->end_kind = end_kind(kind, p->end);
	if (p->reaped < p->end)
		p->reaped = p->end;
}

#define PROC_COLUMNS                                                                                         \
	"id, pid, parent_id, creator_id, coalesce(program, name), command, exe, start_ns, end_ns, end_kind," \
	" exit_code, exit_signal, core_dumped, reaped_ns, reaper_id, autoreap, created_by"

static char *load_procs(struct trace *t, sqlite3 *db)
{
	struct rows r =
		rows_begin(db, "SELECT " PROC_COLUMNS " FROM process ORDER BY start_ns, id");
	size_t cap = 0;

	while (rows_next(&r)) {
		struct proc_row *p;

		ARRAY_GROW(t->procs, t->n_procs, cap);
		p = &t->procs[t->n_procs++];
		load_proc(p, &r);
		(void)hash_set(&t->proc_by_id, (uint64_t)p->id, (void *)(uintptr_t)t->n_procs);
	}
	return rows_end(&r);
}

/* Notes a title; the last one is the process's name. */
static void load_title(struct trace *t, struct rows *r, size_t proc)
{
	struct title_row *n = &t->titles[t->n_titles++];
	struct proc_row *p = &t->procs[proc];

	*n = (struct title_row){.proc = proc,
		.ts = rows_time(r, 1, 0),
		.text = rows_is_null(r, 2) ? NULL : rows_text(r, 2)};
	if (p->n_titles++ == 0)
		p->first_title = t->n_titles - 1;
	free(p->name);
	p->name = xstrdup(n->text ? n->text : p->program);
}

static char *load_titles(struct trace *t, sqlite3 *db)
{
	size_t cap = 0;
	struct rows r;

	if (!rows_has(db, "title.title"))
		return NULL;
	r = rows_begin(
		db, "SELECT process_id, ts_ns, title FROM title ORDER BY process_id, ts_ns, id");
	while (rows_next(&r)) {
		size_t proc = trace_proc(t, rows_int(&r, 0, 0));

		if (proc == NONE)
			continue;
		ARRAY_GROW(t->titles, t->n_titles, cap);
		load_title(t, &r, proc);
	}
	return rows_end(&r);
}

static void load_thread(struct trace *t, struct rows *r)
{
	struct thread_row *th = &t->threads[t->n_threads++];
	struct proc_row *p = &t->procs[trace_proc(t, rows_int(r, 2, 0))];

	*th = (struct thread_row){
		.id = rows_int(r, 0, 0),
		.tid = rows_int(r, 1, 0),
		.proc = (size_t)(p - t->procs),
		.creator = NONE,
		.name = rows_text(r, 4),
		.start = rows_time(r, 5, 0),
		.is_main = rows_int(r, 7, 0) != 0,
		.entry = rows_text(r, 8),
	};
	th->end = end_time(r, 6, th->start);
	if (p->main_thread == NONE && th->is_main)
		p->main_thread = t->n_threads - 1;
	p->n_threads++;
	(void)hash_set(&t->thread_by_id, (uint64_t)th->id, (void *)(uintptr_t)t->n_threads);
}

static char *load_threads(struct trace *t, sqlite3 *db)
{
	struct rows r = rows_begin(db,
		"SELECT t.id, t.tid, t.process_id, t.creator_id, n.name, t.start_ns, t.end_ns,"
		" t.is_main, s.function FROM thread t JOIN process p ON p.id = t.process_id"
		" LEFT JOIN thread_name n ON n.thread_id = t.id"
		" LEFT JOIN thread_start s ON s.thread_id = t.id AND s.runtime IS NULL"
		" ORDER BY p.start_ns, p.id, t.is_main DESC, t.start_ns, t.id");
	size_t cap = 0;

	while (rows_next(&r)) {
		if (trace_proc(t, rows_int(&r, 2, 0)) == NONE)
			continue;
		ARRAY_GROW(t->threads, t->n_threads, cap);
		load_thread(t, &r);
	}
	return rows_end(&r);
}

/* Ids become indexes once all rows are there. */
static char *link_rows(struct trace *t, sqlite3 *db)
{
	struct rows r = rows_begin(db, "SELECT id, parent_id, creator_id, reaper_id FROM process");
	struct rows s;
	char *why;

	while (rows_next(&r)) {
		size_t i = trace_proc(t, rows_int(&r, 0, 0));

		if (i == NONE)
			continue;
		t->procs[i].parent = trace_proc(t, rows_int(&r, 1, -1));
		t->procs[i].creator = trace_thread(t, rows_int(&r, 2, -1));
		t->procs[i].reaper = trace_thread(t, rows_int(&r, 3, -1));
	}
	why = rows_end(&r);
	if (why)
		return why;
	s = rows_begin(db, "SELECT id, creator_id FROM thread");
	while (rows_next(&s)) {
		size_t i = trace_thread(t, rows_int(&s, 0, 0));

		if (i != NONE)
			t->threads[i].creator = trace_thread(t, rows_int(&s, 1, -1));
	}
	return rows_end(&s);
}

static char *load_kills(struct trace *t, sqlite3 *db)
{
	struct rows r = rows_begin(db,
		"SELECT s.process_id, s.delivered_ns, s.source = 'pptrace' FROM signal s"
		" JOIN process p ON p.id = s.process_id AND p.exit_signal = s.signo"
		" WHERE s.disposition = 'default' OR s.source = 'pptrace' ORDER BY s.id");

	while (rows_next(&r)) {
		size_t i = trace_proc(t, rows_int(&r, 0, 0));

		if (i == NONE)
			continue;
		if (!rows_is_null(&r, 1))
			t->procs[i].killed = rows_time(&r, 1, TIME_NEVER);
		t->procs[i].by_pptrace = t->procs[i].by_pptrace || rows_int(&r, 2, 0) != 0;
	}
	return rows_end(&r);
}

static char *load_execs(struct trace *t, sqlite3 *db)
{
	struct rows r =
		rows_begin(db, "SELECT e.process_id, e.ts_ns, e.path, e.argv, e.errno FROM exec e"
			       " ORDER BY e.process_id, e.ts_ns, e.id");
	size_t cap = 0;

	while (rows_next(&r)) {
		size_t proc = trace_proc(t, rows_int(&r, 0, 0));
		struct proc_row *p = proc == NONE ? NULL : &t->procs[proc];

		if (!p)
			continue;
		ARRAY_GROW(t->execs, t->n_execs, cap);
		if (p->n_execs++ == 0)
			p->first_exec = t->n_execs;
		t->execs[t->n_execs++] = (struct exec_row){
			.proc = proc,
			.ts = rows_time(&r, 1, 0),
			.path = rows_text(&r, 2),
			.command = rows_command(&r, 3),
			.error = (int)rows_int(&r, 4, 0),
		};
	}
	return rows_end(&r);
}

/* What pptrace's child did before it became the command is pptrace's: the command begins with its exec. */
static void begin_with_exec(struct trace *t)
{
	for (size_t i = 0; i < t->n_procs; i++) {
		struct proc_row *p = &t->procs[i];
		const struct exec_row *e = p->n_execs ? &t->execs[p->first_exec] : NULL;

		if (!e || e->error || strcmp(p->created_by, "start") != 0 || e->ts < p->start ||
			e->ts > p->end)
			continue;
		p->start = e->ts;
		if (p->main_thread != NONE && t->threads[p->main_thread].end >= e->ts)
			t->threads[p->main_thread].start = e->ts;
	}
}

/* If the parent ended within this time after its child (ns), it had no time to reap it. */
#define TIME_TO_REAP_NS INT64_C(10000000)

/*
 * A process is a zombie from its end until it is reaped, or until its parent
 * ends and leaves it to init. Every child is one for some microseconds; marked
 * are those that were one for a long time, or that the parent never reaped at all.
 */
static void mark_family(struct trace *t)
{
	for (size_t i = 0; i < t->n_procs; i++) {
		struct proc_row *p = &t->procs[i];
		int64_t parent_end = p->parent == NONE ? -1 : t->procs[p->parent].end;

		p->zombie_to = p->end;
		if (p->parent == NONE)
			continue;
		p->orphan = p->end > parent_end;
		if (p->end == TIME_NEVER || p->autoreap || p->orphan)
			continue;
		p->zombie_to = p->reaped < parent_end ? p->reaped : parent_end;
		p->zombie_to = trace_end(t, p->zombie_to);
		if (p->zombie_to < p->end)
			p->zombie_to = p->end;
		p->never_reaped = (p->reaped == TIME_NEVER || p->reaped > parent_end) &&
				  trace_end(t, parent_end) - p->end >= TIME_TO_REAP_NS;
	}
}

/* The last moment that anything in the trace tells of, for files of crashed runs that say 0. */
static void stretch_duration(struct trace *t)
{
	for (size_t i = 0; i < t->n_threads; i++) {
		const struct thread_row *th = &t->threads[i];

		if (th->start > t->duration)
			t->duration = th->start;
		if (th->end != TIME_NEVER && th->end > t->duration)
			t->duration = th->end;
	}
	for (size_t i = 0; i < t->n_procs; i++)
		if (t->procs[i].end != TIME_NEVER && t->procs[i].end > t->duration)
			t->duration = t->procs[i].end;
}

struct trace *trace_load(sqlite3 *db, char **ret_why)
{
	static char *(*const steps[])(struct trace *, sqlite3 *) = {load_trace_row,
		load_blind_spots, load_procs, load_titles, load_threads, link_rows, load_kills,
		load_execs, trace_load_findings};
	struct trace *t = xcalloc(1, sizeof *t);

	t->waits = xcalloc(1, sizeof *t->waits);
	t->transfers = xcalloc(1, sizeof *t->transfers);
	t->long_holds = xcalloc(1, sizeof *t->long_holds);
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		char *why = steps[i](t, db);

		if (why) {
			*ret_why = why;
			trace_free(t);
			return NULL;
		}
	}
	begin_with_exec(t);
	stretch_duration(t);
	mark_family(t);
	return t;
}

static void free_procs(struct trace *t)
{
	for (size_t i = 0; i < t->n_procs; i++) {
		free(t->procs[i].name);
		free(t->procs[i].program);
		free(t->procs[i].command);
		free(t->procs[i].exe);
		free(t->procs[i].created_by);
	}
	free(t->procs);
	for (size_t i = 0; i < t->n_threads; i++) {
		free(t->threads[i].name);
		free(t->threads[i].entry);
	}
	free(t->threads);
	for (size_t i = 0; i < t->n_execs; i++) {
		free(t->execs[i].path);
		free(t->execs[i].command);
	}
	free(t->execs);
	for (size_t i = 0; i < t->n_titles; i++)
		free(t->titles[i].text);
	free(t->titles);
}

void trace_free(struct trace *t)
{
	if (!t)
		return;
	free_procs(t);
	trace_free_findings(t);
	trace_free_waits(t);
	trace_free_transfers(t);
	trace_free_long_holds(t);
	for (size_t i = 0; i < t->n_blind_spots; i++)
		free(t->blind_spots[i]);
	free(t->blind_spots);
	free(t->command);
	free(t->title);
	free(t->host);
	free(t->backend);
	free(t->cwd);
	free(t->kernel);
	free(t->version);
	free(t->date);
	hash_done(&t->proc_by_id);
	hash_done(&t->thread_by_id);
	hash_done(&t->stuck_waits);
	free(t);
}
