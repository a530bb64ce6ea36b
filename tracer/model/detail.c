/* detail.c - of which processes, and of what, rows are kept that nothing rests on. */
/* SPDX-License-Identifier: MIT */
/*
 * What is left out is what trim.c would remove later: holds, waits, calls, reads and writes that are over. Who there
 * is, what is open, and what is summed is kept of all: verdicts rest on that.
 */
#include "tracer/model/private.h"

#include "base/buf.h"

const char *const detail_words[] = {
#define DETAIL(NAME, word, rows) word,
	DETAIL_LIST
#undef DETAIL
		NULL};

static const char *const detail_rows[] = {
#define DETAIL(NAME, word, rows) rows,
	DETAIL_LIST
#undef DETAIL
};

static bool is_named(const char *given, const char *path)
{
	const char *slash = path ? strrchr(path, '/') : NULL;

	if (!path)
		return false;
	return !strcmp(given, path) || (slash && !strchr(given, '/') && !strcmp(given, slash + 1));
}

/* Says whether one of the names is that of the program, of what its interpreter runs, or of the process. */
static bool runs_one(const struct proc *p, const char *const *names)
{
	for (; *names; names++)
		if (is_named(*names, p->exe) || is_named(*names, p->program) ||
			!strcmp(*names, model_proc_name(p)))
			return true;
	return false;
}

void model_detail_named(struct model *m, struct proc *p)
{
	const struct detail_choice *c = &m->config.detail;

	p->left_out = (c->follow[0] && !runs_one(p, c->follow)) ||
		      (c->ignore[0] && runs_one(p, c->ignore));
}

static void add_names(struct buf *b, const char *const *names)
{
	for (size_t i = 0; names[i]; i++) {
		buf_adds(b, i ? " or " : "");
		buf_add_printable(b, names[i], strlen(names[i]));
	}
}

void detail_words_of(const struct detail_choice *c, struct buf *lines)
{
	static const char kept[] =
		"only births, ends, what is open, sums and findings were kept (run --";
	bool any = false;

	if (c->left_out) {
		buf_adds(lines, "Of ");
		for (size_t i = 0; detail_words[i]; i++)
			if (c->left_out & 1u << i) {
				buf_addf(lines, "%s%s", any ? ", " : "", detail_rows[i]);
				any = true;
			}
		buf_addf(lines, " %sevents).\n", kept);
	}
	if (c->follow[0]) {
		buf_adds(lines, "Of processes that do not run ");
		add_names(lines, c->follow);
		buf_addf(lines, " %sfollow).\n", kept);
	}
	if (c->ignore[0]) {
		buf_adds(lines, "Of processes that run ");
		add_names(lines, c->ignore);
		buf_addf(lines, " %signore).\n", kept);
	}
}
