/* tracer.c - record: sources in, database out. */
/* SPDX-License-Identifier: MIT */
#include "tracer/tracer.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sqlite3.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/hash.h"
#include "base/mem.h"
#include "schema/record.h"
#include "tracer/arena.h"
#include "tracer/choose.h"
#include "tracer/deaths.h"
#include "tracer/merge.h"
#include "tracer/model.h"
#include "tracer/preload.h"
#include "tracer/store.h"
#include "tracer/symbols.h"
#include "tracer/trace_row.h"
#include "tracer/watch.h"
#include "verdict/verdict.h"

#pragma weak model_new
#pragma weak model_free
#pragma weak model_feed
#pragma weak model_flush
#pragma weak model_end
#pragma weak model_loss
#pragma weak model_alive
#pragma weak model_each_alive
#pragma weak model_oldest_wait
#pragma weak model_skipped
#pragma weak verdict_all
#pragma weak verdict_store
#pragma weak findings_free

#define MS 1000000ull

enum {
	COMMIT_EVERY_MS = 500,
	LOOK_EVERY_MS = 200, /* at most so often is the graph evaluated */
	LOOK_SHARE = 50,     /* and no more than 1/50 of the time is spent on it */
	GONE_EVERY_MS = 500, /* how often processes whose end was not seen are sought */
	LEAST_TIMEOUT_MS = 1,
	MOST_TIMEOUT_MS = 20,
	BUSY_RECORDS = 2000, /* so many in one drain: do not sleep at all */
	RECENT_SIGNALS = 32
};

struct sent_signal {
	uint64_t ts;
	pid_t pid;
	int signo;
};

