/* rows.c - tests of how the viewer reads columns. */
/* SPDX-License-Identifier: MIT */
#include <sqlite3.h>

#include "base/mem.h"
#include "schema/db.h"
#include "tests/unit/test.h"
#include "tests/unit/viewer/recording.h"
#include "viewer/load/load.h"

/* Asserts how a recording shows a command, given as its JSON in SQL's quotes. */
static void assert_command(const char *json, const char *want)
{
	_cleanup_free_ char *sql = xasprintf(
		"INSERT INTO trace(id, command, duration_ns, complete) VALUES (1, '%s', 1000000, 1)",
		json);
	sqlite3 *db = recording_of(sql);
	struct trace *t = recording_load(db);

	ASSERT_STR(t->command, want);
	trace_free(t);
	db_close(db);
}

/* A shell that reads the line gets the same arguments. */
TEST(a_command_is_shown_as_a_shell_takes_it)
{
	assert_command("[\"make\",\"-j2\"]", "make -j2");
	assert_command("[\"echo\",\"\",\"a b\",\"$x\"]", "echo '' 'a b' '$x'");
	assert_command("[\"sed\",\"s/\\\\(a\\\\)/\\\\1/\"]", "sed 's/\\(a\\)/\\1/'");
	assert_command("[\"echo\",\"it''s\"]", "echo 'it'\\''s'");
}

/* What a terminal must not get stands in $'...', with the backslashes that it has there. */
TEST(control_characters_in_a_command_are_escaped_for_a_shell)
{
	assert_command("[\"echo\",\"a\\nb\\tc\"]", "echo $'a\\nb\\tc'");
	assert_command("[\"echo\",\"\\u001b[1m\"]", "echo $'\\x1b[1m'");
	assert_command("[\"echo\",\"it''s \\\\\\n\"]", "echo $'it\\'s \\\\\\n'");
	assert_command("[\"e\\u0000'' x\"]", "$'e\\x00\\' x'");
	assert_command("[\"/a b/\\u202ex\"]", "$'/a b/\\xe2\\x80\\xaex'");
}
