/* inline.c - which functions a compiler put into one another. */
/* SPDX-License-Identifier: MIT */
/*
 * libdw's dwarf_getscopes walks a whole unit for each address. Here the
 * functions of a unit are put into a table once, and only the one around an
 * address is looked into.
 */
#include "tracer/symbols/inline.h"

#include <dwarf.h>

#include "base/hash.h"
#include "base/mem.h"
#include "tracer/symbols/table.h"
#include "tracer/symbols/dwarf_text.h"

enum {
	/* Bounds for damaged or hostile files, whose lists may be endless. */
	INLINE_MAX_DIES = 4 * 1000 * 1000, /* of a unit, outside functions */
	INLINE_MAX_BLOCKS = 100 * 1000,    /* side by side in a function */
	INLINE_MAX_DEPTH = 64,
	INLINE_MAX_NESTING = 16 /* of namespaces and types */
};

/* A piece of a function's code. */
struct function {
	uint64_t start, end;
	Dwarf_Off die;
};

struct unit {
	struct function *list;
	size_t n, cap, visited;
};

struct inlines {
	Dwarf *dwarf;
	struct hash units; /* by the offset of the unit's DIE */
	struct hash names; /* by the offset of a DIE */
};

struct inlines *inlines_new(Dwarf *dwarf)
{
	struct inlines *in = xcalloc(1, sizeof *in);

	in->dwarf = dwarf;
	return in;
}

void inlines_free(struct inlines *in)
{
	struct hash_slot *slot;

	if (!in)
		return;
	for (size_t pos = 0; (slot = hash_next(&in->units, &pos)) != NULL;) {
		struct unit *u = slot->value;

		free(u->list);
		free(u);
	}
	for (size_t pos = 0; (slot = hash_next(&in->names, &pos)) != NULL;)
		free(slot->value);
	hash_done(&in->units);
	hash_done(&in->names);
	free(in);
}

static void add_function(struct unit *u, Dwarf_Die *die)
{
	Dwarf_Addr base, start, end;
	ptrdiff_t pos = 0;

	while ((pos = dwarf_ranges(die, pos, &base, &start, &end)) > 0) {
		if (start >= end || u->visited++ >= INLINE_MAX_DIES)
			continue;
		ARRAY_GROW(u->list, u->n, u->cap);
		u->list[u->n++] = (struct function){start, end, dwarf_dieoffset(die)};
	}
}

/* Adds the functions of a unit; those of Rust and C++ may stand inside namespaces and types. */
static void add_functions(struct unit *u, Dwarf_Die *parent, unsigned nesting)
{
	Dwarf_Die child;

	if (nesting == INLINE_MAX_NESTING || dwarf_child(parent, &child) != 0)
		return;
	do {
		switch (dwarf_tag(&child)) {
		case DW_TAG_subprogram:
			add_function(u, &child);
			break;
		case DW_TAG_namespace:
		case DW_TAG_module:
		case DW_TAG_structure_type:
		case DW_TAG_class_type:
			add_functions(u, &child, nesting + 1);
			break;
		default:
			break;
		}
	} while (u->visited++ < INLINE_MAX_DIES && dwarf_siblingof(&child, &child) == 0);
}

static int function_compare(const void *pa, const void *pb)
{
	const struct function *a = pa, *b = pb;

	return a->start < b->start ? -1 : a->start > b->start;
}

static const struct unit *find_unit(struct inlines *in, Dwarf_Die *die)
{
	uint64_t key = dwarf_dieoffset(die) + 1;
	struct unit *u = hash_get(&in->units, key);

	if (u)
		return u;
	u = xcalloc(1, sizeof *u);
	add_functions(u, die, 0);
	if (u->n)
		qsort(u->list, u->n, sizeof *u->list, function_compare);
	(void)hash_set(&in->units, key, u);
	return u;
}

static const struct function *find_function(const struct unit *u, uint64_t vaddr)
{
	size_t lo = 0, hi = u->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (u->list[mid].start <= vaddr)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo > 0 && vaddr < u->list[lo - 1].end ? &u->list[lo - 1] : NULL;
}

/* The name of an inlined function: that which the linker would know, made readable, else that of the source. */
static const char *name_of(struct inlines *in, Dwarf_Die *die)
{
	uint64_t key = dwarf_dieoffset(die) + 1;
	char *name = hash_get(&in->names, key);
	const char *text;

	if (name)
		return name;
	text = dwarf_text(die, DW_AT_linkage_name);
	if (!text)
		text = dwarf_text(die, DW_AT_MIPS_linkage_name);
	name = text ? symtab_demangle(text) : NULL;
	text = name ? NULL : dwarf_text(die, DW_AT_name);
	if (text)
		name = xstrdup(text);
	if (name)
		(void)hash_set(&in->names, key, name);
	return name;
}

/* The piece inside a piece of code that covers vaddr, if it is a block or an inlined function. */
static bool find_inside(Dwarf_Die *parent, uint64_t vaddr, Dwarf_Die *ret)
{
	size_t n = 0;

	if (dwarf_child(parent, ret) != 0)
		return false;
	do {
		switch (dwarf_tag(ret)) {
		case DW_TAG_inlined_subroutine:
		case DW_TAG_lexical_block:
		case DW_TAG_try_block:
		case DW_TAG_catch_block:
			if (dwarf_haspc(ret, vaddr) == 1)
				return true;
			break;
		default:
			break;
		}
	} while (n++ < INLINE_MAX_BLOCKS && dwarf_siblingof(ret, ret) == 0);
	return false;
}

static struct inline_call call_at(
	struct inlines *in, Dwarf_Die *die, Dwarf_Files *files, size_t n_files)
{
	struct inline_call call = {.function = name_of(in, die)};
	Dwarf_Word file = 0, line = 0;
	Dwarf_Attribute attr;

	if (dwarf_formudata(dwarf_attr(die, DW_AT_call_file, &attr), &file) == 0 && file < n_files)
		call.file = dwarf_filesrc(files, file, NULL, NULL);
	if (dwarf_formudata(dwarf_attr(die, DW_AT_call_line, &attr), &line) == 0 &&
		line <= INT32_MAX)
		call.line = (int)line;
	return call;
}

size_t inlines_find(
	struct inlines *in, Dwarf_Die *unit, uint64_t vaddr, struct inline_call *ret, size_t max)
{
	const struct function *f = find_function(find_unit(in, unit), vaddr);
	struct inline_call calls[INLINE_MAX_DEPTH];
	Dwarf_Files *files;
	Dwarf_Die die, inside;
	size_t n = 0, n_files;

	if (!f || !dwarf_offdie(in->dwarf, f->die, &die) ||
		dwarf_getsrcfiles(unit, &files, &n_files) != 0)
		return 0;
	for (int depth = 0; depth < INLINE_MAX_DEPTH && find_inside(&die, vaddr, &inside);
		depth++) {
		die = inside;
		if (dwarf_tag(&die) == DW_TAG_inlined_subroutine)
			calls[n++] = call_at(in, &die, files, n_files);
	}
	for (size_t i = 0; i < n && i < max; i++)
		ret[i] = calls[n - 1 - i];
	return n < max ? n : max;
}
