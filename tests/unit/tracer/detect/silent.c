/* silent.c - when the recorded processes are looked at from outside. */
/* SPDX-License-Identifier: MIT */
#include "tracer/detect/silent.h"

#include "base/clock.h"
#include "tests/unit/test.h"

/* A program that schedules what it runs itself makes no record while it hangs, and one look may come too early. */
TEST(silent_looks_again_where_no_record_tells)
{
	const uint64_t second = 1000000000, minute = 60 * second, begun = clock_now();
	struct silent *s = silent_new(second, true);
	struct silent_times at = {.changed_at = begun, .watch_ns = second};
	struct silent_subject nobody = {.due = SILENT_ALL};

	at.now = begun + second;
	ASSERT(silent_due(s, &at) != SILENT_ALL);
	at.now = begun + minute;
	ASSERT_INT(silent_due(s, &at), SILENT_ALL);
	silent_begin(s, &nobody, at.now);
	at.now += 1;
	ASSERT_INT(silent_due(s, &at), SILENT_NOBODY);
	at.now += minute;
	ASSERT_INT(silent_due(s, &at), SILENT_RAW);
	nobody.due = SILENT_RAW;
	silent_begin(s, &nobody, at.now);
	at.now += 1;
	ASSERT_INT(silent_due(s, &at), SILENT_NOBODY);
	at.now += minute;
	ASSERT_INT(silent_due(s, &at), SILENT_RAW);
	/* Something has happened, and it is quiet again. */
	at.changed_at = at.now;
	at.now += minute;
	ASSERT_INT(silent_due(s, &at), SILENT_ALL);
	silent_free(s);
}
