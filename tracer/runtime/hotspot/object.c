/* object.c - Java's objects, classes, fields, strings and methods. */
/* SPDX-License-Identifier: MIT */
#include "tracer/runtime/hotspot/hotspot.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum {
	MAX_DEPTH = 64,       /* of superclasses */
	MAX_FIELDS = 4096,    /* of a class */
	MAX_STREAM = 1 << 16, /* bytes of the tables of fields and lines */
	ACC_STATIC = 0x8,     /* of classes' files */
	ACC_NATIVE = 0x100,
	/* FieldInfo of releases before 21: access, name, type, value, offset in two halves */
	FIELD_SLOTS = 6,
	FIELD_TAG = 2 /* bits below the offset */
};

uint64_t hotspot_oop(struct hotspot *h, uint64_t addr)
{
	uint64_t narrow;

	if (!h->narrow_oops)
		return hotspot_u64(h, addr, 0);
	narrow = hotspot_u32(h, addr, 0);
	return narrow ? h->oop_base + (narrow << h->oop_shift) : 0;
}

/* ---- Names ---- */

/* Reads a Symbol, as class files have it, cut to size - 1 bytes. */
static void read_symbol(struct hotspot *h, uint64_t symbol, char *ret, size_t size)
{
	size_t len = hotspot_u16(h, symbol, h->vm.symbol_length);

	if (len >= size)
		len = size - 1;
	if (!symbol || !memory_cached(&h->memory, symbol + h->vm.symbol_body, ret, len))
		len = 0;
	ret[len] = '\0';
}

/* Reads a name that a constant pool has under an index. */
static void read_constant(struct hotspot *h, uint64_t pool, uint32_t index, char *ret, size_t size)
{
	read_symbol(h, hotspot_u64(h, pool, h->vm.size_pool + 8 * (uint64_t)index), ret, size);
}

/* "[Ljava/lang/Object;" is "java.lang.Object[]". */
static void name_array(char *name, size_t size)
{
	static const struct {
		char code;
		const char *name;
	} types[] = {{'B', "byte"}, {'C', "char"}, {'D', "double"}, {'F', "float"}, {'I', "int"},
		{'J', "long"}, {'S', "short"}, {'Z', "boolean"}};
	size_t dimensions = strspn(name, "["), len;
	char element[128];

	if (!dimensions)
		return;
	(void)snprintf(
		element, sizeof element, "%s", name + dimensions + (name[dimensions] == 'L'));
	element[strcspn(element, ";")] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (name[dimensions] == types[i].code)
			(void)snprintf(element, sizeof element, "%s", types[i].name);
	len = (size_t)snprintf(name, size, "%s", element);
	for (size_t i = 0; i < dimensions && len + 2 < size; i++, len += 2)
		memcpy(name + len, "[]", 3);
}

/* From "java/lang/Object" to the name that programs use; what a hidden class has behind it goes. */
static void name_class(char *name, size_t size)
{
	char *hidden = strstr(name, "+0x");

	if (!hidden)
		hidden = strstr(name, "/0x");
	if (hidden)
		*hidden = '\0';
	name_array(name, size);
	for (char *p = name; *p; p++)
		if (*p == '/')
			*p = '.';
}

/* The packages of the Java platform. */
static bool is_platform(const char *name)
{
	static const char *const packages[] = {"java.", "javax.", "jdk.", "sun.", "com.sun."};

	for (size_t i = 0; i < ARRAY_SIZE(packages); i++)
		if (!strncmp(name, packages[i], strlen(packages[i])))
			return true;
	return false;
}

/* ---- Classes ---- */

const struct hotspot_class *hotspot_class(struct hotspot *h, uint64_t klass)
{
	const struct hotspot_vm *vm = &h->vm;
	struct hotspot_class *class = hash_get(&h->classes, klass);

	if (class || !klass)
		return class;
	class = xcalloc(1, sizeof *class);
	(void)hash_set(&h->classes, klass, class);
	read_symbol(h, hotspot_u64(h, klass, vm->klass_name), class->name, sizeof class->name);
	name_class(class->name, sizeof class->name);
	class->klass = klass;
	class->super = hotspot_u64(h, klass, vm->klass_super);
	class->mirror = hotspot_u64(h, hotspot_u64(h, klass, vm->klass_mirror), 0);
	class->is_library = is_platform(class->name);
	return class;
}

const struct hotspot_class *hotspot_class_of(struct hotspot *h, uint64_t object)
{
	const struct hotspot_vm *vm = &h->vm;
	const struct hotspot_class *class;
	uint64_t klass, narrow;

	if (!object)
		return NULL;
	narrow = h->narrow_klasses ? hotspot_u32(h, object, vm->oop_narrow_klass) : 0;
	klass = h->narrow_klasses ? h->klass_base + (narrow << h->klass_shift)
				  : hotspot_u64(h, object, vm->oop_klass);
	class = hotspot_class(h, klass);
	return class && class->name[0] ? class : NULL;
}

