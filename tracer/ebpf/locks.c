/* locks.c - uprobes on the lock functions of the C libraries that traced processes use. */
/* SPDX-License-Identifier: MIT */
#include "tracer/ebpf/locks.h"

#include <errno.h>
#include <linux/bpf.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/mem.h"
#include "tracer/authority/authority.h"
#include "schema/record.h"
#include "tracer/ebpf/symbols.h"

#define FILES_MAX 64
#define SYMBOLS_MAX 128
#define MULTI_RETURN 1u /* BPF_F_UPROBE_MULTI_RETURN */

/* A file that was looked at; those without lock functions have no links. */
struct lock_file {
	uint64_t dev, inode;
	int links[2];
	unsigned users; /* processes that map it */
	bool pinned;
	bool used; /* there was a user */
	bool has_locks;
	char *path;
};

struct ebpf_locks {
	int session, call, ret;
	struct lock_file files[FILES_MAX];
	unsigned n_files;
	struct hash processes; /* pid -> its files, as bits */
};

/* BPF_LINK_CREATE with the members for uprobes, which the header may not have. */
struct link_create {
	uint32_t prog;
	uint32_t target;
	uint32_t attach_type;
	uint32_t flags;
	uint64_t path;
	uint64_t offsets;
	uint64_t ref_ctr_offsets;
	uint64_t cookies;
	uint32_t count;
	uint32_t multi_flags;
	uint32_t pid;
	uint32_t pad;
	uint64_t rest[4];
};

static int link_create(int prog, unsigned type, unsigned flags, const char *path,
	const struct lock_symbol *symbols, size_t n)
{
	uint64_t offsets[SYMBOLS_MAX], cookies[SYMBOLS_MAX];
	struct link_create attr = {
		.prog = (uint32_t)prog,
		.attach_type = type,
		.path = (uint64_t)(uintptr_t)path,
		.offsets = (uint64_t)(uintptr_t)offsets,
		.cookies = (uint64_t)(uintptr_t)cookies,
		.count = (uint32_t)n,
		.multi_flags = flags,
	};
	int fd;

	for (size_t i = 0; i < n; i++) {
		offsets[i] = symbols[i].offset;
		cookies[i] = symbols[i].cookie;
	}
	fd = (int)syscall(SYS_bpf, BPF_LINK_CREATE, &attr, sizeof attr);
	return fd < 0 ? -errno : fd;
}

struct ebpf_locks *ebpf_locks_new(int session, int call, int ret)
{
	struct ebpf_locks *l = xcalloc(1, sizeof *l);

	l->session = session;
	l->call = call;
	l->ret = ret;
	return l;
}

static void links_close(struct lock_file *f)
{
	for (unsigned i = 0; i < 2; i++) {
		if (f->links[i] >= 0)
			close(f->links[i]);
		f->links[i] = -1;
	}
}

void ebpf_locks_free(struct ebpf_locks *l)
{
	if (!l)
		return;
	for (unsigned i = 0; i < l->n_files; i++) {
		links_close(&l->files[i]);
		free(l->files[i].path);
	}
	hash_done(&l->processes);
	free(l);
}

/*
 * Opens the file that was mapped. What its path leads to may change at any time, and a
 * probe at the places of one file would break the instructions of another.
 */
static int open_mapped(const struct lock_file *f)
{
	_cleanup_close_ int fd = authority_open(f->path, AUTHORITY_MODULE_MAX);
	struct stat st;

	if (fd < 0)
		return fd;
	return fstat(fd, &st) == 0 && st.st_ino == f->inode ? steal_fd(&fd) : -ESTALE;
}

static int links_open(struct ebpf_locks *l, struct lock_file *f)
{
	_cleanup_close_ int file = open_mapped(f);
	struct lock_symbol symbols[SYMBOLS_MAX];
	char path[32];
	int n, fd;

	if (file < 0)
		return file;
	n = lock_symbols_find(file, symbols, SYMBOLS_MAX);
	if (n <= 0)
		return n;
	(void)snprintf(path, sizeof path, "/proc/self/fd/%d", file);
	f->has_locks = true;
	if (l->session >= 0) {
		fd = link_create(l->session, ATTACH_UPROBE_SESSION, 0, path, symbols, (size_t)n);
		if (fd >= 0)
			f->links[0] = fd;
		return fd < 0 ? fd : 0;
	}
	/* The returns first: a call whose return is missed would be a wait without an end. */
	fd = link_create(l->ret, ATTACH_UPROBE_MULTI, MULTI_RETURN, path, symbols, (size_t)n);
	if (fd < 0)
		return fd;
	f->links[1] = fd;
	fd = link_create(l->call, ATTACH_UPROBE_MULTI, 0, path, symbols, (size_t)n);
	if (fd < 0) {
		links_close(f);
		return fd;
	}
	f->links[0] = fd;
	return 0;
}

