/* cpython_object.c - CPython's objects: strings, dictionaries, attributes, variables. */
/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/mem.h"
#include "tracer/runtime/cpython.h"

enum {
	MAX_ENTRIES = 4096, /* of one dictionary */
	MAX_LOCALS = 64,    /* of one frame */
	MAX_CHARACTERS = 512,
	OB_TYPE = 8 /* of every object: behind the count of references */
};

/* Py_TPFLAGS_INLINE_VALUES and Py_TPFLAGS_MANAGED_DICT (Include/object.h) */
enum { FLAG_INLINE_VALUES = 1 << 2, FLAG_MANAGED_DICT = 1 << 4 };

uint64_t cpython_pointer(struct cpython *c, uint64_t object, int offset)
{
	uint64_t value;

	if (!object || offset == -1)
		return 0;
	value = memory_pointer(&c->memory, object + (uint64_t)offset);
	/* 3.14 tags references in frames (_PyStackRef); no object lies at such an address. */
	return value & ~(uint64_t)3;
}

/* ---- Text ---- */

/* Writes one character as UTF-8 if there is room. */
static size_t put_character(char *ret, size_t room, uint32_t ch)
{
	if (ch >= 0xd800 && ch < 0xe000)
		ch = 0xfffd;
	if (ch < 0x80 && room > 0) {
		*ret = (char)ch;
		return 1;
	}
	if (ch < 0x800 && room > 1) {
		ret[0] = (char)(0xc0 | ch >> 6);
		ret[1] = (char)(0x80 | (ch & 63));
		return 2;
	}
	if (ch < 0x10000 && room > 2) {
		ret[0] = (char)(0xe0 | ch >> 12);
		ret[1] = (char)(0x80 | (ch >> 6 & 63));
		ret[2] = (char)(0x80 | (ch & 63));
		return 3;
	}
	if (ch < 0x110000 && room > 3) {
		ret[0] = (char)(0xf0 | ch >> 18);
		ret[1] = (char)(0x80 | (ch >> 12 & 63));
		ret[2] = (char)(0x80 | (ch >> 6 & 63));
		ret[3] = (char)(0x80 | (ch & 63));
		return 4;
	}
	return 0;
}

bool cpython_string(struct cpython *c, uint64_t object, char *ret, size_t size)
{
	const struct cpython_layout *l = c->layout;
	uint8_t head[80], data[MAX_CHARACTERS * 4];
	uint64_t length;
	uint32_t state;
	unsigned width;
	size_t out = 0;
	bool is_compact, is_ascii;

	*ret = '\0';
	if (!memory_read(&c->memory, object, head, (size_t)l->str_ascii))
		return false;
	memcpy(&length, head + l->str_length, sizeof length);
	memcpy(&state, head + l->str_state, sizeof state);
	state >>= l->str_kind_shift;
	width = state & 7;
	is_compact = state & 8;
	is_ascii = state & 16;
	if (!is_compact || (width != 1 && width != 2 && width != 4) || length > INT32_MAX)
		return false;
	if (length > MAX_CHARACTERS)
		length = MAX_CHARACTERS;
	if (length && !memory_read(&c->memory,
			      object + (uint64_t)(is_ascii ? l->str_ascii : l->str_compact), data,
			      (size_t)length * width))
		return false;
	for (size_t i = 0; i < length; i++) {
		uint32_t ch = 0;
		size_t n;

		memcpy(&ch, data + i * width, width);
		n = put_character(ret + out, size - 1 - out, ch ? ch : 0xfffd);
		if (!n)
			break;
		out += n;
	}
	ret[out] = '\0';
	return true;
}

const char *cpython_name(struct cpython *c, uint64_t key)
{
	char *name = hash_get(&c->names, key);
	char text[64];

	if (name)
		return name;
	(void)cpython_string(c, key, text, sizeof text);
	name = xstrdup(text);
	(void)hash_set(&c->names, key, name);
	return name;
}

uint64_t cpython_type_of(struct cpython *c, uint64_t object)
{
	return memory_pointer(&c->memory, object + OB_TYPE);
}

const struct cpython_class *cpython_class(struct cpython *c, uint64_t type)
{
	const struct cpython_layout *l = c->layout;
	struct cpython_class *class = type ? hash_get(&c->types, type) : NULL;
	uint64_t members[64];

	if (class || !type)
		return class;
	/* All that is wanted lies near the beginning of a type object. */
	if (!memory_read(&c->memory, type, members, sizeof members))
		return NULL;
	class = xcalloc(1, sizeof *class);
	memory_string(&c->memory, members[l->type_name / 8], class->name, sizeof class->name);
	class->flags = members[l->type_flags / 8];
	class->size = (int64_t)members[l->type_size / 8];
	class->dict_offset = (int64_t)members[l->type_dict_offset / 8];
	(void)hash_set(&c->types, type, class);
	return class;
}

const struct cpython_class *cpython_class_of(struct cpython *c, uint64_t object)
{
	return object ? cpython_class(c, cpython_type_of(c, object)) : NULL;
}

