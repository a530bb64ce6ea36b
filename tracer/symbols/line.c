/* line.c - source lines out of DWARF. */
/* SPDX-License-Identifier: MIT */
#include "tracer/symbols/line.h"

#include <dwarf.h>
#include <elfutils/libdw.h>

#include "base/mem.h"

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
};

enum {
	LINES_MAX_RANGES = 1000 * 1000, /* bounds for files that are absurd or hostile */
	LINES_MAX_INLINE = 64
};

struct lines *lines_new(Dwarf *dwarf)
{
	struct lines *l = xcalloc(1, sizeof *l);

	l->dwarf = dwarf;
	return l;
}

void lines_free(struct lines *l)
{
	if (!l)
		return;
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

static bool is_system_header(const char *file)
{
	return !strncmp(file, "/usr/include/", 13) || !strncmp(file, "/usr/lib/gcc/", 13) ||
	       !strncmp(file, "/usr/local/include/c++/", 23);
}

/* The line at which the innermost inlined call outside system headers was made. */
static bool find_caller(Dwarf_Die *unit, uint64_t vaddr, const char **ret_file, int *ret_line)
{
	_cleanup_free_ Dwarf_Die *innermost = NULL, *scopes = NULL;
	Dwarf_Files *files;
	size_t n_files;
	int n;

	/* The first call gives of an inlined function where it was written; the second, where it was put. */
	if (dwarf_getscopes(unit, vaddr, &innermost) <= 0)
		return false;
	n = dwarf_getscopes_die(&innermost[0], &scopes);
	if (n <= 0 || dwarf_getsrcfiles(unit, &files, &n_files) != 0)
		return false;
	for (int i = 0; i < n && i < LINES_MAX_INLINE; i++) {
		Dwarf_Attribute attr;
		Dwarf_Word file = 0, line = 0;
		const char *name;

		if (dwarf_tag(&scopes[i]) != DW_TAG_inlined_subroutine ||
			dwarf_formudata(dwarf_attr(&scopes[i], DW_AT_call_file, &attr), &file) ||
			dwarf_formudata(dwarf_attr(&scopes[i], DW_AT_call_line, &attr), &line))
			continue;
		name = file < n_files ? dwarf_filesrc(files, file, NULL, NULL) : NULL;
		if (name && !is_system_header(name)) {
			*ret_file = name;
			*ret_line = (int)line;
			return true;
		}
	}
	return false;
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
	if (is_system_header(file) && find_caller(&unit, vaddr, ret_file, ret_line))
		return true;
	*ret_file = file;
	*ret_line = number;
	return true;
}
