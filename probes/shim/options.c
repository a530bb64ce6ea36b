/* options.c - what the environment asks of the preload library. */
/* SPDX-License-Identifier: MIT */
#include "probes/shim/options.h"

#include "probes/shim/shim.h"
#include "probes/shim/sys.h"
#include "schema/plain.h"

#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

AT_HAND bool shim_all;

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

/* What is kept of a text, with a place for more behind it: *to moves on. Nothing of one that is too long. */
static const char *keep(char **to, const char *from, size_t len)
{
	char *kept = *to;

	if (len >= PATH_MAX)
		len = 0;
	memcpy(kept, from, len);
	kept[len] = '\0';
	*to += len + 1;
	return kept;
}

/* Finds this library among those that LD_PRELOAD names, the last of them; returns its length, 0: it is not there. */
static size_t find_library(const char *preload, const char **ret)
{
	size_t found = 0;

	*ret = "";
	while (preload && *preload) {
		size_t len = strcspn(preload, ": ");
		size_t name = sizeof LIBRARY - 1;

		if (len >= name && len < PATH_MAX && !memcmp(preload + len - name, LIBRARY, name)) {
			*ret = preload;
			found = len;
		}
		preload += len;
		preload += strspn(preload, ": ");
	}
	return found;
}

/* The file lies beside the arena. */
static const char *keep_plain(char **to, const char *arena, size_t len)
{
	char *kept = *to;

	while (len && arena[len - 1] != '/')
		len--;
	if (!len || len + sizeof PLAIN_FILE > PATH_MAX)
		return keep(to, "", 0);
	memcpy(kept, arena, len);
	memcpy(kept + len, PLAIN_FILE, sizeof PLAIN_FILE);
	*to += len + sizeof PLAIN_FILE;
	return kept;
}

/* A program that gained privileges records nothing: whoever started it must not choose what it writes to. */
void shim_options_read(void)
{
	char *to = shim_options.text, *first = shim_options.arena;
	const char *arena, *library;
	size_t len;

	if (shim_options.ready)
		return;
	shim_options.library = shim_options.given = shim_options.plain = "";
	shim_options.ready = true;
	arena = env_get("PPTRACE_ARENA");
	if (!arena || getauxval(AT_SECURE))
		return;
	len = find_library(env_get("LD_PRELOAD"), &library);
	shim_options.library = keep(&to, library, len);
	shim_options.library_len = len;
	(void)keep(&first, arena, strlen(arena));
	shim_options.given = keep(&to, arena, strlen(arena));
	shim_options.given_len = strlen(shim_options.given);
	shim_options.plain = keep_plain(&to, shim_options.given, shim_options.given_len);
	shim_options.stacks = strstr(arena, "/arena" ARENA_STACKS) != NULL;
	shim_all = strlen(arena) > strlen(ARENA_ALL) &&
		   !strcmp(arena + strlen(arena) - strlen(ARENA_ALL), ARENA_ALL);
}
