/* processes.c - which files each traced process has mapped where, known until it is forgotten. */
/* SPDX-License-Identifier: MIT */
#include "tracer/symbols/private.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/mem.h"
#include "tracer/authority/authority.h"
#include "tracer/symbols/jit.h"
#include "tracer/symbols/maps.h"

enum {
	SYMBOLS_MAX_OPEN = 256, /* descriptors of files that nobody has asked about yet */
	VDSO_MAX = 64 * 1024    /* it has two or four pages */
};

struct symbols *symbols_new(void)
{
	return xcalloc(1, sizeof(struct symbols));
}

void symbols_guard(struct symbols *s, struct authority *authority)
{
	s->authority = authority;
}

int symbols_hold(const struct symbols *s, pid_t pid)
{
	return authority_hold(s->authority, pid);
}

static void free_files(struct hash *h)
{
	struct hash_slot *slot;

	for (size_t pos = 0; (slot = hash_next(h, &pos)) != NULL;) {
		struct file *f = slot->value;

		module_free(f->module);
		free(f);
	}
	hash_done(h);
}

void symbols_free(struct symbols *s)
{
	struct hash_slot *slot;

	if (!s)
		return;
	for (size_t pos = 0; (slot = hash_next(&s->processes, &pos)) != NULL;)
		maps_unref(slot->value);
	hash_done(&s->processes);
	for (size_t pos = 0; (slot = hash_next(&s->cache, &pos)) != NULL;) {
		for (struct cached *c = slot->value, *next; c; c = next) {
			next = c->next;
			free(c->inlined);
			free(c);
		}
	}
	hash_done(&s->cache);
	for (size_t pos = 0; (slot = hash_next(&s->frames, &pos)) != NULL;)
		free(slot->value);
	hash_done(&s->frames);
	for (size_t pos = 0; (slot = hash_next(&s->jits, &pos)) != NULL;)
		jit_free(slot->value);
	hash_done(&s->jits);
	hash_done(&s->libraries);
	free_files(&s->files);
	free_files(&s->unknown);
	hash_done(&s->deleted);
	free(s->fresh);
	free(s);
}

/* A build makes thousands of short programs: of those that nobody asks about only so many stay open. */
static void remember_fresh(struct symbols *s, struct file *f)
{
	if (s->n_fresh == SYMBOLS_MAX_OPEN) {
		(void)module_release(s->fresh[0]->module);
		s->n_fresh--;
		memmove(s->fresh, s->fresh + 1, s->n_fresh * sizeof *s->fresh);
	}
	ARRAY_GROW(s->fresh, s->n_fresh, s->cap_fresh);
	s->fresh[s->n_fresh++] = f;
}

static uint64_t file_key(const struct stat *st)
{
	return hash_mix(st->st_dev, st->st_ino,
		hash_mix((uint64_t)st->st_size, (uint64_t)st->st_mtim.tv_sec,
			(uint64_t)st->st_mtim.tv_nsec));
}

/* What is at a path now, if it has been looked at before; nothing is opened for that, and most mappings are of such files. */
static struct module *known_module(struct symbols *s, const char *path)
{
	struct stat st;
	const struct file *f = stat(path, &st) == 0 && S_ISREG(st.st_mode)
				       ? hash_get(&s->files, file_key(&st))
				       : NULL;

	return f ? f->module : NULL;
}

/* Takes over fd, which may be -1. */
static struct module *file_module(struct symbols *s, int fd, const char *path)
{
	struct hash *table = &s->files;
	uint64_t key;
	struct stat st = {0};
	struct file *f;

	if (fd >= 0 && (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))) {
		(void)close(fd);
		fd = -1;
	}
	if (fd >= 0) {
		key = file_key(&st);
	} else {
		table = &s->unknown;
		key = hash_bytes(path, strlen(path));
	}
	f = hash_get(table, key);
	if (f) {
		if (fd >= 0)
			(void)close(fd);
		return f->module;
	}
	f = xcalloc(1, sizeof *f);
	f->module = module_new(fd, path);
	(void)hash_set(table, key, f);
	if (fd >= 0)
		remember_fresh(s, f);
	return f->module;
}