const char *cpython_type(struct cpython *c, uint64_t object)
{
	const struct cpython_class *class = cpython_class_of(c, object);

	return class ? class->name : "";
}

bool cpython_is_plain(const char *type)
{
	static const char *const plain[] = {"module", "type", "function", "method",
		"builtin_function_or_method", "str", "int", "float", "dict", "list", "tuple",
		"NoneType", "bool", "weakref.ReferenceType", "weakref"};

	for (size_t i = 0; i < ARRAY_SIZE(plain); i++)
		if (!strcmp(type, plain[i]))
			return true;
	return false;
}

/* Its digits of 30 bits stand behind how many there are, with the sign (Include/cpython/longintrepr.h). */
bool cpython_int(struct cpython *c, uint64_t object, uint64_t *ret)
{
	enum { DIGIT_BITS = 30, SIZE_SHIFT = 3 };
	struct {
		uint64_t references, type, count;
		uint32_t digits[2];
	} o;
	const struct cpython_class *class;

	if (!memory_read(&c->memory, object, &o, sizeof o) || !(class = cpython_class(c, o.type)) ||
		strcmp(class->name, "int") != 0)
		return false;
	/* From 3.12 on the count stands above three bits, of which 1 is zero, 2 is negative. */
	if (c->layout->minor >= 12)
		o.count = o.count & 2 ? UINT64_MAX : o.count >> SIZE_SHIFT;
	if (o.count > 2)
		return false;
	*ret = o.count > 0 ? o.digits[0] : 0;
	if (o.count > 1)
		*ret |= (uint64_t)o.digits[1] << DIGIT_BITS;
	return true;
}

/* ---- Dictionaries ---- */

/* Where the entries of a table of keys are, and how they look. */
struct entries {
	uint64_t first;
	size_t n, stride;
	bool has_hash;
};

/* 3.9 counts the slots, 3.11 has the logarithm of the bytes that their indices take. */
static uint64_t index_bytes(const struct cpython_layout *l, const uint8_t *keys)
{
	uint64_t slots;

	if (l->keys_kind != -1)
		return keys[l->keys_size] < 32 ? (uint64_t)1 << keys[l->keys_size] : 0;
	memcpy(&slots, keys + l->keys_size, sizeof slots);
	return slots <= 0xff ? slots : slots <= 0xffff ? slots * 2 : slots * 4;
}

static bool find_entries(struct cpython *c, uint64_t keys, struct entries *ret)
{
	const struct cpython_layout *l = c->layout;
	uint8_t head[64];
	int64_t n;

	if (!memory_read(&c->memory, keys, head, (size_t)l->keys_indices))
		return false;
	memcpy(&n, head + l->keys_entries_n, sizeof n);
	if (n < 0)
		return false;
	ret->n = n > MAX_ENTRIES ? MAX_ENTRIES : (size_t)n;
	ret->first = keys + (uint64_t)l->keys_indices + index_bytes(l, head);
	ret->has_hash = l->keys_kind == -1 || head[l->keys_kind] == l->keys_general;
	ret->stride = ret->has_hash ? 24 : 16;
	return true;
}

/* values: address of the array of values; 0: they stand in the entries. */
static bool walk_entries(
	struct cpython *c, uint64_t keys, uint64_t values, cpython_visit *visit, void *arg)
{
	struct entries e;
	uint64_t chunk[3 * 64], apart[64];

	if (!keys || !find_entries(c, keys, &e))
		return true;
	for (size_t i = 0; i < e.n;) {
		size_t n = e.n - i < 64 ? e.n - i : 64;

		if (!memory_read(&c->memory, e.first + i * e.stride, chunk, n * e.stride) ||
			(values && !memory_read(&c->memory, values + i * 8, apart, n * 8)))
			return true;
		for (size_t k = 0; k < n; k++, i++) {
			const uint64_t *entry = chunk + k * e.stride / 8 + (e.has_hash ? 1 : 0);
			uint64_t value = values ? apart[k] : entry[1];

			if (entry[0] && value && !visit(arg, entry[0], value))
				return false;
		}
	}
	return true;
}

bool cpython_dict(struct cpython *c, uint64_t dict, cpython_visit *visit, void *arg)
{
	const struct cpython_layout *l = c->layout;
	uint64_t values = cpython_pointer(c, dict, l->dict_values);

	if (values && l->values_first > 0)
		values += (uint64_t)l->values_first;
	return walk_entries(c, cpython_pointer(c, dict, l->dict_keys), values, visit, arg);
}

/* ---- Attributes ---- */

/* Attributes that no dictionary has been made for: behind the object, or, in 3.11, in an array of their own. */
static uint64_t inline_values(
	struct cpython *c, uint64_t object, const struct cpython_class *class, uint64_t array)
{
	if (!c->layout->has_inline_values)
		return array;
	if (!(class->flags & FLAG_INLINE_VALUES) || class->size <= 0 || class->size > 65536)
		return 0;
	return object + (uint64_t) class->size + (uint64_t)c->layout->values_first;
}

