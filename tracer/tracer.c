/* tracer.c - record: sources in, database out. */
/* SPDX-License-Identifier: MIT */
#include "tracer/private.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "schema/db.h"
#include "schema/query.h"
#include "schema/record.h"
#include "schema/record_dump.h"
#include "tracer/authority/authority.h"
#include "tracer/details.h"
#include "tracer/shim/shim.h"
#include "tracer/merge.h"
#include "tracer/model/model.h"
#include "tracer/store/store.h"
#include "tracer/detector.h"
#include "tracer/silent.h"
#include "tracer/target/user.h"

#define MS 1000000ull

enum {
	COMMIT_EVERY_MS = 500,
	EVALUATE_EVERY_MS = 100, /* at most so often is the graph evaluated */
	EVALUATE_SHARE = 20,     /* and no more than 1/20 of the time is spent on it */
	GONE_EVERY_MS = 500,     /* how often processes whose end was not seen are sought */
	GRACE_MS =
		2200, /* the longest for which the graph takes something to be under way: a signal, with some slack */
	LEAST_TIMEOUT_MS = 1,
	MOST_TIMEOUT_MS = 50,
	BUSY_RECORDS = 2000,   /* so many in one drain: do not sleep at all */
	URGENCY_RECORDS = 1024 /* so often it is asked whether there is a hurry */
};

/* ---- Records ---- */

/* Says whether a process has become another user's, who may not open the rings. */
static bool is_foreign(const struct tracer *t, pid_t pid)
{
	char path[32];
	struct stat st;

	(void)snprintf(path, sizeof path, "/proc/%d", (int)pid);
	return stat(path, &st) == 0 && st.st_uid != 0 && st.st_uid != geteuid() &&
	       !(t->config.user && st.st_uid == t->config.user->uid);
}

/* Says who reports the locks of a program file that was just executed. */
static enum lock_source image_locks(struct tracer *t, const struct rec_EXEC *e)
{
	uint64_t key = hash_mix(e->dev, e->inode, 0);
	uintptr_t known = e->inode ? (uintptr_t)hash_get(&t->images, key) : 0;
	_cleanup_free_ char *exe = NULL;
	enum lock_source source;

	switch (t->choice.locks) {
	case LOCKS_MODE_OFF:
		return LOCKS_OFF;
	case LOCKS_MODE_UPROBE:
		return LOCKS_UPROBE;
	case LOCKS_MODE_SHIM:
		break;
	case LOCKS_MODE_AUTO:
	case LOCKS_MODE_FUTEX:
		return LOCKS_FUTEX;
	}
	if (e->secure || is_foreign(t, (pid_t)e->head.pid))
		return LOCKS_FUTEX;
	if (known)
		return (enum lock_source)(known - 1);
	exe = xasprintf("/proc/%u/exe", e->head.pid);
	source = preload_check(access(exe, F_OK) == 0 ? exe : e->path) == PRELOAD_OK ? LOCKS_SHIM
										     : LOCKS_FUTEX;
	if (e->inode)
		(void)hash_set(&t->images, key, (void *)((uintptr_t)source + 1));
	return source;
}

/* Says whether the program that was just executed goes past what the preload library wraps. */
static bool has_raw_calls(struct tracer *t, const struct rec_EXEC *e)
{
	uint64_t key = hash_mix(e->dev, e->inode, 1);
	uintptr_t known = e->inode ? (uintptr_t)hash_get(&t->images, key) : 0;
	_cleanup_free_ char *exe = NULL;
	bool raw;

	if (known)
		return known == 2;
	exe = xasprintf("/proc/%u/exe", e->head.pid);
	raw = preload_has_raw_calls(access(exe, F_OK) == 0 ? exe : e->path);
	if (e->inode)
		(void)hash_set(&t->images, key, (void *)(uintptr_t)(raw ? 2 : 1));
	return raw;
}

static void feed_model(void *arg, const struct rec_head *rec)
{
	struct tracer *t = arg;

	model_feed(t->model, rec);
}

