/* outlined.c - lock calls in functions that only pass a lock on, as a header of C++ does that was compiled without optimisation. */
/* SPDX-License-Identifier: MIT */
/*
 * std::mutex::lock calls pthread_mutex_lock in __gthread_mutex_lock. Without
 * optimisation both are functions of their own, and the place of the call says
 * nothing about the program. Such a function begins by setting its frame pointer
 * and storing its first argument beside it, which it loads again right before
 * it calls. Only what such functions call costs more than a look-up; an optimised
 * program has none, and none is searched for in a program without libstdc++.
 */
#include "probes/shim/outlined.h"

#include <link.h>
#include <string.h>
#include <sys/auxv.h>

#include "probes/shim/shim.h"

uint64_t outlined_places[OUTLINED_PLACES];

#if defined(__x86_64__)

enum {
	FUNCTION_MAX = 96, /* bytes between the begin of such a function and the end of its call */
	CALL_NEAR = 24,    /* before which, at most, the argument is loaded */
	OWN_FRAMES = 4,    /* of this library, at most */
	/* below the program's arguments the kernel maps nothing else; nor does the C library below a thread's own block */
	STACK_MAX = 8 * 1024 * 1024
};

/* The begin of the function that has an address, of libgcc; NULL: it has no unwind tables. */
static void *(*enclosing)(void *addr);

/* How long "push %rbp; mov %rsp,%rbp" is at the begin of a function; 0: it is not there. */
static size_t prologue(const uint8_t *at)
{
	static const uint8_t landing[] = {0xf3, 0x0f, 0x1e, 0xfa},
			     frame[] = {0x55, 0x48, 0x89, 0xe5};
	size_t n = memcmp(at, landing, sizeof landing) ? 0 : sizeof landing;

	return memcmp(at + n, frame, sizeof frame) ? 0 : n + sizeof frame;
}

static const uint8_t *function_of(uint64_t addr)
{
	struct ring_local *t = &ring_local;
	uint64_t epoch = t->epoch;
	const uint8_t *start;

	/* What is called may lock. */
	t->quiet = true;
	t->epoch = NO_EPOCH;
	start = enclosing((void *)(uintptr_t)addr);
	t->epoch = epoch;
	t->quiet = false;
	return start && ADDR(start) + 16 <= addr ? start : NULL;
}

/* Where "mov %rdi,-x(%rbp)" stores the first argument, after room was made on the stack; 0: it does not. */
static uint8_t stored_at(const uint8_t *at)
{
	if (at[0] == 0x53) /* push %rbx */
		at++;
	if (at[0] == 0x48 && at[1] == 0x83 && at[2] == 0xec) /* sub $x,%rsp */
		at += 4;
	return at[0] == 0x48 && at[1] == 0x89 && at[2] == 0x7d ? at[3] : 0;
}

/* Says whether "mov -x(%rbp),%rax" or "mov -x(%rbp),%rdi" stands before the end of a call. */
static bool is_loaded(const uint8_t *from, const uint8_t *to, uint8_t slot)
{
	for (; from + 4 <= to; from++)
		if (from[0] == 0x48 && from[1] == 0x8b && (from[2] == 0x45 || from[2] == 0x7d) &&
			from[3] == slot)
			return true;
	return false;
}

static bool hands_on(uint64_t site)
{
	const uint8_t *end = (const uint8_t *)(uintptr_t)site, *start = function_of(site), *near;
	size_t n = start && end - start <= FUNCTION_MAX ? prologue(start) : 0;
	uint8_t slot = n && start + n + 16 <= end ? stored_at(start + n) : 0;

	if (!slot)
		return false;
	near = end - start > (ptrdiff_t)n + CALL_NEAR ? end - CALL_NEAR : start + n;
	return is_loaded(near, end, slot);
}

static bool note(uint64_t addr, bool yes)
{
	__atomic_store_n(outlined_word(addr),
		addr | (uint64_t)(yes ? OUTLINED_YES : OUTLINED_NO) << 62, __ATOMIC_RELAXED);
	return yes;
}

__attribute__((cold, noinline)) bool outlined_look(uint64_t site)
{
	return note(site, hands_on(site));
}

/* Says whether the function to which addr is a return keeps a frame pointer. */
static bool keeps(uint64_t addr)
{
	uint64_t word = __atomic_load_n(outlined_word(addr), __ATOMIC_RELAXED);
	const uint8_t *start;

	if ((word & ARENA_ADDR_MASK) == addr)
		return word >> 62 == OUTLINED_YES;
	start = addr >> 47 || addr < 4096 ? NULL : function_of(addr);
	return note(addr, start && prologue(start));
}

/* Up to where this thread's stack can be read; 0: it is not known. */
static uint64_t stack_end(uint64_t sp)
{
	uint64_t block = ADDR(__builtin_thread_pointer()), top;

	if (sp < block && block - sp < STACK_MAX)
		return block & ~7ull;
	top = getauxval(AT_RANDOM);
	return sp < top && top - sp < STACK_MAX ? top & ~7ull : 0;
}

size_t outlined_walk(const uint64_t *own, uint64_t site, uint64_t *frames, size_t max)
{
	uint64_t end = stack_end(ADDR(own)), fp = ADDR(own), below = 0;
	size_t n = 0;

	/* This library keeps frame pointers: up to the wrapper, whose caller is the first. */
	for (size_t own_frames = 0; n < max && fp > below && fp % 8 == 0 && fp + 16 <= end;) {
		const uint64_t *pair = (const uint64_t *)(uintptr_t)fp;

		if (n ? !keeps(frames[n - 1]) : own_frames++ == OWN_FRAMES)
			break;
		if (n || pair[1] == site)
			frames[n++] = pair[1];
		below = fp;
		fp = pair[0];
	}
	frames[0] = site;
	return n ? n : 1;
}

bool outlined_start(void)
{
	void *find = NULL, *function = NULL;

	/* Without _dl_find_object (glibc 2.35) the unwinder takes a lock that the loader may hold. */
	if (!shim_resolve(&find, "_dl_find_object", NULL))
		return false;
	for (const struct link_map *map = _r_debug.r_map; map; map = map->l_next)
		if (strstr(map->l_name, "/libstdc++.so"))
			*(void **)&enclosing =
				shim_resolve(&function, "_Unwind_FindEnclosingFunction", NULL);
	return enclosing;
}

#else

bool outlined_look(uint64_t site)
{
	(void)site;
	return false;
}

size_t outlined_walk(const uint64_t *own, uint64_t site, uint64_t *frames, size_t max)
{
	(void)own;
	(void)max;
	frames[0] = site;
	return 1;
}

bool outlined_start(void)
{
	return false;
}

#endif
