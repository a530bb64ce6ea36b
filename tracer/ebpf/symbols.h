/* symbols.h - where the lock functions lie in a program or library file. */
/* SPDX-License-Identifier: MIT */
#ifndef TRACER_EBPF_SYMBOLS_H
#define TRACER_EBPF_SYMBOLS_H

#include <stddef.h>
#include <stdint.h>

/* One function: its offset in the file and the cookie (LOCK_COOKIE) that its uprobe carries. */
struct lock_symbol {
	uint64_t offset;
	uint64_t cookie;
};

/*
 * Finds the functions in an ELF file: the default versions of what a library
 * exports, or what a static program's symbol table holds. Each place is named
 * once. Returns how many (at most max), or -errno if the file cannot be read.
 */
int lock_symbols_find(int fd, struct lock_symbol *ret, size_t max);

#endif