static void dump(struct tracer *t, const struct rec_head *rec)
{
	_cleanup_buf_ struct buf line = BUF_INIT;

	record_dump(&line, rec);
	(void)fprintf(t->config.dump, "%s\n", line.data);
}

/* Gives way to the command, or hurries. */
static void choose_urgency(struct tracer *t)
{
	unsigned most = 0;
	size_t backlog = 0;

	for (size_t i = 0; i < t->choice.n; i++) {
		struct source *s = t->choice.sources[i];
		unsigned p = t->attached[i] && s->pressure ? s->pressure(s) : 0;

		if (p > most)
			most = p;
		if (t->attached[i] && s->backlog)
			backlog += s->backlog(s);
	}
	urgency_choose(&t->urgency, most, backlog, clock_now());
}

/* Of a process that ran before the recording began. */
static void note_raw_calls(struct tracer *t, rec_u32 pid)
{
	_cleanup_free_ char *exe = xasprintf("/proc/%u/exe", pid);

	if (preload_has_raw_calls(exe))
		model_raw_calls(t->model, pid, true, t->choice.shim_only);
}

static void feed(void *arg, const struct rec_head *rec)
{
	struct tracer *t = arg;

	if (t->deaths && !deaths_filter(t->deaths, rec, feed_model, t))
		return;
	/* While these are processed the buffers fill again. */
	if (t->records++ % URGENCY_RECORDS == 0)
		choose_urgency(t);
	/* It stands for two each. */
	if (rec->kind == REC_LOCK_FOLD)
		t->records += 2 * ((const struct rec_LOCK_FOLD *)(const void *)rec)->count;
	if (t->config.dump)
		dump(t, rec);
	if (rec->kind == REC_SIG_SEND) {
		const struct rec_SIG_SEND *s = (const void *)rec;

		t->sent[t->n_sent++ % ARRAY_SIZE(t->sent)] =
			(struct sent_signal){rec->ts, (pid_t)s->target_pid, (int)s->signo};
	}
	if (rec->kind == REC_EXEC && rec->size == sizeof(struct rec_EXEC)) {
		struct rec_EXEC exec = *(const struct rec_EXEC *)rec;

		/* The kernel's side does not know what the preload library reached. */
		if (!exec.lock_source || t->choice.locks == LOCKS_MODE_SHIM)
			exec.lock_source = image_locks(t, &exec);
		model_feed(t->model, &exec.head);
		model_raw_calls(
			t->model, exec.head.pid, has_raw_calls(t, &exec), t->choice.shim_only);
		return;
	}
	model_feed(t->model, rec);
	if (rec->kind == REC_FOUND && rec->pid == rec->tid)
		note_raw_calls(t, rec->pid);
}

void tracer_emit(void *tracer, const struct rec_head *rec)
{
	struct tracer *t = tracer;

	merge_add(t->merge, rec);
}

uint64_t tracer_saw_signal(const struct tracer *t, pid_t pid, int signo, uint64_t since_ns)
{
	uint64_t first = 0;

	for (size_t i = 0; i < ARRAY_SIZE(t->sent); i++) {
		const struct sent_signal *s = &t->sent[i];

		if ((!pid || s->pid == pid) && s->signo == signo && s->ts >= since_ns &&
			(!first || s->ts < first))
			first = s->ts;
	}
	return first;
}

int64_t tracer_time(const struct tracer *t, uint64_t ts)
{
	return (int64_t)(ts - t->t0);
}

/* ---- The loop's share ---- */

static void count_loss(void *arg, const char *source, unsigned kind, uint64_t count)
{
	struct tracer *t = arg;

	/* The rings' own counters are as hostile as the rest. */
	if (count > MODEL_LOSS_MAX)
		count = MODEL_LOSS_MAX;
	t->lost += count;
	model_loss(t->model, source, kind, count);
}

void tracer_read_losses(struct tracer *t)
{
	t->lost = t->lost_before;
	for (size_t i = 0; i < t->choice.n; i++)
		if (t->attached[i])
			t->choice.sources[i]->losses(t->choice.sources[i], count_loss, t);
}

