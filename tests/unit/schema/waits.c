/* waits.c - tests of what is known of the reasons for which a thread can be blocked. */
/* SPDX-License-Identifier: MIT */
#include "tests/unit/test.h"

#include "base/mem.h"
#include "schema/waits.h"

static bool is_deaf(const struct wait_info *info)
{
	return info->is_deaf;
}

TEST(wait_reasons_are_found_by_name_and_listed_in_sql)
{
	_cleanup_free_ char *sql = wait_sql("a IN (@reasons) b", is_deaf);

	for (unsigned i = 0; i < WAIT_REASON_END; i++)
		ASSERT_INT(wait_find(wait_info(i)->name), i);
	ASSERT_INT(wait_find("nonsense"), WAIT_OTHER);
	ASSERT_STR(sql, "a IN ('lock','cond','barrier','join','vfork','once','mpi') b");
}
