/* perfetto.c - a recording in Perfetto's own format. */
/* SPDX-License-Identifier: MIT */
#include "viewer/export/perfetto.h"

#include <sqlite3.h>
#include <string.h>

#include "base/buf.h"
#include "base/hash.h"
#include "base/mem.h"
#include "schema/query.h"
#include "viewer/export/perfetto.pb-c.h"
#include "viewer/export/walk.h"

enum {
	SEQUENCE = 1,            /* all packets are of one writer */
	STATE_CLEARED = 1,       /* SEQ_INCREMENTAL_STATE_CLEARED: names begin again */
	NEEDS_STATE = 2,         /* SEQ_NEEDS_INCREMENTAL_STATE: names are numbers said before */
	ARGUMENTS = 8,           /* no statement of the walk has more */
	TAG_PACKET = 1 << 3 | 2, /* field 1 of Trace, with its length */
};

/* Kinds of track, for their numbers. */
enum { TRACK_PROCESS = 1, TRACK_THREAD, TRACK_LOCK };

struct perfetto {
	export_sink *sink;
	void *arg;
	struct hash names, tracks; /* names that have a number; tracks that were described */
	uint64_t n_names;
	bool any;
	struct buf out;
};

static void add_varint(struct buf *b, uint64_t n)
{
	for (; n >= 0x80; n >>= 7)
		buf_addc(b, (char)(n | 0x80));
	buf_addc(b, (char)n);
}

/* Adds one packet to what goes out. */
static void add_packet(struct perfetto *p, Perfetto__TracePacket *packet)
{
	_cleanup_free_ uint8_t *bytes = NULL;
	size_t len;

	packet->has_trusted_packet_sequence_id = packet->has_sequence_flags = true;
	packet->trusted_packet_sequence_id = SEQUENCE;
	packet->sequence_flags = NEEDS_STATE | (p->any ? 0 : STATE_CLEARED);
	p->any = true;
	len = perfetto__trace_packet__get_packed_size(packet);
	bytes = xcalloc(len + 1, 1);
	len = perfetto__trace_packet__pack(packet, bytes);
	add_varint(&p->out, TAG_PACKET);
	add_varint(&p->out, len);
	buf_add(&p->out, bytes, len);
}

/* Protobuf's strings are UTF-8; what a program calls itself need not be. The caller frees it. */
static char *utf8(const char *s)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	buf_add_printable(&b, s, strlen(s));
	return buf_steal(&b);
}

/* ---- Tracks ---- */

static uint64_t track_of(int kind, int64_t number, const char *lock)
{
	uint64_t h = hash_mix(
		(uint64_t)number, (uint64_t)kind, lock ? hash_bytes(lock, strlen(lock)) : 0);

	return h ? h : 1; /* 0 is the track of the whole trace */
}

static void describe(struct perfetto *p, Perfetto__TrackDescriptor *track, uint64_t uuid)
{
	Perfetto__TracePacket packet = PERFETTO__TRACE_PACKET__INIT;

	track->has_uuid = true;
	track->uuid = uuid;
	packet.track_descriptor = track;
	add_packet(p, &packet);
}

static void add_process(struct perfetto *p, const struct export_event *e)
{
	Perfetto__TrackDescriptor track = PERFETTO__TRACK_DESCRIPTOR__INIT;
	Perfetto__ProcessDescriptor process = PERFETTO__PROCESS_DESCRIPTOR__INIT;
	_cleanup_free_ char *name = utf8(e->name);

	process.has_pid = true;
	process.pid = (int32_t)e->pid;
	process.process_name = name;
	track.process = &process;
	describe(p, &track, track_of(TRACK_PROCESS, e->pid, NULL));
}

static void add_thread(struct perfetto *p, const struct export_event *e)
{
	Perfetto__TrackDescriptor track = PERFETTO__TRACK_DESCRIPTOR__INIT;
	Perfetto__ThreadDescriptor thread = PERFETTO__THREAD_DESCRIPTOR__INIT;
	_cleanup_free_ char *name = utf8(e->name);

	thread.has_pid = thread.has_tid = true;
	thread.pid = (int32_t)e->pid;
	thread.tid = (int32_t)e->tid;
	thread.thread_name = name;
	track.thread = &thread;
	track.has_parent_uuid = true;
	track.parent_uuid = track_of(TRACK_PROCESS, e->pid, NULL);
	describe(p, &track, track_of(TRACK_THREAD, e->tid, NULL));
}

/* Returns the track of a thread's holds of one lock, described when the first one comes. */
static uint64_t lock_track(struct perfetto *p, const struct export_event *e)
{
	uint64_t uuid = track_of(TRACK_LOCK, e->tid, e->name);
	Perfetto__TrackDescriptor track = PERFETTO__TRACK_DESCRIPTOR__INIT;
	_cleanup_free_ char *name = NULL;

	if (hash_get(&p->tracks, uuid))
		return uuid;
	(void)hash_set(&p->tracks, uuid, p);
	name = utf8(e->name);
	track.name = name;
	track.has_parent_uuid = true;
	track.parent_uuid = track_of(TRACK_THREAD, e->tid, NULL);
	describe(p, &track, uuid);
	return uuid;
}

/* ---- Events ---- */

/* An event with all that it points to. */
struct event {
	Perfetto__TracePacket packet;
	Perfetto__TrackEvent event;
	Perfetto__InternedData interned;
	Perfetto__EventName name, *names[1];
	Perfetto__DebugAnnotation annotations[ARGUMENTS], *annotation_list[ARGUMENTS];
	char *categories[1], *texts[ARGUMENTS + 1];
	size_t n_texts;
	uint64_t flow;
};

