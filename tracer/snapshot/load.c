/* load.c - read one process and its threads, and look at them once more. */
/* SPDX-License-Identifier: MIT */
#include "tracer/snapshot/private.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

enum {
	ARGS_MAX = 64 * 1024,
	MAX_LOOKS = 3,       /* at a thread that runs now and then */
	MAX_AGAIN = 64,      /* such threads of a snapshot */
	EI_CLASS_OFFSET = 4, /* in an ELF file: 1 means 32 bits */
	STAT_PPID = 4,       /* fields of /proc/PID/stat, counted from 1 */
	STAT_CMINFLT = 11,   /* page faults of children that were waited for: each has some */
	STAT_STARTTIME = 22,
	STAT_FLAGS = 9,
	STAT_EXIT_CODE = 52,
	PF_KTHREAD = 0x00200000
};

/* Returns what follows "Name:" at the beginning of a line of text, without white space, or NULL. */
static const char *field(const char *text, const char *name)
{
	size_t len = strlen(name);

	for (const char *p = text; p; p = strchr(p, '\n')) {
		p += *p == '\n';
		if (!strncmp(p, name, len) && p[len] == ':')
			return p + len + 1 + strspn(p + len + 1, " \t");
	}
	return NULL;
}

static uint64_t field_hex(const char *text, const char *name)
{
	const char *p = field(text, name);

	return p ? strtoull(p, NULL, 16) : 0;
}

static uint64_t field_num(const char *text, const char *name)
{
	const char *p = field(text, name);

	return p ? strtoull(p, NULL, 10) : 0;
}

/* The number in the innermost PID namespace: the last of those in NSpid. */
static pid_t field_ns_pid(const char *text, pid_t pid)
{
	const char *p = field(text, "NSpid");
	pid_t last = pid;

	while (p && *p >= '0' && *p <= '9') {
		char *end;

		last = (pid_t)strtol(p, &end, 10);
		p = end + strspn(end, "\t ");
	}
	return last;
}

static void stat_comm(const char *text, char comm[16])
{
	const char *open_at = strchr(text, '('), *close_at = strrchr(text, ')');
	size_t len = open_at && close_at > open_at ? (size_t)(close_at - open_at - 1) : 0;

	if (len > 15)
		len = 15;
	memset(comm, 0, 16);
	memcpy(comm, open_at ? open_at + 1 : "", len);
}

/* "NR ARG0 ... ARG5 SP PC", "-1 SP PC" outside system calls, or "running". */
static bool parse_syscall(const char *text, struct snap_thread *t)
{
	uint64_t values[8];
	char *end;
	int n = 0;

	t->nr = strtoll(text, &end, 10);
	if (end == text)
		return false;
	while (n < 8 && *end == ' ') {
		const char *at = end;

		values[n++] = strtoull(at, &end, 16);
	}
	if (n != 8 && n != 2)
		return false;
	if (n == 8)
		memcpy(t->args, values, sizeof t->args);
	t->sp = values[n - 2];
	t->pc = values[n - 1];
	return true;
}

static void status_comm(const char *text, char comm[16])
{
	const char *name = field(text, "Name");
	size_t n = 0;

	memset(comm, 0, 16);
	/* The name's only escapes here are \n and \\. */
	for (const char *p = name; p && *p && *p != '\n' && n < 15; p++) {
		if (*p == '\\' && p[1])
			comm[n++] = *++p == 'n' ? '\n' : *p;
		else
			comm[n++] = *p;
	}
}

