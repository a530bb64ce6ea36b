/* details.c - what only a look from outside shows of threads that seem to be stuck. */
/* SPDX-License-Identifier: MIT */
#include "tracer/detect/details.h"

#include <dirent.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/hash.h"
#include "base/mem.h"
#include "schema/query.h"
#include "schema/record.h"
#include "schema/waits.h"
#include "tracer/detect/language.h"
#include "tracer/symbols/symbols.h"
#include "tracer/snapshot/snapshot.h"

enum {
	MAX_FRAMES = 32,
	TITLED_MAX = 10000,  /* waits that are remembered */
	LONGEST_RECORD = 512 /* of those that are copied here */
};

struct details {
	struct languages *languages;
	struct symbols *symbols;
	struct registers *registers; /* of this look, NULL: nobody has needed them */
	struct hash mapped;          /* processes whose mappings have been read */
	struct hash asked;           /* processes whose buffers have been looked at */
	struct hash files;           /* what is named in files from which code is run */
	struct hash titled;          /* waits during which the process was asked for its title */
};

/* Gives the records of another module the model's current time. */
struct stamp {
	uint64_t ts;
	source_emit *emit;
	void *arg;
};

static void emit_stamped(void *arg, const struct rec_head *rec)
{
	const struct stamp *s = arg;
	_Alignas(8) char copy[LONGEST_RECORD];

	if (rec->size > sizeof copy)
		return;
	memcpy(copy, rec, rec->size);
	((struct rec_head *)(void *)copy)->ts = s->ts;
	s->emit(s->arg, (const struct rec_head *)(const void *)copy);
}

struct details *details_new(struct symbols *symbols)
{
	struct details *d = xcalloc(1, sizeof *d);

	d->symbols = symbols;
	d->languages = languages_new(symbols);
	return d;
}

void details_free(struct details *d)
{
	if (!d)
		return;
	hash_done(&d->mapped);
	hash_done(&d->asked);
	hash_done(&d->files);
	hash_done(&d->titled);
	languages_free(d->languages);
	free(d);
}

static struct rec_head task_head(
	enum rec_kind kind, size_t size, const struct stamp *stamp, pid_t pid, pid_t tid)
{
	return (struct rec_head){.kind = (rec_u16)kind,
		.size = (rec_u16)size,
		.ts = stamp->ts,
		.pid = (rec_u32)pid,
		.tid = (rec_u32)tid};
}

/* Walks a stack; where that lacks registers which /proc does not show, with those that the kernel tells. */
static int unwind(
	struct details *d, int64_t process, pid_t pid, pid_t tid, struct symbols_frame *ret)
{
	bool lacks = false;
	struct symbols_registers at = {.nr = -1, .lacks = &lacks};
	int rc = symbols_registers_read(pid, tid, &at), n;

	if (rc)
		return rc;
	n = symbols_unwind_from(d->symbols, process, pid, &at, ret, MAX_FRAMES);
	if (n <= 0 || !lacks)
		return n;
	if (!d->registers)
		d->registers = registers_read();
	if (registers_complete(d->registers, tid, &at))
		n = symbols_unwind_from(d->symbols, process, pid, &at, ret, MAX_FRAMES);
	return n;
}

/* Records the stack of a thread, and which of its frames is the innermost of the program's own. */
static void find_stack(
	struct details *d, int64_t process, pid_t pid, pid_t tid, struct stamp *stamp)
{
	struct symbols_frame frames[MAX_FRAMES];
	int n = unwind(d, process, pid, tid, frames);
	bool has_site = false;

	for (int i = 0; i < n; i++) {
		const struct symbols_frame *f = &frames[i];
		struct rec_WAIT_FRAME r = {
			.head = task_head(REC_WAIT_FRAME, sizeof r, stamp, pid, tid),
			.depth = (rec_u64)i,
			.addr = f->addr,
			.is_return = f->is_return,
			.library =
				symbols_is_library(d->symbols, process, f->addr + !f->is_return)};

		stamp->emit(stamp->arg, &r.head);
		if (has_site || r.library || !symbols_is_mapped(d->symbols, process, f->addr))
			continue;
		has_site = true;
		stamp->emit(stamp->arg,
			&(struct rec_WAIT_SITE){
				.head = task_head(REC_WAIT_SITE, sizeof(struct rec_WAIT_SITE),
					stamp, pid, tid),
				.site = f->addr}
				 .head);
	}
}

/*
 * The preload library does not see a ring that a library with system calls of its own (liburing) sets up,
 * nor one that was passed on: its descriptor is looked for in each process that waits.
 */
static void find_ring(pid_t pid, const struct stamp *stamp)
{
	int fd = snapshot_uring(pid);
	struct rec_URING r = {.head = {.kind = REC_URING,
				      .size = sizeof r,
				      .ts = stamp->ts,
				      .pid = (rec_u32)pid,
				      .tid = (rec_u32)pid},
		.fd = (rec_u64)(int64_t)fd};

	if (fd >= 0)
		stamp->emit(stamp->arg, &r.head);
}

