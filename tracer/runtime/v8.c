/* v8.c - functions of JavaScript on a stack, as the memory of V8 has them. */
/* SPDX-License-Identifier: MIT */
/*
 * A frame of JavaScript has its function below the frame pointer, and, while it is interpreted, the bytecode and how far it has
 * come there. JSFunction leads to SharedFunctionInfo, which has the name (in ScopeInfo, once it has been compiled) and the
 * Script; BytecodeArray has a table of positions in the source. Where these lie the program says in variables that begin with
 * v8dbg_; what is not among them (ScopeInfo, the table) has its place here, and is checked. Pointers to objects have 1 as their last bit,
 * small integers stand in the upper half. Code that has been optimised has its function there, too, but no place.
 */
#include "tracer/runtime/v8.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "tracer/symbols/symbols.h"

enum {
	READS = 2000000,
	MAX_OFFSET = 4096,
	MAX_POSITIONS = 100000, /* bytes of a table */
	MAX_LOCALS = 1000,
	MAX_SOURCE = 4 << 20 /* characters of a script that are looked through for lines */
};

/* Of String: what its instance type says. */
enum {
	REPRESENTATION = 7,
	SEQUENTIAL = 0,
	EXTERNAL = 2,
	THIN = 5,
	ONE_BYTE = 8,
	NO_STRING = 0x80,
	EXTERNAL_DATA = 24 /* where an external one has the address of its characters */
};

/* Where BytecodeArray has the table of positions, by where its code begins: V8 10 and 11; 12 and 13. */
static const struct {
	int32_t data, table;
} tables[] = {{56, 32}, {54, 32}, {64, 24}};

static const struct {
	size_t at; /* in v8_layout */
	const char *name;
	const char *other; /* in other versions */
} members[] = {
	{offsetof(struct v8_layout, frame_function), "off_fp_function", NULL},
	{offsetof(struct v8_layout, frame_bytecode), "off_fp_bytecode_array", NULL},
	{offsetof(struct v8_layout, frame_offset), "off_fp_bytecode_offset", NULL},
	{offsetof(struct v8_layout, map_type), "class_Map__instance_type__uint16_t", NULL},
	{offsetof(struct v8_layout, function_shared),
		"class_JSFunction__shared__SharedFunctionInfo", NULL},
	{offsetof(struct v8_layout, shared_name),
		"class_SharedFunctionInfo__name_or_scope_info__Object",
		"class_SharedFunctionInfo__name_or_scope_info__Tagged_NameOrScopeInfoT_"},
	{offsetof(struct v8_layout, shared_script),
		"class_SharedFunctionInfo__script_or_debug_info__HeapObject",
		"class_SharedFunctionInfo__script__Tagged_HeapObject_"},
	{offsetof(struct v8_layout, script_name), "class_Script__name__Object", NULL},
	{offsetof(struct v8_layout, script_source), "class_Script__source__Object", NULL},
	{offsetof(struct v8_layout, bytecode_data), "class_BytecodeArray__data__uintptr_t", NULL},
	{offsetof(struct v8_layout, string_length), "class_String__length__int32_t", NULL},
	{offsetof(struct v8_layout, string_chars), "class_SeqOneByteString__chars__char", NULL},
	{offsetof(struct v8_layout, thin_actual), "class_ThinString__actual__String", NULL},
	{offsetof(struct v8_layout, type_shared),
		"type_SharedFunctionInfo__SHARED_FUNCTION_INFO_TYPE", NULL},
	{offsetof(struct v8_layout, type_script), "type_Script__SCRIPT_TYPE", NULL},
	{offsetof(struct v8_layout, type_bytecode), "type_BytecodeArray__BYTECODE_ARRAY_TYPE",
		NULL},
};

bool v8_open(struct v8 *v, const struct runtime_process *p,
	bool (*is_program)(void *arg, const char *path), void *arg)
{
	v->memory = runtime_memory(p, READS);
	for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
		const char *names[] = {members[i].name, members[i].other};
		bool found = false;
		uint64_t at;
		int32_t value;

		for (size_t k = 0; k < ARRAY_SIZE(names) && names[k] && !found; k++) {
			char name[96];

			(void)snprintf(name, sizeof name, "v8dbg_%s", names[k]);
			found = symbols_named(
				p->symbols, p->key, p->pid, name, is_program, arg, &at, NULL);
		}
		if (!found || !memory_cached(&v->memory, at, &value, sizeof value) ||
			value > MAX_OFFSET || value < -MAX_OFFSET)
			return false;
		memcpy((char *)&v->layout + members[i].at, &value, sizeof value);
	}
	return true;
}

void v8_done(struct v8 *v)
{
	memory_done(&v->memory);
}

/* ---- Objects ---- */

static uint64_t u64(struct v8 *v, uint64_t addr, int64_t offset)
{
	uint64_t n;

	return memory_cached(&v->memory, addr + (uint64_t)offset, &n, sizeof n) ? n : 0;
}

