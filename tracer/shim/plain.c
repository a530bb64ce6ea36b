/* plain.c - find out which programs have nothing that the preload library could record. */
/* SPDX-License-Identifier: MIT */
/*
 * A program is looked at once, when it is executed: by the files that are mapped into it, until all libraries are there that
 * it and they ask for. What it loads later by itself does not count. If none of them imports a
 * function that the library wraps, it is told to those that execute it again.
 */
#include "tracer/shim/shim.h"

#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <libelf.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/mem.h"
#include "schema/plain.h"
#include "schema/record.h"
#include "tracer/authority/authority.h"

/* More libraries, or libraries of one file, are too many to follow. */
enum { LIBRARIES_MAX = 64 };

/* Functions that the library wraps for more than --backend=shim alone, sorted. */
static const char *const wrapped[] = {
#define WRAPPED(name) name,
#include "wrapped.def"
#undef WRAPPED
};

/* What a program or library file says. */
struct file {
	bool uses;    /* imports something that is wrapped, or it is not known whether */
	char *soname; /* or NULL */
	char **needs; /* sonames */
	size_t n_needs, cap_needs;
};

/* A program file. */
struct image {
	bool decided;
	uint64_t since; /* when it was told that it is plain; 0: it was not */
};

/* A program that has been executed and maps its libraries. Texts are those of files. */
struct loading {
	struct image *image;
	uint64_t dev, inode;
	char path[256];
	bool has_program;
	const char *sonames[LIBRARIES_MAX], *needs[LIBRARIES_MAX];
	size_t n_sonames, n_needs;
};

struct plain {
	int fd; /* the table */
	bool used[PLAIN_ENTRIES];
	struct hash files, images; /* by device and inode */
	struct hash loading;       /* by process */
};

/* ---- Files ---- */

static int compare_names(const void *a, const void *b)
{
	return strcmp(a, *(const char *const *)b);
}

static bool is_wrapped(const char *name)
{
	return bsearch(name, wrapped, ARRAY_SIZE(wrapped), sizeof *wrapped, compare_names) != NULL;
}

static bool imports_wrapped(Elf *elf, const GElf_Shdr *head, Elf_Data *symbols)
{
	size_t n = head->sh_entsize ? head->sh_size / head->sh_entsize : 0;
	GElf_Sym sym;

	for (size_t i = 0; i < n && i < INT_MAX && gelf_getsym(symbols, (int)i, &sym); i++) {
		const char *name = sym.st_shndx == SHN_UNDEF
					   ? elf_strptr(elf, head->sh_link, sym.st_name)
					   : NULL;

		if (name && is_wrapped(name))
			return true;
	}
	return false;
}

static void read_libraries(struct file *f, Elf *elf, const GElf_Shdr *head, Elf_Data *entries)
{
	size_t n = head->sh_entsize ? head->sh_size / head->sh_entsize : 0;
	GElf_Dyn d;

	for (size_t i = 0; i < n && i < INT_MAX && gelf_getdyn(entries, (int)i, &d); i++) {
		const char *name = d.d_tag == DT_NEEDED || d.d_tag == DT_SONAME
					   ? elf_strptr(elf, head->sh_link, d.d_un.d_val)
					   : NULL;

		if (!name)
			continue;
		if (d.d_tag == DT_SONAME) {
			free(f->soname);
			f->soname = xstrdup(name);
		} else if (f->n_needs < LIBRARIES_MAX) {
			ARRAY_GROW(f->needs, f->n_needs, f->cap_needs);
			f->needs[f->n_needs++] = xstrdup(name);
		} else {
			f->uses = true;
		}
	}
}

