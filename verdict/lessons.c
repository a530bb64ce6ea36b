/* lessons.c - what each rule teaches: the texts of doc/rules, embedded. */
/* SPDX-License-Identifier: MIT */
#include "verdict/lessons.h"

/* A rule without a lesson does not build. */
#define RULE(id, name, severity, meaning, demo)                                                    \
	__asm__(".section .rodata\n.global lesson_" #id "\nlesson_" #id ":\n"                      \
		".incbin \"doc/rules/" name ".txt\"\n.byte 0\n.previous\n");                       \
	extern const char lesson_##id[];
#include "schema/findings.def"
#undef RULE

const struct lesson lessons[] = {
#define RULE(id, name, severity, meaning, demo) {name, severity, meaning, demo, lesson_##id},
#include "schema/findings.def"
#undef RULE
};

const size_t lessons_n = sizeof lessons / sizeof *lessons;
