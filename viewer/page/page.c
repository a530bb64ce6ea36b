/* page.c - one HTML page that shows all of a trace. */
/* SPDX-License-Identifier: MIT */
#include "viewer/page/page.h"

#include <ctype.h>
#include <errno.h>
#include <sqlite3.h>

#include "base/buf.h"
#include "base/embed.h"
#include "base/mem.h"
#include "viewer/draw/canvas.h"
#include "viewer/draw/graph.h"
#include "viewer/load/load.h"
#include "viewer/page/explore.h"
#include "viewer/page/tables.h"
#include "viewer/relations/relations.h"
#include "viewer/load/resource.h"
#include "viewer/load/uses.h"
#include "viewer/page/sha256.h"
#include "viewer/draw/sketch.h"
#include "viewer/draw/svg.h"
#include "viewer/timeline/timeline.h"
#include "viewer/tree/tree.h"

EMBED("page_css", EMBED_FILE("viewer/page/page.css"));
EMBED("page_dark_css", EMBED_FILE("viewer/page/dark.css"));
EMBED("page_js",
	EMBED_FILE("viewer/page/page.js") EMBED_FILE("viewer/page/explore/data.js") EMBED_FILE(
		"viewer/page/explore/words.js") EMBED_FILE("viewer/page/explore/view.js")
		EMBED_FILE("viewer/page/explore/draw.js") EMBED_FILE("viewer/page/explore/graph.js")
			EMBED_FILE("viewer/page/explore/moment.js")
				EMBED_FILE("viewer/page/explore/explore.js"));
extern const char page_css[], page_dark_css[], page_js[];

enum { TREE_NODES = 300, LANES = 150, WIDTH = 1020, FINDINGS_SHOWN = 200 };

struct page {
	const struct trace *t;
	sqlite3 *db;
	struct buf *out, *why;
	struct page_shown shown;
	struct pipe_uses uses;
};

/* Waits keep the tint of their reason in the dark. */
static void add_dark_rules(struct buf *css)
{
	buf_adds(css, page_dark_css);
	for (unsigned r = 0; r < WAIT_REASON_END; r++) {
		const struct wait_info *info = wait_info(r);
		char fill[8], line[8];

		canvas_mix(fill, info->colour, "#12161d", 0.38);
		canvas_mix(line, info->colour, "#ffffff", 0.75);
		buf_addf(css, "\t& .wait.r-%s polygon { fill: %s; stroke: %s; }\n", info->name,
			fill, line);
		canvas_mix(fill, info->colour, "#2d5c80", 0.4);
		buf_addf(css, "\t& .waits.r-%s polygon { fill: %s; }\n", info->name, fill);
	}
	buf_adds(css, "\t& .wait.deadlock polygon { fill: #4a1517; stroke: #ff6b5e; }\n"
		      "\t& .alive polygon { fill: #2a4a63; }\n"
		      "\t& .band polygon { fill: #171d26; stroke: #2a323e; }\n");
}

static void add_head(struct page *p)
{
	_cleanup_buf_ struct buf css = BUF_INIT;

	buf_adds(&css, page_css);
	buf_adds(&css, "@media screen and (prefers-color-scheme: dark) {\n"
		       ":root:not([data-theme=\"light\"]) {\n");
	add_dark_rules(&css);
	buf_adds(&css, "}\n}\n@media screen {\n:root[data-theme=\"dark\"] {\n");
	add_dark_rules(&css);
	buf_adds(&css, "}\n}\n");
	buf_adds(p->out,
		"<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
		"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
		"base-uri 'none'; form-action 'none'; style-src '");
	sha256_add(p->out, css.data, css.len);
	buf_adds(p->out, "'; script-src '");
	sha256_add(p->out, page_js, strlen(page_js));
	buf_adds(p->out,
		"'\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
		"<meta name=\"color-scheme\" content=\"light dark\">\n<title>");
	page_text(p->out, p->t->title);
	buf_addf(p->out, " - pptrace</title>\n<style>%s</style>\n</head>\n<body>\n", css.data);
}