static void read_elf(struct file *f, Elf *elf)
{
	Elf_Scn *scn = NULL;
	bool has_symbols = false;

	while ((scn = elf_nextscn(elf, scn))) {
		GElf_Shdr head;
		Elf_Data *data;

		if (!gelf_getshdr(scn, &head) ||
			(head.sh_type != SHT_DYNSYM && head.sh_type != SHT_DYNAMIC) ||
			!(data = elf_getdata(scn, NULL)))
			continue;
		if (head.sh_type == SHT_DYNAMIC) {
			read_libraries(f, elf, &head, data);
			continue;
		}
		has_symbols = true;
		f->uses |= imports_wrapped(elf, &head, data);
	}
	f->uses |= !has_symbols;
}

/* Reads the file that a record names; one that is not the same any more uses everything. */
static struct file *file_read(const char *path, uint64_t inode)
{
	_cleanup_close_ int fd = authority_open(path, AUTHORITY_MODULE_MAX);
	struct file *f = xcalloc(1, sizeof *f);
	struct stat st;
	Elf *elf;

	f->uses = true;
	if (fd < 0 || fstat(fd, &st) < 0 || st.st_ino != inode)
		return f;
	(void)elf_version(EV_CURRENT);
	elf = elf_begin(fd, ELF_C_READ, NULL);
	if (!elf)
		return f;
	if (elf_kind(elf) == ELF_K_ELF) {
		f->uses = false;
		read_elf(f, elf);
	}
	elf_end(elf);
	return f;
}

static void file_free(struct file *f)
{
	for (size_t i = 0; i < f->n_needs; i++)
		free(f->needs[i]);
	free(f->needs);
	free(f->soname);
	free(f);
}

static struct file *file_of(struct plain *p, const struct rec_MODULE *m, const char *path)
{
	uint64_t key = hash_mix(m->dev, m->inode, 0);
	struct file *f = hash_get(&p->files, key);

	if (!f) {
		f = file_read(path, m->inode);
		(void)hash_set(&p->files, key, f);
	}
	return f;
}

/* ---- The table ---- */

/* Tells those that execute the program from now on. Returns 0 or -errno. */
static int tell(struct plain *p, const struct loading *l)
{
	struct plain_entry e = {0};
	const uint64_t mark = PLAIN_MARK;
	struct stat st;

	if (stat(l->path, &st) < 0 || st.st_ino != l->inode)
		return -ESTALE;
	e.dev = st.st_dev;
	e.inode = st.st_ino;
	e.size = (uint64_t)st.st_size;
	e.mtime_ns = plain_mtime(&st);
	for (unsigned try = 0; try < PLAIN_TRIES; try++) {
		size_t place = plain_place(e.dev, e.inode) + try;
		off_t at = (off_t)(place * sizeof e);

		if (p->used[place])
			continue;
		p->used[place] = true;
		if (pwrite(p->fd, &e, sizeof e, at) != sizeof e ||
			pwrite(p->fd, &mark, sizeof mark,
				at + (off_t)offsetof(struct plain_entry, mark)) != sizeof mark)
			return -EIO;
		return 0;
	}
	return -ENOSPC;
}

