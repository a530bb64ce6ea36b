/* state_signals.c - which signals a process takes, and which timers and signals are about to end its waits. */
/* SPDX-License-Identifier: MIT */
#include "verdict/graph/state.h"

#include "base/clock.h"
#include "base/buf.h"
#include "schema/names.h"
#include "schema/query.h"

#include <signal.h>

/* A signal's place in a set of signals. */
#define BIT(signo) (UINT64_C(1) << ((signo)-1))

/* Caught in every program that has threads; a timer's makes the library start a function of the program's. */
static const uint64_t library = LIBC_SIGNALS;

/* Signals of a thread's own faults: who is blocked makes none, and nobody sends them to let a program go on. */
static const uint64_t faults =
	BIT(SIGSEGV) | BIT(SIGBUS) | BIT(SIGFPE) | BIT(SIGILL) | BIT(SIGTRAP) | BIT(SIGSYS);

/* By which services are told to stop, to load their files again, or to do something of their own. */
static const uint64_t orders =
	BIT(SIGHUP) | BIT(SIGINT) | BIT(SIGTERM) | BIT(SIGUSR1) | BIT(SIGUSR2);

/* Those that do not kill whoever has said nothing about them. */
static const uint64_t harmless = BIT(SIGCHLD) | BIT(SIGURG) | BIT(SIGWINCH) | BIT(SIGCONT) |
				 BIT(SIGSTOP) | BIT(SIGTSTP) | BIT(SIGTTIN) | BIT(SIGTTOU);

bool state_is_python(const char *exe)
{
	const char *slash = strrchr(exe, '/'), *file = slash ? slash + 1 : exe;

	return !strncmp(file, "python", 6) || !strncmp(file, "pypy", 4);
}

/*
 * Ruby catches all of these, and raises SignalException, whether the program has set a trap or not. By the last it reminds itself.
 * Which of them has a trap is not known where some have.
 */
static uint64_t ruby_signals(enum hooks hooks)
{
	if (hooks == HOOKS_SOME)
		return BIT(SIGVTALRM);
	return orders | BIT(SIGVTALRM) |
	       (hooks == HOOKS_NONE ? BIT(SIGQUIT) | BIT(SIGALRM) | BIT(SIGPIPE) : 0);
}

uint64_t state_runtime_signals(const char *exe, enum hooks hooks)
{
	static const struct {
		const char *name; /* what the file's name begins with */
		uint64_t signals;
	} runtimes[] = {
		{"python", BIT(SIGINT)}, /* default_int_handler raises KeyboardInterrupt */
		{"pypy", BIT(SIGINT)},
		/* It puts the terminal in order, and starts its debugger by the last. */
		{"node", BIT(SIGINT) | BIT(SIGTERM) | BIT(SIGUSR1)},
		/* Shutdown hooks; the virtual machine stops its threads by the last. */
		{"java", BIT(SIGHUP) | BIT(SIGINT) | BIT(SIGTERM) | BIT(SIGUSR2)},
	};
	const char *slash = strrchr(exe, '/'), *file = slash ? slash + 1 : exe;

	if (!strncmp(file, "ruby", 4))
		return ruby_signals(hooks);
	for (size_t i = 0; i < ARRAY_SIZE(runtimes); i++)
		if (!strncmp(file, runtimes[i].name, strlen(runtimes[i].name)))
			return runtimes[i].signals;
	return 0;
}

/* Faults of its own, which nobody sends, and what only its runtime catches: Node has a handler for each whether it has listeners or not. */
static uint64_t own_signals(const struct state_process *p)
{
	return faults | (p->is_node && p->hooks == HOOKS_NONE ? p->runtime : 0);
}

/* Reads a row that begins with a process and a signal; returns the signal's bit, 0 if one of them is not known. */
static uint64_t read_signal(const struct state *st, sqlite3_stmt *stmt, uint32_t *ret_process)
{
	uint32_t process = state_process(st, query_int(stmt, 0, 0));
	int64_t signo = query_int(stmt, 1, 0);

	if (process == STATE_NONE || signo < 1 || signo > 64)
		return 0;
	*ret_process = process;
	return BIT(signo);
}

/* Says whether a thread of a process waits for a signal as such. */
static bool is_awaited(const struct state *st, uint32_t process, uint64_t bit)
{
	for (uint32_t t = st->processes[process].first; t != STATE_NONE; t = st->threads[t].next)
		if (st->threads[t].waits && st->threads[t].wait.awaits & bit)
			return true;
	return false;
}

/* Says whether no thread of a process lets a signal do to it what it does to a program that has no handler. */
static bool is_kept_off(const struct state *st, uint32_t process, uint64_t bit)
{
	for (uint32_t t = st->processes[process].first; t != STATE_NONE; t = st->threads[t].next)
		if (!st->threads[t].waits ||
			!((st->threads[t].wait.sigmask | st->threads[t].wait.awaits) & bit))
			return false;
	return true;
}

