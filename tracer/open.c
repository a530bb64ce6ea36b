/* open.c - begin a recording: sources, database, model. */
/* SPDX-License-Identifier: MIT */
#include "tracer/private.h"

#include <errno.h>
#include <sqlite3.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "schema/db.h"
#include "tracer/authority/authority.h"
#include "tracer/shim/shim.h"
#include "tracer/detect/details.h"
#include "tracer/target/limits.h"
#include "tracer/merge.h"
#include "tracer/model/model.h"
#include "tracer/store/store.h"
#include "tracer/room.h"
#include "tracer/symbols/symbols.h"
#include "tracer/detect/detector.h"
#include "tracer/detect/silent.h"
#include "tracer/target/user.h"

/* With less than this the database is kept small in memory, which costs time. */
#define MEMORY_SHORT (1ull << 30)

void tracer_detach(struct tracer *t)
{
	shortage_end(t);
	for (size_t i = 0; i < t->choice.n; i++)
		if (t->attached[i]) {
			t->choice.sources[i]->detach(t->choice.sources[i]);
			t->attached[i] = false;
		}
}

void tracer_free(struct tracer *t)
{
	tracer_detach(t);
	mem_cleanup_close(&t->wakeup);
	findings_free(&t->reported);
	detector_free(t->detector);
	silent_free(t->silent);
	deaths_free(t->deaths);
	model_free(t->model);
	trim_free(t->trim);
	(void)store_close(t->store);
	details_free(t->details);
	symbols_free(t->symbols);
	merge_free(t->merge);
	sweeper_end(t->sweeper);
	plain_free(t->plain);
	arena_remove(t->arena);
	choice_done(&t->choice);
	hash_done(&t->images);
	free(t->arena);
	authority_free(t->authority);
	room_free(t->room);
	free(t->path);
	free(t);
}

/* As whom the command runs, and its library writes to the rings. */
static uid_t tracer_owner(const struct tracer *t)
{
	return t->config.user ? t->config.user->uid : geteuid();
}

/* The library's rings lie in a directory of ours, or of the user whose programs are recorded. */
static int need_arena(struct tracer *t, struct buf *why)
{
	int rc;

	if (t->arena)
		return 0;
	arena_clean();
	t->arena = arena_make(tracer_owner(t));
	if (t->arena) {
		t->sweeper = sweeper_start(t->arena);
		return 0;
	}
	rc = -errno;
	buf_addf(why, "cannot make a directory for the rings: %s", strerror(-rc));
	return rc;
}

static int attach_one(struct tracer *t, struct source *s, struct buf *why)
{
	struct source_config config = {
		.locks = t->choice.locks,
		.data_bytes = t->config.data_bytes,
		.sched = t->config.sched,
		.keep_all = t->config.keep_all,
		.drop = t->config.drop,
		.stacks = t->config.stacks,
		.everything = t->choice.shim_only,
		.quiet = t->config.quiet,
		.ring_bytes = t->config.ring_bytes,
		.memory = room_left(t->room),
		.shim_path = t->choice.shim_path,
		.mpi_path = t->choice.mpi_path,
		.program = t->config.program,
		.authority = t->authority,
		.owner = tracer_owner(t),
	};
	int rc = s == source_shim() ? need_arena(t, why) : 0;

	config.arena_dir = t->arena;
	return rc ? rc : s->attach(s, &config, why);
}

/*
 * Attaches what was chosen, or what remains where one of them fails. The
 * library's source comes first: whether it is there decides what the kernel's has to do.
 */
static int attach_all(struct tracer *t, struct buf *notes, struct buf *why)
{
	for (size_t i = t->choice.n; i-- > 0;) {
		struct source *s = t->choice.sources[i];
		int rc = attach_one(t, s, why);

		t->attached[i] = rc == 0;
		if (rc == 0)
			continue;
		tracer_detach(t);
		rc = choice_fall_back(&t->choice, &t->config, s, rc, notes, why);
		if (rc < 0)
			return rc;
		i = t->choice.n;
	}
	return 0;
}

int tracer_try(
	const struct tracer_config *config, struct choice *ret, struct buf *notes, struct buf *why)
{
	struct tracer *t = xcalloc(1, sizeof *t);
	int rc;

	t->config = *config;
	t->room = room_new("");
	t->wakeup = -1;
	rc = choose_sources(config, &t->choice, notes, why);
	if (rc == 0)
		rc = attach_all(t, notes, why);
	tracer_detach(t);
	*ret = t->choice;
	t->choice = (struct choice){0};
	tracer_free(t);
	return rc;
}

