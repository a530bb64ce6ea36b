/* sampler.c - processes that are looked at again and again: a source of records where eBPF is not permitted. */
/* SPDX-License-Identifier: MIT */
/*
 * Each sample is a snapshot of the current state. What is new since the last one is passed on; for what has disappeared
 * (a wait, a thread, a pipe end, a file lock) a record of its end is made. What lasts less than the time between two
 * samples is not seen.
 */
#include "tracer/sampler/sampler.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/mem.h"
#include "schema/record.h"
#include "tracer/snapshot/snapshot.h"

/* As the status of who ended unseen: no process ends with this one. */
enum { UNKNOWN_STATUS = 0xffff };

/* One item that exists: ... */
struct state {
	uint64_t key;
	uint64_t seen; /* number of the look that saw it last */
	struct state *next;
	struct rec_head *rec;
};

struct sampler {
	struct hash pids; /* that are looked at */
	struct hash states;
	struct state *all;
	uint64_t look;    /* number of this one */
	uint64_t begin;   /* when it first looked */
	uint64_t now;     /* when it looks */
	uint64_t since;   /* earliest start time for items passed on */
	uint64_t last_at; /* when the last one began */
	uint64_t until;
	struct buf more; /* MORE records for the next one */
	bool passing;    /* what follows the last WAIT_BEGIN is new as well */
	source_emit *emit;
	void *arg;
};

static int sampler_available(struct buf *why)
{
	(void)why;
	return 0;
}

static int sampler_attach(struct source *src, const struct source_config *config, struct buf *why)
{
	struct sampler *s = xcalloc(1, sizeof *s);

	(void)config;
	(void)why;
	s->more = BUF_INIT;
	src->state = s;
	return 0;
}

static void state_free(struct sampler *s, struct state *st)
{
	(void)hash_del(&s->states, st->key);
	free(st->rec);
	free(st);
}

static void sampler_detach(struct source *src)
{
	struct sampler *s = src->state;

	if (!s)
		return;
	while (s->all) {
		struct state *st = s->all;

		s->all = st->next;
		state_free(s, st);
	}
	hash_done(&s->states);
	hash_done(&s->pids);
	buf_done(&s->more);
	free(s);
	src->state = NULL;
}

static int sampler_follow(struct source *src, pid_t pid, pid_t tid)
{
	struct sampler *s = src->state;

	(void)tid;
	(void)hash_set(&s->pids, (uint64_t)pid, s);
	return 0;
}

static bool sampler_has(struct source *src, int pidfd, pid_t pid)
{
	(void)pidfd;
	return hash_get(&((struct sampler *)src->state)->pids, (uint64_t)pid) != NULL;
}

/* ---- What is, and whether it was there before ---- */

/* What makes two records of different looks the same thing; 0: reported every time. */
static uint64_t key_of(const struct rec_head *rec)
{
	const char *payload = (const char *)(rec + 1);
	uint64_t task = (uint64_t)rec->pid << 32 | rec->tid;

	switch (rec->kind) {
	case REC_FOUND:
	case REC_EXIT:
	case REC_WAIT_BEGIN:
		return hash_mix(task, rec->kind, 1);
	case REC_FILE_LOCK: {
		struct rec_FILE_LOCK lock = *(const struct rec_FILE_LOCK *)(const void *)rec;

		lock.start = 0;
		return hash_mix(task, rec->kind,
			hash_bytes((const char *)(&lock.head + 1), sizeof lock - sizeof lock.head));
	}
	default:
		return hash_mix(task, rec->kind, hash_bytes(payload, rec->size - sizeof *rec));
	}
}

/* The recording began with the source: what lasts since before began, for it, at its start. */
static void hand_on(struct sampler *s, const struct rec_head *rec)
{
	uint64_t ts = s->since > rec->ts ? s->since : rec->ts;
	_cleanup_free_ struct rec_head *copy = xmalloc(rec->size);

	memcpy(copy, rec, rec->size);
	copy->ts = ts < s->begin ? s->begin : ts;
	s->emit(s->arg, copy);
}

static void emit_more(struct sampler *s)
{
	for (size_t at = 0; at < s->more.len;) {
		const struct rec_head *rec = (const void *)(s->more.data + at);

		hand_on(s, rec);
		at += rec->size;
	}
}

