/* extent.c - how much a recording keeps: the options that run and attach share. */
/* SPDX-License-Identifier: MIT */
#include "cli/common/extent.h"

#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
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

/* "locks,waits": what is not named is left out. */
static bool events(struct tracer_config *config, const char *text)
{
	unsigned named = 0;

	for (size_t len;; text += len + 1) {
		_cleanup_free_ char *word = NULL;
		int n;

		len = strcspn(text, ",");
		word = xstrndup(text, len);
		if (!options_word("--events", word, detail_words, &n))
			return false;
		named |= 1u << n;
		if (!text[len])
			break;
	}
	config->detail.left_out = DETAIL_ALL & ~named;
	return true;
}

static bool program(const char *option, const char **list, const char *text)
{
	size_t n = 0;

	while (list[n])
		n++;
	if (!*text || n == DETAIL_NAMES) {
		if (*text)
			warn("%s can name %d programs at most", option, DETAIL_NAMES);
		else
			warn("%s takes the name or path of a program", option);
		return false;
	}
	list[n] = text;
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
	case EXTENT_EVENTS:
		return events(config, text);
	case EXTENT_FOLLOW:
		return program("--follow", config->detail.follow, text);
	case EXTENT_IGNORE:
		return program("--ignore", config->detail.ignore, text);
	default:
		return false;
	}
}

static void add_names(struct buf *b, const char *member, const char *const *names)
{
	if (!*names)
		return;
	buf_addf(b, ",\"%s\":[", member);
	for (size_t i = 0; names[i]; i++) {
		buf_adds(b, i ? "," : "");
		buf_add_json(b, names[i], strlen(names[i]));
	}
	buf_addc(b, ']');
}

/* left_out: the kinds of events that have no rows, and "programs" where some programs have none. */
static void add_detail(struct buf *b, const struct detail_choice *c)
{
	const char *comma = "";

	if (!c->left_out && !c->follow[0] && !c->ignore[0])
		return;
	buf_adds(b, ",\"left_out\":\"");
	for (size_t i = 0; detail_words[i]; i++)
		if (c->left_out & 1u << i) {
			buf_addf(b, "%s%s", comma, detail_words[i]);
			comma = ",";
		}
	if (c->follow[0] || c->ignore[0])
		buf_addf(b, "%sprograms", comma);
	buf_addc(b, '"');
	add_names(b, "follow", c->follow);
	add_names(b, "ignore", c->ignore);
}

void extent_json(struct buf *b, const struct tracer_config *config)
{
	buf_addf(b, "\"fold\":\"%s\",\"max_size\":%lld,\"last_ns\":%lld",
		config->keep_all ? "off" : "on", (long long)config->max_bytes,
		(long long)config->last_ns);
	add_detail(b, &config->detail);
}

void extent_summary(struct buf *b, const struct tracer_summary *s)
{
	if (s->detail_since_ns <= 0)
		return;
	buf_adds(b, "; only totals were kept for what ended before ");
	buf_add_duration(b, s->detail_since_ns);
}