struct plain *plain_new(const char *dir, uid_t owner)
{
	_cleanup_close_ int at = open(dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int fd = at < 0 ? -1
			: openat(at, PLAIN_FILE, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
				  0600);
	struct plain *p;

	if (fd < 0)
		return NULL;
	/* A store into it needs room then, and a program that looks there finds zeros. */
	if ((owner != geteuid() && fchown(fd, owner, (gid_t)-1) < 0) ||
		posix_fallocate(fd, 0, PLAIN_ENTRIES * sizeof(struct plain_entry)) != 0) {
		(void)close(fd);
		return NULL;
	}
	p = xcalloc(1, sizeof *p);
	p->fd = fd;
	return p;
}

void plain_free(struct plain *p)
{
	struct hash_slot *s;

	if (!p)
		return;
	for (size_t pos = 0; (s = hash_next(&p->files, &pos));)
		file_free(s->value);
	for (size_t pos = 0; (s = hash_next(&p->images, &pos));)
		free(s->value);
	for (size_t pos = 0; (s = hash_next(&p->loading, &pos));)
		free(s->value);
	hash_done(&p->files);
	hash_done(&p->images);
	hash_done(&p->loading);
	(void)close(p->fd);
	free(p);
}

/* ---- Programs that are executed ---- */

static void loading_end(struct plain *p, uint32_t pid)
{
	free(hash_del(&p->loading, pid));
}

static void see_exec(struct plain *p, const struct rec_EXEC *e)
{
	uint64_t key = hash_mix(e->dev, e->inode, 0);
	struct image *image = hash_get(&p->images, key);
	struct loading *l;

	loading_end(p, e->head.pid);
	if (!e->inode || e->secure)
		return;
	if (!image) {
		image = xcalloc(1, sizeof *image);
		(void)hash_set(&p->images, key, image);
	}
	if (image->decided)
		return;
	l = xcalloc(1, sizeof *l);
	l->image = image;
	l->dev = e->dev;
	l->inode = e->inode;
	(void)hash_set(&p->loading, e->head.pid, l);
}

static bool has_name(const char *const *list, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(list[i], name))
			return true;
	return false;
}

/* Adds what a file is and needs; false: that is too much. */
static bool add_file(struct loading *l, const struct file *f)
{
	if (f->soname && !has_name(l->sonames, l->n_sonames, f->soname)) {
		if (l->n_sonames == LIBRARIES_MAX)
			return false;
		l->sonames[l->n_sonames++] = f->soname;
	}
	for (size_t i = 0; i < f->n_needs; i++) {
		if (has_name(l->needs, l->n_needs, f->needs[i]))
			continue;
		if (l->n_needs == LIBRARIES_MAX)
			return false;
		l->needs[l->n_needs++] = f->needs[i];
	}
	return true;
}

static bool is_complete(const struct loading *l)
{
	for (size_t i = 0; i < l->n_needs; i++)
		if (!has_name(l->sonames, l->n_sonames, l->needs[i]))
			return false;
	return l->has_program;
}

/* The library itself is there as long as a program is not known to be plain. */
static bool is_own(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash && !strcmp(slash + 1, PRELOAD_LIBRARY);
}

static void see_module(struct plain *p, const struct rec_MODULE *m)
{
	struct loading *l = hash_get(&p->loading, m->head.pid);
	char path[sizeof m->path + 1];
	const struct file *f;

	if (!l)
		return;
	memcpy(path, m->path, sizeof m->path);
	path[sizeof m->path] = '\0';
	if (is_own(path))
		return;
	if (!l->has_program && m->inode == l->inode && m->dev == l->dev) {
		l->has_program = true;
		memcpy(l->path, path, sizeof l->path - 1);
	}
	f = file_of(p, m, path);
	if (f->uses || !add_file(l, f)) {
		l->image->decided = true;
	} else if (is_complete(l)) {
		l->image->decided = true;
		if (tell(p, l) == 0)
			l->image->since = clock_now();
	}
	if (l->image->decided)
		loading_end(p, m->head.pid);
}

void plain_see(struct plain *p, const struct rec_head *rec)
{
	if (!p)
		return;
	switch (rec->kind) {
	case REC_EXEC:
		if (rec->size == sizeof(struct rec_EXEC))
			see_exec(p, (const void *)rec);
		break;
	case REC_MODULE:
		if (rec->size == sizeof(struct rec_MODULE))
			see_module(p, (const void *)rec);
		break;
	case REC_EXIT:
		if (rec->size == sizeof(struct rec_EXIT) &&
			((const struct rec_EXIT *)(const void *)rec)->last)
			loading_end(p, rec->pid);
		break;
	}
}

bool plain_was(const struct plain *p, const struct rec_EXEC *e)
{
	const struct image *image = p ? hash_get(&p->images, hash_mix(e->dev, e->inode, 0)) : NULL;

	return image && image->since && image->since < e->head.ts;
}
