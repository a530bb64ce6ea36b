/* sarif.c - findings as a SARIF 2.1.0 log (OASIS, "Static Analysis Results Interchange Format"). */
/* SPDX-License-Identifier: MIT */
#include "verdict/ci/private.h"

#include <ctype.h>
#include <string.h>

#include "base/buf.h"
#include "base/hash.h"
#include "verdict/json.h"
#include "verdict/lessons.h"

static void add_text(struct buf *out, const char *name, const char *text)
{
	buf_addf(out, "\"%s\":", name);
	buf_add_json(out, text, strlen(text));
}

/* "name":{"text":"..."}, as SARIF wants texts for people. */
static void add_message(struct buf *out, const char *name, const char *text)
{
	buf_addf(out, "\"%s\":{", name);
	add_text(out, "text", text);
	buf_addc(out, '}');
}

static const char *level(const char *severity)
{
	return !strcmp(severity, "info") ? "note" : severity;
}

/* A path as a URI reference (RFC 3986): an absolute one with its scheme. */
static void add_uri(struct buf *out, const char *file)
{
	_cleanup_buf_ struct buf uri = BUF_INIT;

	buf_adds(&uri, *file == '/' ? "file://" : "");
	for (const char *s = file; *s; s++) {
		if (isalnum((unsigned char)*s) || strchr("/._-~", *s))
			buf_addc(&uri, *s);
		else
			buf_addf(&uri, "%%%02X", (unsigned char)*s);
	}
	add_text(out, "uri", uri.data);
}

static void add_physical(struct buf *out, const struct ci_place *p)
{
	buf_adds(out, "\"physicalLocation\":{\"artifactLocation\":{");
	add_uri(out, p->file);
	buf_addf(out, "},\"region\":{\"startLine\":%d}}", p->line);
	if (p->function) {
		buf_adds(out, ",\"logicalLocations\":[{");
		add_text(out, "name", p->function);
		buf_adds(out, ",\"kind\":\"function\"}]");
	}
}

/* Where each member is, with what is said of it. */
static void add_related(struct buf *out, const struct ci_input *in, const struct finding *f)
{
	int n = 0;

	for (size_t i = 0; i < f->n_members; i++) {
		struct ci_place p;

		if (!ci_place_of(in, &f->members[i], &p))
			continue;
		buf_addf(out, "%s{\"id\":%d,", n ? "," : ",\"relatedLocations\":[", n);
		add_physical(out, &p);
		if (f->members[i].text && *f->members[i].text) {
			buf_addc(out, ',');
			add_message(out, "message", f->members[i].text);
		}
		buf_addc(out, '}');
		ci_place_done(&p);
		n++;
	}
	buf_adds(out, n ? "]" : "");
}

static size_t rule_index(const char *rule)
{
	size_t i = 0;

	while (i < lessons_n && strcmp(lessons[i].rule, rule) != 0)
		i++;
	return i;
}

/* Runs that find the same at the same place are told apart from others by it; numbers of processes are not in it. */
static uint64_t fingerprint(const struct finding *f, const struct ci_place *p)
{
	uint64_t h = hash_bytes(f->rule, strlen(f->rule));

	if (p->file)
		h = hash_mix(h, hash_bytes(p->file, strlen(p->file)), 0);
	if (p->function)
		h = hash_mix(h, hash_bytes(p->function, strlen(p->function)), 1);
	return h;
}

static void add_result(struct buf *out, const struct ci_input *in, const struct finding *f)
{
	_cleanup_buf_ struct buf text = BUF_INIT;
	struct ci_place p;
	bool has_place = ci_place_first(in, f, &p);

	ci_text(&text, in, f);
	buf_addc(out, '{');
	add_text(out, "ruleId", f->rule);
	buf_addf(out, ",\"ruleIndex\":%zu,\"level\":\"%s\",", rule_index(f->rule),
		level(f->severity));
	add_message(out, "message", text.data);
	buf_adds(out, ",\"locations\":[");
	if (has_place) {
		buf_addc(out, '{');
		add_physical(out, &p);
		buf_addc(out, '}');
	}
	buf_addc(out, ']');
	add_related(out, in, f);
	buf_addf(out,
		",\"partialFingerprints\":{\"pptrace/v1\":\"%016llx\"},\"properties\":{\"certainty\":\"%s\"",
		(unsigned long long)fingerprint(f, &p), f->certain ? "certain" : "conditional");
	buf_addf(out, ",\"ts_ns\":%lld}}", (long long)f->ts_ns);
	ci_place_done(&p);
}

static void add_rules(struct buf *out)
{
	for (size_t i = 0; i < lessons_n; i++) {
		const struct lesson *l = &lessons[i];

		buf_adds(out, i ? ",\n{" : "\n{");
		add_text(out, "id", l->rule);
		buf_addc(out, ',');
		add_message(out, "shortDescription", l->meaning);
		buf_addc(out, ',');
		add_message(out, "help", l->text);
		buf_addf(out, ",\"defaultConfiguration\":{\"level\":\"%s\"}}", level(l->severity));
	}
}

void ci_sarif(struct buf *out, const struct ci_input *in)
{
	_cleanup_buf_ struct buf why = BUF_INIT;

	buf_adds(out,
		"{\"$schema\":\"https://json.schemastore.org/sarif-2.1.0.json\","
		"\"version\":\"2.1.0\",\"runs\":[{\"tool\":{\"driver\":{\"name\":\"pptrace\",");
	add_text(out, "version", in->version);
	buf_adds(out, ",\"rules\":[");
	add_rules(out);
	buf_adds(out, "\n]}},\"columnKind\":\"unicodeCodePoints\",\"properties\":{\"trace\":");
	verdict_json_trace(out, in->db, &why);
	buf_adds(out, "},\"results\":[");
	for (size_t i = 0; i < in->findings->n; i++) {
		buf_adds(out, i ? ",\n" : "\n");
		add_result(out, in, &in->findings->list[i]);
	}
	buf_adds(out, "\n]}]}\n");
}
