/* cpython_search.c - by which name a Python program reaches an object. */
/* SPDX-License-Identifier: MIT */
/*
 * From the variables that a frame sees, nearest first: its own, its module's; then what they contain: attributes, also
 * those of classes and of __slots__, items of lists, tuples and dictionaries; then what these contain. Each step is
 * gone from all variables before the next, so that the shortest name is found; how many objects are looked at is
 * bounded.
 */
#include "tracer/runtime/cpython.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum {
	MAX_STEPS = 3,    /* from a variable to the object */
	MAX_LOOKS = 4000, /* objects that one search looks at */
	MAX_ALL = 40000,  /* the same, of all searches in one process */
	MAX_ITEMS = 256,  /* of one list or tuple */
	MAX_BASES = 16    /* classes of one object */
};

/* The same in every release: a class's order of bases, the array of a list, and of a slot where and of which kind it is (Include/cpython). */
enum { TYPE_MRO = 344, LIST_ITEMS = 24, DESCRIPTOR_MEMBER = 40, MEMBER_TYPE = 8, OBJECT_EX = 16 };

/* Who has which attributes and items (Include/object.h). */
#define FLAG_HEAP (UINT64_C(1) << 9)
#define FLAG_LIST (UINT64_C(1) << 25)
#define FLAG_TUPLE (UINT64_C(1) << 26)
#define FLAG_DICT (UINT64_C(1) << 29)
#define FLAG_TYPE (UINT64_C(1) << 31)

struct walk {
	struct cpython *c;
	struct cpython_search *s;
	unsigned steps; /* that may follow this one */
	size_t looks;
	char name[96];
};

/* What is walked through, and how its parts are named. */
struct container {
	struct walk *walk;
	uint64_t object;
	const char *class; /* whose attributes these are; NULL: of the object */
};

/* A module of the program: those of the library and of the interpreter have none of its objects. */
static bool is_own_module(struct cpython *c, uint64_t module)
{
	char file[256];

	return cpython_string(c, cpython_attribute(c, module, "__file__"), file, sizeof file) &&
	       !cpython_is_library(file);
}

static bool may_contain(struct cpython *c, uint64_t object)
{
	const struct cpython_class *class = cpython_class_of(c, object), *own;

	if (!class)
		return false;
	if (class->flags & (FLAG_DICT | FLAG_LIST | FLAG_TUPLE))
		return true;
	if (class->flags & FLAG_TYPE)
		return (own = cpython_class(c, object)) && own->flags & FLAG_HEAP;
	if (!strcmp(class->name, "module"))
		return is_own_module(c, object);
	return !cpython_is_plain(class->name);
}

static bool is_wanted(struct walk *w, uint64_t object)
{
	return w->s->object ? object == w->s->object
			    : cpython_waits_for(w->c, object, w->s->address);
}

/* Says whether an object is the wanted one or, while steps are left, may contain it. */
static bool is_worth(struct walk *w, uint64_t object)
{
	if (w->looks >= MAX_LOOKS || w->c->looks >= MAX_ALL)
		return false;
	w->looks++;
	w->c->looks++;
	return w->steps ? may_contain(w->c, object) : is_wanted(w, object);
}

static bool walk_into(struct walk *w, uint64_t object);

/* Goes on to an object by a name; one that is too long is none. Returns false if the search is over. */
__attribute__((format(printf, 4, 5))) static bool go(
	struct walk *w, uint64_t object, size_t kept, const char *format, ...)
{
	char before[sizeof w->name];
	bool goes_on = true;
	va_list args;
	int n;

	memcpy(before, w->name, sizeof before);
	va_start(args, format);
	n = vsnprintf(w->name + kept, sizeof w->name - kept, format, args);
	va_end(args);
	if (n > 0 && (size_t)n < sizeof w->name - kept) {
		if (w->steps) {
			w->steps--;
			goes_on = walk_into(w, object);
			w->steps++;
		} else {
			w->s->found = object;
			memcpy(w->s->name, w->name, sizeof w->s->name);
			goes_on = false;
		}
	}
	memcpy(w->name, before, sizeof before);
	return goes_on;
}

static bool visit_variable(void *arg, uint64_t key, uint64_t value)
{
	struct walk *w = arg;
	const char *name;

	if (!is_worth(w, value))
		return true;
	name = cpython_name(w->c, key);
	return !strncmp(name, "__", 2) || go(w, value, 0, "%s", name);
}

static bool visit_attribute(void *arg, uint64_t key, uint64_t value)
{
	const struct container *in = arg;
	struct walk *w = in->walk;

	return !is_worth(w, value) || go(w, value, strlen(w->name), ".%s", cpython_name(w->c, key));
}

static bool visit_item(void *arg, uint64_t key, uint64_t value)
{
	const struct container *in = arg;
	struct walk *w = in->walk;
	const char *type;
	size_t len = strlen(w->name);
	uint64_t n;

	if (!is_worth(w, value))
		return true;
	type = cpython_type(w->c, key);
	if (!strcmp(type, "str"))
		return go(w, value, len, "['%s']", cpython_name(w->c, key));
	if (cpython_int(w->c, key, &n))
		return go(w, value, len, "[%llu]", (unsigned long long)n);
	return go(w, value, len, "[...]");
}

