/* clock.c - the processor's counter as CLOCK_MONOTONIC. */
/* SPDX-License-Identifier: MIT */
#include "tracer/shim/private.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/arch.h"
#include "base/clock.h"
#include "base/mem.h"

/* The kernel gives the counter up as a clock when processors disagree about it. */
static bool kernel_trusts_counter(void)
{
	static const char path[] =
		"/sys/devices/system/clocksource/clocksource0/current_clocksource";
	static const char *const clocks[] = {ARCH_CLOCKS};
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	char name[32] = "";
	ssize_t n = fd < 0 ? -1 : read(fd, name, sizeof name - 1);

	for (size_t i = 0; n > 0 && i < ARRAY_SIZE(clocks); i++)
		if (!strncmp(name, clocks[i], strlen(clocks[i])))
			return true;
	return false;
}

bool shim_clock_tsc(void)
{
	return arch_counter_steady() && kernel_trusts_counter();
}

static struct shim_clock_pair take_pair(void)
{
	struct shim_clock_pair best = {0};
	uint64_t width = UINT64_MAX;

	for (int i = 0; i < 4; i++) {
		uint64_t a = arch_counter_early(), mono = clock_now(), b = arch_counter_early();

		if (b - a < width) {
			width = b - a;
			best = (struct shim_clock_pair){.raw = a + (b - a) / 2, .mono = mono};
		}
	}
	return best;
}

struct shim_clock_pair shim_clock_sample(struct shim_clock *c)
{
	struct shim_clock_pair p = {0};

	if (!c->tsc) {
		p.raw = p.mono = clock_now();
		return p;
	}
	p = take_pair();
	if (c->len && (p.raw <= c->pairs[c->len - 1].raw || p.mono <= c->pairs[c->len - 1].mono))
		return c->pairs[c->len - 1];
	ARRAY_GROW(c->pairs, c->len, c->cap);
	if (c->len) {
		struct shim_clock_pair *last = &c->pairs[c->len - 1];

		last->slope = (double)(p.mono - last->mono) / (double)(p.raw - last->raw);
	}
	c->pairs[c->len++] = p;
	return p;
}

uint64_t shim_clock_mono(struct shim_clock *c, uint64_t raw)
{
	const struct shim_clock_pair *p = c->pairs;
	size_t i = c->hint;
	double back;

	if (!c->tsc)
		return raw;
	if (c->len < 2)
		return c->len ? p[0].mono : 0;
	if (i > c->len - 2)
		i = c->len - 2;
	while (i && raw < p[i].raw)
		i--;
	while (i + 2 < c->len && raw >= p[i + 1].raw)
		i++;
	c->hint = i;
	if (raw >= p[i].raw)
		return p[i].mono +
		       (uint64_t)(int64_t)((double)(int64_t)(raw - p[i].raw) * p[i].slope);
	back = p[i].slope * (double)(p[i].raw - raw);
	return back < (double)p[i].mono ? p[i].mono - (uint64_t)back : 0;
}

void shim_clock_prune(struct shim_clock *c, uint64_t raw)
{
	size_t n = 0;

	while (n + 2 < c->len && c->pairs[n + 1].raw < raw)
		n++;
	if (n < 256)
		return;
	memmove(c->pairs, c->pairs + n, (c->len - n) * sizeof *c->pairs);
	c->len -= n;
	c->hint = c->hint > n ? c->hint - n : 0;
}

void shim_clock_done(struct shim_clock *c)
{
	free(c->pairs);
	*c = (struct shim_clock){0};
}
