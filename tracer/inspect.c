/* inspect.c - inspect running processes once: a snapshot, put through the model into a database in memory. */
/* SPDX-License-Identifier: MIT */
/*
 * Whether an interval timer (alarm, setitimer) is armed is not shown by /proc, nor whether an existing POSIX timer
 * is. The verdict is therefore computed twice: as if none were armed, and as if each process that can have armed
 * one had. What stands both times is certain; what only stands the first time depends on there being none.
 */
#include "tracer/inspect.h"

#include <errno.h>
#include <pthread.h>
#include <sqlite3.h>
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
#include "tracer/model/model.h"
#include "tracer/runtime/runtime.h"
#include "tracer/snapshot/snapshot.h"
#include "tracer/store/store.h"
#include "tracer/symbols/symbols.h"
#include "tracer/tracer.h"
#include "verdict/verdict.h"

struct inspect {
	bool all;                 /* what is at rest counts too */
	struct buf records;       /* all records of the snapshot, concatenated */
	struct buf runtimes;      /* what the runtimes of languages said meanwhile */
	struct buf runtime_blind; /* and what of it was not understood */
	uint32_t tasks;           /* goroutines without a kernel thread, of those reported */
	struct symbols *symbols;
	struct authority *authority; /* for a core: grants no process */
	struct store *store;
	struct model *model;
	struct posix_timer {
		pid_t pid;
		int signo;
	} * posix_timers;
	size_t n_posix_timers, cap_posix_timers;
	struct timer_armed *armed; /* interval timers, of whatever process */
	int n_armed;               /* or a negative errno */
	struct snapshot_limits limits;
	uint64_t t0, taken; /* time 0 of the database; when the snapshot was complete */
};

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

struct sqlite3 *inspect_db(struct inspect *in)
{
	return store_db(in->store);
}

bool inspect_is_denied(const struct inspect *in)
{
	return in->limits.all_denied;
}

/* A finding is the same if its members' waits are, in any order. */
static uint64_t finding_key(const struct finding *f)
{
	uint64_t key = 1;

	for (size_t i = 0; i < f->n_members; i++)
		if (f->members[i].wait_id)
			key += hash_mix((uint64_t)f->members[i].wait_id, 1, 2);
	return key;
}

static void add_explanation(struct finding *f, const char *sentence)
{
	const char *before = f->explanation ? f->explanation : "";
	bool ends_inside = *before && before[strlen(before) - 1] != '\n';
	char *text = xasprintf("%s%s%s", before, ends_inside ? "\n" : "", sentence);

	free(f->explanation);
	f->explanation = text;
}

static void make_conditional(struct finding *f, const char *why)
{
	static const char never[] = " and can never proceed";
	char *end = f->summary ? strstr(f->summary, never) : NULL;

	if (end && !end[sizeof never - 1])
		*end = '\0';
	f->certain = false;
	f->rule = "stuck";
	f->severity = "warning";
	add_explanation(f, why);
}

/* Evaluates once more with what-if rows; what is not certain then depends on their not being true. */
static int assume(struct inspect *in, const char *what_if, const char *words, struct findings *f,
	struct buf *why)
{
	struct findings again = {0};
	int rc = query_exec(inspect_db(in), "SAVEPOINT assumption", why);

	if (rc == 0)
		rc = query_exec(inspect_db(in), what_if, why);
	if (rc == 0)
		rc = verdict_stuck(inspect_db(in), INT64_MAX, in->all, &again, why);
	(void)store_exec(in->store, "ROLLBACK TO assumption; RELEASE assumption");
	if (rc)
		return rc;
	for (size_t i = 0; i < f->n; i++) {
		bool stands = false;

		for (size_t k = 0; k < again.n && !stands; k++)
			stands = again.list[k].certain &&
				 finding_key(&again.list[k]) == finding_key(&f->list[i]);
		if (!stands && f->list[i].certain)
			make_conditional(&f->list[i], words);
	}
	findings_free(&again);
	return 0;
}

/* Adds the timers that are armed; returns how many are those of processes here, or -EPERM if that cannot be known. */
static int add_timers(struct inspect *in, struct buf *why)
{
	const struct timer_armed *list = in->armed;
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	int n = in->n_armed, added = 0, rc;

	if (n <= 0)
		return n;
	rc = query_open(inspect_db(in),
		"INSERT INTO timer (process_id, kind, signo, armed_ns, expires_ns, interval_ns)"
		" SELECT id, 'real', 14, 0, ?2, ?3 FROM process WHERE pid = ?1",
		&stmt, why);
	for (int i = 0; !rc && i < n; i++) {
		query_bind_int(stmt, 1, list[i].pid);
		query_bind_int(stmt, 2, (int64_t)(list[i].expires - in->t0));
		query_bind_int(stmt, 3, (int64_t)list[i].interval);
		rc = query_run(stmt, why);
		if (!rc)
			added += sqlite3_changes(inspect_db(in));
	}
	return rc ? rc : added;
}

