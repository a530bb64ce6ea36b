/* part.c - which element and member of a variable an address is, out of DWARF. */
/* SPDX-License-Identifier: MIT */
#include "tracer/symbols/part.h"

#include <ctype.h>
#include <dwarf.h>
#include <elfutils/libdw.h>
#include <inttypes.h>

#include "base/buf.h"
#include "base/mem.h"
#include "tracer/symbols/dwarf_text.h"

struct variable {
	uint64_t vaddr;
	Dwarf_Off die;
};

struct parts {
	Dwarf *dwarf;
	bool is_indexed;
	unsigned visited;
	struct variable *list;
	size_t len, cap;
};

enum {
	PARTS_MAX_VISITED = 400 * 1000, /* entries: a tenth of a second */
	PARTS_MAX_MEMBERS = 10000,      /* of one type: a hostile file may have circles */
	PARTS_MAX_DEPTH = 32,           /* of blocks in blocks, and of types in types */
};

struct parts *parts_new(Dwarf *dwarf)
{
	struct parts *p = xcalloc(1, sizeof *p);

	p->dwarf = dwarf;
	return p;
}

void parts_free(struct parts *p)
{
	if (!p)
		return;
	free(p->list);
	free(p);
}

/* ---- The variables that have an address of their own ---- */

static bool variable_address(Dwarf_Die *die, uint64_t *ret)
{
	Dwarf_Attribute location, operand;
	Dwarf_Op *op;
	size_t n;

	if (!dwarf_attr(die, DW_AT_location, &location) ||
		dwarf_getlocation(&location, &op, &n) != 0 || n != 1)
		return false;
	if (op[0].atom == DW_OP_addr) {
		*ret = op[0].number;
		return true;
	}
	return op[0].atom == DW_OP_addrx && dwarf_getlocation_attr(&location, op, &operand) == 0 &&
	       dwarf_formaddr(&operand, ret) == 0;
}

static void index_children(struct parts *p, Dwarf_Die *parent, int depth)
{
	Dwarf_Die die;

	if (depth > PARTS_MAX_DEPTH || dwarf_child(parent, &die) != 0)
		return;
	do {
		uint64_t vaddr;

		if (++p->visited > PARTS_MAX_VISITED)
			return;
		switch (dwarf_tag(&die)) {
		case DW_TAG_variable:
			if (!variable_address(&die, &vaddr))
				break;
			ARRAY_GROW(p->list, p->len, p->cap);
			p->list[p->len++] = (struct variable){vaddr, dwarf_dieoffset(&die)};
			break;
		case DW_TAG_namespace:
		case DW_TAG_subprogram:
		case DW_TAG_lexical_block:
			index_children(p, &die, depth + 1);
			break;
		default:
			break;
		}
	} while (dwarf_siblingof(&die, &die) == 0);
}

static int compare_variables(const void *pa, const void *pb)
{
	const struct variable *a = pa, *b = pb;

	return a->vaddr < b->vaddr ? -1 : a->vaddr > b->vaddr;
}

static void index_all(struct parts *p)
{
	Dwarf_Off off = 0, next;
	size_t header;

	p->is_indexed = true;
	while (dwarf_nextcu(p->dwarf, off, &next, &header, NULL, NULL, NULL) == 0 && next > off) {
		Dwarf_Die unit;

		if (dwarf_offdie(p->dwarf, off + header, &unit))
			index_children(p, &unit, 0);
		off = next;
	}
	if (p->len)
		qsort(p->list, p->len, sizeof *p->list, compare_variables);
}

/* ---- Down through its type ---- */

/* The type of a variable or member, without its other names. */
static bool type_of(Dwarf_Die *die, Dwarf_Die *ret)
{
	Dwarf_Attribute attr;
	Dwarf_Die at = *die;

	for (int i = 0; i < PARTS_MAX_DEPTH; i++) {
		if (!dwarf_attr_integrate(&at, DW_AT_type, &attr) || !dwarf_formref_die(&attr, &at))
			return false;
		switch (dwarf_tag(&at)) {
		case DW_TAG_typedef:
		case DW_TAG_const_type:
		case DW_TAG_volatile_type:
		case DW_TAG_restrict_type:
		case DW_TAG_atomic_type:
			break;
		default:
			*ret = at;
			return true;
		}
	}
	return false;
}

