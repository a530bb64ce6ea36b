/* cmd_timeline.c - pptrace timeline: draw what each thread did over time. */
/* SPDX-License-Identifier: MIT */
#include <getopt.h>
#include <sqlite3.h>

#include "base/buf.h"
#include "base/command.h"
#include "base/mem.h"
#include "cli/common/options.h"
#include "cli/common/picture.h"
#include "cli/common/say.h"
#include "viewer/load/load.h"
#include "viewer/path/path.h"
#include "viewer/timeline/timeline.h"

/* Points, of the picture; columns, of the text. */
enum { WIDTH_DEFAULT = 1280, WIDTH_LEAST = 400, WIDTH_MOST = 20000 };
enum { TEXT_MOST = 100000, TEXT_LEAST = 20 /* beside the names */ };
enum { LANES_DEFAULT = 150 };
enum { OPT_SINCE = 256, OPT_UNTIL, OPT_PROCESS, OPT_WIDTH, OPT_ALL, OPT_PATH };

static const struct command_option options[] = {
	PICTURE_OPTIONS,
	{"since", 0, "TIME", "from this time after the start: 1.5 (seconds), 200ms, 30us",
		OPT_SINCE},
	{"until", 0, "TIME", "up to this time", OPT_UNTIL},
	{"process", 'p', "PID|NAME", "only processes with that ID or name", OPT_PROCESS},
	{"width", 'w', "N", "width in points (txt: in columns)", OPT_WIDTH},
	{"path", 0, NULL, "draw the critical path too (pptrace help path)", OPT_PATH},
	{"all", 'a', NULL, "a lane for every thread, however many there are", OPT_ALL},
	{NULL, 0, NULL, NULL, 0},
};

static int run(int argc, char **argv);

const struct command cmd_timeline = {
	.name = "timeline",
	.usage = "[OPTIONS] [TRACE.db]",
	.summary = "draw what each thread did, waited for and held over time",
	.options = options,
	.examples = {{"pptrace timeline -T txt", "draw it in the terminal"},
		{"pptrace timeline -o run.png", "write an image"}},
	.run = run,
};

static bool take_option(
	int id, struct picture *pic, struct timeline_options *opt, uint64_t *width, bool *path)
{
	switch (id) {
	case OPT_SINCE:
		return options_duration("--since", optarg, &opt->since);
	case OPT_UNTIL:
		return options_duration("--until", optarg, &opt->until);
	case OPT_PROCESS:
		opt->process = optarg;
		return true;
	case OPT_WIDTH:
		return options_number("--width", optarg, width);
	case OPT_PATH:
		*path = true;
		return true;
	case OPT_ALL:
		opt->max_lanes = 0;
		return true;
	default:
		return picture_option(pic, id, optarg);
	}
}

static struct timeline *load(const struct trace *t, sqlite3 *db, const struct timeline_options *opt)
{
	_cleanup_free_ char *why = NULL;
	_cleanup_buf_ struct buf lasts = BUF_INIT;
	struct timeline *tl;

	if (opt->since >= opt->until || opt->since > t->duration) {
		buf_add_duration(&lasts, t->duration);
		die("timeline: nothing happened between these times; the recording lasts %s",
			lasts.data);
	}
	tl = timeline_new(t, db, opt, &why);
	if (!tl)
		die("cannot read the trace: %s", why);
	if (opt->process && !tl->n_lanes)
		die("timeline: no process '%s' ran in that time", opt->process);
	return tl;
}

static void draw(struct picture *pic, struct timeline_options *opt, uint64_t width)
{
	struct timeline *tl;

	if (picture_is_text(pic)) {
		_cleanup_buf_ struct buf out = BUF_INIT;
		size_t columns;

		pic->width = width < TEXT_MOST ? width : TEXT_MOST;
		columns = picture_width(pic);
		opt->columns = columns > TIMELINE_TEXT_MARGIN + TEXT_LEAST
				       ? columns - TIMELINE_TEXT_MARGIN
				       : TEXT_LEAST;
		tl = load(pic->trace, pic->db, opt);
		timeline_text(&out, tl, columns, picture_color(pic));
		picture_write(pic, out.data, out.len);
	} else {
		if (!width)
			width = WIDTH_DEFAULT;
		width = width < WIDTH_LEAST ? WIDTH_LEAST : width > WIDTH_MOST ? WIDTH_MOST : width;
		opt->columns = width;
		tl = load(pic->trace, pic->db, opt);
		picture_render(pic, timeline_graph(tl, (double)width, false), "nop2");
	}
	timeline_free(tl);
}

static void draw_with(
	struct picture *pic, struct timeline_options *opt, uint64_t width, bool with_path)
{
	_cleanup_free_ char *why = NULL;
	struct path *path = with_path ? path_new(pic->trace, pic->db, &why) : NULL;

	if (with_path && !path)
		die("cannot read the trace: %s", why);
	opt->path = path;
	draw(pic, opt, width);
	path_free(path);
}

static int run(int argc, char **argv)
{
	struct picture pic = {.name = "timeline"};
	struct timeline_options opt = {
		.since = -TIME_LIMIT, .until = TIME_NEVER, .max_lanes = LANES_DEFAULT};
	uint64_t width = 0;
	bool path = false;

	for (int id; (id = options_next(&cmd_timeline, argc, argv)) != OPTIONS_END;)
		if (id == OPTIONS_ERROR || !take_option(id, &pic, &opt, &width, &path))
			return COMMAND_USAGE;
	if (!picture_begin(&pic, argc - optind, argv + optind))
		return COMMAND_USAGE;
	draw_with(&pic, &opt, width, path);
	picture_end(&pic);
	return 0;
}
