/* state_holders.c - who holds the locks that others wait for, at one moment. */
/* SPDX-License-Identifier: MIT */
#include "verdict/graph/state.h"

#include "base/clock.h"
#include "base/buf.h"
#include "schema/locks.h"
#include "schema/query.h"
#include "schema/version.h"

static bool is_known_holder(const struct state *st, uint32_t lock, int64_t thread_id)
{
	for (uint32_t h = st->locks[lock].first_holder; h != STATE_NONE; h = st->holders[h].next)
		if (st->holders[h].thread_id == thread_id)
			return true;
	return false;
}

static void add_holder(struct state *st, const struct state_holder *holder)
{
	ARRAY_GROW(st->holders, st->n_holders, st->cap_holders);
	st->holders[st->n_holders] = *holder;
	st->locks[holder->lock].first_holder = (uint32_t)st->n_holders++;
}

/* Columns: lock, thread, process, mode, acquired, site, inferred, stack. */
static int read_holders(struct state *st, sqlite3_stmt *stmt, bool fill_up, struct buf *why)
{
	int rc;

	(void)sqlite3_bind_int64(stmt, 1, st->at_ns);
	while ((rc = query_step(stmt, why)) > 0) {
		uint32_t lock = state_lock(st, query_int(stmt, 0, 0));
		int64_t thread_id = query_int(stmt, 1, 0);

		if (lock == STATE_NONE || (fill_up && is_known_holder(st, lock, thread_id)))
			continue;
		add_holder(st, &(struct state_holder){.thread_id = thread_id,
				       .process_id = query_int(stmt, 2, 0),
				       .shared = !strcmp(query_text(stmt, 3), "s"),
				       .acquire_ns = query_int(stmt, 4, 0),
				       .site_id = query_int(stmt, 5, 0),
				       .inferred = query_int(stmt, 6, 0) != 0,
				       .stack_id = query_int(stmt, 7, 0),
				       .lock = lock,
				       .next = st->locks[lock].first_holder});
	}
	return rc;
}

/* Who holds them now, or held them when the recording ended. */
static int read_open(struct state *st, struct buf *why)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	int rc = query_open(st->db,
		"SELECT lock_id, thread_id, process_id, mode, acquire_ns, site_id,"
		" inferred, stack_id FROM lock_open WHERE acquire_ns <= ?1",
		&stmt, why);

	return rc ? rc : read_holders(st, stmt, st->at_ns != STATE_END, why);
}

/* What was never released until the process ended is not in lock_open any more; an index has it. */
static int read_unreleased(struct state *st, struct buf *why)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	int rc = query_open(st->db,
		"SELECT h.lock_id, h.thread_id, t.process_id, h.mode, h.acquire_ns,"
		" h.site_id, 0, h.stack_id FROM lock_hold h JOIN thread t ON t.id = h.thread_id"
		" WHERE h.acquire_ns <= ?1 AND h.release_ns IS NULL",
		&stmt, why);

	return rc ? rc : read_holders(st, stmt, false, why);
}

/*
 * Searches lock_hold for the first row that was written at a time or later.
 * Rows are in the order of their being written, which happens when the lock is
 * released, or before that if it is held while a commit is made; never before
 * it is taken. (Rows of short holds may be late by LOCK_FOLD_NS, which the caller adds to the time.) Hence what was released before the time was written before it
 * (upper: what was taken after it was written after it), whatever the others say.
 */
