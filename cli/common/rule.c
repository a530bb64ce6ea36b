/* rule.c - names of rules on the command line. */
/* SPDX-License-Identifier: MIT */
#include "cli/common/rule.h"

#include "base/nearest.h"
#include "cli/common/options.h"
#include "verdict/lessons.h"

void rule_unknown(const char *name)
{
	_cleanup_nearest_ struct nearest n = {.typed = name};

	for (size_t i = 0; i < lessons_n; i++)
		nearest_try(&n, lessons[i].rule);
	options_unknown("no rule is called", name, n.best, "'pptrace explain' lists them");
}
