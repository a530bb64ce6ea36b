/* urgency.c - tests of tracer/urgency.h. */
/* SPDX-License-Identifier: MIT */
#include "tests/unit/test.h"
#include "tracer/urgency.h"

#include <sys/resource.h>

static int nice_value(void)
{
	return getpriority(PRIO_PROCESS, 0);
}

TEST(urgency_gives_way_to_what_can_wait)
{
	struct urgency u = {0};
	int own = nice_value();
	uint64_t now = 1000000000;

	urgency_choose(&u, 0, 0, now);
	if (!u.able) {
		ASSERT_INT(nice_value(), own);
		urgency_choose(&u, 0, 100000, now);
		ASSERT_INT(nice_value(), own);
		return;
	}
	ASSERT(nice_value() <= -10);
	/* Locks alone: the target first. */
	urgency_choose(&u, 0, 100000, now);
	ASSERT_INT(nice_value(), own + 5 > 19 ? 19 : own + 5);
	/* The ring of the kernel's side fills: at once, and for a while. */
	urgency_choose(&u, 5, 100000, now);
	ASSERT(nice_value() <= -10);
	urgency_choose(&u, 0, 100000, now + 1000000);
	ASSERT(nice_value() <= -10);
	urgency_choose(&u, 0, 100000, now + 300000000);
	ASSERT(nice_value() > own);
	/* A few are neither many nor few. */
	urgency_choose(&u, 0, 5000, now + 300000000);
	ASSERT(nice_value() > own);
	urgency_choose(&u, 0, 0, now + 300000000);
	ASSERT(nice_value() <= -10);
	urgency_end(&u);
	ASSERT_INT(nice_value(), own);
}
