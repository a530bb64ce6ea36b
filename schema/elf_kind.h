/* elf_kind.h - what a program file is: its ELF class, its interpreter, or the script's. */
/* SPDX-License-Identifier: MIT */
#ifndef SCHEMA_ELF_KIND_H
#define SCHEMA_ELF_KIND_H

#include <elf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/arch.h"

/*
 * Static functions that neither allocate nor call the system: the preload
 * library uses them in signal handlers and between vfork and exec, with a
 * reader of its own.
 */
enum elf_kind {
	ELF_DYNAMIC,    /* of our class and machine; interp is its program interpreter */
	ELF_SCRIPT,     /* interp is the program that reads it */
	ELF_OTHER_KIND, /* another class, byte order or machine */
	ELF_STATIC,     /* no program interpreter */
	ELF_NONE        /* neither, or it cannot be read */
};

enum { ELF_INTERP_MAX = 256 };

/* Reads up to n bytes at offset at; returns how many, or a negative number. */
typedef long elf_read(void *arg, void *buf, size_t n, uint64_t at);

/* "#!/bin/sh -e": the interpreter's path. */
static inline enum elf_kind elf_kind_script(const char *line, size_t len, char *interp)
{
	size_t i = 2, n = 0;

	while (i < len && (line[i] == ' ' || line[i] == '\t'))
		i++;
	while (i < len && n < ELF_INTERP_MAX - 1 && line[i] && line[i] != ' ' && line[i] != '\t' &&
		line[i] != '\n')
		interp[n++] = line[i++];
	interp[n] = '\0';
	return n ? ELF_SCRIPT : ELF_NONE;
}

/* Says what a file is; interp has room for ELF_INTERP_MAX bytes. */
static inline enum elf_kind elf_kind_read(elf_read *read, void *arg, char *interp)
{
	union {
		Elf64_Ehdr e;
		char bytes[ELF_INTERP_MAX];
	} h;
	long got = read(arg, h.bytes, sizeof h.bytes, 0);

	interp[0] = '\0';
	if (got > 2 && h.bytes[0] == '#' && h.bytes[1] == '!')
		return elf_kind_script(h.bytes, (size_t)got, interp);
	if (got < (long)sizeof h.e || memcmp(h.e.e_ident, ELFMAG, SELFMAG) != 0)
		return ELF_NONE;
	if (h.e.e_machine != ARCH_ELF_MACHINE)
		return ELF_OTHER_KIND;
	if (h.e.e_ident[EI_CLASS] != ELFCLASS64 || h.e.e_phentsize != sizeof(Elf64_Phdr))
		return ELF_OTHER_KIND;
	for (unsigned i = 0; i < h.e.e_phnum; i++) {
		Elf64_Phdr p;

		if (read(arg, &p, sizeof p, h.e.e_phoff + i * sizeof p) != (long)sizeof p)
			return ELF_NONE;
		if (p.p_type != PT_INTERP)
			continue;
		if (p.p_filesz == 0 || p.p_filesz > ELF_INTERP_MAX ||
			read(arg, interp, p.p_filesz, p.p_offset) != (long)p.p_filesz)
			return ELF_NONE;
		interp[p.p_filesz - 1] = '\0';
		return ELF_DYNAMIC;
	}
	return ELF_STATIC;
}

#endif
