/* maybe.c - tests of the conditions of a finding: each has a bit of its own, from the first to the sixty-fourth. */
/* SPDX-License-Identifier: MIT */
#include "tests/unit/test.h"
#include "verdict/graph/sets/sets.h"
#include "verdict/graph/private.h"

TEST(maybe_bits_differ)
{
	static const uint64_t bits[] = {
#define MAYBE(NAME, condition) MAYBE_##NAME,
#include "verdict/graph/maybe.def"
#undef MAYBE
	};
	uint64_t all = 0;

	for (size_t i = 0; i < sizeof bits / sizeof *bits; i++) {
		ASSERT_INT(__builtin_popcountll(bits[i]), 1);
		ASSERT_INT((all & bits[i]) != 0, 0);
		all |= bits[i];
	}
}

/* The bits above those of an int are kept wherever a condition passes through. */
TEST(maybe_keeps_high_bits)
{
	uint64_t of_thread = 0;
	struct providers pr = {.generous = true, .maybe = &of_thread};
	struct stuck_set s = {0};

	for (int bit = 31; bit < 64; bit++) {
		const uint64_t how = UINT64_C(1) << bit;

		of_thread = 0;
		providers_maybe(&pr, 0, how);
		s.maybe = MAYBE_SIGNAL | pr.maybe[0];
		ASSERT_INT((s.maybe & ~MAYBE_SIGNAL) == how, 1);
	}
}
