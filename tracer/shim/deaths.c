/* deaths.c - notice the end of processes that cannot report it themselves. */
/* SPDX-License-Identifier: MIT */
#include "tracer/shim/private.h"
#include "tracer/shim/shim.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/mem.h"
#include "schema/record.h"

enum { EVENTS_AT_ONCE = 64 };

/* How many finished lives are kept, for questions about their parents and children. */
enum { KEPT_MAX = 1024 };

/* How often to check who has been reaped, and how long the record of a reap may be delayed. */
#define LOOK_EVERY_NS 20000000u
#define RECORD_DELAY_NS 500000000u

/* The longest that an announced end takes. */
enum { ENDING_MS = 50 };

/* As the status of a process that is gone: no process ends with this one. */
enum { UNKNOWN_STATUS = 0xffff };

struct life {
	pid_t pid, parent;  /* parent 0: not known */
	int pidfd;          /* -1: not watched any more */
	bool spare;         /* its status is not ours to take */
	bool is_noticed;    /* in the list of those whose end the model may not know yet */
	bool is_known;      /* status is */
	bool is_announced;  /* an EXIT for it is on its way */
	bool reported;      /* the model has got its EXIT */
	bool is_buried;     /* it has been reaped, as the model knows */
	size_t kept_at;     /* place in the ring of those who are kept plus 1, 0: is not one */
	bool is_unburied;   /* in the list of processes waiting to be reaped */
	uint64_t gone_at;   /* when it was first seen to be gone; 0: it still exists */
	struct life *later; /* in that list */
	bool is_late;       /* it had ended already when it was first looked at */
	int status;
	uint64_t ended_by; /* it ended before one that said this time; 0: before none */
	uint64_t last_ts;  /* is_late or ended_by: of its last record */
	uint64_t end_ts;   /* reported: of its EXIT */
	struct life *next; /* next in the list noticed */
};

struct deaths {
	int epoll;
	struct hash lives; /* by pid */
	struct life
		*noticed; /* in the order of their ends, which is that in which epoll names them */
	struct life **noticed_end;
	struct life *unburied;
	struct life *kept[KEPT_MAX]; /* ring of finished lives; NULL: slot is free */
	size_t n_kept;
	uint64_t looked_at; /* last check of the unburied list (ns) */
	unsigned n_unsure;  /* lives that were not reported and are late, or ended before another */
};

struct deaths *deaths_new(void)
{
	struct deaths *d = xcalloc(1, sizeof *d);

	d->epoll = epoll_create1(EPOLL_CLOEXEC);
	d->noticed_end = &d->noticed;
	(void)prctl(PR_SET_CHILD_SUBREAPER, 1);
	return d;
}

static void life_end(struct life *l)
{
	if (l->pidfd >= 0)
		(void)close(steal_fd(&l->pidfd));
}

void deaths_free(struct deaths *d)
{
	struct hash_slot *slot;

	if (!d)
		return;
	for (size_t pos = 0; (slot = hash_next(&d->lives, &pos));) {
		life_end(slot->value);
		free(slot->value);
	}
	hash_done(&d->lives);
	if (d->epoll >= 0)
		(void)close(d->epoll);
	free(d);
}

int deaths_fd(const struct deaths *d)
{
	return d->epoll;
}

static bool status_of(const struct life *l, int *ret)
{
	return exit_status_of(l->pid, l->pidfd, ret);
}

/* When it was noticed says less about its end than what else is known. */
static bool is_unsure(const struct life *l)
{
	return l->is_late || l->ended_by;
}

/* ---- The list of those who were noticed ---- */

static void notice(struct deaths *d, struct life *l)
{
	if (!l->is_known)
		l->is_known = status_of(l, &l->status);
	life_end(l);
	l->is_noticed = true;
	l->next = NULL;
	*d->noticed_end = l;
	d->noticed_end = &l->next;
}

static void notice_all(struct deaths *d)
{
	struct epoll_event events[EVENTS_AT_ONCE];
	int n;

	do {
		n = epoll_wait(d->epoll, events, EVENTS_AT_ONCE, 0);
		for (int i = 0; i < n; i++)
			notice(d, events[i].data.ptr);
	} while (n == EVENTS_AT_ONCE);
}

