/* spawn.c - children that posix_spawn has made and that have not executed anything yet. */
/* SPDX-License-Identifier: MIT */
/*
 * The C library makes them by itself: nobody in the program learns of such a
 * child before it executes its program. If its file actions open a FIFO, that
 * may be never. The preload library says that such a call begins; the child is
 * then found in /proc.
 */
#include "tracer/shim/private.h"

#include <asm/unistd.h>
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/proc.h"
#include "schema/record.h"
#include "tracer/authority/authority.h"

/* One such call. */
struct shim_spawn {
	struct rec_WAIT_BEGIN wait; /* of the caller; its file: the FIFO that is opened first */
	uint32_t child;             /* 0: not found yet */
};

void shim_spawns_done(struct shim_spawns *s)
{
	free(s->list);
	*s = (struct shim_spawns){0};
}

bool shim_spawn_begins(struct shim_spawns *s, const struct rec_WAIT_BEGIN *w)
{
	if (w->reason != WAIT_VFORK || w->peer || w->file_kind != FILE_FIFO)
		return false;
	ARRAY_GROW(s->list, s->len, s->cap);
	s->list[s->len++] = (struct shim_spawn){.wait = *w};
	return true;
}

bool shim_spawn_ends(struct shim_spawns *s, const struct rec_WAIT_END *end, bool *ret_told,
	source_emit *emit, void *arg)
{
	for (size_t i = 0; i < s->len; i++) {
		struct rec_WAIT_END r = *end;
		uint32_t child = s->list[i].child;

		if (s->list[i].wait.head.tid != end->head.tid)
			continue;
		s->list[i] = s->list[--s->len];
		*ret_told = child != 0;
		r.head.pid = r.head.tid = child;
		if (child && kill((pid_t)child, 0) == 0)
			emit(arg, &r.head);
		return true;
	}
	return false;
}

static ssize_t read_file(const char *path, char *buf, size_t size)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, buf, size - 1);

	buf[n > 0 ? n : 0] = '\0';
	return n;
}

/* Reads a text of another process; false: it has no end, or may not be read. */
static bool read_text(uint32_t pid, uint64_t addr, char *buf, size_t size)
{
	struct iovec to = {buf, size}, from = {(void *)(uintptr_t)addr, size};
	ssize_t n = process_vm_readv((pid_t)pid, &to, 1, &from, 1, 0);

	return n > 0 && memchr(buf, '\0', (size_t)n);
}

/* Fills in which FIFO a process is blocked in opening; false: it does something else. */
static bool opens_fifo(uint32_t pid, const struct rec_WAIT_BEGIN *call, struct rec_WAIT_BEGIN *ret)
{
	_cleanup_free_ char *path = xasprintf("/proc/%u/syscall", pid), *file = NULL;
	unsigned long long nr, a[3];
	char line[256], name[1024];
	struct stat st;

	ret->syscall = __NR_openat;
	ret->file_kind = FILE_FIFO;
	ret->dev = call->dev;
	ret->inode = call->inode;
	/* Where that is not permitted, the FIFO of the call's file actions is believed. */
	if (read_file(path, line, sizeof line) <= 0)
		return true;
	if (sscanf(line, "%llu %llx %llx %llx", &nr, &a[0], &a[1], &a[2]) != 4 || nr != __NR_openat)
		return false;
	ret->arg0 = a[0];
	ret->arg1 = a[1];
	ret->arg2 = a[2];
	if (!read_text(pid, a[1], name, sizeof name))
		return true;
	file = xasprintf("/proc/%u/%s/%s", pid, name[0] == '/' ? "root" : "cwd", name);
	if (stat(file, &st) < 0 || !S_ISFIFO(st.st_mode))
		return false;
	ret->dev = st.st_dev;
	ret->inode = st.st_ino;
	return true;
}

