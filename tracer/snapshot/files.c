/* files.c - what the descriptors of processes are, and who holds the same things. */
/* SPDX-License-Identifier: MIT */
#include "tracer/snapshot/private.h"
#include "tracer/snapshot/snapshot.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/mem.h"

enum {
	MAJOR_TTY = 4, /* console and serial lines, the controlling terminal, pseudo-terminals */
	MAJOR_TTYAUX = 5,
	MAJOR_PTS_FIRST = 136,
	MAJOR_PTS_LAST = 143,
	FILES_MAX = 1000 * 1000 /* descriptors of one process */
};

static bool is_tty(dev_t rdev)
{
	unsigned n = major(rdev);

	return n == MAJOR_TTY || n == MAJOR_TTYAUX || (n >= MAJOR_PTS_FIRST && n <= MAJOR_PTS_LAST);
}

static enum file_kind kind_of_anon(const char *link)
{
	static const struct {
		const char *text;
		enum file_kind kind;
	} names[] = {{"[eventfd]", FILE_EVENTFD}, {"[eventpoll]", FILE_EPOLL},
		{"[timerfd]", FILE_TIMERFD}, {"[signalfd]", FILE_SIGNALFD}, {"[pidfd]", FILE_PIDFD},
		{"inotify", FILE_INOTIFY}, {"[fanotify]", FILE_INOTIFY},
		{"[io_uring]", FILE_URING}};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strstr(link, names[i].text))
			return names[i].kind;
	return FILE_OTHER;
}

/* Some file systems count no names at all: what the link says must agree. */
static bool is_unnamed(const struct stat *st, const char *link)
{
	static const char gone[] = " (deleted)";
	size_t len = strlen(link), n = sizeof gone - 1;

	return !st->st_nlink && len > n && !strcmp(link + len - n, gone);
}

bool snapshot_is_unnamed_fifo(pid_t pid, int fd)
{
	char path[64], link[4096];
	struct stat st;
	ssize_t n;

	(void)snprintf(path, sizeof path, "/proc/%d/fd/%d", (int)pid, fd);
	n = readlink(path, link, sizeof link - 1);
	if (n <= 0 || stat(path, &st) < 0)
		return false;
	link[n] = '\0';
	return S_ISFIFO(st.st_mode) && is_unnamed(&st, link);
}

static void kind_of_path(int dirfd, const char *name, const char *link, struct snap_fd *f)
{
	struct stat st;

	/* Follows the link to the open file itself, without opening it. */
	if (fstatat(dirfd, name, &st, 0) != 0) {
		f->kind = FILE_OTHER;
		return;
	}
	f->dev = st.st_dev;
	f->inode = st.st_ino;
	if (S_ISFIFO(st.st_mode))
		f->kind = FILE_FIFO;
	else if (S_ISREG(st.st_mode))
		f->kind = FILE_REG;
	else if (S_ISDIR(st.st_mode))
		f->kind = FILE_DIR;
	else if (S_ISCHR(st.st_mode))
		f->kind = is_tty(st.st_rdev) ? FILE_TTY : FILE_CHR;
	else
		f->kind = FILE_OTHER;
	if (f->kind == FILE_TTY)
		f->inode = terminal_key(dirfd, name, st.st_rdev);
	f->is_unnamed = f->kind == FILE_FIFO && is_unnamed(&st, link);
}

/* Classifies what the link of a descriptor in /proc says, e.g. "pipe:[4711]". */
static void classify(int dirfd, const char *name, const char *link, struct snap_fd *f)
{
	struct stat st;

	if (!strncmp(link, "pipe:[", 6)) {
		f->kind = FILE_PIPE;
		f->inode = strtoull(link + 6, NULL, 10);
		if (fstatat(dirfd, name, &st, 0) == 0)
			f->dev = st.st_dev;
	} else if (!strncmp(link, "socket:[", 8)) {
		f->kind = FILE_SOCKET;
		f->inode = strtoull(link + 8, NULL, 10);
		if (fstatat(dirfd, name, &st, 0) == 0)
			f->dev = st.st_dev;
	} else if (!strncmp(link, "anon_inode:", 11) || !strncmp(link, "pidfd:", 6)) {
		f->kind = strncmp(link, "pidfd:", 6) ? kind_of_anon(link) : FILE_PIDFD;
	} else if (link[0] == '/') {
		kind_of_path(dirfd, name, link, f);
	} else {
		f->kind = FILE_OTHER;
	}
}

static unsigned mode_of(int dirfd, const char *name)
{
	struct stat st;

	/* The permission bits of the link itself say how the file was opened. */
	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return END_READ | END_WRITE;
	return (st.st_mode & S_IRUSR ? END_READ : 0) | (st.st_mode & S_IWUSR ? END_WRITE : 0);
}

