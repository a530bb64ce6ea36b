/* table.c - the functions or the variables of a file, by address. */
/* SPDX-License-Identifier: MIT */
#include "tracer/symbols/table.h"

#include "base/mem.h"

enum { WALK_BACK = 32 /* symbols before an address that may still cover it */ };

void symtab_done(struct symtab *t)
{
	for (size_t i = 0; i < t->len; i++)
		free(t->list[i].shown);
	free(t->list);
	hash_done(&t->by_name);
}

static unsigned underscores(const char *s)
{
	return (unsigned)strspn(s, "_");
}

/* Of several names for one address the one that a person would call it comes first. */
static int sym_compare(const void *pa, const void *pb)
{
	const struct sym *a = pa, *b = pb;

	if (a->start != b->start)
		return a->start < b->start ? -1 : 1;
	if ((a->size == 0) != (b->size == 0))
		return a->size == 0 ? 1 : -1;
	if (a->is_global != b->is_global)
		return a->is_global ? -1 : 1;
	if (underscores(a->name) != underscores(b->name))
		return underscores(a->name) < underscores(b->name) ? -1 : 1;
	if (strlen(a->name) != strlen(b->name))
		return strlen(a->name) < strlen(b->name) ? -1 : 1;
	return strcmp(a->name, b->name);
}

void symtab_add(struct symtab *t, const GElf_Sym *s, const char *name)
{
	unsigned bind = GELF_ST_BIND(s->st_info);

	ARRAY_GROW(t->list, t->len, t->cap);
	t->list[t->len++] = (struct sym){.start = s->st_value,
		.size = s->st_size,
		.name = name,
		.is_global = bind == STB_GLOBAL || bind == STB_WEAK};
}

/* Finds the symbol that covers vaddr; nested and aliased ones make it look back a little. */
struct sym *symtab_find(struct symtab *t, uint64_t vaddr)
{
	struct sym *best = NULL;
	size_t lo = 0, hi = t->len;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (t->list[mid].start <= vaddr)
			lo = mid + 1;
		else
			hi = mid;
	}
	for (size_t i = lo, n = 0; i > 0 && n < WALK_BACK; i--, n++) {
		struct sym *s = &t->list[i - 1];

		if (best && s->start != best->start)
			break;
		if (s->size ? vaddr - s->start < s->size : n == 0)
			best = s; /* the first of those with the same address is the best name */
	}
	return best;
}

static bool is_named(const struct sym *s, const char *name, size_t len)
{
	return !strncmp(s->name, name, len) && (!s->name[len] || s->name[len] == '@');
}

/* Without the version that may stand behind it. */
static uint64_t name_key(const char *name)
{
	return hash_bytes(name, strcspn(name, "@"));
}

static void index_names(struct symtab *t)
{
	for (size_t i = t->len; i > 0; i--)
		(void)hash_set(&t->by_name, name_key(t->list[i - 1].name), (void *)(uintptr_t)i);
}

bool symtab_lookup(struct symtab *t, const char *name, uint64_t *ret)
{
	enum { OFTEN = 8 }; /* looks through all of it cost what the index does */
	size_t len = strlen(name), first = 0;

	if (t->asked <= OFTEN && ++t->asked > OFTEN)
		index_names(t);
	if (t->asked > OFTEN) {
		first = (uintptr_t)hash_get(&t->by_name, name_key(name));
		if (!first)
			return false;
		first--;
	}
	/* Two names with one hash: the wanted one may stand behind. */
	for (size_t i = first; i < t->len; i++) {
		if (is_named(&t->list[i], name, len)) {
			*ret = t->list[i].start;
			return true;
		}
	}
	return false;
}

void symtab_sort(struct symtab *t)
{
	if (t->len)
		qsort(t->list, t->len, sizeof *t->list, sym_compare);
}

const char *symtab_shown(struct sym *s)
{
	if (!s->shown)
		s->shown = symtab_demangle(s->name);
	if (!s->shown)
		s->shown = xstrndup(s->name, strcspn(s->name, "@"));
	return s->shown;
}
