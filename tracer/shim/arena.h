/* arena.h - the private directory in which the preload library keeps its rings. */
/* SPDX-License-Identifier: MIT */
#ifndef TRACER_SHIM_ARENA_H
#define TRACER_SHIM_ARENA_H

/* Makes a directory of mode 0700, in memory where there is a tmpfs. Returns its path, which the caller frees, or NULL with errno. */
char *arena_make(void);

/* Removes the directory and the files in it; processes that map them go on. Accepts NULL. */
void arena_remove(const char *path);

/* Removes what a killed pptrace of the same user left behind. */
void arena_clean(void);

#endif
