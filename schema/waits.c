/* waits.c - what is known of each reason for which a thread can be blocked. */
/* SPDX-License-Identifier: MIT */
#include "schema/waits.h"

#include "base/buf.h"
#include "base/mem.h"

static const struct wait_info infos[WAIT_REASON_END] = {
#define WAIT(NAME, number, word, provider, ...) [number] = {.name = word, __VA_ARGS__},
#include "schema/waits.def"
#undef WAIT
};

const struct wait_info *wait_info(unsigned reason)
{
	return &infos[reason < WAIT_REASON_END ? reason : WAIT_OTHER];
}

const char *wait_words(const struct wait_info *info, bool has_object)
{
	return has_object || !info->legend ? info->words : info->legend;
}

enum wait_reason wait_find(const char *name)
{
	for (unsigned i = 0; i < WAIT_REASON_END; i++)
		if (name[0] == infos[i].name[0] && !strcmp(name, infos[i].name))
			return (enum wait_reason)i;
	return WAIT_OTHER;
}

char *wait_sql(const char *sql, bool (*is_one)(const struct wait_info *info))
{
	static const char mark[] = "@reasons";
	const char *at = strstr(sql, mark);
	_cleanup_buf_ struct buf text = BUF_INIT;
	bool first = true;

	buf_add(&text, sql, (size_t)(at - sql));
	for (unsigned i = 0; i < WAIT_REASON_END; i++) {
		if (!is_one(&infos[i]))
			continue;
		buf_addf(&text, "%s'%s'", first ? "" : ",", infos[i].name);
		first = false;
	}
	buf_adds(&text, at + strlen(mark));
	return buf_steal(&text);
}
