/* dwarf_text.c - names in debugging information that may be damaged. */
/* SPDX-License-Identifier: MIT */
#include "tracer/symbols/dwarf_text.h"

#include <gelf.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* Says whether a text lies in a section with debugging information, and ends there. */
static bool ends(Elf *elf, const char *text)
{
	uintptr_t at = (uintptr_t)text;

	for (Elf_Scn *scn = elf_nextscn(elf, NULL); scn; scn = elf_nextscn(elf, scn)) {
		GElf_Shdr header;
		const Elf_Data *data;
		uintptr_t begin;

		if (!gelf_getshdr(scn, &header) || header.sh_type != SHT_PROGBITS ||
			header.sh_flags & SHF_ALLOC)
			continue;
		data = elf_getdata(scn, NULL);
		begin = data ? (uintptr_t)data->d_buf : 0;
		if (begin && at >= begin && at - begin < data->d_size)
			return memchr(text, 0, data->d_size - (at - begin)) != NULL;
	}
	return false;
}

const char *dwarf_text(Dwarf_Die *die, unsigned attribute)
{
	Dwarf_Attribute attr;
	const char *text = dwarf_formstring(dwarf_attr_integrate(die, attribute, &attr));
	Dwarf *dwarf = text ? dwarf_cu_getdwarf(attr.cu) : NULL;

	if (!text)
		return NULL;
	if (ends(dwarf_getelf(dwarf), text))
		return text;
	/* What several files have in common may be in another one (dwz). */
	dwarf = dwarf_getalt(dwarf);
	return dwarf && ends(dwarf_getelf(dwarf), text) ? text : NULL;
}