static bool is_object(uint64_t tagged)
{
	return (tagged & 3) == 1;
}

static bool is_small(uint64_t tagged)
{
	return !(uint32_t)tagged;
}

static int32_t small(uint64_t tagged)
{
	return (int32_t)(tagged >> 32);
}

/* A member of an object, as it stands there; 0: it cannot be read, or that is none. */
static uint64_t member(struct v8 *v, uint64_t object, int64_t offset)
{
	return is_object(object) ? u64(v, object - 1, offset) : 0;
}

/* The instance type of an object; -1: it is none. */
static int32_t type_of(struct v8 *v, uint64_t object)
{
	uint64_t map = member(v, object, 0);
	uint16_t type;

	return is_object(map) && memory_cached(&v->memory, map - 1 + (uint64_t)v->layout.map_type,
					 &type, sizeof type)
		       ? type
		       : -1;
}

/* ---- Strings ---- */

/* The characters of a string. */
struct chars {
	uint64_t at;
	uint32_t n;
	bool is_wide;
};

/* False: it is no string, or one in pieces. */
static bool chars_of(struct v8 *v, uint64_t string, struct chars *ret)
{
	int32_t type = type_of(v, string);

	if (type >= 0 && type < NO_STRING && (type & REPRESENTATION) == THIN) {
		string = member(v, string, v->layout.thin_actual);
		type = type_of(v, string);
	}
	if (type < 0 || type >= NO_STRING)
		return false;
	ret->n = (uint32_t)u64(v, string - 1, v->layout.string_length);
	ret->is_wide = !(type & ONE_BYTE);
	ret->at = (type & REPRESENTATION) == SEQUENTIAL
			  ? string - 1 + (uint64_t)v->layout.string_chars
		  : (type & REPRESENTATION) == EXTERNAL ? member(v, string, EXTERNAL_DATA)
							: 0;
	return ret->at != 0;
}

/* As UTF-8, cut to the size; false: it cannot be read. What is no pair of two halves is shown as they do that. */
static bool text_of(struct v8 *v, uint64_t string, char *ret, size_t size)
{
	struct chars c;
	size_t len = 0;

	if (!chars_of(v, string, &c))
		return false;
	for (uint32_t i = 0; i < c.n && len + 4 < size; i++) {
		uint8_t bytes[2] = {0};
		unsigned code;

		if (!memory_cached(&v->memory, c.at + (c.is_wide ? 2 * (uint64_t)i : i), bytes,
			    c.is_wide ? 2 : 1))
			return false;
		code = bytes[0] | (unsigned)bytes[1] << 8;
		if (code < 0x80) {
			ret[len++] = (char)code;
		} else if (code < 0x800) {
			ret[len++] = (char)(0xc0 | code >> 6);
			ret[len++] = (char)(0x80 | (code & 0x3f));
		} else {
			ret[len++] = (char)(0xe0 | code >> 12);
			ret[len++] = (char)(0x80 | (code >> 6 & 0x3f));
			ret[len++] = (char)(0x80 | (code & 0x3f));
		}
	}
	ret[len] = '\0';
	return true;
}

/* ---- The name of a function ---- */

/*
 * ScopeInfo: flags, count of parameters, count n of variables, from V8 12 on where the function begins and ends, n names (many of
 * them are in one table), n descriptions, one number for some classes; then the name of the function with a number. All of these that are
 * no names are small integers.
 */
static void name_of_scope(struct v8 *v, uint64_t scope, char *ret, size_t size)
{
	enum { COUNT = 24, FIRST = 32, IN_TABLE = 75 };
	uint64_t n = member(v, scope, COUNT);
	int64_t at = FIRST;

	if (!is_small(n) || small(n) < 0 || small(n) > MAX_LOCALS)
		return;
	if (is_small(member(v, scope, at)) && is_small(member(v, scope, at + 8)))
		at += 16;
	at += 8 * (int64_t)(small(n) < IN_TABLE ? small(n) : 1) + 8 * (int64_t)small(n);
	if (is_small(member(v, scope, at)))
		at += 8;
	if (is_small(member(v, scope, at + 8)))
		(void)text_of(v, member(v, scope, at), ret, size);
	/* Behind it, what it was assigned to: "Module._load". */
	if (!ret[0])
		(void)text_of(v, member(v, scope, at + 16), ret, size);
}

static void name_of(struct v8 *v, uint64_t shared, char *ret, size_t size)
{
	uint64_t name = member(v, shared, v->layout.shared_name);

	ret[0] = '\0';
	if (!text_of(v, name, ret, size))
		name_of_scope(v, name, ret, size);
	if (!ret[0])
		(void)snprintf(ret, size, "anonymous");
}

/* ---- The line ---- */

