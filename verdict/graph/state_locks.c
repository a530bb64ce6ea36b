/* state_locks.c - who holds the locks and pipe ends that others wait for, at one moment. */
/* SPDX-License-Identifier: MIT */
#include "verdict/graph/state.h"

#include "base/buf.h"
#include "base/mem.h"
#include "schema/locks.h"
#include "schema/names.h"
#include "schema/query.h"
#include "schema/version.h"
#include "verdict/naming.h"

/* mappers: the column that says when all processes were asked who maps a lock. */
#define LOCK(mappers)                                                                                       \
	"SELECT l.id, l.kind, l.type, l.process_id, l.pshared, l.outside, l.from_birth, l.initial,"         \
	" s.lock_id, s.value, s.last_taker_id, s.cycles, s.foreign_posts, s.max_hold_ns, l.name LIKE '/%'," \
	" " mappers ", coalesce(s.holds, -1), (SELECT e.lock_source = 'shim' FROM exec e"                   \
	" WHERE e.process_id = l.process_id AND e.errno IS NULL ORDER BY e.id DESC LIMIT 1) FROM lock l LEFT JOIN lock_stat s ON s.lock_id = l.id WHERE l.id = ?1"

static void add_lock(struct state *st, sqlite3_stmt *stmt)
{
	const char *type = query_text(stmt, 2);
	struct state_lock *l;

	ARRAY_GROW(st->locks, st->n_locks, st->cap_locks);
	l = &st->locks[st->n_locks];
	*l = (struct state_lock){.id = query_int(stmt, 0, 0),
		.kind = lock_find(query_text(stmt, 1)),
		.robust = strstr(type, "robust") != NULL,
		.is_pi = strstr(type, "+pi") != NULL,
		.reentrant = strstr(type, "recursive") || strstr(type, "errorcheck"),
		.process_id = query_int(stmt, 3, 0),
		.pshared = query_int(stmt, 4, 0) || query_null(stmt, 3),
		.outside = query_int(stmt, 5, 0) != 0,
		.from_birth = query_int(stmt, 6, 1) != 0,
		.initial = query_int(stmt, 7, -1),
		.has_stat = !query_null(stmt, 8),
		.value = query_int(stmt, 9, -1),
		.last_taker_id = query_int(stmt, 10, 0),
		.cycles = query_int(stmt, 11, 0),
		.foreign_posts = query_int(stmt, 12, 0),
		.max_hold_ns = query_int(stmt, 13, INT64_MAX),
		.is_named = query_int(stmt, 14, 0) != 0,
		.mappers_ns = query_int(stmt, 15, INT64_MAX),
		.holds = query_int(stmt, 16, -1),
		.is_recorded = query_int(stmt, 17, 0) != 0,
		.is_pool = naming_type_kind(type) == RUNTIME_KIND_POOL ||
			   naming_type_kind(type) == RUNTIME_KIND_THREAD,
		.is_work =
			strchr(type, '.') && (naming_type_kind(type) == RUNTIME_KIND_WORK ||
						     naming_type_kind(type) == RUNTIME_KIND_POOL),
		.is_result = strchr(type, '.') && (naming_type_kind(type) == RUNTIME_KIND_RESULT ||
							  strstr(type, "Future")),
		.is_polled = !strcmp(type, LOCK_TYPE_GIL),
		.is_ownerless = !strcmp(type, "sync.Mutex") || !strcmp(type, "sync.RWMutex"),
		.is_atomics = !strcmp(type, LOCK_TYPE_ATOMICS),
		.is_never = naming_type_kind(type) == RUNTIME_KIND_NEVER,
		.is_go = !strncmp(type, "sync.", 5) || !strncmp(type, "runtime.", 8),
		.first_holder = STATE_NONE,
		.first_waiter = STATE_NONE};
	(void)hash_set(&st->lock_by_id, (uint64_t)l->id, (void *)(uintptr_t)(++st->n_locks));
}

static int load_waited_locks(struct state *st, struct buf *why)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	int rc = query_open(st->db,
		version_has(st->db, "lock.mappers_ns") ? LOCK("coalesce(l.mappers_ns, -1)")
						       : LOCK("NULL"),
		&stmt, why);

	for (size_t i = 0; !rc && i < st->n_threads; i++) {
		int64_t id = st->threads[i].wait.lock_id;

		if (!st->threads[i].waits || !id || state_lock(st, id) != STATE_NONE)
			continue;
		(void)sqlite3_reset(stmt);
		(void)sqlite3_bind_int64(stmt, 1, id);
		rc = query_step(stmt, why);
		if (rc > 0) {
			add_lock(st, stmt);
			rc = 0;
		}
	}
	return rc;
}

