/* ticks.c - tests of the marks of a time axis. */
/* SPDX-License-Identifier: MIT */
#include "viewer/draw/ticks.h"

#include "base/buf.h"
#include "tests/unit/test.h"

static const int64_t ms = 1000000;

TEST(ticks_are_round_and_few)
{
	ASSERT_INT(ticks_step(0, 270 * ms, 10), 50 * ms);
	ASSERT_INT(ticks_step(0, 1000, 11), 200);
	ASSERT_INT(ticks_step(0, 1, 10), 1);
	for (int64_t d = 1; d < INT64_C(1) << 59; d = d * 3 + 1)
		for (unsigned max = 2; max < 20; max++)
			ASSERT(d / ticks_step(0, d, max) + 1 <= max);
}

TEST(ticks_begin_within_the_range)
{
	ASSERT_INT(ticks_first(0, 5), 0);
	ASSERT_INT(ticks_first(1, 5), 5);
	ASSERT_INT(ticks_first(10, 5), 10);
	ASSERT_INT(ticks_first(-7, 5), -5);
}

static void expect_label(int64_t ns, int64_t step, const char *want)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	ticks_label(&b, ns, step);
	ASSERT_STR(b.data, want);
}

TEST(ticks_labels)
{
	expect_label(0, 5, "0");
	expect_label(250 * ms, 50 * ms, "250 ms");
	expect_label(1500 * ms, 500 * ms, "1.5 s");
	expect_label(2000 * ms, 1000 * ms, "2 s");
	expect_label(150000 * ms, 10000 * ms, "2:30");
	expect_label(1500, 500, "1.5 \xc2\xb5s");
	expect_label(30, 10, "30 ns");
}
