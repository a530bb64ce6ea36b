/* lessons.c - what each rule teaches: the texts of doc/rules, embedded. */
/* SPDX-License-Identifier: MIT */
#include "verdict/lessons.h"

#include "base/embed.h"

/* A rule without a lesson does not build. */
#define RULE(id, name, severity, meaning, demo, function)                                          \
	EMBED("lesson_" #id, EMBED_FILE("doc/rules/" name ".txt"));                                \
	extern const char lesson_##id[];
#include "schema/findings.def"
#undef RULE

const struct lesson lessons[] = {
#define RULE(id, name, severity, meaning, demo, function)                                          \
	{name, severity, meaning, demo, lesson_##id},
#include "schema/findings.def"
#undef RULE
};

const size_t lessons_n = sizeof lessons / sizeof *lessons;
