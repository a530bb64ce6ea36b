/* cpython.h - what the files that read CPython share. */
/* SPDX-License-Identifier: MIT */
#ifndef TRACER_RUNTIME_CPYTHON_H
#define TRACER_RUNTIME_CPYTHON_H

#include "base/hash.h"
#include "tracer/runtime/memory.h"
#include "tracer/runtime/runtime.h"
#include "tracer/runtime/tasks.h"

/* Offsets of members, in bytes; -1: this release has none. One row of cpython_layout.def. */
struct cpython_layout {
	int major, minor;
	int interpreters_head; /* _PyRuntime */
	int interp_next, interp_threads;
	int thread_next, thread_ident, thread_native_id, thread_frame;
	int cframe_frame; /* 3.11: the thread points to a structure on its stack that points to the frame */
	int frame_back, frame_code, frame_instr, frame_globals, frame_owner, frame_locals;
	int code_file, code_first_line, code_name, code_lines;
	int code_locals, code_cells,
		code_free; /* names of what frame_locals holds, in this order */
	int code_bytes;
	int str_state, str_kind_shift, str_length, str_ascii, str_compact;
	int bytes_data, sized_length, tuple_items, cell_value;
	int type_name, type_size, type_flags, type_dict_offset;
	int dict_keys, dict_values, keys_entries_n, keys_indices, keys_size, keys_kind,
		keys_general;
	int heap_keys;         /* of a class: the names of its objects' attributes */
	int has_inline_values; /* attributes lie behind the object */
	int values_first;
	int size_interp, size_thread, size_code;
};

/* A code object, read once. */
struct cpython_code {
	char name[96], file[256];
	int first_line;
	bool is_library;
	bool has_ranges; /* lines is a table of ranges, as in 3.10 alone */
	uint64_t bytes;  /* address of its instructions; 0: instructions are counted from 0 */
	uint8_t *lines;  /* line table, owned */
	size_t n_lines;
};

/* A frame as it lies in memory. */
struct cpython_frame {
	uint64_t addr, code_addr, instr;
	const struct cpython_code *code;
};

struct cpython {
	struct memory memory;
	const struct runtime_process *process;
	const struct cpython_layout *layout;
	uint64_t runtime;  /* address of _PyRuntime */
	struct hash codes; /* struct cpython_code by address, owned */
	struct hash types; /* struct cpython_class by address, owned */
	struct hash
		names; /* names of variables, and what coroutines are shown as, by address; owned */
	size_t looks;  /* objects that cpython_search has looked at */
};

/* A type object, read once. */
struct cpython_class {
	char name[48];
	uint64_t flags;
	int64_t size, dict_offset;
};

/* Returns the member at an offset of an object as a pointer, without the tags that newer releases put into some. */
uint64_t cpython_pointer(struct cpython *c, uint64_t object, int offset);

/* ---- cpython_object.c ---- */

/* Reads a str as UTF-8, cut to size - 1 bytes; false and empty if it is not one. */
bool cpython_string(struct cpython *c, uint64_t object, char *ret, size_t size);

/* Returns the name of a variable or attribute, read once; empty if it is not a str. It belongs to c. */
const char *cpython_name(struct cpython *c, uint64_t key);

/* Returns the type object at an address, read once, or NULL. It belongs to c. */
const struct cpython_class *cpython_class(struct cpython *c, uint64_t type);

/* Returns the address of an object's type, 0 if it cannot be read; the type object; or NULL. */
uint64_t cpython_type_of(struct cpython *c, uint64_t object);
const struct cpython_class *cpython_class_of(struct cpython *c, uint64_t object);

/* Returns the name of an object's type: "_thread.lock", "Queue"; empty if it cannot be read. It belongs to c. */
const char *cpython_type(struct cpython *c, uint64_t object);

/* Gets one entry of a dictionary or one attribute; false ends the walk. */
typedef bool cpython_visit(void *arg, uint64_t key, uint64_t value);

/* Walks a dict; false if visit ended it. */
bool cpython_dict(struct cpython *c, uint64_t dict, cpython_visit *visit, void *arg);

/* Walks the attributes of an object; false if visit ended it. */
bool cpython_attributes(struct cpython *c, uint64_t object, cpython_visit *visit, void *arg);

/* Returns the attribute of an object with this name, or 0. */
uint64_t cpython_attribute(struct cpython *c, uint64_t object, const char *name);

/* Reads an int from 0 to 2^60 - 1; false if the object is none. */
bool cpython_int(struct cpython *c, uint64_t object, uint64_t *ret);

/* Says whether a type, by its name, is one of the language itself: nobody waits for its objects. */
bool cpython_is_plain(const char *type);

/* Walks the local variables of a frame, cells opened; false if visit ended it. */
bool cpython_locals(
	struct cpython *c, const struct cpython_frame *f, cpython_visit *visit, void *arg);

/* Where locks have what. */
enum {
	/* lock_lock of a _thread.lock, rlock_lock of a _thread.RLock: behind the object's head (Modules/_threadmodule.c) */
	LOCK_HANDLE = 16,
	RLOCK_OWNER = 24, /* rlock_owner: the ident of a thread, 0: none */
	/* from 3.13 on: struct wait_entry has the address of the PyMutex before its semaphore (Python/parking_lot.c) */
	PARKED_BEFORE = 8,
	/* the PyMutex of a lock from 3.13 on, and of an RLock from 3.14 on, where its owner follows */
	MUTEX_IN_LOCK = 16,
};

