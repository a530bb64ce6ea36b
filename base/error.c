/* error.c - our own mistakes, checked in every build. */
/* SPDX-License-Identifier: MIT */
#include "base/error.h"

#include <stdio.h>
#include <stdlib.h>

_Noreturn void bug_at(const char *file, int line, const char *text)
{
	(void)fprintf(stderr, "pptrace: BUG at %s:%d: %s\n", file, line, text);
	abort();
}