/* Reads what only fdinfo knows: close-on-exec, the process that a pidfd stands for, the signals that a signalfd takes. */
static void read_fdinfo(const struct snap_process *p, struct snap_fd *f)
{
	char path[64], text[2048];
	const char *at;

	(void)snprintf(path, sizeof path, "/proc/%d/fdinfo/%d", (int)p->live, f->fd);
	if (proc_read(path, text, sizeof text) <= 0)
		return;
	at = strstr(text, "flags:");
	f->is_cloexec = at && (strtoull(at + 6, NULL, 8) & O_CLOEXEC);
	at = f->kind == FILE_PIDFD ? strstr(text, "Pid:") : NULL;
	f->peer = at ? (pid_t)strtol(at + 4, NULL, 10) : 0;
	at = f->kind == FILE_SIGNALFD ? strstr(text, "sigmask:") : NULL;
	if (at)
		f->inode = strtoull(at + 8, NULL, 16);
}

static void load_fd(struct snapshot *s, struct snap_process *p, int dirfd, const char *name)
{
	struct snap_fd f = {.fd = atoi(name)};
	char link[4096];
	ssize_t n = readlinkat(dirfd, name, link, sizeof link - 1);

	if (n <= 0 || p->n_fds >= FILES_MAX)
		return;
	link[n] = '\0';
	classify(dirfd, name, link, &f);
	f.mode = mode_of(dirfd, name);
	if (f.kind == FILE_SOCKET) {
		sockets_load(s, p->live);
		sockets_classify(s, &f);
	}
	if (file_is_end(f.kind) || f.kind == FILE_PIDFD || f.kind == FILE_SIGNALFD)
		read_fdinfo(p, &f);
	if (link[0] == '/')
		f.path = xstrdup(link);
	ARRAY_GROW(p->fds, p->n_fds, p->cap_fds);
	p->fds[p->n_fds++] = f;
}

static int fd_compare(const void *a, const void *b)
{
	return ((const struct snap_fd *)a)->fd - ((const struct snap_fd *)b)->fd;
}

void files_load(struct snapshot *s, struct snap_process *p)
{
	char path[64];
	struct dirent *e;
	DIR *d;

	(void)snprintf(path, sizeof path, "/proc/%d/fd", (int)p->live);
	d = opendir(path);
	if (!d)
		return;
	p->has_fds = true;
	while ((e = readdir(d)) != NULL)
		if (isdigit((unsigned char)e->d_name[0]))
			load_fd(s, p, dirfd(d), e->d_name);
	(void)closedir(d);
	if (p->n_fds)
		qsort(p->fds, p->n_fds, sizeof *p->fds, fd_compare);
}

const struct snap_fd *files_find(const struct snap_process *p, int fd)
{
	struct snap_fd key = {.fd = fd};

	return p->n_fds ? bsearch(&key, p->fds, p->n_fds, sizeof *p->fds, fd_compare) : NULL;
}

/* What no two eventfds have in common, nor one with a file; 0: not known. */
static uint64_t eventfd_key(pid_t pid, int fd)
{
	char path[64], text[2048];
	const char *at;

	(void)snprintf(path, sizeof path, "/proc/%d/fdinfo/%d", (int)pid, fd);
	at = proc_read(path, text, sizeof text) > 0 ? strstr(text, "eventfd-id:") : NULL;
	return at ? UINT64_C(1) << 63 | strtoull(at + 11, NULL, 10) : 0;
}

static void add_holders(struct snapshot *s, pid_t pid, DIR *d)
{
	struct dirent *e;
	char link[4096];

	while ((e = readdir(d)) != NULL) {
		struct snap_fd f = {.fd = -1};
		ssize_t n;

		if (!isdigit((unsigned char)e->d_name[0]))
			continue;
		n = readlinkat(dirfd(d), e->d_name, link, sizeof link - 1);
		if (n <= 0)
			continue;
		link[n] = '\0';
		classify(dirfd(d), e->d_name, link, &f);
		if (f.kind != FILE_PIPE && f.kind != FILE_FIFO && f.kind != FILE_SOCKET &&
			f.kind != FILE_REG && f.kind != FILE_TTY && f.kind != FILE_EVENTFD)
			continue;
		if (f.kind == FILE_EVENTFD)
			f.inode = eventfd_key(pid, atoi(e->d_name));
		ARRAY_GROW(s->holders, s->n_holders, s->cap_holders);
		s->holders[s->n_holders++] = (struct snap_holder){.pid = pid,
			.fd = atoi(e->d_name),
			.mode = f.kind == FILE_REG ? 0 : mode_of(dirfd(d), e->d_name),
			.kind = f.kind,
			.dev = f.dev,
			.inode = f.inode};
	}
}

void files_holders(struct snapshot *s)
{
	DIR *proc;

	if (s->has_holders)
		return;
	s->has_holders = true;
	proc = opendir("/proc");
	/* pptrace too may hold an end: of a pipe from the program that it is asked about. */
	for (pid_t pid; (pid = proc_next(proc));) {
		char path[64];
		DIR *d;

		(void)snprintf(path, sizeof path, "/proc/%d/fd", (int)pid);
		d = opendir(path);
		if (!d)
			continue;
		add_holders(s, pid, d);
		(void)closedir(d);
	}
	if (proc)
		(void)closedir(proc);
}
