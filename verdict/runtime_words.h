/* runtime_words.h - what people call the objects of a language's library. */
/* SPDX-License-Identifier: MIT */
#ifndef VERDICT_RUNTIME_WORDS_H
#define VERDICT_RUNTIME_WORDS_H

#include "verdict/naming.h"

struct runtime_words {
	const char *type; /* the last part of its name in the language, or the last parts */
	const char *noun;
	/* What somebody does to let a waiter go on; RUNTIME_KIND_NEVER: why there is nobody. */
	const char *release;
	enum runtime_kind kind;
};

/* Returns the words for an object of this type; those for any object if there is none. */
const struct runtime_words *runtime_words(const char *type);

#endif
