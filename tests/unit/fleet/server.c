/* server.c - answers of the server, whole and cut off. */
/* SPDX-License-Identifier: MIT */
#include "fleet/private.h"

#include <errno.h>

#include "base/buf.h"
#include "tests/unit/test.h"

TEST(server_lines_with_and_without_their_end)
{
	char whole[] = "a\tb\n\nc\n", cut[] = "a\nb", nothing[] = "";
	char *rest = whole;

	ASSERT_STR(server_line(&rest), "a\tb");
	ASSERT_STR(server_line(&rest), "");
	ASSERT_STR(server_line(&rest), "c");
	ASSERT(!server_line(&rest));
	rest = cut;
	ASSERT_STR(server_line(&rest), "a");
	ASSERT_STR(server_line(&rest), "b");
	ASSERT(!server_line(&rest));
	rest = nothing;
	ASSERT(!server_line(&rest));
	rest = NULL;
	ASSERT(!server_line(&rest));
}

TEST(server_fields_are_as_many_as_were_asked_for)
{
	_cleanup_buf_ struct buf why = BUF_INIT;
	char line[] = "a\t\tc", few[] = "a\tb";
	char *fields[3];

	ASSERT_INT(server_fields(line, fields, 3, &why), 0);
	ASSERT_STR(fields[0], "a");
	ASSERT_STR(fields[1], "");
	ASSERT_STR(fields[2], "c");
	ASSERT_INT(why.len, 0);
	ASSERT_INT(server_fields(few, fields, 3, &why), -EIO);
	ASSERT(why.len > 0);
}
