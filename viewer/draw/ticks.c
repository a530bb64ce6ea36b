/* ticks.c - where a time axis has its marks, and what they say. */
/* SPDX-License-Identifier: MIT */
#include "viewer/draw/ticks.h"

#include <stdlib.h>

#include "base/buf.h"
#include "base/mem.h"

#define SECOND INT64_C(1000000000)

int64_t ticks_step(int64_t since, int64_t until, unsigned max)
{
	static const int64_t long_steps[] = {
		10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21600, 43200, 86400};
	int64_t least = (until - since) / (max > 2 ? max - 1 : 1);

	for (int64_t power = 1; power < 10 * SECOND; power *= 10) {
		static const int64_t factors[] = {1, 2, 5};

		for (size_t i = 0; i < ARRAY_SIZE(factors); i++)
			if (factors[i] * power > least)
				return factors[i] * power;
	}
	for (size_t i = 0; i < ARRAY_SIZE(long_steps); i++)
		if (long_steps[i] * SECOND > least)
			return long_steps[i] * SECOND;
	return (least / (86400 * SECOND) + 1) * 86400 * SECOND;
}

int64_t ticks_first(int64_t since, int64_t step)
{
	int64_t n = since / step;

	return (n * step < since ? n + 1 : n) * step;
}

/* Adds ns in a unit, with as many decimals as the step needs. */
static void add_unit(struct buf *b, int64_t ns, int64_t step, int64_t unit, const char *name)
{
	int decimals = 0;

	for (int64_t u = unit; step % u != 0 && u > 1; u /= 10)
		decimals++;
	buf_addf(b, "%.*f %s", decimals, (double)ns / (double)unit, name);
}

void ticks_label(struct buf *b, int64_t ns, int64_t step)
{
	int64_t size = llabs(ns);
	const char *sign = ns < 0 ? "-" : "";

	if (ns == 0)
		buf_adds(b, "0");
	else if (step >= 3600 * SECOND)
		buf_addf(b, "%s%lld h", sign, (long long)(size / SECOND / 3600));
	else if (size >= 120 * SECOND && step >= SECOND)
		buf_addf(b, "%s%lld:%02lld", sign, (long long)(size / SECOND / 60),
			(long long)(size / SECOND % 60));
	else if (size >= SECOND && step >= SECOND / 1000)
		add_unit(b, ns, step, SECOND, "s");
	else if (size >= SECOND / 1000 && step >= 1000)
		add_unit(b, ns, step, SECOND / 1000, "ms");
	else if (size >= 1000)
		add_unit(b, ns, step, 1000, "\xc2\xb5s");
	else
		buf_addf(b, "%lld ns", (long long)ns);
}
