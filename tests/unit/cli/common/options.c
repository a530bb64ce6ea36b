/* options.c - numbers, times and words of the command line. */
/* SPDX-License-Identifier: MIT */
#include "cli/common/options.h"

#include <unistd.h>

#include "base/mem.h"
#include "tests/unit/test.h"

/* Refusals say why on stderr; the tests' output stays clean. */
static void be_quiet(void)
{
	ASSERT(freopen("/dev/null", "w", stderr));
}

static int64_t duration(const char *text)
{
	int64_t ns = -1;

	return options_duration("--x", text, &ns) ? ns : -1;
}

TEST(durations_in_every_unit)
{
	ASSERT_INT(duration("1.5"), 1500000000);
	ASSERT_INT(duration("0"), 0);
	ASSERT_INT(duration(".25s"), 250000000);
	ASSERT_INT(duration("300ms"), 300000000);
	ASSERT_INT(duration("20us"), 20000);
	ASSERT_INT(duration("20\xc2\xb5s"), 20000);
	ASSERT_INT(duration("7ns"), 7);
	ASSERT_INT(duration("2m"), 120000000000);
	ASSERT_INT(duration("1h"), 3600000000000);
}

TEST(what_is_no_duration_is_refused)
{
	static const char *const bad[] = {"", "s", "-1", "1 s", "1x", "1.5.2", "nan", "inf",
		"1e400", "1e18", "0x", "ms", "5ms5", " "};

	be_quiet();
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (duration(bad[i]) != -1)
			test_fail(__FILE__, __LINE__, "'%s' was taken for a time", bad[i]);
}

static int64_t size(const char *text)
{
	int64_t n = -1;

	return options_size("--x", text, &n) ? n : -1;
}

TEST(sizes_in_every_unit)
{
	ASSERT_INT(size("0"), 0);
	ASSERT_INT(size("65536"), 65536);
	ASSERT_INT(size("64K"), 65536);
	ASSERT_INT(size("1.5m"), 3 << 19);
	ASSERT_INT(size("2GB"), 2ll << 30);
	ASSERT_INT(size("1T"), 1ll << 40);
}

TEST(what_is_no_size_is_refused)
{
	static const char *const bad[] = {"", "M", "-1", "1 M", "1X", "1MM", "nan", "inf", "1e400",
		"9999999999T", "1Bm", "0x", "1MB5"};

	be_quiet();
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (size(bad[i]) != -1)
			test_fail(__FILE__, __LINE__, "'%s' was taken for a size", bad[i]);
}

TEST(whole_numbers_only)
{
	static const char *const bad[] = {
		"", "-1", "+1", "1.0", "1x", " 1", "99999999999999999999"};
	uint64_t n = 7;

	be_quiet();
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (options_number("--x", bad[i], &n))
			test_fail(__FILE__, __LINE__, "'%s' was taken for a number", bad[i]);
	ASSERT_INT(n, 7);
	ASSERT(options_number("--x", "0", &n));
	ASSERT_INT(n, 0);
	ASSERT(options_number("--x", "18446744073709551615", &n));
	ASSERT(n == UINT64_MAX);
}

TEST(words_are_taken_whole)
{
	static const char *const words[] = {"auto", "always", NULL};
	int i = -1;

	be_quiet();
	ASSERT(options_word("--x", "always", words, &i));
	ASSERT_INT(i, 1);
	ASSERT(!options_word("--x", "a", words, &i));
	ASSERT(!options_word("--x", "", words, &i));
	ASSERT(!options_word("--x", "AUTO", words, &i));
}