/* The next number of a table: seven bits a byte, the lowest first, the very lowest is the sign. */
static int64_t next_number(struct v8 *v, uint64_t *at, uint64_t end)
{
	uint64_t bits = 0;
	uint8_t byte = 0x80;

	for (unsigned shift = 0; byte & 0x80 && shift < 63 && *at < end; shift += 7, ++*at) {
		if (!memory_cached(&v->memory, *at, &byte, 1))
			byte = 0;
		bits |= (uint64_t)(byte & 0x7f) << shift;
	}
	return (int64_t)(bits >> 1) ^ -(int64_t)(bits & 1);
}

/* The position in the source of what has come so far in its bytecode; -1: it is not known. */
static int64_t position_of(struct v8 *v, uint64_t bytecode, int64_t offset)
{
	enum { LENGTH = 8, DATA = 16 };
	uint64_t table = 0, code = 0, at, end;
	int64_t raw = 0, found = -1;

	for (size_t i = 0; i < ARRAY_SIZE(tables); i++)
		if (tables[i].data == v->layout.bytecode_data)
			table = member(v, bytecode, tables[i].table);
	end = member(v, table, LENGTH);
	if (!is_small(end) || small(end) <= 0 || small(end) > MAX_POSITIONS)
		return -1;
	at = table - 1 + DATA;
	end = at + (uint64_t)small(end);
	while (at < end) {
		int64_t step = next_number(v, &at, end);

		/* What is no statement is counted from -1 down. */
		code += (uint64_t)(step >= 0 ? step : -(step + 1));
		raw = (int64_t)((uint64_t)raw + (uint64_t)next_number(v, &at, end));
		if (code > (uint64_t)offset)
			break;
		/* SourcePosition: 1 + where it is, behind a bit that says whether it is elsewhere. */
		found = raw & 1 ? -1 : (raw >> 1 & 0x3fffffff) - 1;
	}
	return found;
}

/* The line, from 1 on, of a position in a script; 0: it is not known. */
static int line_of(struct v8 *v, uint64_t script, int64_t position)
{
	uint8_t bytes[4096];
	struct chars c;
	size_t width;
	int line = 1;

	if (position < 0 || !chars_of(v, member(v, script, v->layout.script_source), &c) ||
		position > c.n || position > MAX_SOURCE)
		return 0;
	width = c.is_wide ? 2 : 1;
	for (uint64_t at = 0, end = (uint64_t)position * width; at < end;) {
		size_t n = end - at < sizeof bytes ? (size_t)(end - at) : sizeof bytes;

		if (!memory_cached(&v->memory, c.at + at, bytes, n))
			return 0;
		for (size_t i = 0; i < n; i += width)
			line += bytes[i] == '\n' && (width == 1 || !bytes[i + 1]);
		at += n;
	}
	return line;
}

/* ---- Frames ---- */

/* How far an interpreted frame has come in its bytecode; -1: it is none. */
static int64_t offset_of(struct v8 *v, uint64_t fp, uint64_t bytecode)
{
	uint64_t offset = u64(v, fp, v->layout.frame_offset);

	/* It is counted from the pointer, which is one more than the address. */
	return type_of(v, bytecode) == v->layout.type_bytecode && is_small(offset)
		       ? (int64_t)small(offset) - (v->layout.bytecode_data - 1)
		       : -1;
}

/* Fills a frame; false: it is none of JavaScript. */
static bool read_frame(struct v8 *v, uint64_t fp, struct runtime_frame *ret, struct v8_text *text)
{
	const struct v8_layout *l = &v->layout;
	uint64_t shared = member(v, u64(v, fp, l->frame_function), l->function_shared);
	uint64_t script = member(v, shared, l->shared_script);
	uint64_t bytecode = u64(v, fp, l->frame_bytecode);
	const char *file = text->file;
	int64_t offset;

	if (type_of(v, shared) != l->type_shared || type_of(v, script) != l->type_script ||
		!text_of(v, member(v, script, l->script_name), text->file, sizeof text->file))
		return false;
	name_of(v, shared, text->function, sizeof text->function);
	offset = offset_of(v, fp, bytecode);
	if (!strncmp(file, "file://", 7))
		file += 7;
	*ret = (struct runtime_frame){.function = text->function,
		.file = file,
		.line = offset >= 0 ? line_of(v, script, position_of(v, bytecode, offset)) : 0,
		.is_library = !strncmp(file, "node:", 5)};
	return true;
}

size_t v8_frames(struct v8 *v, const struct symbols_frame *frames, int n, struct runtime_frame *ret,
	struct v8_text *texts, size_t max)
{
	size_t found = 0;
	uint64_t last = 0;

	/* A function in which others are inlined has one frame pointer for them all. */
	for (int i = 0; i < n && found < max; i++) {
		if (!frames[i].fp || frames[i].fp == last || frames[i].fp % 8)
			continue;
		last = frames[i].fp;
		found += read_frame(v, last, &ret[found], &texts[found]);
	}
	return found;
}
