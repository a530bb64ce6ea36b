/* import.c - what a look from outside saw of tasks without a thread (goroutines) becomes a part of the recording. */
/* SPDX-License-Identifier: MIT */
/*
 * Goroutines come and go, thousands of them, and no probe tells. A recording gets them when it needs them: those of a
 * process of which some threads were found stuck. What is known of them is as old as the last look; the verdict from the
 * recording alone therefore takes them for live (verdict/graph/state.c), and says nothing about them itself.
 */
#include "tracer/detect/import.h"

#include <stdlib.h>

#include "base/buf.h"
#include "base/hash.h"
#include "base/mem.h"
#include "schema/query.h"
#include "schema/record.h"
#include "verdict/verdict.h"

enum { MOST = 256 /* tasks of one process besides those of a set */ };

/* A task of the recording, and of the looks. */
struct told {
	pid_t pid, tid;
	unsigned seen;    /* number of the look that saw it last */
	bool is_recorded; /* under this number */
};

struct import {
	struct hash told;   /* by process and name, owned */
	struct hash now;    /* those of the last look, by the number that they have there */
	struct hash wanted; /* numbers of this look's tasks and threads that are members of a set */
	struct hash
		stuck; /* processes of this look with such a member; how many tasks of each were told besides */
	struct hash read; /* processes whose runtime this look has read */
	pid_t next;
	unsigned looks;
};

struct import *import_new(void)
{
	struct import *im = xcalloc(1, sizeof *im);

	im->next = (pid_t)RUNTIME_TASK_FIRST;
	return im;
}

static void forget_look(struct import *im)
{
	hash_done(&im->now);
	hash_done(&im->wanted);
	hash_done(&im->stuck);
	hash_done(&im->read);
	im->now = im->wanted = im->stuck = im->read = (struct hash){0};
}

void import_free(struct import *im)
{
	struct hash_slot *slot;

	if (!im)
		return;
	for (size_t pos = 0; (slot = hash_next(&im->told, &pos));)
		free(slot->value);
	hash_done(&im->told);
	forget_look(im);
	free(im);
}

pid_t import_tid(const struct import *im, pid_t tid)
{
	const struct told *told = hash_get(&im->now, (uint64_t)tid);

	return told ? told->tid : 0;
}

static void note_member(struct import *im, struct sqlite3 *db, const struct finding_member *m)
{
	_cleanup_buf_ struct buf why = BUF_INIT;
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	int rc = query_open(db,
		"SELECT t.tid, p.pid FROM thread t JOIN process p ON p.id = t.process_id WHERE t.id = ?1",
		&stmt, &why);

	if (rc)
		return;
	query_bind_int(stmt, 1, m->thread_id);
	if (query_step(stmt, &why) <= 0)
		return;
	(void)hash_set(&im->wanted, (uint64_t)query_int(stmt, 0, 0), im);
	if (!hash_get(&im->stuck, (uint64_t)query_int(stmt, 1, 0)))
		(void)hash_set(&im->stuck, (uint64_t)query_int(stmt, 1, 0), (void *)(uintptr_t)1);
}

/* Says whether a task is wanted: a member of a set, or of a process that has one, as long as these are not too many. */
static bool is_wanted(struct import *im, const struct rec_RUNTIME_NAME *r)
{
	uintptr_t n = (uintptr_t)hash_get(&im->stuck, r->head.pid);

	if (hash_get(&im->wanted, r->head.tid))
		return true;
	if (!n || n > MOST)
		return false;
	(void)hash_set(&im->stuck, r->head.pid, (void *)(n + 1));
	return true;
}

/* Finds out which tasks of the look are to be told, and as whom. */
static void choose(struct import *im, const struct rec_RUNTIME_NAME *r)
{
	uint64_t key = hash_mix(r->head.pid, hash_bytes(r->name, sizeof r->name), 1);
	struct told *told = hash_get(&im->told, key);

	(void)hash_set(&im->read, r->head.pid, im);
	/* What only stands for others has no number ("timers"). */
	if (r->head.tid < RUNTIME_TASK_FIRST || !memchr(r->name, ' ', sizeof r->name) ||
		!strncmp(r->name, "threads ", 8) || (!told && !is_wanted(im, r)))
		return;
	if (!told) {
		told = xcalloc(1, sizeof *told);
		*told = (struct told){.pid = (pid_t)r->head.pid, .tid = im->next++};
		(void)hash_set(&im->told, key, told);
	}
	told->seen = im->looks;
	told->is_recorded = true;
	(void)hash_set(&im->now, r->head.tid, told);
}

/* Emits one record of the look if it is of a task that is told, or of a thread that is a member. */
static void pass_on(
	struct import *im, const struct rec_head *rec, uint64_t ts, source_emit *emit, void *arg)
{
	const struct told *told = hash_get(&im->now, rec->tid);
	_cleanup_free_ struct rec_head *copy = xmalloc(rec->size);

	if (!told && !(rec->kind == REC_RUNTIME_NAME && rec->tid < RUNTIME_TASK_FIRST &&
			     hash_get(&im->wanted, rec->tid)))
		return;
	memcpy(copy, rec, rec->size);
	copy->ts = ts;
	copy->tid = told ? (rec_u32)told->tid : rec->tid;
	if (rec->kind == REC_FOUND)
		((struct rec_FOUND *)(void *)copy)->start_ts = ts;
	emit(arg, copy);
}

/* Tasks that a look no longer sees have ended, or have a thread now. */
static void end_others(struct import *im, uint64_t ts, source_emit *emit, void *arg)
{
	struct hash_slot *slot;

	for (size_t pos = 0; (slot = hash_next(&im->told, &pos));) {
		struct told *told = slot->value;
		struct rec_EXIT r = {.head = {.kind = REC_EXIT,
					     .size = sizeof r,
					     .ts = ts,
					     .pid = (rec_u32)told->pid,
					     .tid = (rec_u32)told->tid}};

		if (told->seen == im->looks || !told->is_recorded ||
			!hash_get(&im->read, (uint64_t)told->pid))
			continue;
		emit(arg, &r.head);
		/* Seen again, it is another one. */
		told->tid = im->next++;
		told->is_recorded = false;
	}
}

static const struct rec_head *record_at(const struct buf *b, size_t at)
{
	return at < b->len ? (const void *)(b->data + at) : NULL;
}

void import_emit(struct import *im, const struct import_look *look, source_emit *emit, void *arg)
{
	const struct rec_head *rec;

	forget_look(im);
	im->looks++;
	for (size_t i = 0; i < look->found->n; i++)
		for (size_t k = 0; k < look->found->list[i].n_members; k++)
			note_member(im, look->db, &look->found->list[i].members[k]);
	for (size_t at = 0; (rec = record_at(look->records, at)) != NULL; at += rec->size)
		if (rec->kind == REC_RUNTIME_NAME)
			choose(im, (const void *)rec);
	for (size_t at = 0; (rec = record_at(look->records, at)) != NULL; at += rec->size)
		pass_on(im, rec, look->ts, emit, arg);
	end_others(im, look->ts, emit, arg);
}
