/* stuck_text.c - says who waits for what, held by whom, and what to do about it. */
/* SPDX-License-Identifier: MIT */
/*
 * The explanation has the form of jstack's:
 *
 *	thread 4242 (left) of deadlock-abba[4240]
 *	    waits for the mutex lock_b since 0.103 s at deadlock-abba.c:31 (left),
 *	    which is held by thread 4243 (right) of deadlock-abba[4240]
 *	    since 0.101 s at deadlock-abba.c:40 (right)
 */
#include "verdict/text/stuck.h"

#include "base/buf.h"
#include "schema/names.h"
#include "verdict/naming.h"
#include "verdict/finding.h"
#include "verdict/place.h"
#include "schema/query.h"
#include "schema/record.h"

#include <signal.h>

enum { LIST_MAX = 8, MEMBERS_MAX = 24, TEXTS_MAX = 256 };

/* "a, b and 3 more": the separator before item i of n. */
static void add_separator(struct buf *b, size_t i, size_t n)
{
	if (i)
		buf_adds(b, i + 1 == n ? " and " : ", ");
}

static void add_summary(struct buf *b, const struct state *st, const struct stuck_set *s)
{
	const struct state_thread *t = &st->threads[s->members[0]];

	if (s->n_members == 1) {
		naming_thread_at(b, st->db, t->id, st->now_ns);
		buf_adds(b, s->certain ? " can never proceed: it " : " cannot proceed: it ");
		stuck_words(b, st, t);
		return;
	}
	for (size_t i = 0; i < s->n_members && i < 3; i++) {
		add_separator(b, i, s->n_members > 3 ? 4 : s->n_members);
		naming_thread_at(b, st->db, st->threads[s->members[i]].id, st->now_ns);
	}
	if (s->n_members > 3)
		buf_addf(b, " and %zu more", s->n_members - 3);
	if (!strcmp(s->shape, "abandoned"))
		buf_adds(b, " wait for something that no remaining thread can provide");
	else
		buf_adds(b, " wait for each other");
	if (s->certain)
		buf_adds(b, " and can never proceed");
}

static void add_behind(struct buf *b, const struct state *st, const struct stuck_set *s)
{
	if (!s->n_behind)
		return;
	buf_adds(b, s->n_behind == 1 ? "waiting behind them: " : "behind them wait ");
	for (size_t i = 0; i < s->n_behind && i < LIST_MAX; i++) {
		add_separator(b, i, s->n_behind);
		naming_thread_at(b, st->db, st->threads[s->behind[i]].id, st->now_ns);
	}
	if (s->n_behind > LIST_MAX)
		buf_addf(b, " and %zu more", s->n_behind - LIST_MAX);
	buf_addc(b, '\n');
}

static void add_caught(struct buf *b, const struct state *st, const struct stuck_set *s)
{
	uint64_t caught = 0;

	for (size_t i = 0; i < s->n_members; i++) {
		const struct state_thread *t = &st->threads[s->members[i]];

		caught |= st->processes[t->process].caught & ~t->wait.sigmask &
			  ~st->processes[t->process].own_signals;
	}
	/* Nobody sends SIGCHLD for that, nor the C library's own two. */
	caught &= ~(UINT64_C(1) << (SIGCHLD - 1) | LIBC_SIGNALS);
	if (!caught) {
		buf_adds(b, "unless it is an idle event loop that only a signal ends (the program"
			    " has installed no handler)\n");
		return;
	}
	buf_adds(b, "unless a signal whose handler is installed arrives (");
	naming_signals(b, caught);
	buf_adds(b, ") and its handler releases them\n");
}

/* Whose handlers run now, or will by armed timers. */
static void add_rings(struct buf *b, const struct state *st, const struct stuck_set *s)
{
	uint64_t rings = 0, sent = 0;
	bool first = true;

	for (size_t i = 0; i < s->n_members; i++) {
		rings |= st->processes[st->threads[s->members[i]].process].rings;
		sent |= st->processes[st->threads[s->members[i]].process].sent;
	}
	rings = rings ? rings : sent;
	buf_adds(b, "unless the handler of ");
	for (int signo = 1; signo <= 64; signo++) {
		if (!(rings >> (signo - 1) & 1))
			continue;
		buf_adds(b, first ? "" : " or ");
		naming_signal(b, signo);
		first = false;
	}
	buf_adds(b, rings == sent ? ", which was just sent, ends it\n"
				  : ", which an armed timer will send, ends it\n");
}

