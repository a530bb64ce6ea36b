/* rules.c - every rule, evaluated in turn. */
/* SPDX-License-Identifier: MIT */
#include "verdict/rules/rules.h"

#include "base/buf.h"
#include "schema/query.h"
#include "schema/version.h"
#include "verdict/naming.h"
#include "verdict/rules/stuck.h"

#include <errno.h>

static const struct {
	const char *name;
	rule_run *run;
} rules[RULE_COUNT] = {
#define RULE(id, name, severity, meaning, demo, function) {name, function},
#include "schema/findings.def"
#undef RULE
};

/* Losses of these kinds take nothing away on which a rule rests. */
static const char lost_sql[] =
	"SELECT sum(count) FROM lost WHERE lower(kind) NOT IN ('sched', 'sample', 'comm', 'module')"
	/* A thread that was killed while it recorded what it did does nothing any more. */
	" AND source <> 'shim: interrupted for good'";

/* Of these births and ends, and of whatever may be one. Who lived when, and whose child it was, rests on nothing else. */
static const char vital_lost_sql[] =
	"SELECT sum(count) FROM lost WHERE lower(kind) IN ('fork', 'exec', 'exit', 'exiting', 'reap')"
	" OR lower(kind) = 'any' AND source NOT IN ('shim', 'shim: interrupted for good')";

static bool rests_on_life(const char *rule)
{
	static const char *const rules_of_life[] = {"crash", "zombie", "orphan"};

	for (size_t i = 0; i < sizeof rules_of_life / sizeof *rules_of_life; i++)
		if (!strcmp(rule, rules_of_life[i]))
			return true;
	return false;
}

/*
 * After losses nothing is certain but that there were some: what would deny a finding may be among them. The sets
 * of the wait-for graph say so themselves.
 */
static void doubt(struct findings *fs, bool vital)
{
	for (size_t i = 0; i < fs->n; i++) {
		struct finding *f = &fs->list[i];
		_cleanup_buf_ struct buf b = BUF_INIT;

		if (!f->certain || f->shape || !strcmp(f->rule, "data-loss") ||
			(!vital && rests_on_life(f->rule)))
			continue;
		f->certain = false;
		if (!strcmp(f->severity, "error"))
			f->severity = "warning";
		buf_addf(&b, "%s (not certain: records were lost)", f->summary ? f->summary : "");
		finding_set(&f->summary, &b);
	}
}

/* Runs every rule, or only the named one (rule not NULL). */
static int run_rules(struct rule_context *ctx, const char *rule)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < RULE_COUNT; i++)
		if (!rule || !strcmp(rule, rules[i].name))
			rc = rules[i].run(ctx);
	return rc;
}

/* What rests on a process's having done nothing. Zombies do not: pptrace sees itself who has been reaped. */
static bool rests_on_calls(const char *rule)
{
	static const char *const rules_of_calls[] = {"stuck", "pipe-end-leak", "lost-wakeup"};

	for (size_t i = 0; i < sizeof rules_of_calls / sizeof *rules_of_calls; i++)
		if (!strcmp(rule, rules_of_calls[i]))
			return true;
	return false;
}

/* What was removed to keep the file small may have been what denies it. */
static void judge_removed(struct sqlite3 *db, struct findings *out, struct buf *why)
{
	if (!version_has(db, "trace.detail_since_ns") ||
		query_number(db, "SELECT detail_since_ns FROM trace", 0, 0, why) <= 0)
		return;
	for (size_t i = 0; i < out->n; i++) {
		_cleanup_buf_ struct buf b = BUF_INIT;
		struct finding *f = &out->list[i];

		if (!f->certain || !rests_on_calls(f->rule))
			continue;
		f->certain = false;
		buf_addf(&b, "%s (not certain: old calls were removed to keep the recording small)",
			f->summary ? f->summary : "");
		finding_set(&f->summary, &b);
	}
}

/* What has no rows by the wish of whoever recorded may be what denies it. Sets rest on what is open, and on few others. */
static void judge_left_out(struct sqlite3 *db, struct findings *out, struct buf *why)
{
	static const char any_sql[] = "SELECT json_extract(options, '$.left_out') <> '' FROM trace";
	static const char of_sets_sql[] =
		"SELECT json_extract(options, '$.left_out') LIKE '%signals%'"
		" OR json_extract(options, '$.left_out') LIKE '%waits%' FROM trace";
	bool of_sets;

	if (query_number(db, "SELECT json_valid(options) FROM trace", 0, 0, why) <= 0 ||
		query_number(db, any_sql, 0, 0, why) <= 0)
		return;
	of_sets = query_number(db, of_sets_sql, 0, 0, why) > 0;
	for (size_t i = 0; i < out->n; i++) {
		_cleanup_buf_ struct buf b = BUF_INIT;
		struct finding *f = &out->list[i];

		if (!f->certain || rests_on_life(f->rule) || !strcmp(f->rule, "data-loss") ||
			(f->shape && !of_sets))
			continue;
		f->certain = false;
		buf_addf(&b, "%s (not certain: rows were left out of the recording)",
			f->summary ? f->summary : "");
		finding_set(&f->summary, &b);
	}
}

