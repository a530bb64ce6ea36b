/* v8.h - functions of JavaScript on a stack, as the memory of V8 has them. */
/* SPDX-License-Identifier: MIT */
#ifndef TRACER_RUNTIME_V8_H
#define TRACER_RUNTIME_V8_H

#include "tracer/runtime/memory.h"
#include "tracer/runtime/runtime.h"

/* Where members of V8's objects lie, as the program itself says for its debuggers. */
struct v8_layout {
	int32_t frame_function, frame_bytecode, frame_offset; /* from the frame pointer */
	int32_t map_type;                                     /* of Map: its instance type */
	int32_t function_shared;                              /* of JSFunction */
	int32_t shared_name, shared_script;                   /* of SharedFunctionInfo */
	int32_t script_name, script_source;                   /* of Script */
	int32_t bytecode_data;                                /* of BytecodeArray */
	int32_t string_length, string_chars, thin_actual;
	int32_t type_shared, type_script, type_bytecode;
};

struct v8 {
	struct memory memory;
	struct v8_layout layout;
};

/* The texts of a frame. */
struct v8_text {
	char function[96], file[256];
};

/* Finds the layout; false: it is not known. v8_done frees what was read. */
bool v8_open(struct v8 *v, const struct runtime_process *p,
	bool (*is_program)(void *arg, const char *path), void *arg);
void v8_done(struct v8 *v);

/* Fills those of the frames of a stack that are JavaScript, at most max, with their texts; returns how many. */
size_t v8_frames(struct v8 *v, const struct symbols_frame *frames, int n, struct runtime_frame *ret,
	struct v8_text *texts, size_t max);

#endif
