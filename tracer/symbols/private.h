/* private.h - what symbols.c and processes.c know together. */
/* SPDX-License-Identifier: MIT */
#ifndef TRACER_SYMBOLS_PRIVATE_H
#define TRACER_SYMBOLS_PRIVATE_H

#include "base/hash.h"
#include "tracer/symbols/module.h"
#include "tracer/symbols/symbols.h"

/* A file as the kernel identifies it; processes that map the same one share its module. */
struct file {
	uint64_t dev, inode, size, mtime_ns;
	struct module *module;
};

/* An address that was looked up. */
struct cached {
	struct symbol symbol;
	uint64_t vaddr, start;
	struct module *module;
	bool is_return;
	struct symbol *inlined; /* callers of it that are only in the source, NULL: not asked for */
	size_t n_inlined;
	struct cached *next; /* other addresses with the same hash */
};

struct symbols {
	struct authority *authority;
	struct hash processes; /* process key to struct maps */
	struct hash files;     /* mixed identity to struct file */
	struct hash unknown;   /* hash of a path that could not be opened, to struct file */
	struct hash deleted;   /* hash of the path of a file that was removed, to its module */
	struct hash cache;     /* mixed module and address to struct cached */
	struct hash frames;    /* mixed module and address to Dwarf_Frame */
	struct hash libraries; /* mixed module and address to whether that is a library's code */
	struct hash jits;      /* process key to struct jit */
	struct file **fresh;   /* opened and not looked at, oldest first */
	size_t n_fresh, cap_fresh;
};

#endif
