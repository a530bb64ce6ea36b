/* loop.c - drive a recording until its end: what `run` and `attach` have in common. */
/* SPDX-License-Identifier: MIT */
/*
 * Signals: the terminal sends SIGINT and SIGQUIT to the command too, so the
 * first is only noted; a second within a few seconds ends the recording. SIGTERM and
 * SIGHUP usually come to pptrace alone and are passed on, unless the command
 * was seen to get the same one (timeout(1) signals the whole group).
 */
#include "cli/common/loop.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "cli/common/last_look.h"
#include "cli/common/say.h"
#include "tracer/target/target.h"
#include "tracer/tracer.h"
#include "verdict/verdict.h"

#define SECOND 1000000000ull
#define BEFORE 1000000ull /* the moment before a signal */
/* So soon a second Ctrl-C is meant for pptrace: the command has not ended by the first. */
#define AGAIN (3 * SECOND)
/* So soon no program has decided anything: timeout(1) signals its command, then its group. */
#define SAME (SECOND / 2)
/* Nor has a person at the terminal, whose signals have no sender. */
#define SAME_KEY (SECOND / 10)
/* So long losses stand before they are told, and again only when there are twice as many: what seemed lost may have been late. */
#define LOSSY (SECOND)

enum {
	PASS_ON_MS = 60,
	STILL_WAITING_MS = 1000,
	GRACE_SECONDS = 5, /* between SIGTERM and SIGKILL */
	KILL_SECONDS = 5,
	STOP_MS = 200, /* so long a process may take to stop */
	NAMES_SHOWN = 5
};

const char *const loop_deadlock_words[] = {"report", "stop", "kill", NULL};

struct loop {
	struct tracer *t;
	const struct loop_config *config;
	struct loop_result *ret;
	int signals; /* signalfd */
	uint64_t begun_at, main_ended_at, interrupted_at, kill_until;
	uint64_t
		kill_at; /* when to kill the processes that SIGTERM has not ended; 0: nothing to do */
	uint64_t kill_from;  /* until then those that have been told to stop may take to do so */
	uint64_t pass_on_at; /* when to pass on_signal on; 0: nothing to do */
	int pass_on;
	int last_signal, last_sender; /* of interrupted_at */
	uint64_t lossy_at,
		lost_told; /* since when events are known to be lost; how many have been told */
	bool told_waiting, told_interrupt;
	bool by_terminal; /* interrupted_at is that of a signal that the terminal sends to the command too */
};

static void signal_set(sigset_t *set)
{
	static const int signals[] = {SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGCHLD, SIGTTOU, SIGPIPE};

	(void)sigemptyset(set);
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		(void)sigaddset(set, signals[i]);
}

void loop_settle(void)
{
	struct rlimit files;
	sigset_t set;

	signal_set(&set);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	/* If it were ignored, as some parents leave it, the command's status would be lost. */
	(void)signal(SIGCHLD, SIG_DFL);
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &files);
	}
}

void loop_let_go(void)
{
	for (int fd = STDIN_FILENO; fd <= STDOUT_FILENO; fd++) {
		_cleanup_close_ int null = open("/dev/null", O_RDWR | O_CLOEXEC);

		if (null >= 0)
			(void)dup2(null, fd);
	}
}

/* ---- Signals ---- */

static void take_signal(struct loop *l, int signo, int sender)
{
	uint64_t now = clock_now();
	bool again = l->interrupted_at && now - l->interrupted_at < AGAIN;

	if (signo != SIGINT && signo != SIGQUIT && signo != SIGTERM && signo != SIGHUP)
		return;
	if (again && signo == l->last_signal && sender == l->last_sender &&
		now - l->interrupted_at < (sender ? SAME : SAME_KEY))
		return;
	l->interrupted_at = now;
	l->last_signal = signo;
	l->last_sender = sender;
	l->by_terminal = signo == SIGINT || signo == SIGQUIT;
	if (again || !l->config->target) {
		l->ret->interrupted = true;
		l->ret->signal = signo;
	} else if (signo == SIGTERM || signo == SIGHUP) {
		l->pass_on = signo;
		l->pass_on_at = now + PASS_ON_MS * (SECOND / 1000);
	}
}

