/* findings.c - what is wrong in a trace, and who is marked by it. */
/* SPDX-License-Identifier: MIT */
#include "viewer/load/load.h"

#include <sqlite3.h>

#include "base/buf.h"
#include "base/mem.h"
#include "verdict/verdict.h"

bool finding_is_stuck(const struct finding_row *f)
{
	return !strcmp(f->rule, "deadlock") || !strcmp(f->rule, "stuck");
}

static char *load_rows(struct trace *t, sqlite3 *db)
{
	struct rows r = rows_begin(db,
		"SELECT id, rule, severity, summary, explanation, remedy, shape, certainty, ts_ns"
		" FROM finding ORDER BY id");
	size_t cap = 0;

	while (rows_next(&r)) {
		_cleanup_free_ char *certainty = rows_text(&r, 7);

		ARRAY_GROW(t->findings, t->n_findings, cap);
		t->findings[t->n_findings++] = (struct finding_row){
			.id = rows_int(&r, 0, 0),
			.rule = rows_text(&r, 1),
			.severity = rows_text(&r, 2),
			.summary = rows_prose(&r, 3, false),
			.explanation = rows_prose(&r, 4, true),
			.remedy = rows_prose(&r, 5, false),
			.shape = rows_text(&r, 6),
			.certain = !strcmp(certainty, "certain"),
			.ts = rows_time(&r, 8, 0),
		};
	}
	return rows_end(&r);
}

static struct finding_member_row *add_member(struct finding_row *f)
{
	f->members = xreallocarray(f->members, f->n_members + 1, sizeof *f->members);
	return &f->members[f->n_members++];
}

static char *load_members(struct trace *t, sqlite3 *db)
{
	struct rows r = rows_begin(db,
		"SELECT finding_id, thread_id, process_id, wait_id, text FROM finding_member"
		" ORDER BY finding_id, ordinal");
	size_t at = 0;

	while (rows_next(&r)) {
		int64_t id = rows_int(&r, 0, 0);

		/* Both lists are ordered by the finding. */
		while (at < t->n_findings && t->findings[at].id < id)
			at++;
		if (at < t->n_findings && t->findings[at].id == id)
			*add_member(&t->findings[at]) = (struct finding_member_row){
				.thread_id = rows_int(&r, 1, -1),
				.process_id = rows_int(&r, 2, -1),
				.wait_id = rows_int(&r, 3, -1),
				.text = rows_prose(&r, 4, false),
			};
	}
	return rows_end(&r);
}

/* The verdict's texts hold line breaks, and names that it has made printable. */
static char *copy(const char *s)
{
	return xstrdup(s ? s : "");
}

static void take_finding(struct trace *t, const struct finding *f, size_t number)
{
	struct finding_row *row = &t->findings[t->n_findings++];

	*row = (struct finding_row){
		.id = (int64_t)number + 1,
		.rule = copy(f->rule),
		.severity = copy(f->severity),
		.summary = copy(f->summary),
		.explanation = copy(f->explanation),
		.remedy = copy(f->remedy),
		.shape = copy(f->shape),
		.certain = f->certain,
		.ts = f->ts_ns,
	};
	for (size_t i = 0; i < f->n_members; i++) {
		const struct finding_member *m = &f->members[i];

		*add_member(row) = (struct finding_member_row){m->thread_id ? m->thread_id : -1,
			m->process_id ? m->process_id : -1, m->wait_id ? m->wait_id : -1,
			copy(m->text)};
	}
}

/* Findings are stored when a trace ends; before that they have to be computed. */
static char *compute(struct trace *t, sqlite3 *db)
{
	_cleanup_buf_ struct buf why = BUF_INIT;
	struct findings found = {0};
	char *bad = NULL;

	if (verdict_all(db, INT64_MAX, NULL, false, &found, &why) != 0) {
		bad = xasprintf("no verdict: %s", why.data);
	} else {
		t->findings = xcalloc(found.n + 1, sizeof *t->findings);
		for (size_t i = 0; i < found.n; i++)
			take_finding(t, &found.list[i], i);
	}
	findings_free(&found);
	return bad;
}

static void mark(struct trace *t, const struct finding_member_row *m, bool certain)
{
	enum stuck stuck = certain ? STUCK_CERTAIN : STUCK_CONDITIONAL;
	size_t th = trace_thread(t, m->thread_id);
	size_t p = th == NONE ? trace_proc(t, m->process_id) : t->threads[th].proc;

	if (th == NONE && p != NONE)
		th = t->procs[p].main_thread;
	if (th != NONE && t->threads[th].stuck < stuck)
		t->threads[th].stuck = stuck;
	if (p != NONE && t->procs[p].stuck < stuck)
		t->procs[p].stuck = stuck;
	if (m->wait_id >= 0)
		(void)hash_set(&t->stuck_waits, (uint64_t)m->wait_id, (void *)(uintptr_t)stuck);
}

char *trace_load_findings(struct trace *t, sqlite3 *db)
{
	char *why = load_rows(t, db);

	if (!why && t->n_findings)
		why = load_members(t, db);
	else if (!why && !t->complete)
		why = compute(t, db);
	for (size_t i = 0; !why && i < t->n_findings; i++)
		for (size_t k = 0; k < t->findings[i].n_members; k++)
			if (finding_is_stuck(&t->findings[i]))
				mark(t, &t->findings[i].members[k], t->findings[i].certain);
	return why;
}

void trace_free_findings(struct trace *t)
{
	for (size_t i = 0; i < t->n_findings; i++) {
		struct finding_row *f = &t->findings[i];

		for (size_t k = 0; k < f->n_members; k++)
			free(f->members[k].text);
		free(f->members);
		free(f->rule);
		free(f->severity);
		free(f->summary);
		free(f->explanation);
		free(f->remedy);
		free(f->shape);
	}
	free(t->findings);
}
