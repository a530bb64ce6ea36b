/* options.c - what the environment asks of the preload library. */
/* SPDX-License-Identifier: MIT */
#include "probes/shim/options.h"

#include "probes/shim/shim.h"

#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

bool shim_all;

#define LIBRARY "libpptrace-shim.so"

struct shim_options shim_options;

static const char *env_get(const char *name)
{
	size_t n = strlen(name);

	for (char **e = environ; e && *e; e++)
		if (!strncmp(*e, name, n) && (*e)[n] == '=')
			return *e + n + 1;
	return NULL;
}

static void keep(char *to, const char *from, size_t len)
{
	if (len < PATH_MAX) {
		memcpy(to, from, len);
		to[len] = '\0';
	}
}

/* Finds this library among those that LD_PRELOAD names. */
static void find_library(const char *preload)
{
	while (preload && *preload) {
		size_t len = strcspn(preload, ": ");
		size_t name = sizeof LIBRARY - 1;

		if (len >= name && !memcmp(preload + len - name, LIBRARY, name))
			keep(shim_options.library, preload, len);
		preload += len;
		preload += strspn(preload, ": ");
	}
}

/* A program that gained privileges records nothing: whoever started it must not choose what it writes to. */
void shim_options_read(void)
{
	const char *arena;

	if (shim_options.ready)
		return;
	shim_options.ready = true;
	arena = env_get("PPTRACE_ARENA");
	if (!arena || getauxval(AT_SECURE))
		return;
	find_library(env_get("LD_PRELOAD"));
	keep(shim_options.arena, arena, strlen(arena));
	keep(shim_options.given, arena, strlen(arena));
	shim_options.stacks = strstr(arena, "/arena" ARENA_STACKS) != NULL;
	shim_all = strlen(arena) > strlen(ARENA_ALL) &&
		   !strcmp(arena + strlen(arena) - strlen(ARENA_ALL), ARENA_ALL);
}