/* Says whether one of a finding's processes makes system calls past the C library, as Go does. */
static bool has_raw_calls(struct sqlite3 *db, const struct finding *f, struct buf *why)
{
	for (size_t i = 0; i < f->n_members; i++)
		if (query_number(db, "SELECT raw_calls FROM process WHERE id = ?1",
			    f->members[i].process_id, 0, why) > 0)
			return true;
	return false;
}

/* Where the recording is blind a finding is said with that doubt. */
static void doubt_blind(struct finding *f)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	if (!f->certain)
		return;
	f->certain = false;
	buf_addf(&b, "%s (not certain: system calls made without the C library were not recorded)",
		f->summary ? f->summary : "");
	finding_set(&f->summary, &b);
}

/* Go's runtime has threads of its own, which every exit ends, and repeats calls that a signal broke off. */
static bool is_of_runtime(const char *rule)
{
	return !strcmp(rule, "main-exit-kills-threads") || !strcmp(rule, "interrupted-call");
}

/* Programs in Go. Only the kernel's probes see their system calls; and what their runtime does is no news. */
static void judge_raw_calls(struct sqlite3 *db, struct findings *fs, struct buf *why)
{
	bool blind = query_number(db, "SELECT backend NOT LIKE '%ebpf%' FROM trace", 0, 0, why) > 0;
	size_t keep = 0;

	if (query_number(db,
		    "SELECT count(*) FROM pragma_table_info('process') WHERE name = 'raw_calls'", 0,
		    0, why) <= 0)
		return;
	for (size_t i = 0; i < fs->n; i++) {
		struct finding *f = &fs->list[i];

		if (is_of_runtime(f->rule) && has_raw_calls(db, f, why)) {
			finding_done(f);
			continue;
		}
		if (blind && rests_on_calls(f->rule) && has_raw_calls(db, f, why))
			doubt_blind(f);
		fs->list[keep++] = *f;
	}
	fs->n = keep;
}

static int evaluate(struct sqlite3 *db, int64_t at_ns, const char *rule, bool all,
	const struct findings *reported, struct findings *ret, struct buf *why)
{
	int64_t last = query_number(db, "SELECT duration_ns FROM trace", 0, INT64_MAX, why);
	struct findings stuck = {0}, out = {0};
	struct rule_context ctx = {.db = db,
		.now_ns = at_ns < last ? at_ns : last,
		.at_end = at_ns >= last,
		.instant = query_is_snapshot(db, why),
		.stuck = &stuck,
		.out = &out,
		.why = why};
	int rc = naming_check(db, why);
	bool has_losses = query_number(db, "SELECT lost FROM trace", 0, 0, why) > 0 &&
			  query_number(db, lost_sql, 0, 0, why) > 0;

	if (!rc)
		rc = stuck_find(db, at_ns, all, true, &stuck, why);
	if (!rc)
		rc = stuck_keep(db, reported, &stuck, why);
	if (!rc)
		rc = run_rules(&ctx, rule);
	findings_free(&stuck);
	if (!rc)
		judge_raw_calls(db, &out, why);
	if (!rc)
		judge_removed(db, &out, why);
	if (!rc)
		judge_left_out(db, &out, why);
	rc = query_failed(rc, why);
	if (!rc && out.n)
		rc = naming_intact(db, why);
	if (rc) {
		findings_free(&out);
		return rc;
	}
	if (has_losses)
		doubt(&out, query_number(db, vital_lost_sql, 0, 0, why) > 0);
	findings_sort(&out);
	*ret = out;
	return 0;
}

int verdict_all(struct sqlite3 *db, int64_t at_ns, const char *rule, bool all, struct findings *ret,
	struct buf *why)
{
	return evaluate(db, at_ns, rule, all, &(struct findings){0}, ret, why);
}

int verdict_live(
	struct sqlite3 *db, int64_t least_ns, bool all, struct findings *ret, struct buf *why)
{
	struct findings out = {0};
	struct rule_context ctx = {.db = db,
		.now_ns = query_number(db, "SELECT duration_ns FROM trace", 0, INT64_MAX, why),
		.at_end = true,
		.live_ns = least_ns > 0 ? least_ns : 1,
		.stuck = &out,
		.out = &out,
		.why = why};
	int rc = verdict_stuck(db, INT64_MAX, all, &out, why);

	if (!rc)
		rc = run_rules(&ctx, "pipe-end-leak");
	rc = query_failed(rc, why);
	if (rc)
		findings_free(&out);
	else
		*ret = out;
	return rc;
}

int verdict_end(struct sqlite3 *db, bool all, const struct findings *reported, struct findings *ret,
	struct buf *why)
{
	return evaluate(db, INT64_MAX, NULL, all, reported, ret, why);
}

void verdict_remember(struct findings *reported, const struct findings *found)
{
	for (size_t i = 0; i < found->n; i++)
		finding_copy(reported, &found->list[i]);
}

const char *verdict_rule(const char *name)
{
	return finding_rule(name);
}
