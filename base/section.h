/* section.h - the sections of an ELF file, by their names. */
/* SPDX-License-Identifier: MIT */
#ifndef BASE_SECTION_H
#define BASE_SECTION_H

#include <libelf.h>

/* Returns the section of that name, which belongs to elf; or NULL: there is none, or the file is broken. */
Elf_Scn *section_find(Elf *elf, const char *name);

#endif
