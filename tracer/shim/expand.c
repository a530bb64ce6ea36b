/* expand.c - compact records of the preload library as those of events.def. */
/* SPDX-License-Identifier: MIT */
#include "tracer/shim/private.h"

#include <errno.h>

#include "base/mem.h"
#include "schema/record.h"
#include "schema/record_dump.h"

union record {
	struct rec_head head;
	struct rec_LOCK_REQUEST request;
	struct rec_LOCK_ACQUIRE acquire;
	struct rec_LOCK_RELEASE release;
	struct rec_LOCK_FOLD fold;
	struct rec_SYNC_BEGIN sync_begin;
	struct rec_SYNC_END sync_end;
	struct rec_PIPE_IO pipe_io;
	struct rec_FILE_LOCK file_lock;
	struct rec_THREAD_ENTRY entry;
	struct rec_REAP reap;
	struct rec_SIG_SEND sig_send;
	struct rec_EXEC exec;
	char bytes[sizeof(struct rec_END_OPEN) + sizeof(struct rec_EXEC) + sizeof(struct rec_MORE)];
};

void shim_expand_done(struct shim_expand *x)
{
	hash_done(&x->handles);
}

static uint64_t handle_key(const struct shim_ring *r, uint64_t handle)
{
	return hash_mix((uint64_t)r->ns_pid << 32, r->image, handle);
}

static void learn_handle(struct shim_expand *x, struct shim_ring *r, const struct shim_slot *s)
{
	struct arena_handle h = {0};

	memcpy(&h, s->payload, s->len < sizeof h ? s->len : sizeof h);
	if (h.tid && h.tid <= UINT32_MAX) {
		if (x->handles.len > 1u << 16)
			hash_done(&x->handles);
		hash_set(&x->handles, handle_key(r, h.handle), (void *)(uintptr_t)h.tid);
	}
}

/* A pthread_t as a tid, 0 if nobody said which thread it is. */
static uint64_t handle_tid(const struct shim_expand *x, const struct shim_ring *r, uint64_t handle)
{
	return (uint64_t)(uintptr_t)hash_get(&x->handles, handle_key(r, handle));
}

static void fill_request(struct shim_expand *x, struct shim_ring *r, const struct shim_slot *s,
	struct rec_LOCK_REQUEST *rec)
{
	(void)x;
	rec->head.kind = REC_LOCK_REQUEST;
	rec->head.size = sizeof *rec;
	rec->addr = s->addr;
	rec->kind = s->lock;
	rec->type = arena_type(s->aux);
	rec->mode = arena_mode(s->aux);
	rec->timed = s->aux & ARENA_AUX_TIMED ? 1 : 0;
	rec->site = s->site;
	r->request_addr = s->addr;
	r->request_ts = s->ts;
}

static void fill_acquire(struct shim_expand *x, struct shim_ring *r, const struct shim_slot *s,
	struct rec_LOCK_ACQUIRE *rec)
{
	rec->head.kind = REC_LOCK_ACQUIRE;
	rec->head.size = sizeof *rec;
	rec->addr = s->addr;
	rec->kind = s->lock;
	rec->type = arena_type(s->aux);
	rec->mode = arena_mode(s->aux);
	rec->attempt = arena_attempt(s->aux);
	rec->result = s->slot == ARENA_BUSY ? EBUSY : 0;
	rec->request = rec->head.ts;
	if (s->slot == ARENA_ACQUIRED && r->request_addr == s->addr && r->request_ts <= s->ts)
		rec->request = shim_clock_mono(x->clock, r->request_ts);
	rec->site = s->site;
}

static void fill_release(const struct shim_slot *s, struct rec_LOCK_RELEASE *rec)
{
	rec->head.kind = REC_LOCK_RELEASE;
	rec->head.size = sizeof *rec;
	rec->addr = s->addr;
	rec->kind = s->lock;
	rec->result = s->slot == ARENA_REFUSED ? s->aux : 0;
	rec->site = s->site;
}

static void fill_sem(const struct shim_slot *s, struct rec_SYNC_END *rec)
{
	rec->head.kind = REC_SYNC_END;
	rec->head.size = sizeof *rec;
	rec->op = s->slot == ARENA_POST ? SYNC_SEM_POST
		  : s->aux & 1          ? SYNC_SEM_TRYWAIT
					: SYNC_SEM_WAIT;
	rec->addr = s->addr;
	rec->start = rec->head.ts;
	rec->value = s->aux >> 1;
	rec->site = s->site;
}

/* Times in fields, and threads by their handle. */
static void translate(struct shim_expand *x, struct shim_ring *r, union record *rec)
{
	switch (rec->head.kind) {
	case REC_LOCK_ACQUIRE:
		rec->acquire.request = rec->head.ts;
		if (rec->acquire.attempt != LOCK_TRY && r->request_addr == rec->acquire.addr)
			rec->acquire.request = shim_clock_mono(x->clock, r->request_ts);
		break;
	case REC_SYNC_BEGIN:
		rec->sync_begin.target = handle_tid(x, r, rec->sync_begin.target);
		break;
	case REC_SYNC_END:
		rec->sync_end.target = handle_tid(x, r, rec->sync_end.target);
		rec->sync_end.start = rec->sync_end.start
					      ? shim_clock_mono(x->clock, rec->sync_end.start)
					      : rec->head.ts;
		break;
	case REC_PIPE_IO:
		rec->pipe_io.start = shim_clock_mono(x->clock, rec->pipe_io.start);
		break;
	case REC_FILE_LOCK:
		rec->file_lock.start = shim_clock_mono(x->clock, rec->file_lock.start);
		break;
	default:
		break;
	}
}

/*
 * Numbers of a nested PID namespace in fields. False: they are not known; a
 * process then shows up by what it records itself.
 */
