/* snapshot.c - the state of processes that were never started under pptrace, as records. */
/* SPDX-License-Identifier: MIT */
/*
 * First the processes that were asked for and their descendants are read; then,
 * for each blocked thread, whoever may end its wait, until nobody new appears;
 * then every thread is looked at once more. Those that have not run between
 * the two looks were all blocked together at the moment between, so that what is
 * concluded from their waits holds for that moment.
 */
#include "tracer/snapshot/snapshot.h"

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <pwd.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "tracer/authority/authority.h"
#include "tracer/snapshot/private.h"
#include "tracer/symbols/symbols.h"

enum {
	MAX_SHARED = 64, /* shared mappings whose users are looked for */
	MAX_TOLD = 5     /* unreadable processes reported individually */
};

static void add_process(struct snapshot *s, pid_t pid)
{
	struct snap_process *p;

	if (pid <= 0 || pid == getpid() || hash_get(&s->by_pid, (uint64_t)pid) ||
		s->n_processes >= SNAP_MAX_PROCESSES || !authority_covers(NULL, pid))
		return;
	p = proc_load(s, pid);
	if (!p)
		return;
	/* A thread's number leads to its process too; kernel threads wait for nothing that is ours. */
	if (p->is_kernel || (!p->is_zombie && !p->has_fds)) {
		proc_free(p);
		return;
	}
	ARRAY_GROW(s->processes, s->n_processes, s->cap_processes);
	s->processes[s->n_processes++] = p;
	(void)hash_set(&s->by_pid, (uint64_t)pid, p);
	for (size_t i = 0; i < p->n_threads; i++)
		if (!p->threads[i].has_run)
			wait_fill(s, p, &p->threads[i]);
	join_find(p);
}

/* Parent and session of every process of the machine, read once. */
struct family {
	pid_t pid, ppid, session;
};

static struct family *read_families(size_t *ret_n)
{
	struct family *list = NULL;
	size_t n = 0, cap = 0;
	DIR *proc = opendir("/proc");

	for (pid_t pid; (pid = proc_next(proc));) {
		char path[64], text[1024];
		const char *p;
		int ppid, session;

		(void)snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
		if (proc_read(path, text, sizeof text) <= 0 || !(p = strrchr(text, ')')) ||
			sscanf(p + 1, " %*c %d %*d %d", &ppid, &session) != 2)
			continue;
		ARRAY_GROW(list, n, cap);
		list[n++] = (struct family){pid, ppid, session};
	}
	if (proc)
		(void)closedir(proc);
	*ret_n = n;
	return list;
}

static void add_children(struct snapshot *s, pid_t pid, const struct family *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (list[i].ppid == pid)
			add_process(s, list[i].pid);
}

static bool waits_for_children(const struct snap_process *p)
{
	for (size_t i = 0; i < p->n_threads; i++) {
		const struct snap_thread *t = &p->threads[i];

		if (!t->has_run &&
			(t->wait.reason == WAIT_VFORK || t->wait.syscall == (uint64_t)SYS_wait4 ||
				t->wait.syscall == (uint64_t)SYS_waitid))
			return true;
	}
	return false;
}

static void add_sharers(struct snapshot *s, size_t *done)
{
	for (; *done < s->n_shared && *done < MAX_SHARED; ++*done) {
		struct snap_shared *m = &s->shared[*done];

		m->n_mappers = snapshot_mappers(m->dev, m->inode, &m->mappers);
		for (size_t i = 0; i < m->n_mappers; i++)
			add_process(s, m->mappers[i]);
	}
}

/* The descendants of those that were asked for. */
static void add_descendants(struct snapshot *s, const struct family *list, size_t n)
{
	for (size_t i = 0; i < s->n_processes; i++)
		add_children(s, s->processes[i]->pid, list, n);
}

/* Adds whoever is waited for, until nobody new appears. */
static void add_providers(struct snapshot *s, const struct family *list, size_t n)
{
	size_t shared = 0;

	for (size_t i = 0; i < s->n_processes; i++) {
		struct snap_process *p = s->processes[i];

		for (size_t k = 0; k < p->n_threads; k++)
			wait_providers(s, p, &p->threads[k], add_process);
		add_sharers(s, &shared);
		if (waits_for_children(p))
			add_children(s, p->pid, list, n);
	}
}

static void snapshot_done(struct snapshot *s)
{
	for (size_t i = 0; i < s->n_processes; i++)
		proc_free(s->processes[i]);
	for (size_t i = 0; i < s->n_shared; i++)
		free(s->shared[i].mappers);
	free(s->processes);
	free(s->holders);
	free(s->openers);
	free(s->shared);
	free(s->locks);
	hash_done(&s->by_pid);
	sockets_done(s);
	hash_done(&s->gone);
	hash_done(&s->files);
	hash_done(&s->terminals);
}

/* The user to run pptrace as to see more; in a container there may be none. */
static const char *who_may(void)
{
	return geteuid() == 0
		       ? "even root is not permitted here (without CAP_SYS_PTRACE, or because a security "
			 "module forbids it)"
		       : "run pptrace as root";
}

