/* language.c - when the runtimes of languages are asked about the threads of traced processes. */
/* SPDX-License-Identifier: MIT */
/*
 * Most runtimes only say how a program calls its threads and locks: they are
 * asked once somebody seems to be stuck. Where the kernel cannot see at all what
 * threads wait for (Java), the runtime is asked before.
 */
#include "tracer/language.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/mem.h"
#include "schema/query.h"
#include "schema/record.h"
#include "tracer/runtime/runtime.h"

/* How often a process is read: its interval doubles each time that nobody waits for a lock. */
static const uint64_t shortest_ns = 500000000, longest_ns = 16000000000;

/* A process that runs, or does not run, a language that can be read. */
struct known {
	bool has_none;    /* no language */
	bool tells_waits; /* else only names */
	bool is_checked;  /* tells_waits is known */
	uint64_t next_ns, interval_ns;
};

struct languages {
	struct symbols *symbols;
	struct hash known; /* struct known by process and program, owned */
	struct hash
		waits; /* by wait.id: the threads of its process have been read since it began */
	int64_t last;  /* process that was read last, in this look */
};

struct languages *languages_new(struct symbols *symbols)
{
	struct languages *l = xcalloc(1, sizeof *l);

	l->symbols = symbols;
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
	hash_done(&l->waits);
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

static bool tells_waits(struct languages *l, const struct language_process *p, struct known *k)
{
	struct runtime_process process = {.pid = p->pid, .key = p->id, .symbols = l->symbols};

	if (!k->is_checked)
		k->tells_waits = runtime_tells_waits(&process);
	k->is_checked = true;
	return k->tells_waits;
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
	uint64_t now = clock_now(), took;

	k->has_none = !runtime_emit(&process, out->ts, count, &c, NULL);
	took = clock_now() - now;
	k->interval_ns = c.locks || !k->interval_ns ? shortest_ns : 2 * k->interval_ns;
	if (k->interval_ns > longest_ns)
		k->interval_ns = longest_ns;
	/* Little of the time is spent on it. */
	k->next_ns = now + (k->interval_ns > 50 * took ? k->interval_ns : 50 * took);
}

void languages_begin(struct languages *l)
{
	l->last = 0;
}

void languages_suspect(struct languages *l, const struct language_process *p, int64_t wait,
	const struct language_output *out)
{
	struct known *k = known_of(l, p);
	bool is_new = !hash_set(&l->waits, (uint64_t)wait, l);

	if (l->last == p->id || k->has_none || (!is_new && !tells_waits(l, p, k)))
		return;
	l->last = p->id;
	read_process(l, p, k, out);
}

int languages_read(struct languages *l, struct sqlite3 *db, int64_t watch_ns,
	const struct language_output *out, bool *ret_any, struct buf *why)
{
	static const char sql[] =
		"SELECT p.id, p.pid, p.exe FROM process p WHERE p.end_ns IS NULL AND p.id IN"
		" (SELECT t.process_id FROM wait w JOIN thread t ON t.id = w.thread_id"
		"  WHERE w.end_ns IS NULL AND t.housekeeping = 0"
		"  AND w.reason IN ('cond', 'futex', 'sem', 'lock', 'join', 'child')"
		"  AND (w.timed OR w.start_ns <= (SELECT duration_ns FROM trace) - ?1))"
		" ORDER BY p.id LIMIT 1000";
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	uint64_t now = clock_now();
	int rc;

	*ret_any = false;
	if (!db)
		return 0;
	rc = query_one(db, sql, watch_ns, &stmt, why);
	for (; rc > 0; rc = query_step(stmt, why)) {
		const struct language_process p = {
			query_int(stmt, 0, 0), (pid_t)query_int(stmt, 1, 0), query_text(stmt, 2)};
		struct known *k = known_of(l, &p);

		if (k->has_none || now < k->next_ns || !tells_waits(l, &p, k))
			continue;
		read_process(l, &p, k, out);
		*ret_any = true;
	}
	return rc;
}