/* Which libraries a process has loaded is known when its threads wait. */
static void find_cancels(struct details *d, pid_t pid, const struct stamp *stamp)
{
	struct rec_CANCELS r = {.head = task_head(REC_CANCELS, sizeof r, stamp, pid, pid),
		.how = snapshot_cancels(pid, &d->files)};

	stamp->emit(stamp->arg, &r.head);
}

/*
 * The preload library alone does not see threads that the C library makes for itself (mq_notify, aio_read): who is there
 * besides those that are known may end any wait.
 */
static void find_threads(
	struct sqlite3 *db, int64_t process, pid_t pid, const struct stamp *stamp, struct buf *why)
{
	static const char unseen_sql[] =
		"SELECT (SELECT backend FROM trace) = 'shim' AND coalesce(ns_pid, pid) = pid"
		" FROM process WHERE id = ?1";
	static const char known_sql[] = "SELECT 1 FROM thread WHERE process_id = ?1 AND tid = ?2";
	char path[32];
	struct dirent *e;
	DIR *tasks;

	if (!query_number(db, unseen_sql, process, 0, why))
		return;
	(void)snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
	tasks = opendir(path);
	while (tasks && (e = readdir(tasks)) != NULL) {
		pid_t tid = atoi(e->d_name);
		struct rec_FOUND r = {.head = task_head(REC_FOUND, sizeof r, stamp, pid, tid),
			.ns_pid = (rec_u64)pid,
			.ns_tid = (rec_u64)tid};

		if (tid > 0 && !query_pair(db, known_sql, process, tid, 0, why))
			stamp->emit(stamp->arg, &r.head);
	}
	if (tasks)
		(void)closedir(tasks);
}

/* A main thread that has just blocked a moment before is not asked for its title again, and the preload library never asks. */
static void find_title(pid_t pid, const struct stamp *stamp)
{
	struct rec_TITLE r = {.head = task_head(REC_TITLE, sizeof r, stamp, pid, pid)};

	if (snapshot_title(pid, r.title, sizeof r.title))
		stamp->emit(stamp->arg, &r.head);
}

static bool is_traced(struct sqlite3 *db, pid_t pid, struct buf *why)
{
	return query_number(
		db, "SELECT 1 FROM process WHERE pid = ?1 AND end_ns IS NULL", pid, 0, why);
}

static void emit_map(
	const struct stamp *stamp, pid_t pid, uint64_t dev, uint64_t inode, rec_u64 outside)
{
	struct rec_SHARED_MAP r = {.head = task_head(REC_SHARED_MAP, sizeof r, stamp, pid, pid),
		.dev = dev,
		.inode = inode,
		.outside = outside};

	stamp->emit(stamp->arg, &r.head);
}

/* Records who maps one file in which somebody waits. */
static void find_mappers(struct sqlite3 *db, const struct stamp *stamp, uint64_t dev,
	uint64_t inode, struct buf *why)
{
	_cleanup_free_ pid_t *mappers = NULL;
	size_t n = snapshot_mappers(dev, inode, &mappers), outside = 0;

	for (size_t i = 0; i < n; i++) {
		bool is_outside = !is_traced(db, mappers[i], why);

		emit_map(stamp, mappers[i], dev, inode, is_outside);
		outside += is_outside;
	}
	/* As long as it has a name, somebody who is not there yet can reach it. */
	if (n && !outside)
		emit_map(stamp, mappers[0], dev, inode,
			snapshot_is_named(mappers[0], dev, inode) ? 1 : 2);
}

/* Records who else maps what somebody waits on: a process may reach a lock that it has not used yet. */
static int find_users(struct sqlite3 *db, const struct stamp *stamp, struct buf *why)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	int rc = query_open(db,
		"SELECT DISTINCT l.dev, l.inode FROM wait w JOIN lock l ON l.id = w.lock_id"
		" WHERE w.end_ns IS NULL AND l.pshared = 1 AND l.inode IS NOT NULL LIMIT 16",
		&stmt, why);

	while (!rc && (rc = query_step(stmt, why)) > 0) {
		find_mappers(db, stamp, (uint64_t)query_int(stmt, 0, 0),
			(uint64_t)query_int(stmt, 1, 0), why);
		rc = 0;
	}
	return query_failed(rc, why);
}