/* Reads what a thread does now. Returns 1, or 0 or -errno if it is gone. */
static int read_thread(struct snap_process *p, struct snap_thread *t)
{
	char path[64], text[4096];
	const char *state;
	int rc;

	(void)snprintf(path, sizeof path, "/proc/%d/task/%d/status", (int)p->pid, (int)t->tid);
	rc = proc_read(path, text, sizeof text);
	if (rc <= 0)
		return rc;
	state = field(text, "State");
	t->state = state ? *state : '?';
	t->ns_tid = field_ns_pid(text, t->tid);
	t->sigblk = field_hex(text, "SigBlk");
	t->switches = field_num(text, "voluntary_ctxt_switches") +
		      field_num(text, "nonvoluntary_ctxt_switches");
	status_comm(text, t->comm);
	t->sigcgt = field_hex(text, "SigCgt");
	t->sigign = field_hex(text, "SigIgn");
	if (t->tid == p->pid) {
		p->ns_pid = field_ns_pid(text, p->pid);
		p->uid = (uid_t)field_num(text, "Uid");
	}
	t->has_syscall = t->is_denied = false;
	t->has_run = t->state == 'R';
	if (p->is_kernel || t->state == 'R' || t->state == 'Z' || t->state == 'X')
		return 1;
	(void)snprintf(path, sizeof path, "/proc/%d/task/%d/syscall", (int)p->pid, (int)t->tid);
	rc = proc_read(path, text, sizeof text);
	if (rc > 0) {
		t->has_syscall = parse_syscall(text, t);
		t->has_run = !t->has_syscall;
	} else if (rc == -EACCES || rc == -EPERM) {
		t->is_denied = true;
	}
	return 1;
}

static void read_one(void *arg, struct snap_process *p, struct snap_thread *t)
{
	(void)arg;
	if (read_thread(p, t) <= 0)
		t->tid = 0; /* gone meanwhile */
}

static void load_threads(struct snapshot *s, struct snap_process *p)
{
	char path[64];
	struct dirent *e;
	size_t n = 0;
	DIR *d;

	(void)snprintf(path, sizeof path, "/proc/%d/task", (int)p->pid);
	d = opendir(path);
	while (d && (e = readdir(d)) != NULL) {
		if (e->d_name[0] == '.' || s->n_threads + p->n_threads >= SNAP_MAX_THREADS)
			continue;
		ARRAY_GROW(p->threads, p->n_threads, p->cap_threads);
		p->threads[p->n_threads++] =
			(struct snap_thread){.tid = (pid_t)atoi(e->d_name), .nr = -1};
	}
	if (d)
		(void)closedir(d);
	each_thread(p, read_one, NULL);
	for (size_t i = 0; i < p->n_threads; i++) {
		if (!p->threads[i].tid)
			continue;
		s->is_yama |= p->threads[i].is_denied;
		p->threads[n++] = p->threads[i];
	}
	p->n_threads = n;
	s->n_threads += n;
}

static void load_names(struct snap_process *p)
{
	_cleanup_free_ char *text = xmalloc(ARGS_MAX);
	char path[64], target[4096];
	unsigned char ident[5] = {0};
	ssize_t n;
	int fd;

	(void)snprintf(path, sizeof path, "/proc/%d/cmdline", (int)p->live);
	n = proc_read(path, text, ARGS_MAX);
	if (n > 0) {
		buf_add(&p->args, text, (size_t)n);
		if (text[n - 1] != '\0')
			buf_addc(&p->args, '\0');
	}
	(void)snprintf(path, sizeof path, "/proc/%d/exe", (int)p->live);
	n = readlink(path, target, sizeof target - 1);
	if (n <= 0)
		return;
	target[n] = '\0';
	p->exe = xstrdup(target);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd >= 0) {
		if (read(fd, ident, sizeof ident) == (ssize_t)sizeof ident)
			p->is_compat = ident[EI_CLASS_OFFSET] == 1;
		(void)close(fd);
	}
}

static bool parse_stat(struct snapshot *s, struct snap_process *p)
{
	char path[64], text[2048];
	uint64_t boot_ns;
	const char *state;

	(void)snprintf(path, sizeof path, "/proc/%d/stat", (int)p->pid);
	if (proc_read(path, text, sizeof text) <= 0)
		return false;
	stat_comm(text, p->comm);
	p->ppid = (pid_t)proc_stat_field(text, STAT_PPID);
	p->is_kernel = proc_stat_field(text, STAT_FLAGS) & PF_KTHREAD;
	p->has_reaped = proc_stat_field(text, STAT_CMINFLT) != 0;
	p->exit_status = (unsigned)proc_stat_field(text, STAT_EXIT_CODE);
	state = strrchr(text, ')');
	p->is_zombie = state && state[1] && (state[2] == 'Z' || state[2] == 'X');
	/* In ticks since boot, sleeping machines included; ours does not count their sleep. */
	boot_ns = proc_stat_field(text, STAT_STARTTIME) *
		  (1000000000ull / (uint64_t)sysconf(_SC_CLK_TCK));
	p->start_ts =
		s->now_boot - boot_ns < s->now_mono ? s->now_mono - (s->now_boot - boot_ns) : 1;
	return true;
}