static void forget(struct deaths *d, struct life *l)
{
	struct life **at = &d->noticed;

	if (!l->is_noticed)
		return;
	while (*at != l)
		at = &(*at)->next;
	*at = l->next;
	if (!l->next)
		d->noticed_end = at;
	l->is_noticed = false;
}

static void leave_unburied(struct deaths *d, struct life *l)
{
	struct life **at = &d->unburied;

	if (!l->is_unburied)
		return;
	while (*at != l)
		at = &(*at)->later;
	*at = l->later;
	l->is_unburied = false;
}

/* A reused pid is a different life. */
static void unkeep(struct deaths *d, struct life *l)
{
	if (l->kept_at)
		d->kept[l->kept_at - 1] = NULL;
	l->kept_at = 0;
}

/* Who is over is forgotten once many others are. */
static void keep(struct deaths *d, struct life *l)
{
	size_t at = d->n_kept % KEPT_MAX;
	struct life *old = d->kept[at];

	if (l->kept_at || l->is_noticed || l->spare || !l->reported || !l->is_buried ||
		l->pidfd >= 0)
		return;
	if (old) {
		(void)hash_del(&d->lives, (uint64_t)old->pid);
		free(old);
	}
	d->kept[at] = l;
	l->kept_at = at + 1;
	d->n_kept++;
}

static bool has_ended(int pidfd)
{
	struct pollfd p = {.fd = pidfd, .events = POLLIN};

	return poll(&p, 1, 0) > 0;
}

static struct life *watch_life(struct deaths *d, pid_t pid)
{
	struct life *l = hash_get(&d->lives, (uint64_t)pid);
	struct epoll_event event = {.events = EPOLLIN};
	bool is_gone;

	if (l && !l->reported)
		return l;
	if (!l) {
		l = xcalloc(1, sizeof *l);
		(void)hash_set(&d->lives, (uint64_t)pid, l);
	} else {
		forget(d, l);
		life_end(l);
	}
	leave_unburied(d, l);
	unkeep(d, l);
	/* The command's status is the caller's to take, whatever a record says of its end. */
	*l = (struct life){.pid = pid, .spare = l->spare};
	/* A process that is found to have ended already comes behind those whose end is known. */
	notice_all(d);
	l->pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	/* Reaped, perhaps by a wait that nobody records. */
	is_gone = l->pidfd < 0 && errno == ESRCH;
	l->is_late = is_gone || (l->pidfd >= 0 && has_ended(l->pidfd));
	d->n_unsure += l->is_late;
	if (is_gone)
		notice(d, l);
	event.data.ptr = l;
	if (l->pidfd >= 0 && epoll_ctl(d->epoll, EPOLL_CTL_ADD, l->pidfd, &event) < 0)
		life_end(l);
	return l;
}

void deaths_add(struct deaths *d, pid_t pid, bool spare)
{
	watch_life(d, pid)->spare = spare;
}

static void emit_exit(pid_t pid, uint64_t ts, int status, source_emit *emit, void *arg)
{
	struct rec_EXIT rec = {.head = {REC_EXIT, sizeof rec, 0, ts, (rec_u32)pid, (rec_u32)pid},
		.status = (rec_u64)(unsigned)status,
		.last = 1,
		.by = WIFSIGNALED(status) ? EXIT_BY_OTHER : EXIT_BY_UNKNOWN,
		.group_status = (rec_u64)(unsigned)status};

	emit(arg, &rec.head);
}

static void emit_reap(pid_t pid, uint64_t ts, int status, source_emit *emit, void *arg)
{
	rec_u32 self = (rec_u32)getpid();
	struct rec_REAP rec = {.head = {REC_REAP, sizeof rec, 0, ts, self, self},
		.child_pid = (rec_u64)pid,
		.status = (rec_u64)(unsigned)status};

	emit(arg, &rec.head);
}

