/* cpython_layout.c - print where CPython's structures have their members, as a row of cpython_layout.def. */
/* SPDX-License-Identifier: MIT */
/*
 * Compiled by tools/cpython_layout.sh against the internal headers of one CPython
 * release; nothing here is linked with Python. Up to 3.10 dictionary keys are a
 * structure that no header shows: it is written down below.
 */
#define Py_BUILD_CORE 1
#include <Python.h>

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <internal/pycore_interp.h>
#include <internal/pycore_runtime.h>
#if PY_VERSION_HEX >= 0x030b0000
#include <internal/pycore_dict.h>
#include <internal/pycore_frame.h>
#else
#include <frameobject.h>
/* Objects/dict-common.h of 3.8 to 3.10 */
struct _dictkeysobject {
	Py_ssize_t dk_refcnt;
	Py_ssize_t dk_size;
	void *dk_lookup;
	Py_ssize_t dk_usable;
	Py_ssize_t dk_nentries;
	char dk_indices[];
};
#endif
#if PY_VERSION_HEX >= 0x030e0000
#include <internal/pycore_interpframe_structs.h>
#endif

#define NONE -1
#define PUT(name, value) printf(", .%s = %ld", #name, (long)(value))

/* The bit at which the kind of a string begins in its state; the bits for compact and ascii follow it. */
static int kind_shift(void)
{
	PyASCIIObject o = {0};
	unsigned word = 0;

	o.state.kind = 1;
	memcpy(&word, &o.state, sizeof word);
	return __builtin_ctz(word);
}

int main(void)
{
	printf("LAYOUT(%d, %d", PY_MAJOR_VERSION, PY_MINOR_VERSION);
	PUT(interpreters_head, offsetof(_PyRuntimeState, interpreters.head));
	PUT(interp_next, offsetof(PyInterpreterState, next));
#if PY_VERSION_HEX >= 0x030b0000
	PUT(interp_threads, offsetof(PyInterpreterState, threads.head));
#else
	PUT(interp_threads, offsetof(PyInterpreterState, tstate_head));
#endif
	PUT(thread_next, offsetof(PyThreadState, next));
	PUT(thread_ident, offsetof(PyThreadState, thread_id));
#if PY_VERSION_HEX >= 0x030b0000
	PUT(thread_native_id, offsetof(PyThreadState, native_thread_id));
#else
	PUT(thread_native_id, NONE);
#endif
#if PY_VERSION_HEX >= 0x030d0000
	PUT(thread_frame, offsetof(PyThreadState, current_frame));
	PUT(cframe_frame, NONE);
#elif PY_VERSION_HEX >= 0x030b0000
	PUT(thread_frame, offsetof(PyThreadState, cframe));
	PUT(cframe_frame, offsetof(_PyCFrame, current_frame));
#else
	PUT(thread_frame, offsetof(PyThreadState, frame));
	PUT(cframe_frame, NONE);
#endif
#if PY_VERSION_HEX >= 0x030b0000
	PUT(frame_back, offsetof(_PyInterpreterFrame, previous));
#if PY_VERSION_HEX >= 0x030d0000
	PUT(frame_code, offsetof(_PyInterpreterFrame, f_executable));
	PUT(frame_instr, offsetof(_PyInterpreterFrame, instr_ptr));
#else
	PUT(frame_code, offsetof(_PyInterpreterFrame, f_code));
	PUT(frame_instr, offsetof(_PyInterpreterFrame, prev_instr));
#endif
	PUT(frame_globals, offsetof(_PyInterpreterFrame, f_globals));
	PUT(frame_owner, offsetof(_PyInterpreterFrame, owner));
	PUT(frame_locals, offsetof(_PyInterpreterFrame, localsplus));
#else
	PUT(frame_back, offsetof(PyFrameObject, f_back));
	PUT(frame_code, offsetof(PyFrameObject, f_code));
	PUT(frame_instr, offsetof(PyFrameObject, f_lasti));
	PUT(frame_globals, offsetof(PyFrameObject, f_globals));
	PUT(frame_owner, NONE);
	PUT(frame_locals, offsetof(PyFrameObject, f_localsplus));
#endif
	PUT(code_file, offsetof(PyCodeObject, co_filename));
	PUT(code_first_line, offsetof(PyCodeObject, co_firstlineno));
#if PY_VERSION_HEX >= 0x030a0000
	PUT(code_lines, offsetof(PyCodeObject, co_linetable));
#else
	PUT(code_lines, offsetof(PyCodeObject, co_lnotab));
#endif
#if PY_VERSION_HEX >= 0x030b0000
	PUT(code_name, offsetof(PyCodeObject, co_qualname));
	PUT(code_locals, offsetof(PyCodeObject, co_localsplusnames));
	PUT(code_cells, NONE);
	PUT(code_free, NONE);
	PUT(code_bytes, offsetof(PyCodeObject, co_code_adaptive));
#else
	PUT(code_name, offsetof(PyCodeObject, co_name));
	PUT(code_locals, offsetof(PyCodeObject, co_varnames));
	PUT(code_cells, offsetof(PyCodeObject, co_cellvars));
	PUT(code_free, offsetof(PyCodeObject, co_freevars));
	PUT(code_bytes, NONE);
#endif
	PUT(str_state, offsetof(PyASCIIObject, state));
	PUT(str_kind_shift, kind_shift());
	PUT(str_length, offsetof(PyASCIIObject, length));
	PUT(str_ascii, sizeof(PyASCIIObject));
	PUT(str_compact, sizeof(PyCompactUnicodeObject));
	PUT(bytes_data, offsetof(PyBytesObject, ob_sval));
	PUT(sized_length, offsetof(PyVarObject, ob_size));
	PUT(tuple_items, offsetof(PyTupleObject, ob_item));
	PUT(cell_value, offsetof(PyCellObject, ob_ref));
	PUT(type_name, offsetof(PyTypeObject, tp_name));
	PUT(type_size, offsetof(PyTypeObject, tp_basicsize));
	PUT(type_flags, offsetof(PyTypeObject, tp_flags));
	PUT(type_dict_offset, offsetof(PyTypeObject, tp_dictoffset));
	PUT(dict_keys, offsetof(PyDictObject, ma_keys));
	PUT(dict_values, offsetof(PyDictObject, ma_values));
	PUT(keys_entries_n, offsetof(struct _dictkeysobject, dk_nentries));
	PUT(keys_indices, offsetof(struct _dictkeysobject, dk_indices));
#if PY_VERSION_HEX >= 0x030b0000
	PUT(keys_size, offsetof(struct _dictkeysobject, dk_log2_index_bytes));
	PUT(keys_kind, offsetof(struct _dictkeysobject, dk_kind));
	PUT(keys_general, DICT_KEYS_GENERAL);
	PUT(heap_keys, offsetof(PyHeapTypeObject, ht_cached_keys));
#else
	PUT(keys_size, offsetof(struct _dictkeysobject, dk_size));
	PUT(keys_kind, NONE);
	PUT(keys_general, 0);
	PUT(heap_keys, NONE);
#endif
	PUT(has_inline_values, PY_VERSION_HEX >= 0x030d0000);
#if PY_VERSION_HEX >= 0x030b0000
	PUT(values_first, offsetof(struct _dictvalues, values));
#else
	PUT(values_first, NONE);
#endif
	PUT(size_interp, sizeof(PyInterpreterState));
	PUT(size_thread, sizeof(PyThreadState));
	PUT(size_code, sizeof(PyCodeObject));
	printf(")\n");
	return 0;
}
