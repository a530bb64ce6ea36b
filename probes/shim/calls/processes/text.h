/* text.h - texts, without the C library. */
/* SPDX-License-Identifier: MIT */
/*
 * A child that is about to execute has no page of the C library's code at hand but those that fork itself ran through:
 * the kernel takes longer to give it one than these loops take. The barriers keep the compiler from calling the functions
 * that they stand for.
 */
#ifndef PROBES_SHIM_CALLS_PROCESSES_TEXT_H
#define PROBES_SHIM_CALLS_PROCESSES_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#define TEXT_BARRIER() __asm__ volatile("" ::: "memory")

static inline size_t text_len(const char *s)
{
	size_t n = 0;

	for (; s[n]; n++)
		TEXT_BARRIER();
	return n;
}

/* Says whether the first n bytes are equal; neither text may end before. */
static inline bool text_same(const char *a, const char *b, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		TEXT_BARRIER();
		if (a[i] != b[i])
			return false;
	}
	return true;
}

static inline bool text_is(const char *a, const char *b)
{
	for (; *a && *a == *b; a++, b++)
		TEXT_BARRIER();
	return *a == *b;
}

/* Says whether a text begins with a literal, whose characters become numbers in the code. */
#define TEXT_BEGINS(s, literal) text_begins_with(s, literal, sizeof(literal) - 1)

static inline __attribute__((always_inline)) bool text_begins_with(
	const char *s, const char *literal, size_t n)
{
#pragma GCC unroll 32
	for (size_t i = 0; i < n; i++)
		if (s[i] != literal[i])
			return false;
	return true;
}

/* Copies n bytes and returns the end of the copy. */
static inline char *text_copy(char *to, const char *from, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		TEXT_BARRIER();
		to[i] = from[i];
	}
	return to + n;
}

/* Where the first of two characters is, or the end. */
static inline size_t text_until(const char *s, char a, char b)
{
	size_t n = 0;

	for (; s[n] && s[n] != a && s[n] != b; n++)
		TEXT_BARRIER();
	return n;
}

#define PRELOAD_IS "LD_PRELOAD="
#define ARENA_IS "PPTRACE_ARENA="
enum { PRELOAD_LEN = sizeof PRELOAD_IS - 1, ARENA_LEN = sizeof ARENA_IS - 1 };

#endif
