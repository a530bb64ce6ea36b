/* attach.c - begin a recording in the middle of processes' lives. */
/* SPDX-License-Identifier: MIT */
/*
 * First every thread is followed, then its state is read: what happens between the two is seen twice rather than
 * never. Threads and children that are created meanwhile are found by looking again until there is none left.
 */
#include "tracer/attach.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/mem.h"
#include "tracer/authority/authority.h"
#include "schema/record.h"
#include "tracer/snapshot/snapshot.h"
#include "tracer/symbols/symbols.h"
#include "tracer/tracer.h"

enum { MAX_PASSES = 50 };

struct attach {
	struct tracer *tracer;
	struct hash tids; /* followed, or given up */
	struct hash processes;
	pid_t *pids;
	size_t n_pids, cap_pids;
	uint64_t begin; /* CLOCK_MONOTONIC before the first was followed */
	unsigned not_followed;
	int error;
};

static void add_process(struct attach *a, pid_t pid)
{
	if (pid <= 0 || hash_set(&a->processes, (uint64_t)pid, a))
		return;
	ARRAY_GROW(a->pids, a->n_pids, a->cap_pids);
	a->pids[a->n_pids++] = pid;
}

/* Calls each with every number in a directory of /proc. */
static void each_number(
	const char *path, struct attach *a, pid_t pid, void (*each)(struct attach *, pid_t, pid_t))
{
	DIR *d = opendir(path);
	struct dirent *e;

	while (d && (e = readdir(d)) != NULL)
		if (isdigit((unsigned char)e->d_name[0]))
			each(a, pid, (pid_t)atoi(e->d_name));
	if (d)
		(void)closedir(d);
}

static void follow_thread(struct attach *a, pid_t pid, pid_t tid)
{
	int rc;

	if (hash_set(&a->tids, (uint64_t)tid, a))
		return;
	rc = tracer_follow(a->tracer, pid, tid);
	if (rc == -ENOTSUP && pid != tid)
		a->not_followed++;
	else if (rc && rc != -ESRCH && rc != -EEXIST && !a->error)
		a->error = rc;
}

static void add_if_child(struct attach *a, pid_t unused, pid_t pid)
{
	char path[64], text[1024], *p;
	_cleanup_fclose_ FILE *f = NULL;
	int ppid;

	(void)unused;
	(void)snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	f = fopen(path, "re");
	if (!f || !fgets(text, sizeof text, f))
		return;
	p = strrchr(text, ')');
	if (p && sscanf(p + 1, " %*c %d", &ppid) == 1 && hash_get(&a->processes, (uint64_t)ppid))
		add_process(a, pid);
}

static void follow_all(struct attach *a)
{
	size_t before = SIZE_MAX;

	for (int pass = 0; pass < MAX_PASSES && before != a->tids.len + a->n_pids; pass++) {
		before = a->tids.len + a->n_pids;
		for (size_t i = 0; i < a->n_pids; i++) {
			char path[64];

			(void)snprintf(path, sizeof path, "/proc/%d/task", (int)a->pids[i]);
			each_number(path, a, a->pids[i], follow_thread);
		}
		each_number("/proc", a, 0, add_if_child);
	}
}

static void take_record(void *arg, const struct rec_head *rec)
{
	struct attach *a = arg;
	_cleanup_free_ struct rec_head *copy = NULL;

	if (rec->ts >= a->begin) {
		tracer_emit(a->tracer, rec);
		return;
	}
	/* The recording begins now: what began before counts, in it, as begun at its start. */
	copy = xmalloc(rec->size);
	memcpy(copy, rec, rec->size);
	copy->ts = a->begin;
	tracer_emit(a->tracer, copy);
}

static void ignore_record(void *arg, const struct rec_head *rec)
{
	(void)arg;
	(void)rec;
}

int attach_check(const pid_t *pids, size_t n_pids, struct buf *why)
{
	struct snapshot_config config = {.pids = pids, .n_pids = n_pids};
	_cleanup_buf_ struct buf blind = BUF_INIT;

	for (size_t i = 0; i < n_pids; i++) {
		_cleanup_close_ int held = authority_hold(NULL, pids[i]);

		if (held != -EPERM)
			continue;
		buf_addf(why,
			"process %d is another user's, or a program with privileges of its own",
			(int)pids[i]);
		return -EPERM;
	}
	return snapshot_take(&config, ignore_record, NULL, &blind, why);
}

static void note_blind(struct attach *a, struct buf *blind)
{
	buf_adds(blind,
		"What happened before pptrace was attached is not known, nor are locks that were held then unless a thread waited for them.\n"
		"Interval timers (alarm, setitimer) that were armed earlier are not known.\n");
	if (a->not_followed)
		buf_addf(blind,
			"%u threads that already existed are not followed: that needs Linux 6.9.\n",
			a->not_followed);
	tracer_blind(a->tracer, blind->data);
}

int attach_begin(struct tracer *t, const pid_t *pids, size_t n_pids, struct buf *why)
{
	struct attach a = {.tracer = t};
	struct snapshot_config config = {.symbols = symbols_new()};
	_cleanup_buf_ struct buf blind = BUF_INIT;
	int rc;

	a.begin = clock_now();
	for (size_t i = 0; i < n_pids; i++)
		add_process(&a, pids[i]);
	follow_all(&a);
	rc = a.error;
	if (rc) {
		buf_addf(why, "cannot follow the processes: %s", strerror(-rc));
	} else {
		config.pids = a.pids;
		config.n_pids = a.n_pids;
		rc = tracer_samples(t) ? 0 : snapshot_take(&config, take_record, &a, &blind, why);
	}
	if (rc == 0)
		note_blind(&a, &blind);
	symbols_free(config.symbols);
	hash_done(&a.tids);
	hash_done(&a.processes);
	free(a.pids);
	return rc;
}
