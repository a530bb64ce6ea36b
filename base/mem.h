/* mem.h - memory that cannot run out quietly, and owners that clean up. */
/* SPDX-License-Identifier: MIT */
/*
 * What every folder may use. To be read in this order: mem.c (memory), buf.c (strings), text.c (printable texts),
 * nearest.c (misspelt words), source.c (paths of sources), script.c (what an interpreter runs), section.c (parts of ELF files),
 * proc.c (what /proc says), hash.c, file_words.c (words in the bytes of files), error.c (our own mistakes), thread.c. banned.h, clock.h, command.h and embed.h are headers alone.
 */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include "base/banned.h"

#include <stddef.h>
#include <stdint.h>

/*
 * Out of memory ends the tool with one line and status 125: nothing below main
 * could do better. The preload library does not use these; it never allocates.
 */

typedef void mem_act(void);

/*
 * Sets what is called before that, after the line: at most once, in the thread that found no memory. It must not
 * allocate, and need not return. NULL: nothing.
 */
void mem_set_last_act(mem_act *act);

/* Returns n bytes, uninitialised; the caller frees them. */
void *xmalloc(size_t n);

/* Returns zeroed memory for n objects of size bytes; the caller frees it. */
void *xcalloc(size_t n, size_t size);

/* Resizes p to n objects of size bytes and returns it; p may be NULL. */
void *xreallocarray(void *p, size_t n, size_t size);

/* Returns a copy of s; NULL gives NULL. The caller frees it. */
char *xstrdup(const char *s);

/* Returns a copy of at most n bytes of s; the caller frees it. */
char *xstrndup(const char *s, size_t n);

/* Returns the formatted text; the caller frees it. */
char *xasprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Makes room for one more element in a growing array. */
#define ARRAY_GROW(array, len, cap)                                                                \
	do {                                                                                       \
		if ((len) == (cap)) {                                                              \
			(cap) = (cap) ? (cap)*2 : 8;                                               \
			(array) = xreallocarray((array), (cap), sizeof *(array));                  \
		}                                                                                  \
	} while (0)

#define ARRAY_SIZE(a) (sizeof(a) / sizeof *(a))

/* Scoped cleanup: the variable's owner frees it when the scope ends. */
void mem_cleanup_free(void *pp);
void mem_cleanup_close(int *fd);
void mem_cleanup_fclose(FILE **f);

#define _cleanup_free_ __attribute__((cleanup(mem_cleanup_free)))
#define _cleanup_close_ __attribute__((cleanup(mem_cleanup_close)))
#define _cleanup_fclose_ __attribute__((cleanup(mem_cleanup_fclose)))

/* Hands over what the variable p points to: returns it and leaves NULL behind. */
#define steal(p)                                                                                   \
	__extension__({                                                                            \
		__typeof__(*(p)) *stolen_at_ = (p);                                                \
		__typeof__(*(p)) stolen_ = *stolen_at_;                                            \
		*stolen_at_ = NULL;                                                                \
		stolen_;                                                                           \
	})

/* Hands over a descriptor: returns it and leaves -1 behind. */
static inline int steal_fd(int *fd)
{
	int stolen = *fd;

	*fd = -1;
	return stolen;
}

#endif