/* A signal that is about to come runs its handler, ends a wait for it, or ends the process. */
static void expect_signal(struct state *st, uint32_t process, uint64_t bit)
{
	struct state_process *p = &st->processes[process];
	bool awaited = is_awaited(st, process, bit);

	if (p->caught & bit || awaited)
		p->alarm_rings = true;
	if (p->caught & bit || (awaited && is_kept_off(st, process, bit)))
		return;
	if (!((p->ignored | harmless) & bit))
		p->alarm_kills = true;
}

static int load_handlers(struct state *st, struct buf *why)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	int rc = state_query(st, "SELECT process_id, signo, disposition FROM handler WHERE @open",
		"start_ns", "end_ns", &stmt, why);

	if (rc)
		return rc;
	while ((rc = query_step(stmt, why)) > 0) {
		uint32_t p;
		uint64_t bit = read_signal(st, stmt, &p);

		if (!bit)
			continue;
		if (!strcmp(query_text(stmt, 2), "ignored"))
			st->processes[p].ignored |= bit;
		else
			st->processes[p].caught |= bit;
		st->processes[p].orders =
			st->processes[p].caught & orders & ~st->processes[p].runtime;
		st->processes[p].own_signals = own_signals(&st->processes[p]);
	}
	return rc;
}

/* Says whether every thread of a process blocks a signal. */
static bool is_blocked(const struct state *st, uint32_t process, uint64_t bit)
{
	for (uint32_t t = st->processes[process].first; t != STATE_NONE; t = st->threads[t].next)
		if (!st->threads[t].waits || !(st->threads[t].wait.sigmask & bit))
			return false;
	return true;
}

/* Says whether a thread that has a signal blocked may take it as such: which it takes is not always known. */
static bool may_take(const struct state *st, const struct state_thread *t, uint64_t bit)
{
	if (!t->waits)
		return false;
	if (t->wait.awaits)
		return t->wait.awaits & bit;
	return t->wait.reason == WAIT_POLL ||
	       (t->wait.reason == WAIT_SIGNAL && state_is_for_some(st, t));
}

/* A signal that nobody in a process lets in is not under way. */
static bool is_shut_out(const struct state *st, uint32_t process, uint64_t bit)
{
	for (uint32_t t = st->processes[process].first; t != STATE_NONE; t = st->threads[t].next)
		if (may_take(st, &st->threads[t], bit))
			return false;
	return is_blocked(st, process, bit);
}

/* Timers that count cpu time stand still while everybody is blocked: only those that count real time matter. */
static int load_timers(struct state *st, struct buf *why)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	int rc = state_query(st,
		"SELECT process_id, signo, expires_ns, interval_ns FROM timer WHERE @open"
		" AND kind IN ('real', 'posix') AND signo IS NOT NULL",
		"armed_ns", "disarmed_ns", &stmt, why);

	if (rc)
		return rc;
	while ((rc = query_step(stmt, why)) > 0) {
		uint32_t p;
		uint64_t bit = read_signal(st, stmt, &p);

		/* By the last the runtime only reminds itself. */
		if (!bit || (bit & st->processes[p].runtime & BIT(SIGVTALRM)))
			continue;
		/* A timer that has fired for the last time rescues nobody; one that is due may still. */
		if (query_int(stmt, 3, 0) == 0 && st->now_ns != INT64_MAX &&
			query_int(stmt, 2, INT64_MAX) < ns_sub(st->now_ns, 1000000000))
			continue;
		if (bit & library)
			st->processes[p].timer_calls = true;
		else if (!is_shut_out(st, p, bit))
			expect_signal(st, p, bit);
		if (!is_blocked(st, p, bit))
			st->processes[p].rings |= bit & st->processes[p].caught & ~library;
	}
	return rc;
}

/* Which descriptor is which timer is known until it is passed on: one that is armed may be any of them. */
static int load_timerfds(struct state *st, struct buf *why)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	int rc = state_query(st,
		"SELECT 1 FROM timer WHERE @open AND kind = 'timerfd' UNION ALL"
		" SELECT 1 FROM trace WHERE attached AND backend <> 'snapshot' LIMIT 1",
		"armed_ns", "disarmed_ns", &stmt, why);

	if (!rc)
		rc = query_step(stmt, why);
	st->timerfds_rest = rc == 0;
	return rc < 0 ? rc : 0;
}

/*
 * A signal that was sent and has not been taken yet is on its way, on a busy machine for a while; and of one that was
 * taken the handler may still run, and end the program or unlock something, unless the process has executed another
 * program since.
 */
