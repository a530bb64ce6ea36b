/* wait.c - what a blocked thread waits for, from its system call. */
/* SPDX-License-Identifier: MIT */
#include "schema/compat.h"
#include "tracer/snapshot/kernel/waits.h"
#include "tracer/snapshot/private.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <linux/futex.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "schema/calls.h"

enum {
	WORDS_BEFORE = 12, /* bytes before a futex's address in WAIT_BEGIN.words */
	STATE_INTERRUPTIBLE = 1,
	STATE_UNINTERRUPTIBLE = 2,
	STATE_STOPPED = 4,
	STATE_TRACED = 8,
	MAX_SELECT = 1024
};

/*
 * A socket may have been told how long its calls wait at most (SO_RCVTIMEO, SO_SNDTIMEO, TCP_USER_TIMEOUT): asked of a copy
 * of the descriptor. If it cannot be duplicated (seccomp refuses pidfd_getfd), assume a timeout is set.
 */
static bool is_limited(const struct snap_process *p, const struct snap_thread *t, int fd)
{
	_cleanup_close_ int pidfd = (int)syscall(SYS_pidfd_open, p->pid, 0);
	_cleanup_close_ int copy = pidfd < 0 ? -1 : (int)syscall(SYS_pidfd_getfd, pidfd, fd, 0);
	bool sends = call_waits(t->nr)->family == FAMILY_WRITE || t->nr == SYS_connect;
	struct timeval limit = {0, 0};
	socklen_t len = sizeof limit;
	unsigned ms = 0;
	socklen_t ms_len = sizeof ms;

	if (copy >= 0 && sends &&
		getsockopt(copy, IPPROTO_TCP, TCP_USER_TIMEOUT, &ms, &ms_len) == 0 && ms)
		return true;
	return copy < 0 ||
	       getsockopt(copy, SOL_SOCKET, sends ? SO_SNDTIMEO : SO_RCVTIMEO, &limit, &len) != 0 ||
	       limit.tv_sec || limit.tv_usec;
}

/* A terminal whose other side is known counts as a pipe of two sides. */
static struct snap_fd end_of(struct snapshot *s, const struct snap_fd *f)
{
	struct snap_fd end = *f;

	if (f->kind != FILE_TTY || !terminals_is_known(s, f->inode))
		return end;
	end.kind = FILE_PTY;
	end.dev = TERMINALS_DEV;
	end.inode2 = terminal_other(f->inode);
	return end;
}

static void set_file(struct snapshot *s, struct snap_process *p, struct snap_thread *t, int fd)
{
	const struct snap_fd *found = files_find(p, fd), *f;
	struct snap_fd end;

	if (!found)
		return;
	end = end_of(s, found);
	f = &end;
	t->wait.file_kind = f->kind;
	t->wait.dev = f->dev;
	t->wait.inode = f->inode;
	t->wait.peer =
		f->kind == FILE_PIDFD || f->kind == FILE_SOCKET ? (uint64_t)f->peer : f->inode2;
	t->wait.timed = f->kind >= FILE_SOCKETPAIR && f->kind <= FILE_TCP && is_limited(p, t, fd);
}

static void add_poll(
	struct snapshot *s, struct snap_process *p, struct snap_thread *t, int fd, unsigned events)
{
	const struct snap_fd *f = files_find(p, fd);
	struct snap_fd end;

	if (fd < 0 || t->n_poll == SNAP_MAX_POLL)
		return;
	if (f) {
		end = end_of(s, f);
		f = &end;
	}
	if (!t->poll)
		t->poll = xcalloc(SNAP_MAX_POLL, sizeof *t->poll);
	t->poll[t->n_poll++] = (struct rec_poll_item){.fd = (uint32_t)fd,
		.events = (uint16_t)events,
		.file_kind = (uint16_t)(f ? f->kind : FILE_OTHER),
		.dev = f ? (uint32_t)f->dev : 0,
		.peer = f ? (uint32_t)f->peer : 0,
		.inode = f ? f->inode : 0,
		.inode2 = f ? f->inode2 : 0};
}

static void fill_pollfds(struct snapshot *s, struct snap_process *p, struct snap_thread *t)
{
	struct pollfd set[SNAP_MAX_POLL];
	size_t n = t->args[1] < SNAP_MAX_POLL ? t->args[1] : SNAP_MAX_POLL;

	if (n == 0 || !proc_memory(p, t->args[0], set, n * sizeof *set))
		return;
	for (size_t i = 0; i < n; i++)
		add_poll(s, p, t, set[i].fd, (unsigned short)set[i].events);
}

