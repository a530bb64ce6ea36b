/* language.c - when the runtimes of languages are asked about the threads of traced processes. */
/* SPDX-License-Identifier: MIT */
/*
 * A runtime knows what the kernel cannot see: who owns a lock, whose end is
 * waited for. It is asked before deadlocks are looked for, and once more between
 * the two looks at those who seem to be stuck.
 */
#include "tracer/detect/language.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/mem.h"
#include "schema/query.h"
#include "schema/record.h"
#include "tracer/runtime/runtime.h"

/* How often a process is read: its interval doubles each time that nobody waits for a lock. Threads that wait since then are asked soon. */
static const uint64_t shortest_ns = 500000000, longest_ns = 16000000000, soonest_ns = 2000000000;

/* A process that runs, or does not run, a language that can be read. */
struct known {
	bool has_none;   /* no language that can be read */
	bool is_checked; /* runtime is known */
	const struct runtime *runtime;
	uint64_t next_ns, soon_ns, interval_ns;
	int64_t seen_ns; /* how far the recording had come when it was read */
};

struct languages {
	struct symbols *symbols;
	struct hash known; /* struct known by process and program, owned */
	int64_t last;      /* process that was read last, in this look */
	uint64_t owed_ns;  /* as languages_owed */
	struct buf blind;  /* what could not be understood: sentences that nobody has taken yet */
};

struct languages *languages_new(struct symbols *symbols)
{
	struct languages *l = xcalloc(1, sizeof *l);

	l->symbols = symbols;
	l->blind = BUF_INIT;
	return l;
}

void languages_free(struct languages *l)
{
	struct hash_slot *slot;

	if (!l)
		return;
	for (size_t pos = 0; (slot = hash_next(&l->known, &pos));)
		free(slot->value);
	hash_done(&l->known);
	buf_done(&l->blind);
	free(l);
}

static struct known *known_of(struct languages *l, const struct language_process *p)
{
	uint64_t key = hash_mix((uint64_t)p->id, hash_bytes(p->exe, strlen(p->exe)), 1);
	struct known *k = hash_get(&l->known, key);

	if (!k) {
		k = xcalloc(1, sizeof *k);
		(void)hash_set(&l->known, key, k);
	}
	return k;
}

static const struct runtime *runtime_known(
	struct languages *l, const struct language_process *p, struct known *k)
{
	struct runtime_process process = {.pid = p->pid, .key = p->id, .symbols = l->symbols};

	if (!k->is_checked)
		k->runtime = runtime_of(&process);
	k->is_checked = true;
	k->has_none |= !k->runtime;
	return k->runtime;
}

/* Counts who waits for a lock, on the way to where the records go. */
struct counter {
	const struct language_output *out;
	size_t locks;
};

static void count(void *arg, const struct rec_head *rec)
{
	struct counter *c = arg;
	const struct rec_RUNTIME_WAIT *wait = (const void *)rec;

	c->locks += rec->kind == REC_RUNTIME_WAIT && wait->reason == WAIT_LOCK;
	c->out->emit(c->out->arg, rec);
}

static void read_process(struct languages *l, const struct language_process *p, struct known *k,
	const struct language_output *out)
{
	struct runtime_process process = {.pid = p->pid, .key = p->id, .symbols = l->symbols};
	struct counter c = {.out = out};
	uint64_t now = clock_now(), took = clock_ns(CLOCK_THREAD_CPUTIME_ID);

	k->has_none = !runtime_emit(&process, out->ts, count, &c, &l->blind);
	took = clock_ns(CLOCK_THREAD_CPUTIME_ID) - took;
	k->interval_ns = c.locks || !k->interval_ns ? shortest_ns : 2 * k->interval_ns;
	if (k->interval_ns > longest_ns)
		k->interval_ns = longest_ns;
	/* Little of the time is spent on it. */
	k->next_ns = now + (k->interval_ns > 50 * took ? k->interval_ns : 50 * took);
	k->soon_ns = now + (soonest_ns > 100 * took ? soonest_ns : 100 * took);
}

struct buf *languages_blind(struct languages *l)
{
	return &l->blind;
}

uint64_t languages_owed(const struct languages *l)
{
	return l->owed_ns;
}

void languages_begin(struct languages *l)
{
	l->last = 0;
}

void languages_suspect(
	struct languages *l, const struct language_process *p, const struct language_output *out)
{
	struct known *k = known_of(l, p);

	if (l->last == p->id || k->has_none || !runtime_known(l, p, k))
		return;
	l->last = p->id;
	read_process(l, p, k, out);
}

/* Returns when a process is to be read again, of which a thread has waited since then: of that one there may be more to tell than was. */
static uint64_t due_ns(const struct known *k, int64_t since_ns)
{
	return since_ns > k->seen_ns && k->soon_ns < k->next_ns ? k->soon_ns : k->next_ns;
}

static bool is_due(struct languages *l, const struct language_process *p, struct known *k,
	bool is_old, int64_t since_ns)
{
	const struct runtime *runtime;

	if (k->has_none || clock_now() < due_ns(k, since_ns))
		return false;
	runtime = runtime_known(l, p, k);
	return runtime && (is_old || runtime->wakes_waiters);
}

static void owe(struct languages *l, const struct known *k, int64_t since_ns)
{
	uint64_t due = due_ns(k, since_ns);

	if (k->runtime && !k->has_none && since_ns > k->seen_ns &&
		(!l->owed_ns || due < l->owed_ns))
		l->owed_ns = due;
}

int languages_read(struct languages *l, struct sqlite3 *db, int64_t watch_ns,
	const struct language_output *out, bool *ret_any, struct buf *why)
{
	static const char sql[] =
		"SELECT p.id, p.pid, coalesce(p.exe, ''),"
		" max(w.start_ns <= (SELECT duration_ns FROM trace) - ?1), max(w.start_ns), (SELECT duration_ns FROM trace)"
		" FROM wait w JOIN thread t ON t.id = w.thread_id JOIN process p ON p.id = t.process_id"
		" WHERE w.end_ns IS NULL AND p.end_ns IS NULL AND t.housekeeping = 0"
		" AND (w.reason IN ('cond', 'futex', 'sem', 'lock', 'join', 'child')"
		/* A thread of Ruby that waits for whatever may sleep in a poll for signals, one of Node that waits for a child in its loop. */
		"  OR (w.reason = 'poll' AND (p.exe GLOB '*/ruby*' OR p.exe GLOB '*/node*')))"
		" GROUP BY p.id ORDER BY p.id LIMIT 1000";
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	int rc;

	*ret_any = false;
	l->owed_ns = 0;
	if (!db)
		return 0;
	rc = query_one(db, sql, watch_ns, &stmt, why);
	for (; rc > 0; rc = query_step(stmt, why)) {
		const struct language_process p = {
			query_int(stmt, 0, 0), (pid_t)query_int(stmt, 1, 0), query_text(stmt, 2)};
		bool is_old = query_int(stmt, 3, 0) != 0;
		int64_t since_ns = query_int(stmt, 4, 0);
		struct known *k = known_of(l, &p);

		if (is_due(l, &p, k, is_old, since_ns)) {
			read_process(l, &p, k, out);
			k->seen_ns = query_int(stmt, 5, 0);
			*ret_any = true;
		}
		owe(l, k, since_ns);
	}
	return rc;
}
