/* core.c - a core file: threads with their registers, memory, and the files that were mapped. */
/* SPDX-License-Identifier: MIT */
/*
 * core(5), elf(5). The kernel writes a note NT_PRSTATUS for each thread, first that which got the signal; NT_FILE
 * says what was mapped; a PT_LOAD is a piece of memory, of which code and
 * other unchanged pages of files are left out. Everything in the file may be
 * damaged or made up: each offset and length is checked where it is used.
 */
#include "tracer/core/private.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arch.h"
#include "base/buf.h"
#include "base/mem.h"
#include "tracer/authority/authority.h"

const struct core_process *core_process(const struct core *c)
{
	return &c->p;
}

void core_free(struct core *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < c->n_files; i++) {
		free(c->files[i].path);
		free(c->files[i].now);
		free(c->files[i].shown);
		mem_cleanup_close(&c->files[i].fd);
	}
	if (c->elf)
		(void)elf_end(c->elf);
	mem_cleanup_close(&c->fd);
	free(c->files);
	free(c->file_of);
	free(c->segments);
	free(c->p.threads);
	free(c->p.maps);
	free(c);
}

static int segment_compare(const void *pa, const void *pb)
{
	const struct segment *a = pa, *b = pb;

	return a->start < b->start ? -1 : a->start > b->start;
}

/* Reads notes and segments; *ret_end is where the file would end if all of it were there. */
static void read_headers(struct core *c, uint64_t *ret_end)
{
	size_t n = 0;
	GElf_Ehdr eh;
	GElf_Phdr ph;

	*ret_end = 0;
	if (!gelf_getehdr(c->elf, &eh))
		return;
	*ret_end = eh.e_phoff + (uint64_t)eh.e_phnum * eh.e_phentsize;
	if (elf_getphdrnum(c->elf, &n) != 0)
		return;
	for (size_t i = 0; i < n && gelf_getphdr(c->elf, (int)i, &ph); i++) {
		uint64_t there = ph.p_offset < c->size ? c->size - ph.p_offset : 0;

		if (ph.p_filesz && ph.p_offset + ph.p_filesz > *ret_end)
			*ret_end = ph.p_offset + ph.p_filesz;
		if (ph.p_type == PT_NOTE && ph.p_filesz <= there)
			core_read_notes(c, &ph);
		if (ph.p_type != PT_LOAD || c->n_segments >= CORE_MAX_MAPS)
			continue;
		ARRAY_GROW(c->segments, c->n_segments, c->cap_segments);
		c->segments[c->n_segments++] = (struct segment){.start = ph.p_vaddr,
			.len = ph.p_memsz,
			.offset = ph.p_offset,
			.size = ph.p_filesz < there ? ph.p_filesz : there,
			.is_code = ph.p_flags & PF_X};
	}
	if (c->n_segments)
		qsort(c->segments, c->n_segments, sizeof *c->segments, segment_compare);
}

static const char *machine_name(unsigned machine)
{
	static const struct {
		unsigned machine;
		const char *name;
	} rows[] = {{EM_386, "i386"}, {EM_AARCH64, "AArch64"}, {EM_ARM, "ARM"},
		{EM_RISCV, "RISC-V"}, {EM_PPC64, "PowerPC"}, {EM_S390, "S/390"}, {EM_MIPS, "MIPS"}};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (rows[i].machine == machine)
			return rows[i].name;
	return NULL;
}

static const char *packed_by(int fd)
{
	static const struct {
		unsigned char magic[4];
		const char *tool;
	} rows[] = {{{0x28, 0xb5, 0x2f, 0xfd}, "zstd"}, {{0xfd, '7', 'z', 'X'}, "xz"},
		{{0x04, 0x22, 0x4d, 0x18}, "lz4"}, {{0x1f, 0x8b, 0x08, 0x00}, "gzip"}};
	unsigned char magic[4];

	if (pread(fd, magic, sizeof magic, 0) != sizeof magic)
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (!memcmp(magic, rows[i].magic, i == 3 ? 3 : 4))
			return rows[i].tool;
	return NULL;
}

/* Checks that it is a core of this architecture. */
static int check_kind(struct core *c, const char *path, struct buf *why)
{
	GElf_Ehdr eh;
	const char *packed = packed_by(c->fd);

	buf_add_printable(why, path, strlen(path));
	if (packed) {
		buf_addf(why, " is compressed: unpack it first (%s -d)", packed);
		return -EINVAL;
	}
	if (!c->elf || elf_kind(c->elf) != ELF_K_ELF || !gelf_getehdr(c->elf, &eh) ||
		eh.e_type != ET_CORE) {
		buf_adds(why, " is no core file");
		return -EINVAL;
	}
	if (ARCH_HAS_CORES && eh.e_machine == ARCH_ELF_MACHINE &&
		gelf_getclass(c->elf) == ELFCLASS64) {
		buf_reset(why);
		return 0;
	}
	if (machine_name(eh.e_machine))
		buf_addf(why,
			" is the core of a program for %s, of another architecture than cores that can be read here (x86-64)",
			machine_name(eh.e_machine));
	else
		buf_addf(why,
			" is the core of a program for machine %u, of another architecture than cores that can be read here (x86-64)",
			(unsigned)eh.e_machine);
	return -ENOTSUP;
}

static int check_content(
	struct core *c, const char *path, uint64_t end, struct buf *blind, struct buf *why)
{
	if (!c->p.n_threads) {
		buf_add_printable(why, path, strlen(path));
		buf_adds(why, end > c->size ? " is truncated before its list of threads"
					    : " has no threads");
		return -EINVAL;
	}
	if (!c->p.pid)
		c->p.pid = c->p.threads[0].tid;
	c->p.signo = c->p.threads[0].signo;
	if (end > c->size)
		buf_addf(blind,
			"The core is truncated (%llu of %llu bytes are there): what was in the rest of its memory is not known.\n",
			(unsigned long long)c->size, (unsigned long long)end);
	return 0;
}

int core_open(
	const char *path, const char *exe, struct core **ret, struct buf *blind, struct buf *why)
{
	struct core *c = xcalloc(1, sizeof *c);
	struct stat st;
	uint64_t end;
	int rc;

	c->fd = authority_open(path, INT64_MAX);
	rc = c->fd < 0 ? c->fd : fstat(c->fd, &st) != 0 ? -errno : 0;
	/* It says the same of what is no file and of what may not be read. */
	if (rc == -EACCES && stat(path, &st) == 0 && !S_ISREG(st.st_mode))
		rc = -EINVAL;
	if (rc) {
		buf_adds(why, "cannot read the core ");
		buf_add_printable(why, path, strlen(path));
		buf_addf(why, ": %s", rc == -EINVAL ? "it is no regular file" : strerror(-rc));
		core_free(c);
		return rc;
	}
	c->size = (uint64_t)st.st_size;
	if (elf_version(EV_CURRENT) != EV_NONE)
		c->elf = elf_begin(c->fd, ELF_C_READ, NULL);
	rc = check_kind(c, path, why);
	if (rc == 0) {
		read_headers(c, &end);
		rc = check_content(c, path, end, blind, why);
	}
	if (rc) {
		core_free(c);
		return rc;
	}
	core_open_files(c, exe);
	core_note_files(c, exe != NULL, blind);
	*ret = c;
	return 0;
}
