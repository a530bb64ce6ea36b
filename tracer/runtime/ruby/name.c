/* name.c - what a program of Ruby calls an object: a local variable, an instance variable, a constant. */
/* SPDX-License-Identifier: MIT */
/*
 * Names are numbers (ID), whose texts stand in an array of arrays of 512 (symbol.c: ids). Neither that nor the tree of shapes,
 * by which 3.2 and later know where an object has its variables, has a name that a stripped library keeps: both are
 * looked for in the library's data, by what they must look like. Local variables lie below the environment of a frame, a block's
 * own point to those around it (vm_core.h).
 */
#include "tracer/runtime/ruby/ruby.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"

enum {
	MAX_LOOKED = 16, /* frames of a thread */
	MAX_LOCALS = 256,
	MAX_BLOCKS = 16,     /* one in the other */
	MAX_VARIABLES = 256, /* of one object */
	MAX_CONSTANTS = 1 << 14,
	MAX_ID = 1 << 24,
	MAX_SHAPES = 1 << 20,
	LAST_OPERATOR = 256, /* above tLAST_OP_ID: below that an ID is a number of its own */
	SCOPE_SHIFT = 4,     /* RUBY_ID_SCOPE_SHIFT */
	PER_ARRAY = 512,     /* ID_ENTRY_UNIT: a text and a symbol each */
	/* rb_symbols_t */
	SYMBOLS_LAST = 0,
	SYMBOLS_IDS = 16,
	/* vm_core.h, below and at an environment */
	ENV_LAST_LOCAL = 3,
	ENV_OUTER = 8,
	ENV_IS_LOCAL = 2,
	/* rb_shape_tree_t */
	TREE_ROOT = 8,
	TREE_NEXT = 16,
	SHAPE_IVAR = 1,
	/* struct RObject, behind its flags and class */
	OBJECT_CLASS = 8,
	OBJECT_BODY = 16,
	OBJECT_VALUES = 24, /* up to 3.1, behind their number */
	OBJECT_INDEX = 32,
	/* struct st_table, and its entries */
	TABLE_BOUND = 40,
	TABLE_ENTRIES = 48,
	ENTRY_SIZE = 24,
	/* struct rb_id_table, its items, and rb_const_entry_t */
	IDS_CAPACITY = 0,
	IDS_ITEMS = 16,
	ITEM_SIZE = 16,
	CONSTANT_VALUE = 8
};

/* A number of 32 bits, out of the pages that are kept. */
static uint32_t number_at(struct ruby *r, uint64_t addr)
{
	uint32_t value;

	return addr && memory_cached(&r->memory, addr, &value, sizeof value) ? value : 0;
}

/* ---- Texts of names ---- */

/* Reads the text with this number; false if there is none. */
static bool read_text(struct ruby *r, uint64_t symbols, uint64_t number, char *ret, size_t size)
{
	uint64_t ids = ruby_pointer(r, symbols, SYMBOLS_IDS), texts;

	ret[0] = '\0';
	return number && number <= number_at(r, symbols + SYMBOLS_LAST) &&
	       (texts = ruby_element(r, ids, number / PER_ARRAY)) != 0 &&
	       ruby_string(r, ruby_element(r, texts, number % PER_ARRAY * 2), ret, size);
}

static bool is_symbols(struct ruby *r, uint64_t at)
{
	uint32_t last = number_at(r, at + SYMBOLS_LAST);
	char text[64];

	return last > PER_ARRAY && last < MAX_ID && ruby_pointer(r, at, SYMBOLS_IDS) > 4096 &&
	       read_text(r, at, last, text, sizeof text);
}

/* What begins with a letter, or "@" and one: hidden variables have none. */
static bool read_name(struct ruby *r, uint64_t id, char *ret, size_t size)
{
	uint64_t number = id > LAST_OPERATOR ? id >> SCOPE_SHIFT : 0;

	return read_text(r, r->symbols, number, ret, size) && strncmp(ret, "@mon_", 5) != 0;
}

/* ---- Shapes ---- */

