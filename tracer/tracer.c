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
#include "schema/record.h"
#include "schema/record_dump.h"
#include "tracer/authority/authority.h"
#include "tracer/shim/shim.h"
#include "tracer/merge.h"
#include "tracer/model/model.h"
#include "tracer/store/store.h"
#include "tracer/target/user.h"

#define MS 1000000ull

enum {
	COMMIT_EVERY_MS = 500,
	LOSSES_EVERY_MS = 100, /* how exactly it is known when something was lost */
	CLOCK_EVERY_MS = 10000,
	GONE_EVERY_MS = 500,    /* how often processes whose end was not seen are sought */
	FIRST_RECORD_MS = 5000, /* so long an attached process may take to be seen */
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
	if (e->secure || is_foreign(t, (pid_t)e->head.pid) || plain_was(t->plain, e))
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

void tracer_feed(void *arg, const struct rec_head *rec)
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
		plain_see(t->plain, rec);
		model_feed(t->model, &exec.head);
		model_raw_calls(
			t->model, exec.head.pid, has_raw_calls(t, &exec), t->choice.shim_only);
		return;
	}
	if (rec->kind == REC_MODULE || rec->kind == REC_EXIT)
		plain_see(t->plain, rec);
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
	t->losses_at = clock_now();
	model_losses_are_read(t->model, t->losses_at);
}

uint64_t tracer_lost(const struct tracer *t)
{
	return t->lost;
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
	return merge_emit(t->merge, t->until, tracer_feed, t);
}

void tracer_drain_rest(struct tracer *t)
{
	(void)merge_emit(t->merge, UINT64_MAX, tracer_feed, t);
}

/* Both clocks at one moment: between two looks at the one the other is read, and of a few tries the shortest counts. */
void tracer_note_clock(struct tracer *t)
{
	enum { TRIES = 5 };
	uint64_t ts = 0, unix_ns = 0, least = UINT64_MAX;

	for (int i = 0; i < TRIES; i++) {
		uint64_t before = clock_now(), there = clock_ns(CLOCK_REALTIME),
			 took = clock_now() - before;

		if (took >= least)
			continue;
		least = took;
		ts = before + took / 2;
		unix_ns = there;
	}
	model_clock(t->model, ts, unix_ns);
	t->clock_at = ts;
}

/* A caller that only wants it done now and then need not wait for it: the buffers fill meanwhile. */
static int commit(struct tracer *t, bool wait)
{
	int rc;

	tracer_read_losses(t);
	if (!t->clock_at || clock_now() - t->clock_at >= CLOCK_EVERY_MS * MS)
		tracer_note_clock(t);
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
	if (now - t->losses_at >= LOSSES_EVERY_MS * MS)
		tracer_read_losses(t);
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
	uint64_t now = clock_now();
	unsigned alive;

	if (t->error)
		return 0;
	alive = model_alive(t->model);
	/* What was attached to is known from the second look of a sampler on, which may be slow. */
	if (!alive && !t->config.program && !t->records)
		return now - t->t0 < FIRST_RECORD_MS * MS;
	/* The model knows nobody who was born after the watermark: what the command left behind may be under way. */
	if (!alive)
		return t->until < t->ended_at && now - t->ended_at < GONE_EVERY_MS * MS;
	if (now - t->gone_at < GONE_EVERY_MS * MS)
		return alive;
	/*
	 * An end that was lost must not make us wait forever: look whether
	 * anybody is there. A child that the model does not know yet may be: only
	 * a second look, with no record in between, says that there is nobody.
	 */
	t->gone_at = now;
	model_each_alive(t->model, count_present, &present);
	if (present.n)
		return present.n;
	if (t->absent_at > t->changed_at)
		return 0;
	t->absent_at = now;
	return alive;
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