/* Records which FIFOs that somebody waits for have lost their names: nobody else comes to those. One who has it is asked. */
static int find_unnamed(struct sqlite3 *db, const struct stamp *stamp, struct buf *why)
{
	static const char sql[] =
		"SELECT f.dev, f.inode, e.fd, e.mode = 'r', e.mode = 'w', e.cloexec, min(p.pid) FROM pipe f"
		" JOIN pipe_end e ON e.pipe_id = f.id AND e.close_ns IS NULL AND e.fd IS NOT NULL"
		" JOIN process p ON p.id = e.process_id AND p.end_ns IS NULL"
		" WHERE f.kind = 'fifo' AND NOT f.unnamed AND f.id IN (SELECT pipe_id FROM wait WHERE end_ns IS NULL"
		"  UNION SELECT o.pipe_id FROM wait w JOIN wait_on o ON o.wait_id = w.id WHERE w.end_ns IS NULL)"
		" GROUP BY f.id LIMIT 16";
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	int rc = query_open(db, sql, &stmt, why);

	while (!rc && (rc = query_step(stmt, why)) > 0) {
		pid_t pid = (pid_t)query_int(stmt, 6, 0);
		int fd = (int)query_int(stmt, 2, 0);
		struct rec_END_OPEN r = {.head = task_head(REC_END_OPEN, sizeof r, stamp, pid, pid),
			.kind = PIPE_FIFO,
			.dev = (uint64_t)query_int(stmt, 0, 0),
			.inode = (uint64_t)query_int(stmt, 1, 0),
			.fd = (uint64_t)fd,
			.mode = END_UNNAMED | (query_int(stmt, 4, 0) ? 0 : END_READ) |
				(query_int(stmt, 3, 0) ? 0 : END_WRITE),
			.via = END_FOUND,
			.cloexec = query_int(stmt, 5, 0) != 0};

		if (snapshot_is_unnamed_fifo(pid, fd))
			stamp->emit(stamp->arg, &r.head);
		rc = 0;
	}
	return query_failed(rc, why);
}

static bool needs_output(const struct wait_info *info)
{
	return info->needs_output;
}

int details_read(struct details *d, struct sqlite3 *db, uint64_t ts, source_emit *emit, void *arg,
	struct buf *why)
{
	static const char sql[] =
		"SELECT p.id, p.pid, t.tid, w.stack_id IS NULL, w.reason IN (@reasons), w.id,"
		" coalesce(p.exe, '')"
		" FROM wait w JOIN thread t ON t.id = w.thread_id JOIN process p ON p.id = t.process_id"
		" WHERE w.end_ns IS NULL AND t.end_ns IS NULL AND p.end_ns IS NULL ORDER BY p.id LIMIT 1000";
	_cleanup_free_ char *text = wait_sql(sql, needs_output);
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	struct stamp stamp = {ts, emit, arg};
	pid_t last = 0;
	int rc;

	languages_begin(d->languages);
	if (!db)
		return 0;
	rc = find_users(db, &stamp, why);
	if (!rc)
		rc = find_unnamed(db, &stamp, why);
	if (!rc)
		rc = query_open(db, text, &stmt, why);
	while (!rc && (rc = query_step(stmt, why)) > 0) {
		int64_t process = query_int(stmt, 0, 0);
		pid_t pid = (pid_t)query_int(stmt, 1, 0), tid = (pid_t)query_int(stmt, 2, 0);

		if (pid != last) {
			find_ring(pid, &stamp);
			find_cancels(d, pid, &stamp);
			find_threads(db, process, pid, &stamp, why);
			find_title(pid, &stamp);
		}
		last = pid;
		/* Not every mapping was seen to come: what is missing is read now. */
		if (!hash_set(&d->mapped, (uint64_t)process, d))
			(void)symbols_map_proc(d->symbols, process, pid);
		if (query_int(stmt, 3, 0))
			find_stack(d, process, pid, tid, &stamp);
		languages_suspect(d->languages,
			&(struct language_process){process, pid, query_text(stmt, 6)},
			&(struct language_output){ts, emit, arg});
		if (query_int(stmt, 4, 0) && !hash_set(&d->asked, (uint64_t)process, d))
			(void)unflushed_find(d->symbols, process, tid, emit_stamped, &stamp);
		rc = 0;
	}
	registers_free(d->registers);
	d->registers = NULL;
	return rc;
}

/* Asks for the title of each process in which a wait has lasted, once in each such wait. */
static int find_titles(struct details *d, struct sqlite3 *db, int64_t watch_ns,
	const struct stamp *stamp, struct buf *why)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	int rc = query_one(db,
		"SELECT w.id, p.pid FROM wait w JOIN thread t ON t.id = w.thread_id"
		" JOIN process p ON p.id = t.process_id WHERE w.end_ns IS NULL AND t.end_ns IS NULL"
		" AND w.start_ns <= (SELECT duration_ns FROM trace) - ?1 LIMIT 1000",
		watch_ns, &stmt, why);

	if (d->titled.len > TITLED_MAX)
		hash_done(&d->titled);
	for (; rc > 0; rc = query_step(stmt, why))
		if (!hash_set(&d->titled, (uint64_t)query_int(stmt, 0, 0), d))
			find_title((pid_t)query_int(stmt, 1, 0), stamp);
	return rc;
}

struct buf *details_blind(struct details *d)
{
	return languages_blind(d->languages);
}

uint64_t details_owed(const struct details *d)
{
	return languages_owed(d->languages);
}

int details_waits(struct details *d, struct sqlite3 *db, int64_t watch_ns, uint64_t ts,
	source_emit *emit, void *arg, bool *ret_any, struct buf *why)
{
	int rc = db ? find_titles(d, db, watch_ns, &(struct stamp){ts, emit, arg}, why) : 0;

	if (rc)
		return rc;
	return languages_read(
		d->languages, db, watch_ns, &(struct language_output){ts, emit, arg}, ret_any, why);
}