static void fill_select(struct snapshot *s, struct snap_process *p, struct snap_thread *t)
{
	static const unsigned events[3] = {POLLIN, POLLOUT, POLLPRI};
	int n = (int)t->args[0];

	if (n > MAX_SELECT)
		n = MAX_SELECT;
	for (unsigned k = 0; k < 3; k++) {
		unsigned char bits[MAX_SELECT / 8];
		size_t bytes = (size_t)(n + 7) / 8;

		if (n <= 0 || !t->args[1 + k] || !proc_memory(p, t->args[1 + k], bits, bytes))
			continue;
		for (int fd = 0; fd < n; fd++)
			if (bits[fd / 8] & 1u << fd % 8)
				add_poll(s, p, t, fd, events[k]);
	}
}

/* The set of an epoll is in its fdinfo: "tfd:        5 events:       19 data: ...". Sets within sets are opened up. */
static void fill_epoll(
	struct snapshot *s, struct snap_process *p, struct snap_thread *t, int epfd, int depth)
{
	char path[64], *line;
	_cleanup_free_ char *text = xmalloc(256 * 1024);

	(void)snprintf(path, sizeof path, "/proc/%d/fdinfo/%d", (int)p->live, epfd);
	if (proc_read(path, text, 256 * 1024) <= 0)
		return;
	for (line = strstr(text, "tfd:"); line; line = strstr(line + 4, "tfd:")) {
		const struct snap_fd *f;
		unsigned events;
		int fd;

		if (sscanf(line, "tfd: %d events: %x", &fd, &events) != 2)
			continue;
		f = files_find(p, fd);
		if (f && f->kind == FILE_EPOLL && depth < 4 && fd != epfd)
			fill_epoll(s, p, t, fd, depth + 1);
		else
			add_poll(s, p, t, fd, events & 0xffff);
	}
}

static void fill_futex(struct snapshot *s, struct snap_process *p, struct snap_thread *t)
{
	unsigned op = (unsigned)t->args[1];
	uint64_t addr = t->args[0];

	t->wait.timed = (op & FUTEX_CMD_MASK) != FUTEX_WAKE && t->args[3] != 0;
	/* Where nothing is mapped below the object, its own words are enough; what is not there stays 0. */
	if (proc_memory(p, addr - WORDS_BEFORE, t->wait.words, sizeof t->wait.words) ||
		proc_memory(
			p, addr, t->wait.words + WORDS_BEFORE, sizeof t->wait.words - WORDS_BEFORE))
		t->wait.words_valid = sizeof t->wait.words;
	if (!(op & FUTEX_PRIVATE_FLAG))
		maps_shared(s, p, t);
}

/* An open call that blocks is that of a FIFO, or of a device or network file. */
static void fill_open(struct snap_process *p, struct snap_thread *t, uint64_t name, int dirfd)
{
	char text[1024], *path = NULL;
	struct stat st;
	size_t len = 0;

	while (len + 1 < sizeof text && proc_memory(p, name + len, &text[len], 1) && text[len])
		len++;
	text[len] = '\0';
	if (!len)
		return;
	if (text[0] == '/')
		path = xasprintf("/proc/%d/root%s", (int)p->live, text);
	else if (dirfd == AT_FDCWD)
		path = xasprintf("/proc/%d/cwd/%s", (int)p->live, text);
	else
		path = xasprintf("/proc/%d/fd/%d/%s", (int)p->live, dirfd, text);
	if (stat(path, &st) == 0) {
		t->wait.dev = st.st_dev;
		t->wait.inode = st.st_ino;
		if (S_ISFIFO(st.st_mode)) {
			t->wait.file_kind = FILE_FIFO;
			t->wait.reason = WAIT_FIFO_OPEN;
			t->words = xstrdup(text);
			*(strrchr(path, '/') + 1) = '\0';
			/* Files that are both in /tmp need not be related. */
			if (stat(path, &st) == 0 && !(st.st_mode & S_ISVTX)) {
				t->folder_dev = st.st_dev;
				t->folder_inode = st.st_ino;
			}
		} else {
			t->wait.file_kind = S_ISREG(st.st_mode) ? FILE_REG : FILE_OTHER;
			file_wait_open(p, t);
		}
	} else if (errno == ENOENT && file_opens_fifo(p, t)) {
		t->wait.file_kind = FILE_FIFO;
		t->wait.reason = WAIT_FIFO_OPEN;
		t->words = xstrdup(text);
	}
	free(path);
}

