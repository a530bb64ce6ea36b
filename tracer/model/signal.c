/* signal.c - signals, from being sent to being taken. */
/* SPDX-License-Identifier: MIT */
/*
 * A signal that was queued waits in the list of its process until it is taken
 * by a handler or by its default action, by sigwait, or until the process
 * ends. A row is written when that is known.
 */
#include "tracer/model/private.h"

#include "base/mem.h"
#include "schema/names.h"

#include <signal.h>
#include <sys/syscall.h>

/* More than this wait in one process only in a flood of blocked real-time signals: the oldest are written as not taken. */
enum { MAX_PENDING = 4096 };

struct sigrow {
	struct sigrow *next;
	int64_t id, sender, process, thread, sent;
	uint32_t tid; /* thread that it is for, 0: any of the process */
	int signo;
	int64_t code; /* STORE_NULL: not known */
	const char *source;
	bool written;
};

/* How a signal was taken. */
struct taken {
	int64_t ts, thread, handler_site;
	const char *disposition, *interrupted;
};

static const struct taken not_taken = {STORE_NULL, STORE_NULL, STORE_NULL, NULL, NULL};

static void write_signal(
	struct model *m, const struct sigrow *s, const char *result, const struct taken *how)
{
	char name[NAME_MAX_LEN];
	struct row_signal row = {.id = s->id,
		.signo = s->signo,
		.name = names_signal(s->signo, name),
		.source = s->source,
		.sender_id = s->sender,
		.process_id = s->process,
		.thread_id = how->thread != STORE_NULL ? how->thread : s->thread,
		.sent_ns = s->sent,
		.result = result,
		.delivered_ns = how->ts,
		.disposition = how->disposition,
		.interrupted = how->interrupted,
		.handler_site_id = how->handler_site,
		.code = s->code};

	if (s->written)
		store_replace(m->store, STORE_SIGNAL, &row);
	else
		store_put(m->store, STORE_SIGNAL, &row);
}

/* Says whether a signal that is over has no row. Those that ended or stopped somebody always have. */
static bool is_left_out(const struct model *m, const struct proc *p, const struct sigrow *s,
	const struct taken *how)
{
	return !s->written && (how->ts == STORE_NULL || strcmp(how->disposition, "default") != 0) &&
	       (p->left_out || (m->config.detail.left_out & DETAIL_SIGNALS));
}

/* Where a signal comes from, as the column source says. */
static const char *source_name(uint64_t sender, int code)
{
	if (sender == SENDER_TIMER || code == SI_TIMER)
		return "timer";
	if (sender == SENDER_TTY)
		return "tty";
	if (code == SI_TKILL)
		return "thread";
	if (code == SI_QUEUE)
		return "queue";
	return code == SI_USER ? "kill" : "kernel";
}

static const char *result_name(uint64_t result)
{
	switch (result) {
	case SIG_IGNORED_:
		return "ignored";
	case SIG_ALREADY_PENDING:
		return "coalesced";
	case SIG_OVERFLOW_FAIL:
		return "failed";
	default:
		return "queued";
	}
}

/* Removes a pending signal from its list; *at is the link that points to it. The caller frees it. */
static struct sigrow *unlink_pending(struct proc *p, struct sigrow **at)
{
	struct sigrow *s = *at;

	*at = s->next;
	if (!s->next)
		p->pending_end = at;
	p->n_pending--;
	return s;
}

static void take(struct model *m, struct proc *p, struct sigrow **at, const struct taken *how)
{
	struct sigrow *s = unlink_pending(p, at);

	if (how->ts == STORE_NULL || !is_left_out(m, p, s, how))
		write_signal(m, s, "queued", how);
	free(s);
}

static void add_pending(struct model *m, struct proc *p, const struct sigrow *signal)
{
	struct sigrow *s = xmalloc(sizeof *s);

	if (p->n_pending >= MAX_PENDING)
		take(m, p, &p->pending, &not_taken);
	*s = *signal;
	s->next = NULL;
	*p->pending_end = s;
	p->pending_end = &s->next;
	p->n_pending++;
}

static bool acted(const struct proc *p, int signo)
{
	return signo >= 1 && signo <= 64 && p->acted >> (signo - 1) & 1;
}

void model_acts(struct model *m, pid_t pid, int signo)
{
	struct proc *p = model_find_proc(m, pid);

	if (p && signo >= 1 && signo <= 64)
		p->acted |= UINT64_C(1) << (signo - 1);
}

void model_sig_send(struct model *m, const struct rec_SIG_SEND *rec)
{
	struct proc *p = model_find_proc(m, rec->target_pid);
	struct thread *target = model_find_thread(m, rec->target_tid);
	struct thread *sender = model_find_thread(m, rec->head.tid);
	struct sigrow s = {.sent = model_time(m, rec->head.ts),
		.sender = STORE_NULL,
		.process = STORE_NULL,
		.thread = STORE_NULL,
		.signo = (int)rec->signo,
		.code = (int)(int64_t)rec->code};

	if (rec->signo < 1 || rec->signo > 64) {
		model_skip(m);
		return;
	}
	s.source = p && !sender && acted(p, s.signo) ? "pptrace"
						     : source_name(rec->sender, (int)s.code);
	/* A sender outside the trace is not one of its processes. */
	if (rec->sender == SENDER_TASK && sender)
		s.sender = sender->id;
	if (p)
		s.process = p->id;
	if (!rec->group && target) {
		s.thread = target->id;
		s.tid = target->tid;
	}
	s.id = m->ids.signal++;
	if (p)
		model_timer_fired(m, p, s.signo, s.sent);
	if (p && !p->ended && (rec->result == SIG_DELIVERED || rec->result == SIG_LOSE_INFO))
		add_pending(m, p, &s);
	else if (!p || s.signo == SIGKILL || !is_left_out(m, p, &s, &not_taken))
		write_signal(m, &s, result_name(rec->result), &not_taken);
}

