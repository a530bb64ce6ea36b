/* table.h - the functions or the variables of a file, by address. */
/* SPDX-License-Identifier: MIT */
#ifndef TRACER_SYMBOLS_TABLE_H
#define TRACER_SYMBOLS_TABLE_H

#include <gelf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"

/* One function or variable. name points into the file's string table, shown is its readable form. */
struct sym {
	uint64_t start;
	uint64_t size; /* 0: not known, up to the next one */
	const char *name;
	char *shown;
	bool is_global;
};

struct symtab {
	struct sym *list;
	size_t len, cap;
	unsigned asked;      /* how often a name was looked up; often: */
	struct hash by_name; /* 1 + the index of the first symbol of a name, by its hash */
};

/* Adds a symbol; its name must live as long as the table. */
void symtab_add(struct symtab *t, const GElf_Sym *s, const char *name);

/* To be called once, after the last symtab_add. */
void symtab_sort(struct symtab *t);

/* Returns the symbol that covers vaddr by the name a person would use, or NULL. */
struct sym *symtab_find(struct symtab *t, uint64_t vaddr);

/* Returns its readable name; it belongs to the table. */
const char *symtab_shown(struct sym *s);

/* Sets *ret to the address of the symbol with this raw name. */
bool symtab_lookup(struct symtab *t, const char *name, uint64_t *ret);

/* Frees what the table holds. */
void symtab_done(struct symtab *t);

/* Returns a name of C++ or Rust in readable form, which the caller frees, or NULL if it is not one. In demangle.c. */
char *symtab_demangle(const char *name);

#endif