/* What a library keeps to itself: "_M_mutex", "__data". */
static bool is_reserved(const char *name)
{
	return name && name[0] == '_' && (name[1] == '_' || isupper((unsigned char)name[1]));
}

static bool member_covers(Dwarf_Die *member, uint64_t offset, uint64_t *ret_start)
{
	Dwarf_Word start = 0, size;
	Dwarf_Attribute attr;
	Dwarf_Die type;

	if (dwarf_attr(member, DW_AT_data_member_location, &attr) &&
		dwarf_formudata(&attr, &start) != 0)
		return false;
	if (!type_of(member, &type) || dwarf_aggregate_size(&type, &size) != 0)
		return false;
	*ret_start = start;
	return offset >= start && offset - start < size;
}

/* Goes into the member or the base of a struct or class at *offset; false: it has none with a name for people. */
static bool into_member(Dwarf_Die *type, uint64_t *offset, struct buf *b)
{
	Dwarf_Die member;
	int n = 0;

	if (dwarf_child(type, &member) != 0)
		return false;
	do {
		int tag = dwarf_tag(&member);
		const char *name;
		uint64_t start;
		Dwarf_Die inner;

		if ((tag != DW_TAG_member && tag != DW_TAG_inheritance) ||
			dwarf_hasattr(&member, DW_AT_external) ||
			!member_covers(&member, *offset, &start) || !type_of(&member, &inner))
			continue;
		name = dwarf_text(&member, DW_AT_name);
		if (is_reserved(tag == DW_TAG_inheritance ? dwarf_text(&inner, DW_AT_name) : name))
			return false;
		if (name)
			buf_addf(b, ".%s", name);
		*offset -= start;
		*type = inner;
		return true;
	} while (++n < PARTS_MAX_MEMBERS && dwarf_siblingof(&member, &member) == 0);
	return false;
}

/* How many bytes lie behind one index of an array: the element's size times the counts after the first. */
static bool stride(Dwarf_Die *array, Dwarf_Die *element, int dimension, uint64_t *ret)
{
	Dwarf_Word size, bound;
	Dwarf_Attribute attr;
	Dwarf_Die range;
	int at = 0, n = 0;

	if (dwarf_aggregate_size(element, &size) != 0 || !size || dwarf_child(array, &range) != 0)
		return false;
	do {
		if (dwarf_tag(&range) != DW_TAG_subrange_type || at++ <= dimension)
			continue;
		if (dwarf_attr(&range, DW_AT_upper_bound, &attr) &&
			dwarf_formudata(&attr, &bound) == 0)
			bound++;
		else if (!dwarf_attr(&range, DW_AT_count, &attr) ||
			 dwarf_formudata(&attr, &bound) != 0)
			return false;
		if (!bound || bound > UINT32_MAX || size > UINT32_MAX)
			return false;
		size *= bound;
	} while (++n < PARTS_MAX_MEMBERS && dwarf_siblingof(&range, &range) == 0);
	*ret = size;
	return at > dimension;
}

static bool into_element(Dwarf_Die *type, uint64_t *offset, struct buf *b)
{
	Dwarf_Die element;
	uint64_t bytes;

	if (!type_of(type, &element) || !stride(type, &element, 0, &bytes))
		return false;
	for (int i = 0; i < PARTS_MAX_DEPTH && stride(type, &element, i, &bytes); i++) {
		buf_addf(b, "[%" PRIu64 "]", *offset / bytes);
		*offset %= bytes;
	}
	*type = element;
	return true;
}

int64_t parts_find(struct parts *p, uint64_t vaddr, uint64_t offset, struct buf *b)
{
	struct variable key = {.vaddr = vaddr}, *v;
	Dwarf_Die die, type;

	if (!p->is_indexed)
		index_all(p);
	v = p->len ? bsearch(&key, p->list, p->len, sizeof *p->list, compare_variables) : NULL;
	if (!v || !dwarf_offdie(p->dwarf, v->die, &die) || !type_of(&die, &type))
		return -1;
	for (int i = 0; i < PARTS_MAX_DEPTH; i++) {
		int tag = dwarf_tag(&type);

		/* The members of a union are the same memory. */
		if (tag == DW_TAG_array_type ? !into_element(&type, &offset, b)
			: tag == DW_TAG_structure_type || tag == DW_TAG_class_type
				? !into_member(&type, &offset, b)
				: true)
			break;
	}
	return (int64_t)offset;
}
