/* object.c - Ruby's strings, arrays and objects of C data. */
/* SPDX-License-Identifier: MIT */
/*
 * include/ruby/internal/core/{rbasic,rstring,rarray,rtypeddata}.h: an object begins with its flags, whose five lowest bits
 * are its type, and its class. Values that are no multiple of eight are numbers, symbols, nil, true or false.
 */
#include "tracer/runtime/ruby/ruby.h"

enum {
	TYPE_MASK = 0x1f,
	T_STRING = 0x05,
	T_ARRAY = 0x07,
	T_DATA = 0x0c,
	EMBED_LENGTH = 14, /* FL_USHIFT + 2: length of an embedded String up to 3.1, five bits */
	ARRAY_LENGTH = 15, /* FL_USHIFT + 3: length of an embedded Array */
	BODY = 16,         /* behind flags and class */
	MAX_TYPE = 32
};

uint64_t ruby_pointer(struct ruby *r, uint64_t addr, int64_t offset)
{
	uint64_t value;

	return addr && offset >= 0 &&
			       memory_cached(
				       &r->memory, addr + (uint64_t)offset, &value, sizeof value)
		       ? value
		       : 0;
}

static bool has_type(struct ruby *r, uint64_t value, unsigned type, uint64_t *ret_flags)
{
	if (value < 4096 || value % 8)
		return false;
	*ret_flags = ruby_pointer(r, value, 0);
	return (*ret_flags & TYPE_MASK) == type;
}

enum ruby_type ruby_type(struct ruby *r, uint64_t value)
{
	uint64_t flags = value < 4096 || value % 8 ? 0 : ruby_pointer(r, value, 0) & TYPE_MASK;

	return flags < RUBY_OTHER ? (enum ruby_type)flags : RUBY_OTHER;
}

uint64_t ruby_element(struct ruby *r, uint64_t array, uint64_t i)
{
	uint64_t flags, n;
	bool embedded;

	if (!has_type(r, array, T_ARRAY, &flags))
		return 0;
	embedded = flags & RUBY_FLAG_USER_1;
	n = embedded ? flags >> ARRAY_LENGTH & (r->layout->minor < 2 ? 3 : 127)
		     : ruby_pointer(r, array, BODY);
	return i >= n ? 0
		      : ruby_pointer(r, embedded ? array + BODY : ruby_pointer(r, array, BODY + 16),
				(int64_t)(8 * i));
}

uint64_t ruby_extension(struct ruby *r, uint64_t class)
{
	enum ruby_type type = ruby_type(r, class);

	if (type != RUBY_CLASS && type != RUBY_MODULE)
		return 0;
	return r->layout->class_extension ? class + (uint64_t)r->layout->class_extension
					  : ruby_pointer(r, class, r->layout->class_pointer);
}

bool ruby_string(struct ruby *r, uint64_t value, char *ret, size_t size)
{
	bool is_old = r->layout->minor < 2;
	uint64_t flags, len, at;

	ret[0] = '\0';
	if (!has_type(r, value, T_STRING, &flags))
		return false;
	len = is_old && !(flags & RUBY_FLAG_USER_1) ? flags >> EMBED_LENGTH & 31
						    : ruby_pointer(r, value, BODY);
	at = flags & RUBY_FLAG_USER_1 ? ruby_pointer(r, value, BODY + 8)
				      : value + (is_old ? BODY : BODY + 8);
	len = len < size ? len : size - 1;
	if (!len || !memory_cached(&r->memory, at, ret, (size_t)len))
		return false;
	ret[len] = '\0';
	return true;
}

bool ruby_path(struct ruby *r, uint64_t value, char *ret, size_t size)
{
	uint64_t flags, at;

	if (!has_type(r, value, T_ARRAY, &flags))
		return ruby_string(r, value, ret, size);
	at = flags & RUBY_FLAG_USER_1 ? value + BODY : ruby_pointer(r, value, BODY + 16);
	return ruby_string(r, ruby_pointer(r, at, 0), ret, size);
}

bool ruby_typed(struct ruby *r, uint64_t value, char *ret_type, size_t size, uint64_t *ret_data)
{
	uint64_t flags, kind;

	if (!has_type(r, value, T_DATA, &flags))
		return false;
	kind = ruby_pointer(r, value, BODY + 8);
	/* Data without a type has a function here, or what is no flag: 1, or 3 where it lies in the object itself. */
	if (kind != 1 && kind != 3)
		return false;
	*ret_data = kind == 3 ? value + BODY + 16 : ruby_pointer(r, value, BODY + 16);
	memory_string(&r->memory, ruby_pointer(r, ruby_pointer(r, value, BODY), 0), ret_type,
		size < MAX_TYPE ? size : MAX_TYPE);
	return ret_type[0] != '\0' && *ret_data;
}