/* The database cannot be written: the command is left in peace, nothing is recorded any more. */
static int give_up(struct tracer *t, int error)
{
	t->error = error;
	tracer_detach(t);
	return error;
}

/* Drains all sources and feeds the model up to what they have in common. */
size_t tracer_drain(struct tracer *t)
{
	uint64_t until = UINT64_MAX;

	if (t->deaths)
		deaths_poll(t->deaths, merge_add, t->merge);
	for (size_t i = 0; i < t->choice.n; i++) {
		struct source *s = t->choice.sources[i];
		uint64_t u = 0;

		if (t->attached[i] && s->poll(s, merge_add, t->merge, &u) == 0 && u < until)
			until = u;
	}
	if (until == UINT64_MAX)
		until = t->until;
	if (until > t->until)
		t->until = until;
	return merge_emit(t->merge, t->until, feed, t);
}

void tracer_drain_rest(struct tracer *t)
{
	(void)merge_emit(t->merge, UINT64_MAX, feed, t);
}

/* A caller that only wants it done now and then need not wait for it: the buffers fill meanwhile. */
static int commit(struct tracer *t, bool wait)
{
	int rc;

	tracer_read_losses(t);
	rc = model_flush(t->model, t->until > t->t0 ? t->until : t->t0);
	if (rc == 0 && t->trim && t->until > t->t0)
		trim_commit(t->trim, tracer_time(t, t->until));
	if (rc == 0)
		rc = wait ? store_commit(t->store) : store_commit_later(t->store);
	t->committed_at = clock_now();
	t->committed_records = t->records;
	return rc < 0 ? give_up(t, rc) : 0;
}

int tracer_commit(struct tracer *t)
{
	if (t->error)
		return t->error;
	(void)tracer_drain(t);
	return commit(t, true);
}

int tracer_poll(struct tracer *t)
{
	struct epoll_event events[4];
	uint64_t now;
	size_t n;

	if (t->error)
		return t->error;
	(void)epoll_wait(t->wakeup, events, ARRAY_SIZE(events), 0);
	choose_urgency(t);
	n = tracer_drain(t);
	if (n >= BUSY_RECORDS)
		t->timeout_ms = 0;
	else if (n)
		t->timeout_ms = LEAST_TIMEOUT_MS;
	else if (t->timeout_ms < MOST_TIMEOUT_MS)
		t->timeout_ms = t->timeout_ms * 2 + LEAST_TIMEOUT_MS;
	if (store_error(t->store))
		return give_up(t, -EIO);
	now = clock_now();
	if (n)
		t->changed_at = now;
	if (t->records != t->committed_records && now - t->committed_at >= COMMIT_EVERY_MS * MS)
		return commit(t, false);
	return 0;
}

int tracer_timeout(const struct tracer *t)
{
	return t->error ? -1 : t->timeout_ms;
}

int tracer_wakeup_fd(const struct tracer *t)
{
	return t->wakeup;
}

struct present {
	struct authority *authority;
	unsigned n;
};

/* A process that is only said to belong to the recording is not waited for. */
static void count_present(void *arg, pid_t pid, const char *name)
{
	struct present *present = arg;
	_cleanup_free_ char *path = xasprintf("/proc/%d/stat", (int)pid);
	_cleanup_fclose_ FILE *f = fopen(path, "re");
	char line[512];
	char *state;

	(void)name;
	if (!f || !fgets(line, sizeof line, f))
		return;
	state = strrchr(line, ')');
	if (state && state[1] && state[2] != 'Z' && state[2] != 'X' &&
		authority_covers(present->authority, pid))
		present->n++;
}

unsigned tracer_alive(struct tracer *t)
{
	struct present present = {t->authority, 0};
	unsigned alive = t->error ? 0 : model_alive(t->model);
	uint64_t now = clock_now();

	if (!alive || now - t->gone_at < GONE_EVERY_MS * MS)
		return alive;
	/*
	 * An end that was lost must not make us wait forever: look whether
	 * anybody is there. While records come, one of a child that is not known
	 * yet may be under way.
	 */
	t->gone_at = now;
	model_each_alive(t->model, count_present, &present);
	return present.n || now - t->changed_at >= GONE_EVERY_MS * MS ? present.n : alive;
}

