/* files.c - the files that were mapped when a core was made, if they are still the same. */
/* SPDX-License-Identifier: MIT */
#include "tracer/core/private.h"

#include <elfutils/libdwelf.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/mem.h"
#include "tracer/authority/authority.h"

enum { BUILD_ID_MAX = 64 };

/* Reads the build ID out of the first page of a file, which is in the core. Returns its length, 0: none. */
static size_t core_build_id(struct core *c, const struct core_map *m, unsigned char *ret)
{
	unsigned char page[4096];
	size_t n = core_read_own(c, m->start, page, sizeof page);
	Elf *elf = n > EI_NIDENT ? elf_memory((char *)page, n) : NULL;
	size_t n_ph = 0, len = 0;
	GElf_Phdr ph;

	if (elf && elf_getphdrnum(elf, &n_ph) != 0)
		n_ph = 0;
	for (size_t i = 0; i < n_ph && !len && gelf_getphdr(elf, (int)i, &ph); i++) {
		Elf_Data *data;
		GElf_Nhdr note;
		size_t at = 0, next, name, desc;

		if (ph.p_type != PT_NOTE || ph.p_offset >= n || ph.p_filesz > n - ph.p_offset)
			continue;
		data = elf_getdata_rawchunk(elf, (int64_t)ph.p_offset, ph.p_filesz,
			ph.p_align == 8 ? ELF_T_NHDR8 : ELF_T_NHDR);
		while (data && !len && (next = gelf_getnote(data, at, &note, &name, &desc)) > 0) {
			if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 &&
				note.n_descsz <= BUILD_ID_MAX &&
				!memcmp((const char *)data->d_buf + name, "GNU", 4)) {
				len = note.n_descsz;
				memcpy(ret, (const char *)data->d_buf + desc, len);
			}
			at = next;
		}
	}
	if (elf)
		(void)elf_end(elf);
	return len;
}

/* Says whether a file has another build ID than what was mapped; false where one of them has none. */
static bool is_other(const unsigned char *id, size_t len, int fd)
{
	Elf *elf = len ? elf_begin(fd, ELF_C_READ, NULL) : NULL;
	const void *bits = NULL;
	ssize_t n = elf ? dwelf_elf_gnu_build_id(elf, &bits) : 0;
	bool differs = n > 0 && ((size_t)n != len || memcmp(bits, id, len) != 0);

	if (elf)
		(void)elf_end(elf);
	return differs;
}

static void open_file(struct core *c, size_t file, const struct core_map *first, const char *exe)
{
	struct mapped *f = &c->files[file];
	unsigned char id[BUILD_ID_MAX];
	size_t len = core_build_id(c, first, id);

	/* Whole: what does not begin with a slash is no file that was mapped. */
	f->now = exe ? realpath(exe, NULL) : NULL;
	if (!f->now)
		f->now = xstrdup(exe ? exe : f->path);
	f->fd = authority_open(f->now, AUTHORITY_MODULE_MAX);
	if (f->fd < 0) {
		f->bad = "is not here, or cannot be read";
	} else if (is_other(id, len, f->fd)) {
		f->bad = "is not the file that the core was made with (its build ID differs)";
		mem_cleanup_close(&f->fd);
		f->fd = -1;
		/* Whoever reads the name shall know, and whoever opens it shall find nothing. */
		f->shown = xasprintf("%s (another file)", f->path);
	}
}

/* Says whether what a file has at an offset is to be mapped as code. */
static bool has_code(int fd, uint64_t offset)
{
	Elf *elf = fd >= 0 ? elf_begin(fd, ELF_C_READ, NULL) : NULL;
	bool found = false;
	size_t n = 0;
	GElf_Phdr ph;

	if (elf && elf_getphdrnum(elf, &n) != 0)
		n = 0;
	for (size_t i = 0; i < n && !found && gelf_getphdr(elf, (int)i, &ph); i++)
		found = ph.p_type == PT_LOAD && ph.p_flags & PF_X &&
			offset >= (ph.p_offset & ~0xfffull) && offset < ph.p_offset + ph.p_filesz;
	if (elf)
		(void)elf_end(elf);
	return found;
}

/* The program is the file in which its first instruction lies. */
void core_open_files(struct core *c, const char *exe)
{
	for (size_t i = 0; i < c->p.n_maps; i++)
		if (c->entry - c->p.maps[i].start < c->p.maps[i].end - c->p.maps[i].start)
			c->program = c->file_of[i];
	for (size_t i = 0; i < c->p.n_maps; i++) {
		struct core_map *m = &c->p.maps[i];
		size_t file = c->file_of[i];
		const struct segment *s = core_segment(c, m->start);

		if (!c->files[file].now)
			open_file(c, file, m, file == c->program ? exe : NULL);
		/* Debuggers do not even say of code that it was there. */
		m->is_code = s ? s->is_code : has_code(c->files[file].fd, m->offset);
	}
	for (size_t i = 0; i < c->p.n_maps; i++) {
		const struct mapped *f = &c->files[c->file_of[i]];

		c->p.maps[i].path = f->shown ? f->shown : f->now;
	}
	if (!c->n_files)
		return;
	c->p.exe = c->files[c->program].path;
	c->p.program =
		c->files[c->program].shown ? c->files[c->program].shown : c->files[c->program].now;
}

void core_note_files(const struct core *c, bool has_exe, struct buf *blind)
{
	bool told[CORE_MAX_MAPS / 1024] = {false};

	for (size_t i = 0; i < c->p.n_maps; i++) {
		size_t file = c->file_of[i];
		const struct mapped *f = &c->files[file];

		if (!c->p.maps[i].is_code || !f->bad || file >= ARRAY_SIZE(told) || told[file])
			continue;
		told[file] = true;
		buf_adds(blind, file == c->program ? "The program " : "The library ");
		buf_add_printable(blind, f->now, strlen(f->now));
		buf_addf(blind, " %s", f->bad);
		buf_adds(blind,
			file == c->program && !has_exe
				? ": without it nothing in it has a name (it may be named after the core).\n"
				: ": nothing in it has a name.\n");
	}
}
