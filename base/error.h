/* error.h - our own mistakes, checked in every build. */
/* SPDX-License-Identifier: MIT */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

/* Ends the program with the place and the text: a state that our own code made impossible. */
#define BUG(text) bug_at(__FILE__, __LINE__, text)
#define BUG_ON(cond)                                                                               \
	do {                                                                                       \
		if (__builtin_expect(!!(cond), 0))                                                 \
			BUG(#cond);                                                                \
	} while (0)

_Noreturn void bug_at(const char *file, int line, const char *text);

#endif