/* Who may come to a pipe of others, or to another file, in such a way. */
static void add_processes_that(struct buf *b, const struct state *st, unsigned how)
{
	size_t n = 0;

	buf_adds(b, "unless ");
	for (size_t i = 0; i < st->n_processes && n < LIST_MAX; i++) {
		if (!st->processes[i].alive || !(st->processes[i].reopens & how))
			continue;
		buf_adds(b, n++ ? " or " : "");
		naming_process_at(b, st->db, st->processes[i].id, st->now_ns);
	}
}

/* Any live process, not those of the set alone. */
static void add_reopeners(struct buf *b, const struct state *st, const struct stuck_set *s)
{
	(void)s;
	add_processes_that(b, st, REOPENS_BY_PATH);
	buf_adds(b,
		" opens the pipe through /proc/PID/fd, as it has done before or as its code does\n");
}

static bool is_member(const struct stuck_set *s, uint32_t thread)
{
	for (size_t i = 0; i < s->n_members; i++)
		if (s->members[i] == thread)
			return true;
	return false;
}

/* Says whether a process may send the members signals: not who is one of them, or only waits for them, or watches over all of them. */
static bool may_end_members(const struct state *st, const struct stuck_set *s, uint32_t process)
{
	const struct state_process *p = &st->processes[process];
	bool all_below = true;

	for (size_t i = 0; i < s->n_members; i++)
		all_below &= state_is_ancestor(st, process, st->threads[s->members[i]].process);
	if (!p->alive || !(p->reopens & ENDS_OTHERS) || all_below)
		return false;
	for (uint32_t t = p->first; t != STATE_NONE; t = st->threads[t].next)
		if (!is_member(s, t))
			return true;
	return false;
}

static void add_enders(struct buf *b, const struct state *st, const struct stuck_set *s)
{
	size_t n = 0;

	buf_adds(b, "unless ");
	for (uint32_t i = 0; i < st->n_processes && n < LIST_MAX; i++) {
		if (!may_end_members(st, s, i))
			continue;
		buf_adds(b, n++ ? " or " : "");
		naming_process_at(b, st->db, st->processes[i].id, st->now_ns);
	}
	buf_adds(b, n ? " ends one of them by a signal, which its code names (kill)\n"
		      : "another process ends one of them by a signal\n");
}

static void add_takers(struct buf *b, const struct state *st, const struct stuck_set *s)
{
	(void)s;
	add_processes_that(b, st, REOPENS_BY_TAKING);
	buf_adds(b,
		" takes a descriptor of the pipe out of another process (pidfd_getfd), as it has done before or as its code does\n");
}

static void add_remappers(struct buf *b, const struct state *st, const struct stuck_set *s)
{
	(void)s;
	add_processes_that(b, st, REOPENS_BY_PATH | REOPENS_BY_TAKING);
	buf_adds(b,
		" maps the shared memory too, whose file it finds in another process (/proc/PID/fd, pidfd_getfd), as its code does or as it has done with others\n");
}

static bool is_named_sem(const struct state_lock *l)
{
	return l->outside && l->is_named;
}

static bool is_reachable(const struct state_lock *l)
{
	return l->outside;
}

/* "unless somebody outside the trace posts the semaphore /a or the semaphore /b" */
static void add_named(struct buf *b, const struct state *st, const struct stuck_set *s,
	const char *words, bool (*is_meant)(const struct state_lock *l))
{
	size_t n = 0;

	buf_adds(b, words);
	for (size_t i = 0; i < s->n_members && n < LIST_MAX; i++) {
		const struct state_lock *l = state_lock_of(st, &st->threads[s->members[i]].wait);

		if (!l || !is_meant(l))
			continue;
		buf_adds(b, n++ ? " or the " : "the ");
		naming_lock(b, st->db, l->id);
	}
	buf_adds(b, n ? "\n" : "what they share\n");
}

