/* module.c - one ELF file: its functions, variables, source lines and unwind tables. */
/* SPDX-License-Identifier: MIT */
#include "tracer/symbols/module.h"

#include <elfutils/libdw.h>
#include <elfutils/libdwelf.h>
#include <fcntl.h>
#include <gelf.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/section.h"
#include "tracer/authority/authority.h"
#include "tracer/symbols/line.h"
#include "tracer/symbols/part.h"
#include "tracer/symbols/table.h"

struct module {
	char *path;
	int fd, debug_fd;
	struct stat identity; /* of a file that module_release closed */
	bool is_released, is_parsed, has_dwarf, is_static;
	Elf *elf, *debug_elf;
	Dwarf *dwarf;
	Dwarf_CFI *cfi;
	bool has_cfi;
	struct lines *lines;
	struct parts *parts;
	struct symtab functions, variables;
	uint64_t low, high; /* what the file occupies */
};

enum {
	MODULE_MAX_SYMBOLS = 4 * 1000 * 1000, /* of a hostile or absurd file no more is read */
	MODULE_WALK_BACK = 32 /* symbols before an address that may still cover it */
};

struct module *module_new(int fd, const char *path)
{
	struct module *m = xcalloc(1, sizeof *m);

	m->path = xstrdup(path);
	m->fd = fd;
	m->debug_fd = -1;
	return m;
}

void module_free(struct module *m)
{
	if (!m)
		return;
	symtab_done(&m->functions);
	symtab_done(&m->variables);
	lines_free(m->lines);
	parts_free(m->parts);
	if (m->cfi)
		(void)dwarf_cfi_end(m->cfi);
	if (m->dwarf)
		(void)dwarf_end(m->dwarf);
	if (m->debug_elf)
		(void)elf_end(m->debug_elf);
	if (m->elf)
		(void)elf_end(m->elf);
	mem_cleanup_close(&m->fd);
	mem_cleanup_close(&m->debug_fd);
	free(m->path);
	free(m);
}

const char *module_path(const struct module *m)
{
	return m->path;
}

bool module_release(struct module *m)
{
	if (m->is_parsed || m->fd < 0 || fstat(m->fd, &m->identity) != 0)
		return false;
	mem_cleanup_close(&m->fd);
	m->fd = -1;
	m->is_released = true;
	return true;
}

/* Opens a released file again, if its path still leads to the same one. */
static void reopen(struct module *m)
{
	struct stat st;

	m->fd = authority_open(m->path, AUTHORITY_MODULE_MAX);
	if (m->fd < 0)
		return;
	if (fstat(m->fd, &st) == 0 && st.st_dev == m->identity.st_dev &&
		st.st_ino == m->identity.st_ino && st.st_size == m->identity.st_size &&
		st.st_mtim.tv_sec == m->identity.st_mtim.tv_sec &&
		st.st_mtim.tv_nsec == m->identity.st_mtim.tv_nsec)
		return;
	(void)close(m->fd);
	m->fd = -1;
}

static void read_section(struct module *m, Elf *elf, Elf_Scn *scn, const GElf_Shdr *sh)
{
	Elf_Data *data = elf_getdata(scn, NULL);
	size_t n = sh->sh_entsize ? sh->sh_size / sh->sh_entsize : 0;

	for (size_t i = 1; data && i < n && i < MODULE_MAX_SYMBOLS; i++) {
		const char *name;
		GElf_Sym s;

		if (!gelf_getsym(data, (int)i, &s) || s.st_shndx == SHN_UNDEF || !s.st_value)
			continue;
		name = elf_strptr(elf, sh->sh_link, s.st_name);
		if (!name || !*name)
			continue;
		switch (GELF_ST_TYPE(s.st_info)) {
		case STT_FUNC:
		case STT_GNU_IFUNC:
			symtab_add(&m->functions, &s, name);
			break;
		case STT_OBJECT:
		case STT_COMMON:
			symtab_add(&m->variables, &s, name);
			break;
		default:
			break;
		}
	}
}