/* Returns where a shape lies, or 0. */
static uint64_t shape_at(struct ruby *r, uint64_t tree, uint64_t id)
{
	uint64_t list = ruby_pointer(r, tree, 0);

	return list && id < number_at(r, tree + TREE_NEXT)
		       ? list + id * (uint64_t)r->layout->shape_size
		       : 0;
}

static bool is_shapes(struct ruby *r, uint64_t at)
{
	uint64_t tree = ruby_pointer(r, at, 0), list, root, shape;
	uint32_t next;

	if (r->layout->shape_size < 0 || tree < 4096 || tree % 8)
		return false;
	list = ruby_pointer(r, tree, 0);
	root = ruby_pointer(r, tree, TREE_ROOT);
	next = number_at(r, tree + TREE_NEXT);
	if (list < 4096 || root < list || next < 2 || next > MAX_SHAPES ||
		(root - list) % (uint64_t)r->layout->shape_size ||
		(root - list) / (uint64_t)r->layout->shape_size >= next ||
		number_at(r, root + (uint64_t)r->layout->shape_parent) != UINT32_MAX)
		return false;
	shape = shape_at(r, tree, next - 1);
	return shape && number_at(r, shape + (uint64_t)r->layout->shape_parent) < next;
}

/* ---- Where a value is found ---- */

/* An instance variable whose place in the object is noted in a table of its class, up to 3.1. */
static bool find_by_index(struct ruby *r, uint64_t index, uint64_t values, uint64_t n,
	uint64_t value, char *ret, size_t size)
{
	uint64_t bound = ruby_pointer(r, index, TABLE_BOUND);
	uint64_t entries = ruby_pointer(r, index, TABLE_ENTRIES);

	for (uint64_t i = 0; i < bound && i < MAX_VARIABLES; i++) {
		uint64_t entry = entries + ENTRY_SIZE * i;
		uint64_t place = number_at(r, ruby_pointer(r, entry, 16));

		if (place < n && ruby_pointer(r, values, (int64_t)(8 * place)) == value)
			return read_name(r, ruby_pointer(r, entry, 8), ret, size);
	}
	return false;
}

static bool find_by_shape(
	struct ruby *r, uint64_t id, uint64_t values, uint64_t value, char *ret, size_t size)
{
	const struct ruby_layout *l = r->layout;
	uint64_t tree = ruby_pointer(r, r->shapes, 0), shape;

	for (unsigned i = 0; i < MAX_VARIABLES && (shape = shape_at(r, tree, id)) != 0; i++) {
		uint32_t next = number_at(r, shape + (uint64_t)l->shape_next);
		uint8_t type = 0;

		(void)memory_cached(&r->memory, shape + (uint64_t)l->shape_type, &type, 1);
		if (type == SHAPE_IVAR && next && next <= MAX_VARIABLES &&
			ruby_pointer(r, values, (int64_t)(8 * (next - 1))) == value)
			return read_name(r, ruby_pointer(r, shape, l->shape_edge), ret, size);
		id = number_at(r, shape + (uint64_t)l->shape_parent);
	}
	return false;
}

/* An instance variable of an object. */
static bool find_in_object(struct ruby *r, uint64_t object, uint64_t value, char *ret, size_t size)
{
	const struct ruby_layout *l = r->layout;
	bool embedded = ruby_pointer(r, object, 0) & RUBY_FLAG_USER_1;
	uint64_t body = object + OBJECT_BODY, class = ruby_pointer(r, object, OBJECT_CLASS);

	if (l->shape_size >= 0)
		return r->shapes &&
		       find_by_shape(r, ruby_pointer(r, object, 0) >> 32,
			       embedded ? body : ruby_pointer(r, body, 0), value, ret, size);
	if (embedded)
		return find_by_index(
			r, ruby_pointer(r, ruby_extension(r, class), 0), body, 3, value, ret, size);
	return find_by_index(r, ruby_pointer(r, object, OBJECT_INDEX),
		ruby_pointer(r, object, OBJECT_VALUES), number_at(r, body), value, ret, size);
}

