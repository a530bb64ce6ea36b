/* waits.c - waits whose other side the kernel keeps: userfaultfds, io_urings, leases of files, leave to open them. */
/* SPDX-License-Identifier: MIT */
#include "tracer/snapshot/kernel/waits.h"

#include <ctype.h>
#include <linux/io_uring.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"

enum { TEXT_MAX = 64 * 1024, OPERATIONS_MAX = 8 };

/* Says in which function of the kernel a thread sleeps; only a user who may trace it is told. */
static bool sleeps_in(const struct snap_process *p, const struct snap_thread *t, const char *name)
{
	char path[64], text[128];

	(void)snprintf(path, sizeof path, "/proc/%d/task/%d/wchan", (int)p->pid, (int)t->tid);
	return proc_read(path, text, sizeof text) > 0 && !strcmp(text, name);
}

/* Says whether a descriptor of a process is a userfaultfd by which somebody waits for a page. */
static bool is_awaited(DIR *fds, pid_t pid, const char *fd)
{
	char path[64], text[1024];
	const char *total;
	ssize_t n = readlinkat(dirfd(fds), fd, text, sizeof text - 1);

	if (n <= 0)
		return false;
	text[n] = '\0';
	if (!strstr(text, "[userfaultfd]"))
		return false;
	(void)snprintf(path, sizeof path, "/proc/%d/fdinfo/%.16s", (int)pid, fd);
	total = proc_read(path, text, sizeof text) > 0 ? strstr(text, "total:") : NULL;
	return total && strtoull(total + strlen("total:"), NULL, 10) > 0;
}

static bool holds_awaited(pid_t pid)
{
	struct dirent *e;
	bool found = false;
	char path[64];
	DIR *d;

	(void)snprintf(path, sizeof path, "/proc/%d/fd", (int)pid);
	d = opendir(path);
	while (d && !found && (e = readdir(d)) != NULL)
		found = isdigit((unsigned char)e->d_name[0]) && is_awaited(d, pid, e->d_name);
	if (d)
		(void)closedir(d);
	return found;
}

bool fault_wait(const struct snap_process *p, struct snap_thread *t)
{
	DIR *proc;

	if (!p->live || !t->has_syscall || t->nr >= 0 || !sleeps_in(p, t, "handle_userfault"))
		return false;
	if (holds_awaited(p->live)) {
		t->wait.peer = (uint64_t)p->pid;
		return true;
	}
	/* Its memory may have been registered by another one, or the descriptor been passed on. */
	proc = opendir("/proc");
	for (pid_t pid; !t->wait.peer && (pid = proc_next(proc));)
		if (holds_awaited(pid))
			t->wait.peer = (uint64_t)pid;
	if (proc)
		(void)closedir(proc);
	return true;
}

/* What a ring is asked to do, as far as that can wait for something. */
static const char *operation(unsigned number)
{
	static const char *const names[] = {
		[IORING_OP_READV] = "a read",
		[IORING_OP_WRITEV] = "a write",
		[IORING_OP_POLL_ADD] = "a poll",
		[IORING_OP_SENDMSG] = "a send",
		[IORING_OP_RECVMSG] = "a receive",
		[IORING_OP_ACCEPT] = "an accept",
		[IORING_OP_CONNECT] = "a connect",
		[IORING_OP_READ] = "a read",
		[IORING_OP_WRITE] = "a write",
		[IORING_OP_SEND] = "a send",
		[IORING_OP_RECV] = "a receive",
		[IORING_OP_SPLICE] = "a splice",
	};

	return number < ARRAY_SIZE(names) && names[number] ? names[number] : "another operation";
}

void uring_wait(const struct snap_process *p, struct snap_thread *t)
{
	_cleanup_free_ char *text = xmalloc(TEXT_MAX);
	_cleanup_buf_ struct buf words = BUF_INIT;
	unsigned number, n = 0;
	const char *at;
	char path[64];

	(void)snprintf(path, sizeof path, "/proc/%d/fdinfo/%d", (int)p->live, (int)t->args[0]);
	if (!p->live || proc_read(path, text, TEXT_MAX) <= 0)
		return;
	at = strstr(text, "PollList:");
	while (at && (at = strstr(at, "  op=")) != NULL && sscanf(at, "  op=%u", &number) == 1) {
		at++;
		if (n++ == OPERATIONS_MAX) {
			buf_adds(&words, " and others");
			break;
		}
		buf_addf(&words, "%s%s", n > 1 ? ", " : "", operation(number));
	}
	if (words.len)
		t->words = xstrdup(words.data);
}

bool file_opens_fifo(const struct snap_process *p, const struct snap_thread *t)
{
	return p->live && sleeps_in(p, t, "wait_for_partner");
}

/*
 * "1: LEASE  BREAKING  READ 27711 fe:00:11248988 0 EOF", then "1: -> LEASE  BREAKER   READ 27714 <none>:0 0 EOF": who
 * opens the file waits until the lease has been given up, or its time is over. A listener of fanotify may also be asked.
 */
void file_wait_open(const struct snap_process *p, struct snap_thread *t)
{
	_cleanup_free_ char *text = NULL;
	int holder = 0;

	if (!p->live)
		return;
	if (sleeps_in(p, t, "fanotify_handle_event"))
		t->words = xstrdup("a listener of fanotify is to permit it");
	if (t->words || !sleeps_in(p, t, "__break_lease"))
		return;
	text = xmalloc(TEXT_MAX);
	if (proc_read("/proc/locks", text, TEXT_MAX) <= 0)
		return;
	t->wait.timed = true;
	/* The kernel looks at the clock in between. */
	t->keeps_looking = true;
	for (char *next = text, *line; (line = strsep(&next, "\n"));) {
		int pid, breaker;

		if (sscanf(line, "%*d: LEASE BREAKING %*s %d", &pid) == 1)
			holder = pid;
		else if (sscanf(line, "%*d: -> LEASE BREAKER %*s %d", &breaker) == 1 &&
			 breaker == (int)p->pid)
			break;
	}
	t->words = holder ? xasprintf("process %d holds a lease on it", holder)
			  : xstrdup("another process holds a lease on it");
}