/* Returns the FIFO that a thread waits for, alone or in a set; 0: none. */
static int64_t fifo_of(const struct state *st, const struct state_wait *w)
{
	uint32_t p = state_pipe(st, w->pipe_id);

	if (w->reason == WAIT_POLL)
		return query_number(st->db,
			"SELECT p.id FROM wait_on o JOIN pipe p ON p.id = o.pipe_id AND p.kind = 'fifo'"
			" WHERE o.wait_id = ?1 LIMIT 1",
			w->id, 0, st->why);
	return w->reason == WAIT_FIFO_OPEN || (p != STATE_NONE && st->pipes[p].is_fifo) ? w->pipe_id
											: 0;
}

/* Says whether an earlier member waits for the same FIFO, or this one for none. */
static bool is_fifo_said(const struct state *st, const struct stuck_set *s, size_t member)
{
	int64_t fifo = fifo_of(st, &st->threads[s->members[member]].wait);

	for (size_t i = 0; fifo && i < member; i++)
		if (fifo_of(st, &st->threads[s->members[i]].wait) == fifo)
			return true;
	return !fifo;
}

static void add_fifo(struct buf *b, const struct state *st, const struct stuck_set *s)
{
	size_t n = 0;

	buf_adds(b, "unless somebody outside the trace opens ");
	for (size_t i = 0; i < s->n_members && i < MEMBERS_MAX && n < LIST_MAX; i++) {
		if (is_fifo_said(st, s, i))
			continue;
		buf_adds(b, n++ ? " or " : "");
		naming_pipe(b, st->db, fifo_of(st, &st->threads[s->members[i]].wait));
	}
	buf_adds(b, n ? "\n" : "the FIFO by another name, if it has one\n");
}

/* Who waits for any signal is helped by one that has a handler; who waits for some by those. */
static void add_sent(struct buf *b, const struct state *st, const struct stuck_set *s)
{
	bool catches = false;

	for (size_t i = 0; i < s->n_members; i++) {
		const struct state_thread *t = &st->threads[s->members[i]];

		if ((state_catches(st, s->members[i], SIGCHLD) || state_awaits(t, SIGCHLD)) &&
			(st->processes[t->process].has_zombie ||
				(t->wait.reason == WAIT_SIGNAL &&
					st->processes[t->process].child == STATE_NONE &&
					!state_catches_any(st, t->process)))) {
			buf_adds(b, "unless somebody sends SIGCHLD to ");
			naming_process_at(b, st->db, st->processes[t->process].id, st->now_ns);
			buf_adds(b,
				st->processes[t->process].has_zombie
					? " again: the one for its terminated child was delivered already, or was"
					  " coalesced\n"
					: ": it has no child whose end would\n");
			return;
		}
		catches |= t->wait.reason != WAIT_SIGNAL || state_catches_any(st, t->process) ||
			   state_is_for_some(st, t);
	}
	buf_adds(b,
		catches ? "unless somebody outside sends the signal that is waited for\n"
			: "unless a signal arrives; no handler is installed, so it would terminate the"
			  " program\n");
}

static void add_named_sems(struct buf *b, const struct state *st, const struct stuck_set *s)
{
	add_named(b, st, s, "unless somebody outside the trace posts ", is_named_sem);
}

static void add_shared_memory(struct buf *b, const struct state *st, const struct stuck_set *s)
{
	add_named(b, st, s, "unless somebody outside the trace uses the memory of ", is_reachable);
}

/* What is known of who gives back the locks that members want. */
static void add_handed(struct buf *b, const struct state *st, const struct stuck_set *s)
{
	bool recorded = false;

	for (size_t i = 0; i < s->n_members; i++) {
		const struct state_lock *l = state_lock_of(st, &st->threads[s->members[i]].wait);

		recorded |= l && l->is_recorded && l->holds >= 0;
	}
	buf_adds(b, "unless a thread that does not hold it unlocks the lock");
	buf_adds(b, recorded ? ", which its holder has never unlocked so far\n"
			     : ": who unlocks it is not recorded here\n");
}

