/* line.c - source lines out of DWARF. */
/* SPDX-License-Identifier: MIT */
#include "tracer/symbols/line.h"

#include <dwarf.h>
#include <elfutils/libdw.h>

#include "base/mem.h"
#include "base/source.h"
#include "tracer/symbols/inline.h"

/* A range of code and the unit that it was compiled in. */
struct range {
	uint64_t start, end;
	Dwarf_Off unit; /* offset of the unit's DIE */
};

struct lines {
	Dwarf *dwarf;
	bool is_indexed;
	struct range *ranges;
	size_t len, cap;
	struct inlines *inlines;
};

enum {
	LINES_MAX_RANGES = 1000 * 1000, /* bounds for files that are absurd or hostile */
	LINES_MAX_INLINE = 64
};

struct lines *lines_new(Dwarf *dwarf)
{
	struct lines *l = xcalloc(1, sizeof *l);

	l->dwarf = dwarf;
	l->inlines = inlines_new(dwarf);
	return l;
}

void lines_free(struct lines *l)
{
	if (!l)
		return;
	inlines_free(l->inlines);
	free(l->ranges);
	free(l);
}

static int range_compare(const void *pa, const void *pb)
{
	const struct range *a = pa, *b = pb;

	return a->start < b->start ? -1 : a->start > b->start;
}

/*
 * The ranges come from the units themselves: .debug_aranges, which would be
 * quicker, is left out by some compilers and for some units.
 */
static void lines_index(struct lines *l)
{
	Dwarf_Off off = 0, next;
	size_t header;

	if (l->is_indexed)
		return;
	l->is_indexed = true;
	while (dwarf_nextcu(l->dwarf, off, &next, &header, NULL, NULL, NULL) == 0) {
		Dwarf_Die die;
		Dwarf_Addr base, start, end;
		ptrdiff_t pos = 0;

		if (dwarf_offdie(l->dwarf, off + header, &die)) {
			while ((pos = dwarf_ranges(&die, pos, &base, &start, &end)) > 0) {
				if (start >= end || l->len >= LINES_MAX_RANGES)
					continue;
				ARRAY_GROW(l->ranges, l->len, l->cap);
				l->ranges[l->len++] = (struct range){start, end, off + header};
			}
		}
		if (next <= off)
			break;
		off = next;
	}
	if (l->len)
		qsort(l->ranges, l->len, sizeof *l->ranges, range_compare);
}

static const struct range *find_range(struct lines *l, uint64_t vaddr)
{
	size_t lo = 0, hi;

	lines_index(l);
	hi = l->len;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (l->ranges[mid].start <= vaddr)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo > 0 && vaddr < l->ranges[lo - 1].end ? &l->ranges[lo - 1] : NULL;
}

bool lines_covers(struct lines *l, uint64_t vaddr)
{
	return find_range(l, vaddr) != NULL;
}

bool lines_any(struct lines *l)
{
	lines_index(l);
	return l->len > 0;
}

/* Says whether the folder that ends at end, of a path, is what Go is installed in: "go", "go-1.19", "go1.22.3". */
static bool is_go_root(const char *path, const char *end)
{
	const char *at = end;

	while (at > path && at[-1] != '/')
		at--;
	return end - at >= 2 && !strncmp(at, "go", 2) &&
	       strspn(at + 2, "0123456789.-") == (size_t)(end - at - 2);
}

bool lines_is_library(const char *file)
{
	static const char *const parts[] = {"library/std/src/", "library/core/src/",
		"library/alloc/src/", "library/panic_unwind/src/", "library/backtrace/src/"};
	const char *go = strstr(file, "/src/"), *at;

	/* Rust's own units name their sources without any folder, those that are put into a program by a made-up one. */
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		if ((at = strstr(file, parts[i])) != NULL)
			return at == file || !strncmp(file, "/rustc/", 7) ||
			       strstr(file, "/rustc-") || strstr(file, "/rustlib/");
	return go && is_go_root(file, go);
}

size_t lines_places(struct lines *l, uint64_t vaddr, struct line_place *ret, size_t max)
{
	const struct range *r = find_range(l, vaddr);
	struct inline_call calls[LINES_MAX_INLINE];
	Dwarf_Line *line;
	Dwarf_Die unit;
	size_t n;

	if (!r || !max || !dwarf_offdie(l->dwarf, r->unit, &unit))
		return 0;
	line = dwarf_getsrc_die(&unit, vaddr);
	ret[0] = (struct line_place){.file = line ? dwarf_linesrc(line, NULL, NULL) : NULL};
	if (!ret[0].file || dwarf_lineno(line, &ret[0].line) != 0)
		return 0;
	n = inlines_find(l->inlines, &unit, vaddr, calls,
		max - 1 < LINES_MAX_INLINE ? max - 1 : LINES_MAX_INLINE);
	for (size_t i = 0; i < n; i++) {
		ret[i].function = calls[i].function;
		ret[i + 1] = (struct line_place){.file = calls[i].file, .line = calls[i].line};
		if (!calls[i].file)
			return i + 1;
	}
	return n + 1;
}

/* Changes a place to that at which the innermost inlined call outside libraries was made, if there is one. */
static void find_caller(struct lines *l, uint64_t vaddr, const char **ret_file, int *ret_line)
{
	struct line_place places[LINES_MAX_INLINE];
	size_t n = lines_places(l, vaddr, places, LINES_MAX_INLINE);

	for (size_t i = 1; i < n; i++) {
		if (source_is_header(places[i].file) || lines_is_library(places[i].file))
			continue;
		*ret_file = places[i].file;
		*ret_line = places[i].line;
		return;
	}
}

bool lines_find(struct lines *l, uint64_t vaddr, const char **ret_file, int *ret_line)
{
	const struct range *r = find_range(l, vaddr);
	Dwarf_Line *line;
	const char *file;
	Dwarf_Die unit;
	int number = 0;

	if (!r || !dwarf_offdie(l->dwarf, r->unit, &unit))
		return false;
	line = dwarf_getsrc_die(&unit, vaddr);
	file = line ? dwarf_linesrc(line, NULL, NULL) : NULL;
	if (!file || dwarf_lineno(line, &number) != 0)
		return false;
	*ret_file = file;
	*ret_line = number;
	if (source_is_header(file) || lines_is_library(file))
		find_caller(l, vaddr, ret_file, ret_line);
	return true;
}