bool hotspot_is_a(struct hotspot *h, const struct hotspot_class *class, const char *name)
{
	for (unsigned i = 0; class && i < MAX_DEPTH; i++) {
		if (!strcmp(class->name, name))
			return true;
		class = hotspot_class(h, class->super);
	}
	return false;
}

/* ---- Fields ---- */

/* A class's constant pool, and the function that gets its fields. */
struct walk {
	struct hotspot *h;
	uint64_t pool;
	hotspot_visit *visit;
	void *arg;
};

static bool show_field(
	const struct walk *w, uint32_t name, uint32_t type, uint32_t access, uint32_t offset)
{
	char field[64], signature[96];

	read_constant(w->h, w->pool, name, field, sizeof field);
	read_constant(w->h, w->pool, type, signature, sizeof signature);
	return !field[0] || w->visit(w->arg, field, signature, (access & ACC_STATIC) != 0, offset);
}

static void walk_slots(const struct walk *w, uint64_t array, uint32_t n)
{
	for (uint32_t i = 0; i < n && i < MAX_FIELDS; i++) {
		uint16_t slot[FIELD_SLOTS];

		if (!memory_cached(&w->h->memory, array + w->h->vm.array_u2 + i * sizeof slot, slot,
			    sizeof slot) ||
			!show_field(w, slot[1], slot[2], slot[0],
				((uint32_t)slot[5] << 16 | slot[4]) >> FIELD_TAG))
			return;
	}
}

/* From 21 on (src/hotspot/share/oops/fieldInfo.hpp). */
static void walk_stream(const struct walk *w, uint64_t array)
{
	enum { INITIALIZED = 1, GENERIC = 4, CONTENDED = 16 };
	size_t len = hotspot_u32(w->h, array, w->h->vm.array_length);
	_cleanup_free_ uint8_t *bytes = xmalloc(len < MAX_STREAM ? len + 1 : 1);
	struct hotspot_stream s = {.bytes = bytes, .len = len, .excess = 1};
	uint32_t n;

	if (len >= MAX_STREAM ||
		!memory_cached(&w->h->memory, array + w->h->vm.array_u1, bytes, len))
		return;
	n = hotspot_stream_next(&s);
	(void)hotspot_stream_next(&s); /* those that the virtual machine itself adds */
	for (uint32_t i = 0; i < n && !s.failed; i++) {
		uint32_t name = hotspot_stream_next(&s), type = hotspot_stream_next(&s);
		uint32_t offset = hotspot_stream_next(&s), access = hotspot_stream_next(&s);
		uint32_t has = hotspot_stream_next(&s);

		if (s.failed || !show_field(w, name, type, access, offset))
			return;
		for (uint32_t bit = INITIALIZED; bit <= CONTENDED; bit <<= 2)
			if (has & bit)
				(void)hotspot_stream_next(&s);
	}
}

void hotspot_fields(
	struct hotspot *h, const struct hotspot_class *class, hotspot_visit *visit, void *arg)
{
	const struct hotspot_vm *vm = &h->vm;
	struct walk w = {h, hotspot_u64(h, class->klass, vm->klass_constants), visit, arg};
	uint64_t array = hotspot_u64(h, class->klass, vm->klass_fields);

	if (!w.pool)
		return;
	if (vm->klass_field_stream != HOTSPOT_NONE)
		walk_stream(&w, hotspot_u64(h, class->klass, vm->klass_field_stream));
	else if (array)
		walk_slots(&w, array, hotspot_u16(h, class->klass, vm->klass_fields_n));
}

/* The search for an object's field. */
struct search {
	const char *name;
	uint32_t offset; /* 0: not found, for no field lies there */
};

static bool compare_field(
	void *arg, const char *name, const char *type, bool is_static, uint32_t offset)
{
	struct search *s = arg;

	(void)type;
	if (is_static || strcmp(name, s->name) != 0)
		return true;
	s->offset = offset;
	return false;
}

uint64_t hotspot_field(struct hotspot *h, uint64_t object, const char *name)
{
	const struct hotspot_class *class = hotspot_class_of(h, object);
	struct search s = {name, 0};

	for (unsigned i = 0; class && i < MAX_DEPTH && !s.offset; i++) {
		hotspot_fields(h, class, compare_field, &s);
		class = hotspot_class(h, class->super);
	}
	return s.offset ? object + s.offset : 0;
}

uint64_t hotspot_field_oop(struct hotspot *h, uint64_t object, const char *name)
{
	uint64_t at = hotspot_field(h, object, name);

	return at ? hotspot_oop(h, at) : 0;
}

/* ---- Strings ---- */

