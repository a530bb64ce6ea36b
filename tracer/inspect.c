/* inspect.c - inspect running processes once: a snapshot, put through the model into a database in memory. */
/* SPDX-License-Identifier: MIT */
#include "tracer/inspect.h"

#include <errno.h>
#include <pthread.h>
#include <sqlite3.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/mem.h"
#include "schema/db.h"
#include "schema/query.h"
#include "schema/record.h"
#include "tracer/authority/authority.h"
#include "tracer/core/core.h"
#include "tracer/inspect_state.h"
#include "tracer/model/model.h"
#include "tracer/runtime/runtime.h"
#include "tracer/snapshot/snapshot.h"
#include "tracer/store/store.h"
#include "tracer/symbols/symbols.h"
#include "tracer/tracer.h"
#include "verdict/verdict.h"

static void keep(void *arg, const struct rec_head *rec)
{
	struct inspect *in = arg;

	const struct rec_TIMER *timer = (const void *)rec;

	/* A POSIX timer may be idle: the two verdicts decide what that means. */
	if (rec->kind == REC_TIMER && timer->which == TIMER_POSIX) {
		ARRAY_GROW(in->posix_timers, in->n_posix_timers, in->cap_posix_timers);
		in->posix_timers[in->n_posix_timers++] =
			(struct posix_timer){(pid_t)rec->pid, (int)timer->signo};
		return;
	}
	buf_add(&in->records, rec, rec->size);
}

/* A timer that expires after the threads have been looked at would seem not to be armed. */
static void read_timers(void *arg)
{
	struct inspect *in = arg;

	in->n_armed = timers_armed(&in->armed);
}

static const struct rec_head *record_at(const struct inspect *in, size_t at)
{
	return at < in->records.len ? (const void *)(in->records.data + at) : NULL;
}

/* Adds what sits in the stdio buffers of processes that wait. */
static void find_unflushed(struct inspect *in)
{
	const struct rec_head *rec;
	struct hash seen = {0};
	size_t end = in->records.len;

	for (size_t at = 0; at < end && (rec = record_at(in, at)) != NULL; at += rec->size) {
		if (rec->kind != REC_WAIT_BEGIN || hash_set(&seen, rec->pid, in))
			continue;
		(void)unflushed_find(in->symbols, -(int64_t)rec->pid, (pid_t)rec->tid, keep, in);
		rec = record_at(in, at); /* the buffer may have moved */
	}
	hash_done(&seen);
}

static void keep_runtime(void *arg, const struct rec_head *rec)
{
	struct inspect *in = arg;

	buf_add(&in->runtimes, rec, rec->size);
}

/* What the runtime of a language says of threads that wait: it must hold of the same moment as the rest. */
static void read_runtime(void *arg, pid_t pid)
{
	struct inspect *in = arg;
	struct runtime_process p = {
		.pid = pid, .key = pid, .symbols = in->symbols, .tasks = &in->tasks};

	(void)runtime_emit(&p, clock_now(), keep_runtime, in, &in->runtime_blind);
}

/* The same of a core, all of which is of one moment. */
static void read_core_runtime(void *arg, struct core *core)
{
	struct inspect *in = arg;
	struct runtime_process p = {.pid = core_process(core)->pid,
		.symbols = in->symbols,
		.core = core,
		.tasks = &in->tasks};

	p.key = -(int64_t)p.pid;
	(void)runtime_emit(&p, record_at(in, 0)->ts, keep_runtime, in, &in->runtime_blind);
}

static int feed(struct inspect *in, const struct buf *blind)
{
	struct tracer_config nothing = {.program = NULL};
	const struct rec_head *rec = record_at(in, 0);
	struct model_config config = {.tracer_pid = getpid(),
		.symbols = in->symbols,
		.data_bytes = 32,
		.is_snapshot = true};
	int rc;

	in->t0 = config.t0 = rec ? rec->ts : in->taken;
	config.started_unix_ns = (int64_t)(clock_ns(CLOCK_REALTIME) - (in->taken - in->t0));
	rc = trace_row_begin(store_db(in->store), &nothing, "snapshot", config.started_unix_ns);
	if (rc == 0)
		rc = trace_row_blind(store_db(in->store), blind->data);
	if (rc)
		return rc;
	in->model = model_new(in->store, &config);
	for (size_t at = 0; (rec = record_at(in, at)) != NULL; at += rec->size)
		model_feed(in->model, rec);
	rc = model_flush(in->model, in->taken);
	if (rc == 0)
		rc = store_commit(in->store);
	if (rc == 0)
		rc = store_exec(in->store, db_index_sql);
	return rc;
}

/* The database is made while the processes are read. */
struct opening {
	struct store *store;
	char *why;
	int rc;
};

