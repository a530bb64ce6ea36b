/* place.c - where in the source a finding is, and its text. */
/* SPDX-License-Identifier: MIT */
#include "verdict/ci/private.h"

#include <limits.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "schema/query.h"

/* A path as seen from the base; others, and what the compiler was told as a relative path, stay as they are. */
static const char *from_base(const struct ci_input *in, const char *file)
{
	size_t len = in->base ? strlen(in->base) : 0;

	if (len > 1 && !strncmp(file, in->base, len) && file[len] == '/')
		file += len + 1;
	while (!strncmp(file, "./", 2))
		file += 2;
	return file;
}

bool ci_place_of(const struct ci_input *in, const struct finding_member *m, struct ci_place *ret)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	_cleanup_buf_ struct buf why = BUF_INIT;
	int64_t line;

	*ret = (struct ci_place){0};
	if (!m->site_id ||
		query_one(in->db,
			"SELECT file, line, function FROM site WHERE id = ?1 AND file <> ''",
			m->site_id, &stmt, &why) != 1)
		return false;
	line = query_int(stmt, 1, 0);
	if (line < 1 || line > INT_MAX)
		return false;
	ret->file = xstrdup(from_base(in, query_text(stmt, 0)));
	ret->line = (int)line;
	ret->function = query_null(stmt, 2) ? NULL : xstrdup(query_text(stmt, 2));
	return true;
}

bool ci_place_first(const struct ci_input *in, const struct finding *f, struct ci_place *ret)
{
	for (size_t i = 0; i < f->n_members; i++)
		if (ci_place_of(in, &f->members[i], ret))
			return true;
	return false;
}

void ci_place_done(struct ci_place *p)
{
	free(p->file);
	free(p->function);
	*p = (struct ci_place){0};
}

void ci_text(struct buf *out, const struct ci_input *in, const struct finding *f)
{
	_cleanup_buf_ struct buf text = BUF_INIT;
	const char *story;

	verdict_text(&text, in->db, f, false);
	story = strchr(text.data, '\n'); /* the first line says severity, rule and summary */
	buf_adds(out, f->summary ? f->summary : f->rule);
	if (!story)
		return;
	buf_adds(out, story);
	while (out->len && out->data[out->len - 1] == '\n')
		out->data[--out->len] = '\0';
}
