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

/* The next lock of a list of lines that begin with a word, from *next on; false: there is none. */
static bool next_lock(char **next, const char *word, struct snap_lock *ret)
{
	char *line;

	while ((line = *next) != NULL && *line) {
		*next = strchr(line, '\n');
		if (*next)
			*(*next)++ = '\0';
		if (!strncmp(line, word, strlen(word)) && parse_lock(line + strlen(word), ret))
			return true;
	}
	return false;
}

/* Reads what the kernel says of a descriptor; false: nothing. */
static bool read_fdinfo(pid_t pid, int fd, char *text, size_t size)
{
	char path[64];

	(void)snprintf(path, sizeof path, "/proc/%d/fdinfo/%d", (int)pid, fd);
	return proc_read(path, text, size) > 0;
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
		char text[4096], *next = text;
		struct snap_lock l;

		if (p->fds[i].inode != wanted->inode || p->fds[i].kind != FILE_REG ||
			!read_fdinfo(p->live, p->fds[i].fd, text, sizeof text))
			continue;
		while (next_lock(&next, "lock:", &l)) {
			l.pid = pid;
			l.fd = p->fds[i].fd;
			add_lock(s, &l);
		}
	}
}

void locks_load(struct snapshot *s)
{
	_cleanup_free_ char *text = NULL;
	struct snap_lock l;
	size_t from_table;
	char *next;

	if (s->has_locks)
		return;
	s->has_locks = true;
	text = xmalloc(LOCKS_TEXT_MAX);
	if (proc_read("/proc/locks", text, LOCKS_TEXT_MAX) <= 0)
		return;
	next = text;
	while (next_lock(&next, "", &l))
		if (!l.is_waiting)
			add_lock(s, &l);
	from_table = s->n_locks;
	for (size_t i = 0; i < from_table; i++) {
		l = s->locks[i];
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

/* Which description asks: fdinfo shows it by the lock that it has in the range already. */
static void read_own(pid_t pid, int fd, const struct snap_lock *wanted, struct rec_WAIT_BEGIN *wait)
{
	char text[4096], *next = text;
	struct snap_lock l;

	if (!read_fdinfo(pid, fd, text, sizeof text))
		return;
	while (next_lock(&next, "lock:", &l)) {
		if (l.is_waiting || l.class != wanted->class ||
			end_of(l.begin, l.len) <= wanted->begin ||
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
	if (whence != SEEK_END)
		return read_fdinfo(pid, fd, text, sizeof text) &&
		       sscanf(text, "pos: %" SCNu64, ret) == 1;
	(void)snprintf(path, sizeof path, "/proc/%d/fd/%d", (int)pid, fd);
	if (stat(path, &st) < 0)
		return false;
	*ret = (uint64_t)st.st_size;
	return true;
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
