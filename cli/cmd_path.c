/* cmd_path.c - pptrace path: what decided how long the run took. */
/* SPDX-License-Identifier: MIT */
#include <getopt.h>

#include "base/buf.h"
#include "base/command.h"
#include "base/mem.h"
#include "cli/common/options.h"
#include "cli/common/picture.h"
#include "cli/common/say.h"
#include "viewer/load/load.h"
#include "viewer/path/path.h"
#include "viewer/timeline/timeline.h"

enum { OPT_JSON = 256, OPT_WIDTH };
enum { WIDTH_DEFAULT = 1280, WIDTH_LEAST = 400, WIDTH_MOST = 20000, LANES = 150 };

static const struct command_option options[] = {
	{"all", 'a', NULL, "every step, not only the longest", 'a'},
	{"json", 'j', NULL, "a JSON object for programs", OPT_JSON},
	{"format", 'T', "FORMAT",
		"txt (default), or a timeline of the threads on the path: svg, png, pdf, dot", 'T'},
	{"output", 'o', "FILE",
		"write to FILE; the suffix selects the format; - is standard output", 'o'},
	{"width", 'w', "N", "width in columns (pictures: in points)", OPT_WIDTH},
	{NULL, 0, NULL, NULL, 0},
};

static int run(int argc, char **argv);

const struct command cmd_path = {
	.name = "path",
	.usage = "[OPTIONS] [TRACE.db]",
	.summary = "show the chain of running and waiting that decided how long the run took",
	.options = options,
	.examples = {{"pptrace path", "print where the time went, and the chain step by step"},
		{"pptrace path -o path.svg", "draw the threads that it goes through"}},
	.run = run,
};

static void draw(struct picture *pic, const struct path *p)
{
	size_t width = pic->width ? pic->width : WIDTH_DEFAULT;
	struct timeline_options opt = {.since = -TIME_LIMIT,
		.until = TIME_NEVER,
		.max_lanes = LANES,
		.path = p,
		.only_path = true};
	_cleanup_free_ char *why = NULL;
	struct timeline *tl;

	width = width < WIDTH_LEAST ? WIDTH_LEAST : width > WIDTH_MOST ? WIDTH_MOST : width;
	opt.columns = width;
	tl = timeline_new(pic->trace, pic->db, &opt, &why);
	if (!tl)
		die("cannot read the trace: %s", why);
	picture_render(pic, timeline_graph(tl, (double)width, false), "nop2");
	timeline_free(tl);
}

static void print(struct picture *pic, bool json, bool all)
{
	_cleanup_free_ char *why = NULL;
	_cleanup_buf_ struct buf out = BUF_INIT;
	struct path *p = path_new(pic->trace, pic->db, &why);

	if (!p)
		die("cannot read %s: %s", pic->path, why);
	if (json) {
		path_json(&out, p);
		picture_write(pic, out.data, out.len);
	} else if (picture_is_text(pic)) {
		path_text(&out, p, picture_width(pic), picture_color(pic), all);
		picture_write(pic, out.data, out.len);
	} else {
		draw(pic, p);
	}
	path_free(p);
}

static int run(int argc, char **argv)
{
	struct picture pic = {.name = "path"};
	bool json = false, all = false;

	for (int id; (id = options_next(&cmd_path, argc, argv)) != OPTIONS_END;) {
		if (id == OPT_JSON)
			json = true;
		else if (id == 'a')
			all = true;
		else if (id == OPTIONS_ERROR ||
			 !(id == OPT_WIDTH ? picture_set_width(&pic, optarg)
					   : picture_option(&pic, id, optarg)))
			return COMMAND_USAGE;
	}
	if (json || (!pic.format && !pic.output))
		pic.format = "txt";
	if (!picture_begin(&pic, argc - optind, argv + optind))
		return COMMAND_USAGE;
	print(&pic, json, all);
	picture_end(&pic);
	return 0;
}