static void add_nav(struct page *p, const struct buf *links)
{
	buf_adds(p->out, "<nav aria-label=\"sections\"><div><a href=\"#top\">Top</a>");
	buf_add(p->out, links->data, links->len);
	buf_adds(p->out,
		"<span class=\"tools\"><label for=\"search\" class=\"sub\">Search</label>"
		"<input type=\"search\" id=\"search\" placeholder=\"name, pid, lock\" "
		"title=\"/ focuses this field, Enter jumps to the next match, Escape clears\">"
		"<span id=\"found\" class=\"sub\" aria-live=\"polite\"></span>"
		"<button type=\"button\" id=\"theme\">Light / dark</button></span></div></nav>\n");
}

static size_t count_severity(const struct trace *t, const char *severity)
{
	size_t n = 0;

	for (size_t i = 0; i < t->n_findings; i++)
		n += !strcmp(t->findings[i].severity, severity);
	return n;
}

/* Adds the one-sentence verdict. */
static void add_verdict(struct page *p)
{
	const struct trace *t = p->t;
	size_t errors = count_severity(t, "error"), warnings = count_severity(t, "warning");
	const char *class = errors ? " error" : warnings ? " warning" : "";
	const char *worst = errors ? "error" : "warning";

	buf_addf(p->out, "<div class=\"verdict%s\" id=\"verdict\"><strong>", class);
	if (!errors && !warnings)
		buf_adds(p->out, "\xe2\x9c\x93 Nothing wrong was found.");
	else
		buf_addf(p->out, "%s ", errors ? "\xe2\x9c\x96" : "\xe2\x9a\xa0");
	for (size_t i = 0; i < t->n_findings && (errors || warnings); i++)
		if (!strcmp(t->findings[i].severity, worst)) {
			page_text(p->out, t->findings[i].summary);
			break;
		}
	buf_adds(p->out, "</strong><p class=\"sub\">");
	if (errors || warnings)
		buf_addf(p->out, "%zu error%s, %zu warning%s. ", errors, errors == 1 ? "" : "s",
			warnings, warnings == 1 ? "" : "s");
	if (!t->complete)
		buf_adds(p->out,
			"The recording is incomplete: it was interrupted or is still in progress. ");
	if (t->lost > 0)
		buf_addf(p->out,
			"%lld events were lost; what the pictures show may have gaps there. ",
			(long long)t->lost);
	for (size_t i = 0; i < t->n_blind_spots; i++) {
		size_t len = strlen(t->blind_spots[i]);

		page_text(p->out, t->blind_spots[i]);
		buf_adds(p->out, len && t->blind_spots[i][len - 1] == '.' ? " " : ". ");
	}
	buf_adds(p->out, "</p></div>\n");
}

static void add_header(struct page *p, const struct buf *links)
{
	_cleanup_buf_ struct buf sub = BUF_INIT;

	buf_adds(p->out, "<a class=\"skip\" href=\"#main\">Skip to the verdict</a>\n"
			 "<header id=\"top\"><div><h1>");
	page_text(p->out, p->t->title);
	buf_adds(p->out, "</h1><p class=\"sub\">");
	trace_add_subtitle(&sub, p->t);
	page_text(p->out, sub.data);
	if (*p->t->cwd) {
		buf_adds(p->out, " \xc2\xb7 in ");
		page_text(p->out, p->t->cwd);
	}
	buf_adds(p->out, "</p></div></header>\n");
	add_nav(p, links);
	buf_adds(p->out, "<main id=\"main\">\n");
	add_verdict(p);
}

static void add_member(struct page *p, const struct finding_member_row *m)
{
	size_t th = trace_thread(p->t, m->thread_id), proc = trace_proc(p->t, m->process_id);

	buf_adds(p->out, "<li>");
	if (th != NONE && !p->t->threads[th].is_main)
		buf_addf(p->out, "<a href=\"#row-t%lld\">", (long long)p->t->threads[th].id);
	else if (th != NONE || proc != NONE)
		buf_addf(p->out, "<a href=\"#row-p%lld\">",
			(long long)p->t->procs[th != NONE ? p->t->threads[th].proc : proc].id);
	page_text(p->out, *m->text ? m->text : th != NONE ? p->t->threads[th].name : "?");
	buf_adds(p->out, th != NONE || proc != NONE ? "</a></li>" : "</li>");
}

enum { MEMBERS_MAX = 50 };