static int make_database(struct tracer *t, struct buf *why)
{
	struct model_config model = {
		.t0 = t->t0,
		.started_unix_ns = (int64_t)clock_ns(CLOCK_REALTIME),
		.tracer_pid = getpid(),
		.data_bytes = t->config.data_bytes,
		.keep_all = t->config.keep_all,
		.detail = t->config.detail,
		.has_command = t->config.program != NULL,
		.symbols = t->symbols,
		.authority = t->authority,
	};
	_cleanup_buf_ struct buf blind = BUF_INIT;
	char *text = NULL;
	int rc = store_open(t->config.path, &t->store, &text);

	if (rc < 0) {
		buf_adds(why, text ? text : strerror(-rc));
		free(text);
		return rc;
	}
	if (room_left(t->room) < MEMORY_SHORT)
		store_save_memory(t->store, t->config.path);
	choice_blind_spots(&t->choice, &blind);
	detail_words_of(&t->config.detail, &blind);
	if (trace_row_begin(
		    store_db(t->store), &t->config, t->choice.backend, model.started_unix_ns) < 0 ||
		trace_row_blind(store_db(t->store), blind.data) < 0 || store_commit(t->store) < 0) {
		text = db_error_words(store_db(t->store));
		buf_addf(why, "cannot write to %s: %s", t->config.path, text);
		free(text);
		return -EIO;
	}
	if (t->config.max_bytes || t->config.last_ns)
		t->trim = trim_new(t->store, t->config.max_bytes, t->config.last_ns);
	model.trim = t->trim;
	t->model = model_new(t->store, &model);
	return 0;
}

static bool kernel_has(void *arg, int pidfd, pid_t pid)
{
	struct source *s = arg;

	return s->has(s, pidfd, pid);
}

/* What the kernel itself counts as traced is more certain than descent. */
static void ask_kernel(struct tracer *t)
{
	for (size_t i = 0; i < t->choice.n; i++)
		if (t->attached[i] && t->choice.sources[i]->has)
			authority_kernel(t->authority, kernel_has, t->choice.sources[i]);
}

/*
 * The descriptor of a ring is readable as soon as one record is there; it is watched for edges, so this is called
 * only when a source really wakes us.
 */
static void open_wakeup(struct tracer *t)
{
	struct epoll_event event = {.events = EPOLLIN | EPOLLET};

	t->wakeup = epoll_create1(EPOLL_CLOEXEC);
	if (t->deaths)
		(void)epoll_ctl(t->wakeup, EPOLL_CTL_ADD, deaths_fd(t->deaths), &event);
	for (size_t i = 0; i < t->choice.n; i++) {
		struct source *s = t->choice.sources[i];
		int fd = t->attached[i] && s->wakeup_fd ? s->wakeup_fd(s) : -1;

		if (fd >= 0)
			(void)epoll_ctl(t->wakeup, EPOLL_CTL_ADD, fd, &event);
	}
}

int tracer_open(
	const struct tracer_config *config, struct tracer **ret, struct buf *notes, struct buf *why)
{
	struct tracer *t = xcalloc(1, sizeof *t);
	int rc;

	t->config = *config;
	t->path = xstrdup(config->path);
	t->config.path = t->path;
	t->authority = authority_new();
	t->room = room_new("");
	t->merge = merge_new();
	t->timeout_ms = 1;
	t->wakeup = -1;
	rc = choose_sources(config, &t->choice, notes, why);
	if (rc == 0)
		rc = attach_all(t, notes, why);
	if (rc == 0 && t->choice.locks == LOCKS_MODE_SHIM && t->choice.spares_plain)
		t->plain = plain_new(t->arena, tracer_owner(t));
	if (rc == 0) {
		t->symbols = symbols_new();
		symbols_guard(t->symbols, t->authority);
		t->details = details_new(t->symbols);
		t->t0 = t->committed_at = t->gone_at = clock_now();
		rc = make_database(t, why);
	}
	if (rc < 0) {
		tracer_free(t);
		return rc;
	}
	if (t->choice.shim_only)
		t->deaths = deaths_new();
	ask_kernel(t);
	shortage_watch(t);
	open_wakeup(t);
	if (config->watch_ns > 0)
		t->detector = detector_new(t->path, config->watch_ns, config->all, t->authority);
	if (config->watch_ns > 0)
		t->silent = silent_new((uint64_t)config->watch_ns, t->choice.shim_only);
	*ret = t;
	return 0;
}

/* A preload that is there keeps its place: some libraries insist on being the first. */
static void add_preload(const char *library, struct buf *env)
{
	const char *old = getenv("LD_PRELOAD");

	buf_addf(env, "LD_PRELOAD=%s%s%s", old ? old : "", old && *old ? ":" : "", library);
	buf_add(env, "", 1);
}

int tracer_environment(struct tracer *t, struct buf *env)
{
	if (t->choice.locks == LOCKS_MODE_SHIM || t->choice.shim_only)
		add_preload(t->choice.shim_path, env);
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
	authority_root(t->authority, pid);
	limits_die_first();
	if (t->deaths)
		deaths_add(t->deaths, pid, true);
	return 0;
}

void tracer_ended(struct tracer *t, pid_t pid, int status)
{
	/* What is drained from now on tells of all that it did. */
	t->ended_at = clock_now();
	t->timeout_ms = 0;
	if (t->deaths)
		deaths_ended(t->deaths, pid, status, merge_add, t->merge);
}

int tracer_follow(struct tracer *t, pid_t pid, pid_t tid)
{
	int rc = -ENOTSUP;

	limits_die_first();
	for (size_t i = 0; i < t->choice.n; i++) {
		struct source *s = t->choice.sources[i];

		if (s->follow)
			rc = s->follow(s, pid, tid);
	}
	return rc;
}

bool tracer_samples(const struct tracer *t)
{
	return t->choice.sampled;
}

void tracer_blind(struct tracer *t, const char *lines)
{
	(void)trace_row_blind(store_db(t->store), lines);
}