static void *open_store(void *arg)
{
	struct opening *o = arg;

	o->rc = store_open(NULL, &o->store, &o->why);
	return NULL;
}

/* What the runtimes said comes after what the kernel knows of the same threads. */
static void add_runtimes(struct inspect *in, struct buf *blind)
{
	buf_add(&in->records, in->runtimes.data, in->runtimes.len);
	buf_add(blind, in->runtime_blind.data, in->runtime_blind.len);
}

/* Reads running processes into the records. */
static int read_processes(
	struct inspect *in, const pid_t *pids, size_t n_pids, struct buf *blind, struct buf *why)
{
	struct snapshot_config config = {.pids = pids,
		.n_pids = n_pids,
		.related = true,
		.calls = true,
		.symbols = in->symbols,
		.between = read_timers,
		.each_between = read_runtime,
		.limits = &in->limits};
	int rc = snapshot_take(&config, keep, in, blind, why);

	if (rc)
		return rc;
	find_unflushed(in);
	add_runtimes(in, blind);
	return 0;
}

/* A core belongs to no process that runs now, so authority over none is needed. */
static bool has_none(void *arg, int pidfd, pid_t pid)
{
	(void)arg;
	(void)pidfd;
	(void)pid;
	return false;
}

/* What is to be inspected: processes, or a core. */
struct subject {
	const pid_t *pids;
	size_t n_pids;
	const char *core, *exe;
	struct buf *told;
};

static int read_subject(
	struct inspect *in, const struct subject *of, struct buf *blind, struct buf *why)
{
	struct snapshot_core_config config = {
		.path = of->core, .exe = of->exe, .each = read_core_runtime, .told = of->told};
	int rc;

	if (!of->core)
		return read_processes(in, of->pids, of->n_pids, blind, why);
	in->authority = authority_new();
	authority_kernel(in->authority, has_none, NULL);
	symbols_guard(in->symbols, in->authority);
	config.symbols = in->symbols;
	rc = snapshot_core(&config, keep, in, blind, why);
	if (rc == 0)
		add_runtimes(in, blind);
	return rc;
}

static int inspect(const struct subject *of, struct inspect **ret, struct buf *why)
{
	struct inspect *in = xcalloc(1, sizeof *in);
	_cleanup_buf_ struct buf blind = BUF_INIT;
	struct opening opening = {.store = NULL};
	pthread_t opener;
	bool has_opener;
	int rc;

	in->records = in->runtimes = in->runtime_blind = BUF_INIT;
	in->symbols = symbols_new();
	has_opener = pthread_create(&opener, NULL, open_store, &opening) == 0;
	rc = read_subject(in, of, &blind, why);
	/* A core does not say how long anything had lasted. */
	in->taken = of->core && in->records.len ? record_at(in, 0)->ts : clock_now();
	if (has_opener)
		(void)pthread_join(opener, NULL);
	else
		(void)open_store(&opening);
	in->store = opening.store;
	if (rc == 0 && opening.rc) {
		buf_adds(why, opening.why);
		rc = opening.rc;
	}
	free(opening.why);
	if (rc == 0) {
		rc = feed(in, &blind);
		if (rc)
			buf_adds(why,
				store_error(in->store) ? store_error(in->store) : strerror(-rc));
	}
	if (rc) {
		inspect_free(in);
		return rc;
	}
	*ret = in;
	return 0;
}

int inspect_new(const pid_t *pids, size_t n_pids, struct inspect **ret, struct buf *why)
{
	return inspect(&(struct subject){.pids = pids, .n_pids = n_pids}, ret, why);
}

int inspect_core(
	const char *core, const char *exe, struct inspect **ret, struct buf *told, struct buf *why)
{
	return inspect(&(struct subject){.core = core, .exe = exe, .told = told}, ret, why);
}

void inspect_free(struct inspect *in)
{
	if (!in)
		return;
	model_free(in->model);
	(void)store_close(in->store);
	symbols_free(in->symbols);
	authority_free(in->authority);
	buf_done(&in->records);
	buf_done(&in->runtimes);
	buf_done(&in->runtime_blind);
	free(in->posix_timers);
	free(in->armed);
	free(in);
}

uint64_t inspect_t0(const struct inspect *in)
{
	return in->t0;
}

const struct buf *inspect_runtimes(const struct inspect *in)
{
	return &in->runtimes;
}

const struct buf *inspect_runtime_blind(const struct inspect *in)
{
	return &in->runtime_blind;
}

struct sqlite3 *inspect_db(struct inspect *in)
{
	return store_db(in->store);
}

bool inspect_is_denied(const struct inspect *in)
{
	return in->limits.all_denied;
}
