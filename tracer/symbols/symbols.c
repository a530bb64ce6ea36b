/* symbols.c - addresses of traced programs as function, file and line. */
/* SPDX-License-Identifier: MIT */
#include "tracer/symbols/private.h"

#include "base/mem.h"
#include "tracer/symbols/jit.h"
#include "tracer/symbols/line.h"
#include "tracer/symbols/maps.h"

/* The file's own address of addr; false if the file could not be read. */
bool symbols_map_vaddr(const struct map *map, uint64_t addr, uint64_t *ret)
{
	uint64_t first;

	if (!module_vaddr(map->module, map->offset, &first))
		return false;
	*ret = first + (addr - map->start);
	return true;
}

static void resolve(struct cached *c)
{
	uint64_t at = c->is_return && c->vaddr ? c->vaddr - 1 : c->vaddr;

	c->symbol.module = module_path(c->module);
	c->symbol.offset = c->vaddr;
	c->symbol.function = module_function(c->module, at, &c->start);
	/* Lines of the C library are of no use to a reader, and finding them takes 0.1 s where its debugging information is installed. */
	if (symbols_is_library_file(c->symbol.module) ||
		!module_line(c->module, at, &c->symbol.file, &c->symbol.line)) {
		c->symbol.file = NULL;
		c->symbol.line = 0;
	}
}

static struct cached *lookup(
	struct symbols *s, struct module *module, uint64_t vaddr, bool is_return)
{
	uint64_t key = hash_mix((uintptr_t)module, vaddr, is_return);
	struct cached *first = hash_get(&s->cache, key), *c;

	for (c = first; c; c = c->next)
		if (c->module == module && c->vaddr == vaddr && c->is_return == is_return)
			return c;
	c = xcalloc(1, sizeof *c);
	c->module = module;
	c->vaddr = vaddr;
	c->is_return = is_return;
	c->next = first;
	resolve(c);
	(void)hash_set(&s->cache, key, c);
	return c;
}

/* Code that the program made itself: its address in memory, and the name that the program gave it, if any. */
static bool made_symbol(struct symbols *s, const struct maps *m, int64_t process, uint64_t addr,
	bool is_return, struct symbol *ret)
{
	struct jit *jit = hash_get(&s->jits, (uint64_t)process);
	const struct jit_place *place;

	if (!m || !addr || !maps_is_made(m, addr - is_return))
		return false;
	place = jit ? jit_find(jit, addr - is_return) : NULL;
	*ret = (struct symbol){.module = "JIT", .offset = addr};
	if (place) {
		ret->function = place->function;
		ret->file = place->file;
		ret->line = place->line;
	}
	return true;
}

bool symbols_code(
	struct symbols *s, int64_t process, uint64_t addr, bool is_return, struct symbol *ret)
{
	const struct maps *m = hash_get(&s->processes, (uint64_t)process);
	/* A call at the very end of a mapping returns to the byte behind it. */
	const struct map *map = m && addr ? maps_find(m, addr - is_return) : NULL;
	uint64_t vaddr;

	if (!map)
		return made_symbol(s, m, process, addr, is_return, ret);
	if (symbols_map_vaddr(map, addr, &vaddr))
		*ret = lookup(s, map->module, vaddr, is_return)->symbol;
	else
		*ret = (struct symbol){.module = module_path(map->module),
			.offset = map->offset + (addr - map->start)};
	return true;
}

/* Finds the places that one address stands for where calls were inlined. */
static void find_inlined(struct cached *c)
{
	struct line_place places[SYMBOLS_INLINED];
	uint64_t at = c->is_return && c->vaddr ? c->vaddr - 1 : c->vaddr;
	size_t n = symbols_is_library_file(c->symbol.module)
			   ? 0
			   : module_places(c->module, at, places, SYMBOLS_INLINED);

	c->n_inlined = n > 1 ? n : 1;
	c->inlined = xcalloc(c->n_inlined, sizeof *c->inlined);
	c->inlined[0] = c->symbol;
	for (size_t i = 0; n > 1 && i < n; i++) {
		c->inlined[i] = c->symbol;
		c->inlined[i].file = places[i].file;
		c->inlined[i].line = places[i].line;
		if (places[i].function)
			c->inlined[i].function = places[i].function;
	}
}

size_t symbols_inlined(struct symbols *s, int64_t process, uint64_t addr, bool is_return,
	struct symbol *ret, size_t max)
{
	const struct maps *m = hash_get(&s->processes, (uint64_t)process);
	const struct map *map = m && addr ? maps_find(m, addr - is_return) : NULL;
	struct cached *c;
	uint64_t vaddr;