/* A record of the end of what rec told the begin of, or of nothing (kind REC_NONE). */
static void emit_end(struct sampler *s, const struct rec_head *rec, uint64_t ts)
{
	struct rec_head head = {.flags = REC_SNAP, .ts = ts, .pid = rec->pid, .tid = rec->tid};

	if (rec->kind == REC_WAIT_BEGIN) {
		struct rec_WAIT_END r = {.head = head};

		r.head.kind = REC_WAIT_END;
		r.head.size = sizeof r;
		s->emit(s->arg, &r.head);
	} else if (rec->kind == REC_END_OPEN) {
		const struct rec_END_OPEN *e = (const void *)rec;
		struct rec_END_CLOSE r = {.head = head, .inode = e->inode, .fd = e->fd};

		r.head.kind = REC_END_CLOSE;
		r.head.size = sizeof r;
		s->emit(s->arg, &r.head);
	} else if (rec->kind == REC_FILE_LOCK) {
		struct rec_FILE_LOCK r = *(const struct rec_FILE_LOCK *)(const void *)rec;

		r.head.ts = r.start = ts;
		r.mode = LOCK_MODE_NONE;
		s->emit(s->arg, &r.head);
	}
}

/*
 * Says since when a wait is another than the last look saw; 0: it is the same one. If the memory that it is
 * about has changed, the lock has perhaps another owner: then it is told as a wait that begins now.
 */
static uint64_t changed_at(
	const struct sampler *s, const struct state *st, const struct rec_head *rec)
{
	const struct rec_WAIT_BEGIN *a = (const void *)st->rec, *b = (const void *)rec;

	if (rec->kind != REC_WAIT_BEGIN)
		return 0;
	if (rec->ts > s->last_at)
		return rec->ts;
	if (a->syscall != b->syscall || a->arg0 != b->arg0 || a->arg1 != b->arg1 ||
		a->ip != b->ip || a->sp != b->sp)
		return s->last_at;
	return a->words_valid != b->words_valid || memcmp(a->words, b->words, sizeof a->words) != 0
		       ? s->now
		       : 0;
}

static void remember(struct state *st, const struct rec_head *rec)
{
	free(st->rec);
	st->rec = xmalloc(rec->size);
	memcpy(st->rec, rec, rec->size);
}

/* Takes a record of this look; says whether it is new. */
static bool take(struct sampler *s, const struct rec_head *rec)
{
	uint64_t key = key_of(rec);
	struct state *st = hash_get(&s->states, key);
	uint64_t since = st ? changed_at(s, st, rec) : rec->ts;

	s->since = since;

	if (!st) {
		st = xcalloc(1, sizeof *st);
		st->key = key;
		st->next = s->all;
		s->all = st;
		(void)hash_set(&s->states, key, st);
		remember(st, rec);
	} else if (since) {
		emit_end(s, st->rec, since);
		remember(st, rec);
	}
	st->seen = s->look;
	return since != 0;
}

static void on_record(void *arg, const struct rec_head *rec)
{
	struct sampler *s = arg;

	switch (rec->kind) {
	case REC_MORE:
		buf_add(&s->more, rec, rec->size);
		return;
	case REC_WAIT_SITE:
	case REC_WAIT_FRAME:
		if (s->passing)
			hand_on(s, rec);
		return;
	default:
		break;
	}
	s->passing = take(s, rec);
	if (s->passing) {
		emit_more(s);
		hand_on(s, rec);
	}
	buf_reset(&s->more);
}

/* ---- What is no more ---- */

static bool is_there(pid_t pid)
{
	_cleanup_free_ char *path = xasprintf("/proc/%d", (int)pid);
	_cleanup_close_ int fd = open(path, O_PATH | O_CLOEXEC);

	return fd >= 0;
}

/* What is not even a zombie any more has been reaped, by its parent or a subreaper. */
static void emit_reap(struct sampler *s, const struct rec_head *found, uint64_t ts)
{
	rec_u32 parent = (rec_u32)((const struct rec_FOUND *)(const void *)found)->ppid;
	struct rec_REAP r = {.head = {REC_REAP, sizeof r, REC_SNAP, ts, parent, parent},
		.child_pid = found->pid};

	(void)hash_del(&s->pids, found->pid);
	if (hash_get(&s->pids, parent))
		s->emit(s->arg, &r.head);
}

/*
 * A zombie is there no more. It was at the last look, and may have been reaped right after: nothing is said of the time
 * from then on, which on a slow machine is long.
 */
static void emit_zombie_gone(struct sampler *s, const struct rec_head *exit)
{
	struct rec_head main_thread = {.kind = REC_FOUND, .pid = exit->pid, .tid = exit->tid};
	const struct state *found = hash_get(&s->states, key_of(&main_thread));

	if (found && exit->pid == exit->tid && !is_there((pid_t)exit->pid))
		emit_reap(s, found->rec, exit->ts > s->last_at ? exit->ts : s->last_at);
}

