/* chrome.c - trace JSON that Perfetto can load, whatever the recording holds. */
/* SPDX-License-Identifier: MIT */
#include "viewer/export/chrome.h"

#include <errno.h>
#include <jansson.h>
#include <sqlite3.h>

#include "base/buf.h"
#include "base/mem.h"
#include "schema/db.h"
#include "tests/unit/test.h"
#include "viewer/export/walk.h"

static const char rows[] =
	"INSERT INTO trace(id, command, duration_ns, complete, lost) VALUES (1, '[]', 5000, 0, 3);"
	/* The same pid twice, a hostile name, a child that was never reaped, one that was. */
	"INSERT INTO process(id, pid, name, start_ns, end_ns) VALUES (1, 10, 'a', -5, NULL),"
	" (2, 11, '\"><script>' || char(10) || x'ff', 100, 200), (3, 11, 'again', 300, NULL);"
	"UPDATE process SET parent_id = 1, creator_id = 1 WHERE id > 1;"
	"UPDATE process SET reaped_ns = 250, reaper_id = 1 WHERE id = 2;"
	"INSERT INTO thread(id, tid, process_id, name, start_ns, end_ns, is_main, creator_id) VALUES"
	" (1, 10, 1, 'a', -5, NULL, 1, NULL), (2, 11, 2, NULL, 100, 200, 1, 1),"
	" (3, 11, 3, 'again', 300, NULL, 1, 1), (4, 12, 1, 'worker', 50, 400, 0, 1);"
	"INSERT INTO exec(process_id, thread_id, ts_ns, path, argv) VALUES (2, NULL, 110, x'2fff', '[]');"
	"INSERT INTO pipe(id, kind) VALUES (1, 'pipe');"
	"INSERT INTO pipe_io(pipe_id, thread_id, fd, op, start_ns, end_ns, bytes, data)"
	" VALUES (1, 1, 3, 'read', 120, NULL, NULL, x'00ff');"
	"INSERT INTO lock(id, kind, name, address) VALUES (1, 'mutex', NULL, 4096);"
	"INSERT INTO lock_hold(lock_id, thread_id, acquire_ns, release_ns) VALUES (1, 4, 60, 90),"
	" (1, 1, 95, NULL);"
	"INSERT INTO wait(thread_id, start_ns, end_ns, reason, waker_id) VALUES (1, 130, 150, 'pipe-read', 2),"
	" (1, 160, NULL, 'child', NULL);"
	"INSERT INTO signal(signo, name, source, sender_id, process_id, thread_id, sent_ns, delivered_ns)"
	" VALUES (10, 'SIGUSR1', 'kill', 1, 2, 2, 150, 160), (10, 'SIGUSR1', 'kill', NULL, 2, 2, 150, NULL);"
	"INSERT INTO sync(lock_id, thread_id, op, start_ns) VALUES (NULL, 1, 'join', 100);"
	"INSERT INTO finding(id, rule, severity, certainty, ts_ns, summary)"
	" VALUES (1, 'deadlock', 'error', 'certain', 100, 's');"
	"INSERT INTO finding_member(finding_id, ordinal, thread_id) VALUES (1, 0, 1);";

static int collect(void *arg, const struct buf *piece)
{
	buf_add(arg, piece->data, piece->len);
	return 0;
}

static const struct export_filter everything = {.since_ns = INT64_MIN, .until_ns = INT64_MAX},
				  *filter = &everything;

