/* perfetto.c - a Perfetto trace that its reader can make sense of: tracks, names and flows are known, slices balance. */
/* SPDX-License-Identifier: MIT */
#include "viewer/export/perfetto.h"

#include <errno.h>
#include <sqlite3.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "schema/db.h"
#include "tests/unit/test.h"
#include "viewer/export/perfetto.pb-c.h"
#include "viewer/export/walk.h"

static const char rows[] =
	"INSERT INTO trace(id, command, duration_ns) VALUES (1, '[]', 5000);"
	"INSERT INTO process(id, pid, name, start_ns, end_ns) VALUES (1, 10, 'a', -5, NULL), (2, 11, x'41ff', 100, 200);"
	"UPDATE process SET parent_id = 1, creator_id = 1, reaped_ns = 250, reaper_id = 1 WHERE id = 2;"
	"INSERT INTO thread(id, tid, process_id, name, start_ns, end_ns, is_main, creator_id) VALUES"
	" (1, 10, 1, 'a', -5, NULL, 1, NULL), (2, 11, 2, NULL, 100, 200, 1, 1), (3, 12, 1, 'w', 50, 400, 0, 1);"
	"INSERT INTO pipe(id, kind) VALUES (1, 'pipe');"
	"INSERT INTO pipe_io(pipe_id, thread_id, fd, op, start_ns, end_ns) VALUES (1, 3, 3, 'read', 60, 100);"
	"INSERT INTO wait(thread_id, start_ns, end_ns, reason, waker_id) VALUES (3, 90, 500, 'pipe-read', 1),"
	" (3, 60, 100, 'pipe-read', 1), (1, 130, NULL, 'child', NULL);"
	"INSERT INTO lock(id, kind, name) VALUES (1, 'mutex', 'm');"
	"INSERT INTO lock_hold(lock_id, thread_id, acquire_ns, release_ns) VALUES (1, 3, 60, 90), (1, 3, 95, NULL);"
	"INSERT INTO exec(process_id, thread_id, ts_ns, path, argv) VALUES (2, 2, 110, '/bin/x', '[\"x\"]');";

static int collect(void *arg, const struct buf *piece)
{
	buf_add(arg, piece->data, piece->len);
	return 0;
}

static Perfetto__Trace *export(const char *sql)
{
	_cleanup_buf_ struct buf out = BUF_INIT, why = BUF_INIT;
	_cleanup_free_ char *error = NULL;
	Perfetto__Trace *trace;
	sqlite3 *db;

	ASSERT_INT(db_open_temp(&db, &error), 0);
	ASSERT_INT(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	ASSERT_INT(export_perfetto(db, &EXPORT_FILTER_ALL, collect, &out, &why), 0);
	db_close(db);
	trace = perfetto__trace__unpack(NULL, out.len, (const uint8_t *)out.data);
	ASSERT(trace != NULL);
	return trace;
}

static bool is_described(const Perfetto__Trace *t, size_t before, uint64_t uuid)
{
	for (size_t i = 0; i < before; i++)
		if (t->packet[i]->track_descriptor && t->packet[i]->track_descriptor->uuid == uuid)
			return true;
	return false;
}

static bool is_named(const Perfetto__Trace *t, size_t upto, uint64_t iid)
{
	for (size_t i = 0; i <= upto; i++) {
		const Perfetto__InternedData *d = t->packet[i]->interned_data;

		for (size_t k = 0; d && k < d->n_event_names; k++)
			if (d->event_names[k]->iid == iid)
				return true;
	}
	return false;
}

TEST(perfetto_tracks_and_names_are_said_before_they_are_used)
{
	Perfetto__Trace *t = export(rows);

	ASSERT(t->n_packet > 10);
	for (size_t i = 0; i < t->n_packet; i++) {
		const Perfetto__TracePacket *p = t->packet[i];

		ASSERT_INT(p->trusted_packet_sequence_id, 1);
		ASSERT_INT(p->sequence_flags, i ? 2 : 3);
		ASSERT(!p->track_event != !p->track_descriptor);
		if (p->track_descriptor && p->track_descriptor->has_parent_uuid)
			ASSERT(is_described(t, i, p->track_descriptor->parent_uuid));
		if (!p->track_event)
			continue;
		ASSERT(is_described(t, i, p->track_event->track_uuid));
		if (p->track_event->type != PERFETTO__TRACK_EVENT__TYPE__SLICE_END)
			ASSERT(is_named(t, i, p->track_event->name_iid));
	}
	perfetto__trace__free_unpacked(t, NULL);
}

/* What a reader does: events of a track by time, those of one time in the order of the file. Returns the slices that are open at the end. */
static int balance(const Perfetto__Trace *t, uint64_t track)
{
	uint64_t now = 0;
	int open = 0;

	for (;;) {
		uint64_t next = UINT64_MAX;

		for (size_t i = 0; i < t->n_packet; i++) {
			const Perfetto__TracePacket *p = t->packet[i];

			if (!p->track_event || p->track_event->track_uuid != track)
				continue;
			if (p->timestamp > now && p->timestamp < next)
				next = p->timestamp;
			if (p->timestamp != now)
				continue;
			open += p->track_event->type == PERFETTO__TRACK_EVENT__TYPE__SLICE_BEGIN;
			open -= p->track_event->type == PERFETTO__TRACK_EVENT__TYPE__SLICE_END;
			ASSERT(open >= 0);
		}
		if (next == UINT64_MAX)
			return open;
		now = next;
	}
}

TEST(perfetto_slices_of_every_track_balance)
{
	Perfetto__Trace *t = export(rows);
	int tracks = 0;

	for (size_t i = 0; i < t->n_packet; i++) {
		if (!t->packet[i]->track_descriptor)
			continue;
		ASSERT_INT(balance(t, t->packet[i]->track_descriptor->uuid), 0);
		tracks++;
	}
	ASSERT_INT(tracks, 2 + 3 + 1); /* processes, threads, a lock of one thread */
	perfetto__trace__free_unpacked(t, NULL);
}

TEST(perfetto_flows_begin_and_end_once)
{
	Perfetto__Trace *t = export(rows);
	int begins = 0, ends = 0;

	for (size_t i = 0; i < t->n_packet; i++) {
		const Perfetto__TrackEvent *e = t->packet[i]->track_event;

		if (!e)
			continue;
		begins += (int)e->n_flow_ids;
		if (!e->n_terminating_flow_ids)
			continue;
		ends++;
		ASSERT(i > 0 && t->packet[i - 1]->track_event &&
			t->packet[i - 1]->track_event->n_flow_ids == 1 &&
			t->packet[i - 1]->track_event->flow_ids[0] == e->terminating_flow_ids[0]);
	}
	ASSERT_INT(begins, ends);
	ASSERT_INT(begins, 2 + 2 + 1); /* two creations, two wake-ups, one child reaped */
	perfetto__trace__free_unpacked(t, NULL);
}

static int refuse(void *arg, const struct buf *piece)
{
	(void)arg;
	(void)piece;
	return -ENOSPC;
}

TEST(perfetto_export_ends_when_nothing_can_be_written)
{
	_cleanup_buf_ struct buf why = BUF_INIT;
	_cleanup_free_ char *error = NULL;
	sqlite3 *db;

	ASSERT_INT(db_open_temp(&db, &error), 0);
	ASSERT_INT(sqlite3_exec(db, rows, NULL, NULL, NULL), SQLITE_OK);
	ASSERT_INT(export_perfetto(db, &EXPORT_FILTER_ALL, refuse, NULL, &why), -ENOSPC);
	db_close(db);
}