static bool read_symbols(struct module *m, Elf *elf, unsigned type)
{
	Elf_Scn *scn = NULL;
	bool found = false;

	while ((scn = elf_nextscn(elf, scn)) != NULL) {
		GElf_Shdr sh;

		if (gelf_getshdr(scn, &sh) && sh.sh_type == type) {
			read_section(m, elf, scn, &sh);
			found = true;
		}
	}
	return found;
}

/* Opens the separate file of debugging information, which distributions install under its build-id. */
static void open_debug_file(struct module *m)
{
	const unsigned char *id;
	const void *bits = NULL;
	char path[256], *p = path;
	ssize_t len = dwelf_elf_gnu_build_id(m->elf, &bits);

	if (len < 3 || len > 64)
		return;
	id = bits;
	p += snprintf(p, sizeof path, "/usr/lib/debug/.build-id/%02x/", id[0]);
	for (ssize_t i = 1; i < len; i++)
		p += snprintf(p, 3, "%02x", id[i]);
	(void)snprintf(p, 8, ".debug");
	m->debug_fd = authority_open(path, AUTHORITY_MODULE_MAX);
	if (m->debug_fd >= 0)
		m->debug_elf = elf_begin(m->debug_fd, ELF_C_READ, NULL);
}

/* A static PIE has no interpreter, as a library has none: a flag tells them apart. */
static bool is_pie(Elf *elf)
{
	Elf_Scn *scn = NULL;

	while ((scn = elf_nextscn(elf, scn)) != NULL) {
		Elf_Data *data;
		GElf_Shdr sh;
		GElf_Dyn dyn;

		if (!gelf_getshdr(scn, &sh) || sh.sh_type != SHT_DYNAMIC)
			continue;
		data = elf_getdata(scn, NULL);
		for (int i = 0; data && gelf_getdyn(data, i, &dyn) && dyn.d_tag != DT_NULL; i++)
			if (dyn.d_tag == DT_FLAGS_1 && (dyn.d_un.d_val & DF_1_PIE))
				return true;
	}
	return false;
}

static void read_extent(struct module *m)
{
	bool has_interp = false, has_dynamic = false;
	size_t n = 0;
	GElf_Ehdr eh;

	m->low = UINT64_MAX;
	if (elf_getphdrnum(m->elf, &n) != 0)
		n = 0;
	for (size_t i = 0; i < n; i++) {
		GElf_Phdr ph;

		if (!gelf_getphdr(m->elf, (int)i, &ph))
			continue;
		has_interp |= ph.p_type == PT_INTERP;
		has_dynamic |= ph.p_type == PT_DYNAMIC;
		if (ph.p_type != PT_LOAD)
			continue;
		if (ph.p_vaddr < m->low)
			m->low = ph.p_vaddr;
		if (ph.p_vaddr + ph.p_memsz > m->high)
			m->high = ph.p_vaddr + ph.p_memsz;
	}
	m->is_static = !has_interp && gelf_getehdr(m->elf, &eh) &&
		       (eh.e_type == ET_EXEC || (has_dynamic && is_pie(m->elf)));
}

static bool parse(struct module *m)
{
	if (m->is_parsed)
		return m->elf != NULL;
	m->is_parsed = true;
	if (m->is_released)
		reopen(m);
	if (m->fd < 0 || elf_version(EV_CURRENT) == EV_NONE)
		return false;
	/* Not mapped: a file that shrinks would end pptrace with SIGBUS. */
	m->elf = elf_begin(m->fd, ELF_C_READ, NULL);
	if (m->elf && elf_kind(m->elf) != ELF_K_ELF) {
		(void)elf_end(m->elf);
		m->elf = NULL;
	}
	if (!m->elf)
		return false;
	read_extent(m);
	if (!section_find(m->elf, ".debug_info"))
		open_debug_file(m);
	if (!read_symbols(m, m->elf, SHT_SYMTAB) &&
		!(m->debug_elf && read_symbols(m, m->debug_elf, SHT_SYMTAB)))
		(void)read_symbols(m, m->elf, SHT_DYNSYM);
	symtab_sort(&m->functions);
	symtab_sort(&m->variables);
	return true;
}