/* The process's own copy of its mappings: shared ones are copied before a change. */
static struct maps *maps_of(struct symbols *s, int64_t process)
{
	struct maps *m = hash_get(&s->processes, (uint64_t)process);
	struct maps *own = maps_own(m);

	if (own != m)
		(void)hash_set(&s->processes, (uint64_t)process, own);
	return own;
}

/* The kernel marks the path of a file that was removed. */
static bool is_deleted(const char *path)
{
	static const char mark[] = " (deleted)";
	size_t len = strlen(path);

	return len > sizeof mark && !strcmp(path + len - (sizeof mark - 1), mark);
}

void symbols_map(struct symbols *s, int64_t process, uint64_t start, uint64_t len, uint64_t offset,
	const char *path)
{
	const struct maps *m = hash_get(&s->processes, (uint64_t)process);
	const struct map *old = m ? maps_find(m, start) : NULL;
	struct module *module;

	if (len == 0 || path[0] != '/')
		return;
	if (old && old->start == start && old->len == len && old->offset == offset &&
		!strcmp(module_path(old->module), path))
		return;
	/* What is at this path now is another file: the process itself must be looked at, if that is possible. */
	if (is_deleted(path)) {
		struct module *known = hash_get(&s->deleted, hash_bytes(path, strlen(path)));

		if (known)
			maps_add(maps_of(s, process), start, len, offset, known);
		return;
	}
	module = known_module(s, path);
	if (!module)
		module = file_module(s, authority_open(path, AUTHORITY_MODULE_MAX), path);
	maps_add(maps_of(s, process), start, len, offset, module);
}

/* One line of /proc/PID/maps that is executable; path: empty or in brackets if no file is mapped there. */
struct maps_line {
	uint64_t start, end, offset, inode;
	unsigned major, minor;
	char *path;
};

static bool parse_line(char *line, struct maps_line *ret)
{
	char perms[5];
	int n = 0;

	if (!maps_line_has(line, 'x'))
		return false;
	if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s %" SCNx64 " %x:%x %" SCNu64 " %n",
		    &ret->start, &ret->end, perms, &ret->offset, &ret->major, &ret->minor,
		    &ret->inode, &n) != 7 ||
		n == 0 || perms[2] != 'x')
		return false;
	ret->path = line + n;
	ret->path[strcspn(ret->path, "\n")] = '\0';
	return ret->end > ret->start;
}

/* The kernel's own piece of code in each process, as a file. */
static struct module *vdso_module(struct symbols *s, pid_t pid, const struct maps_line *line)
{
	_cleanup_free_ char *image = NULL;
	size_t len = line->end - line->start;
	struct iovec local, remote = {(void *)(uintptr_t)line->start, len};
	struct file *f;
	uint64_t key;
	int fd;

	if (len > VDSO_MAX)
		return NULL;
	image = xmalloc(len);
	local = (struct iovec){image, len};
	if (process_vm_readv(pid, &local, 1, &remote, 1, 0) != (ssize_t)len)
		return NULL;
	key = hash_bytes(image, len);
	f = hash_get(&s->files, key);
	if (f)
		return f->module;
	fd = memfd_create("vdso", MFD_CLOEXEC);
	if (fd >= 0 && write(fd, image, len) != (ssize_t)len) {
		(void)close(fd);
		fd = -1;
	}
	f = xcalloc(1, sizeof *f);
	f->module = module_new(fd, line->path);
	(void)hash_set(&s->files, key, f);
	return f->module;
}

/* Takes over fd, of a file that may be the one that is mapped; returns it if it is. */
static int checked(int fd, const struct maps_line *line)
{
	struct stat st;

	/*
	 * The inode decides whether it is still the same file. Its device is
	 * not compared: overlay and btrfs show another one here than in maps.
	 */
	if (fd >= 0 && (fstat(fd, &st) != 0 || st.st_ino != line->inode)) {
		(void)close(fd);
		fd = -1;
	}
	return fd;
}

