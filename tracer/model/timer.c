/* timer.c - what processes do on signals, and their armed timers. */
/* SPDX-License-Identifier: MIT */
#include "tracer/model/private.h"

#include "base/mem.h"
#include "schema/names.h"

enum { SIGNALS = 65 };

/*
 * Handlers that a child only inherited and that lived shorter than this are not worth a row: most children exec at once. Nor are
 * handlers and timers that a process sets and takes back all the time, once it has had many (a shell sets one in each wait).
 */
static const int64_t short_ns = 10000000;
enum { MANY = 1000 };

struct handler {
	int64_t id, start, flags, site;
	int signo;
	bool handled; /* else ignored */
	bool inherited, written;
};

struct timer {
	struct timer *next;
	int64_t id, thread, armed, expires, interval;
	uint64_t timer_id;
	int which, signo;
	bool written;
};

static void write_handler(struct model *m, const struct proc *p, struct handler *h, int64_t end)
{
	struct row_handler row = {.id = h->id,
		.process_id = p->id,
		.signo = h->signo,
		.disposition = h->handled ? "handler" : "ignored",
		.start_ns = h->start,
		.end_ns = end,
		.flags = h->flags,
		.site_id = h->site};

	store_write(m->store, STORE_HANDLER, &row, &h->written);
}

/* Ends what was set for a signal. */
static void end_handler(struct model *m, struct proc *p, int signo, int64_t ts)
{
	struct handler *h = p->handlers ? p->handlers[signo] : NULL;

	if (!h)
		return;
	if ((!h->inherited && p->n_handlers < MANY) || h->written || ts - h->start >= short_ns) {
		write_handler(m, p, h, ts);
		p->n_handlers++;
	}
	p->handlers[signo] = NULL;
	free(h);
}

static struct handler *new_handler(struct model *m, struct proc *p, int signo, int64_t ts)
{
	struct handler *h = xcalloc(1, sizeof *h);

	if (!p->handlers)
		p->handlers = xcalloc(SIGNALS, sizeof *p->handlers);
	h->id = m->ids.handler++;
	h->signo = signo;
	h->start = ts;
	p->handlers[signo] = h;
	return h;
}

void model_sig_action(struct model *m, const struct rec_SIG_ACTION *rec)
{
	struct proc *p = model_thread(m, &rec->head)->proc;
	int64_t ts = model_time(m, rec->head.ts);
	struct handler *h;

	if (rec->signo < 1 || rec->signo >= SIGNALS || p->retired) {
		model_skip(m);
		return;
	}
	end_handler(m, p, (int)rec->signo, ts);
	if (!rec->handler)
		return;
	h = new_handler(m, p, (int)rec->signo, ts);
	h->handled = rec->handler > 1;
	h->flags = (int64_t)rec->flags;
	/* A snapshot knows that there is a handler, and not where: SNAPSHOT_HANDLER. */
	h->site = rec->handler > 2 ? model_site(m, p, rec->handler, false) : STORE_NULL;
}

void model_handlers_inherit(
	struct model *m, struct proc *child, const struct proc *parent, int64_t ts)
{
	for (int i = 1; parent->handlers && i < SIGNALS; i++) {
		const struct handler *from = parent->handlers[i];
		struct handler *h;

		if (!from || (child->handlers && child->handlers[i]))
			continue;
		h = new_handler(m, child, i, ts);
		h->handled = from->handled;
		h->flags = from->flags;
		h->site = from->site;
		h->inherited = true;
	}
}

void model_handlers_exec(struct model *m, struct proc *p, int64_t ts)
{
	for (int i = 1; p->handlers && i < SIGNALS; i++) {
		if (p->handlers[i] && p->handlers[i]->handled)
			end_handler(m, p, i, ts);
	}
}

void model_handlers_exit(struct model *m, struct proc *p, int64_t ts)
{
	for (int i = 1; p->handlers && i < SIGNALS; i++)
		end_handler(m, p, i, ts);
	free(p->handlers);
	p->handlers = NULL;
}

static void write_timer(struct model *m, const struct proc *p, struct timer *timer, int64_t end)
{
	struct row_timer row = {.id = timer->id,
		.process_id = p->id,
		.thread_id = timer->thread,
		.kind = names_timer(timer->which),
		.signo = timer->signo ? timer->signo : STORE_NULL,
		.armed_ns = timer->armed,
		.expires_ns = timer->expires,
		.interval_ns = timer->interval,
		.disarmed_ns = end};

	store_write(m->store, STORE_TIMER, &row, &timer->written);
}