static bool translate_pids(
	struct shim_expand *x, struct shim_ring *r, union record *rec, bool other_task)
{
	uint32_t pid;

	if (other_task && rec->head.pid != r->ns_pid)
		return false;
	rec->head.pid = r->pid;
	rec->head.tid = r->tid;
	switch (rec->head.kind) {
	case REC_FORK:
		return false;
	case REC_REAP:
		pid = shim_ns_pid(x->ns, r->pidns, (uint32_t)rec->reap.child_pid);
		rec->reap.child_pid = pid;
		return pid != 0;
	case REC_SIG_SEND:
		pid = shim_ns_pid(x->ns, r->pidns, (uint32_t)rec->sig_send.target_pid);
		rec->sig_send.target_pid = rec->sig_send.target_tid = pid;
		return pid != 0;
	case REC_EXEC:
		rec->exec.old_tid = r->tid;
		return true;
	default:
		return true;
	}
}

static bool fill_raw(
	struct shim_expand *x, struct shim_ring *r, const struct shim_slot *s, union record *rec)
{
	size_t size = record_size(s->rec_kind), task = s->aux & ARENA_AUX_TASK ? 8 : 0;

	if (s->rec_kind == ARENA_KIND_HANDLE)
		learn_handle(x, r, s);
	if (s->rec_kind == ARENA_KIND_HANDLE || s->rec_kind == ARENA_KIND_NOTHING)
		return false;
	if (size == 0 || size > sizeof *rec || s->len < task ||
		s->len - task > size - sizeof rec->head) {
		x->malformed++;
		return false;
	}
	if (task) {
		memcpy(&rec->head.pid, s->payload, 4);
		memcpy(&rec->head.tid, s->payload + 4, 4);
	}
	memcpy(&rec->head + 1, s->payload + task, s->len - task);
	rec->head.kind = (rec_u16)s->rec_kind;
	rec->head.size = (rec_u16)size;
	translate(x, r, rec);
	return !x->tasks || r->pid == r->ns_pid || translate_pids(x, r, rec, task);
}

/* Emits a record that is complete. */
static void hand_on(
	struct shim_expand *x, struct shim_ring *r, union record *rec, source_emit *emit, void *arg)
{
	/* Beside kernel probes the model knows who has these numbers; it needs nothing but locks from us. */
	if (!x->tasks && r->pidns && x->ns->own && r->pidns != x->ns->own) {
		if (rec->head.kind == REC_MODULE || rec->head.kind == REC_COMM)
			return;
		rec->head.flags |= REC_INNER;
		rec->head.pid = r->ns_pid;
		rec->head.tid = r->ns_tid;
	}
	if (x->tasks)
		shim_tasks_emit(x->tasks, r, shim_ns_pid(x->ns, r->pidns, (uint32_t)r->parent),
			&rec->head, emit, arg);
	else
		emit(arg, &rec->head);
}

void shim_expand_fold(struct shim_expand *x, struct shim_ring *r, const struct shim_fold *f,
	uint64_t floor, source_emit *emit, void *arg)
{
	union record rec = {
		.fold = {.head = {REC_LOCK_FOLD, sizeof rec.fold, REC_SHIM, 0, r->pid, r->tid}}};
	struct rec_LOCK_FOLD *l = &rec.fold;
	unsigned aux = (unsigned)(f->take >> 56);
	uint64_t first = shim_clock_mono(x->clock, f->first),
		 last = shim_clock_mono(x->clock, f->last), span = last > first ? last - first : 0;
	double slope = f->last > f->first ? (double)span / (double)(f->last - f->first) : 0;

	/* Only its end must not be before what was handed over. */
	l->head.ts = last > floor ? last : floor + 1;
	l->first = l->head.ts - span;
	l->addr = f->take & ARENA_ADDR_MASK;
	l->kind = f->take >> 48 & 15;
	l->type = arena_type(aux);
	l->mode = arena_mode(aux);
	l->attempt = arena_attempt(aux);
	l->result = f->slot == ARENA_BUSY ? EBUSY : 0;
	l->count = f->count;
	l->held = (uint64_t)((double)f->held * slope);
	l->longest = (uint64_t)((double)f->longest * slope);
	l->site = f->take_site & ARENA_ADDR_MASK;
	l->release_site = f->give_site & ARENA_ADDR_MASK;
	hand_on(x, r, &rec, emit, arg);
}

void shim_expand(struct shim_expand *x, struct shim_ring *r, const struct shim_slot *slot,
	uint64_t floor, source_emit *emit, void *arg)
{
	uint64_t ts = shim_clock_mono(x->clock, slot->ts);
	union record rec;
	bool ok = true;

	memset(&rec, 0, slot->slot == ARENA_RAW ? sizeof rec : sizeof rec.acquire);
	rec.head.ts = ts > floor ? ts : floor + 1;
	rec.head.flags = REC_SHIM;
	rec.head.pid = r->pid;
	rec.head.tid = r->tid;
	switch (slot->slot) {
	case ARENA_ACQUIRE:
	case ARENA_ACQUIRED:
	case ARENA_BUSY:
		fill_acquire(x, r, slot, &rec.acquire);
		break;
	case ARENA_REQUEST:
		fill_request(x, r, slot, &rec.request);
		break;
	case ARENA_RELEASE:
	case ARENA_REFUSED:
		fill_release(slot, &rec.release);
		break;
	case ARENA_POST:
	case ARENA_TAKE:
		fill_sem(slot, &rec.sync_end);
		break;
	case ARENA_RAW:
		ok = fill_raw(x, r, slot, &rec);
		break;
	default:
		x->malformed++;
		ok = false;
	}
	if (ok)
		hand_on(x, r, &rec, emit, arg);
}
