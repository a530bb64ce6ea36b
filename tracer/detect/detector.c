/* detector.c - find threads that can never proceed while the recording grows. */
/* SPDX-License-Identifier: MIT */
/*
 * The verdict is computed from the database, which is a little older than the
 * processes. A set is reported only if it holds at one moment: each member is
 * looked at (system call, count of context switches, the word of the mutex that
 * it wants), then everything that was recorded up to then is committed and
 * evaluated again, and the same set must come out with no member having moved.
 */
#include "tracer/detect/detector.h"

#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sqlite3.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/mem.h"
#include "schema/db.h"
#include "schema/locks.h"
#include "schema/query.h"
#include "tracer/authority/authority.h"
#include "tracer/sock/flight.h"
#include "verdict/verdict.h"

struct detector {
	const char *path;
	struct authority *authority; /* may be asked by several threads */
	int64_t least_ns;
	bool all;
	struct sqlite3 *db;
	struct hash reported;
	struct hash
		outside; /* sets, by their members' threads, that a look from outside has found first */
	enum detector_state state; /* changed by the thread as the last thing it does */
	pthread_t thread;
	bool has_thread;
	struct findings suspects; /* of the first step */
	struct buf *looks;        /* one for each, empty: did not pass */
	struct findings found;
	bool has_more;   /* the second step had a set that the first had not */
	int64_t ripe_ns; /* when the first step's sets that are too young will not be; 0: none is */
	uint64_t cost_ns;
	struct buf why; /* the first query of these steps that failed */
};

struct detector *detector_new(
	const char *path, int64_t least_ns, bool all, struct authority *authority)
{
	struct detector *d = xcalloc(1, sizeof *d);

	d->path = path;
	d->least_ns = least_ns;
	d->all = all;
	d->authority = authority;
	d->why = BUF_INIT;
	return d;
}

static void join(struct detector *d)
{
	if (d->has_thread)
		(void)pthread_join(d->thread, NULL);
	d->has_thread = false;
}

static void drop_suspects(struct detector *d)
{
	for (size_t i = 0; d->looks && i < d->suspects.n; i++)
		buf_done(&d->looks[i]);
	free(d->looks);
	d->looks = NULL;
	findings_free(&d->suspects);
	d->suspects = (struct findings){0};
}

void detector_free(struct detector *d)
{
	if (!d)
		return;
	if (d->has_thread && d->db)
		sqlite3_interrupt(d->db);
	join(d);
	drop_suspects(d);
	findings_free(&d->found);
	db_close(d->db);
	hash_done(&d->reported);
	hash_done(&d->outside);
	buf_done(&d->why);
	free(d);
}

struct sqlite3 *detector_reader(struct detector *d)
{
	char *why = NULL;

	if (!d->db && db_open_own(d->path, &d->db, &why) < 0) {
		free(why);
		d->db = NULL;
	}
	return d->db;
}

/*
 * A set is identified by its members' waits, in any order; or by their threads, for who has looked from outside knows no
 * waits.
 */
enum key_of { BY_WAITS = 2, BY_THREADS };

static uint64_t finding_key(const struct finding *f, enum key_of by)
{
	uint64_t key = hash_bytes(f->rule, strlen(f->rule));

	for (size_t i = 0; i < f->n_members; i++) {
		const struct finding_member *m = &f->members[i];
		int64_t id = by == BY_WAITS ? m->wait_id : m->thread_id;

		if (id)
			key += hash_mix((uint64_t)id, 1, by);
	}
	return key ? key : 1;
}

void detector_told(struct detector *d, const struct findings *f)
{
	for (size_t i = 0; i < f->n; i++)
		(void)hash_set(&d->outside, finding_key(&f->list[i], BY_THREADS), d);
}

/* Where a member is: what /proc needs to find it. */
struct place {
	pid_t pid, tid;
	int64_t start_ns, now_ns;
	uint64_t mutex; /* address of the mutex that it waits for; 0: another wait */
	int64_t lock_id;
	bool stopped; /* by a signal, which is what it waits in */
	bool polls; /* it wakes up now and then, and waits on while the one that has the lock does not move */
	int64_t call_ns; /* begin of the library's call for that mutex, or spin lock, or of MPI's; 0: not known */
};

static bool find_place(struct detector *d, const struct finding_member *m, struct place *ret)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	int rc = query_one(d->db,
		"SELECT p.pid, t.tid, w.start_ns, (SELECT duration_ns FROM trace),"
		" CASE l.kind WHEN 'mutex' THEN l.address END, l.id,"
		" iif(l.kind IN ('mutex', 'spin') OR w.reason = 'mpi', w.user_ns, NULL), w.timed = 2 OR l.type IS '" LOCK_TYPE_GIL
		"', w.reason = 'stopped'"
		" FROM wait w JOIN thread t ON t.id = w.thread_id JOIN process p ON p.id = t.process_id"
		" LEFT JOIN lock l ON l.id = w.lock_id AND w.reason = 'lock'"
		" WHERE w.id = ?1 AND w.end_ns IS NULL AND t.end_ns IS NULL",
		m->wait_id, &stmt, &d->why);

	if (rc <= 0)
		return false;
	ret->pid = (pid_t)query_int(stmt, 0, 0);
	ret->tid = (pid_t)query_int(stmt, 1, 0);
	ret->start_ns = query_int(stmt, 2, 0);
	ret->now_ns = query_int(stmt, 3, 0);
	ret->mutex = (uint64_t)query_int(stmt, 4, 0);
	ret->lock_id = query_int(stmt, 5, 0);
	ret->call_ns = query_int(stmt, 6, 0);
	ret->polls = query_int(stmt, 7, 0) != 0;
	ret->stopped = query_int(stmt, 8, 0) != 0;
	return true;
}

