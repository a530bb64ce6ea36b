/* report.c - how a rule says what it has found. */
/* SPDX-License-Identifier: MIT */
#include "verdict/rules/rules.h"

#include "base/buf.h"
#include "base/mem.h"

struct finding *rule_report(struct rule_context *ctx, const char *rule, int64_t ts_ns,
	struct buf *summary, struct buf *explanation, const char *remedy)
{
	struct finding *f = finding_add(ctx->out, finding_rule(rule), ts_ns);

	finding_set(&f->summary, summary);
	if (explanation)
		finding_set(&f->explanation, explanation);
	f->remedy = xstrdup(remedy);
	return f;
}

struct finding_member *rule_member(struct finding *f, struct buf *text)
{
	struct finding_member *m = finding_member_add(f);

	if (text)
		finding_set(&m->text, text);
	return m;
}
