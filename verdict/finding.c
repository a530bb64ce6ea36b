/* finding.c - the list of findings: built, ordered, stored and read again. */
/* SPDX-License-Identifier: MIT */
#include "verdict/finding.h"

#include "base/buf.h"
#include "schema/query.h"
#include "verdict/naming.h"

#include <errno.h>

static const struct {
	const char *name, *severity;
} rules[RULE_COUNT] = {
#define RULE(id, name, severity, meaning, demo, function) {name, severity},
#include "schema/findings.def"
#undef RULE
};

static const char *const shapes[] = {"cycle", "self", "knot", "abandoned"};

const char *finding_rule(const char *name)
{
	for (size_t i = 0; i < RULE_COUNT; i++)
		if (!strcmp(rules[i].name, name))
			return rules[i].name;
	return NULL;
}

static const char *severity_of(const char *rule)
{
	for (size_t i = 0; i < RULE_COUNT; i++)
		if (!strcmp(rules[i].name, rule))
			return rules[i].severity;
	return "info";
}

void finding_done(struct finding *f)
{
	for (size_t i = 0; i < f->n_members; i++)
		free(f->members[i].text);
	free(f->members);
	free(f->summary);
	free(f->explanation);
	free(f->remedy);
	*f = (struct finding){0};
}

void findings_free(struct findings *fs)
{
	for (size_t i = 0; i < fs->n; i++)
		finding_done(&fs->list[i]);
	free(fs->list);
	*fs = (struct findings){0};
}

struct finding *finding_add(struct findings *fs, const char *rule, int64_t ts_ns)
{
	struct finding *f;

	if ((fs->n & (fs->n - 1)) == 0) /* room for 1, 2, 4, 8... */
		fs->list = xreallocarray(fs->list, fs->n ? fs->n * 2 : 1, sizeof *fs->list);
	f = &fs->list[fs->n++];
	*f = (struct finding){
		.rule = rule, .severity = severity_of(rule), .certain = true, .ts_ns = ts_ns};
	return f;
}

static char *copy_of(const char *text)
{
	return text ? xstrdup(text) : NULL;
}

void finding_copy(struct findings *fs, const struct finding *from)
{
	struct finding *f = finding_add(fs, from->rule, from->ts_ns);

	f->certain = from->certain;
	f->severity = from->severity;
	f->shape = from->shape;
	f->summary = copy_of(from->summary);
	f->explanation = copy_of(from->explanation);
	f->remedy = copy_of(from->remedy);
	for (size_t i = 0; i < from->n_members; i++) {
		struct finding_member *m = finding_member_add(f);

		*m = from->members[i];
		m->text = copy_of(m->text);
	}
}

void finding_drop(struct findings *fs)
{
	finding_done(&fs->list[--fs->n]);
}

struct finding_member *finding_member_add(struct finding *f)
{
	if ((f->n_members & (f->n_members - 1)) == 0)
		f->members = xreallocarray(
			f->members, f->n_members ? f->n_members * 2 : 1, sizeof *f->members);
	f->members[f->n_members] = (struct finding_member){0};
	return &f->members[f->n_members++];
}

void finding_set(char **text, struct buf *b)
{
	free(*text);
	*text = buf_steal(b);
}

static int rank(const struct finding *f)
{
	int severity = !strcmp(f->severity, "error") ? 0 : !strcmp(f->severity, "warning") ? 2 : 4;

	return severity + !f->certain;
}

static size_t position(const char *rule)
{
	for (size_t i = 0; i < RULE_COUNT; i++)
		if (!strcmp(rules[i].name, rule))
			return i;
	return RULE_COUNT;
}

static int compare(const void *a, const void *b)
{
	const struct finding *x = a, *y = b;
	int by_rank = rank(x) - rank(y);

	if (by_rank)
		return by_rank;
	if (x->ts_ns != y->ts_ns)
		return x->ts_ns < y->ts_ns ? -1 : 1;
	if (x->rule != y->rule)
		return position(x->rule) < position(y->rule) ? -1 : 1;
	return strcmp(x->summary ? x->summary : "", y->summary ? y->summary : "");
}

void findings_sort(struct findings *fs)
{
	if (fs->n)
		qsort(fs->list, fs->n, sizeof *fs->list, compare);
}

/* ---- Stored ---- */

static void bind_id(sqlite3_stmt *stmt, int col, int64_t id)
{
	if (id)
		query_bind_int(stmt, col, id);
	else
		(void)sqlite3_bind_null(stmt, col);
}