static int find_row(struct state *st, int64_t ns, bool upper, int64_t *ret, struct buf *why)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	int64_t low = 1,
		high = query_number(st->db, "SELECT max(id) FROM lock_hold", 0, 0, why) + 1;
	int rc = query_open(st->db,
		upper ? "SELECT id, acquire_ns > ?2 FROM lock_hold WHERE id >= ?1 LIMIT 1"
		      : "SELECT id, release_ns IS NULL OR release_ns >= ?2 FROM lock_hold"
			" WHERE id >= ?1 LIMIT 1",
		&stmt, why);

	while (!rc && low < high) {
		int64_t middle = low + (high - low) / 2;

		(void)sqlite3_reset(stmt);
		(void)sqlite3_bind_int64(stmt, 1, middle);
		(void)sqlite3_bind_int64(stmt, 2, ns);
		rc = query_step(stmt, why);
		if (rc < 0)
			return rc;
		if (rc > 0 && !query_int(stmt, 1, 0))
			low = query_int(stmt, 0, middle) + 1;
		else
			high = middle;
		rc = 0;
	}
	*ret = low;
	return rc;
}

#define PAST                                                                                       \
	"SELECT h.lock_id, h.thread_id, t.process_id, h.mode, h.acquire_ns,"                       \
	" h.site_id, 0, h.stack_id FROM lock_hold h JOIN thread t ON t.id = h.thread_id"           \
	" WHERE h.id BETWEEN ?2 AND ?3 AND h.acquire_ns <= ?1 AND h.release_ns > ?1"

/* Who held them at a moment of the past and released them later: rows that are at most the longest hold away. */
static int read_past(struct state *st, struct buf *why)
{
	/* Records of another source may be late by so much. */
	const int64_t late_ns = 200000000 + 2 * LOCK_FOLD_NS;
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	int64_t longest = 0, from = 0, to = INT64_MAX;
	int rc = 0;

	for (size_t i = 0; i < st->n_locks; i++)
		if (st->locks[i].max_hold_ns > longest)
			longest = st->locks[i].max_hold_ns;
	if (longest < st->last_ns) {
		rc = find_row(st, ns_sub(ns_sub(st->at_ns, longest), late_ns), false, &from, why);
		if (!rc)
			rc = find_row(
				st, ns_add(ns_add(st->at_ns, longest), late_ns), true, &to, why);
	}
	/* Nobody wanted the lock while holds were added up. */
	if (!rc)
		rc = query_open(st->db,
			version_has(st->db, "lock_hold.count") ? PAST " AND h.count IS NULL" : PAST,
			&stmt, why);
	if (rc)
		return rc;
	(void)sqlite3_bind_int64(stmt, 2, from);
	(void)sqlite3_bind_int64(stmt, 3, to);
	return read_holders(st, stmt, false, why);
}

/* Who shared the descriptions of file locks at that moment; of the end lock_open says it. */
static int add_sharers(struct state *st, struct buf *why)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	size_t n = st->n_holders;
	int rc = query_open(st->db,
		"SELECT process_id FROM lock_user WHERE lock_id = ?1 AND taker_id = ?2"
		" AND start_ns <= ?3 AND (end_ns IS NULL OR end_ns > ?3)",
		&stmt, why);

	for (size_t i = 0; !rc && i < n; i++) {
		struct state_holder h = st->holders[i];

		if (st->locks[h.lock].kind != LOCK_FILE)
			continue;
		(void)sqlite3_reset(stmt);
		(void)sqlite3_bind_int64(stmt, 1, st->locks[h.lock].id);
		(void)sqlite3_bind_int64(stmt, 2, h.thread_id);
		(void)sqlite3_bind_int64(stmt, 3, st->at_ns);
		while ((rc = query_step(stmt, why)) > 0) {
			h.process_id = query_int(stmt, 0, 0);
			h.next = st->locks[h.lock].first_holder;
			add_holder(st, &h);
		}
	}
	return rc;
}

int state_load_holders(struct state *st, bool open_only, struct buf *why)
{
	int rc = 0;

	if (st->at_ns != STATE_END)
		rc = read_unreleased(st, why);
	if (!rc && st->at_ns != STATE_END && !open_only)
		rc = read_past(st, why);
	if (!rc)
		rc = read_open(st, why);
	if (!rc && st->at_ns != STATE_END)
		rc = add_sharers(st, why);
	return rc;
}