/* Only its parent can have done that, or pptrace, which says so itself. */
static void emit_burial(const struct life *l, source_emit *emit, void *arg)
{
	rec_u32 reaper = (rec_u32)(l->parent ? l->parent : getpid());
	struct rec_REAP rec = {.head = {REC_REAP, sizeof rec, REC_SNAP, l->gone_at, reaper, reaper},
		.child_pid = (rec_u64)l->pid};

	emit(arg, &rec.head);
}

static void set_reported(struct deaths *d, struct life *l, uint64_t ts)
{
	l->reported = true;
	l->end_ts = ts;
	d->n_unsure -= is_unsure(l);
	if (!l->is_buried && !l->spare && !l->is_unburied) {
		l->is_unburied = true;
		l->later = d->unburied;
		d->unburied = l;
	}
}

static void report(struct deaths *d, struct life *l, uint64_t ts)
{
	set_reported(d, l, ts);
	/* A process whose EXIT or reaping is still to come stays in the list for it. */
	if (l->is_announced)
		forget(d, l);
}

static void announce(struct life *l, source_emit *emit, void *arg)
{
	uint64_t ts = clock_now();

	l->is_announced = true;
	if (!l->reported)
		emit_exit(l->pid, ts, l->is_known ? l->status : UNKNOWN_STATUS, emit, arg);
	/* An orphan is ours to reap; another's child makes this fail. */
	if (!l->spare && waitpid(l->pid, &l->status, WNOHANG) == l->pid)
		emit_reap(l->pid, ts, l->status, emit, arg);
}

/* Announces those who were noticed, up to one of them; NULL: all. */
static void announce_up_to(struct deaths *d, const struct life *last, source_emit *emit, void *arg)
{
	struct life *next;

	for (struct life *l = d->noticed; l; l = next) {
		next = l->next;
		if (!l->is_announced)
			announce(l, emit, arg);
		if (l->reported) {
			forget(d, l);
			keep(d, l);
		}
		if (l == last)
			return;
	}
}

/* Looks who has been reaped without a record of it, by a system call that the library does not see. */
static void look_for_burials(struct deaths *d, uint64_t now, source_emit *emit, void *arg)
{
	struct life *next;

	if (now - d->looked_at < LOOK_EVERY_NS)
		return;
	d->looked_at = now;
	for (struct life *l = d->unburied; l; l = next) {
		next = l->later;
		if (!l->gone_at && kill(l->pid, 0) < 0 && errno == ESRCH)
			l->gone_at = now;
		if (!l->gone_at || now - l->gone_at < RECORD_DELAY_NS)
			continue;
		leave_unburied(d, l);
		l->is_buried = true;
		emit_burial(l, emit, arg);
		keep(d, l);
	}
}

void deaths_poll(struct deaths *d, source_emit *emit, void *arg)
{
	notice_all(d);
	announce_up_to(d, NULL, emit, arg);
	look_for_burials(d, clock_now(), emit, arg);
}

/* Says whether a process has announced its end and is still there. */
static bool is_ending(const struct deaths *d)
{
	const struct hash_slot *slot;

	for (size_t pos = 0; (slot = hash_next(&d->lives, &pos));) {
		const struct life *l = slot->value;

		if (l->reported && l->pidfd >= 0)
			return true;
	}
	return false;
}

void deaths_settle(struct deaths *d, source_emit *emit, void *arg)
{
	struct pollfd p = {.fd = d->epoll, .events = POLLIN};
	struct hash_slot *slot;

	notice_all(d);
	/* A process that has called _exit is as good as gone; then it may be ours to reap. */
	while (is_ending(d) && poll(&p, 1, ENDING_MS) > 0)
		notice_all(d);
	for (size_t pos = 0; (slot = hash_next(&d->lives, &pos));) {
		struct life *l = slot->value;

		if (l->pidfd < 0)
			continue;
		l->is_known = status_of(l, &l->status);
		if (l->is_known)
			notice(d, l);
	}
	announce_up_to(d, NULL, emit, arg);
}

