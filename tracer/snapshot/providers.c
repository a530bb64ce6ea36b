/* providers.c - who may end a wait: other processes that a snapshot must look at too. */
/* SPDX-License-Identifier: MIT */
#include "tracer/snapshot/private.h"

#include <ctype.h>
#include <dirent.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/mem.h"

static void add_holders(
	struct snapshot *s, uint64_t inode, void (*add)(struct snapshot *s, pid_t pid))
{
	files_holders(s);
	for (size_t i = 0; inode && i < s->n_holders; i++)
		if (s->holders[i].inode == inode)
			add(s, s->holders[i].pid);
}

/* Of an eventfd, or of a POSIX queue, which is a file, too: who else has it. */
static void add_sharers(struct snapshot *s, const struct snap_process *p, uint64_t fd,
	void (*add)(struct snapshot *s, pid_t pid))
{
	files_holders(s);
	for (size_t i = 0; i < s->n_holders; i++) {
		const struct snap_holder *h = &s->holders[i];

		if (h->pid == p->live && h->fd == (int)fd &&
			(h->kind == FILE_EVENTFD || h->kind == FILE_REG)) {
			add_holders(s, h->inode, add);
			return;
		}
	}
}

static bool is_queue_call(uint64_t nr)
{
	return nr == SYS_mq_timedsend || nr == SYS_mq_timedreceive;
}

/* Of a socket: who holds it, its other side, or, while nobody has accepted it, the socket that listens. */
static void add_connected(
	struct snapshot *s, uint64_t inode, void (*add)(struct snapshot *s, pid_t pid))
{
	const struct snap_socket *socket = sockets_find(s, inode), *listener;

	add_holders(s, inode, add);
	if (!socket)
		return;
	add_holders(s, sockets_other(s, socket), add);
	listener = sockets_listener(s, socket);
	if (listener)
		add_holders(s, listener->inode, add);
}

static bool is_connected(uint64_t kind)
{
	return kind == FILE_SOCKETPAIR || kind == FILE_UNIX || kind == FILE_TCP;
}

/* Notes the threads of a process that wait for a FIFO's other side; many are in open for a moment only. */
static void find_openers(struct snapshot *s, pid_t pid)
{
	size_t n_threads = s->n_threads;
	struct snap_process *p = proc_load(s, pid);

	for (size_t i = 0; p && i < p->n_threads; i++) {
		struct snap_thread *t = &p->threads[i];

		if (t->has_run || p->is_kernel || p->is_zombie)
			continue;
		wait_fill(s, p, t);
		if (t->wait.reason != WAIT_FIFO_OPEN)
			continue;
		ARRAY_GROW(s->openers, s->n_openers, s->cap_openers);
		s->openers[s->n_openers++] = (struct snap_opener){.pid = pid,
			.ppid = p->ppid,
			.inode = t->wait.inode,
			.folder_dev = t->folder_dev,
			.folder_inode = t->folder_inode};
	}
	proc_free(p);
	s->n_threads = n_threads;
}

/* Whoever waits to open a FIFO cannot be found by descriptors: looks for those asleep in open, once. */
static void load_openers(struct snapshot *s)
{
	DIR *proc;

	if (s->has_openers)
		return;
	s->has_openers = true;
	proc = opendir("/proc");
	for (pid_t pid; (pid = proc_next(proc));) {
		char path[64], text[256];
		int nr;

		(void)snprintf(path, sizeof path, "/proc/%d/syscall", (int)pid);
		if (proc_read(path, text, sizeof text) <= 0 || !isdigit((unsigned char)text[0]))
			continue;
		nr = atoi(text);
#ifdef SYS_open
		if (nr == SYS_open)
			nr = SYS_openat;
#endif
		if (nr == SYS_openat)
			find_openers(s, pid);
	}
	if (proc)
		(void)closedir(proc);
}

/*
 * Adds those who may come to open the other side: who waits at the same FIFO, or at another one
 * in its folder, or at any if it is a relative; of one that is gone nothing is known but that. Unrelated processes that wait elsewhere have nothing to do with it.
 */
static void add_openers(struct snapshot *s, const struct snap_process *p,
	const struct snap_thread *t, void (*add)(struct snapshot *s, pid_t pid))
{
	load_openers(s);
	for (size_t i = 0; i < s->n_openers; i++) {
		const struct snap_opener *o = &s->openers[i];

		if ((o->inode && o->inode == t->wait.inode) ||
			(o->folder_dev && o->folder_inode == t->folder_inode &&
				o->folder_dev == t->folder_dev) ||
			o->ppid == p->pid || o->pid == p->ppid ||
			(o->ppid > 1 && o->ppid == p->ppid))
			add(s, o->pid);
	}
}

static bool is_zombie(pid_t pid)
{
	char path[64], text[1024];
	const char *at;

	(void)snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	at = proc_read(path, text, sizeof text) > 0 ? strrchr(text, ')') : NULL;
	return at && strlen(at) > 2 && at[2] == 'Z';
}

/*
 * The owner of a mutex that threads of other processes can have taken: in shared memory one that has ended and
 * that nobody has waited for yet (the living ones map it), in copied memory one of the parent.
 */
static void add_owner(struct snapshot *s, const struct snap_process *p, const struct snap_thread *t,
	void (*add)(struct snapshot *s, pid_t pid))
{
	pid_t owner = (pid_t)mutex_owner(p, t);

	if (owner && (t->wait.dev ? is_zombie(owner) : proc_leader(owner) == p->ppid))
		add(s, t->wait.dev ? owner : p->ppid);
}

void wait_providers(struct snapshot *s, struct snap_process *p, struct snap_thread *t,
	void (*add)(struct snapshot *s, pid_t pid))
{
	const struct rec_WAIT_BEGIN *w = &t->wait;

	if (!t->has_run && w->reason == WAIT_FAULT && w->peer)
		add(s, (pid_t)w->peer);
	if (t->has_run || w->syscall == (uint64_t)-1)
		return;
	if (w->reason == WAIT_FIFO_OPEN) {
		add_openers(s, p, t, add);
		if (w->inode)
			add_holders(s, w->inode, add);
	} else if (w->file_kind == FILE_PIPE || w->file_kind == FILE_FIFO) {
		add_holders(s, w->inode, add);
	} else if (is_connected(w->file_kind)) {
		add_connected(s, w->inode, add);
	} else if (w->file_kind == FILE_LISTEN && w->syscall == SYS_connect) {
		add_holders(s, w->inode, add);
	} else if (w->file_kind == FILE_PIDFD) {
		add(s, (pid_t)w->peer);
	} else if (w->file_kind == FILE_EVENTFD || is_queue_call(w->syscall)) {
		add_sharers(s, p, w->arg0, add);
	} else if (w->syscall == SYS_futex) {
		add_owner(s, p, t, add);
	} else if (w->file_kind == FILE_REG && (t->nr == SYS_flock || t->nr == SYS_fcntl)) {
		add_holders(s, w->inode, add);
	}
	for (size_t i = 0; i < t->n_poll; i++) {
		const struct rec_poll_item *item = &t->poll[i];

		if (item->file_kind == FILE_PIPE || item->file_kind == FILE_FIFO) {
			add_holders(s, item->inode, add);
		} else if (is_connected(item->file_kind)) {
			add_connected(s, item->inode, add);
		} else if (item->file_kind == FILE_PIDFD) {
			add(s, (pid_t)item->peer);
		} else if (item->file_kind == FILE_EVENTFD) {
			add_sharers(s, p, item->fd, add);
		}
	}
}