struct snap_process *proc_load(struct snapshot *s, pid_t pid)
{
	struct snap_process *p = xcalloc(1, sizeof *p);
	char byte;
	size_t alive = 0;

	p->pid = p->ns_pid = pid;
	p->args = BUF_INIT;
	if (!parse_stat(s, p)) {
		proc_free(p);
		return NULL;
	}
	load_threads(s, p);
	if (p->n_threads == 0) {
		proc_free(p);
		return NULL;
	}
	for (size_t i = p->n_threads; i > 0; i--) {
		if (p->threads[i - 1].state == 'Z' || p->threads[i - 1].state == 'X')
			continue;
		p->live = p->threads[i - 1].tid;
		/* A thread that has ended shows no handlers any more. */
		p->sigcgt = p->threads[i - 1].sigcgt;
		p->sigign = p->threads[i - 1].sigign;
		alive++;
	}
	p->is_zombie = p->is_zombie && alive == 0;
	if (p->is_kernel || p->is_zombie)
		return p;
	load_names(p);
	files_load(s, p);
	p->is_readable = p->has_fds;
	for (size_t i = 0; i < p->n_threads && !p->has_memory; i++)
		p->has_memory =
			p->threads[i].has_syscall && proc_memory(p, p->threads[i].sp, &byte, 1);
	return p;
}

void proc_free(struct snap_process *p)
{
	if (!p)
		return;
	for (size_t i = 0; i < p->n_fds; i++)
		free(p->fds[i].path);
	for (size_t i = 0; i < p->n_threads; i++) {
		free(p->threads[i].poll);
		free(p->threads[i].words);
	}
	free(p->fds);
	maps_done(p);
	free(p->threads);
	free(p->exe);
	buf_done(&p->args);
	free(p);
}

/* Says whether a thread has not run since it was read, and finds out since when it sleeps. */
static bool recheck(const struct snapshot *s, const struct snap_process *p, struct snap_thread *t)
{
	char path[64], text[8192];

	if (s->age_offset != AGE_UNKNOWN) {
		(void)snprintf(
			path, sizeof path, "/proc/%d/task/%d/sched", (int)p->pid, (int)t->tid);
		if (proc_read(path, text, sizeof text) <= 0)
			return false;
		t->since = age_since(s, p->pid, t->tid, text);
		return t->keeps_looking || age_value(text, "nr_switches") == (double)t->switches;
	}
	(void)snprintf(path, sizeof path, "/proc/%d/task/%d/status", (int)p->pid, (int)t->tid);
	if (proc_read(path, text, sizeof text) <= 0)
		return false;
	return t->keeps_looking || field_num(text, "voluntary_ctxt_switches") +
						   field_num(text, "nonvoluntary_ctxt_switches") ==
					   t->switches;
}

/*
 * A thread that runs now and then between waits with a timeout is worth another quick
 * look: such a wait ends by itself, so that no verdict depends on its having been in it at the same moment as others.
 */
static void look_again(struct snapshot *s, struct snap_process *p, struct snap_thread *t)
{
	for (int i = 0; i < MAX_LOOKS && t->has_run; i++) {
		if (read_thread(p, t) <= 0 || !t->has_syscall)
			return;
		wait_fill(s, p, t);
		calls_walk(s, p, t);
		t->has_run = !t->wait.timed || !recheck(s, p, t);
	}
}

static void recheck_one(void *arg, struct snap_process *p, struct snap_thread *t)
{
	if (!t->has_run && t->state != 'Z' && t->state != 'X')
		t->has_run = !recheck(arg, p, t);
}

void proc_recheck(struct snapshot *s, struct snap_process *p)
{
	each_thread(p, recheck_one, s);
	for (size_t i = 0; i < p->n_threads; i++) {
		struct snap_thread *t = &p->threads[i];

		if (t->has_run && s->n_again++ < MAX_AGAIN)
			look_again(s, p, t);
		if (t->since && t->since < p->start_ts)
			t->since = p->start_ts;
	}
}