static void read_signals(struct loop *l)
{
	struct signalfd_siginfo info;

	while (read(l->signals, &info, sizeof info) == sizeof info)
		take_signal(l, (int)info.ssi_signo, (int)info.ssi_pid);
}

/*
 * Whoever ends a run that hangs wants to know why it hung. Who signals a whole group (timeout(1)) has ended the command
 * already: what counts is the moment before the first of those signals. The kernel reports a signal only when it has
 * woken the thread that takes it (__send_signal_locked in kernel/signal.c), hence a little before that.
 */
static void tell_waits(struct loop *l)
{
	uint64_t sent;

	(void)tracer_commit(l->t); /* only then is what was seen up to now reported */
	sent = tracer_saw_signal(l->t, 0, SIGTERM, l->interrupted_at - SECOND);
	last_look(l->t, (sent && sent < l->interrupted_at ? sent : l->interrupted_at) - BEFORE,
		l->config->all);
}

static void pass_signal_on(struct loop *l, uint64_t now)
{
	struct target *target = l->config->target;

	if (!l->pass_on_at || now < l->pass_on_at)
		return;
	l->pass_on_at = 0;
	if (l->pass_on == SIGTERM)
		tell_waits(l);
	if (target && !target->ended &&
		!tracer_saw_signal(l->t, target->pid, l->pass_on, l->interrupted_at - SECOND))
		target_signal(target, l->pass_on);
}

/* A user whose command survives Ctrl-C learns once how to end the recording. */
static void tell_interrupt(struct loop *l, uint64_t now)
{
	const struct target *target = l->config->target;

	if (l->told_interrupt || !l->by_terminal || !target || target->ended ||
		now - l->interrupted_at < SECOND)
		return;
	l->told_interrupt = true;
	note("the command keeps running; press Ctrl-C twice to end the recording");
}

/* A recording that cannot keep up says so while something can still be done about it. */
static void tell_losses(struct loop *l, uint64_t now)
{
	uint64_t lost = tracer_lost(l->t);

	if (lost <= 2 * l->lost_told) {
		l->lossy_at = 0;
		return;
	}
	if (!l->lossy_at)
		l->lossy_at = now;
	if (now - l->lossy_at < LOSSY)
		return;
	l->lossy_at = 0;
	l->lost_told = lost;
	note("%" PRIu64
	     " event%s lost so far: the recording has gaps ('pptrace explain data-loss' says what helps)",
		lost, lost == 1 ? "" : "s");
}

/* ---- Deadlocks ---- */

/* The records only suggest a process: the tracer signals none that does not belong to the recording. */
static void send_stop(void *arg, pid_t pid, const char *name)
{
	(void)name;
	(void)tracer_signal(arg, pid, SIGSTOP);
}

static void send_kill(void *arg, pid_t pid, const char *name)
{
	(void)name;
	(void)tracer_signal(arg, pid, SIGKILL);
}

/* Says whether no thread of a process can run any more; one whose end cannot be seen counts as stopped. */
static bool is_stopped(pid_t pid)
{
	_cleanup_free_ char *path = xasprintf("/proc/%d/task", (int)pid);
	bool stopped = true;
	struct dirent *e;
	DIR *tasks = opendir(path);

	while (tasks && stopped && (e = readdir(tasks)) != NULL) {
		char text[512] = "", *end;
		_cleanup_free_ char *stat = xasprintf("%s/%s/stat", path, e->d_name);
		_cleanup_close_ int fd = *e->d_name == '.' ? -1 : open(stat, O_RDONLY | O_CLOEXEC);

		if (fd < 0 || read(fd, text, sizeof text - 1) <= 0)
			continue;
		end = strrchr(text, ')');
		stopped = end && end[1] && strchr("TtZX", end[2]);
	}
	if (tasks)
		(void)closedir(tasks);
	return stopped;
}

static void see_running(void *arg, pid_t pid, const char *name)
{
	(void)name;
	*(bool *)arg |= !is_stopped(pid);
}