/* Adds what /proc/PID/task/TID/<name> says, or of "status" the context switches; false if the thread is gone. */
static bool read_task(const struct place *p, const char *name, struct buf *out)
{
	_cleanup_free_ char *path =
		xasprintf("/proc/%d/task/%d/%s", (int)p->pid, (int)p->tid, name);
	_cleanup_fclose_ FILE *f = fopen(path, "re");
	char line[512];

	if (!f)
		return errno == EACCES || errno == EPERM;
	while (fgets(line, sizeof line, f))
		if (strcmp(name, "status") != 0 || strstr(line, "ctxt_switches:"))
			buf_adds(out, line);
	return true;
}

/* Says whether a holder that the trace knows has this tid (its own namespace's number). */
static bool is_holder(struct detector *d, int64_t lock_id, int64_t tid)
{
	/* In memory that fork copied the owner is still the thread that forked. */
	return query_pair(d->db,
		"SELECT 1 FROM lock_open o JOIN thread t ON t.id = o.thread_id"
		" LEFT JOIN lock l ON l.id = o.lock_id AND l.origin_id IS NOT NULL"
		" LEFT JOIN process p ON p.id = l.process_id LEFT JOIN thread c ON c.id = p.creator_id"
		" WHERE o.lock_id = ?1 AND ?2 IN (t.tid, t.ns_tid, c.tid, c.ns_tid)",
		lock_id, tid, 0, &d->why);
}

/*
 * Reads the mutex itself (glibc: word 0 its state, word 2 its owner; musl: word 1 its owner with the top bit, which glibc's
 * count there never has). What cannot be read contradicts nothing.
 */
static bool mutex_agrees(struct detector *d, const struct place *p)
{
	_cleanup_close_ int held = p->mutex ? authority_hold(d->authority, p->pid) : -1;
	uint32_t words[4] = {0};
	struct iovec local = {words, sizeof words};
	struct iovec remote = {(void *)(uintptr_t)p->mutex, sizeof words};

	if (held < 0 || process_vm_readv(p->pid, &local, 1, &remote, 1, 0) != sizeof words ||
		!authority_still(held, p->pid))
		return true;
	if (words[1] & FUTEX_WAITERS)
		return is_holder(d, p->lock_id, words[1] & FUTEX_TID_MASK);
	return words[0] != 0 && (words[2] == 0 || is_holder(d, p->lock_id, words[2]));
}

/* A thread that is stopped may by now have what it waited for: it would see that once it resumes. */
static bool is_stopped(const struct place *p)
{
	_cleanup_buf_ struct buf text = BUF_INIT;
	const char *state;

	if (!read_task(p, "stat", &text) || !text.len)
		return false;
	state = strrchr(text.data, ')');
	return state && state[1] && (state[2] == 'T' || state[2] == 't');
}

/*
 * Adds what a thread must still be doing at the second look; false if it is not doing it even now.
 * Who wants Python's global lock wakes up every 5 ms; it gets it only from the thread that has it, a member too.
 * A call of MPI, or for a mutex, whose return would have been recorded is the same call still,
 * however often signal handlers broke its wait off.
 */
static bool read_state(const struct place *p, struct buf *out)
{
	size_t before = out->len;

	if (p->stopped)
		return is_stopped(p) && read_task(p, "status", out);
	if (p->polls) {
		buf_adds(out, "polls\n");
		return !is_stopped(p) && read_task(p, "comm", out);
	}
	if (p->call_ns) {
		buf_addf(out, "call %lld\n", (long long)p->call_ns);
		return read_task(p, "comm", out);
	}
	return !is_stopped(p) && read_task(p, "syscall", out) &&
	       strncmp(out->data + before, "running", 7) != 0 && read_task(p, "status", out);
}

/* Says whether all members have waited long enough. */
static bool is_old(struct detector *d, const struct finding *f)
{
	int64_t youngest = 0, now = 0;

	for (size_t i = 0; i < f->n_members; i++) {
		struct place p = {0};

		if (!f->members[i].wait_id)
			continue;
		if (!find_place(d, &f->members[i], &p))
			return false;
		now = p.now_ns;
		youngest = p.start_ns > youngest ? p.start_ns : youngest;
	}
	if (now - youngest >= d->least_ns)
		return true;
	if (youngest + d->least_ns > d->ripe_ns)
		d->ripe_ns = youngest + d->least_ns;
	return false;
}