int tracer_signal(struct tracer *t, pid_t pid, int signo)
{
	model_acts(t->model, pid, signo);
	return authority_signal(t->authority, pid, signo);
}

struct among {
	struct authority *authority;
	void (*each)(void *arg, pid_t pid, const char *name);
	void *arg;
};

static void pass_if_ours(void *arg, pid_t pid, const char *name)
{
	const struct among *a = arg;

	if (authority_covers(a->authority, pid))
		a->each(a->arg, pid, name);
}

void tracer_each_alive(
	struct tracer *t, void (*each)(void *arg, pid_t pid, const char *name), void *arg)
{
	struct among among = {t->authority, each, arg};

	if (!t->error)
		model_each_alive(t->model, pass_if_ours, &among);
}

/* Says whether the graph is worth another evaluation now. */
static bool evaluation_is_due(struct tracer *t, uint64_t now)
{
	uint64_t oldest, grace;

	if (now < t->evaluate_not_before)
		return false;
	oldest = model_oldest_wait(t->model);
	if (!oldest || now < oldest || now - oldest < (uint64_t)t->config.watch_ns)
		return false;
	/*
	 * Without records nothing changes but the age of waits, until the youngest is old enough, and that of what was
	 * taken to be under way: once more when no grace is given any longer.
	 */
	grace = t->changed_at + GRACE_MS * MS;
	return t->evaluated_at <= t->changed_at + (uint64_t)t->config.watch_ns ||
	       (now > grace && t->evaluated_at <= grace);
}

/* The recording says it, once however often it happens. */
static void detection_failed(struct tracer *t, const char *why)
{
	_cleanup_free_ char *line = xasprintf("the search for deadlocks failed at times: %s", why);

	tracer_blind(t, line);
}

/* An evaluation has ended: the next begins so late that little of the time is spent on them. */
static void evaluation_ended(struct tracer *t, uint64_t now)
{
	uint64_t took = detector_cost_ns(t->detector);

	t->is_evaluating = false;
	if (detector_error(t->detector))
		detection_failed(t, detector_error(t->detector));
	/* The details joined sets or parted them: they are searched for again, though nothing has happened since. */
	if (detector_has_more(t->detector))
		t->evaluated_at = 0;
	t->evaluate_not_before = now + EVALUATE_EVERY_MS * MS;
	if (now + took * EVALUATE_SHARE > t->evaluate_not_before)
		t->evaluate_not_before = now + took * EVALUATE_SHARE;
}

/* Asks the runtimes of languages what threads wait for. Returns 0, or -errno of the store. */
static int read_waits(struct tracer *t)
{
	_cleanup_buf_ struct buf why = BUF_INIT;
	bool any = false;

	if (details_waits(t->details, detector_reader(t->detector), t->config.watch_ns, t->until,
		    feed, t, &any, &why) < 0)
		detection_failed(t, why.data);
	return any ? tracer_commit(t) : 0;
}

struct pids {
	pid_t *list;
	size_t n, cap;
};

static void add_pid(void *arg, pid_t pid, const char *name)
{
	struct pids *p = arg;

	(void)name;
	ARRAY_GROW(p->list, p->n, p->cap);
	p->list[p->n++] = pid;
}

/* The processes of languages that schedule what they run themselves, where the kernel's probes see only the threads. */
static void add_raw(struct tracer *t, struct pids *pids)
{
	static const char sql[] = "SELECT pid FROM process WHERE raw_calls AND end_ns IS NULL";
	_cleanup_buf_ struct buf why = BUF_INIT;
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	int rc = detector_reader(t->detector)
			 ? query_open(detector_reader(t->detector), sql, &stmt, &why)
			 : -1;

	while (!rc && query_step(stmt, &why) > 0)
		add_pid(pids, (pid_t)query_int(stmt, 0, 0), "");
}

/* Records the places of those who wait, and what sits in their buffers. Without it places are missing, no more. */
static void record_details(struct tracer *t, struct sqlite3 *db)
{
	_cleanup_buf_ struct buf why = BUF_INIT;

	(void)details_read(t->details, db, t->until, feed, t, &why);
	(void)tracer_commit(t);
}