void deaths_ended(struct deaths *d, pid_t pid, int status, source_emit *emit, void *arg)
{
	struct life *l = hash_get(&d->lives, (uint64_t)pid);

	/* A process that ended before it gets an earlier time. */
	notice_all(d);
	if (l)
		l->spare = false;
	if (!l || (l->is_known && l->is_announced) || l->reported)
		return;
	if (!l->is_noticed)
		notice(d, l);
	l->is_known = true;
	l->is_announced = false;
	l->status = status;
	announce_up_to(d, l, emit, arg);
}

/*
 * The exit time of an announced process is exact. Others noticed before it have ended before it, though the
 * time at which we saw that may be later: a parent that outlived its child must not seem to have left it behind.
 * Between saying that and ending it may have been held up, and what they recorded meanwhile is still to come.
 */
static void note_earlier(struct deaths *d, const struct life *until, uint64_t ts)
{
	notice_all(d);
	/* Of one that was not watched when it ended the place among them is not known. */
	if (until->is_late || (!until->is_noticed && until->pidfd < 0))
		return;
	for (struct life *l = d->noticed; l && l != until; l = l->next) {
		if (l->reported || l->ended_by)
			continue;
		d->n_unsure += !l->is_late;
		l->ended_by = ts;
	}
}

/*
 * The end of a process that did not say it itself. If it and its parent had both ended when it was first
 * looked at, nobody knows which was the first. It outlived its parent, or who ended after it, only if
 * it has left a record of that.
 */
static uint64_t likely_end(const struct deaths *d, const struct life *l, uint64_t noticed)
{
	const struct life *parent = hash_get(&d->lives, (uint64_t)l->parent);
	uint64_t ts = l->ended_by ? l->ended_by : noticed;

	if (l->is_late && parent && parent->reported && parent->end_ts < ts)
		ts = parent->end_ts;
	if (is_unsure(l) && l->last_ts > ts)
		ts = l->last_ts;
	return ts < noticed ? ts : noticed;
}

/* Returns false if the record is to be dropped. */
static bool filter_exit(struct deaths *d, const struct rec_EXIT *rec, source_emit *emit, void *arg)
{
	struct life *l = hash_get(&d->lives, rec->head.pid);
	uint64_t ts;

	if (!l)
		return true;
	if (l->reported)
		return false;
	if (!rec->last)
		return true;
	note_earlier(d, l, rec->head.ts);
	ts = rec->head.flags & REC_SHIM ? rec->head.ts : likely_end(d, l, rec->head.ts);
	report(d, l, ts);
	if (ts == rec->head.ts)
		return true;
	emit_exit(l->pid, ts, (int)rec->group_status, emit, arg);
	return false;
}

bool deaths_filter(struct deaths *d, const struct rec_head *rec, source_emit *emit, void *arg)
{
	struct life *l;

	if (d->n_unsure && rec->kind != REC_EXIT) {
		l = hash_get(&d->lives, rec->pid);
		if (l)
			l->last_ts = rec->ts;
	}
	if (rec->kind == REC_FORK && rec->size == sizeof(struct rec_FORK)) {
		const struct rec_FORK *f = (const void *)rec;

		if (f->child_pid != rec->pid)
			watch_life(d, (pid_t)f->child_pid)->parent =
				(pid_t)(f->parent_pid ? f->parent_pid : rec->pid);
	} else if (rec->kind == REC_EXIT && rec->size == sizeof(struct rec_EXIT)) {
		return filter_exit(d, (const void *)rec, emit, arg);
	} else if (rec->kind == REC_REAP && rec->size == sizeof(struct rec_REAP)) {
		const struct rec_REAP *r = (const void *)rec;
		int status = (int)r->status;

		l = hash_get(&d->lives, r->child_pid);
		if (l && (WIFEXITED(status) || WIFSIGNALED(status))) {
			l->is_buried = true;
			leave_unburied(d, l);
		}
		if (l && !l->reported && (WIFEXITED(status) || WIFSIGNALED(status))) {
			uint64_t ts = likely_end(d, l, rec->ts);

			report(d, l, ts);
			emit_exit(l->pid, ts, status, emit, arg);
		}
		if (l)
			keep(d, l);
	}
	return true;
}