/* Ends a timer; *at is the link that points to it. */
static void end_timer(struct model *m, struct proc *p, struct timer **at, int64_t ts)
{
	struct timer *timer = *at;

	if (p->n_timers < MANY || timer->written || ts - timer->armed >= short_ns) {
		write_timer(m, p, timer, ts);
		p->n_timers++;
	}
	*at = timer->next;
	free(timer);
}

static bool is_real(const struct timer *timer)
{
	return timer->which != TIMER_VIRTUAL && timer->which != TIMER_PROF;
}

/* A timer that fires once and whose time has come is over. */
static bool is_over(const struct timer *timer, int64_t now)
{
	return !timer->interval && is_real(timer) && timer->expires <= now;
}

void model_timer(struct model *m, const struct rec_TIMER *rec)
{
	struct thread *t = model_thread(m, &rec->head);
	int64_t ts = model_time(m, rec->head.ts);
	struct timer **at = &t->proc->timers, *timer;

	if (!names_timer((int)rec->which) || rec->which > TIMER_FD || t->proc->retired ||
		rec->signo > 64) {
		model_skip(m);
		return;
	}
	while (*at && ((*at)->which != (int)rec->which || (*at)->timer_id != rec->timer_id))
		at = &(*at)->next;
	if (*at)
		end_timer(m, t->proc, at, is_over(*at, ts) ? (*at)->expires : ts);
	if (!rec->value_ns || rec->value_ns > INT64_MAX / 2)
		return;
	timer = xcalloc(1, sizeof *timer);
	timer->id = m->ids.timer++;
	timer->thread = t->id;
	timer->armed = ts;
	timer->expires = ts + (int64_t)rec->value_ns;
	timer->interval = rec->interval_ns > INT64_MAX ? 0 : (int64_t)rec->interval_ns;
	timer->timer_id = rec->timer_id;
	timer->which = (int)rec->which;
	timer->signo = (int)rec->signo;
	timer->next = t->proc->timers;
	t->proc->timers = timer;
}

void model_timer_fired(struct model *m, struct proc *p, int signo, int64_t ts)
{
	struct timer **at = &p->timers;

	while (*at) {
		if ((*at)->signo == signo && !(*at)->interval &&
			(!is_real(*at) || is_over(*at, ts)))
			end_timer(m, p, at, is_real(*at) ? (*at)->expires : ts);
		else
			at = &(*at)->next;
	}
}

/* An exec keeps the timers of setitimer and alarm; those of timer_create go. */
void model_timers_exec(struct model *m, struct proc *p, int64_t ts)
{
	struct timer **at = &p->timers;

	while (*at) {
		if ((*at)->which == TIMER_POSIX)
			end_timer(m, p, at, ts);
		else
			at = &(*at)->next;
	}
}

/* A timerfd is a file: somebody else may have it, and it stays armed then. */
void model_timers_exit(struct model *m, struct proc *p, int64_t ts)
{
	while (p->timers) {
		const struct timer *timer = p->timers;
		int64_t end = is_over(timer, ts)         ? timer->expires
			      : timer->which == TIMER_FD ? STORE_NULL
							 : ts;

		end_timer(m, p, &p->timers, end);
	}
}

void model_timer_flush(struct model *m, struct proc *p)
{
	struct timer **at = &p->timers;

	for (int i = 1; p->handlers && i < SIGNALS; i++) {
		struct handler *h = p->handlers[i];

		if (h && !h->written && (!h->inherited || m->now - h->start >= short_ns))
			write_handler(m, p, h, STORE_NULL);
	}
	while (*at) {
		if (is_over(*at, m->now)) {
			end_timer(m, p, at, (*at)->expires);
			continue;
		}
		if (!(*at)->written)
			write_timer(m, p, *at, STORE_NULL);
		at = &(*at)->next;
	}
}

void model_timer_free(struct proc *p)
{
	while (p->timers) {
		struct timer *timer = p->timers;

		p->timers = timer->next;
		free(timer);
	}
	for (int i = 1; p->handlers && i < SIGNALS; i++)
		free(p->handlers[i]);
	free(p->handlers);
	p->handlers = NULL;
}
