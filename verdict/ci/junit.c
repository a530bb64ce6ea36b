/* junit.c - findings as JUnit XML, which most services for continuous integration read. */
/* SPDX-License-Identifier: MIT */
/*
 * There is no standard; what is written here is what all readers share (testsuites, testsuite, testcase,
 * failure, system-out), with `file` and `line` as pytest and GitLab know them:
 *
 *	<testcase classname="pptrace" name="deadlock" file="abba.c" line="17" time="0">
 *	<failure type="deadlock" message="...">...</failure>
 *	</testcase>
 */
#include "verdict/ci/private.h"

#include <string.h>

#include "base/buf.h"
#include "schema/query.h"
#include "verdict/lessons.h"

static void add_attribute(struct buf *out, const char *name, const char *value)
{
	buf_addf(out, " %s=\"", name);
	for (const char *s = value; *s; s += strcspn(s, "\n"), s += *s == '\n') {
		if (s != value)
			buf_adds(out, "&#10;");
		buf_add_html(out, s, strcspn(s, "\n"));
	}
	buf_addc(out, '"');
}

/* Which of its rule's findings it is, from 1. */
static size_t ordinal(const struct findings *fs, size_t i)
{
	size_t n = 1;

	for (size_t k = 0; k < i; k++)
		n += !strcmp(fs->list[k].rule, fs->list[i].rule);
	return n;
}

static void add_finding(struct buf *out, const struct ci_input *in, size_t i)
{
	const struct finding *f = &in->findings->list[i];
	bool fails = in->fails(in->arg, f);
	_cleanup_buf_ struct buf text = BUF_INIT;
	size_t nth = ordinal(in->findings, i);
	struct ci_place p;

	buf_addf(out, "<testcase classname=\"pptrace\" name=\"%s", f->rule);
	if (nth > 1)
		buf_addf(out, " %zu", nth);
	buf_addc(out, '"');
	if (ci_place_first(in, f, &p)) {
		add_attribute(out, "file", p.file);
		buf_addf(out, " line=\"%d\"", p.line);
	}
	ci_place_done(&p);
	buf_adds(out, " time=\"0\">\n");
	if (fails) {
		buf_addf(out, "<failure type=\"%s\"", f->rule);
		add_attribute(out, "message", f->summary ? f->summary : f->rule);
		buf_addc(out, '>');
	} else {
		buf_adds(out, "<system-out>");
	}
	ci_text(&text, in, f);
	buf_add_html(out, text.data, text.len);
	buf_adds(out, fails ? "</failure>\n</testcase>\n" : "</system-out>\n</testcase>\n");
}

static bool is_asked(const struct ci_input *in, const char *rule)
{
	bool asked = !in->rules;

	for (size_t i = 0; in->rules && in->rules[i]; i++)
		asked = asked || !strcmp(in->rules[i], rule);
	return asked;
}

static bool has_finding(const struct ci_input *in, const char *rule)
{
	for (size_t i = 0; i < in->findings->n; i++)
		if (!strcmp(in->findings->list[i].rule, rule))
			return true;
	return false;
}

/* Adds a passed test case for each rule that found nothing. Returns how many. */
static size_t add_passed(struct buf *out, const struct ci_input *in)
{
	size_t n = 0;

	for (size_t i = 0; i < lessons_n; i++) {
		if (!is_asked(in, lessons[i].rule) || has_finding(in, lessons[i].rule))
			continue;
		buf_addf(out, "<testcase classname=\"pptrace\" name=\"%s\" time=\"0\"/>\n",
			lessons[i].rule);
		n++;
	}
	return n;
}

/* What was traced, and when. */
static void add_trace(struct buf *out, const struct ci_input *in)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	_cleanup_buf_ struct buf why = BUF_INIT;

	if (query_one(in->db,
		    "SELECT iif(json_valid(command), (SELECT group_concat(value, ' ')"
		    " FROM json_each(command)), command),"
		    " printf('%.6f', coalesce(duration_ns, 0) / 1e9), coalesce(host, ''),"
		    " strftime('%Y-%m-%dT%H:%M:%S', coalesce(started_unix_ns, 0) / 1000000000, 'unixepoch')"
		    " FROM trace",
		    0, &stmt, &why) != 1)
		return;
	add_attribute(out, "name", query_text(stmt, 0));
	add_attribute(out, "time", query_text(stmt, 1));
	add_attribute(out, "hostname", query_text(stmt, 2));
	add_attribute(out, "timestamp", query_text(stmt, 3));
}

void ci_junit(struct buf *out, const struct ci_input *in)
{
	_cleanup_buf_ struct buf cases = BUF_INIT;
	size_t n = in->findings->n, failures = 0;

	for (size_t i = 0; i < in->findings->n; i++) {
		failures += in->fails(in->arg, &in->findings->list[i]);
		add_finding(&cases, in, i);
	}
	n += add_passed(&cases, in);
	buf_addf(out,
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		"<testsuites name=\"pptrace\" tests=\"%zu\" failures=\"%zu\" errors=\"0\">\n"
		"<testsuite tests=\"%zu\" failures=\"%zu\" errors=\"0\" skipped=\"0\"",
		n, failures, n, failures);
	add_trace(out, in);
	buf_addf(out, ">\n%s</testsuite>\n</testsuites>\n", cases.data);
}
