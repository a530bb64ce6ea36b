/* symbols.h - addresses of traced programs as function, file and line. */
/* SPDX-License-Identifier: MIT */
/*
 * To be read in this order: module.c with dwarf_text.c, part.c, table.c, demangle.c, line.c and inline.c (one file), maps.c (what
 * is mapped where), library_file.c, jit.c (code that a program made), processes.c (what each has mapped), symbols.c
 * (addresses of processes), library.c (which code is not the program's own), unwind.c with eval.c and frame_pointer.c
 * (stacks).
 */
#ifndef TRACER_SYMBOLS_SYMBOLS_H
#define TRACER_SYMBOLS_SYMBOLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/types.h>

/*
 * Built on elfutils (libdwfl). A module is a file mapped into a process; it is
 * opened while the process lives and identified by build-id, so that it can be
 * read after the process and even after the file is gone. Unresolved stays
 * module+offset, never a guess.
 */
struct authority;
struct symbols;

/* Never NULL; freed with symbols_free, which accepts NULL. */
struct symbols *symbols_new(void);
void symbols_free(struct symbols *s);

/*
 * Tells that file path is mapped executable at start in process key (the
 * model's process.id; an exec begins a new key with symbols_forget). offset is
 * the file offset of the mapping. Knowing the same mapping twice is harmless.
 */
void symbols_map(struct symbols *s, int64_t process, uint64_t start, uint64_t len, uint64_t offset,
	const char *path);

/* From now on nothing is read of processes that this authority (borrowed) does not cover; NULL: the user named them. */
void symbols_guard(struct symbols *s, struct authority *authority);

/* As authority_hold: holds a process that may be read. */
int symbols_hold(const struct symbols *s, pid_t pid);

/* Reads /proc/PID/maps for the process; -errno if it is gone or not readable. */
int symbols_map_proc(struct symbols *s, int64_t process, pid_t pid);

/* The child of a fork has its parent's mappings. */
void symbols_inherit(struct symbols *s, int64_t child, int64_t parent);

/* An exec or the end of a process drops its mappings. */
void symbols_forget(struct symbols *s, int64_t process);

/* A place; the texts belong to symbols and live as long as it. NULL and 0: not known, or of no interest (lines of the C library). */
struct symbol {
	const char *module;
	uint64_t offset; /* of the address in the module */
	const char *function;
	const char *file;
	int line;
};

/*
 * Finds the place of a code address. is_return: it is a return address, so
 * that the call before it is meant. Returns false if no module is mapped there.
 */
bool symbols_code(
	struct symbols *s, int64_t process, uint64_t addr, bool is_return, struct symbol *ret);

enum { SYMBOLS_INLINED = 16 };

/*
 * The same where calls were inlined: fills up to max places that the address stands for, that of the innermost
 * function first, and returns how many. All have the same offset.
 */
size_t symbols_inlined(struct symbols *s, int64_t process, uint64_t addr, bool is_return,
	struct symbol *ret, size_t max);

/* Says whether a source file belongs to a language's standard library, C++'s headers included. */
bool symbols_is_library_source(const char *file);

/* Finds only the name of the function at a code address, without reading debugging information; NULL if it is not known. */
const char *symbols_function(struct symbols *s, int64_t process, uint64_t addr, bool is_return);

/* Returns the path of the mapped file that has an address, without reading that file; NULL if there is none. It belongs to s. */
const char *symbols_mapped_file(const struct symbols *s, int64_t process, uint64_t addr);

/* Finds the variable at a data address: "name", "name[2].lock" or, without debugging information, "name+96". Returns NULL if unknown; the caller frees it. */
char *symbols_data(struct symbols *s, int64_t process, uint64_t addr);

/*
 * Finds the address of a variable of the C library (or of a static program, which contains it) in a
 * process; its mappings are read if they are not known. False if there is none.
 */
bool symbols_variable(
	struct symbols *s, int64_t process, pid_t pid, const char *name, uint64_t *ret);

/*
 * Finds the address of a symbol in a process, by its raw name, in those of its mapped files that wanted
 * says; its mappings are read if they are not known. *ret_path, if not NULL, is the file: it belongs to
 * symbols. False if there is none.
 */
bool symbols_named(struct symbols *s, int64_t process, pid_t pid, const char *name,
	bool (*wanted)(void *arg, const char *path), void *arg, uint64_t *ret,
	const char **ret_path);

/* Says whether there is code at the address: a file that is mapped executable, or what the program made. */
bool symbols_is_mapped(const struct symbols *s, int64_t process, uint64_t addr);

/* Says whether a code address lies in a C, C++ or pthread library (or the shim): not the program's own. */
bool symbols_is_library(struct symbols *s, int64_t process, uint64_t addr);

/* The same without what a library's headers put into the program. */
bool symbols_is_compiled_library(struct symbols *s, int64_t process, uint64_t addr);

/* Says whether a file is a C, C++ or pthread library, the loader or the shim. */
bool symbols_is_library_file(const char *path);

/* One frame of a stack. */
struct symbols_frame {
	uint64_t addr;
	bool is_return; /* an address to return to; else that of the instruction where the thread is, or was when a signal came */
	uint64_t
		fp; /* the register that keeps the frame pointer, where a function does; 0: not known */
};

/* Reads what /proc says of a blocked thread; or -errno. */
struct symbols_registers;
int symbols_registers_read(pid_t pid, pid_t tid, struct symbols_registers *ret);

enum { SYMBOLS_KEPT = 6 };

/* What /proc/PID/task/TID/syscall says: number (-1: none), first argument, stack and instruction pointer. */
struct symbols_registers {
	int64_t nr;
	uint64_t arg0, sp, pc;
	bool has_kept;
	uint64_t kept[SYMBOLS_KEPT]; /* those of ARCH_KEPT, where they are known */
	bool *lacks; /* NULL, or set to true if a caller could not be found because they are not known */
};

/*
 * Unwinds the user stack of a thread that is blocked, from its registers, reading its memory with
 * process_vm_readv; stops nothing. Fills up to max frames from the innermost on and returns
 * how many, or -errno. A frame that could not be proved is not among them.
 */
int symbols_unwind_from(struct symbols *s, int64_t process, pid_t pid,
	const struct symbols_registers *at, struct symbols_frame *frames, int max);

/* Reads len bytes of a thread's memory; false if not all of them are there. */
typedef bool symbols_memory(void *arg, uint64_t addr, void *to, size_t len);

/* The same from any memory, of a process whose mappings are known. */
int symbols_unwind_memory(struct symbols *s, int64_t process, const struct symbols_registers *at,
	symbols_memory *read, void *arg, struct symbols_frame *frames, int max);

/* Says whether a line of /proc/PID/maps is that of executable memory, or of shared: a look at its permissions is quicker than reading all of it. */
static inline bool maps_line_has(const char *line, char permission)
{
	const char *p = strchr(line, ' ');

	/* "rwxs", in this order */
	return p && strnlen(p, 5) == 5 && p[permission == 'x' ? 3 : 4] == permission;
}

#endif
