/* stuck_futex.c - what a futex belongs to, in the words of the library whose functions wait for it. */
/* SPDX-License-Identifier: MIT */
/*
 * The locks of Rust and some of C++ are words of which only their library knows what they are for: the functions of it
 * that a thread is in say that. The outermost is the one that the program has called: a channel, not the Condvar in it.
 */
#include "verdict/text/stuck.h"

#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "schema/query.h"
#include "verdict/place.h"

static const struct object {
	const char *function; /* a part of its name */
	const char *noun, *type;
	bool is_elsewhere; /* the futex is the thread's own, or the library's */
} objects[] = {
	{"std::__atomic_wait_address", "atomic variable", "std::atomic", false},
	{"sync::mpsc::", "channel", "std::sync::mpsc", true},
	{"sync::barrier::Barrier", "barrier", "std::sync::Barrier", false},
	{"sync::rwlock::RwLock<", "read-write lock", "std::sync::RwLock", false},
	{"sync::poison::rwlock::RwLock<", "read-write lock", "std::sync::RwLock", false},
	{"sync::mutex::Mutex<", "mutex", "std::sync::Mutex", false},
	{"sync::poison::mutex::Mutex<", "mutex", "std::sync::Mutex", false},
	{"sync::condvar::Condvar", "condition variable", "std::sync::Condvar", false},
	{"sync::poison::condvar::Condvar", "condition variable", "std::sync::Condvar", false},
	{"std::future<", "future", "std::future", false},
	{"std::shared_future<", "future", "std::shared_future", false},
	{"std::__basic_future<", "future", "std::future", false},
	{"std::counting_semaphore<", "semaphore", "std::counting_semaphore", false},
	{"std::latch::", "latch", "std::latch", false},
	{"std::barrier<", "barrier", "std::barrier", true},
};

struct looking {
	struct sqlite3 *db;
	const struct object *found;
	bool is_over; /* the program's own frames have begun */
};

static void look(void *arg, int64_t site_id, bool is_library)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	_cleanup_buf_ struct buf why = BUF_INIT;
	struct looking *l = arg;

	l->is_over |= !is_library;
	if (l->is_over || query_one(l->db, "SELECT coalesce(function, '') FROM site WHERE id = ?1",
				  site_id, &stmt, &why) != 1)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(objects); i++)
		if (strstr(query_text(stmt, 0), objects[i].function)) {
			l->found = &objects[i];
			return;
		}
}

static const struct object *object_of(const struct state *st, const struct state_wait *w)
{
	struct looking l = {.db = st->db};

	if (w->reason == WAIT_FUTEX)
		place_frames(st->db, w->stack_id, look, &l);
	return l.is_over ? l.found : NULL;
}

bool stuck_futex_is_lock(const struct state *st, const struct state_wait *w)
{
	const struct object *o = object_of(st, w);

	return o && (!strcmp(o->noun, "mutex") || !strcmp(o->noun, "read-write lock"));
}

bool stuck_futex(struct buf *b, const struct state *st, const struct state_wait *w)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	const struct object *o = object_of(st, w);

	if (!o || query_one(st->db,
			  "SELECT coalesce(name, printf('0x%x', address)) FROM lock WHERE id = ?1",
			  w->lock_id, &stmt, st->why) != 1)
		return false;
	buf_addf(b, "waits for the %s ", o->noun);
	/* What is no int waits for one of a pool's. */
	if (!o->is_elsewhere && strncmp(query_text(stmt, 0), "std::__detail::", 15) != 0) {
		buf_add_printable(b, query_text(stmt, 0), strlen(query_text(stmt, 0)));
		buf_addc(b, ' ');
	}
	buf_addf(b, "(%s)", o->type);
	return true;
}
