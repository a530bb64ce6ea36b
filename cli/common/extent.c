/* extent.c - how much a recording keeps: the options that run and attach share. */
/* SPDX-License-Identifier: MIT */
#include "cli/common/extent.h"

#include "base/buf.h"
#include "cli/common/options.h"
#include "cli/common/say.h"

/* An empty recording, its indexes and what is never removed need some room. */
#define LEAST_BYTES ((int64_t)8 << 20)
#define LEAST_NS 1000000000

static bool max_size(struct tracer_config *config, const char *text)
{
	int64_t n;

	if (!options_size("--max-size", text, &n))
		return false;
	if (n && n < LEAST_BYTES) {
		warn("--max-size takes 8M or more, or 0 for no limit, not '%s'", text);
		return false;
	}
	config->max_bytes = n;
	return true;
}

static bool last(struct tracer_config *config, const char *text)
{
	int64_t ns;

	if (!options_duration("--last", text, &ns))
		return false;
	if (ns && ns < LEAST_NS) {
		warn("--last takes a second or more, or 0 for all, not '%s'", text);
		return false;
	}
	config->last_ns = ns;
	return true;
}

bool extent_option(struct tracer_config *config, int id, const char *text)
{
	static const char *const words[] = {"on", "off", NULL};
	int word = 0;

	switch (id) {
	case EXTENT_FOLD:
		if (!options_word("--fold", text, words, &word))
			return false;
		config->keep_all = word == 1;
		return true;
	case EXTENT_MAX_SIZE:
		return max_size(config, text);
	case EXTENT_LAST:
		return last(config, text);
	default:
		return false;
	}
}

void extent_json(struct buf *b, const struct tracer_config *config)
{
	buf_addf(b, "\"fold\":\"%s\",\"max_size\":%lld,\"last_ns\":%lld",
		config->keep_all ? "off" : "on", (long long)config->max_bytes,
		(long long)config->last_ns);
}

void extent_summary(struct buf *b, const struct tracer_summary *s)
{
	if (s->detail_since_ns <= 0)
		return;
	buf_adds(b, "; only totals were kept for what ended before ");
	buf_add_duration(b, s->detail_since_ns);
}