/* A constant of a class or module. */
static bool find_in_class(struct ruby *r, uint64_t class, uint64_t value, char *ret, size_t size)
{
	uint64_t table = ruby_pointer(r, ruby_extension(r, class), r->layout->class_constants);
	uint64_t items = ruby_pointer(r, table, IDS_ITEMS);
	uint32_t n = number_at(r, table + IDS_CAPACITY);

	for (uint32_t i = 0; items && i < n && i < MAX_CONSTANTS; i++) {
		uint64_t item = items + ITEM_SIZE * (uint64_t)i;
		uint32_t number = number_at(r, item);

		if (number && ruby_pointer(r, ruby_pointer(r, item, 8), CONSTANT_VALUE) == value)
			return read_text(r, r->symbols, number, ret, size);
	}
	return false;
}

/* A local variable of a frame, or of what is around a block. */
static bool find_in_locals(
	struct ruby *r, uint64_t iseq, uint64_t env, uint64_t value, char *ret, size_t size)
{
	const struct ruby_layout *l = r->layout;

	for (unsigned i = 0; iseq && env && i < MAX_BLOCKS; i++) {
		uint64_t body = ruby_pointer(r, iseq, l->iseq_body);
		uint64_t names = ruby_pointer(r, body, l->body_locals);
		uint64_t n = number_at(r, body + (uint64_t)l->body_n_locals);

		for (uint64_t k = 0; n <= MAX_LOCALS && k < n; k++)
			if (ruby_pointer(r, env - 8 * (ENV_LAST_LOCAL - 1 + n - k), 0) == value &&
				read_name(r, ruby_pointer(r, names, (int64_t)(8 * k)), ret, size))
				return true;
		if (ruby_pointer(r, env, 0) & ENV_IS_LOCAL)
			return false;
		env = ruby_pointer(r, env - ENV_OUTER, 0) & ~UINT64_C(3);
		iseq = ruby_pointer(r, body, l->body_parent);
	}
	return false;
}

/* ---- Names ---- */

static bool find_in_frame(struct ruby *r, uint64_t frame, uint64_t value, char *ret, size_t size)
{
	const struct ruby_layout *l = r->layout;
	uint64_t iseq = ruby_pointer(r, frame, l->cfp_iseq);
	uint64_t self = ruby_pointer(r, frame, l->cfp_self);
	enum ruby_type type = ruby_type(r, self);

	if (!iseq || !ruby_pointer(r, frame, l->cfp_pc))
		return false;
	if (find_in_locals(r, iseq, ruby_pointer(r, frame, l->cfp_env), value, ret, size))
		return true;
	if (type == RUBY_OBJECT)
		return find_in_object(r, self, value, ret, size) ||
		       find_in_class(r, ruby_pointer(r, self, OBJECT_CLASS), value, ret, size);
	return (type == RUBY_CLASS || type == RUBY_MODULE) &&
	       find_in_class(r, self, value, ret, size);
}

static bool find_symbols(struct ruby *r)
{
	if (!r->has_looked) {
		r->symbols = ruby_search(r, is_symbols);
		r->shapes = r->layout->shape_size < 0 ? 0 : ruby_search(r, is_shapes);
		r->object_class = ruby_object_class(r);
	}
	r->has_looked = true;
	return r->symbols != 0;
}

/* A constant of the program's own, looked for once while others wait for the same. */
static void find_constant(struct ruby *r, uint64_t value, char *ret, size_t size)
{
	if (r->asked != value) {
		r->asked = value;
		if (!find_in_class(r, r->object_class, value, r->constant, sizeof r->constant))
			r->constant[0] = '\0';
	}
	(void)snprintf(ret, size, "%s", r->constant);
}

void ruby_name(struct ruby *r, const struct ruby_thread *t, uint64_t value, char *ret, size_t size)
{
	const struct ruby_layout *l = r->layout;
	uint64_t at = ruby_pointer(r, t->ec, l->ec_cfp);
	bool found = false;

	ret[0] = '\0';
	if (!value || !find_symbols(r))
		return;
	for (unsigned i = 0; i < MAX_LOOKED && at && !found; i++) {
		found = find_in_frame(r, at, value, ret, size);
		at += (uint64_t)l->cfp_size;
	}
	if (!found)
		find_constant(r, value, ret, size);
}