static void event_init(struct event *v, Perfetto__TrackEvent__Type type, uint64_t track, int64_t ts)
{
	*v = (struct event){.packet = PERFETTO__TRACE_PACKET__INIT,
		.event = PERFETTO__TRACK_EVENT__INIT,
		.interned = PERFETTO__INTERNED_DATA__INIT,
		.name = PERFETTO__EVENT_NAME__INIT};
	v->packet.has_timestamp = true;
	v->packet.timestamp =
		ts > 0 ? (uint64_t)ts : 0; /* what was there before is there from the start */
	v->packet.track_event = &v->event;
	v->event.has_type = v->event.has_track_uuid = true;
	v->event.type = type;
	v->event.track_uuid = track;
}

static char *event_keep(struct event *v, char *text)
{
	return v->texts[v->n_texts++] = text;
}

static void event_done(struct event *v)
{
	for (size_t i = 0; i < v->n_texts; i++)
		free(v->texts[i]);
}

/* A name is said once, with the first event that has it, and is a number from then on. */
static void event_name(struct perfetto *p, struct event *v, const char *name)
{
	uint64_t key = hash_bytes(name, strlen(name));
	uintptr_t known = (uintptr_t)hash_get(&p->names, key);

	v->event.has_name_iid = true;
	if (known) {
		v->event.name_iid = known;
		return;
	}
	v->event.name_iid = ++p->n_names;
	(void)hash_set(&p->names, key, (void *)(uintptr_t)p->n_names);
	v->name.has_iid = true;
	v->name.iid = p->n_names;
	v->name.name = event_keep(v, utf8(name));
	v->names[0] = &v->name;
	v->interned.n_event_names = 1;
	v->interned.event_names = v->names;
	v->packet.interned_data = &v->interned;
}

static void event_arguments(struct event *v, const struct export_event *e)
{
	size_t n = 0;

	for (int i = e->first; e->args && i + 1 < sqlite3_column_count(e->args) && n < ARGUMENTS;
		i += 2) {
		Perfetto__DebugAnnotation *a = &v->annotations[n];

		if (query_null(e->args, i + 1))
			continue;
		*a = (Perfetto__DebugAnnotation)PERFETTO__DEBUG_ANNOTATION__INIT;
		a->name = (char *)query_text(e->args, i);
		if (sqlite3_column_type(e->args, i + 1) == SQLITE_INTEGER) {
			a->has_int_value = true;
			a->int_value = query_int(e->args, i + 1, 0);
		} else {
			a->string_value = event_keep(v, utf8(query_text(e->args, i + 1)));
		}
		v->annotation_list[n++] = a;
	}
	v->event.n_debug_annotations = n;
	v->event.debug_annotations = v->annotation_list;
}

static void event_category(struct event *v, const struct export_event *e)
{
	v->categories[0] = (char *)e->category;
	v->event.n_categories = 1;
	v->event.categories = v->categories;
}

static void add_begin(struct perfetto *p, const struct export_event *e,
	Perfetto__TrackEvent__Type type, uint64_t track)
{
	struct event v;

	event_init(&v, type, track, e->ts);
	event_name(p, &v, e->name);
	event_category(&v, e);
	event_arguments(&v, e);
	add_packet(p, &v.packet);
	event_done(&v);
}

/* The end comes right behind the begin: whoever reads it sorts by time, and keeps this order where times are the same. */
static void add_span(struct perfetto *p, const struct export_event *e, uint64_t track)
{
	struct event v;

	add_begin(p, e, PERFETTO__TRACK_EVENT__TYPE__SLICE_BEGIN, track);
	event_init(&v, PERFETTO__TRACK_EVENT__TYPE__SLICE_END, track, e->end);
	add_packet(p, &v.packet);
}

static void add_flow(struct perfetto *p, const struct export_event *e, bool ends)
{
	struct event v;

	event_init(&v, PERFETTO__TRACK_EVENT__TYPE__INSTANT,
		track_of(TRACK_THREAD, ends ? e->to_tid : e->tid, NULL), ends ? e->end : e->ts);
	event_name(p, &v, e->name);
	event_category(&v, e);
	v.flow = hash_mix((uint64_t)e->id, hash_bytes(e->category, strlen(e->category)), 1);
	if (ends) {
		v.event.n_terminating_flow_ids = 1;
		v.event.terminating_flow_ids = &v.flow;
	} else {
		v.event.n_flow_ids = 1;
		v.event.flow_ids = &v.flow;
	}
	add_packet(p, &v.packet);
	event_done(&v);
}

static int add_event(void *arg, const struct export_event *e)
{
	struct perfetto *p = arg;

	buf_reset(&p->out);
	switch (e->what) {
	case EXPORT_PROCESS:
		add_process(p, e);
		break;
	case EXPORT_THREAD:
		add_thread(p, e);
		break;
	case EXPORT_SLICE:
		add_span(p, e, track_of(TRACK_THREAD, e->tid, NULL));
		break;
	case EXPORT_INSTANT:
		add_begin(p, e, PERFETTO__TRACK_EVENT__TYPE__INSTANT,
			track_of(TRACK_THREAD, e->tid, NULL));
		break;
	case EXPORT_HOLD:
		add_span(p, e, lock_track(p, e));
		break;
	case EXPORT_ARROW:
		add_flow(p, e, false);
		add_flow(p, e, true);
		break;
	}
	return p->sink(p->arg, &p->out);
}

int export_perfetto(sqlite3 *db, const struct export_filter *filter, export_sink *sink, void *arg,
	struct buf *why)
{
	struct perfetto p = {.sink = sink, .arg = arg, .out = BUF_INIT};
	int rc = export_walk(db, filter, add_event, &p, why);

	hash_done(&p.names);
	hash_done(&p.tracks);
	buf_done(&p.out);
	return rc;
}
