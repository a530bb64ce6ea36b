/* rules.c - every rule, evaluated in turn. */
/* SPDX-License-Identifier: MIT */
#include "verdict/rules/rules.h"

#include "base/buf.h"
#include "schema/query.h"
#include "verdict/graph/graph.h"

#include <errno.h>

/* deadlock and stuck are not in this table: they come first, and others look at what they found. */
static const struct {
	const char *name;
	rule_run *run;
} rules[] = {
	{"fork-with-lock-held", rule_fork_with_lock},
	{"unlock-not-owner", rule_unlock_not_owner},
	{"exit-holding-lock", rule_exit_holding},
	{"crash", rule_crash},
	{"lock-order", rule_lock_order},
	{"zombie", rule_zombie},
	{"pipe-end-leak", rule_pipe_leak},
	{"sleep-holding-lock", rule_sleep_holding},
	{"busy-wait", rule_busy_wait},
	{"unflushed-output", rule_unflushed},
	{"duplicated-output", rule_duplicated},
	{"lost-wakeup", rule_lost_wakeup},
	{"orphan", rule_orphan},
	{"broken-pipe", rule_broken_pipe},
	{"main-exit-kills-threads", rule_main_exit},
	{"lost-signal", rule_lost_signal},
	{"merged-messages", rule_merged},
	{"interrupted-call", rule_interrupted},
	{"lock-contention", rule_contention},
	{"data-loss", rule_data_loss},
};

/* Moves from stuck to out what was asked for. */
static void take_stuck(struct findings *out, struct findings *stuck, const char *rule)
{
	for (size_t i = 0; i < stuck->n; i++) {
		if (rule && strcmp(rule, stuck->list[i].rule) != 0)
			continue;
		*finding_add(out, stuck->list[i].rule, 0) = stuck->list[i];
		stuck->list[i] = (struct finding){0};
	}
}

static int evaluate(struct sqlite3 *db, int64_t at_ns, const char *rule, bool all,
	const struct findings *told, struct findings *ret, struct buf *why)
{
	int64_t last = query_number(db, "SELECT duration_ns FROM trace", 0, INT64_MAX);
	struct findings stuck = {0}, out = {0};
	struct rule_context ctx = {.db = db,
		.now_ns = at_ns < last ? at_ns : last,
		.at_end = at_ns >= last,
		.stuck = &stuck,
		.out = &out,
		.why = why};
	int rc = stuck_find(db, at_ns, all, true, &stuck, why);

	if (!rc)
		rc = stuck_keep(db, told, &stuck, why);
	for (size_t i = 0; !rc && i < ARRAY_SIZE(rules); i++)
		if (!rule || !strcmp(rule, rules[i].name))
			rc = rules[i].run(&ctx);
	if (!rc)
		take_stuck(&out, &stuck, rule);
	findings_free(&stuck);
	if (rc) {
		findings_free(&out);
		return rc;
	}
	findings_sort(&out);
	*ret = out;
	return 0;
}

int verdict_all(struct sqlite3 *db, int64_t at_ns, const char *rule, bool all, struct findings *ret,
	struct buf *why)
{
	return evaluate(db, at_ns, rule, all, &(struct findings){0}, ret, why);
}

int verdict_end(
	struct sqlite3 *db, const struct findings *told, struct findings *ret, struct buf *why)
{
	return evaluate(db, INT64_MAX, NULL, false, told, ret, why);
}

void verdict_remember(struct findings *told, const struct findings *found)
{
	for (size_t i = 0; i < found->n; i++)
		if (found->list[i].certain)
			finding_copy(told, &found->list[i]);
}

const char *verdict_rule(const char *name)
{
	return finding_rule(name);
}
