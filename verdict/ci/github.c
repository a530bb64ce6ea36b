/* github.c - findings as workflow commands of GitHub Actions, which shows them at their lines. */
/* SPDX-License-Identifier: MIT */
#include "verdict/ci/private.h"

#include <string.h>

#include "base/buf.h"

/* Of what is only worth knowing, so many of one rule are told; a step shows no more than ten of a kind anyhow. */
enum { INFOS_TOLD = 2 };

/* A command is one line: what would end it, or a property, is told by its number (actions/toolkit, command.ts). */
static void add_escaped(struct buf *out, const char *text, const char *special)
{
	for (const char *s = text; *s; s++) {
		if (strchr(special, *s))
			buf_addf(out, "%%%02X", (unsigned char)*s);
		else
			buf_addc(out, *s);
	}
}

static void add_data(struct buf *out, const char *text)
{
	_cleanup_buf_ struct buf plain = BUF_INIT;

	for (const char *s = text; *s; s += strcspn(s, "\n"), s += *s == '\n') {
		if (s != text)
			buf_addc(&plain, '\n');
		buf_add_printable(&plain, s, strcspn(s, "\n"));
	}
	add_escaped(out, plain.data, "%\r\n");
}

static void add_property(struct buf *out, const char *name, const char *value)
{
	_cleanup_buf_ struct buf plain = BUF_INIT;

	buf_add_printable(&plain, value, strlen(value));
	buf_addf(out, "%s=", name);
	add_escaped(out, plain.data, "%\r\n:,");
}

static bool is_one_of_many(const struct findings *fs, size_t i)
{
	int before = 0;

	if (strcmp(fs->list[i].severity, "info") != 0)
		return false;
	for (size_t k = 0; k < i; k++)
		before += !strcmp(fs->list[k].rule, fs->list[i].rule);
	return before >= INFOS_TOLD;
}

static void add_command(struct buf *out, const struct ci_input *in, const struct finding *f)
{
	_cleanup_buf_ struct buf text = BUF_INIT, title = BUF_INIT;
	struct ci_place p;

	buf_addf(out, "::%s ", !strcmp(f->severity, "info") ? "notice" : f->severity);
	if (ci_place_first(in, f, &p)) {
		add_property(out, "file", p.file);
		buf_addf(out, ",line=%d,", p.line);
	}
	ci_place_done(&p);
	buf_addf(&title, "pptrace: %s", f->rule);
	add_property(out, "title", title.data);
	buf_adds(out, "::");
	ci_text(&text, in, f);
	add_data(out, text.data);
	buf_addc(out, '\n');
}

void ci_github(struct buf *out, const struct ci_input *in)
{
	size_t more = 0;

	for (size_t i = 0; i < in->findings->n; i++) {
		if (is_one_of_many(in->findings, i))
			more++;
		else
			add_command(out, in, &in->findings->list[i]);
	}
	if (more)
		buf_addf(out, "%zu more that are only worth knowing: pptrace diagnose -v\n", more);
	if (!in->findings->n)
		buf_adds(out, "nothing found\n");
}