/* Says whether a type, by its name, is one of multiprocessing.synchronize. */
bool cpython_is_shared(const char *type);

/* Says whether the object is a lock, and a thread that sleeps on the futex at address waits for it. */
bool cpython_waits_for(struct cpython *c, uint64_t object, uint64_t address);

/* ---- cpython_frame.c ---- */

/* Reads the frame at an address; its code is NULL where it is the interpreter's own. ret_back: the one that called it. False: it cannot be read. */
bool cpython_frame_at(
	struct cpython *c, uint64_t addr, struct cpython_frame *ret, uint64_t *ret_back);

/*
 * Fills up to max frames of a thread state from the innermost on; where the stack is deeper the
 * last one is the outermost. Frames without code, the interpreter's own, are left out. Returns how many.
 */
size_t cpython_frames(struct cpython *c, uint64_t thread, struct cpython_frame *ret, size_t max);

/* Says whether a frame, which has code, is of a function in a file of the library that ends so; before 3.11 functions are without their class. */
bool cpython_is_in(const struct cpython_frame *f, const char *end, const char *function);

/* Returns a frame that has code as it is shown; the texts belong to its code. */
struct runtime_frame cpython_shown(const struct cpython_frame *f);

/* ---- cpython_task.c ---- */

/*
 * If the frames are those of a loop of asyncio that polls, fills ret with the frames of the coroutines, innermost first, of the task
 * that it runs for, before them those of one that this waits for, and so on. Returns how many; the texts are c's.
 */
size_t cpython_tasks(struct cpython *c, const struct cpython_frame *frames, size_t n,
	struct runtime_frame *ret, size_t max);

/* ---- cpython_line.c ---- */

/* Returns the source line of a code object's instruction, or 0. */
int cpython_line(const struct cpython_code *code, uint64_t instr);

/* ---- cpython_join.c ---- */

/* Says whether a file is of the standard library; what is installed beside it is somebody's program. */
bool cpython_is_library(const char *file);

/* "queue" of "/usr/lib/python3.11/queue.py"; of a package "asyncio.locks". */
void cpython_module(const char *file, char *ret, size_t size);

/* Says whether a frame is Thread.join; or threading._shutdown, which joins all threads but daemons when the main thread has ended. */
bool cpython_is_join(const struct cpython_frame *f);
bool cpython_is_shutdown(const struct cpython_frame *f);

/* Returns the Thread whose end _shutdown, this frame, waits for by the futex at address, or 0. */
uint64_t cpython_joined(struct cpython *c, const struct cpython_frame *f, uint64_t address);

/* ---- cpython_search.c ---- */

/* The search for a name by which a frame reaches an object. */
struct cpython_search {
	uint64_t object;  /* this very object; 0: */
	uint64_t address; /* the lock that is waited for here */
	bool is_near;     /* only the frame's own variables and what they contain */
	uint64_t found;   /* the answer: the object */
	char name[96];    /* and its name: "audit", "self.queue", "Bank.lock", "locks['a']" */
};

/* Fills the answer; false if no name was found. */
bool cpython_search(struct cpython *c, const struct cpython_frame *f, struct cpython_search *s);

/* The same for a variable that is the object itself: the one of the outermost frame of the program, as who made the object calls it. */
bool cpython_search_outward(
	struct cpython *c, const struct cpython_frame *frames, size_t n, struct cpython_search *s);

/* ---- cpython_lock.c ---- */

/* The native threads of the interpreter, to translate an owner. */
struct cpython_idents {
	struct hash tids;   /* by ident; the value is the tid */
	struct hash states; /* by the address of the thread's state: the same */
};

/* The frames of a thread; behind its own may follow those of the process that was forked. */
struct cpython_stack {
	const struct cpython_frame *frames;
	size_t n, n_all;
};

/* Fills ret for a thread that sleeps on the futex at address, which is that of a semaphore. */
void cpython_lock(struct cpython *c, const struct cpython_stack *stack, uint64_t address,
	const struct cpython_idents *idents, struct runtime_lock *ret);

/*
 * Says who ends the wait for what cpython_lock has found, if Python knows: the owner of an RLock or of an import, the
 * thread of a Thread that is joined. Else it is WAIT_NONE.
 */
void cpython_wait(struct cpython *c, const struct runtime_lock *lock, const struct tasks *tasks,
	struct runtime_wait *ret);

/*
 * If the futex at address is that of the interpreter's global lock (GIL), fills wait, for a thread that wants it, and
 * returns the thread that has it, as its own namespace numbers it; else 0.
 */
pid_t cpython_gil(struct cpython *c, uint64_t address, const struct cpython_idents *idents,
	const struct tasks *tasks, struct runtime_wait *wait);

/*
 * Returns the threading.Thread whose frames these are, or 0: the main thread, or one that Python did not
 * make. The frames that start every such thread are taken away from *n.
 */
uint64_t cpython_thread_object(struct cpython *c, const struct cpython_frame *frames, size_t *n);

/*
 * Returns how many of the frames are a process's own: behind those with which multiprocessing starts a process stand
 * the ones that its parent had when it forked.
 */
size_t cpython_own_frames(const struct cpython_frame *frames, size_t n);

#endif