/*
 * A holder that was read from the lock's memory when somebody blocked on it, or
 * later, is the holder still if nobody has been woken from that lock since: a release
 * with a sleeper wakes one. Who does it is seen to have given back what the memory said was his.
 */
static int find_released(struct state *st, struct buf *why)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	_cleanup_free_ int64_t *blocked = xcalloc(st->n_locks + 1, sizeof *blocked);
	bool any = false;
	int rc;

	for (size_t i = 0; i < st->n_holders; i++)
		any = any || st->holders[i].inferred;
	for (size_t i = 0; i < st->n_threads; i++) {
		const struct state_wait *w = &st->threads[i].wait;
		uint32_t l = st->threads[i].waits ? state_lock(st, w->lock_id) : STATE_NONE;

		if (l == STATE_NONE)
			continue;
		any = any || (w->reason == WAIT_LOCK && w->target_thread_id);
		if (w->start_ns > blocked[l])
			blocked[l] = w->start_ns;
		if (w->read_ns > blocked[l])
			blocked[l] = w->read_ns;
	}
	if (!any)
		return 0;
	rc = query_one(st->db,
		"SELECT lock_id, max(end_ns), max(reason = 'lock' AND waker_id = target_thread_id)"
		" FROM wait WHERE lock_id IS NOT NULL AND end_ns <= ?1"
		" GROUP BY lock_id",
		st->at_ns, &stmt, why);
	for (; rc > 0; rc = query_step(stmt, why)) {
		uint32_t l = state_lock(st, query_int(stmt, 0, 0));

		if (l == STATE_NONE)
			continue;
		st->locks[l].stale |= query_int(stmt, 1, 0) >= blocked[l];
		st->locks[l].is_given_back = query_int(stmt, 2, 0) != 0;
	}
	return rc;
}

/* Columns: a process, and the program that it runs. Where that is not known, it stands for itself. */
static uint64_t program_key(sqlite3_stmt *stmt)
{
	const char *exe = query_text(stmt, 1);

	return *exe ? hash_bytes(exe, strlen(exe))
		    : hash_mix((uint64_t)query_int(stmt, 0, 0), 0, 0);
}

/* The programs in which a thread once released a mutex or rwlock that another one had taken. */
static int load_releasers(struct state *st, struct hash *programs, struct buf *why)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	int rc = query_open(st->db,
		"SELECT DISTINCT p.id, p.exe, iif(p.id IS NULL, l.id, 0) FROM lock_stat s JOIN lock l ON l.id = s.lock_id"
		" LEFT JOIN process p ON p.id = l.process_id"
		" WHERE s.foreign_posts > 0 AND l.kind IN ('mutex', 'rwlock')",
		&stmt, why);

	while (!rc && (rc = query_step(stmt, why)) > 0) {
		uint32_t shared = state_lock(st, query_int(stmt, 2, 0));

		rc = 0;
		if (!query_null(stmt, 0))
			(void)hash_set(programs, program_key(stmt), st);
		if (shared != STATE_NONE)
			st->locks[shared].foreign = true;
	}
	return rc;
}

/* A thread that has once released what another one took may do so again, with any lock, and so may others that run the same program. */
static int find_foreign(struct state *st, struct buf *why)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	__attribute__((cleanup(hash_done))) struct hash programs = {0};
	int rc = load_releasers(st, &programs, why);

	if (!rc && programs.len)
		rc = query_open(st->db, "SELECT id, exe FROM process WHERE id = ?1", &stmt, why);
	for (size_t i = 0; !rc && programs.len && i < st->n_locks; i++) {
		(void)sqlite3_reset(stmt);
		query_bind_int(stmt, 1, st->locks[i].process_id);
		rc = query_step(stmt, why);
		if (rc > 0) {
			st->locks[i].foreign |= hash_get(&programs, program_key(stmt)) != NULL;
			rc = 0;
		}
	}
	return rc;
}

static bool is_taken_semaphore(const struct state_lock *l)
{
	return l->kind == LOCK_SEM && l->last_taker_id;
}