static void add_members(struct page *p, const struct finding_row *f)
{
	if (!f->n_members)
		return;
	buf_adds(p->out, "<ol>");
	for (size_t i = 0; i < f->n_members && i < MEMBERS_MAX; i++)
		add_member(p, &f->members[i]);
	buf_adds(p->out, "</ol>");
	if (f->n_members > MEMBERS_MAX)
		buf_addf(p->out, "<p class=\"note\">and %zu more</p>", f->n_members - MEMBERS_MAX);
}

/* The severity is one of three words, whatever the file says. */
static const char *known_severity(const char *s)
{
	return !strcmp(s, "error") ? "error" : !strcmp(s, "warning") ? "warning" : "info";
}

/* When it began, as a link into the timeline, to its first thread. */
static void add_moment(struct page *p, const struct finding_row *f, size_t number)
{
	size_t th = f->n_members ? trace_thread(p->t, f->members[0].thread_id) : NONE;

	buf_addf(p->out, "<a href=\"#t=%.9fs", (double)f->ts / 1e9);
	if (th != NONE)
		buf_addf(p->out, "&amp;thread=%lld",
			(long long)(p->t->threads[th].is_main
					    ? p->t->procs[p->t->threads[th].proc].pid
					    : p->t->threads[th].tid));
	buf_addf(p->out, "&amp;finding=%zu\">", number);
	page_time(p->out, f->ts);
	buf_adds(p->out, "</a>");
}

static void add_findings(struct page *p)
{
	if (!p->t->n_findings)
		return;
	buf_adds(p->out, "<section id=\"sec-findings\"><h2>Findings</h2>\n");
	for (size_t i = 0; i < p->t->n_findings && i < FINDINGS_SHOWN; i++) {
		const struct finding_row *f = &p->t->findings[i];
		const char *severity = known_severity(f->severity);

		buf_addf(p->out, "<article class=\"finding %s\"><h3><span class=\"badge\">%s",
			severity, severity);
		buf_adds(p->out, f->certain ? "</span>" : ", conditional</span>");
		page_text(p->out, f->summary);
		buf_adds(p->out, "</h3><p class=\"sub\">rule <code>");
		page_text(p->out, f->rule);
		buf_adds(p->out, "</code>, at ");
		add_moment(p, f, i + 1);
		buf_adds(p->out, "</p>");
		add_members(p, f);
		if (*f->explanation) {
			/* Redundant when the members are listed. */
			buf_addf(p->out, "<details%s><summary>In full</summary><pre>",
				f->n_members ? "" : " open");
			page_text(p->out, f->explanation);
			buf_adds(p->out, "</pre></details>");
		}
		if (*f->remedy) {
			buf_adds(p->out, "<p class=\"remedy\">");
			page_text(p->out, f->remedy);
			buf_adds(p->out, "</p>");
		}
		buf_adds(p->out, "</article>\n");
	}
	if (p->t->n_findings > FINDINGS_SHOWN)
		buf_addf(p->out,
			"<p class=\"note\">and %zu more: <code>pptrace diagnose</code> lists all</p>\n",
			p->t->n_findings - FINDINGS_SHOWN);
	buf_adds(p->out, "</section>\n");
}

/* Renders and adds one picture, frees the graph. */
static int add_picture(
	struct page *p, const char *title, const char *caption, struct graph *g, const char *engine)
{
	_cleanup_buf_ struct buf svg = BUF_INIT;
	int rc = graph_render(g, engine, "svg", &svg, p->why);

	graph_free(g);
	if (rc)
		return rc;
	buf_addf(p->out,
		"<figure><div class=\"zoom\">"
		"<button type=\"button\" data-act=\"in\" aria-label=\"larger\">+</button>"
		"<button type=\"button\" data-act=\"out\" aria-label=\"smaller\">\xe2\x88\x92</button>"
		"<button type=\"button\" data-act=\"fit\">Fit</button>"
		"<button type=\"button\" data-act=\"one\">100 %%</button></div>\n"
		"<div class=\"view\" tabindex=\"0\" role=\"group\" aria-label=\"%s\">\n",
		title);
	svg_tidy(p->out, svg.data, svg.len, true);
	buf_addf(p->out, "</div><figcaption>%s</figcaption></figure>\n", caption);
	return 0;
}

static int add_figure(struct page *p, const char *id, const char *title, const char *caption,
	struct graph *g, const char *engine)
{
	int rc;

