/* state.c - who is alive and who waits for what, at one moment. */
/* SPDX-License-Identifier: MIT */
#include "verdict/graph/state.h"

#include "base/buf.h"
#include "schema/names.h"
#include "schema/query.h"
#include "schema/record.h"
#include "schema/version.h"

#include <errno.h>
#include <signal.h>

static void remember(struct hash *h, int64_t id, size_t index)
{
	(void)hash_set(h, (uint64_t)id, (void *)(uintptr_t)(index + 1));
}

/* Losses of these kinds cannot make a blocked thread look blocked when it is not. */
static const char lost_sql[] =
	"SELECT sum(count) FROM lost WHERE kind NOT IN ('pipe_io','sched','sample','more','comm',"
	"'module','stdio','PIPE_IO','PIPE_FOLD','SCHED','SAMPLE','MORE','COMM','MODULE','STDIO')"
	/* A thread that was killed while it recorded what it did does nothing any more. */
	" AND source <> 'shim: interrupted for good'";

static int load_trace(struct state *st, struct buf *why)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	int rc = query_one(st->db, "SELECT backend, duration_ns, lost FROM trace", 0, &stmt, why);

	if (rc < 0)
		return rc;
	st->last_ns = INT64_MAX;
	if (rc) {
		st->instant = !strcmp(query_text(stmt, 0), "snapshot");
		st->last_ns = query_int(stmt, 1, INT64_MAX);
		st->lost = query_int(stmt, 2, 0) && query_number(st->db, lost_sql, 0, 0, why) > 0;
	}
	st->now_ns = st->at_ns < st->last_ns ? st->at_ns : st->last_ns;
	return 0;
}

/* Says whether a program is a shell whose wait sleeps until SIGCHLD comes, not in waitpid. */
static bool is_ash(const char *exe)
{
	const char *slash = strrchr(exe, '/'), *file = slash ? slash + 1 : exe;

	return !strcmp(file, "dash") || !strcmp(file, "busybox") || !strcmp(file, "ash") ||
	       /* By whatever name: bash, too, but that waits in waitpid. */
	       !strcmp(file, "sh");
}

static void add_process(struct state *st, sqlite3_stmt *stmt, bool alive)
{
	struct state_process *p;
	int64_t id = query_int(stmt, 0, 0);

	if (state_process(st, id) != STATE_NONE)
		return;
	ARRAY_GROW(st->processes, st->n_processes, st->cap_processes);
	p = &st->processes[st->n_processes];
	*p = (struct state_process){.id = id,
		.parent_id = query_int(stmt, 1, 0),
		.end_ns = query_int(stmt, 2, INT64_MAX),
		.reopens = (unsigned)query_int(stmt, 3, 0),
		.memory_id = query_int(stmt, 4, id),
		.uring = query_int(stmt, 5, 0) != 0,
		.first = STATE_NONE,
		.parent = STATE_NONE,
		.child = STATE_NONE,
		.sibling = STATE_NONE,
		.alive = alive};
	st->shares_memory = st->shares_memory || p->memory_id != id;
	if (alive) {
		p->hooks = (enum hooks)query_int(stmt, 8, 0);
		p->runtime = state_runtime_signals(query_text(stmt, 6), p->hooks);
		p->is_python = state_is_python(query_text(stmt, 6));
		p->is_ash = is_ash(query_text(stmt, 6));
		p->collects = !strcmp(query_text(stmt, 7), "go");
		p->cancels = (unsigned)query_int(stmt, 9, 0);
		p->is_java = !strcmp(query_text(stmt, 7), "java");
		p->is_node = !strcmp(query_text(stmt, 7), "node");
		p->interrupts = !strcmp(query_text(stmt, 7), "ruby");
	}
	remember(&st->process_by_id, id, st->n_processes++);
}

/* Climbs from a process to the nearest ancestor that is alive: whoever adopts orphans within the trace is among them. */
static uint32_t living_ancestor(const struct state *st, int64_t parent_id)
{
	enum { GENERATIONS = 64 }; /* a damaged file may hold a cycle of parents */

	for (int i = 0; parent_id && i < GENERATIONS; i++) {
		uint32_t p = state_process(st, parent_id);

		if (p != STATE_NONE && st->processes[p].alive)
			return p;
		parent_id = query_number(st->db, "SELECT parent_id FROM process WHERE id = ?1",
			parent_id, 0, st->why);
	}
	return STATE_NONE;
}