/* A thread that is not there any more has ended; if it was the main thread the process ended, with unknown status. */
static void emit_exit(struct sampler *s, const struct rec_head *found, uint64_t ts)
{
	bool last = found->pid == found->tid && !is_there((pid_t)found->pid);
	struct rec_EXIT r = {.head = {REC_EXIT, sizeof r, REC_SNAP, ts, found->pid, found->tid},
		.status = last ? UNKNOWN_STATUS : 0,
		.last = last,
		.group_status = last ? UNKNOWN_STATUS : 0};

	/* A zombie's end has been told, and so has what became of it. */
	if (found->pid == found->tid && !hash_get(&s->pids, found->pid))
		return;
	s->emit(s->arg, &r.head);
	if (last)
		emit_reap(s, found, ts);
}

/* Says whether the process has ended, and that was told: nothing of it has an end of its own then. */
static bool has_ended(const struct sampler *s, rec_u32 pid)
{
	struct rec_head main_thread = {.kind = REC_EXIT, .pid = pid, .tid = pid};
	const struct state *exit = hash_get(&s->states, key_of(&main_thread));

	return exit && ((const struct rec_EXIT *)(const void *)exit->rec)->last;
}

/* In which order the ends are told: first of what threads had, then of zombies, then of threads. */
enum { SWEEP_HAD, SWEEP_ZOMBIES, SWEEP_THREADS, SWEEPS };

static int sweep_of(const struct rec_head *rec)
{
	return rec->kind == REC_FOUND  ? SWEEP_THREADS
	       : rec->kind == REC_EXIT ? SWEEP_ZOMBIES
				       : SWEEP_HAD;
}

/* Tells the end of what this look did not see. */
static void sweep(struct sampler *s, uint64_t ts)
{
	for (int now = 0; now < SWEEPS; now++)
		for (struct state **at = &s->all; *at;) {
			struct state *st = *at;

			if (st->seen == s->look || sweep_of(st->rec) != now) {
				at = &st->next;
				continue;
			}
			if (now == SWEEP_THREADS)
				emit_exit(s, st->rec, ts);
			else if (now == SWEEP_ZOMBIES)
				emit_zombie_gone(s, st->rec);
			else if (!has_ended(s, st->rec->pid))
				emit_end(s, st->rec, ts);
			*at = st->next;
			state_free(s, st);
		}
}

/* ---- Looking ---- */

/* Children that came up since: proc_pid_task_children(5). */
static void add_children(struct sampler *s, pid_t pid)
{
	_cleanup_free_ char *dir = xasprintf("/proc/%d/task", (int)pid);
	DIR *d = opendir(dir);

	for (struct dirent *e; d && (e = readdir(d));) {
		_cleanup_free_ char *path = xasprintf("%s/%s/children", dir, e->d_name);
		_cleanup_fclose_ FILE *f = fopen(path, "re");
		int child;

		while (f && fscanf(f, "%d", &child) == 1)
			(void)hash_set(&s->pids, (uint64_t)child, s);
	}
	if (d)
		(void)closedir(d);
}

static pid_t *pids_of(const struct sampler *s, size_t *ret_n)
{
	pid_t *pids = xcalloc(s->pids.len + 1, sizeof *pids);
	const struct hash_slot *slot;

	*ret_n = 0;
	for (size_t pos = 0; (slot = hash_next(&s->pids, &pos));)
		pids[(*ret_n)++] = (pid_t)slot->key;
	return pids;
}

static void look(struct sampler *s, uint64_t now)
{
	_cleanup_buf_ struct buf blind = BUF_INIT, why = BUF_INIT;
	struct snapshot_config config = {0};
	pid_t *pids = pids_of(s, &config.n_pids);

	for (size_t i = 0; i < config.n_pids; i++)
		add_children(s, pids[i]);
	free(pids);
	pids = pids_of(s, &config.n_pids);
	config.pids = pids;
	if (!s->look++)
		s->begin = now;
	s->passing = false;
	s->now = now;
	s->since = 0;
	if (config.n_pids)
		(void)snapshot_take(&config, on_record, s, &blind, &why);
	buf_reset(&s->more);
	sweep(s, clock_now());
	s->last_at = now;
	free(pids);
}

static int sampler_poll(struct source *src, source_emit *emit, void *arg, uint64_t *ret_until)
{
	struct sampler *s = src->state;
	uint64_t now = clock_now();

	s->emit = emit;
	s->arg = arg;
	if (now - s->last_at >= SAMPLER_EVERY_NS) {
		look(s, now);
		/* A wait of the next look may have begun right after this one. */
		s->until = now;
	}
	*ret_until = s->until;
	return 0;
}

static void sampler_losses(struct source *src, source_loss *loss, void *arg)
{
	(void)src;
	(void)loss;
	(void)arg;
}

struct source *source_sampler(void)
{
	static struct source source = {
		.name = "snapshots",
		.available = sampler_available,
		.attach = sampler_attach,
		.follow = sampler_follow,
		.has = sampler_has,
		.poll = sampler_poll,
		.losses = sampler_losses,
		.detach = sampler_detach,
	};

	return &source;
}