/* Returns the place of a known file, or -1. */
static int file_find(struct ebpf_locks *l, uint64_t dev, uint64_t inode)
{
	for (unsigned i = 0; i < l->n_files; i++)
		if (l->files[i].dev == dev && l->files[i].inode == inode)
			return (int)i;
	return -1;
}

/* Makes place for a file; -1: there is no more room. */
static int file_add(struct ebpf_locks *l, uint64_t dev, uint64_t inode, const char *path)
{
	struct lock_file *f;
	unsigned i = l->n_files;

	/* A table that is full has room where a library is no longer used. */
	if (i == FILES_MAX) {
		for (i = 0; i < FILES_MAX; i++)
			if (!l->files[i].users && !l->files[i].pinned)
				break;
		if (i == FILES_MAX)
			return -1;
		links_close(&l->files[i]);
		free(l->files[i].path);
	} else {
		l->n_files++;
	}
	f = &l->files[i];
	*f = (struct lock_file){
		.dev = dev, .inode = inode, .links = {-1, -1}, .path = xstrdup(path)};
	return (int)i;
}

int ebpf_locks_attach(struct ebpf_locks *l, const char *path, bool pinned)
{
	struct stat st;
	int i;

	if (stat(path, &st))
		return -errno;
	i = file_find(l, st.st_dev, st.st_ino);
	if (i >= 0)
		return 0;
	i = file_add(l, st.st_dev, st.st_ino, path);
	if (i < 0)
		return -ENOSPC;
	l->files[i].pinned = pinned;
	return links_open(l, &l->files[i]);
}

/*
 * The path in a record is that of the process's own root, and the file may have
 * been replaced since: it must be the very file that was mapped.
 */
static bool same_file(const struct rec_MODULE *m, const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode) && st.st_ino == m->inode;
}

static int module_file(struct ebpf_locks *l, const struct rec_MODULE *m)
{
	int i = file_find(l, m->dev, m->inode);
	_cleanup_free_ char *text = NULL, *path = NULL;

	if (i >= 0)
		return i;
	text = xstrndup(m->path, sizeof m->path);
	path = xstrdup(text);
	if (!same_file(m, path)) {
		free(path);
		path = xasprintf("/proc/%u/root%s", m->head.pid, text);
		if (!same_file(m, path))
			return -1;
	}
	return file_add(l, m->dev, m->inode, path);
}

static void process_set(struct ebpf_locks *l, uint64_t pid, uint64_t files)
{
	uint64_t had = (uint64_t)(uintptr_t)hash_get(&l->processes, pid);

	for (unsigned i = 0; i < l->n_files; i++) {
		bool before = had >> i & 1, after = files >> i & 1;

		if (before && !after)
			l->files[i].users--;
		else if (!before && after)
			l->files[i].users++;
		if (after)
			l->files[i].used = true;
	}
	if (files)
		hash_set(&l->processes, pid, (void *)(uintptr_t)files);
	else
		hash_del(&l->processes, pid);
}

static void see_module(struct ebpf_locks *l, const struct rec_MODULE *m)
{
	int i = module_file(l, m);
	struct lock_file *f;

	if (i < 0)
		return;
	f = &l->files[i];
	process_set(l, m->head.pid,
		(uint64_t)(uintptr_t)hash_get(&l->processes, m->head.pid) | 1ull << i);
	if (f->links[0] < 0 && (f->has_locks || f->users == 1))
		(void)links_open(l,
			f); /* a file that cannot be attached to stays so; its locks show as futex waits */
}

void ebpf_locks_see(struct ebpf_locks *l, const struct rec_head *rec)
{
	switch (rec->kind) {
	case REC_MODULE:
		see_module(l, (const struct rec_MODULE *)rec);
		break;
	case REC_EXEC:
		process_set(l, rec->pid, 0);
		break;
	case REC_FORK: {
		const struct rec_FORK *fork = (const struct rec_FORK *)rec;

		if (fork->child_pid != rec->pid)
			process_set(l, fork->child_pid,
				(uint64_t)(uintptr_t)hash_get(&l->processes, rec->pid));
		break;
	}
	case REC_EXIT:
		if (((const struct rec_EXIT *)rec)->last)
			process_set(l, rec->pid, 0);
		break;
	default:
		break;
	}
}

void ebpf_locks_tidy(struct ebpf_locks *l)
{
	for (unsigned i = 0; i < l->n_files; i++) {
		struct lock_file *f = &l->files[i];

		if (f->used && !f->users && !f->pinned)
			links_close(f);
	}
}

int ebpf_locks_own_libc(char *buf, unsigned size)
{
	_cleanup_fclose_ FILE *maps = fopen("/proc/self/maps", "re");
	char line[512];

	while (maps && fgets(line, sizeof line, maps)) {
		char *path = strchr(line, '/');
		size_t len;

		if (!path || !strstr(path, "/libc.so.6"))
			continue;
		len = strcspn(path, "\n");
		if (len >= size)
			return -ENAMETOOLONG;
		memcpy(buf, path, len);
		buf[len] = 0;
		return 0;
	}
	return -ENOENT;
}