struct tracer {
	struct choice choice;
	struct tracer_config config;
	struct merge *merge;
	struct symbols *symbols;
	struct store *store;
	struct model *model;
	struct watch *watch;
	struct deaths *deaths; /* --backend=shim only */
	char *path, *arena;
	uint64_t t0, until;             /* start; the watermark */
	uint64_t committed_at, gone_at; /* when last done */
	uint64_t changed_at, looked_at; /* last record, last evaluation */
	uint64_t look_not_before;
	uint64_t records, committed_records, lost;
	int timeout_ms, error;
	bool attached[2];
	struct hash
		images; /* lock source of program files, by device and inode; the value is 1 + enum lock_source */
	struct sent_signal sent[RECENT_SIGNALS];
	size_t n_sent;
};

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec ts;

	(void)clock_gettime(clock, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

/* ---- Open ---- */

static void detach_all(struct tracer *t)
{
	for (size_t i = 0; i < t->choice.n; i++)
		if (t->attached[i]) {
			t->choice.sources[i]->detach(t->choice.sources[i]);
			t->attached[i] = false;
		}
}

static void tracer_free(struct tracer *t)
{
	detach_all(t);
	watch_free(t->watch);
	deaths_free(t->deaths);
	if (t->model)
		model_free(t->model);
	(void)store_close(t->store);
	symbols_free(t->symbols);
	merge_free(t->merge);
	arena_remove(t->arena);
	choice_done(&t->choice);
	hash_done(&t->images);
	free(t->arena);
	free(t->path);
	free(t);
}

static int attach_all(struct tracer *t, struct buf *why)
{
	struct source_config config = {
		.locks = t->choice.locks,
		.data_bytes = t->config.data_bytes,
		.sched = t->config.sched,
		.drop = t->config.drop,
		.everything = t->choice.shim_only,
		.quiet = t->config.quiet,
		.ring_bytes = t->config.ring_bytes,
		.shim_path = t->choice.shim_path,
	};

	if (t->choice.shim_only || t->choice.locks == LOCKS_MODE_SHIM) {
		arena_clean();
		t->arena = arena_make();
		if (!t->arena) {
			int rc = -errno;

			buf_addf(why, "cannot make a directory for the rings: %s", strerror(-rc));
			return rc;
		}
		config.arena_dir = t->arena;
	}
	for (size_t i = 0; i < t->choice.n; i++) {
		int rc = t->choice.sources[i]->attach(t->choice.sources[i], &config, why);

		if (rc < 0)
			return rc;
		t->attached[i] = true;
	}
	return 0;
}

static int make_database(struct tracer *t, struct buf *why)
{
	struct model_config model = {
		.t0 = t->t0,
		.started_unix_ns = (int64_t)clock_ns(CLOCK_REALTIME),
		.tracer_pid = getpid(),
		.data_bytes = t->config.data_bytes,
		.symbols = t->symbols,
	};
	_cleanup_buf_ struct buf blind = BUF_INIT;
	char *text = NULL;
	int rc = store_open(t->config.path, &t->store, &text);

	if (rc < 0) {
		buf_adds(why, text ? text : strerror(-rc));
		free(text);
		return rc;
	}
	choice_blind_spots(&t->choice, &blind);
	if (trace_row_begin(
		    store_db(t->store), &t->config, t->choice.backend, model.started_unix_ns) < 0 ||
		trace_row_blind(store_db(t->store), blind.data) < 0 || store_commit(t->store) < 0) {
		buf_addf(why, "cannot write to %s: %s", t->config.path,
			sqlite3_errmsg(store_db(t->store)));
		return -EIO;
	}
	t->model = model_new(t->store, &model);
	return 0;
}

int tracer_open(
	const struct tracer_config *config, struct tracer **ret, struct buf *notes, struct buf *why)
{
	struct tracer *t = xcalloc(1, sizeof *t);
	int rc;

	t->config = *config;
	t->path = xstrdup(config->path);
	t->config.path = t->path;
	t->merge = merge_new();
	t->timeout_ms = LEAST_TIMEOUT_MS;
	rc = choose_sources(config, &t->choice, notes, why);
	if (rc == 0 && !model_new)
		rc = -ENOSYS;
	if (rc == 0)
		rc = attach_all(t, why);
	if (rc == 0) {
		t->symbols = symbols_new();
		t->t0 = t->committed_at = t->gone_at = clock_ns(CLOCK_MONOTONIC);
		rc = make_database(t, why);
	}
	if (rc < 0) {
		tracer_free(t);
		return rc;
	}
	if (t->choice.shim_only)
		t->deaths = deaths_new();
	if (config->watch_ns > 0)
		t->watch = watch_new(t->path, config->watch_ns);
	*ret = t;
	return 0;
}

int tracer_environment(struct tracer *t, struct buf *env)
{
	for (size_t i = 0; i < t->choice.n; i++) {
		struct source *s = t->choice.sources[i];
		int rc = s->environment ? s->environment(s, env) : 0;

		if (rc < 0)
			return rc;
	}
	return 0;
}

int tracer_adopt(struct tracer *t, pid_t pid)
{
	for (size_t i = 0; i < t->choice.n; i++) {
		struct source *s = t->choice.sources[i];
		int rc = s->adopt ? s->adopt(s, pid) : 0;

		if (rc < 0)
			return rc;
	}
	if (t->deaths)
		deaths_add(t->deaths, pid, true);
	return 0;
}

int tracer_follow(struct tracer *t, pid_t pid, pid_t tid)
{
	int rc = -ENOTSUP;

	for (size_t i = 0; i < t->choice.n; i++) {
		struct source *s = t->choice.sources[i];

		if (s->follow)
			rc = s->follow(s, pid, tid);
	}
	return rc;
}

void tracer_blind(struct tracer *t, const char *lines)
{
	(void)trace_row_blind(store_db(t->store), lines);
}

/* ---- Records ---- */

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
	if (e->secure)
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

static void feed_model(void *arg, const struct rec_head *rec)
{
	struct tracer *t = arg;

	model_feed(t->model, rec);
}

static void feed(void *arg, const struct rec_head *rec)
{
	struct tracer *t = arg;

	if (t->deaths && !deaths_filter(t->deaths, rec, feed_model, t))
		return;
	t->records++;
	if (rec->kind == REC_SIG_SEND) {
		const struct rec_SIG_SEND *s = (const void *)rec;

		t->sent[t->n_sent++ % RECENT_SIGNALS] =
			(struct sent_signal){rec->ts, (pid_t)s->target_pid, (int)s->signo};
	}
	if (rec->kind == REC_EXEC && rec->size == sizeof(struct rec_EXEC)) {
		struct rec_EXEC exec = *(const struct rec_EXEC *)rec;

		if (!exec.lock_source)
			exec.lock_source = image_locks(t, &exec);
		model_feed(t->model, &exec.head);
		return;
	}
	model_feed(t->model, rec);
}

void tracer_emit(void *tracer, const struct rec_head *rec)
{
	struct tracer *t = tracer;

	merge_add(t->merge, rec);
}

bool tracer_saw_signal(const struct tracer *t, pid_t pid, int signo, uint64_t since_ns)
{
	for (size_t i = 0; i < RECENT_SIGNALS; i++)
		if (t->sent[i].pid == pid && t->sent[i].signo == signo && t->sent[i].ts >= since_ns)
			return true;
	return false;
}

/* ---- The loop's share ---- */

static void count_loss(void *arg, const char *source, unsigned kind, uint64_t count)
{
	struct tracer *t = arg;

	t->lost += count;
	model_loss(t->model, source, kind, count);
}

static void read_losses(struct tracer *t)
{
	t->lost = 0;
	for (size_t i = 0; i < t->choice.n; i++)
		if (t->attached[i])
			t->choice.sources[i]->losses(t->choice.sources[i], count_loss, t);
}

/* The database cannot be written: the command is left in peace, nothing is recorded any more. */
static int give_up(struct tracer *t, int error)
{
	t->error = error;
	detach_all(t);
	return error;
}

/* Drains all sources and feeds the model up to what they have in common. */
static size_t drain(struct tracer *t)
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

static int commit(struct tracer *t)
{
	int rc;

	read_losses(t);
	rc = model_flush(t->model, t->until > t->t0 ? t->until : t->t0);
	if (rc == 0)
		rc = store_commit(t->store);
	t->committed_at = clock_ns(CLOCK_MONOTONIC);
	t->committed_records = t->records;
	return rc < 0 ? give_up(t, rc) : 0;
}

int tracer_commit(struct tracer *t)
{
	if (t->error)
		return t->error;
	(void)drain(t);
	return commit(t);
}

int tracer_poll(struct tracer *t)
{
	uint64_t now;
	size_t n;

	if (t->error)
		return t->error;
	n = drain(t);
	if (n >= BUSY_RECORDS)
		t->timeout_ms = 0;
	else if (n)
		t->timeout_ms = LEAST_TIMEOUT_MS;
	else if (t->timeout_ms < MOST_TIMEOUT_MS)
		t->timeout_ms = t->timeout_ms * 2 + LEAST_TIMEOUT_MS;
	if (store_error(t->store))
		return give_up(t, -EIO);
	now = clock_ns(CLOCK_MONOTONIC);
	if (n)
		t->changed_at = now;
	if (t->records != t->committed_records && now - t->committed_at >= COMMIT_EVERY_MS * MS)
		return commit(t);
	return 0;
}

int tracer_timeout(const struct tracer *t)
{
	return t->error ? -1 : t->timeout_ms;
}

int tracer_wakeup_fds(const struct tracer *t, int *fds, int max)
{
	int n = 0;

	if (t->deaths && max > 0)
		fds[n++] = deaths_fd(t->deaths);
	for (size_t i = 0; i < t->choice.n; i++) {
		struct source *s = t->choice.sources[i];
		int fd = t->attached[i] && s->wakeup_fd ? s->wakeup_fd(s) : -1;

		if (fd >= 0 && n < max)
			fds[n++] = fd;
	}
	return n;
}

static void count_present(void *arg, pid_t pid, const char *name)
{
	_cleanup_free_ char *path = xasprintf("/proc/%d/stat", (int)pid);
	_cleanup_fclose_ FILE *f = fopen(path, "re");
	char line[512];
	char *state;

	(void)name;
	if (!f || !fgets(line, sizeof line, f))
		return;
	state = strrchr(line, ')');
	if (state && state[1] && state[2] != 'Z' && state[2] != 'X')
		(*(unsigned *)arg)++;
}

unsigned tracer_alive(struct tracer *t)
{
	unsigned present = 0, alive = t->error ? 0 : model_alive(t->model);
	uint64_t now = clock_ns(CLOCK_MONOTONIC);

	/* An end that was lost must not make us wait for ever: look whether anybody is there. */
	if (alive && now - t->gone_at >= GONE_EVERY_MS * MS) {
		t->gone_at = now;
		model_each_alive(t->model, count_present, &present);
		return present;
	}
	return alive;
}

void tracer_each_alive(
	struct tracer *t, void (*each)(void *arg, pid_t pid, const char *name), void *arg)
{
	if (!t->error)
		model_each_alive(t->model, each, arg);
}

static int commit_for_watch(void *arg)
{
	return tracer_commit(arg);
}

bool tracer_watch(struct tracer *t, struct findings *ret)
{
	uint64_t now = clock_ns(CLOCK_MONOTONIC), oldest, done;
	bool found;

	if (!t->watch || t->error || now < t->look_not_before)
		return false;
	oldest = model_oldest_wait(t->model);
	if (!oldest || now < oldest || now - oldest < (uint64_t)t->config.watch_ns)
		return false;
	/* Without records nothing changes but the age of waits, and that only until the youngest is old enough. */
	if (t->looked_at > t->changed_at + (uint64_t)t->config.watch_ns)
		return false;
	t->looked_at = now;
	if (tracer_commit(t) < 0)
		return false;
	found = watch_look(t->watch, commit_for_watch, t, ret);
	done = clock_ns(CLOCK_MONOTONIC);
	t->look_not_before = done + LOOK_EVERY_MS * MS;
	if (done + (done - now) * LOOK_SHARE > t->look_not_before)
		t->look_not_before = done + (done - now) * LOOK_SHARE;
	return found;
}

struct sqlite3 *tracer_reader(struct tracer *t)
{
	return t->watch ? watch_reader(t->watch) : NULL;
}

/* ---- Close ---- */

static uint64_t query_count(struct sqlite3 *db, const char *sql)
{
	sqlite3_stmt *stmt;
	uint64_t n = 0;

	if (sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) != SQLITE_OK)
		return 0;
	if (sqlite3_step(stmt) == SQLITE_ROW)
		n = (uint64_t)sqlite3_column_int64(stmt, 0);
	(void)sqlite3_finalize(stmt);
	return n;
}