static struct lines *module_lines(struct module *m)
{
	if (!parse(m))
		return NULL;
	if (!m->has_dwarf) {
		m->has_dwarf = true;
		m->dwarf =
			dwarf_begin_elf(m->debug_elf ? m->debug_elf : m->elf, DWARF_C_READ, NULL);
		if (m->dwarf) {
			m->lines = lines_new(m->dwarf);
			m->parts = parts_new(m->dwarf);
		}
	}
	return m->lines;
}

bool module_vaddr(struct module *m, uint64_t offset, uint64_t *ret)
{
	size_t n = 0;

	if (!parse(m) || elf_getphdrnum(m->elf, &n) != 0)
		return false;
	for (size_t i = 0; i < n; i++) {
		GElf_Phdr ph;
		uint64_t page = offset & ~0xfffull;

		if (!gelf_getphdr(m->elf, (int)i, &ph) || ph.p_type != PT_LOAD ||
			!(ph.p_flags & PF_X))
			continue;
		if (page >= (ph.p_offset & ~0xfffull) && page < ph.p_offset + ph.p_filesz) {
			*ret = ph.p_vaddr - ph.p_offset + offset;
			return true;
		}
	}
	return false;
}

bool module_covers(struct module *m, uint64_t vaddr)
{
	return parse(m) && vaddr >= m->low && vaddr < m->high;
}

const char *module_function(struct module *m, uint64_t vaddr, uint64_t *ret_start)
{
	struct sym *s = parse(m) ? symtab_find(&m->functions, vaddr) : NULL;

	if (!s)
		return NULL;
	*ret_start = s->start;
	return symtab_shown(s);
}

char *module_variable(struct module *m, uint64_t vaddr)
{
	struct sym *s = parse(m) ? symtab_find(&m->variables, vaddr) : NULL;
	_cleanup_buf_ struct buf b = BUF_INIT;
	int64_t rest = -1;

	if (!s)
		return NULL;
	buf_adds(&b, symtab_shown(s));
	if (module_lines(m))
		rest = parts_find(m->parts, s->start, vaddr - s->start, &b);
	if (rest < 0)
		rest = (int64_t)(vaddr - s->start);
	if (rest)
		buf_addf(&b, "+%" PRId64, rest);
	return buf_steal(&b);
}

bool module_lookup(struct module *m, const char *name, uint64_t *ret)
{
	return parse(m) &&
	       (symtab_lookup(&m->variables, name, ret) || symtab_lookup(&m->functions, name, ret));
}

bool module_line(struct module *m, uint64_t vaddr, const char **ret_file, int *ret_line)
{
	struct lines *l = module_lines(m);

	return l && lines_find(l, vaddr, ret_file, ret_line);
}

size_t module_places(struct module *m, uint64_t vaddr, struct line_place *ret, size_t max)
{
	struct lines *l = module_lines(m);

	return l ? lines_places(l, vaddr, ret, max) : 0;
}

bool module_has_debug(struct module *m, uint64_t vaddr, bool *ret_any)
{
	struct lines *l = module_lines(m);

	*ret_any = l && lines_any(l);
	return l && lines_covers(l, vaddr);
}

bool module_is_static(struct module *m)
{
	return parse(m) && m->is_static;
}

Dwarf_CFI *module_cfi(struct module *m)
{
	if (!parse(m))
		return NULL;
	if (!m->has_cfi) {
		m->has_cfi = true;
		m->cfi = dwarf_getcfi_elf(m->elf);
	}
	/* Go, and code built without exceptions, has tables for debuggers alone. */
	if (!m->cfi && module_lines(m))
		return dwarf_getcfi(m->dwarf);
	return m->cfi;
}