	buf_addf(p->out, "<section id=\"sec-%s\"><h2>%s</h2>", id, title);
	rc = add_picture(p, title, caption, g, engine);
	buf_adds(p->out, "</section>\n");
	return rc;
}

static int fail(struct page *p, char *why)
{
	buf_addf(p->why, "cannot read the trace: %s", why);
	free(why);
	return -EIO;
}

/* What scripts fill: hidden without them. */
static int add_explorer(struct page *p)
{
	_cleanup_buf_ struct buf sentence = BUF_INIT;
	char *why;

	buf_adds(p->out,
		"<div id=\"explore\" hidden><div class=\"zoom\">"
		"<button type=\"button\" data-act=\"in\" aria-label=\"zoom in\">+</button>"
		"<button type=\"button\" data-act=\"out\" aria-label=\"zoom out\">\xe2\x88\x92</button>"
		"<button type=\"button\" data-act=\"fit\">Fit</button>"
		"<button type=\"button\" data-act=\"range\">Zoom to range</button>"
		"<button type=\"button\" data-act=\"clear\">Clear</button>"
		"<button type=\"button\" data-act=\"path\" aria-pressed=\"true\" title=\"the chain of running and waiting that decided how long the run took (C)\">Critical path</button>"
		"<input type=\"search\" data-ex=\"filter\" placeholder=\"process, thread, lock, pipe, reason\" "
		"aria-label=\"filter lanes\">"
		"<select data-ex=\"order\" aria-label=\"order of lanes\"><option value=\"creation\">by creation</option>"
		"<option value=\"waiting\">by waiting</option><option value=\"name\">by name</option></select>"
		"<span data-ex=\"status\" class=\"sub\" aria-live=\"polite\"></span></div>\n"
		"<div data-ex=\"frame\" class=\"frame\" tabindex=\"0\" role=\"group\" aria-label=\"interactive timeline\">"
		"<canvas data-ex=\"canvas\"></canvas><div data-ex=\"spacer\"></div></div>\n"
		"<div data-ex=\"legend\" class=\"key\"></div>\n"
		"<p class=\"note\">Drag to pan, Ctrl+wheel to zoom, double-click to fit; W A S D, arrows, F; C: critical path. "
		"Click to see who waits for whom at that time; Shift+drag (or drag on the axis) summarises a range; / filters lanes.</p>\n"
		"<div class=\"panels\"><div data-ex=\"chosen\"></div><div data-ex=\"moment\"></div>"
		"<div data-ex=\"range\"></div></div>\n");
	why = explore_add(p->out, p->t, p->db, &sentence);
	buf_adds(p->out, "</div>\n");
	if (sentence.len) {
		buf_adds(p->out, "<p class=\"sub\" id=\"path\">");
		sentence.data[0] = (char)toupper((unsigned char)sentence.data[0]);
		page_text(p->out, sentence.data);
		buf_adds(p->out, "</p>\n");
	}
	return why ? fail(p, why) : 0;
}

static int add_timeline(struct page *p)
{
	struct timeline_options opt = {
		.since = -TIME_LIMIT, .until = TIME_NEVER, .columns = WIDTH, .max_lanes = LANES};
	char *why = NULL;
	struct timeline *tl = timeline_new(p->t, p->db, &opt, &why);
	int rc;

	if (!tl)
		return fail(p, why);
	buf_adds(p->out, "<section id=\"sec-timeline\"><h2>Timeline</h2>\n");
	rc = add_explorer(p);
	if (!rc) {
		buf_adds(p->out,
			"<details id=\"timeline-still\" open><summary>Static picture</summary>\n");
		rc = add_picture(p, "Timeline",
			"A lane for each thread: solid where it runs, hollow where it waits, thin bars below for locks that it holds.",
			timeline_graph(tl, WIDTH, true), "nop2");
		buf_adds(p->out, "</details></section>\n");
	}
	timeline_free(tl);
	return rc;
}

static int add_tree(struct page *p)
{
	struct tree *tree = tree_new(p->t, TREE_NODES);
	int rc = add_figure(p, "tree", "Tree", "Processes and threads by who created them.",
		tree_graph(p->t, tree, true), "tree");

	for (size_t i = 0; i < tree->n; i++)
		if (tree->nodes[i].kind == TREE_PROC)
			p->shown.procs[tree->nodes[i].row] = true;
		else if (tree->nodes[i].kind == TREE_THREAD)
			p->shown.threads[tree->nodes[i].row] = true;
	tree_free(tree);
	return rc;
}

