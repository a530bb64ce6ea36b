/* trace_row.c - the one row of the table trace. */
/* SPDX-License-Identifier: MIT */
#include "tracer/store/store.h"

#include <errno.h>
#include <limits.h>
#include <sqlite3.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "tracer/tracer.h"

/* Steps a statement once and frees it. */
static int finish(sqlite3_stmt *stmt)
{
	int rc = sqlite3_step(stmt);

	return sqlite3_finalize(stmt) == SQLITE_OK && (rc == SQLITE_DONE || rc == SQLITE_ROW)
		       ? 0
		       : -EIO;
}

static void bind_text(sqlite3_stmt *stmt, int i, const char *text)
{
	if (text)
		(void)sqlite3_bind_text(stmt, i, text, -1, SQLITE_TRANSIENT);
}

static void bind_argv(sqlite3_stmt *stmt, int i, char *const *argv)
{
	_cleanup_buf_ struct buf json = BUF_INIT;

	buf_addc(&json, '[');
	for (int n = 0; argv && argv[n]; n++) {
		if (n)
			buf_addc(&json, ',');
		buf_add_json(&json, argv[n], strlen(argv[n]));
	}
	buf_addc(&json, ']');
	bind_text(stmt, i, json.data);
}

int trace_row_begin(struct sqlite3 *db, const struct tracer_config *config, const char *backend,
	int64_t started_unix_ns)
{
	static const char sql[] =
		"INSERT INTO trace (id, command, cwd, host, kernel, cpus, version, backend,"
		" blind_spots, started_unix_ns, duration_ns, attached, options)"
		" VALUES (1, ?1, ?2, ?3, ?4, ?5, ?6, ?7, '[]', ?8, 0, ?9, ?10)";
	char cwd[PATH_MAX];
	struct utsname u;
	sqlite3_stmt *stmt;
	bool has_uname = uname(&u) == 0;

	if (sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) != SQLITE_OK)
		return -EIO;
	bind_argv(stmt, 1, config->argv);
	bind_text(stmt, 2, getcwd(cwd, sizeof cwd));
	bind_text(stmt, 3, has_uname ? u.nodename : NULL);
	bind_text(stmt, 4, has_uname ? u.release : NULL);
	(void)sqlite3_bind_int64(stmt, 5, sysconf(_SC_NPROCESSORS_ONLN));
	bind_text(stmt, 6, PPTRACE_VERSION);
	bind_text(stmt, 7, backend);
	(void)sqlite3_bind_int64(stmt, 8, started_unix_ns);
	(void)sqlite3_bind_int(stmt, 9, !config->program);
	bind_text(stmt, 10, config->options);
	return finish(stmt);
}

int trace_row_blind(struct sqlite3 *db, const char *lines)
{
	static const char sql[] =
		"UPDATE trace SET blind_spots = json_insert(blind_spots, '$[#]', ?1) WHERE NOT"
		" EXISTS (SELECT 1 FROM json_each(blind_spots) WHERE value = ?1)";
	size_t len;

	for (const char *line = lines; *line; line += len + (line[len] != '\0')) {
		sqlite3_stmt *stmt;

		len = strcspn(line, "\n");
		if (!len)
			continue;
		if (sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) != SQLITE_OK)
			return -EIO;
		(void)sqlite3_bind_text(stmt, 1, line, (int)len, SQLITE_TRANSIENT);
		if (finish(stmt) < 0)
			return -EIO;
	}
	return 0;
}

int trace_row_end(struct sqlite3 *db, const struct tracer_outcome *outcome)
{
	static const char sql[] = "UPDATE trace SET complete = 1, exit_code = ?1, exit_signal = ?2";
	sqlite3_stmt *stmt;

	if (sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) != SQLITE_OK)
		return -EIO;
	if (outcome->ended && WIFEXITED(outcome->status))
		(void)sqlite3_bind_int(stmt, 1, WEXITSTATUS(outcome->status));
	if (outcome->ended && WIFSIGNALED(outcome->status))
		(void)sqlite3_bind_int(stmt, 2, WTERMSIG(outcome->status));
	return finish(stmt);
}
