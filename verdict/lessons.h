/* lessons.h - what each rule teaches: the texts of doc/rules. */
/* SPDX-License-Identifier: MIT */
#ifndef VERDICT_LESSONS_H
#define VERDICT_LESSONS_H

#include <stddef.h>

/* One rule of schema/findings.def with its lesson: meaning, example, remedy. All are static. */
struct lesson {
	const char *rule, *severity, *meaning, *demo, *text;
};

extern const struct lesson lessons[];
extern const size_t lessons_n;

#endif