static void add_child(struct state *st, uint32_t child)
{
	struct state_process *p = &st->processes[child];

	p->parent = living_ancestor(st, p->parent_id);
	if (p->parent == STATE_NONE || p->parent == child)
		return;
	/* What ended after its parent did is reaped outside. */
	if (!p->alive) {
		struct state_process *parent = &st->processes[p->parent];

		if (parent->id == p->parent_id) {
			parent->has_zombie = true;
			parent->zombie_ns =
				p->end_ns > parent->zombie_ns ? p->end_ns : parent->zombie_ns;
		}
		return;
	}
	p->sibling = st->processes[p->parent].child;
	st->processes[p->parent].child = child;
}

#define PROCESSES(cancels)                                                                         \
	"SELECT id, parent_id, end_ns, reopens, memory_id, uring, " QUERY_INTERPRETER(             \
		"process") ", coalesce(language, ''),"                                             \
			   " hooks, " cancels " FROM process WHERE @open"

static int load_processes(struct state *st, struct buf *why)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL, *dead = NULL;
	int rc = state_query(st,
		version_has(st->db, "process.cancels") ? PROCESSES("cancels") : PROCESSES("0"),
		"start_ns", "end_ns", &stmt, why);

	if (rc)
		return rc;
	while ((rc = query_step(stmt, why)) > 0)
		add_process(st, stmt, true);
	if (rc)
		return rc;
	rc = query_one(st->db,
		"SELECT id, parent_id, end_ns FROM process WHERE end_ns <= ?1"
		" AND (reaped_ns IS NULL OR reaped_ns > ?1) AND autoreap IS NOT 1",
		st->at_ns, &dead, why);
	for (; rc > 0; rc = query_step(dead, why))
		add_process(st, dead, false);
	for (size_t i = 0; i < st->n_processes; i++)
		add_child(st, (uint32_t)i);
	return rc;
}

static int load_threads(struct state *st, struct buf *why)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	int rc = state_query(st,
		"SELECT id, process_id, end_ns, cut_short, housekeeping, is_main, tid FROM thread WHERE @open ORDER BY id",
		"start_ns", "end_ns", &stmt, why);

	if (rc)
		return rc;
	while ((rc = query_step(stmt, why)) > 0) {
		uint32_t p = state_process(st, query_int(stmt, 1, 0));
		struct state_thread *t;

		if (p == STATE_NONE || !st->processes[p].alive)
			continue;
		ARRAY_GROW(st->threads, st->n_threads, st->cap_threads);
		t = &st->threads[st->n_threads];
		*t = (struct state_thread){.id = query_int(stmt, 0, 0),
			.process = p,
			.next = st->processes[p].first,
			.end_ns = query_int(stmt, 2, INT64_MAX),
			.cut_short = query_int(stmt, 3, 0) != 0,
			.housekeeping = query_int(stmt, 4, 0) != 0,
			.is_main = query_int(stmt, 5, 0) != 0,
			.is_task = query_int(stmt, 6, 0) >= (int64_t)RUNTIME_TASK_FIRST,
			.alive = true};
		st->processes[p].has_runtime |= t->housekeeping;
		st->processes[p].has_tasks |= t->is_task;
		st->processes[p].first = (uint32_t)st->n_threads;
		remember(&st->thread_by_id, t->id, st->n_threads++);
	}
	return rc;
}