/*
 * Looks at every member. Adds what must stay as it is to out; false if one is
 * not blocked, or contradicts the trace; or if bytes are on their way to it.
 */
static bool look_at(struct detector *d, const struct finding *f, struct buf *out)
{
	size_t waiting = 0;

	for (size_t i = 0; i < f->n_members; i++) {
		struct place p = {0};

		if (!f->members[i].wait_id)
			continue;
		if (!find_place(d, &f->members[i], &p) || !read_state(&p, out) ||
			!mutex_agrees(d, &p) ||
			!flight_none(d->db, f->members[i].wait_id, out, &d->why))
			return false;
		waiting++;
	}
	return waiting > 0;
}

static bool evaluate(struct detector *d, struct findings *ret)
{
	return detector_reader(d) && verdict_live(d->db, d->least_ns, d->all, ret, &d->why) == 0;
}

/* Moves finding i of from to the end of to. */
static void take(struct findings *to, struct findings *from, size_t i)
{
	to->list = xreallocarray(to->list, to->n + 1, sizeof *to->list);
	to->list[to->n++] = from->list[i];
	memmove(from->list + i, from->list + i + 1, (from->n - i - 1) * sizeof *from->list);
	from->n--;
}

/* Says whether some set has not been reported yet. */
static bool has_new(struct detector *d, const struct findings *f)
{
	bool any = false;

	for (size_t i = 0; i < f->n; i++)
		any = any || !hash_get(&d->reported, finding_key(&f->list[i], BY_WAITS));
	return any;
}

/* Takes those of the second evaluation that were in the first and looked the same. */
static void confirm(struct detector *d, const struct findings *first, const struct buf *looks,
	struct findings *second, struct findings *ret)
{
	for (size_t i = 0; i < second->n; i++) {
		uint64_t key = finding_key(&second->list[i], BY_WAITS);
		_cleanup_buf_ struct buf now = BUF_INIT;
		size_t k = 0;

		if (hash_get(&d->reported, key))
			continue;
		while (k < first->n && finding_key(&first->list[k], BY_WAITS) != key)
			k++;
		d->has_more = d->has_more || k == first->n;
		if (k == first->n || !looks[k].len || !look_at(d, &second->list[i], &now) ||
			strcmp(now.data, looks[k].data) != 0)
			continue;
		(void)hash_set(&d->reported, key, d);
		/* It has been told, only not from the recording; what comes after it is another one. */
		if (!hash_del(&d->outside, finding_key(&second->list[i], BY_THREADS)))
			take(ret, second, i--);
	}
}

/* ---- The thread ---- */

static void finish(struct detector *d, enum detector_state state)
{
	d->cost_ns += clock_ns(CLOCK_THREAD_CPUTIME_ID);
	__atomic_store_n(&d->state, state, __ATOMIC_RELEASE);
}

static void *first_step(void *arg)
{
	struct detector *d = arg;

	if (!evaluate(d, &d->suspects) || !has_new(d, &d->suspects)) {
		finish(d, DETECTOR_IDLE);
		return NULL;
	}
	d->looks = xcalloc(d->suspects.n, sizeof *d->looks);
	for (size_t i = 0; i < d->suspects.n; i++) {
		d->looks[i] = BUF_INIT;
		if (!is_old(d, &d->suspects.list[i]) ||
			!look_at(d, &d->suspects.list[i], &d->looks[i]))
			buf_reset(&d->looks[i]);
	}
	finish(d, DETECTOR_SUSPECTS);
	return NULL;
}

static void *second_step(void *arg)
{
	struct detector *d = arg;
	struct findings second = {0};

	if (evaluate(d, &second))
		confirm(d, &d->suspects, d->looks, &second, &d->found);
	findings_free(&second);
	finish(d, d->found.n ? DETECTOR_FOUND : DETECTOR_IDLE);
	return NULL;
}

static void start(struct detector *d, void *(*step)(void *))
{
	join(d);
	d->state = DETECTOR_RUNNING;
	d->has_thread = pthread_create(&d->thread, NULL, step, d) == 0;
	if (!d->has_thread)
		d->state = DETECTOR_IDLE;
}

/* ---- Its owner ---- */

enum detector_state detector_state(struct detector *d)
{
	return __atomic_load_n(&d->state, __ATOMIC_ACQUIRE);
}

uint64_t detector_cost_ns(const struct detector *d)
{
	return d->cost_ns;
}

const char *detector_error(const struct detector *d)
{
	return d->why.len ? d->why.data : NULL;
}

bool detector_has_more(const struct detector *d)
{
	return d->has_more;
}

uint64_t detector_ripe_ns(const struct detector *d)
{
	return (uint64_t)d->ripe_ns;
}

void detector_begin(struct detector *d)
{
	join(d);
	drop_suspects(d);
	d->has_more = false;
	d->ripe_ns = 0;
	d->cost_ns = 0;
	buf_reset(&d->why);
	start(d, first_step);
}

void detector_again(struct detector *d)
{
	start(d, second_step);
}

void detector_take(struct detector *d, struct findings *ret)
{
	join(d);
	*ret = d->found;
	d->found = (struct findings){0};
	d->state = DETECTOR_IDLE;
}