/* Adds the findings of a rule that needs nothing but a snapshot. */
static int add_rule(struct inspect *in, const char *rule, struct findings *f, struct buf *why)
{
	struct findings more = {0};
	int rc = verdict_all(inspect_db(in), INT64_MAX, rule, false, &more, why);

	if (rc)
		return rc;
	f->list = xreallocarray(f->list, f->n + more.n, sizeof *f->list);
	for (size_t i = 0; i < more.n; i++)
		f->list[f->n++] = more.list[i];
	more.n = 0;
	findings_free(&more);
	return 0;
}

/* Adds to an SQL statement one more row of an armed timer. */
static void add_possible(struct buf *sql, int64_t pid, const char *kind, int signo)
{
	buf_addf(sql, "%s ((SELECT id FROM process WHERE pid = %lld), '%s', %d, 0, %lld, 0)",
		sql->len ? "," : "", (long long)pid, kind, signo, 9000000000000000000ll);
}

/* Sets *ret to an SQL statement that arms each timer that may be armed, or to NULL if there is none. */
static int possible_timers(struct inspect *in, bool are_known, char **ret, struct buf *why)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	_cleanup_buf_ struct buf sql = BUF_INIT;
	int rc = query_open(inspect_db(in),
		"SELECT p.pid, EXISTS (SELECT 1 FROM handler h WHERE h.process_id = p.id"
		" AND h.signo = 14 AND h.disposition = 'handler' AND h.end_ns IS NULL)"
		" FROM process p WHERE p.end_ns IS NULL",
		&stmt, why);

	for (size_t i = 0; i < in->n_posix_timers; i++)
		add_possible(&sql, in->posix_timers[i].pid, "posix", in->posix_timers[i].signo);
	while (!rc && !are_known && (rc = query_step(stmt, why)) > 0) {
		int64_t pid = query_int(stmt, 0, 0);

		/* A program that catches the signal of a timer expects one, perhaps from before an exec. */
		if (query_int(stmt, 1, 0) || timers_possible((pid_t)pid))
			add_possible(&sql, pid, "real", 14);
		rc = 0;
	}
	if (rc)
		return rc;
	*ret = sql.len ? xasprintf("INSERT OR IGNORE INTO timer (process_id, kind, signo, armed_ns,"
				   " expires_ns, interval_ns) VALUES %s",
				 sql.data)
		       : NULL;
	return 0;
}

/* Of a core: as if every signal were caught. */
static const char any_handler_sql[] =
	"WITH RECURSIVE n(signo) AS (SELECT 1 UNION ALL SELECT signo + 1 FROM n WHERE signo < 31)"
	" INSERT INTO handler (process_id, signo, disposition, start_ns)"
	" SELECT p.id, signo, 'handler', 0 FROM process p, n WHERE signo NOT IN (9, 17, 19)";

static int judge(struct inspect *in, struct findings *ret, struct buf *why)
{
	int rc = verdict_stuck(inspect_db(in), INT64_MAX, in->all, ret, why), timers;
	_cleanup_free_ char *possible = NULL;

	if (rc || !ret->n)
		return rc;
	if (in->authority)
		return assume(in, any_handler_sql,
			"It is not certain: a core does not say for which signals the program has handlers, "
			"and one of them could have ended it.",
			ret, why);
	timers = add_timers(in, why);
	if (why->len)
		return -EIO;
	if (timers > 0) {
		findings_free(ret);
		rc = verdict_stuck(inspect_db(in), INT64_MAX, in->all, ret, why);
	}
	if (rc == 0 && ret->n)
		rc = possible_timers(in, timers >= 0, &possible, why);
	if (rc == 0 && possible)
		rc = assume(in, possible,
			"It is not certain: pptrace has no permission to check whether an armed timer or alarm would end it.",
			ret, why);
	for (size_t i = 0; rc == 0 && timers < 0 && i < ret->n; i++)
		if (ret->list[i].certain)
			add_explanation(&ret->list[i],
				"pptrace has no permission to check whether an alarm was set before the exec; such an alarm would terminate the program.");
	if (rc == 0 && ret->n && in->limits.hidden)
		rc = assume(in, "UPDATE pipe SET outside = 3",
			"It is not certain: a related process cannot be read and may hold the other "
			"end of a pipe.",
			ret, why);
	return rc;
}

/* A stopped process is still deadlocked; the finding says that it is also stopped. */
static int note_stopped(struct inspect *in, struct findings *f, struct buf *why)
{
	static const char sql[] = "SELECT 1 FROM wait WHERE id = ?1 AND detail = 'stopped'";

	for (size_t i = 0; i < f->n; i++) {
		bool is_stopped = false;

		for (size_t k = 0; k < f->list[i].n_members && !is_stopped; k++)
			is_stopped = query_number(
				inspect_db(in), sql, f->list[i].members[k].wait_id, 0, why);
		if (is_stopped)
			add_explanation(&f->list[i],
				"It is stopped now (by a signal or a debugger); when continued it will wait for the same thing again.");
	}
	return query_failed(0, why);
}

int inspect_verdict(struct inspect *in, bool all, struct findings *ret, struct buf *why)
{
	int rc;

	in->all = all;
	rc = judge(in, ret, why);

	if (rc == 0)
		rc = note_stopped(in, ret, why);
	/* Unflushed output that others wait for. */
	if (rc == 0 && ret->n)
		rc = add_rule(in, "unflushed-output", ret, why);
	return rc ? rc : add_rule(in, "pipe-end-leak", ret, why);
}
