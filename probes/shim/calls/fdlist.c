/* fdlist.c - which descriptors there are, and which of them are pipes. */
/* SPDX-License-Identifier: MIT */
#include "probes/shim/calls/fdlist.h"

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "probes/shim/shim.h"
#include "probes/shim/options.h"
#include "probes/shim/sys.h"

/*
 * Nothing is remembered about descriptors: raw system calls and the C
 * library's own would make it wrong. A look costs 0.1 us.
 */

/* An unnamed local socket that is connected to an unnamed one comes from socketpair. */
static bool is_socketpair(int fd)
{
	struct sockaddr_un addr;
	int domain = 0;
	uint32_t len = sizeof domain;

	if (sys6(SYS_getsockopt, fd, SOL_SOCKET, SO_DOMAIN, SYS_ARG(&domain), SYS_ARG(&len), 0) <
			0 ||
		domain != AF_UNIX)
		return false;
	len = sizeof addr;
	if (sys3(SYS_getpeername, fd, &addr, &len) < 0 || len > sizeof(sa_family_t))
		return false;
	len = sizeof addr;
	return sys3(SYS_getsockname, fd, &addr, &len) == 0 && len <= sizeof(sa_family_t);
}

struct pipe_fd pipe_of(int fd)
{
	struct pipe_fd p = {0};
	struct stat st;

	if (sys2(SYS_fstat, fd, &st) < 0)
		return p;
	p.dev = st.st_dev;
	p.inode = st.st_ino;
	if (S_ISFIFO(st.st_mode)) {
		/* Pipes without a name live on a file system of their own, without a link. */
		static uint64_t pipefs;

		p.kind = PIPE_FIFO;
		if (!pipefs || pipefs == st.st_dev) {
			char link[64], name[32] = "";
			char *to = link + sizeof link;
			unsigned n = (unsigned)fd;

			*--to = '\0';
			do
				*--to = (char)('0' + n % 10);
			while (n /= 10);
			to -= sizeof "/proc/self/fd/" - 1;
			memcpy(to, "/proc/self/fd/", sizeof "/proc/self/fd/" - 1);
			if (pipefs)
				p.kind = PIPE_PIPE;
			else if (sys4(SYS_readlinkat, AT_FDCWD, to, name, sizeof name - 1) > 0 &&
				 !strncmp(name, "pipe:", 5)) {
				pipefs = st.st_dev;
				p.kind = PIPE_PIPE;
			}
		}
		p.file_kind = p.kind == PIPE_PIPE ? FILE_PIPE : FILE_FIFO;
	} else if (S_ISSOCK(st.st_mode)) {
		p.file_kind = FILE_SOCKET;
		if (is_socketpair(fd)) {
			p.kind = PIPE_SOCKETPAIR;
			p.file_kind = FILE_SOCKETPAIR;
		}
	} else if (S_ISCHR(st.st_mode)) {
		unsigned major = (unsigned)(st.st_rdev >> 8) & 0xfff;

		p.file_kind = (major >= 4 && major <= 5) || (major >= 136 && major <= 143)
				      ? FILE_TTY
				      : FILE_CHR;
	} else {
		p.file_kind = S_ISREG(st.st_mode)   ? FILE_REG
			      : S_ISDIR(st.st_mode) ? FILE_DIR
						    : FILE_OTHER;
	}
	return p;
}

/* A row of getdents64. */
struct entry {
	uint64_t ino;
	int64_t off;
	uint16_t len;
	uint8_t type;
	char name[];
};

void each_fd(unsigned first, unsigned last, void (*visit)(void *arg, int fd), void *arg)
{
	_Alignas(8) char buf[4096];
	long n, dir = -1;

	if (!shim_options.sandboxed)
		dir = sys4(SYS_openat, AT_FDCWD, "/proc/self/fd",
			O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
	if (dir < 0) {
		for (unsigned fd = first; fd <= last && fd < 1024; fd++)
			visit(arg, (int)fd);
		return;
	}
	while ((n = sys3(SYS_getdents64, dir, buf, sizeof buf)) > 0)
		for (long at = 0; at < n;) {
			const struct entry *e = (const struct entry *)(buf + at);
			unsigned fd = 0;

			at += e->len;
			if (e->name[0] < '0' || e->name[0] > '9')
				continue;
			for (const char *c = e->name; *c; c++)
				fd = fd * 10 + (unsigned)(*c - '0');
			if (fd >= first && fd <= last && fd != (unsigned)dir)
				visit(arg, (int)fd);
		}
	sys1(SYS_close, dir);
}

struct ends {
	unsigned via;
	uint32_t pid;
	uint64_t ts;
};

static void fill_end(struct rec_END_OPEN *r, int fd, const struct pipe_fd *p, unsigned via)
{
	long flags = sys3(SYS_fcntl, fd, F_GETFL, 0), mode = flags & O_ACCMODE;

	memset(r, 0, sizeof *r);
	r->kind = p->kind;
	r->dev = p->dev;
	r->inode = p->inode;
	r->fd = (uint64_t)fd;
	r->mode = p->kind == PIPE_SOCKETPAIR || mode == O_RDWR ? END_READ | END_WRITE
		  : mode == O_WRONLY                           ? END_WRITE
							       : END_READ;
	r->via = via;
	r->cloexec = sys3(SYS_fcntl, fd, F_GETFD, 0) & FD_CLOEXEC;
}

void report_end(int fd, const struct pipe_fd *p, unsigned via, uint64_t inode2, const char *path)
{
	struct rec_END_OPEN r;

	fill_end(&r, fd, p, via);
	r.inode2 = inode2;
	if (path) {
		size_t len = strlen(path);

		if (len >= sizeof r.path)
			r.head.flags = REC_CUT;
		memcpy(r.path, path, len < sizeof r.path ? len : sizeof r.path - 1);
	}
	RECORD(END_OPEN, &r);
}

void report_close(int fd, const struct pipe_fd *p, unsigned via)
{
	struct rec_END_CLOSE r;

	memset(&r, 0, sizeof r);
	r.inode = p->inode;
	r.fd = (uint64_t)fd;
	r.via = via;
	RECORD(END_CLOSE, &r);
}

static void visit_end(void *arg, int fd)
{
	const struct ends *e = arg;
	struct pipe_fd p = pipe_of(fd);
	struct rec_END_OPEN r;

	if (!p.kind)
		return;
	fill_end(&r, fd, &p, e->via);
	r.head.pid = r.head.tid = e->pid;
	r.head.ts = e->ts;
	RECORD(END_OPEN, &r);
}

void report_end_at(int fd, unsigned via, uint64_t ts)
{
	struct ends e = {via, 0, ts};

	visit_end(&e, fd);
}

void report_ends(unsigned via, uint32_t pid, uint64_t ts)
{
	struct ends e = {via, pid, ts};

	each_fd(0, ~0u, visit_end, &e);
}