/* Appends a character as UTF-8; 0 if there is no room. */
static size_t put_character(char *to, size_t room, uint32_t c)
{
	unsigned more = c < 0x80 ? 0 : c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
	static const uint8_t first[] = {0, 0xc0, 0xe0, 0xf0};

	if (room <= more)
		return 0;
	to[0] = (char)(first[more] | c >> (6 * more));
	for (unsigned i = 1; i <= more; i++)
		to[i] = (char)(0x80 | (c >> (6 * (more - i)) & 0x3f));
	return more + 1;
}

/* The next character of UTF-16; half a pair is U+FFFD. */
static uint32_t next_character(const uint16_t *units, size_t n, size_t *at)
{
	uint32_t c = units[(*at)++];

	if ((c & 0xf800) != 0xd800)
		return c;
	if (c >= 0xdc00 || *at == n || (units[*at] & 0xfc00) != 0xdc00)
		return 0xfffd;
	return 0x10000 + ((c & 0x3ff) << 10) + (units[(*at)++] & 0x3ffu);
}

void hotspot_string(struct hotspot *h, uint64_t object, char *ret, size_t size)
{
	enum { MAX_UNITS = 128 };
	uint64_t bytes = hotspot_field_oop(h, object, "value");
	uint64_t coder = hotspot_field(h, object, "coder");
	/* Behind the class: the length, and the elements at the next multiple of 8. */
	uint64_t length_at = h->narrow_klasses ? 12 : 16, data = h->narrow_klasses ? 16 : 24;
	size_t n = hotspot_u32(h, bytes, length_at), used = 0, put;
	uint16_t units[MAX_UNITS];
	uint8_t latin[MAX_UNITS], is_wide = 0;

	ret[0] = '\0';
	if (!bytes || !coder || !memory_cached(&h->memory, coder, &is_wide, 1))
		return;
	n = is_wide ? n / 2 : n;
	n = n < MAX_UNITS ? n : MAX_UNITS;
	if (!memory_cached(
		    &h->memory, bytes + data, is_wide ? (void *)units : latin, is_wide ? 2 * n : n))
		return;
	for (size_t i = 0; i < n;) {
		uint32_t c = is_wide ? next_character(units, n, &i) : latin[i++];

		put = c ? put_character(ret + used, size - 1 - used, c) : 0;
		if (!put)
			break;
		used += put;
	}
	ret[used] = '\0';
}

/* ---- Methods ---- */

/* "com.acme.Bank.transfer"; of what is too long the end is kept. */
static void name_method(struct hotspot_method *m, const char *name)
{
	const char *class = m->class->name, *dot;

	while (strlen(class) + strlen(name) + 2 > 96 && (dot = strchr(class, '.')) != NULL)
		class = dot + 1;
	if ((size_t)snprintf(m->function, sizeof m->function, "%s.%s", class, name) >=
		sizeof m->function)
		m->function[sizeof m->function - 1] = '\0'; /* cut, as it is said above */
}

static void read_lines(struct hotspot *h, uint64_t method, struct hotspot_method *m)
{
	const struct hotspot_vm *vm = &h->vm;
	uint64_t end = method + 8 * (uint64_t)hotspot_u32(h, method, vm->const_words);
	uint64_t at = m->code + m->code_size;

	if (!(hotspot_u16(h, method, vm->const_flags) & 1) || end <= at || end - at > MAX_STREAM)
		return;
	m->lines = xmalloc((size_t)(end - at));
	m->n_lines = (size_t)(end - at);
	if (!memory_cached(&h->memory, at, m->lines, m->n_lines))
		m->n_lines = 0;
}

const struct hotspot_method *hotspot_method(struct hotspot *h, uint64_t addr)
{
	const struct hotspot_vm *vm = &h->vm;
	struct hotspot_method *m = hash_get(&h->methods, addr);
	uint64_t method, pool, klass;
	uint32_t access, file;
	char name[96];

	if (m)
		return m->class ? m : NULL;
	method = hotspot_u64(h, addr, vm->method_const);
	pool = hotspot_u64(h, method, vm->const_pool);
	klass = hotspot_u64(h, pool, vm->pool_holder);
	if (!klass)
		return NULL;
	m = xcalloc(1, sizeof *m);
	(void)hash_set(&h->methods, addr, m);
	m->class = hotspot_class(h, klass);
	read_constant(h, pool, hotspot_u16(h, method, vm->const_name), name, sizeof name);
	if (!m->class->name[0] || !name[0]) {
		m->class = NULL;
		return NULL;
	}
	name_method(m, name);
	file = vm->pool_file != HOTSPOT_NONE ? hotspot_u16(h, pool, vm->pool_file)
					     : hotspot_u16(h, klass, vm->klass_file);
	if (file)
		read_constant(h, pool, file, m->file, sizeof m->file);
	access = hotspot_u32(h, addr, vm->method_access);
	m->is_native = access & ACC_NATIVE;
	m->is_static = access & ACC_STATIC;
	m->code = method + vm->size_const;
	m->code_size = hotspot_u16(h, method, vm->const_code_size);
	read_lines(h, method, m);
	return m;
}