/* What the library does not see is looked for from outside. Returns true, and what that has found. */
static bool look_from_outside(struct tracer *t, uint64_t now, struct findings *ret)
{
	const struct silent_times at = {now, t->changed_at, (uint64_t)t->config.watch_ns};
	struct pids pids = {.n = 0};

	if (!t->silent)
		return false;
	if (silent_is_done(t->silent)) {
		silent_tell(t->silent, t->until, feed, t);
		if (tracer_commit(t) != 0)
			return false;
	}
	if (silent_take(t->silent, detector_reader(t->detector), t->t0, &t->reported, ret)) {
		verdict_remember(&t->reported, ret);
		record_details(t, detector_reader(t->detector));
		return true;
	}
	if (silent_is_due(t->silent, &at) && tracer_commit(t) == 0) {
		if (t->choice.shim_only)
			tracer_each_alive(t, add_pid, &pids);
		else
			add_raw(t, &pids);
		silent_begin(t->silent, pids.list, pids.n, t->config.all, now);
		free(pids.list);
	}
	return false;
}

/*
 * Finds where threads wait for what runs on other hosts. Nothing here says that they are stuck, which would ask for the places; all recordings together may.
 */
static int read_peers(struct tracer *t)
{
	static const char sql[] =
		"SELECT EXISTS (SELECT 1 FROM wait w JOIN pipe p ON p.id = w.pipe_id WHERE w.end_ns IS NULL"
		" AND w.stack_id IS NULL AND w.site_id IS NULL AND p.kind = 'tcp' AND p.outside <> 0)";
	_cleanup_buf_ struct buf why = BUF_INIT;
	struct sqlite3 *db = t->config.peers ? detector_reader(t->detector) : NULL;

	if (!db || query_number(db, sql, 0, 0, &why) == 0)
		return 0;
	if (details_read(t->details, db, t->until, feed, t, &why) < 0)
		detection_failed(t, why.data);
	return tracer_commit(t);
}

bool tracer_detect(struct tracer *t, struct findings *ret)
{
	_cleanup_buf_ struct buf why = BUF_INIT;
	uint64_t now = clock_now();

	if (!t->detector || t->error || t->is_short)
		return false;
	switch (detector_state(t->detector)) {
	case DETECTOR_RUNNING:
		return false;
	case DETECTOR_SUSPECTS:
		/* Where the threads wait, and what sits in their buffers. */
		if (details_read(
			    t->details, detector_reader(t->detector), t->until, feed, t, &why) < 0)
			detection_failed(t, why.data);
		if (tracer_commit(t) == 0)
			detector_again(t->detector);
		return false;
	case DETECTOR_FOUND:
		evaluation_ended(t, now);
		detector_take(t->detector, ret);
		verdict_remember(&t->reported, ret);
		return true;
	case DETECTOR_IDLE:
		break;
	}
	if (t->is_evaluating)
		evaluation_ended(t, now);
	if (look_from_outside(t, now, ret))
		return true;
	if (evaluation_is_due(t, now) && tracer_commit(t) == 0 && read_waits(t) == 0 &&
		read_peers(t) == 0) {
		/* What is evaluated is as old as the watermark: until that is far enough the youngest wait is too young. */
		t->evaluated_at = t->until;
		t->is_evaluating = true;
		detector_begin(t->detector);
	}
	return false;
}

struct sqlite3 *tracer_reader(struct tracer *t)
{
	return t->detector ? detector_reader(t->detector) : NULL;
}

const struct findings *tracer_reported(const struct tracer *t)
{
	return &t->reported;
}

struct sqlite3 *tracer_look(struct tracer *t, struct buf *why)
{
	struct sqlite3 *db = NULL;
	_cleanup_free_ char *error = NULL;

	if (tracer_commit(t) != 0)
		return NULL;
	if (db_open_own(t->path, &db, &error) < 0) {
		buf_adds(why, error);
		return NULL;
	}
	record_details(t, db);
	return db;
}