/*
 * lock_stat knows who took a semaphore last of all. At a moment before the end that may be who waited for it then, and got it
 * when somebody had interrupted the program.
 */
static int find_takers(struct state *st, struct buf *why)
{
	static const char taken[] = " FROM sync WHERE op IN ('wait', 'trywait') AND result = 0";
	_cleanup_buf_ struct buf later = BUF_INIT, before = BUF_INIT;
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL, *last = NULL;
	_cleanup_free_ bool *taken_later = xcalloc(st->n_locks + 1, sizeof *taken_later);
	bool any = false;
	uint32_t l;
	int rc;

	for (size_t i = 0; i < st->n_locks; i++)
		any = any || is_taken_semaphore(&st->locks[i]);
	if (!any)
		return 0;
	buf_addf(&later, "SELECT DISTINCT lock_id%s AND end_ns > ?1", taken);
	buf_addf(&before,
		"SELECT lock_id, thread_id, max(end_ns)%s AND end_ns <= ?1 GROUP BY lock_id",
		taken);
	rc = query_one(st->db, later.data, st->now_ns, &stmt, why);
	for (any = false; rc > 0; rc = query_step(stmt, why)) {
		l = state_lock(st, query_int(stmt, 0, 0));
		if (l == STATE_NONE || !is_taken_semaphore(&st->locks[l]))
			continue;
		st->locks[l].last_taker_id = 0;
		taken_later[l] = any = true;
	}
	if (!rc && any)
		rc = query_one(st->db, before.data, st->now_ns, &last, why);
	for (; any && rc > 0; rc = query_step(last, why)) {
		l = state_lock(st, query_int(last, 0, 0));
		if (l != STATE_NONE && taken_later[l])
			st->locks[l].last_taker_id = query_int(last, 1, 0);
	}
	return rc;
}

/* open_only: not what was released later. */
int state_load_locks(struct state *st, bool open_only, struct buf *why)
{
	int rc = load_waited_locks(st, why);

	if (rc || !st->n_locks)
		return rc;
	/* The kernel releases file locks when their process ends, and so does lock_hold. */
	for (size_t i = 0; i < st->n_locks; i++)
		open_only = open_only && st->locks[i].kind != LOCK_FILE;
	rc = st->at_ns == STATE_END ? 0 : find_takers(st, why);
	if (!rc)
		rc = state_load_holders(st, open_only, why);
	if (!rc)
		rc = find_foreign(st, why);
	return rc ? rc : find_released(st, why);
}

static const char pipe_sql[] =
	"SELECT kind, outside, created_ns IS NOT NULL, (SELECT attached OR backend = 'snapshot'"
	" FROM trace), sent_ns, inode2 IS NULL, listener_id, inode & 1, %s,"
	/* Of two sockets with one address in a network namespace one alone would get what is sent there. */
	" kind = 'tcp' AND inode2 IS NULL AND local = remote AND (local LIKE '127.%%' OR local LIKE '[::1]%%') FROM pipe WHERE id = ?1";

/* stmt: of pipe_sql; thousands of threads may wait for a pipe each. */
static int add_pipe(struct state *st, sqlite3_stmt *stmt, int64_t id, struct buf *why)
{
	struct state_pipe *p;
	const char *kind;
	int64_t outside;
	int rc;

	if (state_pipe(st, id) != STATE_NONE)
		return 0;
	(void)sqlite3_reset(stmt);
	query_bind_int(stmt, 1, id);
	rc = query_step(stmt, why);
	if (rc <= 0)
		return rc;
	kind = query_text(stmt, 0);
	outside = query_int(stmt, 1, 0);
	ARRAY_GROW(st->pipes, st->n_pipes, st->cap_pipes);
	p = &st->pipes[st->n_pipes];
	*p = (struct state_pipe){.id = id,
		.is_fifo = !strcmp(kind, "fifo") && !query_int(stmt, 8, 0),
		.is_two_sided = names_pipe_is_two_sided(kind),
		.is_tcp = !strcmp(kind, "tcp"),
		.is_connection = !strcmp(kind, "tcp") || !strcmp(kind, "unix"),
		.is_pty = !strcmp(kind, "pty"),
		.is_master = {query_int(stmt, 7, 0) != 0, query_int(stmt, 7, 0) == 0},
		.is_listener = !strcmp(kind, "listen"),
		.is_unaccepted = query_int(stmt, 5, 0) && query_int(stmt, 6, 0),
		.listener_id = query_int(stmt, 6, 0),
		.is_to_itself = query_int(stmt, 9, 0) != 0,
		.read_outside = (outside & 1) != 0,
		.write_outside = (outside & 2) != 0,
		.under_way = query_int(stmt, 4, INT64_MAX) <= st->now_ns && !query_null(stmt, 4),
		/*
		 * A FIFO has no birth; what is found when attaching comes with all its holders;
		 * of a connection it is said of each side whether its holders are known.
		 */
		.known_from_birth = query_int(stmt, 2, 0) || query_int(stmt, 3, 0) ||
				    (strcmp(kind, "pipe") != 0 && strcmp(kind, "socketpair") != 0)};
	(void)hash_set(&st->pipe_by_id, (uint64_t)id, (void *)(uintptr_t)(++st->n_pipes));
	return 0;
}

