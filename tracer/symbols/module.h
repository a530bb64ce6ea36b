/* module.h - one ELF file: its functions, variables, source lines and unwind tables. */
/* SPDX-License-Identifier: MIT */
#ifndef TRACER_SYMBOLS_MODULE_H
#define TRACER_SYMBOLS_MODULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The file is opened at once, so that it can be read after its process and its
 * path are gone, and parsed only when the first question about it comes. Addresses are
 * those of the file itself (as its program headers number them).
 */
struct module;
struct Dwarf_CFI_s;

/*
 * Returns a module for the open file fd, which the module then owns; path is
 * what people see. fd -1: nothing but the path is known. Freed with module_free.
 */
struct module *module_new(int fd, const char *path);
void module_free(struct module *m);

const char *module_path(const struct module *m);

/* Closes the descriptor of a module that nobody has asked about; false if it has been parsed, or is closed. */
bool module_release(struct module *m);

/* Sets *ret to the file's address of the byte at offset of the file, if that is part of its code. */
bool module_vaddr(struct module *m, uint64_t offset, uint64_t *ret);

/* Says whether vaddr lies in what the file occupies in memory. */
bool module_covers(struct module *m, uint64_t vaddr);

/* Returns the name of the function at vaddr, demangled, or NULL; *ret_start its first address. Valid as long as the module. */
const char *module_function(struct module *m, uint64_t vaddr, uint64_t *ret_start);

/*
 * Returns the variable at vaddr, demangled, with what of it lies there:
 * "table[2].lock" where there is debugging information, else "table+96"; NULL
 * if there is none. The caller frees it.
 */
char *module_variable(struct module *m, uint64_t vaddr);

/* Sets *ret to the value of the function or variable with this raw name. */
bool module_lookup(struct module *m, const char *name, uint64_t *ret);

/*
 * Finds the source line of vaddr; of code inlined from a system's header the
 * line that called it. The file's name is valid as long as the module.
 */
bool module_line(struct module *m, uint64_t vaddr, const char **ret_file, int *ret_line);

/* Fills up to max places in the source that vaddr stands for, the innermost inlined function first; returns how many. The texts live as long as the module. */
struct line_place;
size_t module_places(struct module *m, uint64_t vaddr, struct line_place *ret, size_t max);

/* Says whether vaddr has debugging information at all (that of a program, not of a stripped library inside it). */
bool module_has_debug(struct module *m, uint64_t vaddr, bool *ret_any);

/* Says whether the file is a program without interpreter, with its C library inside. */
bool module_is_static(struct module *m);

/* Returns the unwind tables (.eh_frame or .debug_frame), or NULL; they use the file's addresses. */
struct Dwarf_CFI_s *module_cfi(struct module *m);

#endif