static void summarise(struct tracer *t, struct tracer_summary *s)
{
	struct sqlite3 *db = store_db(t->store);

	s->processes = query_count(db, "SELECT count(*) FROM process");
	s->threads = query_count(db, "SELECT count(*) FROM thread");
	s->errors = query_count(db, "SELECT count(*) FROM finding WHERE severity = 'error'");
	s->warnings = query_count(db, "SELECT count(*) FROM finding WHERE severity = 'warning'");
	s->infos = query_count(db, "SELECT count(*) FROM finding WHERE severity = 'info'");
	s->records = t->records;
	s->lost = t->lost;
	s->skipped = model_skipped(t->model);
}

/* Findings are computed from the rows and stored beside them. */
static int find_all(struct tracer *t, struct buf *why)
{
	struct findings f = {0};
	int rc;

	if (!verdict_all)
		return 0;
	rc = verdict_all(store_db(t->store), INT64_MAX, NULL, false, &f, why);
	if (rc == 0)
		rc = verdict_store(store_db(t->store), &f);
	if (rc == 0 || f.list)
		findings_free(&f);
	return rc;
}

static int write_end(struct tracer *t, const struct tracer_outcome *outcome, struct buf *why)
{
	int rc;

	read_losses(t);
	(void)merge_emit(t->merge, UINT64_MAX, feed, t);
	rc = model_end(t->model, clock_ns(CLOCK_MONOTONIC));
	if (rc == 0)
		rc = store_commit(t->store);
	if (rc == 0)
		rc = find_all(t, why);
	if (rc == 0)
		rc = trace_row_end(store_db(t->store), outcome);
	return rc;
}

int tracer_close(struct tracer *t, const struct tracer_outcome *outcome,
	struct tracer_summary *ret_summary, struct buf *why)
{
	uint64_t now = clock_ns(CLOCK_MONOTONIC);
	int rc = t->error;

	*ret_summary = (struct tracer_summary){
		.backend = t->choice.backend, .duration_ns = (int64_t)(now - t->t0)};
	/* The sources may need a moment until they have handed over what happened just now. */
	for (int i = 0; rc == 0 && i < 100 && t->until < now; i++)
		(void)drain(t);
	if (rc == 0)
		rc = write_end(t, outcome, why);
	if (rc == 0)
		summarise(t, ret_summary);
	if (rc < 0 && !why->len)
		buf_adds(why, store_error(t->store) ? store_error(t->store) : strerror(-rc));
	watch_free(t->watch);
	t->watch = NULL;
	if (store_close(t->store) < 0 && rc == 0) {
		buf_adds(why, "the file could not be completed");
		rc = -EIO;
	}
	t->store = NULL;
	tracer_free(t);
	return rc;
}

const char *tracer_error(const struct tracer *t)
{
	return store_error(t->store);
}