bool cpython_attributes(struct cpython *c, uint64_t object, cpython_visit *visit, void *arg)
{
	const struct cpython_layout *l = c->layout;
	/* What lies before the object: in 3.11 the array of values, the dictionary, two links of the collector. */
	struct {
		uint64_t values, dict, links[2], refs, type;
	} o;
	const struct cpython_class *class;

	if (!object || !memory_read(&c->memory, object - 32, &o, sizeof o) ||
		!(class = cpython_class(c, o.type)))
		return true;
	/* In 3.12 one word has either, marked by its lowest bit (PyDictOrValues, pycore_object.h). */
	if (l->minor == 12) {
		o.values = o.dict & 1 ? o.dict + 1 : 0;
		o.dict = o.dict & 1 ? 0 : o.dict;
	}
	if (l->heap_keys != -1 && class->flags & FLAG_MANAGED_DICT) {
		if (!o.dict)
			return walk_entries(c, cpython_pointer(c, o.type, l->heap_keys),
				inline_values(c, object, class, o.values), visit, arg);
		return cpython_dict(c, o.dict, visit, arg);
	}
	if (class->dict_offset <= 0 || class->dict_offset > 65536)
		return true;
	return cpython_dict(
		c, memory_pointer(&c->memory, object + (uint64_t) class->dict_offset), visit, arg);
}

/* A search for one name. */
struct search {
	struct cpython *c;
	const char *name;
	uint64_t found;
};

static bool is_named(void *arg, uint64_t key, uint64_t value)
{
	struct search *s = arg;

	if (strcmp(cpython_name(s->c, key), s->name) != 0)
		return true;
	s->found = value;
	return false;
}

uint64_t cpython_attribute(struct cpython *c, uint64_t object, const char *name)
{
	struct search s = {c, name, 0};

	(void)cpython_attributes(c, object, is_named, &s);
	return s.found;
}

/* ---- Variables ---- */

/* Calls visit for the variables that one tuple of names names; *at is the place of the first. */
static bool walk_names(struct cpython *c, const struct cpython_frame *f, int names, size_t *at,
	cpython_visit *visit, void *arg)
{
	const struct cpython_layout *l = c->layout;
	uint64_t tuple = cpython_pointer(c, f->code_addr, names);
	uint64_t n = tuple ? memory_pointer(&c->memory, tuple + (uint64_t)l->sized_length) : 0;

	for (size_t i = 0; i < n && *at < MAX_LOCALS; i++, (*at)++) {
		uint64_t key = memory_pointer(&c->memory, tuple + (uint64_t)l->tuple_items + i * 8);
		uint64_t value = cpython_pointer(c, f->addr, l->frame_locals + (int)*at * 8);

		if (!key || !value)
			continue;
		if (!strcmp(cpython_type(c, value), "cell"))
			value = cpython_pointer(c, value, l->cell_value);
		if (value && !visit(arg, key, value))
			return false;
	}
	return true;
}

bool cpython_locals(
	struct cpython *c, const struct cpython_frame *f, cpython_visit *visit, void *arg)
{
	const struct cpython_layout *l = c->layout;
	size_t at = 0;

	return walk_names(c, f, l->code_locals, &at, visit, arg) &&
	       (l->code_cells == -1 || walk_names(c, f, l->code_cells, &at, visit, arg)) &&
	       (l->code_free == -1 || walk_names(c, f, l->code_free, &at, visit, arg));
}

/* ---- Locks ---- */

static bool is_lock_type(const char *type)
{
	return !strcmp(type, "_thread.lock") || !strcmp(type, "_thread.RLock") ||
	       !strcmp(type, "_queue.SimpleQueue");
}

bool cpython_is_shared(const char *type)
{
	return !strcmp(type, "Lock") || !strcmp(type, "RLock") || !strcmp(type, "Semaphore") ||
	       !strcmp(type, "BoundedSemaphore");
}

/* One of multiprocessing's own has the address of a semaphore that processes share (Modules/_multiprocessing). */
static bool is_shared_at(struct cpython *c, uint64_t object, uint64_t address)
{
	uint64_t handle = cpython_attribute(c, object, "_semlock");

	return handle && !strcmp(cpython_type(c, handle), "_multiprocessing.SemLock") &&
	       memory_pointer(&c->memory, handle + LOCK_HANDLE) == address;
}

bool cpython_waits_for(struct cpython *c, uint64_t object, uint64_t address)
{
	uint64_t words[LOCK_HANDLE / 8 + 1]; /* references, type, handle */
	const struct cpython_class *class;

	if (!memory_read(&c->memory, object, words, sizeof words))
		return false;
	class = cpython_class(c, words[1]);
	if (class && cpython_is_shared(class->name))
		return is_shared_at(c, object, address);
	if (!class || !is_lock_type(class->name))
		return false;
	if (words[LOCK_HANDLE / 8] == address)
		return true;
	/* Some releases of 3.13 have a semaphore still. */
	return c->layout->minor >= (!strcmp(class->name, "_thread.RLock") ? 14 : 13) &&
	       memory_pointer(&c->memory, address - PARKED_BEFORE) == object + MUTEX_IN_LOCK;
}