static int load_pending(struct state *st, struct buf *why)
{
	const int64_t under_way_ns = 2000000000;
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	int rc;

	if (st->at_ns != STATE_END || st->instant)
		return 0;
	rc = query_one(st->db,
		"WITH image AS (SELECT process_id, max(ts_ns) AS ts FROM exec"
		" WHERE id > (SELECT max(id) FROM exec) - 10000 AND errno IS NULL GROUP BY process_id)"
		" SELECT s.process_id, s.signo, s.delivered_ns IS NULL FROM signal s"
		" LEFT JOIN image i ON i.process_id = s.process_id"
		" WHERE s.id > (SELECT max(id) FROM signal) - 10000 AND s.result = 'queued' AND s.sent_ns > ?1"
		" AND (s.delivered_ns IS NULL OR i.ts IS NULL OR s.delivered_ns > i.ts)",
		ns_sub(st->now_ns, under_way_ns), &stmt, why);
	for (; rc > 0; rc = query_step(stmt, why)) {
		uint32_t p;
		uint64_t bit = read_signal(st, stmt, &p);

		if (bit && query_int(stmt, 2, 0) && !is_shut_out(st, p, bit))
			expect_signal(st, p, bit);
		if (bit && !is_blocked(st, p, bit))
			st->processes[p].sent |= bit & st->processes[p].caught &
						 ~(library | faults) & ~st->processes[p].runtime;
	}
	return rc;
}

/* Without probes in the kernel a stop is known by the signal alone; what was waited for before may be there since. */
static int load_stops(struct state *st, struct buf *why)
{
	const uint64_t stops = BIT(SIGSTOP) | BIT(SIGTSTP) | BIT(SIGTTIN) | BIT(SIGTTOU);
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	int rc = query_one(st->db,
		"SELECT process_id, signo, sent_ns FROM signal"
		" WHERE (SELECT backend FROM trace) = 'shim' AND sent_ns <= ?1 AND signo BETWEEN 18 AND 22"
		" AND id > (SELECT max(id) FROM signal) - 10000 ORDER BY sent_ns",
		st->now_ns, &stmt, why);

	for (; rc > 0; rc = query_step(stmt, why)) {
		uint32_t p;
		uint64_t bit = read_signal(st, stmt, &p);

		if (!bit)
			continue;
		if (bit & BIT(SIGCONT))
			st->processes[p].stopped_ns = 0;
		else if (bit & stops & ~(st->processes[p].caught | st->processes[p].ignored))
			st->processes[p].stopped_ns = query_int(stmt, 2, 0);
	}
	return rc;
}

int state_load_signals(struct state *st, struct buf *why)
{
	int rc = load_handlers(st, why);

	if (!rc)
		rc = load_stops(st, why);
	if (!rc)
		rc = load_timers(st, why);
	if (!rc)
		rc = load_timerfds(st, why);
	return rc ? rc : load_pending(st, why);
}

bool state_awaits(const struct state_thread *t, int signo)
{
	return t->waits && t->wait.awaits & BIT(signo);
}

bool state_catches(const struct state *st, uint32_t thread, int signo)
{
	const struct state_thread *t = &st->threads[thread];
	uint64_t bit = BIT(signo);

	return (st->processes[t->process].caught & bit) && !(t->wait.sigmask & bit);
}

/* What can be meant for a program, of the signals that it catches. */
static uint64_t meant(uint64_t caught)
{
	return caught & ~(BIT(SIGCHLD) | library | faults);
}

bool state_takes_signals(const struct state *st, uint32_t process)
{
	const struct state_process *p = &st->processes[process];

	return p->hooks == HOOKS_SOME || meant(p->caught & ~p->runtime) != 0;
}

bool state_lets_in(const struct state *st, uint32_t thread)
{
	const struct state_thread *t = &st->threads[thread];
	const struct state_process *p = &st->processes[t->process];

	return (meant(p->caught & ~p->runtime) & ~t->wait.sigmask) != 0;
}

bool state_catches_any(const struct state *st, uint32_t process)
{
	const struct state_process *p = &st->processes[process];
	uint64_t open = meant(p->caught);

	for (uint32_t t = p->first; t != STATE_NONE; t = st->threads[t].next)
		if (open & ~st->threads[t].wait.sigmask)
			return true;
	return false;
}

/* Says whether the program itself has a handler for one of these signals, and lets it in: not one that handles all signals alike. */
static bool has_handler_of_its_own(const struct state *st, uint32_t process, uint64_t signals)
{
	const uint64_t alike = BIT(SIGXCPU) | BIT(SIGXFSZ) | BIT(SIGPROF);
	const struct state_process *p = &st->processes[process];
	uint64_t open = p->caught & ~p->runtime & signals;

	if ((p->caught & alike) == alike)
		return false;
	for (uint32_t t = p->first; t != STATE_NONE; t = st->threads[t].next)
		if (open & ~st->threads[t].wait.sigmask)
			return true;
	return false;
}

bool state_takes_requests(const struct state *st, uint32_t process)
{
	return has_handler_of_its_own(st, process,
		BIT(SIGHUP) | BIT(SIGUSR1) | BIT(SIGUSR2) | BIT(SIGIO) | ~UINT64_C(0) << (34 - 1));
}

bool state_ends_in_order(const struct state *st, uint32_t process)
{
	return has_handler_of_its_own(st, process, BIT(SIGTERM));
}

bool state_is_for_some(const struct state *st, const struct state_thread *t)
{
	return t->wait.awaits ||
	       !query_number(st->db,
		       "SELECT 1 FROM wait WHERE id = ?1 AND syscall IN ('pause', 'rt_sigsuspend', 'sigsuspend')",
		       t->wait.id, 0, st->why);
}