/* Opens the file that is really mapped: as the process sees its path, else through the mapping or the program itself. */
static int open_mapped(pid_t pid, const struct maps_line *line)
{
	char path[64];
	int fd = checked(authority_open_inside(pid, line->path, AUTHORITY_MODULE_MAX), line);

	if (fd < 0)
		fd = checked(authority_open(line->path, AUTHORITY_MODULE_MAX), line);
	if (fd >= 0)
		return fd;
	(void)snprintf(path, sizeof path, "/proc/%d/map_files/%" PRIx64 "-%" PRIx64, (int)pid,
		line->start, line->end);
	fd = checked(authority_open(path, AUTHORITY_MODULE_MAX), line);
	if (fd >= 0)
		return fd;
	(void)snprintf(path, sizeof path, "/proc/%d/exe", (int)pid);
	return checked(authority_open(path, AUTHORITY_MODULE_MAX), line);
}

/* Adds what a line of /proc/PID/maps says to the mappings of a process, unless it is known. */
static void add_line(struct symbols *s, struct maps *m, pid_t pid, const struct maps_line *line)
{
	uint64_t len = line->end - line->start;
	const struct map *old;
	struct module *module;

	if (line->path[0] != '/') {
		module = !strcmp(line->path, "[vdso]") ? vdso_module(s, pid, line) : NULL;
		if (module)
			maps_add(m, line->start, len, 0, module);
		else
			maps_add_made(m, line->start, len);
		return;
	}
	old = maps_find(m, line->start);
	if (old && old->start == line->start && old->len == len && old->inode == line->inode &&
		old->offset == line->offset)
		return;
	module = file_module(s, open_mapped(pid, line), line->path);
	if (is_deleted(line->path))
		(void)hash_set(&s->deleted, hash_bytes(line->path, strlen(line->path)), module);
	maps_add(m, line->start, len, line->offset, module);
	maps_set_inode(m, line->start, line->inode);
}

int symbols_map_proc(struct symbols *s, int64_t process, pid_t pid)
{
	_cleanup_fclose_ FILE *f = NULL;
	_cleanup_free_ char *text = NULL;
	struct maps *m = NULL;
	size_t cap = 0;
	char path[32];
	_cleanup_close_ int held = symbols_hold(s, pid);

	if (held < 0)
		return held;
	(void)snprintf(path, sizeof path, "/proc/%d/maps", (int)pid);
	f = fopen(path, "re");
	if (!f)
		return -errno;
	/* Opened of the process that is held, and of none after it. */
	if (!authority_still(held, pid))
		return -ESRCH;
	errno = 0;
	while (getline(&text, &cap, f) > 0) {
		struct maps_line line;

		if (!parse_line(text, &line))
			continue;
		if (!m) {
			m = maps_of(s, process);
			maps_forget_made(m);
		}
		add_line(s, m, pid, &line);
	}
	if (m && m->n_made) {
		struct jit *old = hash_set(&s->jits, (uint64_t)process, jit_new(pid));

		jit_free(old);
	}
	/* A process that ended, or a kernel thread, shows no mapping at all. */
	if (!m && !hash_get(&s->processes, (uint64_t)process))
		return errno ? -errno : -ESRCH;
	return 0;
}

void symbols_inherit(struct symbols *s, int64_t child, int64_t parent)
{
	struct maps *m = hash_get(&s->processes, (uint64_t)parent), *old;

	if (!m || child == parent)
		return;
	old = hash_set(&s->processes, (uint64_t)child, maps_ref(m));
	maps_unref(old);
}

void symbols_forget(struct symbols *s, int64_t process)
{
	maps_unref(hash_del(&s->processes, (uint64_t)process));
	jit_free(hash_del(&s->jits, (uint64_t)process));
}
