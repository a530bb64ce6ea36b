/* preload.h - which programs get the preload library, and the environment that gives it to them. */
/* SPDX-License-Identifier: MIT */
/*
 * To be read in this order: text.h, plain.c (which programs need no library), preload.c (which can load it), exec.c, fork.c with vfork.S, child.c (waited
 * for), shell.c (system, popen), start.c and exit.c (of a program).
 */
#ifndef PROBES_SHIM_CALLS_PROCESSES_PRELOAD_H
#define PROBES_SHIM_CALLS_PROCESSES_PRELOAD_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Says whether the tracer has found out that a program, executed with that environment, has nothing for this library to
 * record. Never where the library records everything, nor for a script. dir: as openat.
 */
bool exec_is_plain(int dir, const char *path, int flags, char *const *env);

/*
 * Says whether a program (a script: its interpreter) can load this library, will, and has something to be recorded.
 * dir: as openat.
 */
bool exec_can_bear(int dir, const char *path, int flags, char *const *env);

/* Finds a command as execvp does; the path is in buf, or file itself if it has a slash. NULL: not found. */
const char *exec_find(const char *file, char *buf, size_t size);

/* How large that buf must be. */
size_t exec_find_size(const char *file);

/*
 * The environment for such a program: the library added to LD_PRELOAD or taken
 * out of it, the arena named. Lives in memory of the caller's, which is as
 * large as exec_env_size says.
 */
size_t exec_env_size(char *const *env, bool bears);
char *const *exec_env(char *const *env, bool bears, void *mem);

/*
 * Finds out what an exec needs to know before a fork: a child would each time have to be given pages for it, and what it
 * finds out is gone when it executes.
 */
void exec_prepare(void);

/* The same for its end. */
void exit_prepare(void);

/* The program interpreter of the program that runs now, which loads this library; NULL: it has none. */
const char *exec_interpreter(void);

/* Says whether this process was started with the library at all: if not, nothing is changed. */
bool exec_is_ours(void);

#endif