/* The sockets that listen where connections wait to be accepted. */
static int add_listeners(struct state *st, sqlite3_stmt *stmt, struct buf *why)
{
	size_t n = st->n_pipes;
	int rc = 0;

	for (size_t i = 0; !rc && i < n; i++)
		if (st->pipes[i].is_unaccepted)
			rc = add_pipe(st, stmt, st->pipes[i].listener_id, why);
	return rc;
}

static void add_end(struct state *st, sqlite3_stmt *stmt)
{
	uint32_t pipe = state_pipe(st, query_int(stmt, 3, 0));
	const char *mode = query_text(stmt, 1);
	struct state_pipe *p = &st->pipes[pipe];

	if (!p->n_ends++)
		p->first_end = (uint32_t)st->n_ends;
	ARRAY_GROW(st->ends, st->n_ends, st->cap_ends);
	st->ends[st->n_ends++] = (struct state_end){.process_id = query_int(stmt, 0, 0),
		.reads = strchr(mode, 'r') != NULL,
		.writes = strchr(mode, 'w') != NULL,
		.side = query_int(stmt, 2, 0) != 0};
}

/* The ends of one pipe after the other: all are asked for at once, for while a recording grows there is no index. */
static int load_ends(struct state *st, struct buf *why)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	_cleanup_buf_ struct buf pipes = BUF_INIT;
	int rc;

	if (!st->n_pipes)
		return 0;
	for (size_t i = 0; i < st->n_pipes; i++)
		buf_addf(&pipes, "%c%lld", i ? ',' : '[', (long long)st->pipes[i].id);
	buf_addc(&pipes, ']');
	rc = state_query(st,
		"SELECT DISTINCT process_id, mode, side, pipe_id FROM pipe_end"
		" WHERE pipe_id IN (SELECT value FROM json_each(?2)) AND @open ORDER BY pipe_id",
		"open_ns", "close_ns", &stmt, why);
	if (rc)
		return rc;
	query_bind_bytes(stmt, 2, pipes.data, pipes.len);
	while ((rc = query_step(stmt, why)) > 0)
		add_end(st, stmt);
	return rc;
}

int state_load_pipes(struct state *st, struct buf *why)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL, *pipe = NULL;
	_cleanup_free_ char *sql =
		xasprintf(pipe_sql, version_has(st->db, "pipe.unnamed") ? "unnamed" : "0");
	int rc = query_open(st->db, sql, &pipe, why);

	for (size_t i = 0; !rc && i < st->n_threads; i++)
		if (st->threads[i].waits && st->threads[i].wait.pipe_id)
			rc = add_pipe(st, pipe, st->threads[i].wait.pipe_id, why);
	if (!rc)
		rc = query_open(st->db,
			"SELECT DISTINCT pipe_id FROM wait_on WHERE wait_id = ?1 AND pipe_id IS NOT NULL",
			&stmt, why);
	for (size_t i = 0; !rc && i < st->n_threads; i++) {
		if (!st->threads[i].waits || st->threads[i].wait.reason != WAIT_POLL)
			continue;
		(void)sqlite3_reset(stmt);
		(void)sqlite3_bind_int64(stmt, 1, st->threads[i].wait.id);
		while ((rc = query_step(stmt, why)) > 0)
			rc = add_pipe(st, pipe, query_int(stmt, 0, 0), why);
	}
	if (!rc)
		rc = add_listeners(st, pipe, why);
	return rc ? rc : load_ends(st, why);
}