/*
 * All are stopped before one is killed, so that none of them goes on because another one is already dead. On a busy machine that
 * takes a while.
 */
static bool may_kill(struct loop *l, uint64_t now)
{
	bool runs = false;

	if (now < l->kill_from)
		tracer_each_alive(l->t, see_running, &runs);
	return !runs;
}

static void print_finding(struct loop *l, const struct finding *f)
{
	_cleanup_buf_ struct buf text = BUF_INIT;
	struct sqlite3 *db = tracer_reader(l->t);

	if (db)
		verdict_text(&text, db, f, say_color(stderr));
	if (!f->certain) {
		/* Says what it may be, instead of the first line, which names only the rule. */
		const char *rest = text.len ? strchr(text.data, '\n') : NULL;

		warn("%s: %s", f->shape ? "possibly stuck" : f->rule, f->summary);
		(void)fputs(rest ? rest + 1 : "", stderr);
		return;
	}
	if (db && say_is_verbose())
		verdict_stacks(&text, db, f);
	if (!db)
		buf_addf(&text, "%s\n", f->summary);
	(void)fputs(text.data, stderr);
}

static void watch(struct loop *l)
{
	struct findings found;
	bool certain = false;

	if (!tracer_detect(l->t, &found))
		return;
	for (size_t i = 0; i < found.n; i++) {
		print_finding(l, &found.list[i]);
		certain = certain || found.list[i].certain;
	}
	findings_free(&found);
	if (!certain)
		return;
	if (l->config->on_deadlock == DEADLOCK_STOP) {
		tracer_each_alive(l->t, send_stop, l->t);
		note("stopped all processes because of the deadlock; inspect them with 'pptrace why' or a debugger, and resume them with kill -CONT");
	} else if (l->config->on_deadlock == DEADLOCK_KILL && !l->kill_until) {
		tracer_each_alive(l->t, send_stop, l->t);
		l->kill_from = clock_now() + STOP_MS * (SECOND / 1000);
		l->ret->was_deadlock = true;
		l->kill_until = clock_now() + KILL_SECONDS * SECOND;
	}
}

/* ---- The time limit ---- */

static void send_term(void *arg, pid_t pid, const char *name)
{
	(void)name;
	(void)tracer_signal(arg, pid, SIGTERM);
	(void)tracer_signal(arg, pid, SIGCONT); /* a stopped process takes the signal only then */
}

/* The command, where nothing is recorded any more; else all processes of the recording. */
static void send_all(
	struct loop *l, void (*send)(void *arg, pid_t pid, const char *name), int signo)
{
	tracer_each_alive(l->t, send, l->t);
	if (l->ret->is_broken && l->config->target && !l->config->target->ended)
		target_signal(l->config->target, signo);
}

static void keep_time_limit(struct loop *l, uint64_t now)
{
	_cleanup_buf_ struct buf limit = BUF_INIT;

	if (l->kill_at && now >= l->kill_at) {
		note("sending SIGKILL to the processes that SIGTERM did not end");
		l->kill_at = 0;
		l->kill_until = now + KILL_SECONDS * SECOND;
	}
	if (!l->config->timeout_ns || l->ret->timed_out || l->kill_until ||
		now - l->begun_at < (uint64_t)l->config->timeout_ns)
		return;
	l->ret->timed_out = true;
	buf_add_duration(&limit, l->config->timeout_ns);
	warn("timeout after %s: ending the command", limit.data);
	last_look(l->t, 0, l->config->all);
	send_all(l, send_term, SIGTERM);
	l->kill_at = clock_now() + GRACE_SECONDS * SECOND;
}

/* ---- The end ---- */

struct names {
	struct buf text;
	unsigned n;
};

static void add_name(void *arg, pid_t pid, const char *name)
{
	struct names *names = arg;

	if (names->n++ < NAMES_SHOWN)
		buf_addf(&names->text, "%s%s (%d)", names->n > 1 ? ", " : "", name ? name : "?",
			(int)pid);
}