/* Finds the oldest pending signal of that number for a thread. */
static struct sigrow **find_pending(struct proc *p, int signo, uint32_t tid)
{
	for (struct sigrow **at = &p->pending; *at; at = &(*at)->next) {
		if ((*at)->signo == signo && (!(*at)->tid || (*at)->tid == tid))
			return at;
	}
	return NULL;
}

/* The library says of a wait for signals which one it brought; a default action is not for it to see. */
static bool was_waited_for(const struct rec_SIG_DELIVER *rec)
{
	return (rec->head.flags & REC_SHIM) && !rec->handler &&
	       rec->syscall == __NR_rt_sigtimedwait;
}

/*
 * The call that a signal interrupted. The library does not say it, but its wait is
 * open while the handler runs. A wait for children returns with the child whose end
 * sent SIGCHLD, so that one interrupts nothing.
 */
static const char *interrupted(const struct thread *t, const struct rec_SIG_DELIVER *rec)
{
	bool in_wait = (rec->head.flags & REC_SHIM) && t->wait.open;

	/* The return from an earlier handler: what it restores in the register for results is not an error. */
	if (rec->syscall == __NR_rt_sigreturn)
		return NULL;

	if ((int64_t)rec->syscall == -1 && in_wait &&
		!(t->wait.reason == WAIT_CHILD && rec->signo == SIGCHLD))
		return names_syscall(t->wait.syscall);
	return names_syscall((long)rec->syscall);
}

void model_sig_deliver(struct model *m, const struct rec_SIG_DELIVER *rec)
{
	struct thread *t = model_thread(m, &rec->head);
	struct sigrow **at = find_pending(t->proc, (int)rec->signo, t->tid);
	bool handled = rec->handler > 1, waited = was_waited_for(rec);
	struct taken how = {.ts = model_time(m, rec->head.ts),
		.thread = t->id,
		.handler_site = handled ? model_site(m, t->proc, rec->handler, false) : STORE_NULL,
		.disposition = handled        ? "handler"
			       : waited       ? "wait"
			       : rec->handler ? "ignored"
					      : "default",
		.interrupted = waited ? NULL : interrupted(t, rec)};
	struct sigrow unseen = {.sender = STORE_NULL,
		.process = t->proc->id,
		.thread = t->id,
		.sent = STORE_NULL,
		.signo = (int)rec->signo,
		.code = (int)(int64_t)rec->code};
	enum sig_sender sender;

	if (rec->signo < 1 || rec->signo > 64) {
		model_skip(m);
		return;
	}
	if (!rec->handler && !waited)
		t->proc->fatal_signo = (int)rec->signo;
	if (at) {
		take(m, t->proc, at, &how);
		return;
	}
	unseen.id = m->ids.signal++;
	sender = signal_sender(unseen.signo, (int)unseen.code);
	/* A task's sending is not there, so that it is not known by whom it was. */
	if (sender == SENDER_TASK)
		sender = SENDER_KERNEL;
	if (sender == SENDER_TIMER)
		model_timer_fired(m, t->proc, unseen.signo, how.ts);
	unseen.source = source_name(sender, (int)unseen.code);
	if (!is_left_out(m, t->proc, &unseen, &how))
		write_signal(m, &unseen, NULL, &how);
}

void model_signal_waited(
	struct model *m, struct thread *t, int64_t since, int64_t awaits, int64_t ts)
{
	uint64_t set = awaits == STORE_NULL ? ~UINT64_C(0) : (uint64_t)awaits;
	struct taken how = {
		.ts = ts, .thread = t->id, .handler_site = STORE_NULL, .disposition = "wait"};

	for (struct sigrow **at = &t->proc->pending; *at; at = &(*at)->next) {
		if ((*at)->sent >= since && set >> ((*at)->signo - 1) & 1 &&
			(!(*at)->tid || (*at)->tid == t->tid)) {
			take(m, t->proc, at, &how);
			return;
		}
	}
}

void model_signal_killed(struct model *m, struct proc *p, int signo, int64_t ts)
{
	struct taken how = {.ts = ts,
		.thread = STORE_NULL,
		.handler_site = STORE_NULL,
		.disposition = "default"};
	struct sigrow unseen = {.sender = STORE_NULL,
		.process = p->id,
		.thread = STORE_NULL,
		.sent = STORE_NULL,
		.signo = signo,
		.code = STORE_NULL,
		.source = acted(p, signo) ? "pptrace" : "unknown"};

	for (struct sigrow **at = &p->pending; *at; at = &(*at)->next) {
		if ((*at)->signo == signo) {
			take(m, p, at, &how);
			return;
		}
	}
	if (p->fatal_signo == signo)
		return;
	unseen.id = m->ids.signal++;
	write_signal(m, &unseen, NULL, &how);
}

void model_signal_exit(struct model *m, struct proc *p, int64_t ts)
{
	(void)ts;
	while (p->pending)
		take(m, p, &p->pending, &not_taken);
}

void model_signal_flush(struct model *m, struct proc *p)
{
	for (struct sigrow *s = p->pending; s; s = s->next) {
		if (!s->written)
			write_signal(m, s, "queued", &not_taken);
		s->written = true;
	}
}

void model_signal_free(struct proc *p)
{
	while (p->pending)
		free(unlink_pending(p, &p->pending));
}