static int store_one(sqlite3_stmt *finding, sqlite3_stmt *member, const struct finding *f,
	int64_t id, struct buf *why)
{
	int rc;

	query_bind_int(finding, 1, id);
	query_bind_text(finding, 2, f->rule);
	query_bind_text(finding, 3, f->severity);
	query_bind_text(finding, 4, f->certain ? "certain" : "conditional");
	query_bind_int(finding, 5, f->ts_ns);
	query_bind_text(finding, 6, f->summary ? f->summary : "");
	query_bind_text(finding, 7, f->explanation);
	query_bind_text(finding, 8, f->remedy);
	query_bind_text(finding, 9, f->shape);
	rc = query_run(finding, why);
	for (size_t i = 0; !rc && i < f->n_members; i++) {
		const struct finding_member *m = &f->members[i];

		query_bind_int(member, 1, id);
		query_bind_int(member, 2, (int64_t)i + 1);
		bind_id(member, 3, m->thread_id);
		bind_id(member, 4, m->process_id);
		bind_id(member, 5, m->lock_id);
		bind_id(member, 6, m->pipe_id);
		bind_id(member, 7, m->site_id);
		query_bind_text(member, 8, m->text);
		bind_id(member, 9, m->wait_id);
		bind_id(member, 10, m->stack_id);
		rc = query_run(member, why);
	}
	return rc;
}

int verdict_store(struct sqlite3 *db, const struct findings *fs, struct buf *why)
{
	_cleanup_stmt_ sqlite3_stmt *finding = NULL, *member = NULL;
	int end,
		rc = query_exec(db,
			"SAVEPOINT findings; DELETE FROM finding_member; DELETE FROM finding", why);

	if (rc)
		return rc;
	rc = query_open(db,
		"INSERT INTO finding (id, rule, severity, certainty, ts_ns, summary, explanation,"
		" remedy, shape) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
		&finding, why);
	if (!rc)
		rc = query_open(db,
			"INSERT INTO finding_member (finding_id, ordinal, thread_id, process_id,"
			" lock_id, pipe_id, site_id, text, wait_id, stack_id)"
			" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
			&member, why);
	for (size_t i = 0; !rc && i < fs->n; i++)
		rc = store_one(finding, member, &fs->list[i], (int64_t)i + 1, why);
	end = query_exec(
		db, rc ? "ROLLBACK TO findings; RELEASE findings" : "RELEASE findings", why);
	return rc ? rc : end;
}

static char *copy_text(sqlite3_stmt *stmt, int col)
{
	return query_null(stmt, col) ? NULL : xstrdup(query_text(stmt, col));
}

static int load_members(struct sqlite3 *db, struct finding *f, int64_t id, struct buf *why)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	int rc = query_one(db,
		"SELECT thread_id, process_id, lock_id, pipe_id, site_id, wait_id, text, stack_id"
		" FROM finding_member WHERE finding_id = ?1 ORDER BY ordinal",
		id, &stmt, why);

	for (; rc > 0; rc = query_step(stmt, why)) {
		struct finding_member *m = finding_member_add(f);

		m->thread_id = query_int(stmt, 0, 0);
		m->process_id = query_int(stmt, 1, 0);
		m->lock_id = query_int(stmt, 2, 0);
		m->pipe_id = query_int(stmt, 3, 0);
		m->site_id = query_int(stmt, 4, 0);
		m->wait_id = query_int(stmt, 5, 0);
		m->text = copy_text(stmt, 6);
		m->stack_id = query_int(stmt, 7, 0);
	}
	return rc;
}

int verdict_load(struct sqlite3 *db, struct findings *ret, struct buf *why)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	struct findings fs = {0};
	int rc = naming_check(db, why);

	if (!rc)
		rc = query_open(db,
			"SELECT id, rule, certainty, ts_ns, summary, explanation, remedy, shape FROM finding"
			" ORDER BY id",
			&stmt, why);

	while (!rc && (rc = query_step(stmt, why)) > 0) {
		/* A rule of a newer pptrace is not ours to explain. */
		const char *rule = finding_rule(query_text(stmt, 1));
		struct finding *f;

		rc = 0;
		if (!rule)
			continue;
		f = finding_add(&fs, rule, query_int(stmt, 3, 0));
		f->certain = !strcmp(query_text(stmt, 2), "certain");
		f->summary = xstrdup(query_text(stmt, 4));
		f->explanation = copy_text(stmt, 5);
		f->remedy = copy_text(stmt, 6);
		for (size_t i = 0; i < ARRAY_SIZE(shapes); i++)
			if (!strcmp(shapes[i], query_text(stmt, 7)))
				f->shape = shapes[i];
		rc = load_members(db, f, query_int(stmt, 0, 0), why);
	}
	if (!rc && fs.n)
		rc = naming_intact(db, why);
	if (rc) {
		findings_free(&fs);
		return rc;
	}
	findings_sort(&fs);
	*ret = fs;
	return 0;
}