static struct state_wait read_wait(sqlite3_stmt *stmt)
{
	return (struct state_wait){.id = query_int(stmt, 0, 0),
		.start_ns = query_int(stmt, 2, 0),
		.end_ns = query_int(stmt, 3, INT64_MAX),
		.reason = wait_find(query_text(stmt, 4)),
		.lock_id = query_int(stmt, 5, 0),
		.pipe_id = query_int(stmt, 6, 0),
		.target_process_id = query_int(stmt, 7, 0),
		.target_thread_id = query_int(stmt, 8, 0),
		.timed = query_int(stmt, 9, 0) == 1,
		.repeats = query_int(stmt, 9, 0) == 2,
		.sigmask = (uint64_t)query_int(stmt, 10, 0),
		.shared = !strcmp(query_text(stmt, 11), "s"),
		.exclusive = !strcmp(query_text(stmt, 11), "x"),
		.is_private = !strcmp(query_text(stmt, 11), "p"),
		.continues = strchr(query_text(stmt, 11), 'c') != NULL,
		.replaces = !strcmp(query_text(stmt, 11), "u"),
		.side = query_int(stmt, 12, 0) != 0,
		.target_pgid = query_int(stmt, 13, 0),
		.site_id = query_int(stmt, 14, 0),
		.waker_id = query_int(stmt, 15, 0),
		.stack_id = query_int(stmt, 16, 0),
		.read_ns = query_int(stmt, 17, INT64_MIN),
		.awaits = (uint64_t)query_int(stmt, 18, 0)};
}

/*
 * The C library's own thread that waits for the timers which start threads (SIGEV_THREAD): all signals are blocked but those
 * that it keeps to itself. Nobody but a timer wakes it, and an armed one counts for itself.
 */
static bool serves_timers(const struct state *st, const struct state_wait *w)
{
	const uint64_t open =
		UINT64_C(1) << (SIGKILL - 1) | UINT64_C(1) << (SIGSTOP - 1) | LIBC_SIGNALS;

	return w->reason == WAIT_SIGNAL && w->sigmask == ~open &&
	       query_number(st->db,
		       "SELECT 1 FROM wait WHERE id = ?1 AND syscall = 'rt_sigtimedwait'", w->id, 0,
		       st->why);
}

#define WAITS(awaits)                                                                              \
	"SELECT id, thread_id, start_ns, end_ns, reason, lock_id, pipe_id, target_process_id,"     \
	" target_thread_id, timed, sigmask, mode, side, target_pgid, site_id, waker_id, stack_id," \
	" read_ns, " awaits " FROM wait WHERE @open"

static int load_waits(struct state *st, struct buf *why)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	int rc = state_query(st, version_has(st->db, "wait.awaits") ? WAITS("awaits") : WAITS("0"),
		"start_ns", "end_ns", &stmt, why);

	if (rc)
		return rc;
	while ((rc = query_step(stmt, why)) > 0) {
		uint32_t i = state_thread(st, query_int(stmt, 1, 0));
		struct state_wait w = read_wait(stmt);
		struct state_thread *t;

		if (i == STATE_NONE)
			continue;
		t = &st->threads[i];
		if (t->waits && (w.start_ns < t->wait.start_ns ||
					(w.start_ns == t->wait.start_ns && w.id < t->wait.id)))
			continue;
		t->waits = true;
		t->wait = w;
		/* In a recording what is known of it is old: it may do anything meanwhile. */
		t->wait.timed |= t->is_task && !st->instant;
		t->housekeeping |= serves_timers(st, &w);
	}
	return rc;
}

int state_load(struct state *st, struct sqlite3 *db, int64_t at_ns, bool open_only, struct buf *why)
{
	static int (*const steps[])(struct state *, struct buf *) = {
		load_trace, load_processes, load_threads, load_waits, state_load_signals};
	int rc = 0;

	*st = (struct state){.db = db, .why = why, .at_ns = at_ns, .cut_ns = INT64_MAX};
	for (size_t i = 0; !rc && i < ARRAY_SIZE(steps); i++)
		rc = steps[i](st, why);
	if (!rc)
		rc = state_load_locks(st, open_only || at_ns == STATE_END, why);
	if (!rc)
		rc = state_load_pipes(st, why);
	return rc;
}

void state_done(struct state *st)
{
	free(st->threads);
	free(st->processes);
	free(st->locks);
	free(st->holders);
	free(st->pipes);
	free(st->ends);
	hash_done(&st->thread_by_id);
	hash_done(&st->process_by_id);
	hash_done(&st->lock_by_id);
	hash_done(&st->pipe_by_id);
	*st = (struct state){0};
}