/* "unless thread 7 of a[1], which waits for connections, or another thread answers instead" */
static void add_acceptors(struct buf *b, const struct state *st, const struct stuck_set *s)
{
	bool is_task = st->threads[s->members[0]].is_task;
	size_t n = 0;

	buf_adds(b, "unless ");
	for (size_t i = 0; i < st->n_threads && n < LIST_MAX; i++) {
		const struct state_thread *t = &st->threads[i];
		bool is_theirs = false;

		for (size_t k = 0; k < s->n_members; k++)
			is_theirs |= st->threads[s->members[k]].process == t->process;
		if (!is_theirs || !t->alive || !state_accepts(st, t))
			continue;
		buf_adds(b, n++ ? " or " : "");
		naming_thread_at(b, st->db, t->id, st->now_ns);
	}
	if (n)
		buf_adds(b, ", which waits for connections, or ");
	buf_adds(b, is_task ? "another goroutine answers instead, or ends the wait for the answer\n"
		    : n     ? "another thread answers instead\n"
			    : "another thread of the server answers instead\n");
}

/* What could still release a conditional set, a line each. */
static void add_conditions(struct buf *b, const struct state *st, const struct stuck_set *s)
{
	static const struct {
		const char *words;
		void (*say)(struct buf *b, const struct state *st, const struct stuck_set *s);
	} conditions[] = {
#define SAID_BY(function) NULL, .say = function
#define MAYBE(NAME, condition) [MAYBE_NUMBER_##NAME] = {.words = condition},
#include "verdict/graph/maybe.def"
#undef MAYBE
#undef SAID_BY
	};

	for (size_t i = 0; i < ARRAY_SIZE(conditions); i++) {
		if (!(s->maybe & UINT64_C(1) << i))
			continue;
		if (conditions[i].say)
			conditions[i].say(b, st, s);
		else
			buf_addf(b, "unless %s\n", conditions[i].words);
	}
	if (st->lost)
		buf_adds(b, "unless a lost record released one of them\n");
}

static void add_members(
	struct finding *f, struct buf *story, const struct state *st, const struct stuck_set *s)
{
	struct places *places = places_new(st->db);

	for (size_t i = 0; i < s->n_members && i < MEMBERS_MAX; i++)
		stuck_places(places, st, &st->threads[s->members[i]]);
	for (size_t i = 0; i < s->n_members; i++) {
		const struct state_thread *t = &st->threads[s->members[i]];
		struct finding_member *m = finding_member_add(f);
		_cleanup_buf_ struct buf text = BUF_INIT;

		m->thread_id = t->id;
		m->process_id = st->processes[t->process].id;
		m->lock_id = t->wait.lock_id;
		m->pipe_id = t->wait.pipe_id;
		m->site_id = t->wait.site_id;
		m->wait_id = t->wait.id;
		m->stack_id = t->wait.stack_id;
		if (i == MEMBERS_MAX)
			buf_addf(story, "and %zu more\n", s->n_members - i);
		if (i >= TEXTS_MAX)
			continue;
		naming_thread_at(&text, st->db, t->id, st->now_ns);
		buf_addc(&text, '\n');
		buf_adds(&text, "    ");
		stuck_member(&text, st, t, places);
		if (i < MEMBERS_MAX)
			buf_addf(story, "%s\n", text.data);
		/* The row has it on one line. */
		for (size_t k = 0; k < text.len; k++)
			if (text.data[k] == '\n')
				text.data[k] = ' ';
		m->text = xcalloc(text.len + 1, 1);
		for (size_t k = 0, n = 0; k < text.len; k++)
			if (text.data[k] != ' ' || !n || m->text[n - 1] != ' ')
				m->text[n++] = text.data[k];
	}
	places_free(places);
}

void stuck_describe(const struct state *st, const struct stuck_set *s, struct findings *fs)
{
	struct finding *f = finding_add(fs, s->certain ? "deadlock" : "stuck", s->since_ns);
	_cleanup_buf_ struct buf b = BUF_INIT;

	f->certain = s->certain;
	f->flight = s->maybe == MAYBE_FLIGHT && !st->lost;
	f->shape = s->shape;
	add_summary(&b, st, s);
	finding_set(&f->summary, &b);
	add_members(f, &b, st, s);
	add_behind(&b, st, s);
	if (!s->certain)
		add_conditions(&b, st, s);
	finding_set(&f->explanation, &b);
	f->remedy = xstrdup(stuck_remedy(st, s));
}