/* Says why a process that was asked for is not among those that were read. Returns the error. */
static int why_not(struct snapshot *s, pid_t pid, struct buf *why)
{
	_cleanup_free_ char *owner = NULL;
	struct snap_process *p = proc_load(s, pid);
	struct passwd *pw;
	int rc = -EACCES;

	if (!p) {
		buf_addf(why, "there is no process %d", (int)pid);
		return -ESRCH;
	}
	pw = getpwuid(p->uid);
	owner = pw ? xstrdup(pw->pw_name) : xasprintf("user %u", (unsigned)p->uid);
	if (pid == getpid()) {
		buf_adds(why, "pptrace does not examine itself");
		rc = -EINVAL;
	} else if (p->is_zombie) {
		buf_addf(why,
			"process %d (%.15s) has ended; it is a zombie until its parent %d waits for it",
			(int)pid, p->comm, (int)p->ppid);
		rc = -ESRCH;
	} else if (p->is_kernel) {
		buf_addf(why, "%d (%.15s) is a kernel thread", (int)pid, p->comm);
		rc = -EINVAL;
	} else if (p->uid == geteuid()) {
		buf_addf(why,
			"process %d (%.15s) cannot be read, because it has or had different privileges: "
			"%s",
			(int)pid, p->comm, who_may());
	} else {
		buf_addf(why,
			"process %d (%.15s) belongs to %s and cannot be read: run pptrace as %s%sroot",
			(int)pid, p->comm, owner, p->uid ? owner : "", p->uid ? " or as " : "");
	}
	proc_free(p);
	return rc;
}

static const struct family *find_family(const struct family *list, size_t n, pid_t pid)
{
	for (size_t i = 0; i < n; i++)
		if (list[i].pid == pid)
			return &list[i];
	return NULL;
}

static bool may_read(pid_t pid)
{
	char path[64];
	DIR *d;

	(void)snprintf(path, sizeof path, "/proc/%d/fd", (int)pid);
	d = opendir(path);
	if (d)
		(void)closedir(d);
	return d || (errno != EACCES && errno != EPERM);
}

/*
 * A pipe gets to a process by inheritance. One that may not be read and that
 * descends from a process of the snapshot, or is of the same session, may hold our
 * ends: sudo in a pipeline, for example.
 */
static bool has_hidden_relative(struct snapshot *s, const struct family *list, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct family *f = &list[i];
		bool related = false;

		if (hash_get(&s->by_pid, (uint64_t)f->pid) || f->ppid == 2 || f->pid == 2)
			continue;
		for (size_t k = 0; k < s->n_processes && !related; k++) {
			const struct family *own = find_family(list, n, s->processes[k]->pid);

			related = f->ppid == s->processes[k]->pid ||
				  (own && own->session > 0 && own->session == f->session);
		}
		if (related && !may_read(f->pid))
			return true;
	}
	return false;
}

/* Says whether a thread waits for something of which unseen processes may hold an end. */
static bool has_channel_wait(const struct snapshot *s)
{
	for (size_t i = 0; i < s->n_processes; i++)
		for (size_t k = 0; k < s->processes[i]->n_threads; k++) {
			const struct snap_thread *t = &s->processes[i]->threads[k];

			if (file_is_end(t->wait.file_kind))
				return true;
			for (size_t j = 0; j < t->n_poll; j++)
				if (file_is_end(t->poll[j].file_kind))
					return true;
		}
	return false;
}

static bool is_denied(const struct snap_process *p)
{
	for (size_t i = 0; i < p->n_threads; i++)
		if (p->threads[i].is_denied)
			return true;
	return false;
}

/* System calls and memory are denied to those who may not trace a process; says why in one sentence. */
static void note_denied(const struct snapshot *s)
{
	const struct snap_process *denied = NULL;
	unsigned n = 0;
	char scope[16];

	for (size_t i = 0; i < s->n_processes; i++) {
		if (!is_denied(s->processes[i]))
			continue;
		denied = s->processes[i];
		n++;
	}
	buf_adds(s->blind, "What ");
	if (n == 1) {
		buf_add_printable(s->blind, denied->comm, strlen(denied->comm));
		buf_addf(s->blind, "[%d] waits for", (int)denied->pid);
	} else {
		buf_addf(s->blind, "%u processes wait for", n);
	}
	if (proc_read("/proc/sys/kernel/yama/ptrace_scope", scope, sizeof scope) > 0 &&
		atoi(scope) > 0)
		buf_addf(s->blind, " cannot be read, because kernel.yama.ptrace_scope is %d: %s.\n",
			atoi(scope), who_may());
	else
		buf_addf(s->blind, " cannot be read without the right to trace it: %s.\n",
			who_may());
}

