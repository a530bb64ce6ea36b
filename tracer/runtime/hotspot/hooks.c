/* hooks.c - whether a Java program has said what is to be done when it is told to end. */
/* SPDX-License-Identifier: MIT */
/*
 * Runtime.addShutdownHook puts a thread that is to be started into a table of java.lang.ApplicationShutdownHooks, a class
 * that is loaded by the first such call. The platform uses it, too, with threads of classes of its own.
 */
#include "tracer/runtime/hotspot/hotspot.h"

#include <string.h>

enum { MAX_LOADERS = 10000, MAX_CLASSES = 100000, MAX_KEYS = 1024 };

/* Returns the class of this name, as class files write it, that the platform's own loader has loaded, or NULL. */
static const struct hotspot_class *find_class(struct hotspot *h, const char *name)
{
	const struct hotspot_vm *vm = &h->vm;
	uint64_t loader = hotspot_u64(h, vm->v_loaders, 0), klass;
	size_t len = strlen(name), left = MAX_CLASSES;
	char read[64];

	for (unsigned i = 0; loader && i < MAX_LOADERS; i++) {
		klass = hotspot_u64(h, loader, vm->loader_klasses);
		for (; klass && left; left--, klass = hotspot_u64(h, klass, vm->klass_next)) {
			uint64_t symbol = hotspot_u64(h, klass, vm->klass_name);

			if (hotspot_u16(h, symbol, vm->symbol_length) == len &&
				len <= sizeof read && symbol &&
				memory_cached(&h->memory, symbol + vm->symbol_body, read, len) &&
				!memcmp(read, name, len))
				return hotspot_class(h, klass);
		}
		loader = hotspot_u64(h, loader, vm->loader_next);
	}
	return NULL;
}

/* The search for a class's static field. */
struct search {
	const char *name;
	uint32_t offset; /* 0: not found */
};

static bool compare_field(
	void *arg, const char *name, const char *type, bool is_static, uint32_t offset)
{
	struct search *s = arg;

	(void)type;
	if (!is_static || strcmp(name, s->name) != 0)
		return true;
	s->offset = offset;
	return false;
}

/* Says whether a key of the table is a thread that the program itself made. */
static bool is_of_program(struct hotspot *h, uint64_t key)
{
	const struct hotspot_class *class = hotspot_class_of(h, key);

	return class && hotspot_is_a(h, class, "java.lang.Thread") &&
	       (!class->is_library || !strcmp(class->name, "java.lang.Thread"));
}

enum hooks hotspot_hooks(struct hotspot *h)
{
	/* Behind the class: the length, and the elements at the next multiple of 8. */
	uint64_t length_at = h->narrow_klasses ? 12 : 16, data = h->narrow_klasses ? 16 : 24;
	uint64_t step = h->narrow_oops ? 4 : 8, hooks, table;
	const struct hotspot_vm *vm = &h->vm;
	struct search s = {"hooks", 0};
	const struct hotspot_class *class;
	uint32_t n;

	if (!h->has_heap || vm->v_loaders == HOTSPOT_NONE || vm->loader_next == HOTSPOT_NONE ||
		vm->loader_klasses == HOTSPOT_NONE || vm->klass_next == HOTSPOT_NONE)
		return HOOKS_UNKNOWN;
	class = find_class(h, "java/lang/ApplicationShutdownHooks");
	if (!class)
		return HOOKS_NONE;
	if (!class->mirror)
		return HOOKS_UNKNOWN;
	hotspot_fields(h, class, compare_field, &s);
	if (!s.offset)
		return HOOKS_UNKNOWN;
	/* java.util.IdentityHashMap: keys and values by turns. */
	hooks = hotspot_oop(h, class->mirror + s.offset);
	/* They have been taken out, to be started: the program ends. */
	if (!hooks)
		return HOOKS_UNKNOWN;
	table = hotspot_field_oop(h, hooks, "table");
	n = table ? hotspot_u32(h, table, length_at) : 0;
	for (uint64_t i = 0; i < n && i < MAX_KEYS; i += 2)
		if (is_of_program(h, hotspot_oop(h, table + data + i * step)))
			return HOOKS_SOME;
	return n < MAX_KEYS ? HOOKS_NONE : HOOKS_UNKNOWN;
}