static bool walk_items(struct walk *w, uint64_t object, bool is_list)
{
	const struct cpython_layout *l = w->c->layout;
	uint64_t n = memory_pointer(&w->c->memory, object + (uint64_t)l->sized_length);
	uint64_t items = is_list ? memory_pointer(&w->c->memory, object + LIST_ITEMS)
				 : object + (uint64_t)l->tuple_items;

	for (unsigned i = 0; i < n && i < MAX_ITEMS; i++) {
		uint64_t item = memory_pointer(&w->c->memory, items + UINT64_C(8) * i);

		if (item && is_worth(w, item) && !go(w, item, strlen(w->name), "[%u]", i))
			return false;
	}
	return true;
}

/* An object in a slot, or 0: its class has a descriptor, which says where (PyMemberDef). */
static uint64_t in_slot(struct cpython *c, uint64_t object, uint64_t descriptor)
{
	struct {
		uint64_t name;
		uint32_t type, unused;
		uint64_t offset;
	} member;

	if (!memory_read(&c->memory, memory_pointer(&c->memory, descriptor + DESCRIPTOR_MEMBER),
		    &member, sizeof member) ||
		member.type != OBJECT_EX || member.offset > 65536)
		return 0;
	return memory_pointer(&c->memory, object + member.offset);
}

/* An attribute that all objects of a class have in common, or the slot that each has for one. */
static bool visit_class(void *arg, uint64_t key, uint64_t value)
{
	const struct container *in = arg;
	struct walk *w = in->walk;

	if (in->object && !strcmp(cpython_type(w->c, value), "member_descriptor")) {
		value = in_slot(w->c, in->object, value);
		return !value || visit_attribute(arg, key, value);
	}
	return !is_worth(w, value) || go(w, value, 0, "%s.%s", in->class, cpython_name(w->c, key));
}

/* A class is known by its own name, whatever the variable is called. */
static bool walk_class(struct walk *w, uint64_t type, uint64_t object)
{
	const struct cpython_class *class = cpython_class(w->c, type);
	struct container in = {w, object, class ? class->name : ""};

	return !class || !(class->flags & FLAG_HEAP) ||
	       cpython_attributes(w->c, type, visit_class, &in);
}

static bool walk_classes(struct walk *w, uint64_t object)
{
	const struct cpython_layout *l = w->c->layout;
	uint64_t type = cpython_type_of(w->c, object);
	uint64_t bases = memory_pointer(&w->c->memory, type + TYPE_MRO);
	uint64_t n = memory_pointer(&w->c->memory, bases + (uint64_t)l->sized_length);

	for (unsigned i = 0; i < n && i < MAX_BASES; i++) {
		uint64_t base = memory_pointer(
			&w->c->memory, bases + (uint64_t)l->tuple_items + UINT64_C(8) * i);

		if (!walk_class(w, base, object))
			return false;
	}
	return true;
}

/* Goes on to what an object contains. */
static bool walk_into(struct walk *w, uint64_t object)
{
	const struct cpython_class *class = cpython_class_of(w->c, object);
	struct container in = {w, object, NULL};

	if (!class)
		return true;
	if (class->flags & FLAG_TYPE)
		return walk_class(w, object, 0);
	if (class->flags & FLAG_DICT && !cpython_dict(w->c, object, visit_item, &in))
		return false;
	if (class->flags & (FLAG_LIST | FLAG_TUPLE) &&
		!walk_items(w, object, class->flags & FLAG_LIST))
		return false;
	return cpython_attributes(w->c, object, visit_attribute, &in) && walk_classes(w, object);
}

bool cpython_search(struct cpython *c, const struct cpython_frame *f, struct cpython_search *s)
{
	uint64_t globals = cpython_pointer(c, f->addr, c->layout->frame_globals);
	struct walk w = {.c = c, .s = s};

	for (unsigned steps = 0; steps <= MAX_STEPS; steps++) {
		w.steps = steps;
		if (!cpython_locals(c, f, visit_variable, &w))
			return true;
		if (s->is_near ? steps == 1 : !cpython_dict(c, globals, visit_variable, &w))
			return !s->is_near;
	}
	return false;
}

bool cpython_search_outward(
	struct cpython *c, const struct cpython_frame *frames, size_t n, struct cpython_search *s)
{
	struct walk w = {.c = c, .s = s};
	uint64_t before = 0;

	for (size_t i = n; i-- > 0;) {
		uint64_t globals = cpython_pointer(c, frames[i].addr, c->layout->frame_globals);

		if (frames[i].code->is_library)
			continue;
		if (globals != before && !cpython_dict(c, globals, visit_variable, &w))
			return true;
		if (!cpython_locals(c, &frames[i], visit_variable, &w))
			return true;
		before = globals;
	}
	return false;
}
