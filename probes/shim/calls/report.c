/* report.c - programs executed, children made, programs started. */
/* SPDX-License-Identifier: MIT */
#include "probes/shim/calls/report.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <signal.h>
#include <spawn.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "probes/shim/shim.h"
#include "probes/shim/modules.h"
#include "probes/shim/options.h"
#include "probes/shim/sys.h"
#include "probes/shim/task.h"
#include "probes/shim/calls/fdlist.h"
#include "probes/shim/calls/wait.h"

enum { ARGV_MAX = 16384 }; /* bytes of arguments that are kept */

/* Collects bytes into MORE records. */
struct more {
	struct rec_MORE r;
	size_t sent;
	int cut; /* said that there was more */
};

static void more_flush(struct more *m, uint32_t pid)
{
	if (!m->r.len && !m->r.flags)
		return;
	m->r.head.pid = m->r.head.tid = pid;
	RECORD(MORE, &m->r);
	memset(&m->r, 0, sizeof m->r);
	m->r.what = MORE_ARGV;
}

static void more_add(struct more *m, const char *text, size_t len, uint32_t pid)
{
	while (len && m->sent < ARGV_MAX) {
		size_t room = sizeof m->r.data - m->r.len, n = len < room ? len : room;

		memcpy(m->r.data + m->r.len, text, n);
		m->r.len += n;
		m->sent += n;
		text += n;
		len -= n;
		if (m->r.len == sizeof m->r.data)
			more_flush(m, pid);
	}
	if (len && !m->cut) {
		m->cut = 1;
		m->r.flags = MORE_CUT;
	}
}

static void report_argv(char *const *argv, uint32_t pid)
{
	struct more m;

	memset(&m, 0, sizeof m);
	m.r.what = MORE_ARGV;
	for (; argv && *argv; argv++)
		more_add(&m, *argv, strlen(*argv) + 1, pid);
	more_flush(&m, pid);
}

static void keep_text(struct rec_head *head, char *to, size_t size, const char *from)
{
	size_t len = strlen(from);

	if (len >= size)
		head->flags = REC_CUT;
	memcpy(to, from, len < size ? len : size - 1);
}

/* What the kernel names a task after an exec. */
static void keep_name(char *to, size_t size, const char *path)
{
	const char *slash = strrchr(path, '/');

	path = slash ? slash + 1 : path;
	memcpy(to, path, strnlen(path, size - 1));
}

static void emit_exec(const char *path, const char *file, char *const *argv, uint32_t pid)
{
	struct rec_EXEC r;
	struct stat st;

	report_argv(argv, pid);
	report_ends(END_EXEC, pid, 0);
	memset(&r, 0, sizeof r);
	r.head.pid = r.head.tid = pid;
	r.old_tid = pid ? pid : shim_tid();
	if (sys4(SYS_newfstatat, AT_FDCWD, file, &st, 0) == 0) {
		r.dev = st.st_dev;
		r.inode = st.st_ino;
	}
	keep_name(r.comm, sizeof r.comm, path);
	keep_text(&r.head, r.path, sizeof r.path, path);
	RECORD(EXEC, &r);
}

void report_exec(struct exec_call *c, const char *path, char *const *argv, bool bears)
{
	*c = (struct exec_call){shim_everything(), path, argv};
	/* It would be wrong to announce what cannot be executed. */
	if (c->on && !bears && sys3(SYS_faccessat, AT_FDCWD, path, X_OK) == 0)
		emit_exec(path, path, argv, 0);
}

void report_exec_failed(const struct exec_call *c)
{
	struct rec_EXEC_FAIL r;
	int keep = errno;

	if (!c->on)
		return;
	report_argv(c->argv, 0);
	memset(&r, 0, sizeof r);
	r.error = (uint64_t)keep;
	keep_text(&r.head, r.path, sizeof r.path, c->path);
	RECORD(EXEC_FAIL, &r);
	errno = keep;
}

/* ---- A program's start ---- */

static void report_cmdline(void)
{
	struct more m;
	char buf[1024];
	long n, fd = sys4(SYS_openat, AT_FDCWD, "/proc/self/cmdline", O_RDONLY | O_CLOEXEC, 0);

	if (fd < 0)
		return;
	memset(&m, 0, sizeof m);
	m.r.what = MORE_ARGV;
	while ((n = sys3(SYS_read, fd, buf, sizeof buf)) > 0)
		more_add(&m, buf, (size_t)n, 0);
	more_flush(&m, 0);
	sys1(SYS_close, fd);
}

