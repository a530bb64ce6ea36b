/* section.c - the sections of an ELF file, by their names. */
/* SPDX-License-Identifier: MIT */
#include "base/section.h"

#include <gelf.h>
#include <string.h>

Elf_Scn *section_find(Elf *elf, const char *name)
{
	Elf_Scn *section = NULL;
	size_t names;

	if (elf_getshdrstrndx(elf, &names) != 0)
		return NULL;
	while ((section = elf_nextscn(elf, section)) != NULL) {
		GElf_Shdr head;
		const char *its =
			gelf_getshdr(section, &head) ? elf_strptr(elf, names, head.sh_name) : NULL;

		if (its && !strcmp(its, name))
			return section;
	}
	return NULL;
}
