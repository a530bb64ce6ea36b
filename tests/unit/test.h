/* test.h - unit tests that register themselves. */
/* SPDX-License-Identifier: MIT */
#ifndef TESTS_UNIT_TEST_H
#define TESTS_UNIT_TEST_H

#include "base/banned.h"

#include <stdbool.h>

/*
 * TEST(name) { ... } in tests/unit/<module>.c is a test: found by its linker
 * section, run in a process of its own, reported as TAP. A failed ASSERT ends
 * the test; SKIP(reason) counts it as skipped.
 */
struct test {
	const char *file;
	const char *name;
	void (*run)(void);
};

#define TEST(test_name)                                                                            \
	static void test_##test_name(void);                                                        \
	static const struct test test_row_##test_name __attribute__((                              \
		used, section("pptests"), aligned(8))) = {__FILE__, #test_name, test_##test_name}; \
	static void test_##test_name(void)

void test_fail(const char *file, int line, const char *fmt, ...)
	__attribute__((format(printf, 3, 4), noreturn));
void test_skip(const char *reason) __attribute__((noreturn));
bool test_str_eq(const char *a, const char *b);

#define ASSERT(cond)                                                                               \
	do {                                                                                       \
		if (!(cond))                                                                       \
			test_fail(__FILE__, __LINE__, "%s", #cond);                                \
	} while (0)
#define ASSERT_INT(got, want)                                                                      \
	do {                                                                                       \
		long long got_ = (long long)(got), want_ = (long long)(want);                      \
		if (got_ != want_)                                                                 \
			test_fail(                                                                 \
				__FILE__, __LINE__, "%s is %lld, wanted %lld", #got, got_, want_); \
	} while (0)
#define ASSERT_STR(got, want)                                                                      \
	do {                                                                                       \
		const char *got_ = (got), *want_ = (want);                                         \
		if (!test_str_eq(got_, want_))                                                     \
			test_fail(__FILE__, __LINE__, "%s is \"%s\", wanted \"%s\"", #got,         \
				got_ ? got_ : "(null)", want_ ? want_ : "(null)");                 \
	} while (0)
#define SKIP(reason) test_skip(reason)

#endif