static void note_blind(struct snapshot *s, const struct family *list, size_t n)
{
	struct snapshot_limits limits = {.denied = s->is_yama};

	for (size_t i = 0; i < s->n_processes && i < s->config->n_pids; i++)
		limits.all_denied = (i == 0 || limits.all_denied) && is_denied(s->processes[i]);
	limits.hidden = has_channel_wait(s) && has_hidden_relative(s, list, n);
	if (s->config->limits)
		*s->config->limits = limits;
	if (s->is_yama)
		note_denied(s);
	if (limits.hidden)
		buf_addf(s->blind,
			"A related process cannot be read, and may hold ends of the same "
			"pipes: %s.\n",
			who_may());
	if (s->n_processes >= SNAP_MAX_PROCESSES || s->n_threads >= SNAP_MAX_THREADS)
		buf_addf(s->blind, "Only the first %d processes and %d threads were read.\n",
			SNAP_MAX_PROCESSES, SNAP_MAX_THREADS);
}

/* What the last look needs: file locks, stacks, children asleep in vfork, what is under way over TCP. */
static void read_details(struct snapshot *s)
{
	bool has_lock_wait = false;

	for (size_t i = 0; i < s->n_processes; i++) {
		struct snap_process *p = s->processes[i];

		for (size_t k = 0; k < p->n_threads; k++) {
			struct snap_thread *t = &p->threads[k];

			if (t->has_run || p->is_zombie)
				continue;
			has_lock_wait |= t->wait.file_kind == FILE_REG;
			if (t->wait.reason == WAIT_FILE_LOCK)
				locks_wanted(p, t);
			if (t->wait.reason == WAIT_VFORK)
				wait_fill(s, p, t);
			sockets_look(s, t);
			calls_walk(s, p, t);
		}
	}
	if (s->config->symbols)
		calls_walk_rest(s);
	if (has_lock_wait)
		locks_load(s);
}

struct between {
	const struct snapshot_config *config;
	void *arg;
};

static void *call_between(void *arg)
{
	const struct between *b = arg;

	b->config->between(b->arg);
	return NULL;
}

/* Data read between the first and the second look, in two threads. */
static void read_between(struct snapshot *s, void *arg)
{
	struct between b = {.config = s->config, .arg = arg};
	pthread_t thread;
	bool has_thread = b.config->between && pthread_create(&thread, NULL, call_between, &b) == 0;

	read_details(s);
	for (size_t i = 0; s->config->each_between && i < s->n_processes; i++)
		s->config->each_between(arg, s->processes[i]->pid);
	if (has_thread)
		(void)pthread_join(thread, NULL);
	else if (b.config->between)
		b.config->between(arg);
}

/*
 * Parents first: a child of one that is not known yet would be nobody's. Those who ask name processes in any order.
 */
static void put_in_order(struct snapshot *s)
{
	struct snap_process **list = xcalloc(s->n_processes + 1, sizeof(struct snap_process *));
	struct hash placed = {0};
	size_t n = 0;

	for (size_t i = 0; i < s->n_processes; i++) {
		struct snap_process *p = s->processes[i];
		size_t first = n;

		for (; p && !hash_set(&placed, (uint64_t)p->pid, p);
			p = hash_get(&s->by_pid, (uint64_t)p->ppid))
			list[n++] = p;
		for (size_t last = n; first + 1 < last; first++) {
			p = list[first];
			list[first] = list[--last];
			list[last] = p;
		}
	}
	hash_done(&placed);
	free(s->processes);
	s->processes = list;
	s->cap_processes = s->n_processes + 1;
}

int snapshot_take(const struct snapshot_config *config, source_emit *emit, void *arg,
	struct buf *blind, struct buf *why)
{
	struct snapshot s = {.config = config,
		.blind = blind,
		.now_mono = clock_now(),
		.now_boot = clock_ns(CLOCK_BOOTTIME)};
	_cleanup_free_ struct family *families = NULL;
	size_t usable = 0, n_bad = 0, n_families = 0;
	int rc = 0;

	for (size_t i = 0; i < config->n_pids; i++) {
		pid_t pid = proc_leader(config->pids[i]);
		const struct snap_process *p;

		add_process(&s, pid);
		p = hash_get(&s.by_pid, (uint64_t)pid);
		usable += p && !p->is_zombie;
		if (p && !p->is_zombie)
			continue;
		n_bad++;
		if (n_bad <= MAX_TOLD) {
			buf_adds(why, why->len ? "; " : "");
			rc = why_not(&s, pid, why);
		}
	}
	if (n_bad > MAX_TOLD)
		buf_addf(why, "; and %zu more that cannot be read", n_bad - MAX_TOLD);
	if (usable == 0) {
		snapshot_done(&s);
		return rc ? rc : -ESRCH;
	}
	age_calibrate(&s);
	families = read_families(&n_families);
	if (config->related) {
		add_descendants(&s, families, n_families);
		add_providers(&s, families, n_families);
	} else {
		files_holders(&s);
	}
	read_between(&s, arg);
	for (size_t i = 0; i < s.n_processes; i++)
		proc_recheck(&s, s.processes[i]);
	s.now_mono = clock_now();
	note_blind(&s, families, n_families);
	put_in_order(&s);
	snapshot_emit(&s, emit, arg);
	snapshot_done(&s);
	return 0;
}