/* A sketch without boxes has nothing to show. */
static int add_sketch(struct page *p, const struct relations_picture *picture)
{
	const struct relations_input in = {p->t, p->db, TIME_NEVER, &p->uses};
	char *why = NULL;
	struct sketch *sk = picture->layout(&in, &why);
	int rc = 0;

	if (!sk)
		return fail(p, why);
	if (sk->n_nodes)
		rc = add_figure(p, picture->name, picture->title, picture->caption,
			sketch_graph(sk, true), "ring");
	sketch_free(sk);
	return rc;
}

static int add_pictures(struct page *p)
{
	const struct relations_picture *picture;
	size_t pos = 0;
	int rc = add_sketch(p, relations_next(&pos));

	if (!rc)
		rc = add_timeline(p);
	if (!rc)
		rc = add_tree(p);
	while (!rc && (picture = relations_next(&pos)))
		rc = add_sketch(p, picture);
	return rc;
}

static int add_tables(struct page *p)
{
	char *why;

	page_processes(p->out, p->t, &p->shown);
	page_threads(p->out, p->t, &p->shown);
	why = page_locks(p->out, p->t, p->db);
	if (!why)
		why = page_pipes(p->out, &p->uses, p->db);
	if (!why)
		why = page_signals(p->out, p->t, p->db);
	return why ? fail(p, why) : 0;
}

/* A link to a section, if that is there. */
static void add_link(struct buf *links, const char *body, const char *id, const char *title)
{
	_cleanup_free_ char *mark = xasprintf("<section id=\"sec-%s\">", id);

	if (strstr(body, mark))
		buf_addf(links, "<a href=\"#sec-%s\">%s</a>", id, title);
}

static void make_links(struct buf *links, const char *body)
{
	static const char *const tables[][2] = {{"processes", "Processes"}, {"threads", "Threads"},
		{"locktable", "Lock table"}, {"pipetable", "Pipe table"}, {"signals", "Signals"}};
	size_t pos = 0;
	const struct relations_picture *picture = relations_next(&pos);

	add_link(links, body, "findings", "Findings");
	add_link(links, body, picture->name, picture->title);
	add_link(links, body, "timeline", "Timeline");
	add_link(links, body, "tree", "Tree");
	while ((picture = relations_next(&pos)))
		add_link(links, body, picture->name, picture->title);
	for (size_t i = 0; i < ARRAY_SIZE(tables); i++)
		add_link(links, body, tables[i][0], tables[i][1]);
}

int page_make(const struct trace *t, sqlite3 *db, struct buf *out, struct buf *why)
{
	_cleanup_buf_ struct buf body = BUF_INIT, links = BUF_INIT;
	struct page p = {.t = t, .db = db, .out = &body, .why = why};
	_cleanup_free_ bool *procs = xcalloc(t->n_procs + 1, sizeof *procs);
	_cleanup_free_ bool *threads = xcalloc(t->n_threads + 1, sizeof *threads);
	char *failed = pipe_uses_load(&p.uses, t, db);
	int rc;

	p.shown = (struct page_shown){procs, threads};
	add_findings(&p);
	rc = failed ? fail(&p, failed) : add_pictures(&p);
	if (!rc)
		rc = add_tables(&p);
	pipe_uses_done(&p.uses);
	if (rc)
		return rc;
	make_links(&links, body.data);
	p.out = out;
	add_head(&p);
	add_header(&p, &links);
	buf_add(out, body.data, body.len);
	buf_adds(out, "<footer>Recorded by pptrace ");
	page_text(out, t->version);
	buf_adds(out, *t->backend ? " (" : "");
	page_text(out, t->backend);
	buf_adds(out, *t->backend ? ")" : "");
	buf_adds(out, *t->kernel ? " on Linux " : "");
	page_text(out, t->kernel);
	buf_adds(out, ". The command: <code>");
	page_text(out, t->command);
	buf_addf(out,
		"</code></footer>\n</main>\n<div id=\"tip\" role=\"tooltip\"></div>\n<script>%s</script>\n</body>\n</html>\n",
		page_js);
	return 0;
}
