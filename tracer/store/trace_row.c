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
#include "schema/query.h"
#include "tracer/tracer.h"

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
	query_bind_text(stmt, i, json.data);
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
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	_cleanup_buf_ struct buf why = BUF_INIT;
	bool has_uname = uname(&u) == 0;

	if (query_open(db, sql, &stmt, &why) < 0)
		return -EIO;
	bind_argv(stmt, 1, config->argv);
	query_bind_text(stmt, 2, getcwd(cwd, sizeof cwd));
	query_bind_text(stmt, 3, has_uname ? u.nodename : NULL);
	query_bind_text(stmt, 4, has_uname ? u.release : NULL);
	query_bind_int(stmt, 5, sysconf(_SC_NPROCESSORS_ONLN));
	query_bind_text(stmt, 6, PPTRACE_VERSION);
	query_bind_text(stmt, 7, backend);
	query_bind_int(stmt, 8, started_unix_ns);
	query_bind_int(stmt, 9, !config->program);
	query_bind_text(stmt, 10, config->options);
	return query_run(stmt, &why);
}

int trace_row_blind(struct sqlite3 *db, const char *lines)
{
	static const char sql[] =
		"UPDATE trace SET blind_spots = json_insert(blind_spots, '$[#]', ?1) WHERE NOT"
		" EXISTS (SELECT 1 FROM json_each(blind_spots) WHERE value = ?1)";
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	_cleanup_buf_ struct buf why = BUF_INIT;
	int rc = query_open(db, sql, &stmt, &why);
	size_t len;

	for (const char *line = lines; !rc && *line; line += len + (line[len] != '\0')) {
		len = strcspn(line, "\n");
		if (!len)
			continue;
		query_bind_bytes(stmt, 1, line, len);
		rc = query_run(stmt, &why);
	}
	return rc;
}

int trace_row_end(struct sqlite3 *db, const struct tracer_outcome *outcome)
{
	static const char sql[] = "UPDATE trace SET complete = 1, exit_code = ?1, exit_signal = ?2";
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	_cleanup_buf_ struct buf why = BUF_INIT;

	if (query_open(db, sql, &stmt, &why) < 0)
		return -EIO;
	if (outcome->ended && WIFEXITED(outcome->status))
		query_bind_int(stmt, 1, WEXITSTATUS(outcome->status));
	if (outcome->ended && WIFSIGNALED(outcome->status))
		query_bind_int(stmt, 2, WTERMSIG(outcome->status));
	return query_run(stmt, &why);
}