static json_t *export(const char *sql)
{
	_cleanup_buf_ struct buf out = BUF_INIT, why = BUF_INIT;
	_cleanup_free_ char *error = NULL;
	json_error_t bad;
	json_t *root;
	sqlite3 *db;

	ASSERT_INT(db_open_temp(&db, &error), 0);
	ASSERT_INT(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	ASSERT_INT(export_chrome(db, filter, collect, &out, &why), 0);
	db_close(db);
	root = json_loads(out.data, JSON_ALLOW_NUL, &bad);
	if (!root)
		test_fail(__FILE__, __LINE__, "%s in line %d", bad.text, bad.line);
	return root;
}

/* What the format demands of every event. */
static void check_event(json_t *e)
{
	const char *phase = json_string_value(json_object_get(e, "ph"));

	ASSERT(phase && strlen(phase) == 1 && strchr("MXbeisf", *phase));
	ASSERT(json_is_string(json_object_get(e, "name")));
	ASSERT(json_is_integer(json_object_get(e, "pid")));
	ASSERT(json_is_integer(json_object_get(e, "tid")));
	ASSERT(json_is_number(json_object_get(e, "ts")));
	ASSERT(json_is_string(json_object_get(e, "cat")));
	if (*phase == 'X')
		ASSERT(json_real_value(json_object_get(e, "dur")) >= 0);
	if (strchr("besf", *phase))
		ASSERT(json_is_integer(json_object_get(e, "id")));
}

static int count(json_t *events, const char *phase, const char *category)
{
	size_t i;
	json_t *e;
	int n = 0;

	json_array_foreach(events, i, e)
	{
		const char *c = json_string_value(json_object_get(e, "cat"));

		n += !strcmp(json_string_value(json_object_get(e, "ph")), phase) &&
		     test_str_eq(c, category);
	}
	return n;
}

TEST(chrome_json_is_well_formed)
{
	json_t *root = export(rows), *events = json_object_get(root, "traceEvents"), *e;
	static const char *const arrows[] = {"fork", "wake", "signal", "reap"};
	size_t i;

	ASSERT(json_is_array(events));
	json_array_foreach(events, i, e) check_event(e);
	ASSERT_INT(count(events, "X", "life"), 4);
	ASSERT_INT(count(events, "X", "wait"), 2);
	ASSERT_INT(count(events, "b", "lock"), 2);
	ASSERT_INT(count(events, "e", "lock"), 2);
	ASSERT_INT(count(events, "i", "exec"), 1);
	ASSERT_INT(count(events, "s", "fork"), 3);
	for (i = 0; i < ARRAY_SIZE(arrows); i++)
		ASSERT_INT(count(events, "s", arrows[i]), count(events, "f", arrows[i]));
	ASSERT_INT(json_integer_value(json_object_get(json_object_get(root, "otherData"), "lost")),
		0); /* numbers are texts there, as the format has it */
	ASSERT_STR(json_string_value(json_object_get(json_object_get(root, "otherData"), "lost")),
		"3");
	json_decref(root);
}

static const char *text(json_t *e, const char *name)
{
	return json_string_value(json_object_get(e, name));
}

static double number(json_t *e, const char *name)
{
	return json_number_value(json_object_get(e, name));
}

static bool same_thread(json_t *a, json_t *b)
{
	return number(a, "pid") == number(b, "pid") && number(a, "tid") == number(b, "tid");
}

/* Two slices of a thread: one after the other, or one within the other. */
static bool fit(json_t *a, json_t *b)
{
	enum { SHORT = 1 }; /* less than a nanosecond: the times are written as decimals */
	double a0 = number(a, "ts"), a1 = a0 + number(a, "dur"), b0 = number(b, "ts"),
	       b1 = b0 + number(b, "dur"), e = SHORT * 1e-6;

	return a1 <= b0 + e || b1 <= a0 + e || (a0 >= b0 - e && a1 <= b1 + e) ||
	       (b0 >= a0 - e && b1 <= a1 + e);
}

static bool is_within_a_slice(json_t *events, json_t *e)
{
	json_t *x;
	size_t i;

	json_array_foreach(events, i, x)
	{
		if (strcmp(text(x, "ph"), "X") != 0 || !same_thread(x, e))
			continue;
		if (number(e, "ts") >= number(x, "ts") - 1e-6 &&
			number(e, "ts") < number(x, "ts") + number(x, "dur") - 1e-6)
			return true;
	}
	return false;
}

/* Rows that lie across each other, as clocks of two sources make them. */
static const char across[] =
	"INSERT INTO pipe_io(pipe_id, thread_id, fd, op, start_ns, end_ns) VALUES (1, 4, 3, 'read', 60, 100);"
	"INSERT INTO wait(thread_id, start_ns, end_ns, reason) VALUES (4, 90, 500, 'pipe-read'), (4, 20, 55, 'sleep');";

TEST(chrome_slices_nest_and_end_with_their_thread)
{
	_cleanup_free_ char *sql = xasprintf("%s%s", rows, across);
	json_t *root = export(sql), *events = json_object_get(root, "traceEvents"), *a, *b;
	size_t i, k;

	json_array_foreach(events, i, a)
	{
		if (strcmp(text(a, "ph"), "X") != 0)
			continue;
		ASSERT(number(a, "tid") != 12 ||
			number(a, "ts") + number(a, "dur") <= 0.400 + 1e-6);
		ASSERT(number(a, "tid") != 12 || number(a, "ts") >= 0.050 - 1e-6);
		json_array_foreach(events, k, b)
		{
			if (!strcmp(text(b, "ph"), "X") && same_thread(a, b))
				ASSERT(fit(a, b));
		}
	}
	json_decref(root);
}

TEST(chrome_arrows_begin_and_end_inside_slices)
{
	json_t *root = export(rows), *events = json_object_get(root, "traceEvents"), *e;
	int n = 0;
	size_t i;

	json_array_foreach(events, i, e)
	{
		if (strcmp(text(e, "ph"), "s") != 0 && strcmp(text(e, "ph"), "f") != 0)
			continue;
		ASSERT(is_within_a_slice(events, e));
		n++;
	}
	ASSERT(n >= 8);
	json_decref(root);
}

TEST(chrome_json_has_every_signal_taken_or_not)
{
	json_t *root = export(rows), *events = json_object_get(root, "traceEvents");

	ASSERT_INT(count(events, "i", "signal"), 2);
	json_decref(root);
}

static json_t *export_part(const struct export_filter *f)
{
	json_t *root;

	filter = f;
	root = export(rows);
	filter = &everything;
	return root;
}

TEST(chrome_export_of_a_part)
{
	static const char *const processes[] = {"again"}, *const kinds[] = {"wait", "lock"};
	struct export_filter f = EXPORT_FILTER_ALL;
	json_t *root, *events;

	f.processes = processes;
	f.n_processes = 1;
	root = export_part(&f);
	events = json_object_get(root, "traceEvents");
	ASSERT_INT(count(events, "X", "life"), 1);
	ASSERT_INT(count(events, "X", "wait"), 0);
	ASSERT_INT(count(events, "s", "fork"), 0);
	json_decref(root);

	f = EXPORT_FILTER_ALL;
	f.kinds = kinds;
	f.n_kinds = 2;
	root = export_part(&f);
	events = json_object_get(root, "traceEvents");
	ASSERT_INT(count(events, "X", "life"), 4);
	ASSERT_INT(count(events, "X", "wait"), 2);
	ASSERT_INT(count(events, "b", "lock"), 2);
	ASSERT_INT(count(events, "X", "pipe"), 0);
	ASSERT_INT(count(events, "i", "exec"), 0);
	json_decref(root);

	f = EXPORT_FILTER_ALL;
	f.since_ns = 155;
	f.until_ns = 158;
	root = export_part(&f);
	events = json_object_get(root, "traceEvents");
	ASSERT_INT(count(events, "X", "wait"), 0);
	ASSERT_INT(count(events, "b", "lock"), 1);
	ASSERT_INT(count(events, "s", "fork"), 0);
	json_decref(root);
}

TEST(chrome_json_keeps_reused_pids_apart)
{
	json_t *root = export(rows), *events = json_object_get(root, "traceEvents"), *e;
	bool first = false, again = false;
	size_t i;

	json_array_foreach(events, i, e)
	{
		json_int_t pid = json_integer_value(json_object_get(e, "pid"));

		first = first || pid == 11;
		again = again || pid == 100000003;
	}
	ASSERT(first && again);
	json_decref(root);
}

TEST(chrome_json_of_an_empty_trace)
{
	json_t *root = export("SELECT 1");

	ASSERT_INT(json_array_size(json_object_get(root, "traceEvents")), 0);
	json_decref(root);
}

static int refuse(void *arg, const struct buf *piece)
{
	(void)arg;
	(void)piece;
	return -ENOSPC;
}

TEST(chrome_export_ends_when_nothing_can_be_written)
{
	_cleanup_buf_ struct buf why = BUF_INIT;
	_cleanup_free_ char *error = NULL;
	sqlite3 *db;

	ASSERT_INT(db_open_temp(&db, &error), 0);
	ASSERT_INT(export_chrome(db, &EXPORT_FILTER_ALL, refuse, NULL, &why), -ENOSPC);
	db_close(db);
}