	if (!map || !symbols_map_vaddr(map, addr, &vaddr))
		return max && symbols_code(s, process, addr, is_return, ret);
	c = lookup(s, map->module, vaddr, is_return);
	if (!c->inlined)
		find_inlined(c);
	if (max > c->n_inlined)
		max = c->n_inlined;
	memcpy(ret, c->inlined, max * sizeof *ret);
	return max;
}

const char *symbols_function(struct symbols *s, int64_t process, uint64_t addr, bool is_return)
{
	const struct maps *m = hash_get(&s->processes, (uint64_t)process);
	const struct map *map = m && addr ? maps_find(m, addr - is_return) : NULL;
	uint64_t vaddr, start;

	return map && symbols_map_vaddr(map, addr - is_return, &vaddr)
		       ? module_function(map->module, vaddr, &start)
		       : NULL;
}

const char *symbols_mapped_file(const struct symbols *s, int64_t process, uint64_t addr)
{
	const struct maps *m = hash_get(&s->processes, (uint64_t)process);
	const struct map *map = m && addr ? maps_find(m, addr) : NULL;

	return map ? module_path(map->module) : NULL;
}

char *symbols_data(struct symbols *s, int64_t process, uint64_t addr)
{
	const struct maps *m = hash_get(&s->processes, (uint64_t)process);

	for (size_t i = 0; m && i < m->len; i++) {
		const struct map *map = &m->list[i];
		uint64_t first;
		char *name;

		/* Data lies a fixed way from the code: the loader moves a file as a whole. */
		if (!module_vaddr(map->module, map->offset, &first) ||
			!module_covers(map->module, first + (addr - map->start)))
			continue;
		name = module_variable(map->module, first + (addr - map->start));
		if (name)
			return name;
	}
	return NULL;
}

/* The mappings of a process, read if they are not known; NULL if they cannot be. */
static const struct maps *maps_read(struct symbols *s, int64_t process, pid_t pid)
{
	const struct maps *m = hash_get(&s->processes, (uint64_t)process);

	if (!m && symbols_map_proc(s, process, pid) == 0)
		m = hash_get(&s->processes, (uint64_t)process);
	return m;
}

/* The mapping that has the first part of the code of a file: V8 maps some of its own once more, elsewhere. */
static const struct map *main_mapping(const struct maps *m, const struct map *map)
{
	for (size_t i = 0; i < m->len; i++)
		if (m->list[i].module == map->module && m->list[i].offset < map->offset)
			map = &m->list[i];
	return map;
}

/* Finds the address of a symbol of a mapped file, by its raw name. */
static bool find_in(const struct maps *m, const struct map *map, const char *name, uint64_t *ret)
{
	uint64_t first, vaddr;

	map = main_mapping(m, map);
	if (!module_vaddr(map->module, map->offset, &first) ||
		!module_lookup(map->module, name, &vaddr))
		return false;
	*ret = vaddr + (map->start - first);
	return true;
}

bool symbols_variable(
	struct symbols *s, int64_t process, pid_t pid, const char *name, uint64_t *ret)
{
	const struct maps *m = maps_read(s, process, pid);

	for (size_t i = 0; m && i < m->len; i++)
		if ((symbols_is_library_file(module_path(m->list[i].module)) ||
			    module_is_static(m->list[i].module)) &&
			find_in(m, &m->list[i], name, ret))
			return true;
	return false;
}

bool symbols_named(struct symbols *s, int64_t process, pid_t pid, const char *name,
	bool (*wanted)(void *arg, const char *path), void *arg, uint64_t *ret,
	const char **ret_path)
{
	const struct maps *m = maps_read(s, process, pid);

	for (size_t i = 0; m && i < m->len; i++) {
		const char *path = module_path(m->list[i].module);

		if (!wanted(arg, path) || !find_in(m, &m->list[i], name, ret))
			continue;
		if (ret_path)
			*ret_path = path;
		return true;
	}
	return false;
}

bool symbols_is_mapped(const struct symbols *s, int64_t process, uint64_t addr)
{
	const struct maps *m = hash_get(&s->processes, (uint64_t)process);

	return m && maps_is_code(m, addr);
}

struct hash *symbols_frames(struct symbols *s)
{
	return &s->frames;
}

struct hash *symbols_libraries(struct symbols *s)
{
	return &s->libraries;
}

const struct maps *symbols_maps(const struct symbols *s, int64_t process)
{
	return hash_get(&s->processes, (uint64_t)process);
}