/* The youngest child that a thread asleep in vfork (or posix_spawn) may have made. */
static void fill_vfork(struct snapshot *s, struct snap_process *p, struct snap_thread *t)
{
	uint64_t youngest = 0;

	for (size_t i = 0; i < s->n_processes; i++) {
		const struct snap_process *c = s->processes[i];

		if (c->ppid == p->pid && c->start_ts >= youngest && !c->is_zombie) {
			youngest = c->start_ts;
			t->wait.peer = (uint64_t)c->pid;
		}
	}
	t->wait.reason = WAIT_VFORK;
}

/* Which file the call blocks on, where a descriptor says so. */
static void fill_by_fd(struct snapshot *s, struct snap_process *p, struct snap_thread *t)
{
	const struct call_waits *c = call_waits(t->nr);

	if (!c->has_fd)
		return;
	set_file(s, p, t, (int)t->args[c->fd]);
	/* splice between a pipe and a file: the pipe is what blocks. */
	if (c->family == FAMILY_SPLICE && t->wait.file_kind != FILE_PIPE &&
		t->wait.file_kind != FILE_FIFO)
		set_file(s, p, t, (int)t->args[t->nr == SYS_splice ? 2 : 1]);
}

static void fill_open_call(struct snap_process *p, struct snap_thread *t)
{
	bool is_at = t->nr == SYS_openat;

#ifdef SYS_openat2
	is_at = is_at || t->nr == SYS_openat2;
#endif
	fill_open(p, t, t->args[is_at], is_at ? (int)t->args[0] : AT_FDCWD);
}

static void fill_child(struct snapshot *s, struct snap_process *p, struct snap_thread *t)
{
	if (t->nr == SYS_wait4)
		t->wait.peer = (int)t->args[0] > 0 ? (uint64_t)(int)t->args[0] : 0;
	else if (t->args[0] == P_PID)
		t->wait.peer = t->args[1];
	else if (t->args[0] == P_PIDFD)
		set_file(s, p, t, (int)t->args[1]);
}

/* connect to a Unix socket blocks where the queue of the one that listens is full. */
static void fill_connect(struct snapshot *s, struct snap_process *p, struct snap_thread *t)
{
	char address[110] = "";
	size_t len = t->args[2] < sizeof address ? (size_t)t->args[2] : sizeof address;
	const struct snap_socket *listener;

	if (!proc_memory(p, t->args[1], address, len) || is_limited(p, t, (int)t->args[0]))
		return;
	listener = sockets_at(s, p->live, address, len);
	if (!listener)
		return;
	t->wait.file_kind = FILE_LISTEN;
	t->wait.inode = listener->inode;
	/* All sockets lie on one device: that of the one that connects. */
	t->wait.dev = files_find(p, (int)t->args[0]) ? files_find(p, (int)t->args[0])->dev : 0;
}

/* The signals that sigwait awaits. */
static void fill_awaited(struct snap_process *p, struct snap_thread *t)
{
	const size_t len = sizeof(uint64_t);

	if (t->nr == SYS_rt_sigtimedwait && proc_memory(p, t->args[0], t->wait.words, len))
		t->wait.words_valid = len;
}

/* What the call says beside its descriptor and its timeout. */
static void fill_by_family(struct snapshot *s, struct snap_process *p, struct snap_thread *t)
{
	switch (call_waits(t->nr)->family) {
	case FAMILY_FCNTL:
		if (t->args[1] != F_SETLKW && t->args[1] != F_OFD_SETLKW)
			break;
		t->wait.reason = WAIT_FILE_LOCK;
		break;
	case FAMILY_FILE_LOCK:
		t->wait.reason = WAIT_FILE_LOCK;
		break;
	case FAMILY_POLL:
		fill_pollfds(s, p, t);
		break;
	case FAMILY_SELECT:
		fill_select(s, p, t);
		break;
	case FAMILY_EPOLL:
		fill_epoll(s, p, t, (int)t->args[0], 0);
		break;
	case FAMILY_URING:
		uring_wait(p, t);
		break;
	case FAMILY_IPC:
		t->wait.peer = ipc_is_private(p->live, t->nr, t->args[0]);
		break;
	case FAMILY_FUTEX:
		fill_futex(s, p, t);
		break;
	case FAMILY_OPEN:
		fill_open_call(p, t);
		break;
	case FAMILY_FORK:
		fill_vfork(s, p, t);
		break;
	case FAMILY_CHILD:
		fill_child(s, p, t);
		break;
	case FAMILY_SOCKET:
		if (t->nr == SYS_connect)
			fill_connect(s, p, t);
		break;
	case FAMILY_SIGNAL:
		fill_awaited(p, t);
		break;
	case FAMILY_READ:
	case FAMILY_WRITE:
	case FAMILY_SPLICE:
	case FAMILY_VMSPLICE:
	case FAMILY_SLEEP:
	case FAMILY_FILE:
	case FAMILY_OTHER:
		break;
	}
}

