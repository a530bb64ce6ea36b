/* cmd_explain.c - pptrace explain: the lesson that belongs to a rule. */
/* SPDX-License-Identifier: MIT */
#include <getopt.h>

#include "base/command.h"
#include "base/mem.h"
#include "cli/common/options.h"
#include "cli/common/rule.h"
#include "cli/common/say.h"
#include "verdict/lessons.h"

static const struct command_option options[] = {{NULL, 0, NULL, NULL, 0}};

static int run(int argc, char **argv);

const struct command cmd_explain = {
	.name = "explain",
	.usage = "[RULE]",
	.summary = "explain a rule, with an example, a fix and a demo",
	.options = options,
	.examples = {{"pptrace explain", "list the rules"},
		{"pptrace explain lock-order", "explain one of them"}},
	.run = run,
};

static void list_rules(void)
{
	for (size_t i = 0; i < lessons_n; i++)
		(void)printf("%-8s %-24s %s\n", lessons[i].severity, lessons[i].rule,
			lessons[i].meaning);
	(void)printf("\n'pptrace explain RULE' says more.\n");
}

static int run(int argc, char **argv)
{
	for (int id; (id = options_next(&cmd_explain, argc, argv)) != OPTIONS_END;)
		return COMMAND_USAGE;
	if (argc - optind > 1) {
		warn("explain: only one rule can be given; unexpected '%s'", argv[optind + 1]);
		return COMMAND_USAGE;
	}
	if (argc == optind) {
		list_rules();
		return 0;
	}
	for (size_t i = 0; i < lessons_n; i++) {
		const struct lesson *l = &lessons[i];

		if (strcmp(l->rule, argv[optind]) != 0)
			continue;
		(void)printf("%s (%s): %s\n\n%s", l->rule, l->severity, l->meaning, l->text);
		if (*l->demo)
			(void)printf("\nSee it happen: pptrace demo %s; pptrace demo %s --fixed\n",
				l->demo, l->demo);
		return 0;
	}
	rule_unknown(argv[optind]);
	return COMMAND_USAGE;
}
