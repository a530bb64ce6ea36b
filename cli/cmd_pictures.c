/* cmd_pictures.c - pptrace waits, locks, pipes: draw one sketch of a recording; viewer/relations/pictures.def. */
/* SPDX-License-Identifier: MIT */
#include <getopt.h>

#include "base/command.h"
#include "base/mem.h"
#include "cli/commands.h"
#include "cli/common/filter.h"
#include "cli/common/options.h"
#include "cli/common/picture.h"
#include "viewer/load/load.h"
#include "viewer/relations/relations.h"

enum { OPT_AT = 256, OPT_WIDTH };

#define WIDTH                                                                                      \
	{                                                                                          \
		"width", 'w', "COLUMNS", "width of the text format (default: the terminal's)",     \
			OPT_WIDTH                                                                  \
	}

static const struct command_option options_WHOLE[] = {
	PICTURE_OPTIONS,
	WIDTH,
	{NULL, 0, NULL, NULL, 0},
};

static const struct command_option options_MOMENT[] = {
	PICTURE_OPTIONS,
	{"at", 0, "TIME",
		"show this moment, such as 1.5 or 200ms (default: the deadlock; else just before the run was interrupted; else when most threads were waiting)",
		OPT_AT},
	WIDTH,
	{NULL, 0, NULL, NULL, 0},
};

static int draw(const struct command *c, relations_layout *layout, int argc, char **argv)
{
	struct relations_input in = {.at_ns = TIME_NEVER};
	struct picture pic = {.name = c->name};
	_cleanup_free_ char *why = NULL;
	struct sketch *sk;

	for (int id; (id = options_next(c, argc, argv)) != OPTIONS_END;) {
		if (id == OPTIONS_ERROR)
			return COMMAND_USAGE;
		if (id == OPT_WIDTH    ? !picture_set_width(&pic, optarg)
			: id == OPT_AT ? !options_duration("--at", optarg, &in.at_ns)
				       : !picture_option(&pic, id, optarg))
			return COMMAND_USAGE;
	}
	if (!picture_begin(&pic, argc - optind, argv + optind))
		return COMMAND_USAGE;
	if (in.at_ns != TIME_NEVER)
		filter_check_time(pic.db, c->name, "--at", in.at_ns);
	in.trace = pic.trace;
	in.db = pic.db;
	sk = layout(&in, &why);
	picture_sketch(&pic, sk, why);
	picture_end(&pic);
	return 0;
}

#define PICTURE(_name, _when, _summary, ...)                                                       \
	static int run_##_name(int argc, char **argv)                                              \
	{                                                                                          \
		return draw(&cmd_##_name, _name##_sketch, argc, argv);                             \
	}                                                                                          \
	const struct command cmd_##_name = {                                                       \
		.name = #_name,                                                                    \
		.usage = "[OPTIONS] [TRACE.db]",                                                   \
		.summary = _summary,                                                               \
		.options = options_##_when,                                                        \
		.examples = {{"pptrace " #_name " -T txt", "draw it in the terminal"},             \
			{"pptrace " #_name " -o " #_name ".svg run.db",                            \
				"draw another recording"}},                                        \
		.run = run_##_name,                                                                \
	};
#include "viewer/relations/pictures.def"
#undef PICTURE