/* The ends that the child has: none of its own records says so. */
static void tell_ends(uint32_t pid, const struct rec_head *head, source_emit *emit, void *arg)
{
	_cleanup_free_ char *folder = xasprintf("/proc/%u/fd", pid);
	DIR *dir = opendir(folder);

	for (struct dirent *e; dir && (e = readdir(dir));) {
		_cleanup_free_ char *path = xasprintf("%s/%s", folder, e->d_name);
		_cleanup_free_ char *info = xasprintf("/proc/%u/fdinfo/%s", pid, e->d_name);
		struct rec_END_OPEN r = {.head = *head, .via = END_INHERIT};
		char text[512], link[32] = "", *flags;
		struct stat st;

		if (stat(path, &st) < 0 || !S_ISFIFO(st.st_mode) ||
			read_file(info, text, sizeof text) <= 0 ||
			!(flags = strstr(text, "flags:")))
			continue;
		if (readlink(path, link, sizeof link - 1) < 0)
			continue;
		r.head.kind = REC_END_OPEN;
		r.head.size = sizeof r;
		r.kind = strncmp(link, "pipe:", 5) == 0 ? PIPE_PIPE : PIPE_FIFO;
		r.dev = st.st_dev;
		r.inode = st.st_ino;
		r.fd = strtoull(e->d_name, NULL, 10);
		switch (strtoul(flags + 6, NULL, 8) & O_ACCMODE) {
		case O_RDONLY:
			r.mode = END_READ;
			break;
		case O_WRONLY:
			r.mode = END_WRITE;
			break;
		default:
			r.mode = END_READ | END_WRITE;
			break;
		}
		emit(arg, &r.head);
	}
	if (dir)
		(void)closedir(dir);
}

/* Records the child as if it had been reported: made, blocked, waited for. */
static void tell(struct shim_spawn *s, struct rec_WAIT_BEGIN *child, uint64_t ts, source_emit *emit,
	void *arg)
{
	/* CLONE_CLEAR_SIGHAND is by what the kernel, too, tells posix_spawn from other ways. */
	struct rec_FORK f = {.head = s->wait.head, .flags = 0x100000000ull | SIGCHLD};
	struct rec_WAIT_BEGIN parent = s->wait;

	f.head.kind = REC_FORK;
	f.head.size = sizeof f;
	f.head.ts = ts;
	f.child_pid = f.child_tid = f.child_ns_pid = f.child_ns_tid = s->child;
	f.parent_pid = f.head.pid;
	proc_comm(s->child, f.comm);
	child->head = f.head;
	child->head.pid = child->head.tid = s->child;
	tell_ends(s->child, &child->head, emit, arg);
	emit(arg, &f.head);
	child->head.kind = REC_WAIT_BEGIN;
	child->head.size = sizeof *child;
	child->reason = WAIT_FIFO_OPEN;
	child->state = 1;
	child->sigmask = ~0ull; /* the C library blocks all until the program begins */
	emit(arg, &child->head);
	parent.head.ts = ts;
	parent.peer = s->child;
	parent.file_kind = FILE_NONE;
	parent.dev = parent.inode = 0;
	emit(arg, &parent.head);
}

void shim_spawns_poll(struct shim_spawns *spawns, struct shim_known *known, uint64_t ts,
	source_emit *emit, void *arg)
{
	for (size_t i = 0; i < spawns->len; i++) {
		struct shim_spawn *s = &spawns->list[i];
		struct rec_WAIT_BEGIN child = {.head = {0}};
		char text[4096], *next = text;
		_cleanup_free_ char *path = NULL;

		if (s->child)
			continue;
		path = xasprintf("/proc/%u/task/%u/children", s->wait.head.pid, s->wait.head.tid);
		if (read_file(path, text, sizeof text) <= 0)
			continue;
		for (char *end; !s->child; next = end) {
			uint64_t pid = strtoull(next, &end, 10);

			if (end == next)
				break;
			if (shim_knows(known, pid) ||
				!authority_covers(known->authority, (pid_t)pid) ||
				!opens_fifo((uint32_t)pid, &s->wait, &child))
				continue;
			s->child = (uint32_t)pid;
			shim_known_adopt(known, pid);
			tell(s, &child, ts > s->wait.head.ts ? ts : s->wait.head.ts, emit, arg);
		}
	}
}
