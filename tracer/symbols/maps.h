/* maps.h - which file is mapped where in a process. */
/* SPDX-License-Identifier: MIT */
#ifndef TRACER_SYMBOLS_MAPS_H
#define TRACER_SYMBOLS_MAPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct hash;
struct module;
struct symbols;

struct map {
	uint64_t start, len, offset;
	uint64_t inode; /* 0: not known */
	struct module *module;
};

/* Executable memory that no file is mapped to: code that the program made itself. */
struct made_code {
	uint64_t start, len;
};

/* The executable mappings of a process, by address. Processes share them from fork until one of them changes. */
struct maps {
	unsigned refs;
	struct map *list;
	size_t len, cap;
	struct made_code *made;
	size_t n_made, cap_made;
};

/* Returns m with one reference more. */
struct maps *maps_ref(struct maps *m);

/* Drops one reference; the last one frees m. Accepts NULL. */
void maps_unref(struct maps *m);

/* Returns mappings that only the caller refers to: m itself, or a copy upon which m has lost a reference; m NULL: new ones. */
struct maps *maps_own(struct maps *m);

/* Adds a mapping; what it covers is replaced. */
void maps_add(struct maps *m, uint64_t start, uint64_t len, uint64_t offset, struct module *module);

/* Notes the inode of the mapping that begins at start. */
void maps_set_inode(struct maps *m, uint64_t start, uint64_t inode);

/* Returns the mapping that covers addr, or NULL. */
const struct map *maps_find(const struct maps *m, uint64_t addr);

/* Replaces what is known of code that the program made itself: first maps_forget_made, then each piece. */
void maps_forget_made(struct maps *m);
void maps_add_made(struct maps *m, uint64_t start, uint64_t len);

/* Says whether addr lies in code that the program made itself. */
bool maps_is_made(const struct maps *m, uint64_t addr);

/* Says whether addr lies in code, be it of a file or not. */
bool maps_is_code(const struct maps *m, uint64_t addr);

/* Returns the table of unwind rules, each malloced and by hash_mix of module and address, that symbols keeps. */
struct hash *symbols_frames(struct symbols *s);

/* Returns the table of what is known of code: by hash_mix of module and address, whether it is a library's. library.c's. */
struct hash *symbols_libraries(struct symbols *s);

/* Sets *ret to the address in its file of an address of the mapping; false if the file could not be read. */
bool symbols_map_vaddr(const struct map *map, uint64_t addr, uint64_t *ret);

/* Returns the mappings of a process, or NULL; valid until the process's mappings change. */
const struct maps *symbols_maps(const struct symbols *s, int64_t process);

#endif
