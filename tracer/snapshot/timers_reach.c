/* timers_reach.c - whether a program can arm an interval timer at all. */
/* SPDX-License-Identifier: MIT */
/*
 * Where the kernel's timers may not be read, the program still can be: one that
 * neither calls alarm, ualarm or setitimer itself nor has a library loaded that does
 * has armed none since it was executed.
 */
#include "tracer/snapshot/snapshot.h"

#include <elf.h>
#include <fcntl.h>
#include <gelf.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/mem.h"
#include "tracer/authority/authority.h"
#include "tracer/symbols/symbols.h"

enum { MAX_SYMBOLS = 4 * 1000 * 1000 };

static bool is_timer_call(const char *name)
{
	static const char *const names[] = {"alarm", "ualarm", "setitimer"};
	size_t len = strcspn(name, "@");

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strlen(names[i]) == len && !strncmp(name, names[i], len))
			return true;
	return false;
}

static bool section_has_call(Elf *elf, Elf_Scn *scn, const GElf_Shdr *sh)
{
	Elf_Data *data = elf_getdata(scn, NULL);
	size_t n = sh->sh_entsize ? sh->sh_size / sh->sh_entsize : 0;

	for (size_t i = 1; data && i < n && i < MAX_SYMBOLS; i++) {
		const char *name;
		GElf_Sym s;

		if (!gelf_getsym(data, (int)i, &s))
			continue;
		name = elf_strptr(elf, sh->sh_link, s.st_name);
		if (name && is_timer_call(name))
			return true;
	}
	return false;
}

/* Says whether the file needs others, whose functions it then must name. */
static bool section_needs(Elf_Scn *scn, const GElf_Shdr *sh)
{
	Elf_Data *data = elf_getdata(scn, NULL);
	size_t n = sh->sh_entsize ? sh->sh_size / sh->sh_entsize : 0;
	GElf_Dyn dyn;

	for (size_t i = 0; data && i < n && i < MAX_SYMBOLS && gelf_getdyn(data, (int)i, &dyn); i++)
		if (dyn.d_tag == DT_NEEDED)
			return true;
	return false;
}

/* Says whether a file may call one of them: its symbols name it, or cannot name all that it calls. */
static bool file_may_call(pid_t pid, const char *path, uint64_t inode)
{
	_cleanup_close_ int fd = authority_open_inside(pid, path, AUTHORITY_MODULE_MAX);
	bool found = false, is_told = false;
	Elf_Scn *scn = NULL;
	struct stat st;
	Elf *elf;

	/* Another file may lie there by now. */
	if (fd < 0 || fstat(fd, &st) != 0 || st.st_ino != inode)
		return true;
	(void)elf_version(EV_CURRENT);
	/* Not mapped: a file that shrinks would end pptrace with SIGBUS. */
	elf = elf_begin(fd, ELF_C_READ, NULL);
	while (elf && !found && (scn = elf_nextscn(elf, scn)) != NULL) {
		GElf_Shdr sh;

		if (!gelf_getshdr(scn, &sh))
			continue;
		if (sh.sh_type == SHT_DYNAMIC)
			is_told |= section_needs(scn, &sh);
		if (sh.sh_type == SHT_SYMTAB)
			is_told = true;
		if (sh.sh_type == SHT_DYNSYM || sh.sh_type == SHT_SYMTAB)
			found = section_has_call(elf, scn, &sh);
	}
	if (elf)
		(void)elf_end(elf);
	return found || !is_told;
}

/* The file of a mapping as that process sees it, unless it is the C library's own. */
static bool mapping_may_call(pid_t pid, const char *path, uint64_t inode)
{
	return !symbols_is_library_file(path) && file_may_call(pid, path, inode);
}

bool timers_possible(pid_t pid)
{
	_cleanup_free_ char *maps = xasprintf("/proc/%d/maps", (int)pid), *line = NULL;
	_cleanup_fclose_ FILE *f = fopen(maps, "re");
	struct hash seen = {0};
	bool possible = !f;
	size_t cap = 0;

	while (f && !possible && getline(&line, &cap, f) > 0) {
		char perms[5];
		uint64_t inode;
		int n = 0;

		if (sscanf(line, "%*x-%*x %4s %*x %*x:%*x %" SCNu64 " %n", perms, &inode, &n) !=
				2 ||
			perms[2] != 'x')
			continue;
		line[n + (int)strcspn(line + n, "\n")] = '\0';
		/* Code that is in no file was made at run time: what it calls is not known. */
		if (inode == 0)
			possible = line[n] != '[';
		else if (!hash_set(&seen, inode, f))
			possible = mapping_may_call(pid, line + n, inode);
	}
	hash_done(&seen);
	return possible;
}
