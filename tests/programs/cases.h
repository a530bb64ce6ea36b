/* cases.h - what test programs with several cases share. */
/* SPDX-License-Identifier: MIT */
#ifndef TESTS_PROGRAMS_CASES_H
#define TESTS_PROGRAMS_CASES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What a program does when its argument is the name. */
struct named_case {
	const char *name;
	void (*run)(void);
};

/* Runs the case that the first argument names and returns 0; if there is none, lists them and returns 2. */
#define CASES_RUN(cases, argc, argv)                                                               \
	cases_run((cases), sizeof(cases) / sizeof *(cases), (argc) > 1 ? (argv)[1] : "")

static inline int cases_run(const struct named_case *cases, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(name, cases[i].name)) {
			cases[i].run();
			return 0;
		}
	for (size_t i = 0; i < n; i++)
		puts(cases[i].name);
	return 2;
}

/* Ends the program with 1 if what it needs does not work; errno says why. */
static inline void need(bool ok, const char *what)
{
	if (ok)
		return;
	perror(what);
	exit(1);
}

#endif
