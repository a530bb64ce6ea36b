/* script.c - what an interpreter runs: the script that its arguments name. */
/* SPDX-License-Identifier: MIT */
#include "base/script.h"

#include <stdbool.h>
#include <string.h>

#include "base/mem.h"

/* An interpreter, and which of its options of one letter are followed by an argument. */
struct interpreter {
	const char *name;
	const char *taking; /* an argument that is not what it runs */
	const char *ending; /* and is a text to be run: there is no script */
	bool has_modules;   /* -m names what it runs */
};

static const struct interpreter interpreters[] = {
	{"python", "WXQ", "c", true}, {"ruby", "CEIr", "e", false}, {"node", "rC", "ep", false}};

/* "python3.11" is python, "pythonic" is not. */
static const struct interpreter *interpreter_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *base = slash ? slash + 1 : path;

	for (size_t i = 0; i < ARRAY_SIZE(interpreters); i++) {
		size_t len = strlen(interpreters[i].name);

		if (!strncmp(base, interpreters[i].name, len) &&
			base[len + strspn(base + len, "0123456789.")] == '\0')
			return &interpreters[i];
	}
	return NULL;
}

/* The arguments, each ended by a NUL. */
struct words {
	const char *next, *end;
};

/* Returns the next argument, or NULL at the end; one that is cut is none. */
static const char *next_word(struct words *w)
{
	const char *word = w->next;
	size_t len = strnlen(word, (size_t)(w->end - word));

	if (word + len >= w->end)
		return NULL;
	w->next = word + len + 1;
	return word;
}

/* Looks at the letters of an option. Returns true if what is run is known then: *ret, which may be NULL. */
static bool option_ends(
	const struct interpreter *in, const char *word, struct words *w, const char **ret)
{
	for (const char *c = word + 1; *c; c++) {
		const char *argument = c[1] ? c + 1 : NULL;

		if (strchr(in->ending, *c))
			return true;
		if (*c == 'm' && in->has_modules) {
			*ret = argument ? argument : next_word(w);
			return true;
		}
		if (strchr(in->taking, *c)) {
			if (!argument)
				(void)next_word(w);
			return false;
		}
	}
	return false;
}

char *script_name(const char *path)
{
	const char *end = path + strlen(path), *name = end;

	while (name > path && name[-1] != '/')
		name--;
	if (!strcmp(name, "__main__.py") && name - path > 1 && name[-2] != '/') {
		end = --name;
		while (name > path && name[-1] != '/')
			name--;
	}
	if (name == end || path[0] == '<' || !strcmp(path, "-e"))
		return NULL;
	return xstrndup(name, (size_t)(end - name));
}

char *script_of(const char *path, const char *argv, size_t len)
{
	const struct interpreter *in = path && len ? interpreter_of(path) : NULL;
	struct words w = {argv, argv + len};
	const char *word, *found = NULL;

	if (!in || !next_word(&w))
		return NULL;
	while ((word = next_word(&w)) != NULL) {
		if (word[0] != '-') {
			found = word;
			break;
		}
		if (!word[1])
			return NULL; /* what stdin says */
		if (word[1] == '-' && !word[2]) {
			found = next_word(&w);
			break;
		}
		if (word[1] != '-' && option_ends(in, word, &w, &found))
			break;
	}
	return found ? script_name(found) : NULL;
}
