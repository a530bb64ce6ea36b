/* locks.c - file locks of the machine, and who really holds them. */
/* SPDX-License-Identifier: MIT */
#include "tracer/snapshot/private.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>

#include "base/mem.h"

enum { LOCKS_TEXT_MAX = 4 * 1024 * 1024 };

static bool parse_lock(const char *line, struct snap_lock *l)
{
	char class[16], advice[16], mode[16], end[32];
	unsigned major_nr, minor_nr;
	const char *p = strchr(line, ':');
	int pid;

	if (!p)
		return false;
	p += 1 + strspn(p + 1, " ");
	l->is_waiting = !strncmp(p, "->", 2);
	if (l->is_waiting)
		p += 2;
	if (sscanf(p, "%15s %15s %15s %d %x:%x:%" SCNu64 " %" SCNu64 " %31s", class, advice, mode,
		    &pid, &major_nr, &minor_nr, &l->inode, &l->begin, end) != 9)
		return false;
	if (!strcmp(class, "FLOCK"))
		l->class = FLOCK_FLOCK;
	else if (!strcmp(class, "POSIX"))
		l->class = FLOCK_POSIX;
	else if (!strcmp(class, "OFDLCK"))
		l->class = FLOCK_OFD;
	else
		return false; /* leases and delegations block nobody forever */
	l->mode = !strcmp(mode, "WRITE") ? LOCK_MODE_X : LOCK_MODE_S;
	l->pid = pid;
	l->dev = makedev(major_nr, minor_nr);
	l->len = strcmp(end, "EOF") ? strtoull(end, NULL, 10) - l->begin + 1 : 0;
	l->fd = -1;
	return true;
}

static void add_lock(struct snapshot *s, const struct snap_lock *l)
{
	for (size_t i = 0; i < s->n_locks; i++) {
		struct snap_lock *o = &s->locks[i];

		if (o->class == l->class && o->pid == l->pid && o->inode == l->inode &&
			o->dev == l->dev && o->begin == l->begin && o->len == l->len &&
			o->mode == l->mode) {
			if (o->fd < 0)
				o->fd = l->fd;
			return;
		}
	}
	ARRAY_GROW(s->locks, s->n_locks, s->cap_locks);
	s->locks[s->n_locks++] = *l;
}

/*
 * An exclusive lock has one open file description, whoever shares it; of a
 * shared one each process counts for itself.
 */
uint64_t locks_file(const struct snap_lock *l)
{
	return hash_mix(l->class, l->inode,
		hash_mix(l->begin, l->len, l->mode == LOCK_MODE_X ? 0 : (uint64_t)l->pid));
}

/*
 * A lock of an open file description belongs to every process that has the
 * description, and the pid in /proc/locks may be long gone: the fdinfo of the
 * descriptors themselves tells.
 */
static void add_from_fdinfo(struct snapshot *s, pid_t pid, const struct snap_lock *wanted)
{
	struct snap_process *p = hash_get(&s->by_pid, (uint64_t)pid);

	for (size_t i = 0; p && i < p->n_fds; i++) {
		char path[64], text[4096], *line, *next = text;

		if (p->fds[i].inode != wanted->inode || p->fds[i].kind != FILE_REG)
			continue;
		(void)snprintf(path, sizeof path, "/proc/%d/fdinfo/%d", (int)p->live, p->fds[i].fd);
		if (proc_read(path, text, sizeof text) <= 0)
			continue;
		while ((line = next) != NULL && *line) {
			struct snap_lock l;

			next = strchr(line, '\n');
			if (next)
				*next++ = '\0';
			if (strncmp(line, "lock:", 5) != 0 || !parse_lock(line + 5, &l))
				continue;
			l.pid = pid;
			l.fd = p->fds[i].fd;
			add_lock(s, &l);
		}
	}
}

void locks_load(struct snapshot *s)
{
	_cleanup_free_ char *text = NULL;
	char *line, *next;
	size_t from_table;

	if (s->has_locks)
		return;
	s->has_locks = true;
	text = xmalloc(LOCKS_TEXT_MAX);
	if (proc_read("/proc/locks", text, LOCKS_TEXT_MAX) <= 0)
		return;
	next = text;
	while ((line = next) != NULL && *line) {
		struct snap_lock l;

		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		if (parse_lock(line, &l) && !l.is_waiting)
			add_lock(s, &l);
	}
	from_table = s->n_locks;
	for (size_t i = 0; i < from_table; i++) {
		struct snap_lock l = s->locks[i];

		if (l.class == FLOCK_POSIX)
			continue;
		for (size_t k = 0; k < s->n_processes; k++)
			add_from_fdinfo(s, s->processes[k]->pid, &l);
	}
}

/* The end of a range, as /proc/locks has it: 0 stands for that of the file. */
static uint64_t end_of(uint64_t begin, uint64_t len)
{
	return len ? begin + len : UINT64_MAX;
}

/* Where the file of a descriptor is read from next, and the lock that its description has in a range; as fdinfo says. */
static void read_own(pid_t pid, int fd, struct snap_lock *wanted, struct rec_WAIT_BEGIN *wait)
{
	char path[64], text[4096], *line, *next = text;

	(void)snprintf(path, sizeof path, "/proc/%d/fdinfo/%d", (int)pid, fd);
	if (proc_read(path, text, sizeof text) <= 0)
		return;
	while ((line = next) != NULL && *line) {
		struct snap_lock l;

		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		if (strncmp(line, "lock:", 5) != 0 || !parse_lock(line + 5, &l) || l.is_waiting ||
			l.class != wanted->class || end_of(l.begin, l.len) <= wanted->begin ||
			end_of(wanted->begin, wanted->len) <= l.begin)
			continue;
		l.pid = wanted->pid;
		wait->peer = locks_file(&l);
		return;
	}
}

/* What l_start counts from: the position of the descriptor, or the end of its file. */
static bool base_of(pid_t pid, int fd, int whence, uint64_t *ret)
{
	char path[64], text[4096];
	struct stat st;

	*ret = 0;
	if (whence == SEEK_SET)
		return true;
	(void)snprintf(path, sizeof path, "/proc/%d/%s/%d", (int)pid,
		whence == SEEK_END ? "fd" : "fdinfo", fd);
	if (whence == SEEK_END) {
		if (stat(path, &st) < 0)
			return false;
		*ret = (uint64_t)st.st_size;
		return true;
	}
	return proc_read(path, text, sizeof text) > 0 && sscanf(text, "pos: %" SCNu64, ret) == 1;
}

void locks_wanted(const struct snap_process *p, struct snap_thread *t)
{
	struct snap_lock wanted = {.pid = p->pid, .class = FLOCK_FLOCK};
	int fd = (int)t->args[0];
	struct flock fl;
	uint64_t base;

	if (!p->live)
		return;
	if (t->nr == SYS_fcntl) {
		if (p->is_compat || !proc_memory(p, t->args[2], &fl, sizeof fl) ||
			!base_of(p->live, fd, fl.l_whence, &base))
			return;
		memcpy(t->wait.words, &fl, sizeof fl);
		t->wait.words_valid = sizeof fl;
		t->wait.offset = base;
		wanted.class = t->args[1] == F_OFD_SETLKW ? FLOCK_OFD : FLOCK_POSIX;
		wanted.begin = base + (uint64_t)fl.l_start;
		wanted.len = (uint64_t)fl.l_len;
	}
	if (wanted.class != FLOCK_POSIX)
		read_own(p->live, fd, &wanted, &t->wait);
}
