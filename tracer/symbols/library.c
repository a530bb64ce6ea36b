/* library.c - which code is a library's and not the program's own. */
/* SPDX-License-Identifier: MIT */
#include "tracer/symbols/symbols.h"

#include "base/hash.h"
#include "base/mem.h"
#include "base/source.h"
#include "tracer/symbols/line.h"
#include "tracer/symbols/maps.h"
#include "tracer/symbols/module.h"

static bool has_prefix_of(const char *name, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!strncmp(name, list[i], strlen(list[i])))
			return true;
	return false;
}

/* In a static program the library is recognised by its names, and by having no debugging information where the program has some. */
static bool is_library_function(struct module *m, uint64_t vaddr)
{
	static const char *const prefixes[] = {"__", "_IO_", "pthread_", "sem_", "mtx_", "cnd_",
		"thrd_", "std::", "futex_", "runtime.", "runtime/internal/", "internal/poll.",
		"sync.", "syscall.", "internal/", "os.(*File)", "os.(*Process)"};
	uint64_t start;
	const char *name = module_function(m, vaddr, &start);
	bool any;

	if (name && has_prefix_of(name, prefixes, ARRAY_SIZE(prefixes)))
		return true;
	return !module_has_debug(m, vaddr, &any) && any;
}

/* Code of a language's library that is put into the program: C++'s by its headers or statically, Rust's by the linker. */
static bool is_language_function(const char *name)
{
	static const char *const prefixes[] = {"std::", "__gthread_", "__gnu_cxx::", "void std::",
		"core::", "alloc::", "<std::", "<core::", "<alloc::", "__rust_", "__cxa_",
		"execute_native_thread_routine"};

	return name && has_prefix_of(name, prefixes, ARRAY_SIZE(prefixes));
}

/*
 * Says whether the code at vaddr is a library's, not the program's own: a thread's
 * function that is a lambda is often part of one that the library made for it.
 */
static bool is_language_code(struct module *m, uint64_t vaddr)
{
	uint64_t start;
	const char *file;
	int line;
	bool has_line = module_line(m, vaddr, &file, &line);

	const char *name = module_function(m, vaddr, &start);

	if (has_line && lines_is_library(file))
		return true;
	/* The C library's start-up code (crt1.o) is linked into every program. */
	if (name && !has_line && !strcmp(name, "_start"))
		return true;
	return is_language_function(name) && (!has_line || source_is_header(file));
}

static const struct map *map_before(struct symbols *s, int64_t process, uint64_t addr)
{
	const struct maps *m = symbols_maps(s, process);

	return m && addr ? maps_find(m, addr - 1) : NULL;
}

static bool is_library_map(const struct map *map, uint64_t addr)
{
	uint64_t vaddr;

	if (symbols_is_library_file(module_path(map->module)))
		return true;
	return symbols_map_vaddr(map, addr, &vaddr) && module_is_static(map->module) &&
	       is_library_function(map->module, vaddr - 1);
}

bool symbols_is_compiled_library(struct symbols *s, int64_t process, uint64_t addr)
{
	const struct map *map = map_before(s, process, addr);

	return map && is_library_map(map, addr);
}

/* Node's own JavaScript is called "node:internal/...". */
static bool is_javascript_library(struct symbols *s, int64_t process, uint64_t addr)
{
	struct symbol symbol;

	return symbols_code(s, process, addr, true, &symbol) && symbol.file &&
	       !strncmp(symbol.file, "node:", 5);
}

bool symbols_is_library(struct symbols *s, int64_t process, uint64_t addr)
{
	enum { UNKNOWN, OWN, LIBRARY };
	const struct map *map = map_before(s, process, addr);
	struct hash *known = symbols_libraries(s);
	uint64_t vaddr, key;
	intptr_t what;

	if (!map)
		return is_javascript_library(s, process, addr);
	if (!symbols_map_vaddr(map, addr, &vaddr))
		return is_library_map(map, addr);
	key = hash_mix((uintptr_t)map->module, vaddr, 2);
	what = (intptr_t)hash_get(known, key);
	if (what == UNKNOWN) {
		what = is_library_map(map, addr) || is_language_code(map->module, vaddr - 1)
			       ? LIBRARY
			       : OWN;
		(void)hash_set(known, key, (void *)what);
	}
	return what == LIBRARY;
}

bool symbols_is_library_source(const char *file)
{
	return lines_is_library(file) || source_is_header(file);
}