void report_start(void)
{
	const char *path = (const char *)getauxval(AT_EXECFN);
	struct rec_EXEC r;
	struct stat st;

	report_cmdline();
	report_ends(END_EXEC, 0, 0);
	memset(&r, 0, sizeof r);
	r.old_tid = shim_tid();
	if (sys4(SYS_newfstatat, AT_FDCWD, "/proc/self/exe", &st, 0) == 0) {
		r.dev = st.st_dev;
		r.inode = st.st_ino;
	}
	r.lock_source = LOCKS_SHIM;
	sys2(SYS_prctl, PR_GET_NAME, r.comm);
	keep_text(&r.head, r.path, sizeof r.path, path ? path : "");
	RECORD(EXEC, &r);
	modules_record();
}

/* ---- Children ---- */

void report_spawn(struct spawn_call *c)
{
	c->fork.thread = NULL;
	if (shim_everything())
		ring_record_begin(&c->fork, sizeof(struct rec_FORK));
}

static void fill_fork(struct rec_FORK *r, pid_t child, uint64_t flags, uint64_t parent)
{
	r->child_pid = r->child_tid = r->child_ns_pid = r->child_ns_tid = (uint64_t)child;
	r->flags = flags;
	r->parent_pid = flags & CLONE_PARENT ? (uint64_t)sys0(SYS_getppid) : parent;
	sys2(SYS_prctl, PR_GET_NAME, r->comm);
}

void report_child(struct spawn_call *c, pid_t child, uint64_t flags)
{
	struct rec_FORK r;

	if (!c->fork.thread)
		return;
	memset(&r, 0, sizeof r);
	if (child > 0) {
		/* The reader sees these only together with the record before them. */
		report_ends(END_INHERIT, (uint32_t)child, c->fork.ts);
		fill_fork(&r, child, flags, c->fork.thread->ring->owner >> 32);
	}
	ring_record_end(&c->fork, &r.head, REC_FORK, child > 0);
}

/* As the C library keeps them, in all its versions; what differs gives no FIFO. */
struct file_action {
	_Alignas(8) int tag;
	_Alignas(8) int fd;
	_Alignas(8) const char *path;
	int flags;
	mode_t mode;
};
enum { ACTION_OPEN = 2 };

/* Finds the first FIFO that the child opens and may have to wait for. */
static bool opens_fifo(const posix_spawn_file_actions_t *actions, struct stat *ret)
{
	const struct file_action *a = (const void *)actions->__actions;

	for (int i = 0; a && i < actions->__used && i < actions->__allocated; i++, a++)
		if (a->tag == ACTION_OPEN && !(a->flags & (O_NONBLOCK | O_PATH)) &&
			(a->flags & O_ACCMODE) != O_RDWR &&
			sys4(SYS_newfstatat, AT_FDCWD, a->path, ret, 0) == 0 &&
			S_ISFIFO(ret->st_mode))
			return true;
	return false;
}

void report_spawn_actions(struct spawn_call *c, const void *actions)
{
	struct rec_WAIT_BEGIN r;
	struct stat st;

	*c = (struct spawn_call){.on = shim_everything()};
	if (!c->on || !actions || !opens_fifo(actions, &st)) {
		report_spawn(c);
		return;
	}
	/* No room is reserved: the reader would wait for it. The reader finds the child meanwhile. */
	c->fifo = true;
	wait_init(&r, SYS_clone, WAIT_VFORK);
	r.file_kind = FILE_FIFO;
	r.dev = st.st_dev;
	r.inode = st.st_ino;
	r.state = 2;
	c->begun = shim_now();
	RECORD(WAIT_BEGIN, &r);
}

void report_vfork_wait(pid_t child, uint32_t pid, uint64_t ts)
{
	struct rec_WAIT_BEGIN r;

	wait_init(&r, SYS_clone, WAIT_VFORK);
	r.head.pid = r.head.tid = pid;
	r.head.ts = ts;
	r.peer = (uint64_t)child;
	r.state = 2;
	RECORD(WAIT_BEGIN, &r);
}

void report_spawned(
	struct spawn_call *c, int rc, pid_t child, const char *path, char *const *argv, bool bears)
{
	/* CLONE_CLEAR_SIGHAND is by what the kernel, too, tells posix_spawn from other ways. */
	const uint64_t spawn_flags = 0x100000000ull | SIGCHLD;
	uint64_t begun = c->fork.ts;
	bool on = c->fork.thread != NULL;

	if (c->fifo) {
		struct rec_FORK r;

		memset(&r, 0, sizeof r);
		fill_fork(&r, child, spawn_flags, shim_pid());
		r.head.ts = c->begun;
		if (rc == 0) {
			report_ends(END_INHERIT, (uint32_t)child, c->begun);
			RECORD(FORK, &r);
		}
		wait_end();
		if (rc == 0 && !bears)
			emit_exec(path, path, argv, (uint32_t)child);
		return;
	}
	report_child(c, rc == 0 ? child : 0, spawn_flags);
	if (on && rc == 0) {
		report_vfork_wait(child, 0, begun);
		wait_end();
	}
	if (on && rc == 0 && !bears)
		emit_exec(path, path, argv, (uint32_t)child);
}
