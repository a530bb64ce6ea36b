/* ruby.h - what the files of Ruby's reader share. */
/* SPDX-License-Identifier: MIT */
#ifndef TRACER_RUNTIME_RUBY_RUBY_H
#define TRACER_RUNTIME_RUBY_RUBY_H

/*
 * To be read in this order: object.c (strings and typed data), machine.c (which release, and where it is),
 * frame.c (stacks, lines), name.c (variables), lock.c (what a thread waits for), ruby.c (threads). layout.def says where members lie.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "tracer/runtime/memory.h"
#include "tracer/runtime/runtime.h"
#include "tracer/runtime/tasks.h"

/* Where members of structures lie in one release; -1: there is no such member. */
struct ruby_layout {
	int major, minor;
	int vm_ractors, vm_children, vm_traps, ractor_node, ractor_threads;
	int thread_node, thread_self, thread_vm, thread_ec, thread_locking, thread_keeping,
		thread_joiners;
	int thread_name, thread_blocking, thread_native, native_tid, thread_status;
	int ec_stack, ec_stack_size, ec_cfp;
	int cfp_pc, cfp_iseq, cfp_self, cfp_size;
	int iseq_body, body_encoded, body_size, body_path, body_label, body_lines, body_n_lines,
		body_index;
	int line_size;
	int body_locals, body_n_locals, body_parent, cfp_env;
	/* Of a class: its extension lies in it, or (class_extension is 0) is pointed to. */
	int class_extension, class_pointer, class_constants;
	int shape_edge, shape_next, shape_type, shape_parent, shape_size;
};

enum {
	RUBY_FRAMES = RUNTIME_MAX_FRAMES,
	RUBY_CFUNCS = 8 /* calls of C functions on top of a stack that are looked at */
};

/* enum rb_thread_status */
enum ruby_status { RUBY_RUNNABLE, RUBY_STOPPED, RUBY_STOPPED_FOREVER, RUBY_KILLED };

/* A frame of Ruby code. */
struct ruby_frame {
	char file[256], label[128];
	int line;
};

struct ruby_thread {
	uint64_t addr, ec;
	const struct task *task; /* NULL: it has none */
	enum ruby_status status;
	const struct ruby_thread *joined; /* whose end it waits for, or NULL */
	uint64_t selves
		[RUBY_CFUNCS]; /* receivers of the C functions that it is in, innermost first */
	size_t n_selves, n_frames;
	struct ruby_frame frames[RUBY_FRAMES];
};

struct ruby {
	struct memory memory;
	const struct ruby_layout *layout;
	uint64_t vm;
	const struct runtime_process *process;
	uint64_t data_low, data_high; /* of the library, where it was searched */
	struct ruby_thread *list;     /* owned */
	size_t n;
	bool has_looked;          /* for the following, which are 0 where they were not found */
	uint64_t symbols, shapes; /* the texts of names; where objects have their variables */
	uint64_t object_class;    /* which has the constants of the program */
	uint64_t asked; /* of which a constant was looked for last, and its name, or empty */
	char constant[96];
};

enum {
	RUBY_FLAG_USER_1 = 1 << 13
}; /* FL_USER1: of a String: not embedded; of an Array, an Object: embedded */

/* enum ruby_value_type */
enum ruby_type { RUBY_NONE, RUBY_OBJECT, RUBY_CLASS, RUBY_MODULE, RUBY_OTHER };

/* ---- object.c ---- */

/* Reads a pointer at an offset of an object; 0 if it cannot be read. */
uint64_t ruby_pointer(struct ruby *r, uint64_t addr, int64_t offset);

/* Reads a String, cut to size - 1 bytes; false if the value is none. */
bool ruby_string(struct ruby *r, uint64_t value, char *ret, size_t size);

/* Reads the first String of an Array, or the String that the value itself is. */
bool ruby_path(struct ruby *r, uint64_t value, char *ret, size_t size);

/* Reads what an object of C data is called by the library that made it ("mutex"); *ret_data is where its data lies. */
bool ruby_typed(struct ruby *r, uint64_t value, char *ret_type, size_t size, uint64_t *ret_data);

/* Says what a value is: RUBY_NONE if it is no object. */
enum ruby_type ruby_type(struct ruby *r, uint64_t value);

/* Returns an element of an Array; 0 if there is none. */
uint64_t ruby_element(struct ruby *r, uint64_t array, uint64_t i);

/* Returns where the extension of a class lies (rb_classext_t), or 0. */
uint64_t ruby_extension(struct ruby *r, uint64_t class);

/* ---- machine.c ---- */

/* Says whether a process runs Ruby. */
bool ruby_is_there(const struct runtime_process *p);

/* Finds the machine. Returns 0, -ENOENT if this is not Ruby, -ENOTSUP with one sentence in why. */
int ruby_find(struct ruby *r, const struct runtime_process *p, struct buf *why);

/* Says whether the program has said what is to be done when a signal comes, or at its end (trap). */
enum hooks ruby_traps(struct ruby *r);

/* Returns the address of the first word of the library's data of which is says true; 0: of none. */
uint64_t ruby_search(struct ruby *r, bool (*is)(struct ruby *r, uint64_t at));

/* Returns the class Object, or 0. */
uint64_t ruby_object_class(struct ruby *r);

/* ---- name.c ---- */

/* Reads what a thread's program calls an object; empty: it is not known. */
void ruby_name(struct ruby *r, const struct ruby_thread *t, uint64_t value, char *ret, size_t size);

/* ---- frame.c ---- */

/* Reads the stack of a thread: its frames and the receivers of the innermost C functions. */
void ruby_frames(struct ruby *r, struct ruby_thread *t);

/* ---- lock.c ---- */

/* Finds out which threads wait for the end of which, in one walk over all. */
void ruby_joins(struct ruby *r);

/* Says what a thread waits for; WAIT_POLL: for something that the kernel knows. */
void ruby_wait(struct ruby *r, const struct ruby_thread *t, struct runtime_wait *ret);

#endif