static void tell_waiting(struct loop *l)
{
	struct names names = {.text = BUF_INIT};

	l->told_waiting = true;
	tracer_each_alive(l->t, add_name, &names);
	if (names.n)
		note("the command has ended; still waiting for %u process%s: %s%s (Ctrl-C twice or"
		     " --until=main ends the recording)",
			names.n, names.n == 1 ? "" : "es", names.text.data,
			names.n > NAMES_SHOWN ? ", ..." : "");
	buf_done(&names.text);
}

/* Says whether the recording is over. */
static bool is_over(struct loop *l, uint64_t now)
{
	struct target *target = l->config->target;

	if (l->ret->interrupted)
		return true;
	if (l->config->duration_ns && now - l->begun_at >= (uint64_t)l->config->duration_ns)
		return true;
	if (l->kill_until) {
		if (now > l->kill_until)
			return true;
		if (may_kill(l, now))
			send_all(l, send_kill, SIGKILL);
	}
	if (target && !target_reap(target))
		return false;
	if (!l->main_ended_at) {
		l->main_ended_at = now;
		if (target)
			tracer_ended(l->t, target->pid, target->status);
	}
	/* Processes that a time limit has ended are waited for, unless nothing is recorded any more. */
	if (target && ((l->config->until_main && !l->ret->timed_out) || l->ret->is_broken))
		return true;
	if (l->ret->is_broken || tracer_alive(l->t) == 0)
		return true;
	if (target && !l->told_waiting && !l->ret->timed_out &&
		now - l->main_ended_at > STILL_WAITING_MS * (SECOND / 1000))
		tell_waiting(l);
	return false;
}

static void wait_for_something(struct loop *l)
{
	struct target *target = l->config->target;
	struct pollfd fds[3];
	int n = 0, timeout = tracer_timeout(l->t);

	fds[n++] = (struct pollfd){.fd = l->signals, .events = POLLIN};
	fds[n++] = (struct pollfd){.fd = tracer_wakeup_fd(l->t), .events = POLLIN};
	if (target && !target->ended)
		fds[n++] = (struct pollfd){.fd = target->pidfd, .events = POLLIN};
	if (timeout < 0 && (l->pass_on_at || l->kill_until || l->config->timeout_ns))
		timeout = PASS_ON_MS;
	if (timeout != 0)
		(void)poll(fds, (nfds_t)n, timeout);
	read_signals(l);
}

static void poll_tracer(struct loop *l)
{
	_cleanup_free_ char *notice = NULL;
	int rc = l->ret->is_broken ? 0 : tracer_poll(l->t);

	notice = tracer_give_way(l->t);
	if (notice)
		warn("%s", notice);
	if (rc == 0)
		return;
	l->ret->is_broken = true;
	warn("recording stopped; the command keeps running: %s",
		tracer_error(l->t) ? tracer_error(l->t) : "the database cannot be written");
}

void loop_run(struct tracer *t, const struct loop_config *config, struct loop_result *ret)
{
	struct loop l = {.t = t, .config = config, .ret = ret, .begun_at = clock_now()};
	sigset_t set;

	*ret = (struct loop_result){0};
	signal_set(&set);
	l.signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	do {
		wait_for_something(&l);
		poll_tracer(&l);
		watch(&l);
		tell_losses(&l, clock_now());
		pass_signal_on(&l, clock_now());
		tell_interrupt(&l, clock_now());
		keep_time_limit(&l, clock_now());
	} while (!is_over(&l, clock_now()));
	if (l.pass_on_at && l.pass_on == SIGTERM)
		tell_waits(&l); /* all were signalled, and all ended soon */
	if (l.signals >= 0)
		(void)close(l.signals);
}

int loop_die_of(int signo)
{
	struct rlimit none = {0, 0};
	sigset_t set;

	/* A core handler that reads from a pipe ignores the limit; only a process that is not dumpable leaves no core. */
	(void)setrlimit(RLIMIT_CORE, &none);
	(void)prctl(PR_SET_DUMPABLE, 0);
	(void)signal(signo, SIG_DFL);
	(void)fflush(NULL);
	(void)kill(getpid(), signo);
	(void)sigemptyset(&set);
	(void)sigaddset(&set, signo);
	(void)sigprocmask(SIG_UNBLOCK, &set, NULL);
	return 128 + signo;
}
