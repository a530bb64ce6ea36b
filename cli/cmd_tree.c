/* cmd_tree.c - pptrace tree: draw processes and threads by creation. */
/* SPDX-License-Identifier: MIT */
#include <getopt.h>

#include "base/buf.h"
#include "base/command.h"
#include "cli/common/options.h"
#include "cli/common/picture.h"
#include "viewer/load/load.h"
#include "viewer/tree/tree.h"

enum { NODES_DEFAULT = 300, OPT_ALL = 256, OPT_WIDTH };

static const struct command_option options[] = {
	PICTURE_OPTIONS,
	{"all", 'a', NULL, "fold nothing, however large the picture gets", OPT_ALL},
	{"width", 'w', "COLUMNS", "width of the text format (default: the terminal's)", OPT_WIDTH},
	{NULL, 0, NULL, NULL, 0},
};

static int run(int argc, char **argv);

const struct command cmd_tree = {
	.name = "tree",
	.usage = "[OPTIONS] [TRACE.db]",
	.summary = "draw the tree of processes and threads",
	.options = options,
	.examples = {{"pptrace tree", "write pptrace-tree.svg"},
		{"pptrace tree -T txt", "draw it in the terminal"}},
	.run = run,
};

static void draw(const struct picture *pic, size_t max)
{
	struct tree *tree = tree_new(pic->trace, max);

	if (picture_is_text(pic)) {
		_cleanup_buf_ struct buf out = BUF_INIT;

		tree_text(&out, pic->trace, tree, picture_width(pic), picture_color(pic));
		picture_write(pic, out.data, out.len);
	} else {
		picture_render(pic, tree_graph(pic->trace, tree, false), "tree");
	}
	tree_free(tree);
}

static int run(int argc, char **argv)
{
	struct picture pic = {.name = "tree"};
	size_t max = NODES_DEFAULT;

	for (int id; (id = options_next(&cmd_tree, argc, argv)) != OPTIONS_END;) {
		if (id == OPTIONS_ERROR)
			return COMMAND_USAGE;
		if (id == OPT_ALL) {
			max = 0;
		} else if (id == OPT_WIDTH) {
			if (!picture_set_width(&pic, optarg))
				return COMMAND_USAGE;
		} else if (!picture_option(&pic, id, optarg)) {
			return COMMAND_USAGE;
		}
	}
	if (!picture_begin(&pic, argc - optind, argv + optind))
		return COMMAND_USAGE;
	draw(&pic, max);
	picture_end(&pic);
	return 0;
}
