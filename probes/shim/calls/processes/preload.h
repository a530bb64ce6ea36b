/* preload.h - which programs get the preload library, and the environment that gives it to them. */
/* SPDX-License-Identifier: MIT */
/*
 * To be read in this order: preload.c (which programs can load the library), exec.c, fork.c with vfork.S, child.c (waited
 * for), shell.c (system, popen), start.c and exit.c (of a program).
 */
#ifndef PROBES_SHIM_CALLS_PROCESSES_PRELOAD_H
#define PROBES_SHIM_CALLS_PROCESSES_PRELOAD_H

#include <stdbool.h>
#include <stddef.h>

/* Says whether a program (a script: its interpreter) can load this library, and will. dir: as openat. */
bool exec_can_bear(int dir, const char *path, int flags);

/* Finds a command as execvp does; the path is in buf, or file itself if it has a slash. NULL: not found. */
const char *exec_find(const char *file, char *buf, size_t size);

/*
 * The environment for such a program: the library added to LD_PRELOAD or taken
 * out of it, the arena named. Lives in memory of the caller's, which is as
 * large as exec_env_size says.
 */
size_t exec_env_size(char *const *env);
char *const *exec_env(char *const *env, bool bears, void *mem);

/* Says whether this process was started with the library at all: if not, nothing is changed. */
bool exec_is_ours(void);

#endif
