/* chrome.c - a recording as trace JSON for Perfetto and chrome://tracing. */
/* SPDX-License-Identifier: MIT */
/*
 * The Trace Event Format: "ph" is the phase of an event, times are in microseconds, with decimals:
 *
 *	{"ph":"X","name":"pipe-read","cat":"wait","pid":7,"tid":7,"ts":3.5,"dur":0.9,"args":{...}},
 */
#include "viewer/export/chrome.h"

#include <inttypes.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "schema/query.h"
#include "viewer/export/walk.h"

struct chrome {
	export_sink *sink;
	void *arg;
	bool any;
	struct buf out;
};

/* Nanoseconds as microseconds with three decimals. */
static void add_time(struct buf *out, const char *name, int64_t ns)
{
	uint64_t abs = ns < 0 ? (uint64_t)0 - (uint64_t)ns : (uint64_t)ns;

	buf_addf(out, ",\"%s\":%s%" PRIu64 ".%03u", name, ns < 0 ? "-" : "", abs / 1000,
		(unsigned)(abs % 1000));
}

/* Arguments without a value are left out. */
static void add_args(struct buf *out, const struct export_event *e)
{
	bool any = false;

	for (int i = e->first; e->args && i + 1 < sqlite3_column_count(e->args); i += 2) {
		const char *name = query_text(e->args, i);

		if (query_null(e->args, i + 1))
			continue;
		buf_adds(out, any ? "," : ",\"args\":{");
		any = true;
		buf_add_json(out, name, strlen(name));
		buf_addc(out, ':');
		query_json(out, e->args, i + 1, name);
	}
	if (any)
		buf_addc(out, '}');
}

/* Begins an event: phase, name, category and whose it is. */
static void begin(struct chrome *c, const struct export_event *e, const char *phase,
	const char *name, int64_t pid, int64_t tid)
{
	buf_addf(&c->out, "%s{\"ph\":\"%s\",\"name\":", c->any ? ",\n" : "\n", phase);
	c->any = true;
	buf_add_json(&c->out, name, strlen(name));
	/* Not every reader does without these of metadata. */
	if (*phase == 'M')
		buf_adds(&c->out, ",\"cat\":\"__metadata\",\"ts\":0");
	else if (e->category)
		buf_addf(&c->out, ",\"cat\":\"%s\"", e->category);
	buf_addf(&c->out, ",\"pid\":%" PRId64 ",\"tid\":%" PRId64, pid, tid);
}

/* Metadata: a name, or the order of processes. */
static void add_name(struct chrome *c, const struct export_event *e, const char *what)
{
	begin(c, e, "M", what, e->pid, e->tid);
	buf_adds(&c->out, ",\"args\":{\"name\":");
	buf_add_json(&c->out, e->name, strlen(e->name));
	buf_adds(&c->out, "}}");
}

static void add_process(struct chrome *c, const struct export_event *e)
{
	add_name(c, e, "process_name");
	begin(c, e, "M", "process_sort_index", e->pid, e->tid);
	buf_addf(&c->out, ",\"args\":{\"sort_index\":%" PRId64 "}}", e->id);
}

/* One side of a pair that an id ties together: b and e around a hold, s and f of an arrow. */
static void add_side(struct chrome *c, const struct export_event *e, const char *phase, int64_t pid,
	int64_t tid, int64_t ts)
{
	begin(c, e, phase, e->name, pid, tid);
	add_time(&c->out, "ts", ts);
	if (*phase == 'f')
		buf_adds(&c->out, ",\"bp\":\"e\"");
	buf_addf(&c->out, ",\"id\":%" PRId64, e->id);
	if (*phase == 'b')
		add_args(&c->out, e);
	buf_addc(&c->out, '}');
}

static void add_single(struct chrome *c, const struct export_event *e)
{
	bool is_slice = e->what == EXPORT_SLICE;

	begin(c, e, is_slice ? "X" : "i", e->name, e->pid, e->tid);
	add_time(&c->out, "ts", e->ts);
	if (is_slice)
		add_time(&c->out, "dur", e->end - e->ts);
	else
		buf_adds(&c->out, ",\"s\":\"t\"");
	add_args(&c->out, e);
	buf_addc(&c->out, '}');
}

static int add_event(void *arg, const struct export_event *e)
{
	struct chrome *c = arg;

	buf_reset(&c->out);
	switch (e->what) {
	case EXPORT_PROCESS:
		add_process(c, e);
		break;
	case EXPORT_THREAD:
		add_name(c, e, "thread_name");
		break;
	case EXPORT_SLICE:
	case EXPORT_INSTANT:
		add_single(c, e);
		break;
	case EXPORT_HOLD:
		add_side(c, e, "b", e->pid, e->tid, e->ts);
		add_side(c, e, "e", e->pid, e->tid, e->end);
		break;
	case EXPORT_ARROW:
		add_side(c, e, "s", e->pid, e->tid, e->ts);
		add_side(c, e, "f", e->to_pid, e->to_tid, e->end);
		break;
	}
	return c->sink(c->arg, &c->out);
}

/* What the recording is and what it lacks. Numbers are texts here, as the format has it. */
static int add_end(sqlite3 *db, struct chrome *c, struct buf *why)
{
	_cleanup_stmt_ sqlite3_stmt *st = NULL;
	int rc = query_one(db,
		"SELECT 'command', command, 'host', host, 'kernel', kernel, 'backend', backend,"
		" 'complete', CAST(complete AS TEXT), 'lost', CAST(lost AS TEXT) FROM trace",
		0, &st, why);

	if (rc < 0)
		return rc;
	buf_reset(&c->out);
	buf_adds(&c->out, "\n],\"displayTimeUnit\":\"ns\",\"otherData\":{\"made by\":\"pptrace\"");
	for (int i = 0; i + 1 < sqlite3_data_count(st); i += 2) {
		buf_addc(&c->out, ',');
		query_json(&c->out, st, i, "");
		buf_addc(&c->out, ':');
		query_json(&c->out, st, i + 1, query_text(st, i));
	}
	buf_adds(&c->out, "}}\n");
	return c->sink(c->arg, &c->out);
}

int export_chrome(sqlite3 *db, const struct export_filter *filter, export_sink *sink, void *arg,
	struct buf *why)
{
	struct chrome c = {.sink = sink, .arg = arg, .out = BUF_INIT};
	int rc;

	buf_adds(&c.out, "{\"traceEvents\":[");
	rc = sink(arg, &c.out);
	if (!rc)
		rc = export_walk(db, filter, add_event, &c, why);
	if (!rc)
		rc = add_end(db, &c, why);
	buf_done(&c.out);
	return rc;
}