/*
 * Says whether a thread that was stopped inside a futex wait goes back to waiting when it is
 * continued: it does so if the word is still what it waits to see changed. Whether the wait was
 * cut short by the stop or had ended just before makes no difference, since
 * the library looks at the word again before it goes on. No other call reveals so much: a read may have got its bytes already.
 */
bool wait_stands(const struct snap_process *p, const struct snap_thread *t)
{
	uint32_t word;

	if (!t->has_syscall || p->is_compat || t->nr != SYS_futex ||
		!proc_memory(p, t->args[0], &word, sizeof word))
		return false;
	switch ((unsigned)t->args[1] & FUTEX_CMD_MASK) {
	case FUTEX_WAIT:
	case FUTEX_WAIT_BITSET:
		return word == (uint32_t)t->args[2];
	case FUTEX_LOCK_PI:
	case FUTEX_LOCK_PI2:
		return (word & FUTEX_TID_MASK) != 0;
	default:
		return false;
	}
}

/* The process that traces a thread with ptrace; 0: none does, or it is not known. */
static uint64_t tracer_of(const struct snap_process *p, const struct snap_thread *t)
{
	static const char word[] = "TracerPid:";
	char path[64], line[256];
	uint64_t pid = 0;
	FILE *f;

	(void)snprintf(path, sizeof path, "/proc/%d/task/%d/status", (int)p->pid, (int)t->tid);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof line, f))
		if (!strncmp(line, word, sizeof word - 1))
			pid = strtoull(line + sizeof word - 1, NULL, 10);
	if (f)
		(void)fclose(f);
	return pid;
}

/* Which pipe a stopped thread was reading or writing is reported, though it may have got what it wants by now. */
static void fill_stopped(struct snapshot *s, struct snap_process *p, struct snap_thread *t)
{
	struct rec_WAIT_BEGIN *w = &t->wait;

	if (t->has_syscall && !p->is_compat)
		fill_by_fd(s, p, t);
	if (file_is_end(w->file_kind) && w->file_kind != FILE_LISTEN) {
		memcpy(&w->arg0, t->args, sizeof t->args);
	} else {
		w->file_kind = w->inode = w->dev = w->peer = 0;
		w->syscall = (uint64_t)-1;
	}
	w->timed = false;
	w->reason = WAIT_STOPPED;
	w->words_valid = 0;
	w->offset = t->state == 't' ? tracer_of(p, t) : 0;
}

void wait_fill(struct snapshot *s, struct snap_process *p, struct snap_thread *t)
{
	struct rec_WAIT_BEGIN *w = &t->wait;

	memset(w, 0, sizeof *w);
	t->n_poll = 0;
	t->keeps_looking = false;
	free(t->words);
	t->words = NULL;
	if (t->has_syscall && t->nr == SYS_restart_syscall && !p->is_compat)
		t->nr = calls_restarted(s, p, t);
	w->syscall = (uint64_t)(t->has_syscall && !p->is_compat ? t->nr : -1);
	w->sigmask = t->sigblk;
	w->ip = t->pc;
	w->sp = t->sp;
	w->state = t->state == 'D' ? STATE_UNINTERRUPTIBLE : STATE_INTERRUPTIBLE;
	if (t->state == 'T' || t->state == 't') {
		w->state = t->state == 'T' ? STATE_STOPPED : STATE_TRACED;
		if (!wait_stands(p, t)) {
			fill_stopped(s, p, t);
			return;
		}
	}
	if (!t->has_syscall || t->nr < 0 || p->is_compat) {
		w->reason = fault_wait(p, t) ? WAIT_FAULT : WAIT_OTHER;
		w->syscall = (uint64_t)-1;
		return;
	}
	memcpy(&w->arg0, t->args, sizeof t->args);
	fill_by_fd(s, p, t);
	w->timed |= call_is_limited(t->nr, t->args);
	fill_by_family(s, p, t);
}
